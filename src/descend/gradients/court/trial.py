"""A trial: compares a gradient with the true one at several points, then finds what is wrong, if anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.gradients.court.decoding import Decoder
from descend.gradients.court.evidence import Case, Point, given_at, jitter, natural_scales, points
from descend.gradients.court.judgement import Finding, Judgement
from descend.gradients.court.taylor import numeric_derivative, taylor_slope
from descend.gradients.court.wording import SLACKS, Mistake, roughly

Array = NDArray[np.float64]
Stepped = Callable[[Array], Array | None]
EXPONENT = 80.0
"""Numbers whose exponential is finite in single precision."""
NOWHERE = (
    "There is no point near the start where J and its gradient are finite in the precision in which it computes, so no "
    "gradient can be checked. Give another start."
)
MOST_MEASURED = 24
"""Components for which Taylor's test and a numeric derivative are shown; each takes some 30 evaluations of J."""


def hold(
    case: Case,
    model: str,
    prove: Callable[[], bool] = lambda: False,
    autograd: object = None,
    stepped: Stepped = lambda theta: None,
) -> Judgement:
    """Judge a gradient.

    prove: tries to show by algebra that it is right; asked only if the numbers agree.
    autograd: (theta, whether it is worth loading) -> gradient by PyTorch, or None.
    stepped: (theta) -> derivatives of the scores by a complex step, (n, p), or None; shown beside the others.

    Raises ConfigError if there is no point near the start where J and its gradient are finite, in single precision if
    the gradient computes in that.
    """
    scales = natural_scales(case)
    court_points = points(case, scales)
    if not court_points:
        raise ConfigError(NOWHERE)
    court_points = [given_at(case, point) for point in court_points]
    calls = [(point.theta, point.given) for point in court_points]
    steady = True
    if case.python:
        again = [(point.theta, case.call(point.theta)) for point in court_points[:2]]
        pairs = zip(court_points, again, strict=False)
        steady = all(point.agrees(result - point.given + point.truth).all() for point, (_, result) in pairs)
        calls += again
    finite = [point for point in court_points if np.isfinite(point.given).all()]
    if not finite and case.python and not any(case.within(point.theta, EXPONENT) for point in court_points):
        raise ConfigError(
            "The gradient is not finite at any point near the start, where the numbers are so large that it may "
            "overflow, so it cannot be checked. Give another start, or scale the data."
        )
    usable = finite or court_points
    decoder = Decoder(case, scales, usable, calls, not steady)
    wrong = np.flatnonzero(~decoder.right)
    if wrong.size:
        usable = [_with_jitter(case, point) for point in usable] if case.python and steady else usable
        decoder = Decoder(case, scales, usable, calls, not steady)
        wrong = np.flatnonzero(~decoder.right)
    mistakes = {int(k): decoder.mistake(int(k)) for k in wrong}
    for slack in () if case.model.exact else SLACKS[1:]:
        if all(mistake.named for mistake in mistakes.values()):
            break
        lenient = Decoder(case, scales, [point.slackened(slack) for point in usable], calls, not steady, slack)
        explained = {int(k): lenient.mistake(int(k)) for k in np.flatnonzero(~lenient.right)}
        if all(mistake.named for mistake in explained.values()):
            mistakes = explained
    proved = not mistakes and prove()
    return _judgement(case, model, proved, usable, mistakes, scales, autograd, stepped)


def _with_jitter(case: Case, point: Point) -> Point:
    """Allow for the noise of a gradient in low precision, where it is off."""
    if point.agrees(point.given).all():
        return point
    shaking = jitter(case, point)
    return replace(point, allowed=point.allowed + shaking)


def _judgement(
    case: Case,
    model: str,
    proved: bool,
    court_points: list[Point],
    mistakes: Mapping[int, Mistake],
    scales: Array,
    autograd: object,
    stepped: Stepped,
) -> Judgement:
    first = max(court_points, key=lambda point: _distance(point, mistakes)) if mistakes else court_points[0]
    labels = case.model.parameters.labels
    torch = autograd(first.theta, bool(mistakes)) if callable(autograd) else None
    complex_step = case.by_steps(first.theta, stepped)
    judged = {}
    for k, label in enumerate(labels):
        mistake = mistakes.get(k)
        slope_given = float(first.given[k])
        slope = numeric = None
        if k < MOST_MEASURED:
            direction = np.zeros(len(labels))
            direction[k] = scales[k]
            numeric = numeric_derivative(case.value, first.theta, direction)
            numeric = None if numeric is None else numeric / float(scales[k])
            slope = taylor_slope(case.value, first.theta, slope_given * float(scales[k]), direction)
        judged[label] = Finding(
            label,
            "correct" if mistake is None else mistake.verdict,
            _approval(proved, court_points, k, case.model.exact) if mistake is None else mistake.explanation,
            None if mistake is None else mistake.factor,
            None if mistake is None else mistake.ratio,
            slope_given,
            autograd=None if torch is None else float(torch[k]),
            numeric=numeric,
            slope=slope,
            complex_step=None if complex_step is None else float(complex_step[k]),
            **({case.model.source: float(first.truth[k])} if case.model.exact else {}),
        )
    at = dict(zip(labels, first.theta.tolist(), strict=True))
    return Judgement(judged, proved, len(court_points), model, str(case.model.loss), at)


def _distance(point: Point, mistakes: Mapping[int, Mistake]) -> float:
    """Return how far the gradient under test is off at a point, as a share of the true one."""
    wrong = sorted(mistakes)
    off = np.abs(point.given - point.truth)[wrong] / (np.abs(point.truth)[wrong] + point.allowed[wrong])
    return float(np.nan_to_num(off, nan=0.0, posinf=0.0).min())


def _approval(proved: bool, court_points: list[Point], k: int, exact: bool) -> str:
    if proved:
        return "correct, proved."
    gradient_given, truth = np.array([(point.given[k], point.truth[k]) for point in court_points]).T
    if not truth.any():
        return "correct as far as can be seen: the derivative is 0 at every point looked at. Try another start."
    off = np.abs(gradient_given - truth) / np.maximum(np.abs(truth).max(), 1e-300)
    if not exact and not all(point.agrees(point.given)[k] for point in court_points):
        return roughly(float(off.max()))
    digits = -np.log10(off.max()) if off.any() else 15.0
    return "correct." if digits >= 9 else f"correct to {max(1, int(digits))} digits, as single precision has them."
