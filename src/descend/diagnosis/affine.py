"""Modules that are linear in their parameters: of these alone it is known how low J can be brought."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MOST_NUMBERS = 5_000_000
"""Numbers of a design matrix that is still formed."""
STEPS, HALVINGS = 40, 20


def lowest(flat: Any, theta: Array) -> float | None:
    """Return the lowest J of a module; None unless its score is affine in theta and the loss convex.

    With the score s(theta) = s0 + A (theta - theta0), whose columns are found by moving one parameter at a time, J is
    brought down by damped Newton steps in A, and evaluated by the module itself where they end.
    """
    engine, loss = flat.objective.engine, flat.objective.model.loss
    if not loss.convex or loss.kinked or theta.size * engine.count > MOST_NUMBERS:
        return None
    base = _score(flat, theta)
    random = np.random.default_rng(0)
    away = random.standard_normal(theta.size)
    near, far = (_score(flat, theta + share * away) - base for share in (1.0, 2.0))
    size = float(np.abs(far).max(initial=0.0))
    rounding = 1e-10 if str(flat.trained[0].dtype) == "torch.float64" else 1e-4
    if not math.isfinite(size) or not np.abs(far - 2.0 * near).max(initial=0.0) <= rounding * (
        size + float(np.abs(base).max(initial=0.0))
    ):
        return None
    design = np.stack([_score(flat, theta + unit) - base for unit in np.eye(theta.size)], axis=1)
    y = engine.y.detach().cpu().double().numpy()
    omega = np.ones(len(y)) if engine.rows.omega is None else engine.rows.omega
    delta = _minimum(design, base, y, omega / omega.sum(), loss)
    found = [float(flat(place, 0).loss) for place in (theta, theta + delta)]
    return min((value for value in found if math.isfinite(value)), default=None)


def _score(flat: Any, theta: Array) -> Array:
    import torch

    flat.load(theta)
    flat.objective.modes.evaluate()
    try:
        with torch.no_grad():
            parts = [flat.objective.model.score(inputs) for inputs, _, _ in flat.objective.engine.blocks(None, False)]
    finally:
        flat.objective.modes.train()
    score: Array = torch.cat(parts).cpu().double().numpy()
    return score


def _minimum(design: Array, base: Array, y: Array, omega: Array, loss: Any) -> Array:
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
