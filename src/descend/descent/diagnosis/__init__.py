"""The black box: why a run failed, or ended short of what it could reach."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.descent.diagnosis.case import Case
from descend.descent.diagnosis.cause import HEALTHY, Cause, Diagnosis
from descend.descent.diagnosis.gradient import wrong_gradient
from descend.descent.diagnosis.health import healthy
from descend.descent.diagnosis.opening import case_of
from descend.descent.diagnosis.rate import rate_too_large
from descend.descent.problem import Problem
from descend.descent.run import Run

Detector = Callable[[Case], Diagnosis | None]
DETECTORS: tuple[Detector, ...] = (wrong_gradient, rate_too_large)


def diagnose(problem: Problem, run: Run) -> Diagnosis:
    """Name the cause of a run that failed or fell short; a healthy one has none."""
    with np.errstate(all="ignore"), case_of(problem, run) as case:
        if healthy(case):
            found = wrong_gradient(case) if problem.gradient == "by_hand" else None
            return HEALTHY if found is None else found
        for detector in DETECTORS:
            found = detector(case)
            if found is not None:
                return found
    return HEALTHY


__all__ = ["DETECTORS", "HEALTHY", "Cause", "Diagnosis", "diagnose"]
