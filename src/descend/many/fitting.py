"""One fit for each group: together where the model allows it, by itself where a group needs more."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from descend.errors import DescendError
from descend.identifiability.symmetry import upright
from descend.many.arrays import NUMPY_ARRAYS
from descend.many.criteria import judge
from descend.many.doubtful_groups import beside, fit_doubted
from descend.many.grouped import Grouped
from descend.many.kept_minima import keep
from descend.many.linear import is_linear, roots_of_linear, solved_linear
from descend.many.outcomes import Outcomes
from descend.many.progress import Done, Progress
from descend.many.robust_scales import Scales
from descend.many.second_look import look_again, within_bounds
from descend.many.source_of_fits import Source
from descend.many.starts import Starts, evenly, tried
from descend.problem.preflight import check_rows
from descend.results import Fit
from descend.starts.search import can_agree

SAMPLED = 24
"""Groups that are fitted by themselves first, for starts that all others try, where trial points cannot show any."""
FEW = 2
"""Of these starts, those that a group descends from."""


def fit_each(fitted: Grouped, starts: Starts | None = None, on_done: Done | None = None) -> Outcomes:
    """Fit every group: 1. together, from starts given or tried; 2. some again; 3. those that failed by themselves.

    Linear least squares need no start and no second look.

    starts: those to try, if they are known. on_done: called with how many groups are done, and how many there are.
    """
    outcomes = Outcomes.none(len(fitted.groups), fitted.model.parameters.size)
    progress = Progress(len(fitted.groups), on_done)
    _refuse(fitted, outcomes)
    groups_chosen = np.flatnonzero(fitted.sound)
    together = fitted.together
    if together is not None and len(groups_chosen) and together.arrays is NUMPY_ARRAYS and is_linear(fitted.model):
        keep(fitted, groups_chosen, solved_linear(fitted, groups_chosen), outcomes)
        outcomes.roots = partial(roots_of_linear, fitted)
    elif together is not None and len(groups_chosen):
        starts = starts_of(fitted, outcomes) if starts is None else starts
        if len(starts.points) and fitted.to_estimate is not None:
            scales = Scales.estimated(together, fitted.to_estimate, groups_chosen, starts, fitted.neighbours)
            keep(fitted, groups_chosen, scales.descents, outcomes)
            together = scales.at_last(fitted.to_estimate)
        elif len(starts.points):
            descents = replace(together, progress=progress).from_best(groups_chosen, starts.points, starts.few)
            together.compare(groups_chosen, starts.points, starts.few, descents)
            keep(fitted, groups_chosen, descents, outcomes)
            within_bounds(fitted, together, starts, groups_chosen, descents, outcomes)
            look_again(fitted, together, starts, groups_chosen, outcomes)
            if not can_agree(together.program, (), fitted.bounds is not None):
                groups = groups_chosen[~outcomes.open[groups_chosen]]
                for theta in beside(together.program, outcomes.parameters[groups], fitted.bounds):
                    keep(fitted, groups, together.descend(groups, theta, np.arange(len(groups))), outcomes)
                fit_doubted(fitted, groups_chosen, outcomes)
            outcomes.in_order(together.program, (fitted.request.start or {}).keys(), fitted.bounds)
        outcomes.roots = replace(together, bounds=fitted.bounds).roots_of
    judge(fitted, groups_chosen, outcomes)
    if outcomes.roots is not None and fitted.derived_quantities:
        from descend.many.quantities import quantify

        quantify(fitted, groups_chosen, outcomes, outcomes.roots)
    left = np.flatnonzero(outcomes.open).tolist()
    for group_number, group in enumerate(left):
        progress.reached(len(fitted.groups) - len(left) + group_number)
        fit_alone(fitted, group, outcomes)
    return outcomes


def _refuse(fitted: Grouped, outcomes: Outcomes) -> None:
    """Refuse the groups with fewer rows than parameters, as a fit of each would."""
    if fitted.request.l1 or fitted.request.l2:
        return
    for group in np.flatnonzero(fitted.complete & (fitted.groups.sizes < fitted.model.parameters.size)).tolist():
        try:
            check_rows(
                fitted.model, fitted.rows_of(group), int(fitted.groups.sizes[group]), fitted.source(group), False
            )
        except DescendError as refusal:
            outcomes.refuse(group, str(refusal))
    for group in np.flatnonzero(~fitted.groups.with_all_levels(fitted.columns, fitted.model.codings)).tolist():
        try:
            fitted.table_of(group)
        except DescendError as refusal:
            outcomes.refuse(group, str(refusal))


def starts_of(fitted: Grouped, outcomes: Outcomes) -> Starts:
    """Return the starts that were given, or that trial points lead to, or where the fits of a few groups ended."""
    starts, parameters, constraints = fitted.request.start or {}, fitted.model.parameters, fitted.model.constraints
    starts = starts if constraints is None else constraints.reduced(starts)
    if set(parameters.shapes) <= set(starts):
        return Starts(parameters.start(dict(starts), 1.0)[None], 1)
    groups_chosen = np.flatnonzero(fitted.sound)
    if fitted.searching is not None and len(fitted.trial_points):
        groups = tried(fitted.searching, groups_chosen, fitted.trial_points, starts.keys())
        if groups is not None and fitted.model.symbolic is not None:
            columns = fitted.rows_of(int(groups_chosen[0]))
            ends = [
                upright(fitted.model.symbolic, each, columns, starts.keys(), fitted.bounds) for each in groups.points
            ]
            return replace(groups, points=np.array(ends))
    fits = (fit_alone(fitted, group, outcomes) for group in evenly(groups_chosen, SAMPLED).tolist())
    ends = [fit.theta for fit in fits if fit is not None and fit.succeeded]
    return Starts(np.unique(np.array(ends).reshape(-1, parameters.size), axis=0), FEW)


def fit_alone(groups_fitted: Source, group: int, outcomes: Outcomes) -> Fit | None:
    """Fit one group by itself, and keep what came of it."""
    try:
        fit = groups_fitted.alone(group)
    except DescendError as refusal:
        outcomes.refuse(group, str(refusal))
        return None
    outcomes.put(group, fit)
    return fit
