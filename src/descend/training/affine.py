"""Modules that are linear in their parameters: only for these is the lowest J known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from descend.losses import Loss

Array = NDArray[np.float64]
MOST_NUMBERS = 5_000_000
"""A design matrix with more numbers than this is not formed."""
STEPS, HALVINGS = 40, 20


def lowest_theta(
    scores: Callable[[Array], Array], theta: Array, y: Array, weights: Array | None, loss: Loss, rounding: float
) -> Array | None:
    """Return where J is lowest; None unless the scores are affine in theta and the loss convex.

    With the score s(theta) = s0 + A (theta - theta0), whose columns are found by moving one parameter at a time, J is
    brought down by damped Newton steps in A.

    rounding: relative rounding error of the scores.
    """
    if not loss.convex or loss.kinked or theta.size * y.size > MOST_NUMBERS:
        return None
    base = scores(theta)
    if base.size != y.size:  # several scores a row, as of classes
        return None
    away = np.random.default_rng(0).standard_normal(theta.size)
    near, far = (scores(theta + share * away) - base for share in (1.0, 2.0))
    size = float(np.abs(far).max(initial=0.0))
    within = rounding * (size + float(np.abs(base).max(initial=0.0)))
    if not math.isfinite(size) or not np.abs(far - 2.0 * near).max(initial=0.0) <= within:
        return None
    design = np.stack([scores(theta + unit) - base for unit in np.eye(theta.size)], axis=1)
    omega = np.ones(y.size) if weights is None else np.asarray(weights, dtype=np.float64)
    return theta + _step(design, base, y, omega / omega.sum(), loss)


def _step(design: Array, base: Array, y: Array, omega: Array, loss: Loss) -> Array:
    """Return the step from base to where the mean loss is least, by Newton steps, halved until they lower it."""
    delta: Array = np.zeros(design.shape[1])

    def value(step: Array) -> float:
        return float(omega @ loss.value(base + design @ step, y))

    now = value(delta)
    for _ in range(STEPS):
        score = base + design @ delta
        root = np.sqrt(omega * np.maximum(loss.weight(score, y), 1e-9))
        right = omega * loss.slope(score, y) / root
        step = -np.linalg.lstsq(root[:, None] * design, right, rcond=1e-10)[0]
        for halving in range(HALVINGS):
            there = value(delta + 0.5**halving * step)
            if there < now:
                break
        else:
            return delta
        delta = np.asarray(delta + 0.5**halving * step)
        if now - there <= 1e-12 * abs(now):
            return delta
        now = there
    return delta
