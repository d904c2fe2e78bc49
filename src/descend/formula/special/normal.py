"""The normal distribution's tails to the last digits; SciPy loses three of them by rounding x / sqrt(2)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
TAIL = -5.0


def ndtr(x: npt.ArrayLike) -> Array:
    """Return the cumulative distribution function of the standard normal distribution.

    >>> float(ndtr(-37.5))
    4.605353009581956e-308
    """
    x = np.asarray(x, dtype=np.float64)
    probability, tail = np.asarray(special.ndtr(x)), x < TAIL
    if tail.any():
        probability[tail] = _tail(x[tail])
    return probability


def log_ndtr(x: npt.ArrayLike) -> Array:
    """Return the logarithm of `ndtr`."""
    x = np.asarray(x, dtype=np.float64)
    log_probability, tail = np.asarray(special.log_ndtr(x)), x > -TAIL
    if tail.any():
        log_probability[tail] = np.log1p(-_tail(-x[tail]))
    return log_probability


def _tail(x: Array) -> Array:
    """Return exp(-x^2/2) erfcx(-x/sqrt(2))/2; the square is split in two, lest its rounding spoil the exponential."""
    cut = np.clip(np.round(x * 16.0) / 16.0, -64.0, 64.0)
    bell = np.exp(-0.5 * cut * cut) * np.exp(-0.5 * (x - cut) * (x + cut))
    return np.asarray(0.5 * special.erfcx(-x / math.sqrt(2.0)) * bell)
