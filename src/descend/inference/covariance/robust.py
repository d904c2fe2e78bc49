"""The covariances that do not follow from the curvature of J alone: which rows they take, and which clusters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.descent.solution import Solution
from descend.errors import ConfigError
from descend.inference.covariance.clusters import Places
from descend.inference.covariance.inverse_curvature import Covariance, Mask
from descend.inference.determined import at_bounds
from descend.inference.scored_rows import ScoredRows, row_weights, rows_by_distance
from descend.options.kinds_of_errors import read_errors
from descend.table.levels import name_of
from descend.wording import using


def robust_covariance(solution: Solution, kind: str, degrees: float, mask: Mask | None) -> Covariance | None:
    """Return the covariance of a kind other than "model", zero for what is not in ``mask``; None if there is none.

    Of rows that stay where they are only a sample is read, and its covariance scaled: that falls as 1 / rows, and a
    sample of 10,000 gives it to about 1%. Of clusters, whose sums a sample does not have, all rows are read.
    """
    named, all_rows = read_errors(kind), solution.all_rows
    if solution.objective.arrow:
        from descend.inference.covariance.arrow_sandwich import arrow_sandwich
        from descend.problem.arrow_limits import refuse_clusters

        if named.columns and all_rows is not None:
            refuse_clusters(solution.theta.size)
        arrow = arrow_sandwich(solution, mask, named.name, degrees, cluster_places(solution, named.columns))
        return None if arrow is None else arrow.without(arrow.diagonal() < 0.0)
    if all_rows is not None and named.columns:
        from descend.inference.covariance.streamed_clusters import clustered

        return clustered(solution, degrees, mask)
    rows = rows_by_distance(solution)
    if all_rows is not None:
        degrees = len(rows.y) - solution.model.parameters.size
        covariance = _of_rows(solution, rows, named.name, degrees, None)
        return None if covariance is None else covariance * (len(rows.y) / all_rows.counting)
    free = ~at_bounds(solution) if mask is None else mask
    return _of_rows(solution, rows, named.name, degrees, free, cluster_places(solution, named.columns))


def _of_rows(
    solution: Solution,
    rows: ScoredRows,
    kind: str,
    degrees: float,
    mask: Mask | None,
    clusters: Sequence[Places] = (),
) -> Covariance | None:
    from descend.inference.covariance.sandwich import iid_covariance, sandwich

    if kind == "iid":
        return iid_covariance(rows, degrees, mask)
    return sandwich(rows, solution.loss_function, degrees, mask, kind, clusters)


def cluster_places(solution: Solution, columns: tuple[str, ...]) -> list[Places]:
    """Return, for each column, the cluster of each row that counts. Raises ConfigError if it was not read."""
    counting = row_weights(solution) > 0.0
    cluster_codes = []
    for column in columns:
        codes = solution.columns.get(name_of((column,)))
        if codes is None:
            raise ConfigError(
                f"The column `{column}` was not read when this was fitted, so its clusters are not known. Fit again "
                f"with them{using('errors')}."
            )
        cluster_codes.append(codes[counting].astype(np.intp))
    return cluster_codes


def clusters_of(solution: Solution, kind: str) -> dict[str, int]:
    """Return how many clusters there are, by column."""
    columns = read_errors(kind).columns
    if solution.all_rows is not None:
        from descend.inference.covariance.streamed_clusters import count

        return count(solution, columns[0])
    cluster_codes = cluster_places(solution, columns)
    return {name: len(np.unique(codes)) for name, codes in zip(columns, cluster_codes, strict=True)}
