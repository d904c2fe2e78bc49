"""Starting values of parameters per group, from a search of each group by itself."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from descend.gradients.derived import Program
from descend.problem.point import Objective
from descend.starts.groups import one_curve
from descend.starts.search import Start, search
from descend.starts.trial_points import descended
from descend.table.rows import Rows

Array = NDArray[np.float64]
MOST_GROUPS = 60
"""More groups are not searched one by one."""
EPOCHS = 60
"""Epochs after which two starts are compared."""
LOWER = 1e-3
"""By which share J has to be lower for the start to be another."""


def start_of_each_group(
    program: Program, rows: Rows, objective: Objective, found: Start, before: float, given: Collection[str]
) -> Start:
    """Return the start, or a better one: of each group its own parameters, found from its rows alone.

    before: J after a short descent from the start.

    A search in all parameters at once hardly finds peaks and waves that lie elsewhere in each group, while for a single
    group they are found as those of any curve. What the groups share is the median of what they find.
    """
    terms = program.formula.terms.values()
    levels = {term.levels for term in terms if term.levels is not None}
    tied = {term.vector for term in terms if term.levels is None} & {term.vector for term in terms if term.levels}
    if len(levels) != 1 or tied or given:  # a group that follows another is no curve by itself
        return found
    (groups,) = levels
    if not 1 < len(groups) <= MOST_GROUPS:
        return found
    curve, codes = one_curve(program), rows.columns[groups.name]
    size = curve.parameters.size
    each = np.full((len(groups), size), np.nan)
    for group in range(len(groups)):
        group_rows = np.flatnonzero(codes == group)
        if len(group_rows) <= size:
            return found
        alone = search(curve, rows.take(group_rows), np.ones(size), frozenset(), True)
        if alone is None:
            return found
        each[group] = alone.theta
    theta = np.empty(program.parameters.size)
    for name, theta_slice in program.parameters.slices.items():
        group_values = each[:, curve.parameters.slices[name]]
        alike = theta_slice.stop - theta_slice.start == group_values.shape[1]
        theta[theta_slice] = np.median(group_values, axis=0) if alike else group_values.ravel()
    if objective.bounds is not None:
        theta = objective.bounds.interior(theta)
    after, end = descended(objective, theta, EPOCHS)
    if not after < before * (1.0 - LOWER) or not math.isfinite(after):
        return found
    return Start(end, f"start found in each of {len(groups)} groups by itself")
