"""Predictions with the band in which the mean, or one more measurement, is expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.formula.computed_column import Computed, computed_anywhere
from descend.inference.estimates import Estimates
from descend.inference.intervals import checked_level, listed, quantile
from descend.inference.prediction.new_measurement import Measurement, columns_needed, measurement_of
from descend.inference.prediction.predictions import refuse_not_finite, values_of_row
from descend.losses import Loss
from descend.losses.distribution import Distribution, mixed_quantile
from descend.models import Model
from descend.models.rows_of_model import named_inputs
from descend.registry import closest
from descend.table import Table, open_table
from descend.table.rows import Roles, Rows
from descend.wording import using

Array = NDArray[np.float64]
BANDS = ("confidence", "prediction")
NODES = 7
"""Values of a mean that stand for how uncertain it is."""


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
    if estimates.combinations is None:
        estimates.needed_covariance()
        if estimates.undetermined:
            raise ConfigError(_undetermined(estimates, interval))
    spread = estimates.sigma or estimates.weights
    table = estimates.model.laid_out(
        open_table(named_inputs(data, estimates.model.needed_inputs)), spread if interval == "prediction" else None
    )
    computed = measurement_of(estimates, table.names) if interval == "prediction" else None
    if interval == "prediction" and spread is not None and spread not in table.names and computed is None:
        raise ConfigError(
            f"A prediction interval needs the {_called(estimates)} of each new row: the column "
            f"`{spread}`, with which the model was fitted. Add it, or ask for a confidence interval."
        )
    sides = _sides(estimates.model, table) if interval == "prediction" else {}
    side_columns = [name for name, each in sides.items() for name in ([name] if each is None else each.columns)]
    columns_added = (*columns_needed(estimates.model, spread, interval, table.names), *side_columns)
    names = tuple(dict.fromkeys((*estimates.model.inputs, *columns_added)))
    columns = table.numbers(names, missing) if names else {"": np.empty(table.rows)}
    if computed is not None:
        columns = {**columns, str(spread): _computed(computed, estimates, table, columns, names, missing)}
    columns = {**columns, **_sides_computed(sides, columns)}
    if interval == "prediction":
        Rows.of(columns, Roles(estimates.weights, estimates.sigma), source=table.source).check()
    prediction_with_band = band(estimates, columns, interval, level)
    refuse_not_finite(estimates.model, estimates.theta, columns, prediction_with_band.prediction)
    _refuse_without_ends(estimates, columns, prediction_with_band)
    prediction, low, high = (
        estimates.model.side_by_side(values, data)
        for values in (prediction_with_band.prediction, prediction_with_band.low, prediction_with_band.high)
    )
    return Prediction(prediction, low, high, interval, level)


def _sides(model: Model, table: Table) -> dict[str, Computed | None]:
    """Return the standard deviations to both sides of new rows: columns, or what computes them; none if alike.

    Raises ConfigError for a table without them.
    """
    sides_computed: dict[str, Computed | None] = {}
    for name in model.loss.deviations or ():
        computed = sides_computed[name] = None if name in table.names else computed_anywhere(name)
        side_columns = (name,) if computed is None else computed.columns
        if not set(side_columns) <= set(table.names):
            raise ConfigError(
                "A prediction interval needs the standard deviations to both sides of each new row, and there is no "
                f"`{name}`, with which the model was fitted. Add it, or ask for a confidence interval."
            )
    return sides_computed


def _sides_computed(sides: Mapping[str, Computed | None], columns: Mapping[str, Array]) -> dict[str, Array]:
    count = len(next(iter(columns.values()), ()))
    return {name: each.over(columns, count) for name, each in sides.items() if each is not None}


def _called(estimates: Estimates) -> str:
    """Name what says how far a row scatters."""
    if estimates.sigma:
        return "sigma"
    return "number of trials" if estimates.model.loss.two_levels else "weight"


def _undetermined(estimates: Estimates, interval: str, where: str = "") -> str:
    """Say that a prediction has no interval. where: in which row, in words; empty for all of them."""
    return (
        f"There is no {interval} interval{where}: the data do not determine {listed(estimates.undetermined)} by "
        "themselves, so they do not say how certain a prediction is. Remove one of them from the formula, or fix it."
    )


def _refuse_without_ends(estimates: Estimates, columns: Mapping[str, Array], prediction: Prediction) -> None:
    bad, model = np.isnan(prediction.low) | np.isnan(prediction.high), estimates.model
    if not bad.any():
        return
    row = int(bad.argmax())
    row_columns = {name: column[row : row + 1] for name, column in columns.items()}
    _, jacobian = model.scores_and_jacobian(estimates.theta, row_columns)
    places_not_finite = np.flatnonzero(~np.isfinite(jacobian[0]))
    why = (
        f": the derivative of the prediction by `{model.parameters.labels[places_not_finite[0]]}` is not finite there"
        if places_not_finite.size
        else ""
    )
    values = values_of_row(model, columns, row)
    if not places_not_finite.size and not estimates.determine(jacobian[0]):
        where = "" if bad.all() else f" in row {row + 1}{values}"
        raise ConfigError(_undetermined(estimates, prediction.interval, where))
    raise DataError(
        f"The prediction has no {prediction.interval} interval in row {row + 1}{values}{why}. "
        f"Leave such rows out{using('where')}."
    )


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

    v is the variance of one measurement: s**2, s**2 / weight, or sigma**2; q as for ``t_intervals``. Where a prediction
    has a range, such as that of a probability or a positive mean, the band is that of its log-odds or logarithm, so
    that it stays within. Of other distributions the prediction band is between quantiles of ``_responses``.
    """
    model, loss = estimates.model, estimates.model.loss
    loss.refuse_classes(f"no {interval} interval")
    normal = loss.quadratic or estimates.deviation is not None
    prediction = model.predict(estimates.theta, columns)
    with np.errstate(all="ignore"):
        score, variance = _uncertain(estimates, columns)
        if interval == "prediction" and not normal:
            low, high = _responses(estimates, columns, score, np.sqrt(variance), level)
        else:
            if interval == "prediction":
                variance = variance + _one_measurement(estimates, columns)
            reach = quantile(level, estimates.degrees) * np.sqrt(variance)
            low, high = shifted_mean(loss, score, -reach), shifted_mean(loss, score, reach)
    return Prediction(prediction, low, high, interval, level)


