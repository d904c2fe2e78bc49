"""What is asked of a curvature, a matrix or an arrow: its parts, its eigenvalues, a safe inverse, its triangle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature, Factor
from descend.engines.triangles import least_bound
from descend.optimizers.contract import RANK, WELL, Array, Evaluation

# Share of the unit diagonal after scaling: parameters that cannot be told apart get a bounded step, while the others
# keep ten digits of the Newton step.
DAMPING = 1e-10


def is_finite(curvature: Curvature | Factor) -> bool:
    """Whether no entry is infinite or nan."""
    return bool(np.isfinite(curvature).all()) if isinstance(curvature, np.ndarray) else curvature.finite


def matrix_of(curvature: Curvature | None) -> Array | None:
    """Return a curvature that is a matrix, else None: for what is only worth its cost with few parameters."""
    return curvature if isinstance(curvature, np.ndarray) else None


def with_diagonal(curvature: Curvature, diagonal: Array) -> Curvature:
    """Return C + diag(d)."""
    return curvature + np.diag(diagonal) if isinstance(curvature, np.ndarray) else curvature.plus_diagonal(diagonal)


def part_of(curvature: Curvature, free: NDArray[np.bool_]) -> Curvature:
    """Return the rows and columns of the free components."""
    return curvature[np.ix_(free, free)] if isinstance(curvature, np.ndarray) else curvature.of(free)


def largest_curvature(curvature: Curvature | None) -> float | None:
    """Return the largest eigenvalue of ``curvature``, or None if it is missing, not finite or not positive."""
    if curvature is None or not is_finite(curvature):
        return None
    if isinstance(curvature, np.ndarray):
        largest = float(np.linalg.eigvalsh(curvature)[-1])
    else:
        largest = curvature.largest_eigenvalue
    return largest if largest > 0.0 else None


def damped_inverse(curvature: Curvature | None, damping: float = DAMPING) -> Array | None:
    """Return the inverse of C + damping*diag(C), found in units where diag(C) = 1.

    A parameter of zero curvature keeps a unit diagonal. An indefinite C, or an arrow, gives its inverse diagonal, (p,)
    instead of (p, p). None if there is no C, or it is not finite, or its diagonal is nowhere positive.

    >>> damped_inverse(np.array([[1e12, 0.0], [0.0, 1e-6]])).diagonal()
    array([1.e-12, 1.e+06])
    """
    if curvature is None or not is_finite(curvature):
        return None
    diagonal = curvature.diagonal()
    if (diagonal < 0.0).any() or not (diagonal > 0.0).any():
        return None
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    if not isinstance(curvature, np.ndarray):
        return scale * scale  # a step of a first-order method needs no more, and a checkpoint holds it
    scaled = curvature * scale * scale[:, None]
    np.fill_diagonal(scaled, 1.0 + damping)
    try:
        root = np.linalg.inv(np.linalg.cholesky(scaled))
    except np.linalg.LinAlgError:
        return scale * scale
    root *= scale
    inverse: Array = root.T @ root
    return inverse


def smallest_share(curvature: Array) -> float | None:
    """Return the smallest eigenvalue after scaling to a unit diagonal, as a share of the largest.

    None where a parameter has no influence at all; 1 where the curvature is not finite and so says nothing.
    """
    diagonal = curvature.diagonal()
    if not math.isfinite(curvature.ravel().dot(curvature.ravel())) and not np.isfinite(curvature).all():
        return 1.0
    if not diagonal.min() > 0.0:
        return None
    scale = np.sqrt(diagonal)
    values = np.linalg.eigvalsh(curvature / (scale * scale[:, None]))
    return float(values[0] / values[-1])


def well(curvature: Array) -> bool:
    """Whether the smallest eigenvalue of a scaled curvature is large enough to work with squared numbers."""
    return least_bound(curvature) > WELL or bool(np.linalg.eigvalsh(curvature)[0] > WELL)


def triangle(evaluation: Evaluation) -> tuple[Array, Array]:
    """Return R and q with curvature = R'R and gradient = R'q: the engine's own, or from the curvature."""
    if isinstance(evaluation.factor, np.ndarray):
        return evaluation.factor[:-1, :-1], evaluation.factor[:-1, -1]
    curvature = evaluation.curvature
    assert isinstance(curvature, np.ndarray)
    if not np.isfinite(curvature).all():
        return np.full_like(curvature, np.nan), np.full(len(curvature), np.nan)
    diagonal = curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / scale / scale[:, None])
    independent = values > 1e-15 * values[-1]
    roots = np.sqrt(np.where(independent, values, 0.0))
    right = (vectors.T @ (evaluation.gradient / scale)) * np.where(
        independent, 1.0 / np.where(independent, roots, 1.0), 0.0
    )
    return (vectors * roots).T * scale, right


def predicted(upper: Array, right: Array, move: Array) -> float:
    """Return by how much |R d + q|**2 / 2 falls from d = 0 to ``move``."""
    change = upper @ move
    return -float(change @ (right + 0.5 * change))


def pulling(upper: Array, gradient: Array) -> Array:
    """Return the shortest q with R'q = gradient, or as nearly as rounding allows; NaN where numbers are not finite."""
    if not (np.isfinite(upper).all() and np.isfinite(gradient).all()):
        return np.full(len(gradient), np.nan)
    norms = np.sqrt(np.add.reduce(upper * upper))
    norms[norms == 0.0] = 1.0
    pull: Array = np.linalg.lstsq((upper / norms).T, gradient / norms, rcond=RANK)[0]
    return pull
