"""Whether a run is healthy: it converged, or ended within a small share of what it could reach."""

from __future__ import annotations

from descend.descent.outcome import Outcome
from descend.diagnosis.case import Case, close_enough

OF_MODULE = 0.1
"""Share of its way that a module may leave undone, as it is never done."""
OF_WAY = 0.01
"""Share of its way by which the loss of a module may go up and down: beside what it began with that is nothing."""


def healthy(case: Case) -> bool:
    """Whether nothing is wrong with how a run that stayed finite ended."""
    if case.outcome in (Outcome.CONVERGED, Outcome.INTERRUPTED):
        return True
    if case.outcome is Outcome.DIVERGED:
        return False
    if case.epochs == 0:
        return case.outcome is not Outcome.STALLED
    progress = case.progress
    if case.model.in_place and case.known_floor is None:
        little = progress.swing * abs(progress.level) < OF_WAY * progress.made
        settled = progress.swing < OF_MODULE or not progress.hovers or little
        return settled and progress.made > 0.0 and case.excess <= OF_MODULE * progress.made
    return close_enough(case.excess, abs(case.reachable), max(progress.made, 0.0))
