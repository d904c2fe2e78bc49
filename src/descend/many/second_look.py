"""Groups that descend once more: within their bounds, and from many starts where they failed or are fitted poorly."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.many.keeping import Known, keep, losses_of
from descend.many.outcomes import Outcomes
from descend.many.starts import Starts, evenly
from descend.many.together import Found, Together

Array = NDArray[np.float64]
Places = NDArray[np.intp]
LENT = 24
"""Groups with a poor fit from whose ends the others of them descend."""
POOR = 0.5
"""A fit that explains a smaller share of the variance is poor."""
MANY, FEWEST, SELDOM = 40, 4, 0.03
"""Starts from which a group descends that is fitted poorly: fewer if more than this share of the groups are."""


class Searched(Known, Protocol):
    """What else has to be known of groups: see `Grouped`."""

    @property
    def trial_points(self) -> Array: ...


def within_bounds(
    work: Searched, together: Together, starts: Starts, chosen: Places, found: Found, outcomes: Outcomes
) -> None:
    """Descend within the bounds where the minimum was found outside of them: from the nearest point, and the starts."""
    outside = np.flatnonzero(outcomes.open[chosen])
    if work.bounds is None or not len(outside):
        return
    groups, low, high = chosen[outside], work.bounds.low, work.bounds.high
    known, points = replace(together, bounds=work.bounds), np.clip(starts.points, low, high)
    ends = np.where(np.isfinite(found.theta[outside]), found.theta[outside], points[0])
    nearest = known.descend(groups, np.clip(ends, low, high), np.arange(len(groups)))
    keep(work, groups, nearest.lower(known.from_best(groups, points, starts.few)), outcomes, held=True)


def look_again(work: Searched, together: Together, starts: Starts, chosen: Places, outcomes: Outcomes) -> None:
    """Descend from many starts in the groups that failed or are fitted poorly: those, and where others of them ended.

    A group without the shape of the model has many minima, and those of such groups are far from all others.
    """
    failed, poor = (chosen[some[chosen]] for some in (outcomes.open, outcomes.r_squared < POOR))
    if not work.model.loss.quadratic:
        poor = poor[:0]  # outliers, which the loss makes little of, are no sign of another minimum
    if not len(failed) and not len(poor):
        return
    together = replace(together, bounds=work.bounds)
    ended = evenly(poor[np.isfinite(outcomes.errors[poor]).all(axis=1)], LENT)
    points = np.unique(np.concatenate([starts.points, work.trial_points, outcomes.parameters[ended]]), axis=0)
    few = int(np.clip(MANY * SELDOM * len(chosen) / max(len(poor), 1), FEWEST, MANY))
    for groups, count in ((poor, few), (failed, len(points))):
        if len(groups):
            found = together.from_best(groups, points, count)
            keep(work, groups, found, outcomes, held=True)
            outcomes.settle(groups, found, *losses_of(work, groups, found))
