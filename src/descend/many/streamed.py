"""Groups that do not fit into memory, fitted as their rows stream through it: sorted by group, a share at a time."""

from __future__ import annotations

import numpy as np

from descend.many.correlations import are_kept, correlations_of
from descend.many.criteria import criteria_of
from descend.many.fitting import fit_alone, fit_each, starts_of
from descend.many.groups_elsewhere import DistantGroups
from descend.many.outcomes import Outcomes
from descend.many.progress import Done
from descend.many.starts import SAMPLED, Starts, evenly


def fit_streamed(
    fitted: DistantGroups, on_done: Done | None = None, outcomes: Outcomes | None = None, starts: Starts | None = None
) -> Outcomes:
    """Fit every group; those with more rows than may be in memory where they lie, one by one.

    outcomes: what came of those that are fitted already. starts: to try, if they are known.
    """
    if outcomes is None:
        outcomes = Outcomes.none(len(fitted.groups), fitted.model.parameters.size)
    small = fitted.groups.sizes <= fitted.most
    if starts is None and outcomes.open.any():
        starts = starts_of_sample(fitted)

    def through() -> None:
        for group_places, share in fitted.shares(np.flatnonzero(outcomes.open & small)):
            outcomes.take(group_places, with_inference(fit_each(share, starts), len(fitted.groups)))
            if on_done is not None:
                on_done(int(np.count_nonzero(~outcomes.open)), len(fitted.groups))

    fitted.lazy.attempt(through)
    for group in np.flatnonzero(outcomes.open).tolist():
        fit_alone(fitted, group, outcomes)
    return outcomes


def with_inference(outcomes: Outcomes, groups: int) -> Outcomes:
    """Return what came of some of all groups with criteria and correlations, while their rows are at hand."""
    outcomes.criteria = criteria_of(outcomes)
    if are_kept(outcomes.parameters.shape[1], groups):
        outcomes.correlations = correlations_of(outcomes)
    return outcomes


def starts_of_sample(fitted: DistantGroups) -> Starts | None:
    """Return starts to try in each group: where the fits of a few ended, whose rows are fetched.

    None where groups cannot be fitted together, so that none is needed.
    """
    starts_given, parameters = fitted.request.start or {}, fitted.model.parameters
    if set(parameters.shapes) <= set(starts_given):
        theta = parameters.start(dict(starts_given), 1.0)[None]
        return Starts(theta, 1)
    sizes = fitted.groups.sizes
    likely = np.flatnonzero((fitted.complete == sizes) & (sizes >= parameters.size) & (sizes <= fitted.most))
    some = evenly(likely, SAMPLED)  # those that a fit in memory would look at
    fitting = some[np.cumsum(sizes[some]) <= fitted.most]
    if not len(fitting):
        return None
    sample = fitted.fetch(fitting)
    return None if sample.program is None else starts_of(sample, Outcomes.none(len(fitting), parameters.size))
