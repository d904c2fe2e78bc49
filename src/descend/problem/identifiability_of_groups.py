"""Which groups do not determine their own parameters, and for which shared ones these can make up, in words."""

from __future__ import annotations

import numpy as np

from descend.engines.arrow import Arrow
from descend.formula.trade_off import joined
from descend.models import Model
from descend.problem.arrow_rank import ArrowRank, rank_of_arrow
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
    found = rank_of_arrow(objective(point.theta, 3), free)
    if found is None or (found.kept == free).all():
        return (), ()
    labels = model.parameters.labels
    unknown = tuple(labels[place] for place in np.flatnonzero(free & ~found.estimable).tolist())
    return unknown, sentences(model, arrow, found)


def surely_determined(arrow: Arrow) -> bool:
    """Whether the variance of no parameter is much larger than if the others were known."""
    diagonal = arrow.diagonal()
    if not (arrow.finite and (diagonal > 0.0).all()):
        return False
    factored = arrow.scaled(np.sqrt(diagonal)).factored()
    return factored is not None and float(factored.inverse.diagonal().max(initial=0.0)) < 1e9


def sentences(model: Model, arrow: Arrow, found: ArrowRank) -> tuple[str, ...]:
    """Say which groups and which shared parameters are undetermined."""
    said = []
    if found.groups.size:
        said.append(_of_groups(model, arrow, found))
    if found.shared.size:
        labels = model.parameters.labels
        names = [name for name, shape in model.parameters.shapes.items() if isinstance(shape, GroupLabels)]
        said.append(
            f"{joined([labels[place] for place in found.shared.tolist()])} cannot be told apart from "
            f"{joined(names)}, which can make up for any change of it in every group. Remove one of them, or fix it."
        )
    return tuple(said)


def _of_groups(model: Model, arrow: Arrow, found: ArrowRank) -> str:
    layout, groups = arrow.layout, layout_groups(model, arrow)
    names = owners(model, arrow)
    unknown = ~found.estimable[layout.own[:, found.groups]]
    involved = [name for name, part in zip(names, unknown, strict=True) if part.any()]
    some = [groups.labels[group] for group in found.groups[:NAMED].tolist()]
    more = len(found.groups) - len(some)
    which = f"group {some[0]}" if len(found.groups) == 1 else f"{len(found.groups):,} groups"
    listed = "" if len(found.groups) == 1 else f" ({', '.join(some)}{f' and {more:,} more' if more else ''})"
    its, them = ("its", "it") if len(found.groups) == 1 else ("their", "them")
    return (
        f"The rows of {which}{listed} do not determine {its} {joined(list(dict.fromkeys(involved)))}: they are too "
        f"few, or too much alike. Leave {them} out, or let groups share a parameter."
    )


def owners(model: Model, arrow: Arrow) -> list[str]:
    """Return the name of the parameter that each own component of a group belongs to."""
    names = []
    for place in arrow.layout.own[:, 0].tolist():
        names.append(next(name for name, part in model.parameters.slices.items() if part.start <= place < part.stop))
    return names


def layout_groups(model: Model, arrow: Arrow) -> Levels:
    """Return the groups of the finest grouping, in the order of the arrow."""
    labels = model.parameters.shapes[owners(model, arrow)[0]]
    assert isinstance(labels, GroupLabels)
    return labels.levels
