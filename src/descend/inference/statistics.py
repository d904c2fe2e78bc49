"""Statistics of a fit: residuals, their spread, and the share of the variance of the response that it explains."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import comment, once
from descend.descent.solution import Solution
from descend.gradients.derived import derived
from descend.inference.determined import determined
from descend.inference.scored_rows import row_weights, scored_rows, weighted
from descend.losses import LEAST_SQUARES, Loss
from descend.problem.problem import AllRows

if TYPE_CHECKING:
    from descend.table.response_covariance import Whitening

Array = NDArray[np.float64]


@once
def residuals(solution: Solution) -> Array:
    """Return observed less predicted response of each row."""
    columns, model = solution.columns, solution.model
    return np.asarray(model.observed(columns) - model.predict(solution.theta, columns), dtype=np.float64)


@comment("the degrees of freedom")
def degrees_of_freedom(solution: Solution) -> float | None:
    """Return the number of rows with a weight above 0, minus the number of parameters that they determine.

    With priors that number is no whole one (see ``posterior.determined_by_data``).
    """
    if (priors := solution.objective.priors) is not None:
        from descend.inference.covariance.posterior import determined_by_data

        return counting(solution) - determined_by_data(solution, priors)
    return counting(solution) - determined(solution)


def counting(solution: Solution) -> int:
    """Return the number of rows with a weight above 0, or as many as the kernel counts."""
    if solution.all_rows is not None:
        return solution.all_rows.counting
    return solution.problem.code.counted(solution.sample)


def responses(solution: Solution) -> int:
    """Return the number of responses with a weight above 0: of several formulas a row has one for each."""
    if solution.all_rows is not None:
        return solution.all_rows.counting
    return int(np.count_nonzero(row_weights(solution))) if weighted(solution) else solution.rows


def total_weight(solution: Solution) -> float:
    """Return the sum of the row weights."""
    if solution.all_rows is not None:
        return solution.all_rows.omega
    return solution.sample.total


def error_degrees(solution: Solution) -> float:
    """Return the degrees of freedom of the standard errors: infinite where the scale of the residuals is known."""
    degrees = degrees_of_freedom(solution)
    loss = solution.loss_function
    dispersion_known = (solution.scale_known and loss.likelihood) or loss.dispersion_known
    return math.inf if dispersion_known or degrees is None else float(degrees)


@comment("the residual standard deviation")
def residual_standard_deviation(solution: Solution) -> float | None:
    """Return sqrt(sum omega r**2 / degrees of freedom), or the loss's own estimate; None if errors are not normal."""
    own_deviation = solution.loss_function.deviation(solution.parameters)
    if own_deviation is not None:
        return own_deviation
    degrees = degrees_of_freedom(solution)
    if not solution.loss_function.quadratic or degrees is None or degrees <= 0:
        return None
    return float(np.sqrt(squared_error(solution) / degrees))


@comment("the dispersion")
def dispersion_of(solution: Solution) -> float | None:
    """Return phi, of which the variance of a response is a multiple: 1, or what is said, where it is known.

    Elsewhere it is estimated by Pearson's sum omega (y - m)**2 / V(m) over the degrees of freedom, V the variance at a
    dispersion of 1. None if no degrees of freedom are left, or the loss is not a likelihood.
    """
    loss, degrees = solution.loss_function, degrees_of_freedom(solution)
    if (solution.scale_known and loss.likelihood) or loss.dispersion_known:
        return loss.known_dispersion
    if not loss.likelihood or degrees is None or degrees <= 0 or solution.model.in_place:
        return None
    if loss.quadratic:
        return squared_error(solution) / degrees
    from descend.losses.pearson import Pearson

    if solution.all_rows is not None:
        total = _sum_of(solution, solution.all_rows, Pearson(loss))
        return None if total is None else total / degrees
    rows = scored_rows(solution)
    return float(rows.omega @ Pearson(loss).value(loss.mean(rows.score), rows.y)) / degrees


def _sum_of(solution: Solution, all_rows: AllRows, loss: Loss) -> float | None:
    """Return the sum over all rows of another loss of the same predictions; None for a Python function as the model."""
    if solution.model.formula is None:
        return None
    from descend.problem.out_of_core import engine_of  # few fits need it

    with np.errstate(all="ignore"):
        return engine_of(derived(solution.model.formula, loss), all_rows.lazy).evaluate(solution.theta, 0).loss


def squared_error(solution: Solution) -> float:
    """Return sum omega r**2 of a squared loss: J itself, where no penalty is part of it."""
    if solution.model.in_place:
        return float(row_weights(solution) @ residuals(solution) ** 2)
    return total_loss(solution)


def total_loss(solution: Solution) -> float:
    """Return the sum of the losses of all rows, without penalties and priors."""
    if solution.penalised or solution.objective.priors is not None:
        return float(solution.objective.engine.evaluate(solution.theta, 0).loss)
    return solution.loss * total_weight(solution)


@comment("R²")
def r_squared(solution: Solution) -> float | None:
    """Return 1 - sum omega r**2 / sum omega (y - mean y)**2; None if the response never changes."""
    if not solution.model.comparable or (solution.loss_function.likelihood and not solution.loss_function.quadratic):
        return None
    quadratic, all_rows = solution.loss_function.quadratic, solution.all_rows
    if all_rows is not None:
        if not all_rows.spread > 0.0:
            return None
        error = squared_error(solution) if quadratic else _sum_of(solution, all_rows, LEAST_SQUARES)
        return None if error is None else 1.0 - error / all_rows.spread
    y = solution.model.observed(solution.columns)
    if (whitening := solution.sample.whitening) is not None:
        return 1.0 - squared_error(solution) / _about_mean(y, row_weights(solution), whitening)
    omega = row_weights(solution) if weighted(solution) else 1.0
    away = y - (np.average(y, weights=omega) if weighted(solution) else y.mean())
    spread = float((omega * away) @ away)
    if not spread > 0.0:
        return None
    if quadratic:
        return 1.0 - squared_error(solution) / spread
    residual = residuals(solution)
    return 1.0 - float((omega * residual) @ residual) / spread


def _about_mean(y: Array, omega: Array, whitening: Whitening) -> float:
    """Return the least squares left by a constant, with errors that depend on each other."""
    root = np.sqrt(omega)
    ones, whitened = whitening.of(np.column_stack([root, root * y])).T
    return float(np.square(whitened - ones * (ones @ whitened) / (ones @ ones)).sum())


@comment("R² about 0")
def r_squared_about_zero(solution: Solution) -> float | None:
    """Return 1 - sum omega r**2 / sum omega y**2 for a line through the origin; None for everything else."""
    model = solution.model
    if not (model.formula is not None and model.linear and solution.loss_function.quadratic):
        return None
    constants = [slope for slope in model.formula.jacobian.values() if not slope.free_symbols]
    if constants or solution.all_rows is not None or model.formula.terms:
        return None
    y = model.observed(solution.columns)
    if (whitening := solution.sample.whitening) is not None:
        y = whitening.of(np.sqrt(row_weights(solution)) * y)
        return 1.0 - squared_error(solution) / float(y @ y)
    squares = float((row_weights(solution) * y) @ y) if weighted(solution) else float(y @ y)
    return 1.0 - squared_error(solution) / squares if squares > 0.0 else None
