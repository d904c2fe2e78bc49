"""Rate too large: compares the measured growth with the growth that the curvature predicts."""

from __future__ import annotations

import math

from descend.descent.outcome import Outcome
from descend.diagnosis.batch_noise import or_falling_rate
from descend.diagnosis.case import MOST_EPOCHS, Case
from descend.diagnosis.cause import Cause, Diagnosis
from descend.diagnosis.progress import OF_LOSS, Progress, counted, losses, went_well
from descend.stability.spectrum import fold_of
from descend.wording import spell

Growth = dict[str, float | None]
SMALLER = (0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-6)
"""Shares of the rate that are tried where no limit is known."""
THROWN = 2.0
"""The steps were too long if the loss at some time was this many times its first value."""

ALIKE = 0.8
"""The rate is not to blame if more epochs at the same rate gain at least this share of what a smaller rate gains."""


def rate_too_large(case: Case) -> Diagnosis | None:
    """Say so if the rate is beyond the limit, or if a smaller one leads down where this one does not."""
    if not case.optimizer.uses_rate:
        return None
    if case.diverged:
        return _diverged(case)
    return _bound_to_diverge(case) or _swings(case)


def _diverged(case: Case) -> Diagnosis:
    evidence = growth(case)
    limit, curvature = case.stable_rate, case.largest_at_start
    trace, last = case.trace, case.trace[-1]
    change = f"The loss went from {trace[0].loss:.4g} to {last.loss:.4g} in {counted(last.epoch)}"
    name = case.optimizer.name
    if not case.beyond or limit is None or curvature is None:
        smaller = _that_descends(case)
        evidence["rate_that_descends"] = smaller
        auto = spell("learning_rate", "auto")
        use = auto if smaller is None else f"{spell('learning_rate', f'{smaller:.2g}')}, or {auto},"
        advice = f"{change}: it diverged. Use {use} instead of {case.rate:g}."
        return Diagnosis(Cause.RATE_TOO_LARGE, evidence, _sentence(case, evidence), advice)
    smaller = stable_in_trial(case, limit) or limit / 2
    advice = (
        f"{change}: the learning rate {case.rate:g} is too large. The largest stable rate at the start is {limit:.3g} "
        f"(2/lambda_max with lambda_max = {curvature:.4g}" + (")" if name == "gd" else f", for {name})") + ". "
        f"Use {spell('learning_rate', f'{smaller:.2g}')}, or {spell('learning_rate', 'auto')}."
    )
    return Diagnosis(Cause.RATE_TOO_LARGE, evidence, _sentence(case, evidence), advice)


def _bound_to_diverge(case: Case) -> Diagnosis | None:
    """Find a rate beyond the limit of a parabola; as that limit holds everywhere, a loss that still falls will rise."""
    limit = case.stable_rate
    if limit is None or not (case.beyond and case.plan.steady and case.problem.everywhere_parabola):
        return None
    evidence = growth(case)
    predicted = evidence.get("growth_predicted")
    fold = "" if predicted is None else f": in the end J grows {fold_of(predicted**2)} per epoch"
    sentence = f"rate {case.rate:g} is beyond the largest stable one, {limit:.4g}{fold}."
    advice = (
        f"The learning rate {case.rate:g} is too large. Use "
        f"{spell('learning_rate', f'{limit / 2:.2g}')}, or {spell('learning_rate', 'auto')}."
    )
    return Diagnosis(Cause.RATE_TOO_LARGE, evidence, sentence, advice)


def _thrown(case: Case) -> Diagnosis | None:
    """Find a rate whose first steps threw the parameters so far that they never came back."""
    values, level = case.progress.values, case.progress.level
    if level <= values[0] and max(values) <= THROWN * values[0]:
        return None
    for share in SMALLER:
        lowest = min(losses(case.trial(rate=share * case.rate)), default=math.inf)
        if level - lowest > max(OF_LOSS * abs(lowest), 0.5 * (level - case.reachable)):
            return _diagnosis(case, share * case.rate, lowest, len(values) - 1)
    return None


def thrown_to_rest(case: Case, much_lower: float) -> Diagnosis | None:
    """Find a rate that threw the parameters to where J is flat, while a smaller one leads lower.

    Such a rate is beyond the limit at the start, or made J rise.
    """
    above = case.optimizer.uses_rate and case.progress.level > case.progress.values[0]
    if not (case.beyond or above):
        return None
    smaller = 0.1 * case.rate if case.stable_rate is None else min(0.1 * case.rate, 0.5 * case.stable_rate)
    epochs = min(4 * case.epochs, MOST_EPOCHS)
    lowest = min(losses(case.trial(rate=smaller, epochs=epochs)), default=math.inf)
    return _diagnosis(case, smaller, lowest, epochs) if lowest <= much_lower else None


