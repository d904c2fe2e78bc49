"""A run that ended is examined: whether it is healthy, and what is wrong with it otherwise."""

from __future__ import annotations

import warnings

import numpy as np

from descend.descent.outcome import Outcome
from descend.descent.run import Run
from descend.diagnosis.bad_rows import taken_along
from descend.diagnosis.case import Case, case_of
from descend.diagnosis.cause import HEALTHY, Diagnosis
from descend.diagnosis.progress import close_enough
from descend.errors import DescendError

OF_MODULE = 0.1
"""Share of its decrease that a module may still have ahead, as training a module is never quite finished."""
OF_WAY = 0.01
"""The loss of a module may go up and down by this share of its total decrease, which is negligible."""


def diagnose(run: Run) -> Diagnosis:
    """Name the cause of a run that failed or fell short; a healthy one has none.

    A fit is never lost because its run cannot be examined: the diagnosis says so instead, with a warning if the error
    is ours and not that of the user's function.
    """
    try:
        return _examined(run)
    except Exception as error:
        failure = f"Its run could not be examined any closer: {str(error) or type(error).__name__}"
        if not isinstance(error, DescendError | MemoryError):
            failure = f"Its run could not be examined any closer ({type(error).__name__}: {error}). Please report this."
            warnings.warn(failure, RuntimeWarning, stacklevel=2)
        return Diagnosis(advice=f"{run.advice} {failure}")


def _examined(run: Run) -> Diagnosis:
    with np.errstate(all="ignore"), case_of(run) as case:
        if case.problem.objective.arrow:
            from descend.diagnosis.lost_groups import lost_groups

            return lost_groups(case)
        if not case.model.comparable:  # there are no residuals of all rows
            from descend.diagnosis.rate_too_large import rate_too_large

            return (rate_too_large(case) if case.diverged else None) or HEALTHY
        if _healthy(case):
            return _hidden(case) or HEALTHY
        from descend.diagnosis.detectors import DETECTORS

        for detector in DETECTORS:
            diagnosis = detector(case)
            if diagnosis is not None:
                return diagnosis
    return HEALTHY


def _healthy(case: Case) -> bool:
    """Whether nothing is wrong with how a run that stayed finite ended."""
    if case.outcome in (Outcome.CONVERGED, Outcome.INTERRUPTED):
        return True
    if case.outcome is Outcome.DIVERGED:
        return False
    if case.epochs == 0:
        return case.outcome is not Outcome.STALLED
    progress = case.progress
    if case.model.in_place and case.known_floor is None:
        little = progress.swing * abs(progress.level) < OF_WAY * progress.fallen
        settled = progress.swing < OF_MODULE or not progress.hovers or little
        return settled and progress.fallen > 0.0 and case.excess <= OF_MODULE * progress.fallen
    return close_enough(case.excess, abs(case.reachable), max(progress.fallen, 0.0))


def _hidden(case: Case) -> Diagnosis | None:
    """Find what is wrong with a run that looks healthy: a wrong gradient, a far origin, a plateau, or bad rows."""
    doubtful = case.problem.gradient == "by_hand" or case.model.forward is not None
    if doubtful:
        from descend.diagnosis.wrong_gradient import wrong_gradient

        if (diagnosis := wrong_gradient(case)) is not None:
            return diagnosis
    along = taken_along(case)
    if along is not None and along.cause is not None:
        return along
    if case.model.in_place or case.outcome is not Outcome.CONVERGED:
        from descend.diagnosis.far_origin import far_origin
        from descend.diagnosis.plateau import plateau

        diagnosis = far_origin(case) or plateau(case)
        if diagnosis is not None:
            return diagnosis
    if along is not None or case.plan.batch_size is None:
        return along
    from descend.diagnosis.batch_noise import hovering

    return hovering(case)
