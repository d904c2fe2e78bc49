"""Too few epochs: the loss was still falling, at a pace that tells how many epochs it takes."""

from __future__ import annotations

import math

import numpy as np

from descend.descent.outcome import Outcome
from descend.diagnosis.batch_noise import or_falling_rate
from descend.diagnosis.case import MOST_PARAMETERS, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.diagnosis.progress import counted
from descend.optimizers.curvature import matrix_of
from descend.wording import spell, worded

CLOSE = 0.01
"""A run counts as arrived if its loss is within this share of the lowest it can reach."""
MOST = 10**12
TIMES_RUN = 20
"""An estimate drawn from how a run went is given up to this many times its epochs."""
STEADY = 0.8
"""A run kept its pace if the rate of its last quarter is at least this share of that of the quarter before."""


def too_few_epochs(case: Case) -> Diagnosis | None:
    """Extrapolate the remaining loss, as a geometric series, to the epoch at which it is small."""
    if case.diverged or case.epochs < 1 or case.outcome is Outcome.STALLED:
        return None  # a stalled run ended by itself, and more epochs would not change it
    level, progress = case.progress.level, case.progress
    floor = level - case.excess
    left = level - floor
    if left <= 0.0:
        return None
    before = progress.at(0.5) - floor
    ran = case.epochs
    shrinks = (left / before) ** (2.0 / ran) if before > left else math.inf
    target = max(CLOSE * abs(floor), 1e-4 * (progress.values[0] - floor))
    needed = _by_curvature(case, left, target) if target < left else None
    exact = needed is not None and case.problem.parabola
    if needed is not None:
        shrinks = (target / left) ** (1.0 / (needed - ran))
    elif shrinks < 1.0 and target < left:
        epochs_missing = math.log(target / left) / math.log(shrinks)
        needed = ran + math.ceil(epochs_missing) if epochs_missing < MOST else None
    uncertain = needed is not None and not exact and (needed > TIMES_RUN * ran or _slows(case, floor))
    needed = None if uncertain else needed
    hovers = case.progress.hovers and case.plan.batch_size is not None
    evidence: Evidence = {
        "epochs": ran,
        "epochs_needed": needed,
        "loss": level if hovers else case.ended,
        "loss_reachable": floor,
        "left": left,
        "shrinks_per_epoch": shrinks if math.isfinite(shrinks) else None,
    }
    if case.optimizer.uses_rate:
        evidence["learning_rate"] = case.rate
        if case.stable_rate is not None:
            evidence["largest_stable_rate"] = case.stable_rate
    around = f"hovers around {level:.4g}" if hovers else f"is {case.ended:.4g}"
    sentence = f"after {counted(ran)} the loss {around}, and {floor:.4g} can be reached"
    if needed is not None:
        sentence += f"; what is left shrinks by {100.0 * (1.0 - shrinks):.3g}% per epoch, so it takes about {needed:,}"
    elif uncertain:
        sentence += "; how many epochs that takes cannot be told from those so far"
    if hovers:
        falling = or_falling_rate(case).removeprefix(",")
        advice = (
            f"Use a larger {spell('batch_size')}{',' if falling else ' or'} a smaller {spell('learning_rate')}"
            f"{falling}: the steps of small batches lead to and fro."
        )
        return Diagnosis(Cause.TOO_FEW_EPOCHS, evidence, sentence + ".", advice)
    advice = "Give more epochs" if needed is None else f"Use {spell('epochs', needed)}"
    faster = case.faster_rate
    if uncertain and faster is None and case.optimizer.uses_rate:
        advice = "Use another optimizer, such as lbfgs"
    if faster is not None:
        rate = spell("learning_rate", f"{faster:.2g}")
        advice += ", or " + worded("larger_rate", f"the larger rate {rate}", rate=f"{faster:.2g}")
    elif case.optimizer.uses_rate and not uncertain:
        advice += ", or another optimizer, such as lbfgs"
    return Diagnosis(Cause.TOO_FEW_EPOCHS, evidence, sentence + ".", advice + ".")


def _slows(case: Case, floor: float) -> bool:
    """Whether what was left of the loss shrank less in the last quarter of the run than in the one before."""
    if len(case.progress.values) < 4:
        return False
    middle, later, left = (case.progress.at(share) - floor for share in (0.5, 0.75, 1.0))
    return middle > later > 0.0 and math.log(later / left) < STEADY * math.log(middle / later)


def _by_curvature(case: Case, left: float, target: float) -> int | None:
    """Return how many epochs it takes by the parabola that touches J at the end; None where nothing follows one.

    Along the eigenvector i of the curvature, of eigenvalue l_i, the excess g_i**2 / (2 l_i) is left, and shrinks by the
    square of what the optimizer leaves of an error there (see ``optimizers.recurrence``).
    """
    plain = case.plan.steady and not case.progress.hovers
    curvature = None if case.model.in_place or case.last.size > MOST_PARAMETERS else matrix_of(case.end.curvature)
    if not plain or case.optimizer.recurrence is None or curvature is None or not np.isfinite(curvature).all():
        return None
    values, vectors = np.linalg.eigh(curvature)
    values, slopes = values[values > 0.0], (vectors.T @ case.end.gradient)[values > 0.0]
    loss_along_axes = slopes**2 / (2.0 * values)
    if not 0.5 * left <= loss_along_axes.sum() <= 2.0 * left:
        return None  # J is no such parabola

    modes = case.optimizer.recurrence.modes(case.rate * values)

    def remains(epochs: float) -> float:
        return float(modes.left(np.array([epochs]))[0] ** 2 @ loss_along_axes)

    low, high = 0, 1
    while remains(high) > target:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if remains(middle) <= target else (middle, high)
    return case.epochs + high
