"""Predictions with the band in which the mean, or one more measurement, is expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.formula import as_text
from descend.inference.covariance import Covariance
from descend.inference.estimates import Estimates
from descend.inference.intervals import checked_level, listed, quantile
from descend.inference.measurement import Measurement, columns_needed, measurement_of
from descend.models import Model
from descend.models.bare_arrays import named_inputs
from descend.problem.preflight import smallest_failure
from descend.registry import closest
from descend.table import Table, open_table
from descend.table.rows import Roles, Rows
from descend.wording import spell, using

Array = NDArray[np.float64]
BANDS = ("confidence", "prediction")
MOST_VALUES = 6
"""Most inputs of a row that a message lists."""


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


def predict_with_band(estimates: Estimates, data: object, missing: str, interval: str, level: float) -> Prediction:
    """Predict new rows with their band; raises ConfigError where there is none, and says why."""
    if interval not in BANDS:
        raise ConfigError(
            f"There is no interval `{interval}` of a prediction.{closest(str(interval), BANDS)} "
            f"Known: {', '.join(BANDS)}."
        )
    checked_level(level)
    estimates.needed_covariance()
    if estimates.undetermined:
        raise ConfigError(
            f"There is no {interval} interval: the data do not determine {listed(estimates.undetermined)} by "
            "themselves, so they do not say how certain a prediction is. Remove one of them from the formula, or fix "
            "it."
        )
    spread = estimates.sigma or estimates.weights
    table = estimates.model.laid_out(
        open_table(named_inputs(data, estimates.model.needed_inputs)), spread if interval == "prediction" else None
    )
    computed = measurement_of(estimates, table.names) if interval == "prediction" else None
    if interval == "prediction" and spread is not None and spread not in table.names and computed is None:
        raise ConfigError(
            f"A prediction interval needs the {'sigma' if estimates.sigma else 'weight'} of each new row: the column "
            f"`{spread}`, with which the model was fitted. Add it, or ask for a confidence interval."
        )
    more = columns_needed(estimates.model, spread, interval, table.names)
    names = tuple(dict.fromkeys((*estimates.model.inputs, *more)))
    columns = table.numbers(names, missing) if names else {"": np.empty(table.rows)}
    if computed is not None:
        columns = {**columns, str(spread): _computed(computed, estimates, table, columns, names, missing)}
    if interval == "prediction":
        Rows.of(columns, Roles(estimates.weights, estimates.sigma), source=table.source).check()
    found = band(estimates, columns, interval, level)
    refuse_not_finite(estimates.model, estimates.theta, columns, found.prediction)
    _refuse_without_ends(estimates, columns, found)
    prediction, low, high = (
        estimates.model.side_by_side(values, data) for values in (found.prediction, found.low, found.high)
    )
    return Prediction(prediction, low, high, interval, level)


def refuse_not_finite(model: Model, theta: Array, columns: Mapping[str, Array], prediction: Array) -> None:
    """Refuse a row in which the model has no value. Raises DataError naming row, subexpression and values."""
    bad = ~np.isfinite(prediction)
    if not bad.any():
        return
    row = int(bad.argmax())
    symbolic = model.symbolic
    part = None if symbolic is None else smallest_failure(symbolic, theta, columns, row)
    cause = f": `{as_text(part[0])}` is {part[1]:g} there" if part is not None else ""
    raise DataError(
        f"The prediction is {prediction[row]:g} in row {row + 1}{_values(model, columns, row)}{cause}. "
        f"Leave such rows out{using('where')}."
    )


def _refuse_without_ends(estimates: Estimates, columns: Mapping[str, Array], found: Prediction) -> None:
    bad, model = np.isnan(found.low) | np.isnan(found.high), estimates.model
    if not bad.any():
        return
    row = int(bad.argmax())
    one = {name: column[row : row + 1] for name, column in columns.items()}
    _, jacobian = model.scores_and_jacobian(estimates.theta, one)
    places = np.flatnonzero(~np.isfinite(jacobian[0]))
    why = (
        f": the derivative of the prediction by `{model.parameters.labels[places[0]]}` is not finite there"
        if places.size
        else ""
    )
    raise DataError(
        f"The prediction has no {found.interval} interval in row {row + 1}{_values(model, columns, row)}{why}. "
        f"Leave such rows out{using('where')}."
    )


def _values(model: Model, columns: Mapping[str, Array], row: int) -> str:
    """Write the inputs of a row, in brackets."""
    values = model.at_row(columns, row, MOST_VALUES)
    return f" ({values})" if values else ""


def _computed(
    measurement: Measurement,
    estimates: Estimates,
    table: Table,
    columns: Mapping[str, Array],
    names: Sequence[str],
    missing: str,
) -> Array:
    """Return the sigma or weight of each new row, computed from its columns; the response, where the row has one."""
    prediction, response = estimates.model.predict(estimates.theta, columns), None
    if measurement.response in table.names and measurement.response in measurement.computed.columns:
        response = table.with_gaps((measurement.response,))[measurement.response]
        response = response[table.complete(names)] if missing == "drop" and names else response
    return measurement.computed.over(measurement.known(columns, prediction, response), len(prediction))


def band(estimates: Estimates, columns: Mapping[str, Array], interval: str, level: float) -> Prediction:
    """Return predictions and their band, by the delta method.

    With f the derivatives of the prediction by the parameters and V their covariance:

        confidence: prediction -+ q sqrt(f' V f),   prediction: prediction -+ q sqrt(f' V f + v)

    v is the variance of one measurement: s**2, s**2 / weight, or sigma**2; q as for ``t_intervals``. For logistic
    and bernoulli the band is that of the log-odds, for poisson that of the log of the mean, so that it stays within the
    range of y.
    """
    model, loss, covariance = estimates.model, estimates.model.loss, estimates.needed_covariance()
    if loss.classes:
        raise ConfigError(
            f"The {loss.name} loss predicts classes, which have no {interval} interval. Ask for "
            f"{spell('probabilities')}."
        )
    if interval == "prediction" and not (loss.quadratic or estimates.deviation is not None):
        raise ConfigError(
            f"A prediction interval needs the spread of single measurements, which the {loss.name} loss does not "
            "estimate. Ask for a confidence interval, or use the squared loss."
        )
    prediction = model.predict(estimates.theta, columns)
    with np.errstate(all="ignore"):
        score, variance = _uncertain(model, estimates.theta, covariance, columns)
        if interval == "prediction":
            variance = variance + _one_measurement(estimates, columns)
        reach = quantile(level, estimates.degrees) * np.sqrt(variance)
        low, high = score - reach, score + reach
        if loss.link is not None:
            low, high = loss.mean(low), loss.mean(high)
        elif math.isfinite(loss.prediction_domain.high):
            far = np.where(reach > 0.0, reach / (score * (1.0 - score)), 0.0)  # no 0 / 0 for certain predictions
            low, high = (score / (score + (1.0 - score) * np.exp(sign * far)) for sign in (1.0, -1.0))
        elif math.isfinite(loss.prediction_domain.low):
            low, high = score * np.exp(-reach / score), score * np.exp(reach / score)
    return Prediction(prediction, low, high, interval, level)


def _uncertain(model: Model, theta: Array, covariance: Covariance, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the score of each row, and its variance f' V f."""
    if isinstance(covariance, np.ndarray):
        score, jacobian = model.scores_and_jacobian(theta, columns)
        return score, np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
    from descend.inference.arrow_covariance import variances_along

    assert model.symbolic is not None
    score, along, places = model.symbolic.scores_and_parts(theta, columns)
    return score, variances_along(covariance, along, places)


def _one_measurement(estimates: Estimates, columns: Mapping[str, Array]) -> Array | float:
    """Return the variance of a new measurement in each row."""
    if estimates.sigma is not None:
        return columns[estimates.sigma] ** 2
    deviation = estimates.deviation
    if deviation is None:
        raise ConfigError(
            "A prediction interval needs the residual standard deviation, and this fit has none. Ask for a confidence "
            "interval."
        )
    return deviation * deviation if estimates.weights is None else deviation * deviation / columns[estimates.weights]
