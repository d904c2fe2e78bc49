"""Where groups begin without starting values: trial points for all of them, and the ends of a few that are sampled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.formula.structure import interchangeable, waves
from descend.gradients.derived import Program
from descend.identifiability.symmetry import canonical
from descend.many.descending_groups import LEARNING, Together
from descend.many.rows_in_bands import GroupedRows
from descend.parameters import Bounds
from descend.starts.search import linear_components
from descend.starts.trial_points import name_of, trials

Array = NDArray[np.float64]
Places = NDArray[np.intp]
SAMPLED = 32
"""Groups that are fitted first, from the best of many trial points."""
ROWS = 512
"""Rows of them that trial points are made from, at most."""
ORDERED = 10_000
"""Rows of one of them that are put in order for that, at most."""
DESCENTS = 32
"""Trial points from which each of them descends."""
MOST = 6
"""Ends of theirs that all other groups try, at most."""
WORTH = 0.02
"""By how much an end has to lower the logarithm of the loss at the start, on average, to be tried by all."""
SAME = 1e-6
"""Losses that differ by a smaller share are those of one place."""
ENOUGH = 0.95
"""The share of the sampled groups that have to get to the best known place from one start."""


@dataclass(frozen=True)
class Starts:
    """Starts to try in each group, (s, p), and from how many of them, the best, to descend."""

    points: Array
    few: int


def can_be_tried(program: Program) -> bool:
    """Whether the best of trial points shows where to begin: a wave hides between them, and so do like terms."""
    return program.loss.quadratic and not waves(program.formula) and not interchangeable(program.formula)


def trial_points(
    program: Program,
    rows: GroupedRows,
    groups: Places,
    names_given: Collection[str],
    theta: Array,
    bounds: Bounds | None,
) -> Array:
    """Return points to try in any group, (points, p), in the units of the rows of these groups."""
    some = evenly(groups, SAMPLED)
    sampled_rows = np.concatenate([_in_order(rows, group) for group in some.tolist()])
    sampled_rows = evenly(sampled_rows, ROWS)
    columns = {name: column[sampled_rows] for name, column in rows.columns.items()}
    linear = linear_components(program, names_given)
    slices = program.parameters.slices
    scanned = [
        symbol
        for symbol in program.formula.unknowns
        if (name := name_of(program, symbol)) not in names_given and not linear[slices[name]].all()
    ]
    with np.errstate(all="ignore"):
        points = trials(program, columns, theta, scanned)
    if bounds is None:
        return points
    return np.array([bounds.folded(point, number) for number, point in enumerate(points)])


def _in_order(rows: GroupedRows, group: int) -> Places:
    """Return the rows of a group in an order that does not depend on theirs, which those of a database do not have."""
    rows_of_group = np.arange(rows.groups.ends[group], rows.groups.ends[group + 1])
    if len(rows_of_group) > ORDERED:
        return rows_of_group
    return rows_of_group[np.lexsort([column[rows_of_group] for column in rows.columns.values()])]


def tried(together: Together, groups: Places, points: Array, names_given: Collection[str]) -> Starts | None:
    """Return starts to try in each group; None if the sampled groups converge from none of the points.

    1. A few groups descend from the best of the trial points, and then from where the others of them ended.
    2. Of these ends, those are chosen one by one that lower the loss at the start most, over all of the few.
    3. If from the best of them each of the few gets to its lowest end, that one is enough. If very many groups are to
       begin there, the first from which each of the few does is the only one: what it lacks in being near a first step
       makes up for that is learned.
    """
    some = evenly(groups, SAMPLED)
    descents = together.from_best(some, points, DESCENTS)
    if descents.converged.any():
        ends = descents.theta[descents.converged]
        descents = descents.lower(together.from_best(some, ends, len(ends)))
    good = descents.converged
    if not good.any():
        return None
    some, ends, loss = some[good], descents.theta[good], descents.loss[good]
    ends = np.array([canonical(together.program, theta, names_given) for theta in ends])
    starts_chosen: list[Array] = []
    best = np.full(len(some), np.inf)
    while len(starts_chosen) < MOST:
        begun = np.log(np.maximum(together.losses(some, ends), np.finfo(float).tiny))
        means = np.minimum(best, begun).mean(axis=1)
        best_start = int(np.argmin(means))
        if starts_chosen and best.mean() - means[best_start] < WORTH:
            break
        starts_chosen.append(ends[best_start])
        best = np.minimum(best, begun[best_start])
        descents = together.from_best(some, np.array(starts_chosen), 1)
        same = descents.converged & (descents.loss <= loss * (1.0 + SAME))
        ends[same] = descents.theta[same]  # where several ends are as good, all groups take the like of one
        if len(groups) >= LEARNING and same.all():
            break
    return Starts(np.array(starts_chosen), 1 if same.mean() > ENOUGH else min(2, len(starts_chosen)))


def evenly(rows_in_order: Places, count: int) -> Places:
    """Return so many of some places, spread evenly."""
    return rows_in_order[np.linspace(0, len(rows_in_order) - 1, min(count, len(rows_in_order))).astype(np.intp)]
