"""The area under a curve, whose range may be infinite: by Gauss and Legendre's rule, and adaptive quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError

Array = NDArray[np.float64]
PIECES = 32
"""Parts of a range that are integrated one by one, so that a narrow peak is not overlooked."""
ORDERS = 10, 20
"""Places in each part at which what is integrated is looked at, twice: rules of both orders have to agree."""
DECADES, PEAKS = 10.0 ** np.arange(-6.0, 6.5, 0.5), 3
"""How far from a peak an infinite range is cut, as shares of where that is; and peaks that are looked at, at most."""
ACCURACY = 1e-12
"""Relative accuracy of an integral."""
NOT_RIGHT = 1e-6
"""An integral with a larger relative error than this does not converge."""
FAR, LEFT = 1e12, 1e-3
"""How far out a curve with an infinite area is looked at, and what x f(x) may be there, as a share of the area."""


class UndefinedError(ConfigError):
    """A quantity has no value at these parameters; the message says why."""


def edges_of(function: Callable[[Array], Array], theta: Array, low: float, high: float) -> Array:
    """Return where an infinite range is cut: ever closer to those parameters at which the curve is largest.

    A narrow peak stands at one of its parameters, near enough, and no rule for the whole range would find it.
    """
    at = np.unique(np.r_[0.0, theta[np.isfinite(theta)]])
    at = at[(at > low) & (at < high)]
    with np.errstate(all="ignore"):
        size = np.nan_to_num(np.abs(function(at)), posinf=0.0)
    steps = np.outer(DECADES, [-1.0, 0.0, 1.0]).ravel()
    edges_of_peaks = [peak + max(abs(peak), 1.0) * steps for peak in at[np.argsort(-size)[:PEAKS]].tolist()]
    edges = np.unique(np.concatenate([*edges_of_peaks, [end for end in (low, high) if math.isfinite(end)]]))
    return edges[(edges >= low) & (edges <= high)]


def integrals(
    along: Callable[[Array], Array],
    integrand_of: Callable[[int], Callable[[float], float]],
    count: int,
    low: float,
    high: float,
    edges: Array,
) -> Array:
    """Return the integrals of several functions, (count,). Raises UndefinedError for one that does not converge.

    Between the ``edges`` by Gauss and Legendre's rule; where rules of two orders differ, and from the last edge to an
    infinite end, by adaptive quadrature. along: all functions at many places. one: each of them, at one place.
    """
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    with np.errstate(all="ignore"):
        rough, fine = (_by_rule(along, order, middle, half) for order in ORDERS)
        size = np.nansum(np.abs(fine), axis=1, keepdims=True)
        unsure = ~(np.abs(fine - rough) <= ACCURACY * size / len(middle))
    edge_pairs = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    outer = [(low, float(edges[0]))] if math.isinf(low) else []
    outer += [(float(edges[-1]), high)] if math.isinf(high) else []
    total: Array = np.where(unsure, 0.0, fine).sum(axis=1)
    area_known = np.where(unsure, 0.0, np.abs(fine)).sum(axis=1)
    for row in np.flatnonzero(unsure.any(axis=1)).tolist() if not outer else range(count):
        left = [edge_pairs[interval_number] for interval_number in np.flatnonzero(unsure[row])]
        total[row] += _adaptive(integrand_of(row), [*left, *outer], low, high, float(area_known[row]))
    return total


def _by_rule(along: Callable[[Array], Array], order: int, middle: Array, half: Array) -> Array:
    """Return the integrals over each part by one rule, (count, parts)."""
    nodes, weights = np.asarray(np.polynomial.legendre.leggauss(order), dtype=np.float64)
    x = middle[:, None] + half[:, None] * nodes
    rule_sums: Array = along(x.ravel()).reshape(-1, *x.shape) @ weights * half
    return rule_sums


def _adaptive(
    function: Callable[[float], float], parts: Sequence[tuple[float, float]], low: float, high: float, area_known: float
) -> float:
    """Return the integral over some parts of a range. known: the size of that over all others."""
    from scipy.integrate import quad

    total, error, size = 0.0, 0.0, area_known
    for begin, end in parts:
        inner, ends = _to_finite(function, begin, end)
        piece_of_integral, wrong, *_ = quad(inner, *ends, epsabs=0.0, epsrel=ACCURACY, limit=200, full_output=1)
        total, error, size = total + piece_of_integral, error + wrong, size + abs(piece_of_integral)
    # Quadrature gives an integral that diverges a number too: what is integrated has to fall off faster than 1/x.
    far = [math.copysign(FAR, end) for end in (low, high) if math.isinf(end)]
    remaining = max((abs(interval_number * function(interval_number)) for interval_number in far), default=0.0)
    if not (math.isfinite(total) and error <= NOT_RIGHT * max(size, 1e-300) and remaining <= LEFT * max(size, 1e-300)):
        raise UndefinedError(f"the area from {low:g} to {high:g} does not converge")
    return total


def _to_finite(
    function: Callable[[float], float], begin: float, end: float
) -> tuple[Callable[[float], float], tuple[float, float]]:
    """Return a function and a finite range with the same integral: x = e/t from the finite end e to infinity.

    What falls like a power of x then is smooth up to t = 0.
    """
    if not math.isinf(end - begin):
        return function, (begin, end)
    edge = begin if math.isinf(end) else end
    return lambda t: function(edge / t) * abs(edge) / (t * t) if t > 0.0 else 0.0, (0.0, 1.0)
