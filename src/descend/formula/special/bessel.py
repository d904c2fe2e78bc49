"""Slopes of the scaled Bessel functions exp(-|x|) I(x) and exp(x) K(x), whose two terms nearly cancel for large x.

They are integrals of one sign: exp(-x) (I0 - I1) = 1/pi int_0^pi exp(-x (1 - cos t)) (1 - cos t) dt, and
exp(x) (K1 - K0) = int_0^inf exp(-x (cosh t - 1)) (cosh t - 1) dt; with s^2 = x (1 - cos t), or x (cosh t - 1), the
trapezoidal rule sums them to rounding.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
LARGE = 25.0
SQUARES = (0.25 * (np.arange(26) + 0.5)) ** 2
BELLS = np.exp(-SQUARES)


def i0e_slope(x: npt.ArrayLike) -> Array:
    """Return the derivative of exp(-|x|) I0(x).

    >>> print(f"{i0e_slope(1e10):.12e}")
    -1.994711402082e-16
    """
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    return np.asarray(-np.sign(x) * np.where(size > LARGE, _gap(size, -1.0), special.i0e(size) - special.i1e(size)))


def i1e_slope(x: npt.ArrayLike) -> Array:
    """Return the derivative of exp(-|x|) I1(x)."""
    size: Array = np.abs(np.asarray(x, dtype=np.float64))
    near = 0.5 * (special.i0e(size) + special.ive(2.0, size)) - special.i1e(size)
    far = np.maximum(size, 1.0)
    return np.asarray(np.where(size < 1.0, near, -i0e_slope(far) - special.i1e(far) / far))


def k0e_slope(x: npt.ArrayLike) -> Array:
    """Return the derivative of exp(x) K0(x)."""
    x = np.asarray(x, dtype=np.float64)
    return np.where(x > LARGE, -math.pi * _gap(x, 1.0), special.k0e(x) - special.k1e(x))


def _gap(x: Array, sign: float) -> Array:
    """Return 1/pi int_0^inf exp(-s^2) 2 s^2/x / sqrt(2 x + sign s^2) ds."""
    x = np.maximum(x, LARGE)[..., None]
    heights = BELLS * SQUARES / np.sqrt(np.maximum(2.0 * x + sign * SQUARES, 1.0))
    return np.asarray((2.0 * 0.25 / math.pi) * heights.sum(axis=-1) / x[..., 0])
