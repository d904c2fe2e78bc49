"""How the errors of the parameters of each group go together: what a file of many fits keeps beside the errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.many.outcomes import Outcomes
from descend.optimizers.systems import matrix_of

Array = NDArray[np.float64]
MOST = 300
"""Pairs of parameters whose correlations a file keeps, at most: those of 25 parameters."""


def names_of(labels: Sequence[str]) -> list[str]:
    """Return what a table calls the correlation of each pair of parameters; none where there are too many.

    >>> names_of(["a", "b", "c"])
    ['a, b correlation', 'a, c correlation', 'b, c correlation']
    """
    pairs = len(labels) * (len(labels) - 1) // 2
    if pairs > MOST:
        return []
    return [f"{one}, {other} correlation" for place, one in enumerate(labels) for other in labels[place + 1 :]]


def correlations_of(outcomes: Outcomes) -> Array:
    """Return the correlation of each pair of free parameters, (groups, p (p - 1) / 2), NaN where it is not known.

    With v(g) the variance of what has the derivatives g by the parameters, but for a scale, and s their errors,

        1 + r_ij = v(e_i / s_i + e_j / s_j) / 2 v(e_k / s_k)
    """
    if outcomes.correlations is not None:
        return outcomes.correlations
    size = outcomes.parameters.shape[1]
    rows, columns = np.triu_indices(size, 1)
    found = np.full((len(outcomes.loss), len(rows)), np.nan)
    for group, fit in outcomes.fits.items():
        covariance = matrix_of(fit.covariance)
        if covariance is not None and covariance.shape == (size, size):
            found[group] = correlated(covariance)[rows, columns]
    groups = np.setdiff1d(np.flatnonzero((outcomes.errors > 0.0).any(axis=1)), list(outcomes.fits))
    if outcomes.variances is None or not len(groups):
        return found
    theta, errors = outcomes.parameters[groups], outcomes.errors[groups]
    each = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0.0)
    first = np.zeros_like(errors)
    places = np.argmax(errors > 0.0, axis=1)[:, None]
    np.put_along_axis(first, places, np.take_along_axis(each, places, 1), 1)
    with np.errstate(all="ignore"):
        one = outcomes.variances(groups, theta, first)
        for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            slopes = np.zeros_like(errors)
            slopes[:, row], slopes[:, column] = each[:, row], each[:, column]
            both = outcomes.variances(groups, theta, slopes) / (2.0 * one) - 1.0
            free = (each[:, row] > 0.0) & (each[:, column] > 0.0)
            found[groups, place] = np.where(free, np.clip(both, -1.0, 1.0), 0.0)
    return found


def correlated(covariance: Array) -> Array:
    """Return the correlations of a covariance; 0 where an error is 0."""
    errors = np.sqrt(covariance.diagonal())
    each = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0.0)
    found: Array = covariance * each * each[:, None]
    return found


def covariance_of(errors: Array, correlations: Array) -> Array | None:
    """Return the covariance of the parameters of a group, (p, p), from their errors; None where it is not known.

    >>> covariance_of(np.array([1.0, 2.0]), np.array([0.5]))
    array([[1., 1.],
           [1., 4.]])
    """
    size = len(errors)
    if len(correlations) != size * (size - 1) // 2 or not np.isfinite(correlations).all() or not (errors > 0.0).any():
        return None
    errors = np.where(errors > 0.0, errors, 0.0)  # what lies at a bound has none
    matrix = np.eye(size)
    rows, columns = np.triu_indices(size, 1)
    matrix[rows, columns] = matrix[columns, rows] = correlations
    found: Array = matrix * errors * errors[:, None]
    return found
