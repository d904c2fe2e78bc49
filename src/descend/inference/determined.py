"""What the data determine at a solution: which parameters are free to move, at a bound, redundant, or open."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Solution
from descend.inference.covariance import Covariance, Mask, Rank, rank_of
from descend.models import Model


@comment("the rank of the data")
def rank(solution: Solution) -> Rank | None:
    """Return what is still determined where a solution has undetermined parameters; None where it has none."""
    if not solution.undetermined:
        return None
    with np.errstate(all="ignore"):
        return rank_of(solution.objective(solution.theta, 3))


@comment("the parameters at a bound", empty=list)
def at_bound(solution: Solution) -> list[str]:
    """Return the labels of the parameters that ended at a bound."""
    return [] if solution.constraints is None else solution.constraints.at_bound(solution.theta)


def at_bounds(solution: Solution) -> Mask:
    """Mark the free components that lie at a bound."""
    bounds = None if solution.constraints is None else solution.constraints.bounds
    return np.zeros(solution.theta.size, dtype=bool) if bounds is None else bounds.held(solution.theta)


def standing(solution: Solution) -> int:
    """Return how many components of theta lie at a bound, or are fixed components of a vector."""
    return 0 if solution.constraints is None else solution.constraints.standing(solution.theta)


def determined(solution: Solution) -> int:
    """Return how many parameters the data determine: those free to move, less one for each that is redundant."""
    rank_known = rank(solution)
    return solution.model.parameters.size - standing(solution) if rank_known is None else int(rank_known.kept.sum())


def determined_parts(solution: Solution) -> Mask:
    """Mark the components that are determined once the redundant ones are held."""
    rank_known = rank(solution)
    return np.ones(solution.theta.size, dtype=bool) if rank_known is None else rank_known.kept


def free_to_move(solution: Solution) -> Mask:
    """Mark the parameters that a refit moves: all except the redundant ones, whose changes others can make up for."""
    rank_known = rank(solution)
    return np.ones(solution.theta.size, dtype=bool) if rank_known is None else rank_known.kept | at_bounds(solution)


def undetermined(model: Model, covariance: Covariance, labels: Collection[str]) -> Mask:
    """Mark the free components that the data do not determine by themselves: in ``labels``, or without a variance."""
    unknown: Mask = np.isnan(covariance.diagonal())
    open_labels = set(labels)
    unknown[[label in open_labels for label in model.parameters.labels]] = True
    return unknown


def censored(solution: Solution) -> dict[str, int]:
    """Return how many responses are censored on each side; empty if none can be, or the rows are not in memory."""
    return {} if solution.all_rows is not None else solution.loss_function.censored(solution.columns)


def response_levels(solution: Solution) -> dict[str, float]:
    """Return what each word of the response counted as; empty for a response of numbers."""
    table = solution.table
    return {} if table is None else dict(table.counted.get(solution.model.response, {}))
