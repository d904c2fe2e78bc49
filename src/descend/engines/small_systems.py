"""Many small symmetric systems at once, as arrays with the groups last: (p, p, groups)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cholesky(matrices: Array) -> Array:
    """Return the lower triangles L of L L' = A for each group; NaN where A is not positive definite.

    matrices: (p, p, groups), of which the lower triangle is read.
    """
    p = len(matrices)
    lower = np.zeros_like(matrices)
    for j in range(p):
        remainder = matrices[j, j].copy()
        for k in range(j):
            remainder -= lower[j, k] * lower[j, k]
        root = np.sqrt(remainder)
        lower[j, j] = root
        for i in range(j + 1, p):
            remainder = matrices[i, j].copy()
            for k in range(j):
                remainder -= lower[i, k] * lower[j, k]
            lower[i, j] = remainder / root
    return lower


def solved(lower: Array, right: Array) -> Array:
    """Return x of L L' x = b for each group; right: (p, groups), or (p, s, groups) for s right sides at once."""
    return solved_above(lower, solved_below(lower, right))


def solved_below(lower: Array, right: Array) -> Array:
    """Return x of L x = b for each group; right: (p, groups) or (p, s, groups)."""
    solution_below = np.empty_like(right)
    for i in range(len(right)):
        remainder = right[i].copy()
        for k in range(i):
            remainder -= lower[i, k] * solution_below[k]
        solution_below[i] = remainder / lower[i, i]
    return solution_below


def solved_above(lower: Array, right: Array) -> Array:
    """Return x of L' x = b for each group; right: (p, groups) or (p, s, groups)."""
    solution_above = np.empty_like(right)
    for i in reversed(range(len(right))):
        remainder = right[i].copy()
        for k in range(i + 1, len(right)):
            remainder -= lower[k, i] * solution_above[k]
        solution_above[i] = remainder / lower[i, i]
    return solution_above


def inverse(lower: Array) -> Array:
    """Return the inverse of L L' for each group, (p, p, groups)."""
    p = len(lower)
    unit = np.zeros((p, lower.shape[2]))
    columns = []
    for column_of_inverse in range(p):
        unit[column_of_inverse] = 1.0
        columns.append(solved(lower, unit))
        unit[column_of_inverse] = 0.0
    return np.stack(columns, axis=1)
