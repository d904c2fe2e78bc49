"""Wrong gradient: compares the slope that the gradient gives with the slope of J itself."""

from __future__ import annotations

import math

import numpy as np

from descend.diagnosis.case import Array, Case
from descend.diagnosis.cause import Cause, Diagnosis, Evidence
from descend.gradients.court.judgement import Judgement

WRONG = 0.02
"""A slope is wrong if its relative error is above this, and also above ..."""
DOUBT = 20.0
"""... this many times the uncertainty of the differences of J it is compared with."""
MOST_DIRECTIONS = 12


def wrong_gradient(case: Case) -> Diagnosis | None:
    """Ask the court, and compare the gradient with central differences of J where the run began and where it ended.

    It must also disagree at a second point nearby to count as wrong, as differences mean nothing at a kink of J.
    """
    if case.problem.gradient == "derived":  # from the formula itself: any difference is the rounding of J
        return None
    by_hand = case.problem.gradient == "by_hand"
    judgement = case.beginning.judgement
    if judgement is not None and not judgement.agree:
        return _of_court(judgement)
    if judgement is not None and judgement.proved:
        return None
    # Where a diverged run ended, J curves too strongly for any step that its size allows.
    for theta in (case.start,) if case.diverged else (case.start, case.last):
        disagreement = _disagreement(case, theta)
        if disagreement is not None and _disagreement(case, _beside(theta)) is not None:
            break
    else:
        return None
    label, slope, measured = disagreement
    where = "the start" if theta is case.start else "the end"
    slope_name = f"dJ/d{label}" if label else "the slope of J along the gradient"
    source = "gradient by hand" if by_hand else f"{case.problem.gradient} gradient"
    sentence = (
        f"the {source} is wrong: at {where} it gives {slope:.6g} for {slope_name}, but J changes by {measured:.6g}"
    )
    ratio = slope / measured if measured else math.inf
    if math.isfinite(ratio) and abs(ratio) < 1e6:
        sentence += f", a factor of {ratio:.4g}"
    evidence: Evidence = {"parameter": label or None, "given": slope, "measured": measured}
    return Diagnosis(Cause.WRONG_GRADIENT, evidence | {"factor": ratio}, sentence + ".", ADVICE)


ADVICE = "Correct the gradient, or leave it out to have it derived or taken by autograd."


def _of_court(judgement: Judgement) -> Diagnosis:
    """Repeat what the court found before the first step."""
    wrong = {name: judged for name, judged in judgement.parameters.items() if judged.verdict != "correct"}
    name, worst = next(iter(wrong.items()))
    evidence: Evidence = {
        "parameter": name,
        "given": worst.yours,
        "measured": worst.derived if worst.derived is not None else worst.numeric,
        "factor": worst.factor,
        "verdicts": {label: judged.verdict for label, judged in judgement.parameters.items()},
    }
    return Diagnosis(Cause.WRONG_GRADIENT, evidence, judgement.sentence, ADVICE)


def _beside(theta: Array) -> Array:
    shift = np.random.default_rng(0).uniform(0.5, 1.0, theta.size) * 1e-3
    return np.asarray(theta + shift * np.maximum(np.abs(theta), 1e-2))


def _disagreement(case: Case, theta: Array) -> tuple[str, float, float] | None:
    """Return the worst slope (its parameter, as given, as measured), or None if all are right."""
    gradient = case.objective(theta, 1).gradient
    if not np.isfinite(gradient).all():
        return None
    size = theta.size
    directions: list[tuple[str, Array]] = []
    if size <= MOST_DIRECTIONS:
        labels = tuple(case.model.parameters.labels)
        names = labels if len(labels) == size else tuple(str(k) for k in range(size))
        directions = [(names[k], np.eye(size)[k]) for k in range(size)]
    else:
        random = np.random.default_rng(0)
        length = float(np.linalg.norm(gradient))
        directions = [("", gradient / length)] if length > 0.0 else []
        directions += [("", draw / np.linalg.norm(draw)) for draw in random.standard_normal((4, size))]
    worst: tuple[float, tuple[str, float, float]] | None = None
    for label, direction in directions:
        slope = float(gradient @ direction)
        measured, doubt = _slope(case, theta, direction)
        wrong = abs(slope - measured)
        if not math.isfinite(measured) or wrong <= DOUBT * doubt:
            continue
        share = wrong / max(abs(slope), abs(measured))
        if share > WRONG and (worst is None or share > worst[0]):
            worst = share, (label, slope, measured)
    return None if worst is None else worst[1]


def _slope(case: Case, theta: Array, direction: Array) -> tuple[float, float]:
    """Return the slope of J along a direction, and how far it may be off, from the two steps that agree best."""
    reach = max(float(np.abs(theta[direction != 0.0]).max()), 1e-2)
    slopes, doubts = [], []
    for exponent in range(1, 8):
        step = reach * 10.0**-exponent
        ahead, behind = (_smooth(case, theta + sign * step * direction) for sign in (1.0, -1.0))
        slopes.append((ahead - behind) / (2.0 * step))
        doubts.append(_precision(case) * (abs(ahead) + abs(behind)) / step)
    between = np.abs(np.diff(slopes)) + np.array(doubts[1:])
    if not np.isfinite(between).any():
        return math.nan, math.inf
    best = int(np.nanargmin(between))
    return slopes[best + 1], float(between[best])


def _smooth(case: Case, theta: Array) -> float:
    """Return J less its l1 penalty, which is no part of the gradient."""
    loss = float(case.objective(theta, 0).loss)
    penalty = case.objective.penalty
    return loss if penalty is None else loss - float(penalty.l1 @ np.abs(theta))


def _precision(case: Case) -> float:
    return float(np.finfo(np.float32 if case.single else np.float64).eps)
