"""Derivatives of the incomplete gamma function gammainc(a, x) by its shape a, for which there is no closed form.

With t = exp(u), the density of u is exp(a u - exp(u))/Gamma(a), and its n-th derivative by a is a polynomial p_n(u)
times itself. It is integrated from x to the side on which p_1 = u - digamma(a) has one sign, so that nothing cancels:
by a series in x where a is small and x is below its mean, and by the double exponential rule elsewhere.

Source: Takahasi & Mori (1974), Publ. RIMS Kyoto 9, 721-741.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

from descend.formula.special.gamma import LARGE, gamma_density

Array = NDArray[np.float64]
STEP = 1.0 / 32.0
PLACES = np.arange(-4.125, 3.03, STEP)
NODES = np.exp(0.5 * math.pi * np.sinh(PLACES))
WEIGHTS = NODES * np.cosh(PLACES)
AT_ONCE = 1 << 14
"""Numbers that are computed together: what is more does not stay in the cache."""
TERMS = 60
"""Terms of the series, for x below 11."""
INVERSE_FACTORIALS = tuple(1.0 / math.factorial(k) for k in range(18, 1, -1))


def gammainc_slope(n: float, a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return the n-th derivative of gammainc(a, x) by a; n from 1 to 3.

    >>> print(f"{gammainc_slope(1, 1.0, 1.0):.12f}")
    -0.431729710635
    """
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    with np.errstate(all="ignore"):
        few, logarithm = a < LARGE, np.log(x)
        below = logarithm <= special.digamma(np.where(few, a + 1.0, a))
        near, slope = few & below, np.empty(x.shape)
        slope[near] = _series(int(n), a[near], x[near], logarithm[near])
        side = np.where(below, -1.0, 1.0)
        slope[~near] = integral(int(n), a[~near], x[~near], logarithm[~near], side[~near])
        slope = slope * gamma_density(a, x) * x
    return np.where((x == 0.0) | np.isposinf(x), 0.0, slope)


def gammaincc(a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return 1 - gammainc(a, x); SciPy loses a digit of it far above the mean of many."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    upper_tail = np.array(special.gammaincc(a, x))
    with np.errstate(all="ignore"):
        tail = (a >= LARGE) & (x > 1.2 * a) & (upper_tail > 0.0)
        if tail.any():
            a, x = a[tail], x[tail]
            upper_tail[tail] = -integral(0, a, x, np.log(x), np.ones_like(x)) * gamma_density(a, x) * x
    return upper_tail


def _polynomial(n: int, u: Array, a: Array) -> Array:
    """Return p_n, where p_(n + 1) = u p_n + dp_n/da, u being ln t - digamma(a)."""
    if n <= 1:
        return u if n else np.ones_like(u)
    variance = special.zeta(2.0, a)
    return np.asarray(u * u - variance if n == 2 else u**3 - 3.0 * u * variance + 2.0 * special.zeta(3.0, a))


def _series(n: int, a: Array, x: Array, logarithm: Array) -> Array:
    total, term, digamma = np.zeros_like(x), 1.0 / a, special.digamma(a + 1.0)
    for k in range(1, TERMS + 1):
        total += term * _polynomial(n, logarithm - digamma, a + k)
        term = term * x / (a + k)
        digamma = digamma + 1.0 / (a + k)
    return total


def integral(n: int, a: Array, x: Array, logarithm: Array, side: Array) -> Array:
    """Return the n-th derivative of the part of the density on one side of x, by a and over the density and x.

    Integrated over w = |u - ln x|, from 0 on, in units of the width of the density there.
    """
    width = 1.0 / (np.abs(a - x) + np.sqrt(np.maximum(a, x)) + 1e-300)
    exponent = logarithm - special.digamma(a)
    total = np.zeros(x.shape)
    step = max(1, AT_ONCE // max(x.size, 1))
    for begin in range(0, len(NODES), step):
        nodes, weights = (each[begin : begin + step].reshape(-1, *[1] * x.ndim) for each in (NODES, WEIGHTS))
        w = side * nodes * width
        height = np.exp((a - x) * w - x * _excess(w)) * _polynomial(n, exponent + w, a)
        total = total + (height * weights).sum(axis=0)
    return np.asarray(-side * total * width * (0.5 * math.pi * STEP))


def _excess(v: Array) -> Array:
    """Return exp(v) - 1 - v."""
    series = np.zeros_like(v)
    for coefficient in INVERSE_FACTORIALS:
        series *= v
        series += coefficient
    return np.where(np.abs(v) < 1.0, series * v * v, np.expm1(v) - v)
