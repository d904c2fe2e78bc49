"""The system of a damped Gauss-Newton step under an l1 penalty, which makes components exactly 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.optimizers.contract import NOTHING, Array, Evaluation, System, Units

GUESSES = 12
"""How often the set of components that are not 0 is guessed at once, before it is changed one by one."""
ROUNDING = 1e-12
"""A slope that exceeds the penalty by less than this share of its terms is rounding."""
NEAR, NEARINGS = 1e-10, 30
"""Weight of the distance in a proximal step, as a share of the diagonal; and how many are taken at most."""


class Sparse(System):
    """Minimize g'd + d'(C + lambda D**2)d/2 + sum l1 |theta + d|, with C and g those of the smooth part of J."""

    order: ClassVar[int] = 2

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        curvature, l1 = evaluation.curvature, evaluation.l1
        assert isinstance(curvature, np.ndarray) and l1 is not None
        self.units = np.maximum(units, curvature.diagonal())
        self.theta, self.gradient, self.curvature, self.l1 = evaluation.theta, evaluation.gradient, curvature, l1
        self.sound = bool(np.isfinite(curvature).all())

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular."""
        negligible = self.sound and damping * np.max(self.units) < NOTHING * self.curvature.diagonal().min()
        return self.undamped if negligible else self._moved(damping)

    @cached_property
    def undamped(self) -> tuple[Array, float]:
        return self._moved(0.0)

    def _moved(self, damping: float) -> tuple[Array, float]:
        if not self.sound:
            return np.zeros_like(self.theta), 0.0
        damped = self.curvature + np.diag(damping * np.asarray(self.units))
        to = least_sparse(damped, damped @ self.theta - self.gradient, self.l1, self.theta)
        if to is None:
            return np.zeros_like(self.theta), 0.0
        move = to - self.theta
        falls = self.l1 @ (np.abs(self.theta) - np.abs(to)) - move @ (self.gradient + 0.5 * self.curvature @ move)
        return move, float(falls)

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and the root of twice the decrease it promises."""
        move, falls = self.undamped
        return move, math.sqrt(max(2.0 * falls, 0.0)) if self.sound else math.inf


def least_sparse(matrix: Array, right: Array, l1: Array, start: Array) -> Array | None:
    """Return a u that minimizes u'Mu/2 - b'u + sum l1_k |u_k|; None where none is found.

    M is symmetric, with no negative eigenvalue; b: right. Components with an l1 of 0 are free.

    The set of components that are not 0, and their signs, are guessed from how far the slope exceeds the penalty, which
    rarely needs more than some ten guesses; where these go round in a circle, the set is changed one component at a
    time, so that the sum falls with every change and the method ends at the minimum. Where M is singular on what is
    not 0, by columns that say the same, the minimum is approached by proximal steps, whose systems are not.

    Source: Hintermueller, Ito & Kunisch (2002), SIAM J. Optim. 13, 865-888 (the guesses); Lee et al. (2007), NIPS 19,
    801-808 (one at a time); Rockafellar (1976), SIAM J. Control Optim. 14, 877-898 (proximal steps).

    >>> least_sparse(np.eye(2), np.array([3.0, 0.5]), np.array([1.0, 1.0]), np.zeros(2))
    array([2., 0.])
    """
    try:
        guessed = _guessed(matrix, right, l1, start)
        sparse_solution = _one_by_one(matrix, right, l1, start) if guessed is None else guessed
        is_least = guessed is not None or _is_least(matrix, right, l1, sparse_solution)
        if is_least and _value(matrix, right, l1, sparse_solution) <= _value(matrix, right, l1, start):
            return sparse_solution
    except np.linalg.LinAlgError:
        pass
    return _approached(matrix, right, l1, start)


def _value(matrix: Array, right: Array, l1: Array, u: Array) -> float:
    return float(u @ (0.5 * matrix @ u - right) + l1 @ np.abs(u))


def _changed(matrix: Array, right: Array, l1: Array, start: Array) -> Array:
    sparse_solution = _guessed(matrix, right, l1, start)
    return _one_by_one(matrix, right, l1, start) if sparse_solution is None else sparse_solution


def _approached(matrix: Array, right: Array, l1: Array, start: Array) -> Array | None:
    diagonal = matrix.diagonal()
    if not (0.0 < diagonal.max() < math.inf and np.isfinite(right).all()):
        return None
    near = NEAR * np.where(diagonal > 0.0, diagonal, diagonal.max())
    nearer, u, value = matrix + np.diag(near), start, _value(matrix, right, l1, start)
    for _ in range(NEARINGS):
        try:
            to = _changed(nearer, right + near * u, l1, u)
        except np.linalg.LinAlgError:
            break
        lower = _value(matrix, right, l1, to)
        if not lower < value:
            break
        u, value = to, lower
        if _is_least(matrix, right, l1, u):
            break
    return None if u is start else u


def _guessed(matrix: Array, right: Array, l1: Array, start: Array) -> Array | None:
    scale, free = matrix.diagonal(), l1 == 0.0
    if not scale.min() > 0.0:
        return None
    u, signs = start, np.full(len(start), np.nan)
    for _ in range(GUESSES):
        reach = u * scale - (matrix @ u - right)
        now = np.where(np.abs(reach) > l1, np.sign(reach), 0.0)
        now[free] = 1.0
        if (now == signs).all():
            return u if _is_least(matrix, right, l1, u) else None
        signs = now
        u = _solved(matrix, right, l1, signs)
    return None


def _solved(matrix: Array, right: Array, l1: Array, signs: Array) -> Array:
    """Return the minimum for known signs, whether or not it has them."""
    u, nonzero = np.zeros(len(right)), np.flatnonzero(signs)
    if len(nonzero) == len(u):
        return np.asarray(np.linalg.solve(matrix, right - l1 * signs))
    u[nonzero] = np.linalg.solve(matrix[np.ix_(nonzero, nonzero)], (right - l1 * signs)[nonzero])
    return u


def _is_least(matrix: Array, right: Array, l1: Array, u: Array) -> bool:
    return not _descending(matrix, right, l1, u).any()


def _descending(matrix: Array, right: Array, l1: Array, u: Array) -> NDArray[np.bool_]:
    """Mark the components along which the sum still falls."""
    slope = matrix @ u - right
    noise = ROUNDING * (np.abs(matrix) @ np.abs(u) + np.abs(right) + l1)
    excess: Array = np.where(u == 0.0, np.abs(slope) - l1, np.abs(slope + l1 * np.sign(u)))
    return excess > noise


def _one_by_one(matrix: Array, right: Array, l1: Array, start: Array) -> Array:
    value = partial(_value, matrix, right, l1)
    u, free, barred = start.copy(), l1 == 0.0, np.zeros(len(start), dtype=bool)
    for _ in range(20 * len(u) + 100):
        falls = _descending(matrix, right, l1, u) & ~barred
        if not falls.any():
            break
        slope, signs, entering = matrix @ u - right, np.sign(u), falls & (u == 0.0) & ~free
        if entering.any() and not (falls & ~entering).any():
            enters = int(np.argmax(np.where(entering, np.abs(slope) - l1, -np.inf)))
            signs[enters] = -np.sign(slope[enters])
        else:
            enters = int(np.argmax(falls))
        signs[free] = 1.0
        new = _towards(u, _solved(matrix, right, l1, signs), l1, value)
        if value(new) < value(u):
            u, barred = new, np.zeros_like(barred)
        else:
            barred[enters] = True
    return u


def _towards(u: Array, to: Array, l1: Array, value: Callable[[Array], float]) -> Array:
    """Return the lowest place on the way, among the places where a component changes its sign, and the end."""
    turns = np.flatnonzero((u * to < 0.0) & (l1 > 0.0))
    turning_values = [to]
    for turning_place in turns:
        turned_solution = u + u[turning_place] / (u[turning_place] - to[turning_place]) * (to - u)
        turned_solution[turning_place] = 0.0
        turning_values.append(turned_solution)
    return min(turning_values, key=value)
