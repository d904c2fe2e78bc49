"""The sandwich of very many parameters per group of rows that stay where they are: two passes sum two arrows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.engines.arrow import Arrow
from descend.engines.totals import GroupedEngine
from descend.inference.covariance.arrow import variances_along
from descend.inference.covariance.arrow_sandwich import groups_of_one, inverted, sandwiched, summed
from descend.inference.covariance.sandwich import ALONE, POWERS, bend_and_pull, weakened
from descend.inference.scored_rows import ScoredRows
from descend.problem.point import Array
from descend.table.rows import Columns

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
BLOCK = 1 << 16
"""Rows read at a time."""


def streamed_arrow_sandwich(
    solution: Solution, engine: GroupedEngine, mask: Mask | None, kind: str, degrees: float
) -> Arrow | None:
    """Return B^-1 (sum g_i g_i' c_i) B^-1 as ``arrow_sandwich`` does; None if the data give none."""
    all_rows = solution.all_rows
    assert all_rows is not None
    free = np.ones(solution.theta.size, dtype=bool) if mask is None else mask
    if solution.objective.bounds is not None:
        free = free & ~solution.objective.bounds.held(solution.theta)
    layout = engine.layout

    def blocks() -> Iterator[tuple[Array, Places, Array, Array]]:
        """Yield derivatives and their places, b_i and g_i of the rows of each block."""
        for block in all_rows.lazy.blocks(BLOCK):
            rows = _scored(solution, block.columns, block.omega)
            assert rows.parts is not None
            share = len(rows.y) / all_rows.counting  # of the rows that a fit of a loss with kinks passes through
            bend, pull = bend_and_pull(rows, solution.loss_function, int(share * solution.theta.size))
            yield np.where(free[rows.parts[1]], rows.parts[0], 0.0), rows.parts[1], bend, pull

    def bread() -> Arrow:
        return _total(summed(layout, along, parameter_places, bend) for along, parameter_places, bend, _ in blocks())

    of_free = all_rows.lazy.attempt(bread).of(free)
    inverse = inverted(of_free, layout, free)
    if inverse is None:
        return None
    loss, power, alone = solution.loss_function, POWERS.get(kind, 0.0), np.zeros(layout.own.shape[1], dtype=bool)
    shared_alone = False

    def meat() -> Iterator[Arrow]:
        nonlocal shared_alone
        for along, parameter_places, bend, pull in blocks():
            if not loss.kinked:
                left = 1.0 - bend * variances_along(inverse, along, parameter_places)
                some = left < ALONE
                if loss.likelihood and some.any():
                    lone_groups = groups_of_one(layout, along[some], parameter_places[some], bend[some], of_free)
                    shared_alone = shared_alone or lone_groups is None
                    alone[[] if lone_groups is None else lone_groups] = True
                pull = weakened(pull, left, loss, power)
            yield summed(layout, along, parameter_places, pull * pull)

    total = all_rows.lazy.attempt(lambda: _total(meat()))
    if shared_alone:
        return None
    return sandwiched(total, of_free, inverse, alone) * (all_rows.counting / degrees if kind == "HC1" else 1.0)


def _total(arrows: Iterator[Arrow]) -> Arrow:
    total_arrow = next(arrows)
    for arrow in arrows:
        total_arrow = total_arrow + arrow
    return total_arrow


def _scored(solution: Solution, columns: Columns, weights: Array | None) -> ScoredRows:
    model, symbolic = solution.model, solution.model.symbolic
    assert symbolic is not None
    score, along, parameter = symbolic.scores_and_parts(solution.theta, columns)
    own_columns = {name: columns[name] for name in solution.loss_function.own_columns}
    omega = np.ones(len(score)) if weights is None else weights
    loss = solution.loss_function.given(own_columns, solution.parameters)
    return ScoredRows(model.observed(columns), score, np.empty((len(score), 0)), omega, loss, parts=(along, parameter))
