"""Standard errors of a least-squares fit, from the Gauss-Newton curvature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.descent.objective import Point

Array = NDArray[np.float64]


def covariance(point: Point, rows: int) -> Array | None:
    """Return the covariance of the parameters of a squared-loss fit without penalty, or None if the data give none.

    With J = sum omega r**2 / sum omega and C = 2 sum omega f f' / sum omega its Gauss-Newton curvature, f the
    derivatives of the prediction, the usual s**2 (sum omega f f')^-1, s**2 = sum omega r**2 / (n - p), is

        2 J / (n - p) * C^-1

    Parameters that lie at a bound are held there: n - p counts them among the rows, and their entries are 0.
    None if n <= p, or if C is singular to rounding.
    """
    if point.bounds is not None and (held := point.bounds.held(point.theta)).any():
        return _with_some_held(point, rows, held)
    return _covariance(point.curvature, point.theta.size, point.loss, rows)


def _with_some_held(point: Point, rows: int, held: NDArray[np.bool_]) -> Array | None:
    free = ~held
    result = np.zeros((free.size, free.size))
    if point.curvature is None:
        return None
    if free.any():
        inner = _covariance(point.curvature[np.ix_(free, free)], int(free.sum()), point.loss, rows)
        if inner is None:
            return None
        result[np.ix_(free, free)] = inner
    return result


def _covariance(curvature: Array | None, size: int, loss: float, rows: int) -> Array | None:
    if curvature is None or rows <= size or not np.isfinite(curvature).all():
        return None
    diagonal = curvature.diagonal()
    if not (diagonal > 0.0).all():
        return None
    scale = 1.0 / np.sqrt(diagonal)
    scaled = curvature * scale * scale[:, None]
    if np.linalg.eigvalsh(scaled)[0] < 1e-14:
        return None
    result: Array = 2.0 * loss / (rows - size) * np.linalg.inv(scaled) * scale * scale[:, None]
    return result
