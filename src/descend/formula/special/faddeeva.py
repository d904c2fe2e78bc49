"""Derivatives of the Faddeeva function w(z) = exp(-z^2) erfc(-iz), which the rules of calculus lose to cancellation.

Near 0 they follow from w by the recurrence w' = 2i/sqrt(pi) - 2 z w, w^(n+1) = -2 z w^(n) - 2 n w^(n-1). Farther out
its terms nearly cancel; there w(z) = i/pi int exp(-t^2)/(z - t) dt is derived under the integral sign, and summed by
the trapezoidal rule, whose error exp(-pi^2/h^2) is below rounding once the pole at t = z is accounted for.

Source: Chiarella & Reichel (1968), Math. Comput. 22, 137-143.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Numbers = TypeVar("Numbers", Array, Complex)
STEP = 0.5
NODES = 14
"""The last node is beyond 6.5, where exp(-t^2) is below rounding."""
NEAR = 1.5
"""Size of z up to which the recurrence loses next to no digits."""


def voigt_profile(x: npt.ArrayLike, sigma: npt.ArrayLike, gamma: npt.ArrayLike) -> Array:
    """Return the Voigt profile, NaN for a negative width: SciPy's is the same curve upside down where both are.

    >>> voigt_profile([0.0, 0.0], [0.5, -0.5], [0.3, -0.3]).round(6)
    array([0.523956,      nan])
    """
    in_domain = (np.asarray(sigma) >= 0.0) & (np.asarray(gamma) >= 0.0)
    profile: Array = np.where(in_domain, special.voigt_profile(x, sigma, gamma), np.nan)
    return profile


def voigt_slope(n: float, x: npt.ArrayLike, sigma: npt.ArrayLike, gamma: npt.ArrayLike) -> Array:
    """Return the n-th derivative of the Voigt profile by x.

    >>> print(f"{voigt_slope(1, 0.5, 0.0, 1.0):.12f}")  # of Lorentz's profile 1/(pi (1 + x^2))
    -0.203718327158
    """
    return _derivative(n, x, sigma, gamma).real


def voigt_dispersion(n: float, x: npt.ArrayLike, sigma: npt.ArrayLike, gamma: npt.ArrayLike) -> Array:
    """Return the n-th derivative by x of the Voigt profile's partner, Im w(z)/(sigma sqrt(2 pi))."""
    return _derivative(n, x, sigma, gamma).imag


def erfcx_slope(n: float, x: npt.ArrayLike) -> Array:
    """Return the n-th derivative of erfcx(x) = w(ix), by real numbers alone."""
    x = np.asarray(x, dtype=np.float64)
    slopes_of_erfcx = np.asarray(_recurrence(n, x, special.erfcx(x), 2.0 / math.sqrt(math.pi)))
    far = x > NEAR
    if far.any():
        slopes_of_erfcx[far] = _far_on_axis(int(n), x[far])
    return slopes_of_erfcx


def dawsn_slope(n: float, x: npt.ArrayLike) -> Array:
    """Return the n-th derivative of Dawson's integral, sqrt(pi)/2 Im w(x)."""
    return _derivative(n, x, math.sqrt(0.5), 0.0).imag * (math.pi / 2.0)


def _recurrence(n: float, x: Array, value: Array, at_zero: float) -> Array:
    """Return the n-th derivative of erfcx, all of whose terms have one sign below 0."""
    before, value = value, 2.0 * x * value - at_zero
    for order in range(1, int(n)):
        before, value = value, 2.0 * x * value + 2.0 * order * before
    return value


def _derivative(n: float, x: npt.ArrayLike, sigma: npt.ArrayLike, gamma: npt.ArrayLike) -> Complex:
    """Return the n-th derivative by x of w(z) / (sigma sqrt(2 pi)), z = (x + i gamma)/(sigma sqrt(2)); n from 1 on."""
    z, scale = np.broadcast_arrays(
        np.asarray(x, np.float64) + 1j * np.asarray(gamma, np.float64), math.sqrt(2.0) * np.asarray(sigma, np.float64)
    )
    order = int(n)
    derivative = np.empty(z.shape, dtype=np.complex128)
    with np.errstate(all="ignore"):
        near = np.abs(z) <= NEAR * np.abs(scale)
        derivative[near] = _near(order, z[near], scale[near])
        derivative[~near] = _far(order, z[~near], scale[~near])
    return derivative


