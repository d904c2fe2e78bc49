"""Groups that descend once more: within their bounds, and from many starts where they failed or are fitted poorly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.many.descending_groups import Descents, Together
from descend.many.doubtful_groups import CLEARLY, MOST
from descend.many.grouped import Grouped
from descend.many.kept_minima import keep, losses_of
from descend.many.outcomes import Outcomes
from descend.many.starts import Starts, evenly, tried

Array = NDArray[np.float64]
Places = NDArray[np.intp]
LENT = 24
"""Groups with a poor fit from whose ends the others of them descend."""
POOR = 0.5
"""A fit that explains a smaller share of the variance is poor."""
OWN = 6
"""Starts found within bounds from which a group descends that ended outside of them."""
MANY, FEWEST, SELDOM = 40, 4, 0.03
"""Starts from which a group descends that is fitted poorly: fewer if more than this share of the groups are."""


def within_bounds(
    fitted: Grouped, together: Together, starts: Starts, groups_chosen: Places, descents: Descents, outcomes: Outcomes
) -> None:
    """Descend within the bounds where the minimum was found outside of them: from the nearest point, and the starts.

    The last steps of robust losses know no bounds: such groups are left to fits of their own.
    """
    outside = np.flatnonzero(outcomes.open[groups_chosen])
    if fitted.bounds is None or not len(outside) or not fitted.model.loss.likelihood:
        return
    groups, low, high = groups_chosen[outside], fitted.bounds.low, fitted.bounds.high
    within, points, few = replace(together, bounds=fitted.bounds), np.clip(starts.points, low, high), starts.few
    names_given = (fitted.request.start or {}).keys()
    if len(fitted.trial_points) > 1 and not set(fitted.model.parameters.shapes) <= set(names_given):
        # Where a bound holds a parameter far from where it would be, the others have minima elsewhere.
        trial = tried(within, groups, np.clip(fitted.trial_points, low, high), names_given)
        if trial is not None:
            points, few = np.unique(np.concatenate([points, np.clip(trial.points, low, high)]), axis=0), max(few, OWN)
    ends = np.where(np.isfinite(descents.theta[outside]), descents.theta[outside], points[0])
    nearest = within.descend(groups, np.clip(ends, low, high), np.arange(len(groups)))
    keep(fitted, groups, nearest.lower(within.from_best(groups, points, few)), outcomes, held=True)


def look_again(fitted: Grouped, together: Together, starts: Starts, groups_chosen: Places, outcomes: Outcomes) -> None:
    """Descend from many starts in the groups that failed or are fitted poorly: those, and where others of them ended.

    A group without the shape of the model has many minima, and those of such groups are far from all others.
    """
    failed, poor = (groups_chosen[some[groups_chosen]] for some in (outcomes.open, outcomes.r_squared < POOR))
    if not fitted.model.loss.quadratic:
        poor = poor[:0]  # outliers, which the loss makes little of, are no sign of another minimum
    if not fitted.model.loss.likelihood and fitted.bounds is not None:
        failed = failed[:0]
    if not len(failed) and not len(poor):
        return
    together = replace(together, bounds=fitted.bounds)
    ended = evenly(poor[np.isfinite(outcomes.errors[poor]).all(axis=1)], LENT)
    points = np.unique(np.concatenate([starts.points, fitted.trial_points, outcomes.parameters[ended]]), axis=0)
    few = int(np.clip(MANY * SELDOM * len(groups_chosen) / max(len(poor), 1), FEWEST, MANY))
    for groups, count in ((poor, few), (failed, len(points))):
        if len(groups):
            descents = together.from_best(groups, points, count)
            keep(fitted, groups, descents, outcomes, held=True)
            descents.endless &= ~_left_higher(fitted, together, groups, points, descents)
            outcomes.settle(groups, descents, *losses_of(fitted, groups, descents))


def _left_higher(
    groups_fitted: Grouped, together: Together, groups: Places, points: Array, descents: Descents
) -> NDArray[np.bool_]:
    """Return in which groups, at most `MOST`, an endless descent ended above one of the points: that proves nothing."""
    higher = np.zeros(len(groups), dtype=bool)
    endless_groups = np.flatnonzero(descents.endless)
    if together.bounds is None and len(endless_groups):
        loss = descents.loss[endless_groups]
        size = groups_fitted.about_mean[groups[endless_groups]] if groups_fitted.model.loss.quadratic else abs(loss)
        excess = loss - together.losses(groups[endless_groups], points).min(axis=0) - CLEARLY * size
        order = np.argsort(-excess, kind="stable")[:MOST]
        higher[endless_groups[order]] = excess[order] > 0.0
    return higher
