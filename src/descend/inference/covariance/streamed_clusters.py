"""Clustered errors of rows that stay where they are: one pass that sums the pulls of the rows of each cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from descend.descent.comments_on_solution import once
from descend.descent.solution import Solution
from descend.inference.covariance.clusters import of_sums
from descend.inference.covariance.inverse_curvature import Array, Mask, inverse
from descend.inference.covariance.sandwich import bend_and_pull, orthogonal
from descend.inference.scored_rows import counted_rows, score_block
from descend.options.kinds_of_errors import read_errors
from descend.problem.problem import AllRows
from descend.table.levels import name_of

BLOCK = 1 << 16
"""Rows read at a time."""


@dataclass(frozen=True)
class Sums:
    """bread: sum b_i f_i f_i', (p, p). pulls: the sum of the pulls of each cluster, (clusters, p), of clusters that
    have a row. frame: what the derivatives f were multiplied by, (p, p), so that the bread is near the unit matrix."""

    bread: Array
    pulls: Array
    frame: Array


def clustered(solution: Solution, degrees: float, mask: Mask | None) -> Array | None:
    """Return the covariance of the parameters; None if the data give none. See ``clusters.of_clusters``."""
    cluster_sums = sums(solution)
    if cluster_sums is None or degrees <= 0 or (mask is not None and not mask.all()):
        return None
    inverted = inverse(cluster_sums.bread)
    if inverted is None:
        return None
    assert solution.all_rows is not None
    back = inverted @ cluster_sums.frame.T
    return of_sums(cluster_sums.pulls @ back) * ((solution.all_rows.counting - 1) / degrees)


def count(solution: Solution, column: str) -> dict[str, int]:
    """Return how many clusters there are, by the column that tells them apart."""
    cluster_sums = sums(solution)
    return {column: 0 if cluster_sums is None else len(cluster_sums.pulls)}


@once
def sums(solution: Solution) -> Sums | None:
    """Return what a pass over all rows finds; None if a sample of them does not determine the parameters."""
    all_rows, (column,) = solution.all_rows, read_errors(solution.errors).columns
    assert all_rows is not None
    with np.errstate(all="ignore"):
        frame = orthogonal(counted_rows(solution).jacobian)
        return None if frame is None else all_rows.lazy.attempt(lambda: _pass(solution, all_rows, frame[1], column))


def _pass(solution: Solution, all_rows: AllRows, frame: Array, column: str) -> Sums:
    size = len(frame)
    bread, pulls, rows_of_clusters = np.zeros((size, size)), np.zeros((0, size)), np.zeros(0)
    for block in all_rows.lazy.blocks(BLOCK):
        rows = score_block(solution, block)
        if not rows.y.size:
            continue
        along = rows.jacobian @ frame
        bend, pull = bend_and_pull(rows, solution.loss_function, size)
        bread += (along * bend[:, None]).T @ along
        cluster_codes = block.columns[name_of((column,))][rows.places].astype(np.intp)
        most = max(len(rows_of_clusters), int(cluster_codes.max()) + 1)
        pulls = np.concatenate([pulls, np.zeros((most - len(rows_of_clusters), size))])
        rows_of_clusters = np.concatenate([rows_of_clusters, np.zeros(most - len(rows_of_clusters))]) + np.bincount(
            cluster_codes, rows.omega > 0.0, most
        )
        for part in range(size):
            pulls[:, part] += np.bincount(cluster_codes, along[:, part] * pull, most)
    return Sums(bread, pulls[rows_of_clusters > 0.0], frame)
