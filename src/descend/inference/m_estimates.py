"""Covariance of M-estimates whose residuals are independent and alike, as MASS's rlm has it."""

from __future__ import annotations

import numpy as np

from descend.inference.covariance import Array, Mask
from descend.inference.row_scores import ScoredRows
from descend.inference.sandwich import orthogonal


def alike(rows: ScoredRows, degrees: float, mask: Mask | None = None) -> Array | None:
    """Return the covariance where all residuals have the same distribution; None if the data give none.

    With psi the slope of the loss at a residual, psi' its derivative, F the derivatives of the predictions, (n, p):

        K^2 * sum psi^2 / (n - p) / mean(psi')^2 * (F'F)^-1,   K = 1 + p / n * var(psi') / mean(psi')^2

    For the squared loss K is 1 and this is s^2 (F'F)^-1. Fewer rows are needed than for the sandwich, but residuals
    whose size changes with an input make it wrong.

    mask: the parameters that are estimated, the others being held; all if None.

    Source: Huber (1981), Robust Statistics, sec. 7.6, which is what ``summary`` of MASS's rlm computes.
    """
    count = len(rows.y)
    if degrees <= 0:
        return None
    mask = np.ones(rows.jacobian.shape[1], dtype=bool) if mask is None else mask
    result = np.zeros((mask.size, mask.size))
    frame = orthogonal(rows.jacobian[:, mask]) if mask.any() else None
    if frame is None:
        return None if mask.any() else result
    back = frame[1]
    pull, bend = rows.loss.slope(rows.score, rows.y), rows.loss.bend(rows.score, rows.y)
    mean = float(bend.mean())
    if not mean > 0.0:
        return None
    widened = 1.0 + back.shape[1] / count * float(bend.var(ddof=1)) / mean**2
    result[np.ix_(mask, mask)] = back @ back.T * (widened**2 * float(pull @ pull) / degrees / mean**2)
    return result
