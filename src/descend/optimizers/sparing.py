"""Levenberg-Marquardt steps where derivatives cost a call of a slow function for each parameter."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.systems import System, system_of
from descend.optimizers.systems import triangle as root_of

ATTEMPTS = 60
"""How many ever larger dampings are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
LEAST_DAMPING = 1e-30
NEAR = 0.1
"""Once the parameters can explain less than this share of the residual, derivatives are no longer carried on."""
CLOSE = 1e-6
"""Once they explain less than this share, derivatives are found as well as can be, and the step from there is the last
but one."""
NOISE = 3.0
"""What they explain is nothing but noise below this multiple of it."""
SAME = 1e-9
"""Near the minimum a step may seem to raise J by this share of it: only the gradient can tell."""
LAST = 1e-15
"""Relative size of a step that changes no digit."""


def sparing_step(evaluation: Evaluation, state: State) -> tuple[Array, State]:
    """Return the end of a step that lowers J, and the next state; the same theta where nothing is left to gain.

    A step is tried with the value of J alone, and derivatives are asked for only where it is taken. Where they were
    carried on from another point and a step fails, or the minimum is near, they are found anew first; at the end they
    are found as well as can be (`Evaluation.refined`). What is left to gain is |q|, the part of the residual that the
    parameters can still explain, with q as in `LevenbergMarquardt`. It is compared with the noise of q: of the
    derivatives, and of the function itself. The run ends at it, and never below.

    Source: Moré & Wild (2012), ACM TOMS 38, 19, for when forward differences do; Broyden (1965), for carrying on.
    """
    units, damping, growth, _, taken, ended = state
    for _ in range(ATTEMPTS):
        system = system_of(evaluation, True)(evaluation, units)
        units = system.units
        if not np.isfinite(evaluation.gradient).all():
            return evaluation.theta, state
        left, noise, size = _left(evaluation, system)
        if left <= max(NOISE * noise, 0.0) or (ended and left <= CLOSE * size):
            better = None if ended and left <= CLOSE * size else evaluation.refined(best=True)
            if better is None:
                return evaluation.theta, (units, damping, growth, True, taken, True)
            evaluation = better
            continue
        finest = True
        if left <= NEAR * size and (better := evaluation.refined(best=left <= CLOSE * size)) is not None:
            evaluation, finest = better, False
            continue
        last = left <= CLOSE * size and finest
        move, predicted = (system.newton()[0], 0.5 * left * left) if last else system.move(damping)
        if not predicted > 0.0 or not _moves(evaluation.theta, move):
            return evaluation.theta, (units, damping, growth, True, taken, True)
        theta = _ahead(evaluation, move)
        new = evaluation.at(theta, 0)
        ratio = (evaluation.loss - new.loss) / predicted
        if ratio > WORTH_IT or (left <= math.sqrt(SAME) * size and new.loss <= evaluation.loss * (1.0 + SAME)):
            if not last and ratio > WORTH_IT:
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
            return theta, (units, max(damping, LEAST_DAMPING), 2.0, True, move, last)
        if last:
            return evaluation.theta, (units, damping, growth, True, taken, True)
        better = evaluation.refined(best=False)
        if better is not None:
            evaluation = better
            continue
        damping *= growth
        growth *= 2.0
    return evaluation.theta, (units, damping, growth, True, taken, True)


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
