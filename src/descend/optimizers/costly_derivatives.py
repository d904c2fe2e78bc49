"""Levenberg-Marquardt steps where derivatives cost a call of a function for each parameter, or are noisy."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import SUFFICIENT_DECREASE, Array, Evaluation, State, System
from descend.optimizers.curvature import triangle as root_of
from descend.optimizers.damped_systems import (
    ATTEMPTS,
    LEAST_DAMPING,
    ahead,
    extrapolated,
    less_damped,
    moves,
    system_of,
)

NEAR = 0.3
"""Once the parameters can explain less than this share of the residual, steps are undamped, if that does."""
FINE = 1e-5
"""Once they explain less than this share, derivatives that are found anew are found as well as can be."""
ENOUGH = 3e-7
"""A step is the last if it leaves less than this share to explain, shrinking as the step before did."""
NOISE = 3.0
"""What they explain is nothing but noise below this multiple of it."""
ABOVE = 10.0
"""Multiple of the noise above which one step after another tells by how much they shrink."""
SAME = 1e-9
"""Near the minimum a step may seem to raise J by this share of it: only the gradient can tell."""
ILL = 1e3
"""Condition of the scaled Jacobian above which forward differences leave the last digits uncertain."""
SLOW = 0.5
"""A step that leaves more than this share of what the one before left shrinks it too slowly to tell what follows."""
LESS = 0.9
"""Share of the least that was ever left to explain, below which steps are steady."""
CERTAIN = 3e-8
"""The same as `ENOUGH` where the step is extrapolated, which leaves less on the whole, but not always."""
Earlier = tuple[float, float, Array | None, Array]
"""What was left to explain before the step that led here, and the least ever; that step if it was undamped, and the
Gauss-Newton step that it was made from."""
LAST = 1e-15
"""Relative size of a step that changes no digit."""


def sparing_step(evaluation: Evaluation, spare_state: State) -> tuple[Array, State]:
    """Return the end of a step that lowers J, and the next state; the same theta where nothing is left to gain.

    A step is tried with the value of J alone, and derivatives are asked for only where it is taken. What is left to
    gain is |q|, the part of the residual that the parameters can still explain, with q as in `LevenbergMarquardt`.
    Where that is no more than the error of q, which comes from the errors of the derivatives and from the noise of the
    function, or where a step fails, better derivatives are asked for (`Evaluation.refined`). The run ends where there
    are none, never below the noise; and after a step that leaves little enough. Near the end steps are extrapolated
    from the one before (see `extrapolated`).

    Source: Moré & Wild (2012), ACM TOMS 38, 19, for when forward differences do; Broyden (1965), for carrying on.
    """
    units, damping, growth, damped, earlier, ended = spare_state
    for _ in range(0 if ended else ATTEMPTS):
        if not np.isfinite(evaluation.gradient).all():
            break
        system = system_of(evaluation, True)(evaluation, units)
        units = system.units
        left, noise, size = _left(evaluation, system)
        steady = evaluation.bounds is None and left > ABOVE * noise and _steady(left, earlier)
        last, slow = _last(left, size, earlier, steady)
        hidden = left <= NOISE * noise or (left <= FINE * size and slow)
        if last or hidden:
            best = hidden or _ill(evaluation)
            better = evaluation.refined(best=False) or (evaluation.refined(best=True) if best else None)
            if better is not None:
                evaluation = better
                continue
            if left <= NOISE * noise:
                break
        near = left <= NEAR * size and not damped
        undamped = near or last
        move, predicted = (system.newton()[0], 0.5 * left * left) if undamped else system.move(damping)
        if not predicted > 0.0 or not moves(evaluation.theta, move, LAST):
            break
        step = extrapolated(move, earlier[2], earlier[3], np.asarray(units))[0] if undamped and steady else move
        theta = ahead(evaluation, step)
        new = evaluation.at(theta, 0)
        ratio = (evaluation.loss - new.loss) / predicted
        fewer = earlier is None or left < earlier[1]
        same = left <= math.sqrt(SAME) * size and new.loss <= evaluation.loss * (1.0 + SAME)
        if ratio > SUFFICIENT_DECREASE or (fewer and same):
            damping = (
                less_damped(damping, ratio) if ratio > SUFFICIENT_DECREASE and not near else max(damping, LEAST_DAMPING)
            )
            evaluation.carried(theta)
            least_left = left if earlier is None else min(left, earlier[1])
            following: Earlier = (left, least_left, step if undamped else None, move)
            return theta, (units, damping, 2.0, False, following, last)
        if step is not move:
            earlier = (*earlier[:2], None, move)  # it was too long
            continue
        if last:
            break
        better = evaluation.refined(best=False)
        if better is not None:
            evaluation = better
        elif near:
            damped = True  # the undamped step is too long
        else:
            damping *= growth
            growth *= 2.0
    return evaluation.theta, (units, damping, growth, True, earlier, True)


def _steady(left: float, earlier: Earlier | None) -> bool:
    """Whether undamped steps leave less to explain than ever before, so that how they shrink tells how they go on."""
    return earlier is not None and earlier[2] is not None and left < LESS * earlier[1]


def _last(left: float, size: float, earlier: Earlier | None, steady: bool) -> tuple[bool, bool]:
    """Return whether the next step leaves little enough to explain, and whether the last left hardly less than before.

    A Gauss-Newton step shrinks it as the step before did; a steady one, which is extrapolated, by twice the digits.
    """
    shrinking = min(1.0, left / earlier[0]) if earlier is not None and earlier[0] else 1.0
    if shrinking >= SLOW:
        return left <= ENOUGH * size, True
    if steady:
        return left * shrinking**2 / (1.0 - shrinking) <= CERTAIN * size, False
    return left * shrinking / (1.0 - shrinking) <= ENOUGH * size, False


def _ill(evaluation: Evaluation) -> bool:
    """Whether forward differences would leave the last digits uncertain."""
    upper = root_of(evaluation.at(evaluation.theta, 3))[0]
    norms = np.sqrt(np.add.reduce(upper * upper))
    return bool((norms > 0.0).all()) and float(np.linalg.cond(upper / norms)) > ILL


def _left(evaluation: Evaluation, system: System) -> tuple[float, float, float]:
    """Return |q|, the noise in it, and the size of the whole residual, sqrt(2 J)."""
    left = system.newton()[1]
    noise = evaluation.noise
    size = math.sqrt(2.0 * abs(evaluation.loss)) if math.isfinite(evaluation.loss) else math.inf
    if noise is None:
        return left, 0.0, size
    upper = root_of(evaluation.at(evaluation.theta, 3))[0]
    norms = np.sqrt(np.add.reduce(upper * upper))
    moving_norms = norms > 0.0
    return left, float(np.linalg.norm(noise[moving_norms] / norms[moving_norms])), size
