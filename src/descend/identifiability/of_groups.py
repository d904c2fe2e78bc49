"""What data leave open where very many parameters each belong to one group: first of groups, then of all, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Layout
from descend.engines.arrow_triangle import ArrowTriangle
from descend.formula.trade_off import joined
from descend.models import Model
from descend.optimizers.damped_arrow_systems import LEAST_DAMPING
from descend.problem.point import Array, Objective, Point
from descend.table.levels import Levels

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
EXACT, EXACT_SUMMED = 1e-12, 1e-7
"""A singular value below this share of the largest is only rounding; the second, where only its square is known."""
INVOLVED = 1e-4
"""A parameter takes part in a direction if its share of it is at least this."""
NAMED = 3
"""Groups that a sentence names."""


@dataclass(frozen=True)
class ArrowRank:
    """What is determined all the same where the Jacobian lacks full rank.

    kept: (p,) the components that are determined once the others are held, as many as the rank. estimable: (p,) those
    determined by themselves. groups: numbers of the groups whose rows do not determine their own parameters. shared:
    (m,) places in theta of the shared parameters that can move, if own ones follow, without any change.
    """

    kept: Mask
    estimable: Mask
    groups: Places
    shared: Places


def rank_of_arrow(point: Point, free: Mask | None = None) -> ArrowRank | None:
    """Return what is determined at a point, which was evaluated to order 3; None where its curvature is not finite.

    1. The singular values of each group's block, of columns scaled to unit length, tell which own parameters are
    undetermined. 2. With one own component held for each such direction, those of the Schur complement tell which
    directions of the shared parameters the own ones can make up for.

    free: the components that may move, the others counting as known.
    """
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    if not arrow.finite:
        return None
    moving = np.ones(len(arrow), dtype=bool) if free is None else free
    norms = np.sqrt(np.maximum(arrow.diagonal(), 0.0))
    basis_mask, estimable = moving & (norms > 0.0), moving & (norms > 0.0)
    exact = EXACT if isinstance(point.factor, ArrowTriangle) else EXACT_SUMMED
    scale = np.where(norms > 0.0, norms, 1.0)
    for _ in range(len(arrow.blocks)):  # the block of a group may lack several ranks
        values, directions, layout = _blocks(point, scale, basis_mask)
        null = values[:, -1] <= exact * values[:, 0]
        null &= layout.any(axis=0) if layout.ndim else null
        if not null.any():
            break
        worst = directions[null, -1]
        own = arrow.layout.own[:, null]
        chosen = np.abs(worst).argmax(axis=1)
        estimable[own.T[np.abs(worst) > INVOLVED]] = False
        basis_mask[own[chosen, np.arange(own.shape[1])]] = False
    groups = np.flatnonzero((~basis_mask & moving)[arrow.layout.own].any(axis=0))
    shared = _shared(point, scale, basis_mask, estimable, exact)
    return ArrowRank(basis_mask, estimable, groups, shared)


def _blocks(point: Point, scale: Array, kept: Mask) -> tuple[Array, Array, Mask]:
    """Return singular values, (G, k), and directions, (G, k, k), of the scaled blocks; what is held has the value 1."""
    if isinstance(point.factor, ArrowTriangle):
        triangle = point.factor.scaled(scale)
        k, there = triangle.own, kept[triangle.layout.own]
        mine = triangle.upper[:, :, :k] * there.T[:, None]
        stacked = np.concatenate([mine, np.zeros_like(mine)], axis=1)
        for i in range(k):
            stacked[~there[i], k + i, i] = 1.0
        _, values, directions = np.linalg.svd(stacked, full_matrices=False)
        return values, directions, there
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    scaled, there = arrow.scaled(scale).blocks.copy(), kept[arrow.layout.own]
    scaled *= there & there[:, None]
    for i in range(len(scaled)):
        scaled[i, i, ~there[i]] = 1.0
    squares, vectors = np.linalg.eigh(scaled.transpose(2, 0, 1))
    return np.sqrt(np.maximum(squares[:, ::-1], 0.0)), vectors[:, :, ::-1].transpose(0, 2, 1), there


def _shared(point: Point, scale: Array, kept: Mask, estimable: Mask, exact: float) -> Places:
    """Find what is undetermined of the shared parameters, and hold as many of them in ``kept``; return all involved."""
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    shared_places, involved = arrow.layout.shared, np.zeros(len(arrow.layout.shared), dtype=bool)
    for _ in range(len(shared_places)):
        free = np.flatnonzero(kept[shared_places])
        if not free.size:
            break
        schur, reach = _eliminated(point, scale, kept)
        _, values, directions = np.linalg.svd(schur)
        if values[-1] > exact * max(float(values[0]), 1.0):
            break
        null = directions[-1]
        shared_mask = np.abs(null) > INVOLVED
        involved[free[shared_mask]] = True
        estimable[shared_places[free[shared_mask]]] = False
        loose_groups = np.abs(np.einsum("isg,s->ig", reach, null)) > INVOLVED
        own = arrow.layout.own[loose_groups]
        estimable[own[kept[own]]] = False
        kept[shared_places[free[int(np.abs(null).argmax())]]] = False
    return shared_places[involved]


def _eliminated(point: Point, scale: Array, kept: Mask) -> tuple[Array, Array]:
    """Return what is left for the scaled shared parameters that are kept, and A_g^-1 B_g, by which own ones follow."""
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    estimable_arrow = arrow.scaled(scale).of(kept)
    factored = estimable_arrow.factored(1e-15)
    reach = np.zeros_like(estimable_arrow.border) if factored is None else factored.reach
    if isinstance(point.factor, ArrowTriangle):
        return point.factor.scaled(scale).of(kept).shared[:-1, :-1], reach
    schur = estimable_arrow.shared - np.einsum("isg,itg->st", estimable_arrow.border, reach, optimize=True)
    values, vectors = np.linalg.eigh(schur)
    return (vectors * np.sqrt(np.maximum(values, 0.0))).T, reach


def step_of_arrow(point: Point, free: Mask) -> Array:
    """Return the step of the free components to where the parabola at a point is least; NaN where there is none."""
    arrow, step = point.curvature, np.zeros(point.theta.size)
    assert isinstance(arrow, Arrow)
    free_arrow = arrow.of(free)
    diagonal = free_arrow.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    if not free_arrow.finite:
        return np.full(point.theta.size, np.nan)
    scaled = free_arrow.scaled(scale)
    if isinstance(point.factor, ArrowTriangle) and not point.proximal:
        step[free] = point.factor.of(free).scaled(scale).least() / scale
    else:
        factored = scaled.factored() or scaled.factored(LEAST_DAMPING)
        if factored is None:
            return np.full(point.theta.size, np.nan)
        step[free] = factored.solve(-point.slope[free] / scale) / scale
    return step


def verdict_of_groups(model: Model, objective: Objective, point: Point) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of what the data leave undetermined at a point of order 2, and sentences that say so."""
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    bounds = objective.bounds
    free = np.ones(len(arrow), dtype=bool) if bounds is None else ~bounds.held(point.theta)
    if surely_determined(arrow.of(free)):
        return (), ()
    arrow_rank = rank_of_arrow(objective(point.theta, 3), free)
    if arrow_rank is None or (arrow_rank.kept == free).all():
        return (), ()
    labels = model.parameters.labels
    unknown = tuple(labels[j] for j in np.flatnonzero(free & ~arrow_rank.estimable).tolist())
    return unknown, sentences(model, arrow, arrow_rank)


