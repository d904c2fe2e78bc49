"""What damped Gauss-Newton steps have in common: when one is worth taking, how the damping follows, where it ends."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import Array, Evaluation

ATTEMPTS = 60
"""How many ever larger dampings are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
LEAST_DAMPING = 1e-30
"""Small enough that even a system of condition 1e15 is effectively undamped."""


def less_damped(damping: float, ratio: float) -> float:
    """Return the damping after a step. ratio: of the decrease of J to the predicted one."""
    return max(damping * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), LEAST_DAMPING)


def ahead(evaluation: Evaluation, move: Array) -> Array:
    """Return where a step leads; a step to a bound ends exactly on it, not beside it by rounding."""
    bounds = evaluation.bounds
    return evaluation.theta + move if bounds is None else bounds.moved(evaluation.theta, move)


def moves(theta: Array, move: Array, share: float) -> bool:
    """Whether a step changes any parameter by more than this share of it."""
    return any(not abs(step) <= share * abs(value) for value, step in zip(theta.tolist(), move.tolist(), strict=True))


def finite(vector: Array) -> bool:
    """Whether no component is infinite or nan."""
    return math.isfinite(vector.dot(vector)) or bool(np.isfinite(vector).all())