def shifted_mean(loss: Loss, score: Array, by: Array) -> Array:
    """Return the mean response where a score is ``by`` larger, along a curve that keeps the mean in its range."""
    if loss.link is not None:
        return loss.mean(score + by)
    if math.isfinite(loss.prediction_domain.high):
        far = np.where(by != 0.0, by / (score * (1.0 - score)), 0.0)  # no 0 / 0 for certain predictions
        share: Array = score / (score + (1.0 - score) * np.exp(-far))
        return share
    if math.isfinite(loss.prediction_domain.low):
        return np.asarray(score * np.exp(by / score))
    return score + by


def _responses(
    estimates: Estimates, columns: Mapping[str, Array], score: Array, error: Array, level: float
) -> tuple[Array, Array]:
    """Return the quantiles between which one more response lies, of the distribution of the loss in each row.

    It is averaged over how uncertain its mean is, by Gauss-Hermite quadrature along ``shifted_mean``; the dispersion
    and other parameters of the distribution are taken as estimated.
    """
    loss, omega = estimates.model.loss, np.ones(len(score))
    if estimates.weights is not None:
        omega = columns[estimates.weights]
    parameters, distributions = estimates.model.parameters.named(estimates.theta), list[Distribution]()
    if loss.deviations is not None:
        loss = loss.given({name: columns[name] for name in loss.own_columns}, parameters)
    wider = quantile(level, estimates.degrees) / quantile(level, math.inf)
    nodes, shares = np.polynomial.hermite_e.hermegauss(NODES)
    for node in nodes.tolist():
        mean = shifted_mean(loss, score, wider * node * error)
        dispersion = estimates.dispersion
        distribution = None if dispersion is None else loss.distribution(mean, omega, dispersion, parameters)
        distributions += [] if distribution is None else [distribution]
    if not loss.density and loss.dispersion is not None:
        raise ConfigError(
            f"A prediction interval needs the distribution of single measurements, and none is that of the {loss.name} "
            "loss with a dispersion of its own. Ask for a confidence interval, or use a loss that allows for the "
            "scatter."
        )
    if not distributions:
        raise ConfigError(
            f"A prediction interval needs the spread of single measurements, which the {loss.name} loss does not "
            "estimate. Ask for a confidence interval, or use the squared loss."
        )
    chances = (shares / shares.sum()).tolist()
    tail = 0.5 - 0.5 * level
    return mixed_quantile(distributions, chances, tail), mixed_quantile(distributions, chances, 1.0 - tail)


def _uncertain(estimates: Estimates, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the score of each row, and its variance f' V f: NaN where the data do not determine the prediction."""
    model, theta = estimates.model, estimates.theta
    covariance = estimates.needed_joint_covariance()
    if isinstance(covariance, np.ndarray):
        score, jacobian = model.scores_and_jacobian(theta, columns)
        variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)
        return score, np.where(estimates.determine(jacobian), variance, np.nan) if estimates.undetermined else variance
    from descend.inference.covariance.arrow import variances_along

    assert model.symbolic is not None
    score, along, parameter_places = model.symbolic.scores_and_parts(theta, columns)
    return score, variances_along(covariance, along, parameter_places)


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
