"""The possible causes of a failure, each of which is looked for in turn; the first that is found explains the run."""

from __future__ import annotations

from collections.abc import Callable

from descend.diagnosis.bad_rows import bad_rows
from descend.diagnosis.batch_noise import batch_noise
from descend.diagnosis.case import Case
from descend.diagnosis.cause import Diagnosis
from descend.diagnosis.far_origin import far_origin
from descend.diagnosis.overflow import overflow_or_domain
from descend.diagnosis.plateau import plateau
from descend.diagnosis.rate_too_large import rate_too_large
from descend.diagnosis.too_few_epochs import too_few_epochs
from descend.diagnosis.unscaled_column import unscaled_column
from descend.diagnosis.wrong_gradient import wrong_gradient

Detector = Callable[[Case], Diagnosis | None]
DETECTORS: tuple[Detector, ...] = (
    wrong_gradient,
    bad_rows,
    far_origin,
    overflow_or_domain,
    plateau,
    batch_noise,
    unscaled_column,
    rate_too_large,
    too_few_epochs,
)
"""Tried in this order. Faults of the gradient or the data come before those of the descent: a rate is too large, or
epochs are too few, only if neither explains the run. A column is to blame if standardising alone helps."""
