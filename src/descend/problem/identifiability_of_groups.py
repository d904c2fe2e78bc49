"""Which groups do not determine their own parameters, and for which shared ones these can make up, in words."""

from __future__ import annotations

import numpy as np

from descend.engines.arrow import Arrow, Layout
from descend.formula.trade_off import joined
from descend.models import Model
from descend.problem.arrow_rank import ArrowRank, Places, rank_of_arrow
from descend.problem.point import Objective, Point
from descend.table.levels import GroupLabels, Levels

NAMED = 3
"""Groups that a sentence names."""


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
        labels = model.parameters.labels
        names = [name for name, shape in model.parameters.shapes.items() if isinstance(shape, GroupLabels)]
        sentences_of_groups.append(
            f"{joined([labels[j] for j in found.shared.tolist()])} cannot be told apart from "
            f"{joined(names)}, which can make up for any change of it in every group. Remove one of them, or fix it."
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
    labels = model.parameters.shapes[names[0]]
    assert isinstance(labels, GroupLabels)
    return labels.levels, names
