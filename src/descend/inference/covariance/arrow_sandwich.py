"""The covariance that holds whatever the distribution of the residuals, where the curvature is an arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.engines.arrow import Arrow, Layout
from descend.inference.covariance.arrow import derivatives_by_part, variances_along
from descend.inference.covariance.clusters import combinations
from descend.inference.covariance.sandwich import ALONE, POWERS, bend_and_pull, weakened
from descend.inference.scored_rows import counted_rows, score_block
from descend.inference.statistics import counting
from descend.problem.point import Array

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
BLOCK = 1 << 16
"""Rows read at a time where they stay where they are."""
OWN_ALONE = 1e-7
"""The same as ``sandwich.ALONE``, where the parameters that groups share count as known."""


def arrow_sandwich(
    solution: Solution, mask: Mask | None, kind: str, degrees: float, clusters: Sequence[Places] = ()
) -> Arrow | None:
    """Return B^-1 (sum g_i g_i' c_i) B^-1, of which only the entries of an arrow are formed; see ``sandwich``.

    With the own derivatives o_i and the shared ones s_i of row i in group g, and A_g, B_g and V as in
    ``engines.arrow``, row i pulls the shared parameters by p_i = V (s_i - B_g' a_i), a_i = A_g^-1 o_i, those of its
    group by a_i - Y_g p_i, and those of any other group h by -Y_h p_i. The entries are sums of products of these. Of
    clusters, the a_i of a cluster within a group are summed first, and the p_i of a cluster.

    The rows are read twice, block by block if they are not in memory: for the bread B, and for what lies within.
    """
    engine, loss, power = solution.objective.engine.grouped, solution.loss_function, POWERS.get(kind, 0.0)
    assert engine is not None
    free = np.ones(solution.theta.size, dtype=bool) if mask is None else mask
    if solution.objective.bounds is not None:
        free = free & ~solution.objective.bounds.held(solution.theta)
    layout, alone, shared_alone = engine.layout, np.zeros(engine.layout.own.shape[1], dtype=bool), False
    bread = _summed_in_passes(
        solution, lambda: (summed(layout, along, places, bend) for along, places, bend, _ in _pulls(solution, free))
    ).of(free)
    inverse = inverted(bread, layout, free)
    if inverse is None:
        return None
    if clusters:
        return _of_clusters(solution, free, bread, inverse, degrees, clusters)

    def meat() -> Iterator[Arrow]:
        nonlocal shared_alone
        for along, parameter_places, bend, pull in _pulls(solution, free):
            if not loss.kinked:
                left = 1.0 - bend * variances_along(inverse, along, parameter_places)
                some = left < ALONE
                if loss.likelihood and some.any():
                    lone_groups = groups_of_one(layout, along[some], parameter_places[some], bend[some], bread)
                    shared_alone = shared_alone or lone_groups is None
                    alone[[] if lone_groups is None else lone_groups] = True
                pull = weakened(pull, left, loss, power)
            yield summed(layout, along, parameter_places, pull * pull)

    total = _summed_in_passes(solution, meat)
    if shared_alone:
        return None
    return sandwiched(total, bread, inverse, alone) * (counting(solution) / degrees if kind == "HC1" else 1.0)


def _pulls(solution: Solution, free: Mask) -> Iterator[tuple[Array, Places, Array, Array]]:
    """Yield the derivatives of the rows of each block and their places, and b_i and g_i; see ``bend_and_pull``."""
    all_rows, loss, size = solution.all_rows, solution.loss_function, solution.theta.size
    blocks = [None] if all_rows is None else all_rows.lazy.blocks(BLOCK)
    for block in blocks:
        rows = counted_rows(solution) if block is None else score_block(solution, block)
        assert rows.parts is not None
        # A fit of a loss with kinks passes through as many rows as it has parameters; of a block, through its share.
        through = size if all_rows is None else int(len(rows.y) / all_rows.counting * size)
        bend, pull = bend_and_pull(rows, loss, through)
        yield np.where(free[rows.parts[1]], rows.parts[0], 0.0), rows.parts[1], bend, pull


def _summed_in_passes(solution: Solution, arrows: Callable[[], Iterator[Arrow]]) -> Arrow:
    """Return the sum of the arrows of all blocks; those are read again where a connection is lost meanwhile."""

    def total() -> Arrow:
        blocks = arrows()
        return sum(blocks, start=next(blocks))

    return total() if solution.all_rows is None else solution.all_rows.lazy.attempt(total)


def _of_clusters(
    solution: Solution, free: Mask, bread: Arrow, inverse: Arrow, degrees: float, clusters: Sequence[Places]
) -> Arrow:
    """Return the sandwich of clusters of rows in memory, see ``clusters.of_clusters``."""
    rows = counted_rows(solution)
    assert rows.parts is not None
    along = np.where(free[rows.parts[1]], rows.parts[0], 0.0)
    pull = rows.omega * rows.loss.slope(rows.score, rows.y)
    scored = derivatives_by_part(inverse.layout, along * pull[:, None], rows.parts[1])
    of_combinations = []
    for sign, cluster_places in combinations(clusters):
        count = int(cluster_places.max()) + 1
        factor = sign * (len(pull) - 1) / degrees * count / (count - 1)
        of_combinations.append(_meat(scored, bread, inverse, cluster_places) * factor)
    return sum(of_combinations[1:], start=of_combinations[0])


def inverted(bread: Arrow, layout: Layout, free: Mask) -> Arrow | None:
    """Return the inverse of the bread of the free components, among zeros for the others; None if there is none."""
    scale = np.sqrt(bread.diagonal())
    factored = bread.scaled(scale).factored() if bread.finite and (scale > 0.0).all() else None
    return None if factored is None else factored.inverse.scaled(scale).among(layout, free)


def groups_of_one(layout: Layout, along: Array, parameter_places: Places, bend: Array, bread: Arrow) -> Places | None:
    """Return the groups of some rows that leave nothing of themselves; None if it is not their group's parameters alone
    that each of them determines, but what groups share.
    """
    group, own_scores, _ = derivatives_by_part(layout, along, parameter_places)
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
    group, own_scores, shared = derivatives_by_part(layout, along, parameter_places)
    groups = layout.own.shape[1]
    weighted = own_scores * weights
    blocks, border = (_by_group(group, weighted, other_scores, groups) for other_scores in (own_scores, shared))
    return Arrow(layout, blocks, border, (shared * weights) @ shared.T)


def _by_group(group: Places, left_scores: Array, right_scores: Array, groups: int) -> Array:
    """Return the sums over the rows of each group of the products of every two, (m, n, G)."""
    sums = [[np.bincount(group, left * right, groups) for right in right_scores] for left in left_scores]
    return np.array(sums, dtype=np.float64).reshape(len(left_scores), len(right_scores), groups)


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