def _diagnosis(case: Case, smaller: float, lowest: float, epochs: int) -> Diagnosis:
    values, level = case.progress.values, case.progress.level
    highest = max(values)
    evidence = growth(case) | {"rate_that_descends": smaller, "loss": level, "loss_at_that": lowest, "highest": highest}
    rose = f"rose from {values[0]:.4g} to {highest:.4g} on the way and " if highest > values[0] else ""
    sentence = (
        f"the loss {rose}ended at {level:.4g}; at a rate of {smaller:.3g} {counted(epochs)} lead to {lowest:.4g}."
    )
    rates = [spell("learning_rate", f"{smaller:.2g}"), spell("learning_rate", "auto")]
    if case.stable_rate is None:  # where a number is only a trial, the other one is the safer
        rates.reverse()
    advice = f"The learning rate {case.rate:g} is too large. Use {', or '.join(rates)}."
    return Diagnosis(Cause.RATE_TOO_LARGE, evidence, sentence, advice)


def stable_in_trial(case: Case, limit: float) -> float | None:
    """Return the largest of some rates within the largest stable one that keeps J low from the start, in a trial."""
    for share in (0.5, 0.1, 0.01, 1e-3):
        steps = case.trial(rate=share * limit, epochs=20)
        lowest = steps[0].loss + 1e-9 * abs(steps[0].loss)  # a search may have ended at the minimum itself
        if steps[-1].outcome is not Outcome.DIVERGED and steps[-1].loss <= lowest:
            return share * limit
    return None


def growth(case: Case) -> Growth:
    """Return the rate and its limit, and the growth of the gradient per epoch: measured and predicted."""
    evidence: Growth = {"learning_rate": case.rate, "epochs": case.epochs}
    curvature, limit = case.largest_at_start, case.stable_rate
    if curvature is not None:
        evidence["largest_curvature"] = curvature
    if limit is not None:
        evidence |= {"largest_stable_rate": limit, "times_too_large": case.rate / limit}
    norms = [step.gradient_norm for step in case.trace if math.isfinite(step.gradient_norm) and step.gradient_norm > 0]
    later = norms[len(norms) // 2 :]
    if len(norms) > 2:
        evidence["growth_measured"] = float((later[-1] / later[0]) ** (1.0 / (len(later) - 1)))
    if curvature is not None and case.plan.batch_size is None and case.optimizer.recurrence is not None:
        evidence["growth_predicted"] = case.optimizer.recurrence.radius(case.rate * curvature)
    return evidence


def _sentence(case: Case, evidence: Growth) -> str:
    limit = evidence.get("largest_stable_rate")
    words = f"rate {case.rate:g}"
    if limit is not None and case.rate > limit:
        words += f" is {case.rate / limit:.3g} times the largest stable one"
    else:
        words += " is too large"
    measured, predicted = evidence.get("growth_measured"), evidence.get("growth_predicted")
    if measured is not None and measured > 1.0:
        words += f"; the gradient grew {measured:.4g} times per epoch"
        if predicted is not None and predicted > 1.0:
            words += f", {predicted:.4g} times predicted from the curvature"
    return words + "."


def _that_descends(case: Case) -> float | None:
    """Return the largest of some smaller rates that leads down from the start."""
    for share in SMALLER:
        if went_well(case.trial(rate=share * case.rate, epochs=max(20, min(case.epochs * 2, 200)))):
            return share * case.rate
    return None


def _swings(case: Case) -> Diagnosis | None:
    """Find a rate that is too large for a run that stayed finite: J goes up and down, and no longer falls."""
    if not case.progress.hovers:
        return _thrown(case)
    smallest_swing = 0.3 * max(case.excess, case.progress.level - case.reachable)
    ran = min(max(case.epochs, 50), 500)
    for share in (0.25, 0.1, 0.01):
        steps = case.trial(case.last, rate=share * case.rate, epochs=ran)
        lowest = min(step.loss for step in steps if math.isfinite(step.loss))
        if case.progress.level - lowest > max(smallest_swing, OF_LOSS * abs(lowest)):
            break
    else:
        return _thrown(case)
    if case.plan.batch_size is None:
        onwards = Progress(losses(case.trial(case.last, epochs=ran)))
        if case.progress.level - onwards.level >= ALIKE * (case.progress.level - lowest):
            return _thrown(case)  # the swings were dying out
    level, swing, smaller = case.progress.level, case.progress.swing, share * case.rate
    evidence = growth(case) | {"rate_that_descends": smaller, "swing": swing, "loss": level, "loss_at_that": lowest}
    sentence = (
        f"the loss swings by {100.0 * swing:.2g}% per epoch and no longer falls; from here a rate of {smaller:.3g} "
        f"leads from {level:.4g} to {lowest:.4g} in {counted(len(steps) - 1)}."
    )
    advice = (
        f"The learning rate {case.rate:g} is too large to settle. Use "
        f"{spell('learning_rate', f'{smaller:.2g}')}{or_falling_rate(case)}."
    )
    return Diagnosis(Cause.RATE_TOO_LARGE, evidence, sentence, advice)
