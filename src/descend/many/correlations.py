"""How the errors of the parameters of each group go together: what a file of many fits keeps beside the errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.many.outcomes import Outcomes
from descend.optimizers.curvature import matrix_of

Array = NDArray[np.float64]
Places = NDArray[np.intp]
FEW_PAIRS = 300
"""Pairs of parameters whose correlations are kept however many groups there are: those of 25 parameters."""
ROOM = 1 << 22
"""Correlations of more parameters that are kept, at most, those of all groups together."""
CELLS = 1 << 24
"""Numbers in matrices of all parameters that are in memory at a time."""


def are_kept(components: int, groups: int) -> bool:
    """Whether there is room for the correlations of so many parameters in so many groups."""
    pairs = components * (components - 1) // 2
    return pairs <= FEW_PAIRS or pairs * groups <= ROOM


def names_of(labels: Sequence[str]) -> list[str]:
    """Return what a table calls the correlation of each pair of parameters.

    >>> names_of(["a", "b", "c"])
    ['a, b correlation', 'a, c correlation', 'b, c correlation']
    """
    return [f"{one}, {other} correlation" for place, one in enumerate(labels) for other in labels[place + 1 :]]


def shares(groups: Places, components: int) -> Iterator[Places]:
    """Yield some groups after the other, so many that a matrix of all parameters of each fits into memory."""
    if len(groups):
        yield from np.array_split(groups, -(-len(groups) * components**2 // CELLS))


def correlations_of(outcomes: Outcomes) -> Array:
    """Return the correlation of each pair of free parameters, (groups, p (p - 1) / 2), NaN where it is not known."""
    groups, size = outcomes.parameters.shape
    rows, columns = np.triu_indices(size, 1)
    correlations = (
        np.full((groups, len(rows)), np.nan) if outcomes.correlations is None else outcomes.correlations.copy()
    )
    for group, fit in outcomes.fits.items():
        covariance = matrix_of(fit.covariance)
        if covariance is not None and covariance.shape == (size, size):
            correlations[group] = correlated(covariance)[rows, columns]
    if outcomes.roots is not None:
        together = np.setdiff1d(np.flatnonzero((outcomes.errors > 0.0).any(axis=1)), list(outcomes.fits))
        for share in shares(together, size):
            roots = outcomes.roots(share, outcomes.parameters[share])
            correlations[share] = correlated(roots @ roots.transpose(0, 2, 1))[:, rows, columns]
    return correlations


def correlated(covariances: Array) -> Array:
    """Return the correlations of a covariance, (p, p), or of several, (groups, p, p); 0 where an error is 0."""
    errors = np.sqrt(np.diagonal(covariances, axis1=-2, axis2=-1))
    each = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0.0)
    return np.clip(covariances * each[..., None] * each[..., None, :], -1.0, 1.0)


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
    covariance: Array = matrix * errors * errors[:, None]
    return covariance
