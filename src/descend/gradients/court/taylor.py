"""Taylor's test: with the gradient, the remainder of J shrinks with the square of the step; with any other, linearly.

    R(h) = |J(t + h d) - J(t) - h g'd| = O(h^2) if g is the gradient of J, else O(h)

The slope of log R over log h is 2 or 1 whatever the scale of J, so there is no epsilon to choose; and single precision
in g shows only in steps below its rounding, which are not taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SHRINKINGS = 14


def taylor_slope(value: Callable[[Array], float], theta: Array, gradient: float, direction: Array) -> float | None:
    """Return the slope of log R over log h as h shrinks; 2 where R is rounding throughout, None if J is not finite.

    gradient: g'd. direction: d, of the size of a change that matters.

    >>> square = lambda t: float(t @ t)
    >>> t, d = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    >>> round(taylor_slope(square, t, 2.0, d), 3), round(taylor_slope(square, t, 1.0, d), 3)
    (2.0, 1.0)
    """
    value_here = value(theta)
    steps = 0.25 * 0.5 ** np.arange(SHRINKINGS)
    values_there = np.array([value(theta + step * direction) for step in steps])
    if not (np.isfinite(value_here) and np.isfinite(gradient)):
        return None
    remainder = np.abs(values_there - value_here - steps * gradient)
    noise = 1e3 * float(np.finfo(np.float64).eps) * (abs(value_here) + np.abs(values_there))
    clear = np.isfinite(remainder) & (remainder > noise)
    usable = np.flatnonzero(clear[:-1] & clear[1:])
    if not usable.size:
        return 2.0 if np.isfinite(remainder).any() else None
    logs = np.log2(remainder[usable] / remainder[usable + 1])
    return float(np.median(logs[-3:]))


def numeric_derivative(value: Callable[[Array], float], theta: Array, direction: Array) -> float | None:
    """Return the derivative of J along a direction by central differences, extrapolated to a step of zero.

    >>> round(numeric_derivative(lambda t: float(np.exp(t[0])), np.zeros(1), np.ones(1)), 10)
    1.0
    """

    def slope(share: float) -> Array:
        return np.asarray((value(theta + share * direction) - value(theta - share * direction)) / (2.0 * share))

    best, error = extrapolated(slope, 8)
    return float(best) if np.isfinite(error) else None


def extrapolated(slope: Callable[[float], Array], halvings: int) -> tuple[Array, Array]:
    """Return the limit of a central difference as its step goes to zero, and how far off it may be.

    slope: of a step, the difference quotients. Source: Ridders (1982), Adv. Eng. Softw. 4, 75-76.
    """
    last = [slope(0.1)]
    best, error = last[0], np.full(np.shape(last[0]), np.inf)
    for halving in range(1, halvings):
        row = [slope(0.1 * 0.5**halving)]
        for order, coarse in enumerate(last, 1):
            row.append(row[-1] + (row[-1] - coarse) / (4.0**order - 1.0))
            doubt = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarse))
            doubt = np.where(np.isfinite(doubt), doubt, np.inf)
            best, error = np.where(doubt < error, row[-1], best), np.minimum(doubt, error)
        last = row
    return best, error
