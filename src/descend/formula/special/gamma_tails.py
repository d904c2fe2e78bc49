"""Both tails of the gamma distribution by their logarithms, where they themselves are too small for a number.

The lower tail is gammainc(a, x), the upper one gammaincc(a, x). Where they underflow, both are the density times an
integral (see ``incomplete_gamma``), of which the logarithm is taken.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

from descend.formula.special.gamma import gamma_density
from descend.formula.special.incomplete_gamma import gammainc_slope, gammaincc, integral

Array = NDArray[np.float64]
SMALL = 1e-280
"""Tails below this are found by their logarithm."""


def gamma_tail(upper: float, a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return the logarithm of the lower tail, or of the upper one.

    >>> print(f"{gamma_tail(0, 1.0, 1e-3):.12f} {gamma_tail(1, 1.0, 2000.0):.1f}")  # log(1 - exp(-1e-3)) and -2000
    -6.908255237315 -2000.0
    """
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    with np.errstate(all="ignore"):
        tail, complement = _tail(upper, a, x), _tail(1 - upper, a, x)
        log_tail = np.where(tail > 0.5, np.log1p(-complement), np.log(tail))
        return _where_small(tail, log_tail, lambda a, x: np.log(_beside(upper, 0, a, x)) + _log_density(a, x), a, x)


def gamma_tail_density(upper: float, a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return the density at x divided by a tail: how fast the logarithm of that changes."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    with np.errstate(all="ignore"):
        tail = _tail(upper, a, x)
        return _where_small(tail, gamma_density(a, x) / tail, lambda a, x: 1.0 / _beside(upper, 0, a, x), a, x)


def gamma_tail_slope(order: float, a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return the n-th derivative of a tail by a, divided by that tail. order: 2 n, and 1 more for the upper tail."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    n, upper = divmod(int(order), 2)
    with np.errstate(all="ignore"):
        tail = _tail(upper, a, x)
        slope_of_tail = gammainc_slope(n, a, x) * (1 - 2 * upper) / tail
        return _where_small(tail, slope_of_tail, lambda a, x: _beside(upper, n, a, x) / _beside(upper, 0, a, x), a, x)


def _tail(upper: float, a: Array, x: Array) -> Array:
    return gammaincc(a, x) if upper else np.asarray(special.gammainc(a, x))


def _beside(upper: float, n: int, a: Array, x: Array) -> Array:
    """Return the n-th derivative of a tail by a, divided by the density."""
    side = np.full(x.shape, 1.0 if upper else -1.0)
    tail_slope: Array = -side * integral(n, a, x, np.log(x), side) * x
    return tail_slope


def _log_density(a: Array, x: Array) -> Array:
    return np.asarray((a - 1.0) * np.log(x) - x - special.gammaln(a))


def _where_small(tail: Array, slope: Array, otherwise: Callable[[Array, Array], Array], a: Array, x: Array) -> Array:
    """Return a slope; for tails that are too small, what ``otherwise`` returns."""
    small = (tail < SMALL) & (x > 0.0) & np.isfinite(x)
    if small.any():
        slope = np.array(slope)
        slope[small] = otherwise(a[small], x[small])
    return slope
