"""What a fit tells of all rows where only a sample of them is in memory: from sums over all, else from the sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.gradients.derived import derived
from descend.inference.covariance import sandwich
from descend.inference.row_scores import counted_rows
from descend.losses import LOSSES, Loss
from descend.problem.out_of_core import engine_of
from descend.problem.problem import AllRows

Array = NDArray[np.float64]
BLOCK = 1 << 16
"""Rows that are read at a time."""


def total_loss(solution: Solution, whole: AllRows) -> float:
    """Return the sum of the loss over all rows, without penalties."""
    if not solution.penalised:
        return solution.loss * whole.omega
    return solution.objective.engine.evaluate(solution.theta, 0).loss


def squared_error(solution: Solution, whole: AllRows) -> float | None:
    """Return sum omega r**2 over all rows; None where only the loss can be summed, and it is not squared."""
    with np.errstate(all="ignore"):
        if solution.loss_function.quadratic:
            return total_loss(solution, whole)
        return sum_of(solution, whole, LOSSES.build("squared"))


def sum_of(solution: Solution, whole: AllRows, loss: Loss) -> float | None:
    """Return the sum over all rows of another loss of the same predictions; None for a function, which has no query."""
    if solution.model.formula is None:
        return None
    return engine_of(derived(solution.model.formula, loss), whole.lazy).evaluate(solution.theta, 0).loss


def r_squared(solution: Solution, whole: AllRows) -> float | None:
    """Return the share of the variance of the response that the fit explains, over all rows."""
    error = squared_error(solution, whole) if whole.spread > 0.0 else None
    return None if error is None else 1.0 - error / whole.spread


def sandwich_of_sample(solution: Solution, whole: AllRows) -> Array | None:
    """Return the robust covariance of a fit to the sample, brought to the number of all rows.

    It falls as one over their number, and that of 10,000 rows is known to about 1%.
    """
    rows = counted_rows(solution)
    found = sandwich(rows, solution.loss_function, len(rows.y) - solution.model.parameters.size)
    return None if found is None else found * (len(rows.y) / whole.counting)
