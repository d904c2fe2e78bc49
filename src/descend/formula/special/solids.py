"""The functions of Langevin and Debye and their derivatives, also near 0, where the text of either is 0/0.

Source: Ashcroft & Mermin, Solid State Physics (1976), ch. 23 and 31; Abramowitz & Stegun (1964), sec. 27.1.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
NEAR_OF_LANGEVIN, NEAR_OF_DEBYE = 1.0, 2.0
"""Sizes of the argument below which the power series is used; they converge below pi, and 2 pi."""
TERMS = 24
"""Terms of each series."""


def langevin_function(u: npt.ArrayLike) -> Array:
    """Return L(u) = coth(u) - 1/u.

    >>> print(f"{langevin_function(1e-5):.15g} {langevin_function(3.0):.15g}")
    3.33333333331111e-06 0.671636489980356
    """
    return langevin_slope(0, u)


def langevin_slope(n: float, u: npt.ArrayLike) -> Array:
    """Return the n-th derivative of `langevin_function`."""
    u, order = np.asarray(u, dtype=np.float64), int(n)
    near = np.abs(u) < NEAR_OF_LANGEVIN
    far = np.where(near, NEAR_OF_LANGEVIN, u)
    with np.errstate(over="ignore", under="ignore"):
        coth = 1.0 / np.tanh(far)
        coth_slope = coth if order == 0 else _of_coth(order)(coth) / np.sinh(far) ** 2
        direct = coth_slope - (-1.0) ** order * math.factorial(order) / far ** (order + 1)
    return np.where(near, _langevin_series(order)(np.where(near, u, 0.0)), direct)


@lru_cache(maxsize=16)
def _of_coth(order: int) -> Polynomial:
    """Return the n-th derivative of coth over csch^2, a polynomial in coth; n from 1 on."""
    if order == 1:
        return Polynomial([-1.0])
    before = _of_coth(order - 1)
    return Polynomial([0.0, -2.0]) * before - Polynomial([-1.0, 0.0, 1.0]) * before.deriv()


@lru_cache(maxsize=16)
def _langevin_series(order: int) -> Polynomial:
    coefficients = np.zeros(2 * TERMS)
    for k in range(1, TERMS + 1):
        coefficients[2 * k - 1] = _bernoulli(k, math.pi)
    return Polynomial(coefficients).deriv(order) if order else Polynomial(coefficients)


def _bernoulli(k: int, radius: float) -> float:
    """Return (2 pi / radius)^(2k) times the Bernoulli number B_2k over (2k)!."""
    return float(-2.0 * (-1.0) ** k * special.zeta(2 * k) / radius ** (2 * k))


def debye_function(u: npt.ArrayLike) -> Array:
    """Return D(u) = 3/u^3 times the integral of t^3/(exp(t) - 1) from 0 to u.

    >>> print(f"{debye_function(0.0):.15g} {debye_function(1.0):.15g} {debye_function(10.0):.15g}")
    1 0.674415564077815 0.0192957656903455
    """
    return debye_slope(0, u)


def debye_slope(n: float, u: npt.ArrayLike) -> Array:
    """Return the n-th derivative of `debye_function`."""
    u, order = np.asarray(u, dtype=np.float64), int(n)
    near = np.abs(u) < NEAR_OF_DEBYE
    far = np.where(near, NEAR_OF_DEBYE, np.abs(u))
    above = _far(order, far)
    # D(-u) = D(u) + 3 u/4
    mirrored = (-1.0) ** order * above + (0.75 * far if order == 0 else -0.75 if order == 1 else 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(near, _debye_series(order)(np.where(near, u, 0.0)), np.where(u < 0.0, mirrored, above))


def _far(order: int, u: Array) -> Array:
    """Return the n-th derivative for u >= 2, by u D' = 3 b - 3 D with b = u/(exp(u) - 1)."""
    k = np.arange(1, TERMS + 1).reshape(-1, *[1] * u.ndim)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        tail = np.exp(-k * u) * (u**3 / k + 3.0 * u**2 / k**2 + 6.0 * u / k**3 + 6.0 / k**4)
        value = 3.0 / u**3 * (math.pi**4 / 15.0 - np.where(np.isfinite(tail), tail, 0.0).sum(axis=0))
        occupied = 1.0 / np.expm1(u)
        for lower in range(order):
            of_b = u * _of_occupied(lower)(occupied)
            of_b = of_b + lower * _of_occupied(lower - 1)(occupied) if lower else of_b
            value = (3.0 * of_b - (lower + 3) * value) / u
    return np.asarray(value)


@lru_cache(maxsize=16)
def _of_occupied(order: int) -> Polynomial:
    """Return the n-th derivative of q = 1/(exp(u) - 1), a polynomial in q."""
    return Polynomial([0.0, 1.0]) if order == 0 else Polynomial([0.0, -1.0, -1.0]) * _of_occupied(order - 1).deriv()


@lru_cache(maxsize=16)
def _debye_series(order: int) -> Polynomial:
    coefficients = np.zeros(2 * TERMS + 1)
    coefficients[:2] = 1.0, -3.0 / 8.0
    for k in range(1, TERMS + 1):
        coefficients[2 * k] = 3.0 * _bernoulli(k, 2.0 * math.pi) / (2 * k + 3)
    return Polynomial(coefficients).deriv(order) if order else Polynomial(coefficients)
