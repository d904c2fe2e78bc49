"""The other side of infinity: where a descent whose parameters grow without end would come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.problem.point import Objective

Array = NDArray[np.float64]
FLAT = 1e-3
"""A direction is flat whose curvature, of parameters in units of themselves, is below this share of the largest ..."""
RUNNING, LEFT = 0.5, 0.1
"""... and leads away from 0 if each parameter has at least, or at most, this share of the largest part in it."""
SHARES = -np.geomspace(1e3, 1e-30, 133)
"""What the parameters are multiplied by."""


def beyond(objective: Objective, theta: Array) -> Array | None:
    """Return the lowest point on the other side of infinity; None where theta is not on its way there.

    Of `a/(1 + b*x)` only a/b matters once both are large, whatever their sign: J(t a, t b) as a function of 1/t is
    smooth at 0, and may have its minimum at a negative 1/t, which a descent from t > 0 never reaches.
    """
    with np.errstate(all="ignore"):
        curvature = objective(theta, 2).matrix
        if curvature is None:
            return None
        relative = curvature * theta * theta[:, None]
        if theta.size < 2 or not np.isfinite(relative).all():
            return None
        values, vectors = np.linalg.eigh(relative)
        parts = vectors[:, 0] / vectors[np.abs(vectors[:, 0]).argmax(), 0]
        running = parts > RUNNING
        if not values[0] < FLAT * values[-1] or running.sum() < 2 or (np.abs(parts[~running]) > LEFT).any():
            return None
        points = np.where(running, SHARES[:, None] * theta, theta)
        losses = np.array([objective(point, 0).loss for point in points])
    losses[~np.isfinite(losses)] = np.inf
    lowest = int(losses.argmin())
    return points[lowest] if np.isfinite(losses[lowest]) else None
