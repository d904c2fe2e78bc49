"""What gd, momentum and nesterov do on a parabola: in each eigenvector of the curvature a recurrence of their own."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FAMILY = ("gd", "momentum", "nesterov")
"""The optimizers whose steps are linear in the gradients seen so far, by name."""
ALIKE = 1e-7
"""Distance of two roots below which their difference is rounding, and the formula for a double root serves."""


def momentum_of(optimizer: Any) -> float | None:
    """Return the momentum of an optimizer of the family, 0 for gd; None for any other."""
    name = getattr(optimizer, "name", "")
    if name not in FAMILY:
        return None
    return float(getattr(getattr(optimizer, "ours", None) or optimizer, "momentum", 0.0))


def coefficients(optimizer: Any, x: Any) -> tuple[Any, Any, Any]:
    """Return the first element, trace and determinant of the matrix of one epoch; x a number or an array.

    With error c in an eigenvector of eigenvalue lambda, velocity v and x = eta lambda, one epoch takes (c, eta v) to
        momentum:  [[1 - x, -m], [x, m]] (c, eta v)          trace 1 - x + m,        determinant m
        nesterov:  [[1 - x - m x, -m**2], [x, m]] (c, eta v)     trace (1 + m)(1 - x),  determinant m (1 - x)
    gd is momentum with m = 0.
    """
    m = momentum_of(optimizer)
    assert m is not None
    if optimizer.name == "nesterov":
        return 1.0 - x - m * x, (1.0 + m) * (1.0 - x), m * (1.0 - x)
    return 1.0 - x, 1.0 - x + m, m


def roots(optimizer: Any, x: Array) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return both eigenvalues of the matrix of one epoch (see ``coefficients``)."""
    _, trace, determinant = coefficients(optimizer, x)
    half = trace / 2.0
    rest = np.sqrt((half * half - determinant).astype(np.complex128))
    larger = np.where(half >= 0.0, half + rest, half - rest)
    # The smaller from the product of both: a difference of like numbers would lose its digits.
    smaller = np.where(larger != 0.0, determinant / np.where(larger != 0.0, larger, 1.0), 0.0)
    return larger, smaller


def radius(optimizer: Any, x: float) -> float:
    """Return the factor per epoch of an error in an eigenvector, in the long run; x = learning rate * eigenvalue.

    >>> from descend.optimizers import OPTIMIZERS
    >>> [round(radius(OPTIMIZERS.build(name), 3.0), 3) for name in ("gd", "momentum", "nesterov")]
    [2.0, 0.949, 4.226]
    """
    first, trace, determinant = coefficients(optimizer, x)
    if momentum_of(optimizer) == 0.0:
        return float(abs(first))
    rest = cmath.sqrt(trace * trace / 4.0 - determinant)
    return float(max(abs(trace / 2.0 + rest), abs(trace / 2.0 - rest)))


def errors(optimizer: Any, x: Array, epochs: Array) -> Array:
    """Return (epochs, modes): what is left of the error in each eigenvector, as a share of that at epoch 0.

    With roots p, q of the matrix A of one epoch:   c(t) = ((A11 - q) p**t - (A11 - p) q**t) / (p - q)
    and for a double root                           c(t) = p**t + t (A11 - p) p**(t - 1).
    The velocity is 0 at epoch 0.
    """
    first = coefficients(optimizer, x)[0]
    t = np.asarray(epochs, dtype=np.float64)[:, None]
    if momentum_of(optimizer) == 0.0:
        return np.asarray(np.power(first, t))
    p, q = roots(optimizer, x)
    apart = np.abs(p - q) > ALIKE
    between = np.where(apart, p - q, 1.0)
    power = np.power(p, t)
    distinct = ((first - q) * power - (first - p) * np.power(q, t)) / between
    double = power + t * (first - p) * np.where(t > 0.0, np.power(p, np.maximum(t - 1.0, 0.0)), 0.0)
    return np.real(np.where(apart, distinct, double))


def lead(optimizer: Any, x: float) -> float:
    """Return the logarithm of c(t) / radius**t in the long run: how large the growing part is at epoch 0."""
    first = float(coefficients(optimizer, x)[0])
    if momentum_of(optimizer) == 0.0:
        return 0.0
    p, q = (complex(root) for root in roots(optimizer, np.array(x)))
    share = abs(first - q) / abs(p - q) if abs(p - q) > ALIKE else 1.0
    return math.log(share) if share > 0.0 else -math.inf
