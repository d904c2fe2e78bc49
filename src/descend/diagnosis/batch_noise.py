"""Batch noise: the loss hovers where the gradient of a batch is more noise than gradient."""

from __future__ import annotations

import math

import numpy as np

from descend.descent.outcome import Outcome
from descend.diagnosis.case import Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.diagnosis.progress import OF_LOSS
from descend.wording import spell

BATCHES = 24
"""How many batches the noise is estimated from."""


def batch_noise(case: Case) -> Diagnosis | None:
    """Say so if the loss hovers above what it can reach, and the same steps over all rows lead further down."""
    size = case.plan.batch_size
    if size is None or case.diverged or not case.progress.hovers:
        return None
    steps = case.trial(case.last, batch_size=None, epochs=max(200, case.epochs))
    lowest = min((step.loss for step in steps if math.isfinite(step.loss)), default=math.inf)
    level, rows = case.progress.level, case.objective.rows
    gained = level - lowest
    if gained < max(0.5 * max(case.excess, level - case.reachable), OF_LOSS * abs(lowest)) or gained <= 0.0:
        return None
    random = np.random.default_rng(0)
    full_gradient = case.at_hand(case.last, 1).gradient if case.sampled else case.end.gradient
    some = min(size, case.rows // 2) if case.sampled else size
    batch_gradients = [
        case.at_hand(case.last, 1, np.sort(random.choice(case.rows, some, replace=False))).gradient - full_gradient
        for _ in range(BATCHES)
    ]
    noise = float(
        np.sqrt(np.mean([batch_gradient @ batch_gradient for batch_gradient in batch_gradients]) * some / size)
    )
    length = float(np.linalg.norm(case.end.gradient))
    times = max(2.0, gained / max(0.02 * abs(lowest), 1e-12 * abs(level)))
    times = min(times, rows / size)
    batch_size = min(rows, 2 ** math.ceil(math.log2(size * times)))
    smaller = case.rate / times
    evidence: Evidence = {
        "batch_size": size,
        "learning_rate": case.rate,
        "noise_of_batch_gradient": noise,
        "gradient_norm": length,
        "loss": level,
        "loss_over_all_rows": lowest,
        "batch_size_that_helps": batch_size,
        "learning_rate_that_helps": smaller,
    }
    sentence = (
        f"the loss hovers at {level:.4g}, while the same steps over all rows reach {lowest:.4g}: the gradient of "
        f"{size} rows is off by {noise:.3g} on average, that of all rows is {length:.3g}."
    )
    advice = (
        f"Use {spell('batch_size', batch_size)}, or {spell('learning_rate', f'{smaller:.2g}')}, which lower that noise "
        f"{times:.2g} times{or_falling_rate(case)}."
    )
    return Diagnosis(Cause.BATCH_NOISE, evidence, sentence, advice)


def hovering(case: Case) -> Diagnosis | None:
    """Advise a run that is as near as its batches allow: more epochs would bring it no nearer."""
    if case.plan.batch_size is None or case.outcome is not Outcome.EPOCHS_USED_UP or not case.progress.hovers:
        return None
    advice = (
        "The loss goes up and down with the batches, close to the lowest: more epochs lead no nearer. Use a larger "
        f"{spell('batch_size')}{',' if or_falling_rate(case) else ' or'} a smaller {spell('learning_rate')}"
        f"{or_falling_rate(case)}."
    )
    return Diagnosis(advice=advice)


def or_falling_rate(case: Case) -> str:
    """Return the end of an advice: a learning rate that falls, where no schedule lets it fall so far."""
    return f", or {spell('schedule', 'cosine')}" if case.plan.schedule.constant else ""
