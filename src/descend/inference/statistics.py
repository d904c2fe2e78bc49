"""What a fit leaves of the response: residuals, their spread, and the share of the variance it explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.inference.row_scores import refuse_without_data, row_weights, weighted
from descend.losses.contract import Pearson

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]


def residuals(fit: Fit) -> Array:
    """Return observed less predicted response of each row."""
    refuse_without_data(fit, "residuals")
    assert fit.kept is not None
    columns = fit.kept.columns
    return np.asarray(fit.model.observed(columns) - fit.model.predict(fit.theta, columns), dtype=np.float64)


def degrees_of_freedom(fit: Fit) -> int | None:
    """Return the rows of a weight above 0, less the parameters that they determine; None if it is not known."""
    if fit.kept is None:
        stored = fit.stored.get("degrees_of_freedom")
        return None if stored is None else int(stored)
    return counting(fit) - determined(fit)


def counting(fit: Fit) -> int:
    """Return the number of rows of a weight above 0."""
    assert fit.kept is not None
    if fit.kept.whole is not None:
        return fit.kept.whole.counting
    return int(np.count_nonzero(row_weights(fit))) if weighted(fit) else fit.rows


def determined(fit: Fit) -> int:
    """Return how many parameters the data determine: those free to move, less one for each that is redundant."""
    if fit.rank is not None:
        return int(fit.rank.kept.sum())
    return fit.model.parameters.size - standing(fit)


def standing(fit: Fit) -> int:
    """Return how many components of theta lie at a bound or are fixed by themselves."""
    return 0 if fit.constraints is None else fit.constraints.standing(fit.theta)


def error_degrees(fit: Fit) -> float:
    """Return the degrees of freedom of the standard errors: infinite where the scale of the residuals is known."""
    known = fit.sigma is not None or fit.loss_function.dispersion_known
    return np.inf if known or fit.degrees_of_freedom is None else float(fit.degrees_of_freedom)


def residual_standard_deviation(fit: Fit) -> float | None:
    """Return sqrt(sum omega r**2 / degrees of freedom); None unless the loss is squared."""
    if fit.kept is None:
        return fit.stored.get("residual_standard_deviation")
    degrees = fit.degrees_of_freedom
    if not fit.loss_function.quadratic or degrees is None or degrees <= 0:
        return None
    return float(np.sqrt(squared_error(fit) / degrees))


def dispersion_of(fit: Fit) -> float | None:
    """Return phi, of which the variance of a response is a multiple: 1 where it is known, or given by ``sigma``.

    Elsewhere it is estimated by Pearson's sum omega (y - m)**2 / V(m) over the degrees of freedom, V the variance at a
    dispersion of 1. None if no row is left over, or the loss is no likelihood.
    """
    loss = fit.loss_function
    if fit.sigma is not None or loss.dispersion_known:
        return 1.0
    degrees = degrees_of_freedom(fit)
    if fit.kept is None:
        return fit.stored.get("dispersion")
    if not loss.likelihood or degrees is None or degrees <= 0 or fit.model.in_place:
        return None
    if loss.quadratic:
        return squared_error(fit) / degrees
    if fit.kept.whole is not None:
        from descend.inference import all_rows as whole  # few fits need it

        total = whole.sum_of(fit, fit.kept.whole, Pearson(loss))
        return None if total is None else total / degrees
    rows = fit.counted_rows
    return float(rows.omega @ Pearson(loss).value(loss.mean(rows.score), rows.y)) / degrees


def squared_error(fit: Fit) -> float:
    """Return sum omega r**2 of a squared loss: J itself, where no penalty is part of it."""
    assert fit.kept is not None
    if fit.model.in_place:
        return float(row_weights(fit) @ fit.residuals**2)
    if fit.penalised:
        return float(fit.kept.objective.engine.evaluate(fit.theta, 0).loss)
    return fit.loss * total_weight(fit)


def total_weight(fit: Fit) -> float:
    """Return the sum of the row weights."""
    assert fit.kept is not None
    if fit.kept.whole is not None:
        return fit.kept.whole.omega
    return float(row_weights(fit).sum()) if weighted(fit) else float(fit.rows)


def r_squared(fit: Fit) -> float | None:
    """Return 1 - sum omega r**2 / sum omega (y - mean y)**2; None if the response never changes."""
    if fit.kept is None:
        return fit.stored.get("r_squared")
    if fit.loss_function.likelihood and not fit.loss_function.quadratic:
        return None
    if fit.kept.whole is not None:
        from descend.inference import all_rows as whole  # few fits need it

        return whole.r_squared(fit, fit.kept.whole)
    y = fit.model.observed(fit.kept.columns)
    omega = row_weights(fit) if weighted(fit) else 1.0
    away = y - (np.average(y, weights=omega) if weighted(fit) else y.mean())
    spread = float((omega * away) @ away)
    if not spread > 0.0:
        return None
    if fit.loss_function.quadratic:
        return 1.0 - squared_error(fit) / spread
    residual = y - fit.model.predict(fit.theta, fit.kept.columns)
    return 1.0 - float((omega * residual) @ residual) / spread


def r_squared_about_zero(fit: Fit) -> float | None:
    """Return 1 - sum omega r**2 / sum omega y**2 of a line through the origin; None of all else."""
    if fit.kept is None:
        return fit.stored.get("r_squared_about_zero")
    model = fit.model
    if not (model.formula is not None and model.linear and fit.loss_function.quadratic):
        return None
    constants = [slope for slope in model.formula.jacobian.values() if not slope.free_symbols]
    if constants or fit.kept.whole is not None or model.formula.terms:
        return None
    y = model.observed(fit.kept.columns)
    squares = float((row_weights(fit) * y) @ y) if weighted(fit) else float(y @ y)
    return 1.0 - squared_error(fit) / squares if squares > 0.0 else None
