"""Whether one J is lower than another by more than rounding, whatever the sign of J."""

from __future__ import annotations

import math
import sys

from descend.problem.posing import Problem

CLEARLY = 1e-6
"""Share of J by which another minimum must be lower: far more than rounding."""
EPSILON = sys.float_info.epsilon


def clearly_lower(loss: float, other: float, rounding: float, floor: float = 0.0) -> bool:
    """Whether a loss lies below another by more than a small share of it, and by more than J is known to.

    floor: of J, above which shares are counted.

    >>> clearly_lower(-42.1, -42.1, 1e-13), clearly_lower(-42.2, -42.1, 1e-13), clearly_lower(1e-59, 1e-56, 1e-31)
    (False, True, False)
    """
    if not math.isfinite(other):
        return math.isfinite(loss)
    return loss < other - max(CLEARLY * abs(other - floor), rounding)


def rounding(problem: Problem) -> float:
    """Return what J is known to: two that differ by less are the same.

    Of residuals that nothing is left of, rounding leaves the square of eps times the size of the response, or where
    that is 0 of what the fit began with; of a loss that also depends on the prediction, eps times its size.
    """
    size = problem.scale or abs(float(problem.first.loss))
    if not math.isfinite(size):
        return 0.0
    return size * (EPSILON**2 if problem.model.loss.of_residual else EPSILON)
