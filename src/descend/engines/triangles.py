"""Triangles that stand for the columns of a matrix: from their moments, where these keep the digits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from descend.engines.totals import Array
from descend.table.rows import finite

WELL = 1e-4
"""Smallest eigenvalue of the scaled moments, as a share of the largest, at which squares cost no digit that counts."""
KNOWN: dict[tuple[int, int], float] = {}
"""Bounds by the size and a hash of their matrix, ..."""
KEPT = 4
"""... of so many, the last ones."""


def well_conditioned(moments: Array) -> bool:
    """Whether moments may replace the columns themselves: whether these hardly depend on each other."""
    diagonal = moments.diagonal()
    if not (finite(moments.ravel()) and min(diagonal.tolist()) > 0.0):
        return False
    if diagonal.size == 1:
        return True
    scale = np.sqrt(diagonal)
    scaled = moments / (scale * scale[:, None])
    if WELL * condition_bound(scaled) < 1.0:
        return True
    values = np.linalg.eigvalsh(scaled)
    return bool(values[0] > WELL * values[-1])


def least_bound(matrix: Array) -> float:
    """Return a number that the smallest eigenvalue of a symmetric matrix is not below, in a tenth of its time.

    It is 1 / |M^-1| in the Frobenius norm; 0 where M is not positive definite, which says nothing. A fit asks for that
    of one matrix several times, so the last ones are known.
    """
    key = matrix.size, hash(matrix.tobytes())
    bound_of_matrix = KNOWN.get(key)
    if bound_of_matrix is None:
        bound_of_matrix = KNOWN[key] = _least_bound(matrix)
        for old_key in list(KNOWN)[:-KEPT]:
            KNOWN.pop(old_key, None)
    return bound_of_matrix


def _least_bound(matrix: Array) -> float:
    try:
        np.linalg.cholesky(matrix)
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return 0.0
    return 1.0 / math.sqrt(np.vdot(inverse, inverse))


def condition_bound(matrix: Array) -> float:
    """Return a number that the condition of a symmetric matrix is not above; infinity says nothing."""
    eigenvalue_bound = least_bound(matrix)
    return math.sqrt(np.vdot(matrix, matrix)) / eigenvalue_bound if eigenvalue_bound else math.inf


def symmetric(upper: Array, size: int) -> Array:
    """Return the symmetric matrix with these numbers on and above its diagonal, row by row."""
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = upper
    return matrix + np.triu(matrix, 1).T


def cholesky(moments: Array) -> Array | None:
    """Return the triangle whose square these moments are; None if they are too ill-conditioned for that."""
    size = len(moments) - 1
    if not np.isfinite(moments).all():
        return np.full_like(moments, np.nan)
    if not well_conditioned(moments[:size, :size]):
        return None
    scale = np.sqrt(moments.diagonal()[:size])
    lower = np.linalg.cholesky(moments[:size, :size] / (scale * scale[:, None]))
    right = np.linalg.solve(lower, moments[:size, size] / scale)
    residual = moments[size, size] - right @ right
    if residual < WELL * moments[size, size]:
        return None
    triangle = np.zeros_like(moments)
    triangle[:size, :size] = lower.T * scale
    triangle[:size, size] = right
    triangle[size, size] = math.sqrt(residual)
    return triangle


def divider(upper: Array) -> Callable[[Array], None]:
    """Return a function that divides the columns of J, the rows of a block, by a triangle, in place."""
    from scipy.linalg.blas import dtrsm

    turned = np.asfortranarray(upper)

    def divide(block: Array) -> None:
        # (k, rows) row by row is (rows, k) column by column, as BLAS has it.
        block[...] = dtrsm(1.0, turned, block.T, side=1).T

    return divide


def solved(upper: Array, right: Array) -> Array:
    """Return the least-squares solution of a triangular system, which may be singular."""
    if (np.abs(upper.diagonal()) > 1e-7 * norms(upper)).all():
        return np.asarray(np.linalg.solve(upper, right), dtype=np.float64)
    scale = np.where(norms(upper) > 0.0, norms(upper), 1.0)
    return np.asarray(np.linalg.lstsq(upper / scale, right, rcond=1e-10)[0] / scale)


def norms(matrix: Array) -> Array:
    """Return the length of each column."""
    lengths: Array = np.sqrt(np.add.reduce(matrix * matrix))
    return lengths


def powers_of_two(sizes: Array) -> Array:
    """Round sizes to powers of two, division by which is exact; 1 where there is none."""
    usable = np.isfinite(sizes) & (sizes > 0.0)
    return np.exp2(np.round(np.log2(np.where(usable, sizes, 1.0))))
