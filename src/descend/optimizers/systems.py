"""The linear system of a damped Gauss-Newton step, in three forms."""

from __future__ import annotations

import math
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.optimizers.bounded import bounded_least_squares
from descend.optimizers.contract import Array, Evaluation

WELL = 1e-9
"""Smallest eigenvalue of the scaled curvature above which squared numbers cost no digit of the answer."""
LEAST_NORM = 1e-150
"""Taken for the norm of a column of zeros: its square can still be divided by."""

FEW = 4
"""Up to so many unknowns a system is solved sooner in plain Python than NumPy has checked what it was given."""


class Normal:
    """The system (C + lambda D**2) d = -g, from curvature and gradient, solved for D d.

    norms: the largest column norms so far, or LEAST_NORM; ``scale``, D, are those that also count the ones here.
    """

    order = 2

    def __init__(self, evaluation: Evaluation, norms: Array | float = LEAST_NORM) -> None:
        curvature = evaluation.curvature
        assert curvature is not None
        self.scale: Array = np.maximum(norms, np.sqrt(curvature.diagonal()))
        self.curvature = curvature / (self.scale * self.scale[:, None])
        self.gradient = evaluation.gradient / self.scale

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular.

        With z = D d the decrease -g'd - d'C d/2 is (lambda z'z - z'D^-1 g)/2.
        """
        move = solved(self.curvature, damping, -self.gradient)
        if move is None:
            return np.zeros_like(self.scale), 0.0
        return move / self.scale, 0.5 * float(damping * move.dot(move) - move.dot(self.gradient))

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and |q|; no d, and an endless q, if the system is singular."""
        move = solved(self.curvature, 0.0, -self.gradient)
        if move is None:
            return np.zeros_like(self.scale), math.inf
        return move / self.scale, math.sqrt(max(-float(move.dot(self.gradient)), 0.0))

    def safe(self) -> bool:
        """Whether its undamped step can be trusted."""
        return bool(np.linalg.eigvalsh(self.curvature)[0] > WELL)


class Triangle:
    """The same system as a least-squares problem: minimize |R d + q|**2 + lambda |D d|**2."""

    order = 3

    def __init__(self, evaluation: Evaluation, norms: Array | float = LEAST_NORM) -> None:
        self.scale, self.upper, self.right = scaled_triangle(evaluation, norms)

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts."""
        size = self.scale.size
        whole = np.zeros((2 * size, size + 1))
        whole[:size, :size] = self.upper
        whole[:size, size] = self.right
        whole[range(size, 2 * size), range(size)] = np.sqrt(damping)
        solved = np.asarray(np.linalg.qr(whole, mode="r"))
        move = -np.linalg.solve(solved[:size, :size], solved[:size, size])
        return move / self.scale, predicted(self.upper, self.right, move)

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and |q|."""
        move = np.linalg.lstsq(self.upper, -self.right, rcond=1e-14)[0]
        return move / self.scale, float(np.linalg.norm(self.right))

    def safe(self) -> bool:
        """Whether its undamped step can be trusted: there is nothing better."""
        return True


class Bounded:
    """The same problem, solved within bounds: minimize |R d + q|**2 + lambda |D d|**2 over low <= theta + d <= high."""

    order = 3

    def __init__(self, evaluation: Evaluation, norms: Array | float = LEAST_NORM) -> None:
        assert evaluation.bounds is not None
        self.scale, self.upper, self.right = scaled_triangle(evaluation, norms)
        low, high = evaluation.bounds.room(evaluation.theta)
        self.room = low * self.scale, high * self.scale
        self.free = ~evaluation.bounds.blocked(evaluation.theta, evaluation.gradient)

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts."""
        whole = np.vstack([self.upper, np.sqrt(damping) * np.eye(self.scale.size)])
        right = np.append(self.right, np.zeros(self.scale.size))
        move = bounded_least_squares(whole, right, *self.room)
        return move / self.scale, predicted(self.upper, self.right, move)

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and the length of that part of q which parameters that may still move can explain."""
        move = bounded_least_squares(self.upper, self.right, *self.room) / self.scale
        if not self.free.any():
            return move, 0.0
        basis = np.linalg.qr(self.upper[:, self.free])[0]
        return move, float(np.linalg.norm(basis.T @ self.right))

    def safe(self) -> bool:
        """Whether its undamped step can be trusted: there is nothing better."""
        return True


System = Normal | Triangle | Bounded


def system_of(evaluation: Evaluation, fine: bool) -> type[System]:
    """Return what to solve: the curvature, or if ``fine`` the triangle of the Jacobian, within bounds if any."""
    if not fine:
        return Normal
    return Triangle if evaluation.bounds is None else Bounded


def solved(matrix: Array, damping: float, right: Array) -> Array | None:
    """Return (M + damping I)^-1 ``right`` for a symmetric M, or None if that is singular.

    >>> solved(np.array([[3.0, 1.0], [1.0, 1.0]]), 1.0, np.array([5.0, 3.0]))
    array([1., 1.])
    """
    if right.size <= FEW:
        return solved_by_hand(matrix.tolist(), damping, right.tolist())
    matrix = matrix.copy()
    matrix.flat[:: right.size + 1] += damping
    try:
        solution: NDArray[Any] = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return solution


def solved_by_hand(matrix: list[list[float]], damping: float, right: list[float]) -> Array | None:
    """Solve the same system by M + damping I = L D L', L with a unit diagonal; None unless all of D is positive."""
    lower: list[list[float]] = []
    pivots: list[float] = []
    for place, row in enumerate(matrix):
        scaled: list[float] = []  # the row of L D
        for column, other in enumerate(lower):
            scaled.append(row[column] - sum(map(mul, scaled, other)))
        factors = [part / pivot for part, pivot in zip(scaled, pivots, strict=True)]
        pivot = row[place] + damping - sum(map(mul, scaled, factors))
        if not pivot > 0.0:
            return None
        right[place] -= sum(map(mul, factors, right))
        lower.append(factors)
        pivots.append(pivot)
    solution = [part / pivot for part, pivot in zip(right, pivots, strict=True)]
    for place in reversed(range(len(solution))):
        for column, factor in enumerate(lower[place]):
            solution[column] -= factor * solution[place]
    return np.array(solution)


def scaled_triangle(evaluation: Evaluation, norms: Array | float) -> tuple[Array, Array, Array]:
    """Return D, R D^-1 and q."""
    upper, right = triangle(evaluation.at(evaluation.theta, 3))
    scale: Array = np.maximum(norms, np.sqrt(np.add.reduce(upper * upper)))
    return scale, upper / scale, right


def predicted(upper: Array, right: Array, move: Array) -> float:
    """Return by how much |R d + q|**2 / 2 falls from d = 0 to ``move``."""
    change = upper @ move
    return -float(change @ (right + 0.5 * change))


def triangle(evaluation: Evaluation) -> tuple[Array, Array]:
    """Return R and q with curvature = R'R and gradient = R'q: the engine's own, or from the curvature."""
    if evaluation.factor is not None:
        return evaluation.factor[:-1, :-1], evaluation.factor[:-1, -1]
    curvature = evaluation.curvature
    assert curvature is not None
    diagonal = curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / scale / scale[:, None])
    kept = values > 1e-15 * values[-1]
    roots = np.sqrt(np.where(kept, values, 0.0))
    right = (vectors.T @ (evaluation.gradient / scale)) * np.where(kept, 1.0 / np.where(kept, roots, 1.0), 0.0)
    return (vectors * roots).T * scale, right