def surely_determined(arrow: Arrow) -> bool:
    """Whether the variance of no parameter is much larger than if the others were known."""
    diagonal = arrow.diagonal()
    if not (arrow.finite and (diagonal > 0.0).all()):
        return False
    factored = arrow.scaled(np.sqrt(diagonal)).factored()
    return factored is not None and float(factored.inverse.diagonal().max(initial=0.0)) < 1e9


def sentences(model: Model, arrow: Arrow, found: ArrowRank) -> tuple[str, ...]:
    """Say which groups and which shared parameters are undetermined."""
    sentences_of_groups = []
    if found.groups.size:
        sentences_of_groups.append(_of_groups(model, arrow, found))
    if found.shared.size:
        labels, names = model.parameters.labels, list(model.parameters.groups)
        sentences_of_groups.append(
            f"{joined([labels[j] for j in found.shared.tolist()])} cannot be told apart from {joined(names)}, which "
            "can make up for any change of it in every group. Remove one of them, or fix it."
        )
    return tuple(sentences_of_groups)


def _of_groups(model: Model, arrow: Arrow, found: ArrowRank) -> str:
    layout, (groups, names) = arrow.layout, levels_of(model, arrow.layout)
    unknown = ~found.estimable[layout.own[:, found.groups]]
    involved = [name for name, loose_levels in zip(names, unknown, strict=True) if loose_levels.any()]
    which, them = some_groups(groups, found.groups)
    its = "its" if them == "it" else "their"
    return (
        f"The rows of {which} do not determine {its} {joined(list(dict.fromkeys(involved)))}: they are too "
        f"few, or too much alike. Leave {them} out, or let groups share a parameter."
    )


def some_groups(levels: Levels, groups: Places) -> tuple[str, str]:
    """Return a few words that name groups by their numbers, the first of them by name, and "it" or "them"."""
    some = [levels.labels[group] for group in groups[:NAMED].tolist()]
    if len(groups) == 1:
        return f"group {some[0]}", "it"
    more = len(groups) - len(some)
    return f"{len(groups):,} groups ({', '.join(some)}{f' and {more:,} more' if more else ''})", "them"


def levels_of(model: Model, layout: Layout) -> tuple[Levels, list[str]]:
    """Return the groups of the finest grouping, in the order of an arrow, and the name of each of their parameters."""
    slices, names = model.parameters.slices, []
    for j in layout.own[:, 0].tolist():
        names.append(next(name for name, vector_slice in slices.items() if vector_slice.start <= j < vector_slice.stop))
    return model.parameters.groups[names[0]].levels, names
