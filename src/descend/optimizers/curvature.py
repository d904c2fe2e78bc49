"""What a curvature says about steps: its largest eigenvalue, and a safe inverse."""

from __future__ import annotations

import numpy as np

from descend.engines.totals import Curvature
from descend.optimizers.contract import Array
from descend.optimizers.systems import is_finite

# Share of the unit diagonal after scaling: parameters that cannot be told apart get a bounded step, while the others
# keep ten digits of the Newton step.
DAMPING = 1e-10


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
