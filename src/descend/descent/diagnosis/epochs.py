"""Too few epochs: the loss was still on its way down, at a rate that says how many it takes."""

from __future__ import annotations

import math
from typing import Any

from descend.descent.diagnosis.case import Case
from descend.descent.diagnosis.cause import Cause, Diagnosis

CLOSE = 0.01
"""Share of the loss that can be reached within which a run counts as there."""
MOST = 10**12


def too_few_epochs(case: Case) -> Diagnosis | None:
    """Extrapolate what is left of the loss, as a geometric series, to where it is small."""
    if case.diverged or case.epochs < 1:
        return None
    level, progress = case.progress.level, case.progress
    floor = level - case.excess
    left = level - floor
    if left <= 0.0:
        return None
    before = progress.at(0.5) - floor
    ran = case.epochs
    shrinks = (left / before) ** (2.0 / ran) if before > left else math.inf
    target = max(CLOSE * abs(floor), 1e-4 * (progress.values[0] - floor))
    needed = None
    if shrinks < 1.0 and target < left:
        more = math.log(target / left) / math.log(shrinks)
        needed = ran + math.ceil(more) if more < MOST else None
    evidence: dict[str, Any] = {
        "epochs": ran,
        "epochs_needed": needed,
        "loss": level,
        "loss_reachable": floor,
        "left": left,
        "shrinks_per_epoch": shrinks if math.isfinite(shrinks) else None,
    }
    if case.optimizer.uses_rate:
        evidence["learning_rate"] = case.rate
        if case.stable_rate is not None:
            evidence["largest_stable_rate"] = case.stable_rate
    sentence = f"after {ran:,} epochs the loss is {level:.4g}, and {floor:.4g} can be reached"
    if needed is not None:
        sentence += f"; what is left shrinks by {100.0 * (1.0 - shrinks):.3g}% per epoch, so it takes about {needed:,}"
    advice = "Give more epochs" if needed is None else f"Use --epochs {needed}"
    faster = case.faster_rate
    if faster is not None:
        advice += f", or the larger rate --learning-rate {faster:.2g}"
    elif case.optimizer.uses_rate:
        advice += ", or another optimizer, such as lbfgs"
    return Diagnosis(Cause.TOO_FEW_EPOCHS, evidence, sentence + ".", advice + ".")
