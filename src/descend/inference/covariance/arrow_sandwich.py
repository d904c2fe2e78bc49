"""The covariance that holds whatever the distribution of the residuals, where the curvature is an arrow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.engines.arrow import Arrow, Layout
from descend.inference.covariance.arrow import variances_along
from descend.inference.covariance.clusters import combinations
from descend.inference.covariance.sandwich import ALONE, POWERS, bend_and_pull, weakened
from descend.inference.scored_rows import ScoredRows, counted_rows
from descend.problem.point import Array

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
OWN_ALONE = 1e-7
"""The same, where the parameters that groups share count as known."""


def arrow_sandwich(
    solution: Solution, mask: Mask | None, kind: str, degrees: float, clusters: Sequence[Places] = ()
) -> Arrow | None:
    """Return B^-1 (sum g_i g_i' c_i) B^-1, of which only the entries of an arrow are formed; see ``sandwich``.

    With the own derivatives o_i and the shared ones s_i of row i in group g, and A_g, B_g and V as in
    ``engines.arrow``, row i pulls the shared parameters by p_i = V (s_i - B_g' a_i), a_i = A_g^-1 o_i, those of its
    group by a_i - Y_g p_i, and those of any other group h by -Y_h p_i. The entries are sums of products of these. Of
    clusters, the a_i of a cluster within a group are summed first, and the p_i of a cluster.
    """
    engine, rows = solution.objective.engine.grouped, counted_rows(solution)
    assert engine is not None and rows.parts is not None
    free = np.ones(solution.theta.size, dtype=bool) if mask is None else mask
    if solution.objective.bounds is not None:
        free = free & ~solution.objective.bounds.held(solution.theta)
    bend, pull = bend_and_pull(rows, solution.loss_function, solution.theta.size)
    along = np.where(free[rows.parts[1]], rows.parts[0], 0.0)
    bread = summed(engine.layout, along, rows.parts[1], bend).of(free)
    inverse = inverted(bread, engine.layout, free)
    if inverse is None:
        return None
    loss = solution.loss_function
    power = POWERS.get(kind, 0.0)
    alone = np.zeros(bread.blocks.shape[2], dtype=bool)
    if not clusters and not loss.kinked:
        left = 1.0 - bend * variances_along(inverse, along, rows.parts[1])
        if loss.likelihood and (left < ALONE).any():
            some = left < ALONE
            lone_groups = groups_of_one(engine.layout, along[some], rows.parts[1][some], bend[some], bread)
            if lone_groups is None:
                return None
            alone[lone_groups] = True
        pull = weakened(pull, left, loss, power)
    elif clusters and loss.kinked:
        pull = rows.omega * rows.loss.slope(rows.score, rows.y)
    if not clusters:
        meat = summed(engine.layout, along, rows.parts[1], pull * pull)
        return sandwiched(meat, bread, inverse, alone) * (len(pull) / degrees if kind == "HC1" else 1.0)
    scored = _scored(engine.layout, rows, along * pull[:, None])
    total, factor = None, (len(pull) - 1) / degrees
    for sign, cluster_places in combinations(clusters):
        count = int(cluster_places.max()) + 1
        cluster_arrow = _meat(scored, bread, inverse, cluster_places) * (sign * factor * count / (count - 1))
        total = cluster_arrow if total is None else _added(total, cluster_arrow)
    return total


def _added(one: Arrow, arrow: Arrow) -> Arrow:
    return Arrow(one.layout, one.blocks + arrow.blocks, one.border + arrow.border, one.shared + arrow.shared)


def inverted(bread: Arrow, layout: Layout, free: Mask) -> Arrow | None:
    """Return the inverse of the bread of the free components, among zeros for the others; None if there is none."""
    scale = np.sqrt(bread.diagonal())
    factored = bread.scaled(scale).factored() if bread.finite and (scale > 0.0).all() else None
    return None if factored is None else factored.inverse.scaled(scale).among(layout, free)


def groups_of_one(layout: Layout, along: Array, parameter_places: Places, bend: Array, bread: Arrow) -> Places | None:
    """Return the groups of some rows that leave nothing of themselves; None if it is not their group's parameters alone
    that each of them determines, but what groups share.
    """
    group, own_scores, _ = scored_parts(layout, along, parameter_places)
    with np.errstate(all="ignore"):
        blocks = np.linalg.inv(bread.blocks[:, :, group].transpose(2, 0, 1))
    left = 1.0 - bend * np.einsum("ir,rij,jr->r", own_scores, blocks, own_scores)
    return group if (left < OWN_ALONE).all() else None


def sandwiched(meat: Arrow, bread: Arrow, inverse: Arrow, alone: Mask) -> Arrow:
    """Return the entries of the sandwich, from those of its meat, sum g_i g_i' c_i, which is an arrow, too.

    With Y_g = A_g^-1 B_g the sums of the products of p_i = V (s_i - Y_g' o_i) and of a_i = A_g^-1 o_i follow from the
    blocks, the border and the shared part of the meat. alone: the groups of whose parameters nothing is known.
    """
    layout, (blocks, reach) = inverse.layout, _eliminated(bread, inverse)
    pulled = np.einsum("isg,itg->st", reach, meat.border, optimize=True)
    twice = np.einsum("isg,ijg,jtg->st", reach, meat.blocks, reach, optimize=True)
    of_shared = inverse.shared @ (meat.shared - pulled - pulled.T + twice) @ inverse.shared
    border_left = meat.border - np.einsum("ijg,jsg->isg", meat.blocks, reach)
    across = np.einsum("ijg,jsg,st->itg", blocks, border_left, inverse.shared, optimize=True)
    own_blocks = np.einsum("ijg,jkg,klg->ilg", blocks, meat.blocks, blocks, optimize=True)
    sandwich_arrow = _assembled(layout, own_blocks, across, of_shared, reach)
    if not alone.any():
        return sandwich_arrow
    unknown = np.zeros(layout.size, dtype=bool)
    unknown[layout.own[:, alone]] = True
    return sandwich_arrow.without(unknown)


def summed(layout: Layout, along: Array, parameter_places: Places, weights: Array) -> Arrow:
    """Return sum w_i f_i f_i' as an arrow. along, places: as in ``ScoredRows.parts``."""
    group, own_scores, shared = scored_parts(layout, along, parameter_places)
    groups = layout.own.shape[1]
    weighted = own_scores * weights
    blocks, border = (_by_group(group, weighted, other_scores, groups) for other_scores in (own_scores, shared))
    return Arrow(layout, blocks, border, (shared * weights) @ shared.T)


def _by_group(group: Places, left_scores: Array, right_scores: Array, groups: int) -> Array:
    """Return the sums over the rows of each group of the products of every two, (m, n, G)."""
    sums = [[np.bincount(group, left * right, groups) for right in right_scores] for left in left_scores]
    return np.array(sums, dtype=np.float64).reshape(len(left_scores), len(right_scores), groups)


def _scored(layout: Layout, rows: ScoredRows, along: Array) -> tuple[Places, Array, Array]:
    assert rows.parts is not None
    return scored_parts(layout, along, rows.parts[1])


def scored_parts(layout: Layout, along: Array, parameter_places: Places) -> tuple[Places, Array, Array]:
    """Return the group of each row, and its derivatives by own, (k, rows), and by shared parameters, (s, rows)."""
    group_of, item = np.full(layout.size, -1), np.full(layout.size, -1)
    group_of[layout.own] = np.arange(layout.own.shape[1])
    item[layout.own] = np.arange(len(layout.own))[:, None]
    number = np.full(layout.size, -1)
    number[layout.shared] = np.arange(len(layout.shared))
    rows = np.arange(len(along))
    own_scores, shared = np.zeros((len(layout.own), len(along))), np.zeros((len(layout.shared), len(along)))
    for score, parameter_place in zip(along.T, parameter_places.T, strict=True):
        mine = item[parameter_place] >= 0
        own_scores[item[parameter_place[mine]], rows[mine]] += score[mine]
        shared[number[parameter_place[~mine]], rows[~mine]] += score[~mine]
    return group_of[parameter_places].max(axis=1), own_scores, shared


def _meat(scored: tuple[Places, Array, Array], bread: Arrow, inverse: Arrow, clusters: Places) -> Arrow:
    """Return the entries of the sandwich of clusters. scored: derivatives times the pull of each row."""
    group, own_scores, shared = scored
    layout, groups = inverse.layout, inverse.blocks.shape[2]
    blocks, reach = _eliminated(bread, inverse)
    alone = np.einsum("ijr,jr->ir", blocks[:, :, group], own_scores)
    pulls = inverse.shared @ (shared - np.einsum("isr,ir->sr", reach[:, :, group], own_scores))
    cells, within = np.unique(clusters * groups + group, return_inverse=True)
    alone, group = _summed_by(within, alone), cells % groups
    pulls = _summed_by(clusters, pulls)
    across = _by_group(group, alone, pulls[:, cells // groups], groups)
    return _assembled(layout, _by_group(group, alone, alone, groups), across, pulls @ pulls.T, reach)


def _eliminated(bread: Arrow, inverse: Arrow) -> tuple[Array, Array]:
    """Return A_g^-1, (k, k, G), and A_g^-1 B_g, (k, s, G), with zeros for what is held."""
    position_of = bread.layout.there
    shared_mask = np.isin(inverse.layout.shared, np.flatnonzero(_free(bread, inverse)))
    border = np.zeros_like(inverse.border)
    border[:, shared_mask] = bread.border
    inverse_blocks = np.linalg.inv(bread.blocks.transpose(2, 0, 1)).transpose(1, 2, 0)
    blocks: Array = np.where(position_of & position_of[:, None], inverse_blocks, 0.0)
    return blocks, np.einsum("ijg,jsg->isg", blocks, border)


def _assembled(layout: Layout, own_blocks: Array, across: Array, of_shared: Array, reach: Array) -> Arrow:
    """Return the sandwich. own: sums of a_i a_i' by group; across: of a_i p_i'; of_shared: sum p_i p_i'."""
    mixed = np.einsum("isg,jsg->ijg", across, reach)
    twice = np.einsum("isg,st,jtg->ijg", reach, of_shared, reach, optimize=True)
    border = across - np.einsum("isg,st->itg", reach, of_shared)
    return Arrow(layout, own_blocks - mixed - mixed.transpose(1, 0, 2) + twice, border, of_shared)


def _summed_by(cluster_places: Places, values: Array) -> Array:
    """Return the sums of values, (k, rows), over the rows of each place."""
    return np.array([np.bincount(cluster_places, column) for column in values]).reshape(len(values), -1)


def _free(bread: Arrow, inverse: Arrow) -> Mask:
    """Mark the components of theta that the bread has."""
    free = np.zeros(len(inverse), dtype=bool)
    free[inverse.layout.own[bread.layout.there]] = True
    free[inverse.layout.shared[inverse.shared.diagonal() > 0.0]] = True
    return free
