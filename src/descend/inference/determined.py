"""What the data determine at a solution: which parameters are free to move, at a bound, redundant, or open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from descend.descent.comments_on_solution import comment
from descend.descent.solution import Solution
from descend.identifiability.verdict import EXACT, EXACT_SUMMED, INVOLVED
from descend.inference.covariance.inverse_curvature import Array, Covariance, Mask
from descend.models import Model
from descend.optimizers.curvature import triangle
from descend.problem.point import Point

ROUNDING = 10.0
"""A share of a direction is only rounding up to this many times what a singular value may be that is zero."""


@dataclass(frozen=True)
class Rank:
    """What the data leave undetermined where the Jacobian lacks full rank.

    kept: the components that are determined once the others are held; there are as many as the rank.
    estimable: those determined by themselves: a direction that changes no prediction does not change them either.
    directions: (directions, p), along which no prediction changes; none where they are not known.
    """

    kept: Mask
    estimable: Mask
    directions: Array | None = None


def rank_of(point: Point) -> Rank | None:
    """Return what is still determined; None if the Jacobian R = Q S V' has full rank, or is not finite.

    A component is estimable if it is zero in every row of V' with a zero singular value. Its standard error is then the
    same for every generalized inverse of R'R. Source: Searle (1971), Linear Models, sec. 5.4.
    """
    free = np.ones(point.theta.size, dtype=bool) if point.bounds is None else ~point.bounds.held(point.theta)
    if not isinstance(point.curvature, np.ndarray):
        from descend.identifiability.of_groups import rank_of_arrow

        rank = rank_of_arrow(point, free)
        return None if rank is None or (rank.kept == free).all() else Rank(rank.kept, rank.estimable)
    upper = triangle(point)[0][:, free]
    norms = np.sqrt(np.add.reduce(upper * upper))
    if not np.isfinite(norms).all() or not norms.size:
        return None
    _, values, directions = np.linalg.svd(upper / np.where(norms > 0.0, norms, 1.0))
    exact = EXACT if point.factor is not None else EXACT_SUMMED
    null = directions[np.flatnonzero(values <= exact * values[0])]
    if not null.size:
        return None
    mask, estimable, all_directions = free.copy(), free.copy(), np.zeros((len(null), free.size))
    estimable[free] = np.abs(null).max(axis=0) <= INVOLVED
    without_rounding = np.where(np.abs(null) > ROUNDING * exact, null, 0.0)
    all_directions[:, free] = without_rounding / np.where(norms > 0.0, norms, 1.0)
    free_places = np.flatnonzero(free)
    while len(null):  # hold the component that is most free to move, then see what can still move
        row, column = np.unravel_index(np.argmax(np.abs(null)), null.shape)
        mask[free_places[column]] = False
        null = np.delete(null - np.outer(null[:, column] / null[row, column], null[row]), row, axis=0)
    return Rank(mask, estimable, all_directions)


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
