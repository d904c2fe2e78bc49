"""Linear least squares within bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.optimizers.contract import Array

ROUNDING = 1e-13
"""A slope below this share of the sum of its terms' sizes is rounding."""


def bounded_least_squares(matrix: Array, right: Array, low: Array, high: Array, rcond: float = 1e-14) -> Array:
    """Return the d that minimizes |M d + q|**2 over low <= d <= high, where low <= 0 <= high.

    An active-set method: 1. solve for the free components; 2. if that leaves the bounds, go as far as they allow, hold
    the components that reached their bound, and solve again; 3. free the held component along which the sum falls most,
    if any. The sum never rises and no set occurs twice, so the method ends at the minimum.

    Source: Stark & Parker (1995), Comput. Stat. 10, 129-141; Lawson & Hanson (1974), Solving Least Squares Problems.

    >>> bounded_least_squares(np.eye(2), np.array([-2.0, 3.0]), np.zeros(2), np.ones(2))
    array([1., 0.])
    """
    move = np.zeros(matrix.shape[1])
    free = (low < 0.0) & (high > 0.0)
    spent = np.zeros_like(free)  # components freed in vain, as only rounding suggested it
    lengths = np.sqrt(np.add.reduce(matrix * matrix))
    for _ in range(10 * move.size + 10):
        before, freed = move, free.copy()
        move, free = _solved(matrix, right, low, high, move, free, rcond)
        spent = spent | (freed & ~free) if (move == before).all() else np.zeros_like(free)
        residual = matrix @ move + right
        pull = -(matrix.T @ residual)
        small = ROUNDING * lengths * float(np.linalg.norm(residual) + np.linalg.norm(right))
        inward = ((move <= low) & (pull > small)) | ((move >= high) & (pull < -small))
        inward &= ~free & ~spent & (low < high)
        if not inward.any():
            break
        free[np.argmax(np.where(inward, np.abs(pull) / np.maximum(lengths, np.finfo(float).tiny), -1.0))] = True
    return move


def _solved(
    matrix: Array, right: Array, low: Array, high: Array, move: Array, free: NDArray[np.bool_], rcond: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Solve for the free components, holding those that would leave their bounds."""
    free = free.copy()
    while free.any():
        slope_of_held = matrix[:, ~free] @ move[~free] + right
        target = move.copy()
        target[free] = np.linalg.lstsq(matrix[:, free], -slope_of_held, rcond=rcond)[0]
        inside_move = np.minimum(np.maximum(target, low), high)
        outside = free & (inside_move != target)
        if not outside.any():
            return target, free
        shares = np.full(move.size, np.inf)
        shares[outside] = ((inside_move - move)[outside]) / ((target - move)[outside])
        first = int(np.argmin(shares))
        move = np.where(free, np.minimum(np.maximum(move + shares[first] * (target - move), low), high), move)
        move[first] = inside_move[first]
        free[first] = False
    return move, free
