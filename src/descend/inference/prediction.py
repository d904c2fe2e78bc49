"""Predictions with the band in which the mean, or one more measurement, is expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.formula import as_text
from descend.inference.intervals import checked_level, named, quantile, why_none
from descend.problem.preflight import smallest_failure
from descend.registry import closest
from descend.table import open_table
from descend.wording import using

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]
BANDS = ("confidence", "prediction")
MOST_VALUES = 6
"""Inputs of a row that a message lists."""


@dataclass(frozen=True)
class Prediction:
    """A prediction per row, and the interval [low, high] around it.

    interval: ``"confidence"``, of the mean, or ``"prediction"``, of one more measurement. level: of confidence.
    """

    prediction: Array
    low: Array
    high: Array
    interval: str
    level: float


def predict_with_band(fit: Fit, data: Any, missing: str, interval: str, level: float) -> Prediction:
    """Predict new rows with their band; raises ConfigError where there is none, and says why."""
    if interval not in BANDS:
        raise ConfigError(
            f"There is no interval `{interval}` of a prediction.{closest(str(interval), BANDS)} "
            f"Known: {', '.join(BANDS)}."
        )
    checked_level(level)
    if fit.covariance is None or fit.model.in_place:
        raise ConfigError(why_none(fit))
    if fit.undetermined:
        raise ConfigError(
            f"There is no {interval} interval: the data do not determine {named(fit.undetermined)} by themselves, so "
            "they do not say how certain a prediction is. Remove one of them from the formula, or fix it."
        )
    table = open_table(data)
    names = columns_needed(fit, interval)
    spread = names[-1] if names else ""
    if interval == "prediction" and spread in (fit.sigma, fit.weights) and spread not in table.names:
        raise ConfigError(
            f"A prediction interval needs the {'sigma' if fit.sigma else 'weight'} of each new row: the column "
            f"`{spread}`, with which the model was fitted. Add it, or ask for a confidence interval."
        )
    columns = table.numbers(names, missing) if names else {"": np.empty(table.rows)}
    found = band(fit, columns, interval, level)
    refuse_not_finite(fit, columns, found.prediction)
    _refuse_without_ends(fit, columns, found)
    return found


def refuse_not_finite(fit: Fit, columns: Mapping[str, Array], prediction: Array) -> None:
    """Refuse a row in which the model has no value. Raises DataError naming row, subexpression and values."""
    bad = ~np.isfinite(prediction)
    if not bad.any():
        return
    row = int(bad.argmax())
    part = None
    if (symbolic := fit.model.symbolic) is not None:
        part = smallest_failure(symbolic, fit.theta, columns, row)
    told = f": `{as_text(part[0])}` is {part[1]:g} there" if part is not None else ""
    raise DataError(
        f"The prediction is {prediction[row]:g} in row {row + 1}{_values(fit, columns, row)}{told}. "
        f"Leave such rows out{using('where')}."
    )


def _refuse_without_ends(fit: Fit, columns: Mapping[str, Array], found: Prediction) -> None:
    bad = np.isnan(found.low) | np.isnan(found.high)
    if not bad.any() or fit.model.in_place:
        return
    row = int(bad.argmax())
    _, jacobian = fit.model.scores_and_jacobian(fit.theta, columns)
    by = [label for label, slope in zip(fit.model.parameters.labels, jacobian[row], strict=True)
          if not np.isfinite(slope)]  # fmt: skip
    why = f": the derivative of the prediction by `{by[0]}` is not finite there" if by else ""
    raise DataError(
        f"The prediction has no {found.interval} interval in row {row + 1}{_values(fit, columns, row)}{why}. "
        f"Leave such rows out{using('where')}."
    )


def _values(fit: Fit, columns: Mapping[str, Array], row: int) -> str:
    """Write the inputs of a row, in brackets."""
    values = ", ".join(f"{name} = {columns[name][row]:g}" for name in fit.model.inputs[:MOST_VALUES])
    return f" ({values})" if values else ""


def columns_needed(fit: Fit, interval: str | None) -> tuple[str, ...]:
    """Return the columns that a prediction with this interval reads; the sigma or weight of a row comes last."""
    spread = (fit.sigma or fit.weights) if interval == "prediction" else None
    inputs: tuple[str, ...] = fit.model.inputs
    return inputs if spread is None else (*(name for name in inputs if name != spread), spread)


def band(fit: Fit, columns: Mapping[str, Array], interval: str, level: float) -> Prediction:
    """Return predictions and their band, by the delta method.

    With f the derivatives of the prediction by the parameters and V their covariance:

        confidence: prediction -+ q sqrt(f' V f),   prediction: prediction -+ q sqrt(f' V f + v)

    v is the variance of one measurement: s**2, s**2 / weight, or sigma**2; q as for ``t_intervals``. For logistic
    and bernoulli the band is that of the log-odds, for poisson that of the log of the mean, so that it stays where y
    can be.
    """
    loss, covariance = fit.loss_function, fit.covariance
    assert covariance is not None
    if interval == "prediction" and not loss.quadratic:
        raise ConfigError(
            f"A prediction interval needs the spread of single measurements, which the {loss.name} loss does not "
            "estimate. Ask for a confidence interval, or use the squared loss."
        )
    prediction = fit.model.predict(fit.theta, columns)
    score, jacobian = fit.model.scores_and_jacobian(fit.theta, columns)
    with np.errstate(all="ignore"):
        variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
        if interval == "prediction":
            variance = variance + _one_measurement(fit, columns)
        reach = quantile(level, fit.error_degrees) * np.sqrt(variance)
        low, high = score - reach, score + reach
        if loss.link is not None:
            low, high = loss.mean(low), loss.mean(high)
        elif math.isfinite(loss.prediction_domain.high):
            far = np.where(reach > 0.0, reach / (score * (1.0 - score)), 0.0)  # 0 where it is 0 for certain
            low, high = (score / (score + (1.0 - score) * np.exp(sign * far)) for sign in (1.0, -1.0))
        elif math.isfinite(loss.prediction_domain.low):
            low, high = score * np.exp(-reach / score), score * np.exp(reach / score)
    return Prediction(prediction, low, high, interval, level)


def _one_measurement(fit: Fit, columns: Mapping[str, Array]) -> Array | float:
    if fit.sigma is not None:
        return columns[fit.sigma] ** 2
    deviation = fit.residual_standard_deviation
    if deviation is None:
        raise ConfigError(
            "A prediction interval needs the residual standard deviation, and this fit has none. Ask for a confidence "
            "interval."
        )
    return deviation**2 if fit.weights is None else deviation**2 / columns[fit.weights]
