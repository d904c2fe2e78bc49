"""Steps that follow a damped one: by its matrix again, corrected by how the gradient changed on the way.

Forming and factoring a matrix of p parameters over n rows takes n p**2 + p**3/3 operations, J and its gradient 6 n p.
So before the next matrix, the last one serves as the first guess of a limited-memory BFGS, which also learns what a
Gauss-Newton curvature leaves out.

Source: Nocedal & Wright (2006), Numerical Optimization, algorithm 7.4, with H0 = (C + lambda D**2)^-1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[Array, Array]
"""A step, and the change of the gradient along it."""
MOST, MEMORY = 60, 30
"""Most evaluations between two matrices, and most steps that are remembered."""
EVALUATIONS_OF_A_MATRIX = 40.0
"""They are taken where a matrix costs as much as so many evaluations."""
LEAST, FIRST = 0.03, 3
"""After the first few, they end where one gains less than this share of what the damped step gained."""
ENOUGH, TRIALS = 1e-4, 6
"""Share of the decrease promised by the slope that a step must achieve, and how many lengths are tried."""
LONGER = 2.0
"""The first length tried is that of the step before, times this, and at most 1: where the matrix is far off, most steps
are shorter than 1, and each length tried in vain costs as much as a step."""
CURVED = 1e-10
"""Cosine between a step and the change of the gradient, below which a pair says nothing."""


class Evaluation(Protocol):
    """J at theta, its gradient, and J at another theta: see `ModuleEvaluation`, which is one."""

    theta: Array

    @property
    def loss(self) -> float: ...

    @property
    def gradient(self) -> Array: ...

    def beside(self, theta: Array) -> Self:
        """Return J at another theta."""


Evaluated = TypeVar("Evaluated", bound=Evaluation)


def evaluations(rows: int, size: int) -> int:
    """Return how many evaluations may follow a step of so many parameters over so many rows; 0 if none pays.

    >>> evaluations(1000, 31), evaluations(3000, 745)
    (0, 60)
    """
    matrix, gradient = rows * size**2 + size**3 / 3, 6 * rows * size + 2 * size**2
    return MOST if matrix >= EVALUATIONS_OF_A_MATRIX * gradient else 0


def onwards(first: Evaluated, current: Evaluated, solve: Callable[[Array], Array], most: int) -> Evaluated:
    """Return where steps lead that follow the damped one from ``first`` to ``current``; J falls at each.

    solve: multiplies a vector by (C + lambda D**2)^-1, with the matrix at ``first``. most: evaluations.
    """
    pairs = with_pair([], first, current)
    enough, used, length = LEAST * (first.loss - current.loss), 0, 1.0
    while used < most:
        move = -corrected(current.gradient, pairs, solve)
        slope = float(move.dot(current.gradient))
        if not slope < 0.0:
            break
        length = min(1.0, LONGER * length)
        for _ in range(TRIALS):
            used += 1
            new = current.beside(current.theta + length * move)
            if new.loss <= current.loss + ENOUGH * length * slope:
                break
            # The lowest place of the parabola through both values and the slope, within limits.
            bend = new.loss - current.loss - length * slope
            length *= min(max(-0.5 * length * slope / bend, 0.1), 0.5) if np.isfinite(bend) else 0.1
        else:
            break
        if not np.isfinite(new.gradient).all():
            break
        gain, pairs, current = current.loss - new.loss, with_pair(pairs, current, new), new
        if used >= FIRST and gain < enough:
            break
    return current


def with_pair(pairs: Sequence[Pair], start: Evaluation, end: Evaluation) -> list[Pair]:
    """Return the pairs with that of another step, if J curves upwards along it."""
    step, change = end.theta - start.theta, end.gradient - start.gradient
    curved = float(step.dot(change)) > CURVED * float(np.linalg.norm(step) * np.linalg.norm(change))
    return [*pairs, *([(step, change)] if curved else [])][-MEMORY:]


def corrected(gradient: Array, pairs: Sequence[Pair], solve: Callable[[Array], Array]) -> Array:
    """Return H g, with H that of BFGS after these pairs from the H0 by which ``solve`` multiplies.

    Of the last pair it is the step again, whatever H0:

    >>> step, change = np.array([1.0, 2.0]), np.array([2.0, 1.0])
    >>> corrected(change, [(np.array([0.0, 1.0]), np.array([1.0, 3.0])), (step, change)], lambda vector: 5 * vector)
    array([1., 2.])
    """
    left, shares = gradient.copy(), []
    for step, change in reversed(pairs):
        shares.append(float(step.dot(left)) / float(step.dot(change)))
        left -= shares[-1] * change
    found = solve(left)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        found = found + step * (share - float(change.dot(found)) / float(step.dot(change)))
    return found
