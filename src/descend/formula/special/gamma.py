"""Relatives of the gamma function, without the cancellation of large logarithms.

With Stirling's formula, ln Gamma(a) = (a - 1/2) ln a - a + ln(2 pi)/2 + R(a), the large terms of a ratio of gamma
functions are put together before they are computed.

Source: DiDonato & Morris (1992), ACM Trans. Math. Softw. 18, 360-373, for the beta function.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
LARGE = 10.0
"""From here on Stirling's formula is exact to rounding."""
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)


def betaln(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return ln(Gamma(a) Gamma(b)/Gamma(a + b)) for a and b above 0.

    >>> print(f"{betaln(1e-3, 1e6):.12f}")  # SciPy has eight digits of it
    6.893363375325
    """
    small, large = _in_order(a, b)
    with np.errstate(all="ignore"):
        direct = np.log(special.gamma(small)) + np.log(special.gamma(large) / special.gamma(small + large))
        near_one = np.where(small > 1e-200, direct, -np.log(small))
        ratio = small / large
        log_beta = np.asarray(special.gammaln(small)) - special.xlogy(small, large) + _one_large(small, large, ratio)
        both = _both_large(small, large, ratio)
    return np.where(large < LARGE, near_one, np.where(small < LARGE, log_beta, both))


def _in_order(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Array, Array]:
    """Return the smaller number, NaN below 0, and the larger one."""
    small: Array = np.minimum(a, b).astype(np.float64)
    return np.where(small < 0.0, np.nan, small), np.maximum(a, b).astype(np.float64)


def _one_large(small: Array, large: Array, ratio: Array) -> Array:
    """Return ln Gamma(b) - ln Gamma(a + b) + a ln b for a large b."""
    return small - (small + large - 0.5) * np.log1p(ratio) + _stirling(large) - _stirling(small + large)


def _both_large(small: Array, large: Array, ratio: Array) -> Array:
    leading = (small - 0.5) * np.log(small / (small + large)) - large * np.log1p(ratio)
    remainder = _stirling(small) + _stirling(large) - _stirling(small + large)
    return leading - 0.5 * np.log(large / (2.0 * math.pi)) + remainder


def beta(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the beta function of two numbers above 0; NaN below, where its continuation changes sign.

    >>> beta([1.0, 1.0, 1.0], [0.5, 0.0, -0.5]).round(12).tolist()
    [2.0, inf, nan]
    """
    small, large = _in_order(a, b)
    with np.errstate(all="ignore"):
        direct = special.gamma(small) * (special.gamma(large) / special.gamma(small + large))
        by_log = np.exp(betaln(small, large))
        one = special.gamma(small) * large**-small * np.exp(_one_large(small, large, small / large))
        one_large = np.where((small < LARGE) & (one > 0.0) & np.isfinite(one), one, by_log)
        beta_value = np.where(large < LARGE, direct, one_large)
        return np.where((large < LARGE) & ~np.isfinite(beta_value), 1.0 / np.maximum(small, 5e-324), beta_value)


def polygamma(n: float, x: npt.ArrayLike) -> Array:
    """Return the n-th derivative of digamma, n from 1 on: (-1)^(n + 1) n! zeta(n + 1, x)."""
    return np.asarray((-1.0) ** (n + 1) * special.gamma(n + 1.0) * special.zeta(n + 1.0, x))


def digamma_gap(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return digamma(a + b) - digamma(a) for a and b above 0, also where b is much smaller than a.

    >>> float(digamma_gap(1e8, 1e-8))
    1.000000005e-16
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    with np.errstate(all="ignore"):
        total = np.zeros(a.shape)
        for _ in range(int(LARGE)):
            low = a < LARGE
            total += np.where(low, b / a / (a + b), 0.0)
            a = np.where(low, a + 1.0, a)
        logarithm = np.log1p(b / a)
        total += logarithm + 0.5 * b / a / (a + b)
        for j, bernoulli in enumerate(BERNOULLI, 1):
            total -= bernoulli / (2 * j) * a ** (-2 * j) * np.expm1(-2 * j * logarithm)
    return total


def gamma_density(a: npt.ArrayLike, x: npt.ArrayLike) -> Array:
    """Return x^(a - 1) exp(-x)/Gamma(a), the derivative of gammainc(a, x) by x."""
    a, x = np.asarray(a, np.float64), np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        power = x ** (a - 1.0) * np.exp(-x) * special.rgamma(a)
        far = np.exp(special.xlogy(a - 1.0, x) - x - special.gammaln(a))
        few = np.where((x < 700.0) & np.isfinite(power) & (power > 0.0), power, far)
        many = np.exp(a * _log_excess(x, a) - _stirling(a)) * np.sqrt(a / (2.0 * math.pi)) / x
        return np.where(a < LARGE, few, np.where(x == 0.0, 0.0, many))


def _log_excess(x: Array, a: Array) -> Array:
    """Return log(1 + d) - d for d = x/a - 1, near 0 by the series of 2 artanh(d/(2 + d))."""
    d = (x - a) / a
    r = d / (2.0 + d)
    square = r * r
    series = np.zeros_like(d)
    for k in range(19, 1, -1):
        series = series * square + 1.0 / (2 * k - 1)
    return np.where(np.abs(d) < 0.5, 2.0 * r * square * series - r * d, np.log(x / a) - d)


def _stirling(a: Array) -> Array:
    """Return R(a) = ln Gamma(a) - (a - 1/2) ln a + a - ln(2 pi)/2 for an a of 10 or more."""
    total = np.zeros_like(a)
    for j, bernoulli in enumerate(BERNOULLI, 1):
        total = total + bernoulli / (2 * j * (2 * j - 1)) * a ** (1 - 2 * j)
    return total
