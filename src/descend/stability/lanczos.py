"""Some eigenvalues of a symmetric matrix that is known only by its products with vectors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 80
"""Steps, at most."""


def lanczos(
    product: Callable[[Array], Array],
    start: Array,
    steps: int = STEPS,
    close: float = 0.0,
    enough: Callable[[Array], bool] | None = None,
) -> tuple[Array, Array]:
    """Return Ritz values, ascending, and Ritz vectors (p, m) of a symmetric matrix known by its products.

    They span start, C start, C**2 start, ..., so that a descent from there is followed exactly for m epochs and
    closely beyond. The basis is made orthogonal anew at each step. It ends once the value that is largest in absolute
    value changes by less than ``close`` of it, or once the tridiagonal matrix so far is ``enough``.
    Source: Lanczos (1950), J. Res. NBS 45, 255-282.

    >>> values, _ = lanczos(lambda v: np.array([1.0, 2.0, 9.0]) * v, np.ones(3))
    >>> values.round(9)
    array([1., 2., 9.])
    """
    size = start.size
    length = float(np.linalg.norm(start))
    vector = start / length if length > 0.0 else np.full(size, 1.0 / math.sqrt(size))
    basis = np.empty((min(steps, size), size))
    diagonal: list[float] = []
    beside: list[float] = []
    largest = 0.0
    for step in range(len(basis)):
        basis[step] = vector
        following = product(vector)
        diagonal.append(float(vector @ following))
        if not math.isfinite(diagonal[-1]):
            return np.full(1, np.nan), np.full((size, 1), np.nan)
        if close:
            before, largest = largest, float(np.abs(_ritz(diagonal, beside)[0]).max())
            if largest - before <= close * largest:
                break
        if enough is not None and enough(_triangle(diagonal, beside)):
            break
        for _ in range(2):
            following = following - basis[: step + 1].T @ (basis[: step + 1] @ following)
        length = float(np.linalg.norm(following))
        if not length > 1e-12 * max(abs(value) for value in diagonal):
            break
        beside.append(length)
        vector = following / length
    steps_taken = len(diagonal)
    values, inside = _ritz(diagonal, beside)
    return values, np.asarray(basis[:steps_taken].T @ inside)


def _ritz(diagonal: list[float], beside: list[float]) -> tuple[Array, Array]:
    """Return eigenvalues and eigenvectors of the tridiagonal matrix."""
    values, vectors = np.linalg.eigh(_triangle(diagonal, beside))
    return values, vectors


def _triangle(diagonal: list[float], beside: list[float]) -> Array:
    off = beside[: len(diagonal) - 1]
    return np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
