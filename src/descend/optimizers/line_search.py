"""A line search for the strong Wolfe conditions that still works where differences of J are lost in rounding."""

from __future__ import annotations

import math
from typing import NamedTuple

from descend.optimizers.contract import SUFFICIENT_DECREASE, Array, Evaluation

CURVATURE = 0.9
# Relative error of a loss summed over rows. Two losses closer than this count as equal.
NOISE = 1e-14
MOST_EVALUATIONS = 30
# Interpolated points keep this share of the interval from its ends; steps outwards grow at most tenfold.
MARGIN = 0.01
SHORTER = 0.1
LONGER = 10.0


class Along(NamedTuple):
    """phi(alpha) = J(theta + alpha*direction) and its slope."""

    alpha: float
    loss: float
    slope: float
    evaluation: Evaluation


class Found(NamedTuple):
    """Where the search ended, and what it cost."""

    evaluation: Evaluation
    alpha: float
    evaluations: int


def search(start: Evaluation, direction: Array, alpha: float) -> Found | None:
    """Find a step along a descent ``direction`` that meets the strong Wolfe conditions, trying ``alpha`` first.

    phi(alpha) <= phi(0) + c1*alpha*phi'(0)   and   |phi'(alpha)| <= c2*|phi'(0)|,   c1 = 1e-4, c2 = 0.9

    Where phi(alpha) and phi(0) are equal to rounding, the first condition is replaced by one on slopes alone,
    phi'(alpha) <= (2*c1 - 1)*phi'(0). Where the loss is not finite, shorter steps are tried. None if no point lowers J.

    Source: Nocedal & Wright (2006), Numerical Optimization, algorithms 3.5 and 3.6 (here one loop); approximate
    Wolfe conditions: Hager & Zhang (2005), SIAM J. Optim. 16, 170-192.
    """
    origin = Along(0.0, start.loss, float(start.gradient @ direction), start)
    noise = NOISE * abs(origin.loss)
    low, high = origin, None
    width = math.inf
    for count in range(1, MOST_EVALUATIONS + 1):
        theta = start.theta + alpha * direction
        if (theta == low.evaluation.theta).all():
            break
        evaluation = start.at(theta)
        trial = Along(alpha, evaluation.loss, float(evaluation.gradient @ direction), evaluation)
        if not _lowers(trial, origin, noise) or trial.loss > low.loss + noise:
            high = trial
        elif abs(trial.slope) <= CURVATURE * -origin.slope:
            return Found(evaluation, alpha, count)
        else:
            outwards = math.inf if high is None else high.alpha
            if trial.slope * (outwards - low.alpha) >= 0.0:
                high = low
            low, behind = trial, low
        if high is None:
            alpha = _further(behind, low)
            continue
        alpha = _between(low, high, noise)
        # Interpolation that does not shrink the interval by a third in a step is not trusted: halve.
        if abs(high.alpha - low.alpha) > 0.66 * width:
            alpha = (low.alpha + high.alpha) / 2.0 if math.isfinite(high.loss) else alpha
        width = abs(high.alpha - low.alpha)
        if width * -origin.slope <= 1e-3 * noise:
            break
    return Found(low.evaluation, low.alpha, count) if low.loss < origin.loss else None


def _lowers(trial: Along, origin: Along, noise: float) -> bool:
    if not (math.isfinite(trial.loss) and math.isfinite(trial.slope)):
        return False
    if trial.loss <= origin.loss + SUFFICIENT_DECREASE * trial.alpha * origin.slope:
        return True
    return trial.loss <= origin.loss + noise and trial.slope <= (2.0 * SUFFICIENT_DECREASE - 1.0) * origin.slope


def _further(behind: Along, ahead: Along) -> float:
    rise = ahead.slope - behind.slope
    guess = ahead.alpha - ahead.slope * (ahead.alpha - behind.alpha) / rise if rise > 0.0 else math.inf
    return min(max(guess, 2.0 * ahead.alpha), LONGER * ahead.alpha)


def _between(low: Along, high: Along, noise: float) -> float:
    width = high.alpha - low.alpha
    if not (math.isfinite(high.loss) and math.isfinite(high.slope)):
        return low.alpha + SHORTER * width
    share = _secant(low, high) if abs(high.loss - low.loss) <= 10.0 * noise else _cubic(low, high)
    return low.alpha + width * min(max(share, MARGIN), 1.0 - MARGIN)


def _secant(low: Along, high: Along) -> float:
    """Return the share of the way from low to high at which the line through both slopes is 0."""
    rise = high.slope - low.slope
    share = -low.slope / rise if rise != 0.0 else math.nan
    return share if math.isfinite(share) else 0.5


def _cubic(low: Along, high: Along) -> float:
    """Return the share of the way from low to high at which the cubic through both losses and slopes is smallest."""
    width = high.alpha - low.alpha
    bend = low.slope + high.slope - 3.0 * (high.loss - low.loss) / width
    square = bend * bend - low.slope * high.slope
    if not (math.isfinite(square) and square >= 0.0):
        return 0.5
    root = math.copysign(math.sqrt(square), width)
    below = high.slope - low.slope + 2.0 * root
    share = 1.0 - (high.slope + root - bend) / below if below != 0.0 else math.nan
    return share if math.isfinite(share) else 0.5
