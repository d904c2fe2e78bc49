"""Lines with as few points as the eye needs: a smooth curve of 600 points is drawn with some fifty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TOLERANCE = 0.08
"""How far a thinned line may be from the full one, in units of the picture, which shows tenths."""


def thinned(x: Array, y: Array, tolerance: float = TOLERANCE) -> tuple[Array, Array]:
    """Return the points of a line without which it would look different; gaps, where a number is none, stay.

    Source: Douglas & Peucker (1973), Cartographica 10, 112-122.

    >>> thinned(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 0.0]))
    (array([0., 2., 3.]), array([0., 2., 0.]))
    """
    finite_points = np.isfinite(x) & np.isfinite(y)
    keep = ~finite_points
    edges = np.flatnonzero(np.diff(np.r_[False, finite_points, False].astype(int)))
    for first, end in edges.reshape(-1, 2).tolist():
        _mark(x, y, first, end - 1, tolerance, keep)
    return x[keep], y[keep]


def _mark(x: Array, y: Array, first: int, last: int, tolerance: float, keep: NDArray[np.bool_]) -> None:
    """Mark the ends, and between them the points that are too far from a straight line, piece by piece."""
    keep[[first, last]] = True
    pieces = [(first, last)]
    while pieces:
        begin, end = pieces.pop()
        if end - begin < 2:
            continue
        inner = slice(begin + 1, end)
        across, up = x[end] - x[begin], y[end] - y[begin]
        length = np.hypot(across, up)
        points_right, above = x[inner] - x[begin], y[inner] - y[begin]
        away = np.abs(points_right * up - above * across) / length if length > 0.0 else np.hypot(points_right, above)
        most = int(np.argmax(away))
        if away[most] > tolerance:
            middle = begin + 1 + most
            keep[middle] = True
            pieces += [(begin, middle), (middle, end)]