def _near(n: int, place: Complex, scale: Array) -> Complex:
    z = place / scale
    before = special.wofz(z)
    value = 2j / math.sqrt(math.pi) - 2.0 * z * before
    for order in range(1, n):
        before, value = value, -2.0 * z * value - 2.0 * order * before
    return np.asarray(value / (math.sqrt(math.pi) * scale ** (n + 1)))


def _far(n: int, place: Complex, scale: Array) -> Complex:
    """Return the derivative by the trapezoidal rule; below the real line by w(z) = 2 exp(-z^2) - w(-z)."""
    z = place / scale
    below = z.imag < 0.0
    # Of two sets of nodes, that from which z is farther; those at t and -t are summed as one, lest they cancel.
    steep = np.abs(place.imag) > np.abs(place.real)  # there 1 - r^2 keeps its small real or imaginary part
    shift = np.where(np.abs(z.real / STEP - np.round(z.real / STEP)) > 0.25, 0.0, 0.5)
    total: Complex = np.where(shift == 0.0, 1.0 + 0.0j, 0.0)
    for k in range(NODES):
        t = STEP * (k + 1.0 - shift)
        ratio = scale * t / place
        square = ratio * ratio
        terms = sum(math.comb(n + 1, j) * square ** (j // 2) for j in range(0, n + 2, 2))
        below_it = np.where(steep, 1.0 - square, (1.0 - ratio) * (1.0 + ratio))
        total += 2.0 * np.exp(-t * t) * terms / below_it ** (n + 1)
    total *= 1j * STEP * (-1) ** n * math.factorial(n) / math.pi**1.5
    total = np.asarray(_divided(total, place, n + 1))
    upper = np.where(below, -z, z)
    bells = np.zeros(place.shape, dtype=np.complex128)
    pole = (upper.imag < math.pi / STEP) & (np.abs(upper.real) < 27.3)
    upper_pole, rate = upper[pole], 2j * math.pi / STEP
    bells[pole] = _pole(n, np.exp(rate * (upper_pole - STEP * shift[pole])), rate, lambda m: _bell(m, upper_pole))
    bells *= np.where(below, (-1.0) ** (n + 1), 1.0)
    bells[below] += 2.0 * _bell(n, z[below])
    bells_counted = bells != 0.0
    total[bells_counted] += bells[bells_counted] / (math.sqrt(math.pi) * scale[bells_counted] ** (n + 1))
    return total


def _far_on_axis(n: int, x: Array) -> Array:
    """Return the n-th derivative of erfcx as `_far` does; on the imaginary axis all of its terms are real."""
    total = np.zeros_like(x)
    for k in range(NODES):
        t = STEP * (k + 0.5)
        square = (t / x) ** 2
        terms = sum(math.comb(n + 1, j) * (-square) ** (j // 2) for j in range(0, n + 2, 2))
        total += 2.0 * math.exp(-t * t) * terms / (1.0 + square) ** (n + 1)
    total = _divided(total * (STEP * (-1) ** n * math.factorial(n) / math.pi), x, n + 1)
    pole = x < math.pi / STEP
    rate = -2.0 * math.pi / STEP
    total[pole] += _pole(n, -np.exp(rate * x[pole]), rate, lambda m: _bell(m, x[pole], 1.0))
    return total


def _divided(total: Numbers, by: Numbers, times: int) -> Numbers:
    """Divide so often, rather than by a power, which could leave the range of a double."""
    for _ in range(times):
        total = total / by
    return total


def _pole(n: int, ring: Numbers, rate: complex, bell: Callable[[int], Numbers]) -> Numbers:
    """Return the n-th derivative of b Q, where Q = -2 E/(1 - E) and the derivative of E is ``rate`` E.

    ring: E. bell: the derivatives of b.
    """
    total, below = np.zeros_like(ring), 1.0 - ring
    numerator = np.array([1.0])  # of (E d/dE)^k E/(1 - E) = E P_k(E)/(1 - E)^(k + 1), with Eulerian numbers
    for k in range(n + 1):
        residue = -2.0 * rate**k * ring * np.polyval(numerator[::-1], ring) / below ** (k + 1)
        total = total + math.comb(n, k) * residue * bell(n - k)
        if k:
            padded = np.pad(numerator, 1)
            numerator = np.array([(j + 1) * padded[j + 1] + (k + 1 - j) * padded[j] for j in range(k + 1)])
    return total


def _bell(n: int, z: Numbers, sign: float = -1.0) -> Numbers:
    """Return the n-th derivative of exp(sign z^2)."""
    before, value = np.zeros_like(z), np.exp(sign * z * z)
    for order in range(n):
        before, value = value, 2.0 * sign * (z * value + order * before)
    return value
