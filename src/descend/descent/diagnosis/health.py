"""Whether a run is healthy: it converged, or ended within a small share of what it could reach."""

from __future__ import annotations

from descend.descent.diagnosis.case import Case
from descend.descent.outcome import Outcome

OF_LOSS = 0.1
"""A run whose loss is within this share of the lowest that can be reached has done what can be asked, ..."""
OF_PROGRESS = 1e-4
"""... and one that has left no more than this share of its way undone. For a module, which is never done: ..."""
OF_MODULE = 0.1


def healthy(case: Case) -> bool:
    """Whether nothing is wrong with how a run that stayed finite ended."""
    if case.outcome in (Outcome.CONVERGED, Outcome.INTERRUPTED):
        return True
    if case.outcome is Outcome.DIVERGED:
        return False
    if case.epochs == 0:
        return True
    progress = case.progress
    if case.is_module:
        settled = progress.swing < OF_MODULE or not progress.hovers
        return settled and progress.made > 0.0 and case.excess <= OF_MODULE * progress.made
    left = case.excess
    return left <= OF_LOSS * abs(case.reachable) or left <= OF_PROGRESS * max(progress.made, 0.0)
