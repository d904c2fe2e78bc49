"""Levenberg-Marquardt steps where derivatives cost a call of a function for each parameter, or are noisy."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State, System
from descend.optimizers.systems import system_of
from descend.optimizers.systems import triangle as root_of

ATTEMPTS = 60
"""How many ever larger dampings are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
LEAST_DAMPING = 1e-30
NEAR = 0.3
"""Once the parameters can explain less than this share of the residual, steps are undamped, if that does."""
FINE = 1e-5
"""Once they explain less than this share, derivatives that are found anew are found as well as can be."""
ENOUGH = 3e-7
"""A step is the last if it leaves less than this share to explain, shrinking as the step before did. One more follows,
with derivatives carried on."""
NOISE = 3.0
"""What they explain is nothing but noise below this multiple of it."""
SAME = 1e-9
"""Near the minimum a step may seem to raise J by this share of it: only the gradient can tell."""
LAST = 1e-15
"""Relative size of a step that changes no digit."""


def sparing_step(evaluation: Evaluation, state: State) -> tuple[Array, State]:
    """Return the end of a step that lowers J, and the next state; the same theta where nothing is left to gain.

    A step is tried with the value of J alone, and derivatives are asked for only where it is taken. What is left to
    gain is |q|, the part of the residual that the parameters can still explain, with q as in `LevenbergMarquardt`.
    Where that is no more than the error of q, which comes from the errors of the derivatives and from the noise of the
    function, or where a step fails, better derivatives are asked for (`Evaluation.refined`). The run ends where there
    are none, never below the noise; and a step after one that left little enough, with derivatives carried on.

    Source: Moré & Wild (2012), ACM TOMS 38, 19, for when forward differences do; Broyden (1965), for carrying on.
    """
    units, damping, growth, damped, before, ended = state
    ended = ended or 0
    for _ in range(ATTEMPTS if ended < 2 else 0):
        if not np.isfinite(evaluation.gradient).all():
            break
        system = system_of(evaluation, True)(evaluation, units)
        units = system.units
        left, noise, size = _left(evaluation, system)
        if left <= NOISE * noise and ended:
            break
        shrinking = min(1.0, left / before) if before else 1.0
        remaining = left * shrinking / (1.0 - shrinking) if shrinking < 0.5 else left
        last = remaining <= ENOUGH * size
        if not ended and (last or left <= NOISE * noise):
            better = evaluation.refined(best=last or left <= FINE * size) or evaluation.refined(best=True)
            if better is not None:
                evaluation = better
                continue
            if left <= NOISE * noise:
                break
        near = left <= NEAR * size and not damped
        move, predicted = (system.newton()[0], 0.5 * left * left) if near or last else system.move(damping)
        if not predicted > 0.0 or not _moves(evaluation.theta, move):
            break
        theta = _ahead(evaluation, move)
        new = evaluation.at(theta, 0)
        ratio = (evaluation.loss - new.loss) / predicted
        if ratio > WORTH_IT or (left <= math.sqrt(SAME) * size and new.loss <= evaluation.loss * (1.0 + SAME)):
            if ratio > WORTH_IT and not near:
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
            evaluation.carried(theta)
            ending = 2 if ended else int(last)
            return theta, (units, max(damping, LEAST_DAMPING), 2.0, False, left, ending)
        if last or ended:
            break
        better = evaluation.refined(best=False)
        if better is not None:
            evaluation = better
        elif near:
            damped = True  # the undamped step is too long
        else:
            damping *= growth
            growth *= 2.0
    return evaluation.theta, (units, damping, growth, True, before, 2)


def _left(evaluation: Evaluation, system: System) -> tuple[float, float, float]:
    """Return |q|, the noise in it, and the size of the whole residual, sqrt(2 J)."""
    left = system.newton()[1]
    noise = evaluation.noise
    size = math.sqrt(2.0 * abs(evaluation.loss)) if math.isfinite(evaluation.loss) else math.inf
    if noise is None:
        return left, 0.0, size
    upper = root_of(evaluation.at(evaluation.theta, 3))[0]
    norms = np.sqrt(np.add.reduce(upper * upper))
    known = norms > 0.0
    return left, float(np.linalg.norm(noise[known] / norms[known])), size


def _ahead(evaluation: Evaluation, move: Array) -> Array:
    bounds = evaluation.bounds
    return evaluation.theta + move if bounds is None else bounds.moved(evaluation.theta, move)


def _moves(theta: Array, move: Array) -> bool:
    """Whether a step changes a digit of any parameter."""
    return bool((~(np.abs(move) <= LAST * np.abs(theta))).any())
