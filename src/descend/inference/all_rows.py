"""What a fit tells of all rows where only a sample of them is in memory: from sums over all, else from the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.gradients.derived import derived
from descend.inference.covariance import sandwich
from descend.losses import LOSSES, Loss
from descend.problem.out_of_core import Whole, engine_of

if TYPE_CHECKING:
    from descend.results.fit import Fit

Array = NDArray[np.float64]
BLOCK = 1 << 16
"""Rows that are read at a time."""


def total_loss(fit: Fit, whole: Whole) -> float:
    """Return the sum of the loss over all rows, without penalties."""
    assert fit.kept is not None
    if not fit.penalised:
        return fit.loss * whole.omega
    return fit.kept.objective.engine.evaluate(fit.theta, 0).loss


def squared_error(fit: Fit, whole: Whole) -> float | None:
    """Return sum omega r**2 over all rows; None where only the loss can be summed, and it is not squared."""
    assert fit.kept is not None
    with np.errstate(all="ignore"):
        if fit.loss_function.quadratic:
            return total_loss(fit, whole)
        return sum_of(fit, whole, LOSSES.build("squared"))


def sum_of(fit: Fit, whole: Whole, loss: Loss) -> float | None:
    """Return the sum over all rows of another loss of the same predictions; None for a function, which has no query."""
    if fit.model.formula is None:
        return None
    return engine_of(derived(fit.model.formula, loss), whole.lazy).evaluate(fit.theta, 0).loss


def r_squared(fit: Fit, whole: Whole) -> float | None:
    """Return the share of the variance of the response that the fit explains, over all rows."""
    error = squared_error(fit, whole) if whole.spread > 0.0 else None
    return None if error is None else 1.0 - error / whole.spread


def sandwich_of_sample(fit: Fit, whole: Whole) -> Array | None:
    """Return the robust covariance of a fit to the sample, brought to the number of all rows.

    It falls as one over their number, and that of 10,000 rows is known to about 1%.
    """
    rows = fit.counted_rows
    found = sandwich(rows, fit.loss_function, len(rows.y) - fit.model.parameters.size)
    return None if found is None else found * (len(rows.y) / whole.counting)
