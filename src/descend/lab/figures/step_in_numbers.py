"""The step from one epoch to the next: its numbers, which the page writes out as
w ← 0.140 − 0.001 × (−137.3) = 0.2773 and says in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.lab.descents.runs import Descents
from descend.lab.figures.frames import Frames, steps_at
from descend.lab.figures.still_figures import brief
from descend.results import Fit

Array = NDArray[np.float64]

TELLING = 1e-8
"""A step of gd tells the slope if it moves each parameter by more than this share of it."""

MOST_LINES = 4
"""Most parameters whose step is written out."""
RULES = {
    "gd": "θ ← θ − η·g",
    "momentum": "v ← m·v + g,   θ ← θ − η·v",
    "nesterov": "v ← m·v + g,   θ ← θ − η·(g + m·v)",
    "adagrad": "s ← s + g²,   θ ← θ − η·g/(√s + ε)",
    "rmsprop": "s ← ρ·s + (1 − ρ)·g²,   θ ← θ − η·g/(√s + ε)",
    "adam": "m ← β₁·m + (1 − β₁)·g,   v ← β₂·v + (1 − β₂)·g²,   θ ← θ − η·m̂/(√v̂ + ε)",
    "adamw": "θ ← (1 − η·λ)·θ,   then as adam",
    "lbfgs": "θ ← θ − α·H·g",
    "levenberg_marquardt": "(C + λ·D²)·d = −g,   θ ← θ + d",
    "newton": "C·d = −g,   θ ← θ + d",
    "vertex": "min Σ ω·ℓ(r + F·d),   θ ← θ + d",
}
"""The update rule of each optimizer, with g = dJ/dθ and learning rate η."""
SCALED = {
    "momentum": "v",
    "nesterov": "g + m·v",
    "adagrad": "g/(√s + ε)",
    "rmsprop": "g/(√s + ε)",
    "adam": "m̂/(√v̂ + ε)",
}
"""For optimizers whose step is η times something other than the gradient, the name of that."""


def numbers_of_steps(runs: Descents, frames: Frames) -> dict[str, object]:
    """Return the numbers of the step from each frame to the next epoch, of the first descent.

    labels: of the parameters that are written out; more: how many others there are. theta, after, slope: (frames,
    labels), before and after the step, and dJ/dparameter before it. rate, loss, next: (frames,), the learning rate, J
    before and after. kind: how the step is written. At the end it is the last step that was taken.
    """
    fit = runs.first
    last = fit.trace[-1].epoch
    begun = [max(min(epoch, last - 1), 0) for epoch in frames.epochs]
    before, after = steps_at(fit, begun), steps_at(fit, [epoch + 1 for epoch in begun])
    labels = fit.model.parameters.labels
    labels_shown = labels[:MOST_LINES]
    theta, steps_moved = (np.array([step.theta for step in steps], dtype=np.float64) for steps in (before, after))
    rates = np.array([step.learning_rate for step in before], dtype=np.float64)
    batched = runs.state.batch is not None and runs.state.batch < fit.rows
    kind = "gd" if fit.optimizer == "gd" else "scaled" if fit.optimizer in SCALED else "moved"
    slopes = _slopes(fit, theta, steps_moved, rates, kind == "gd" and not batched)[:, : len(labels_shown)]
    return {
        "kind": "batched" if batched else kind,
        "name": fit.optimizer,
        "symbol": SCALED.get(fit.optimizer, ""),
        "labels": list(labels_shown),
        "more": len(labels) - len(labels_shown),
        "theta": np.ascontiguousarray(theta[:, : len(labels_shown)]),
        "after": np.ascontiguousarray(steps_moved[:, : len(labels_shown)]),
        "slope": brief(slopes),
        "rate": brief(rates),
        "loss": brief(np.array([step.loss for step in before], dtype=np.float64)),
        "next": brief(np.array([step.loss for step in after], dtype=np.float64)),
        "taken": last > 0,
    }


def _slopes(fit: Fit, theta: Array, steps_moved: Array, rates: Array, plain: bool) -> Array:
    """Return dJ/dparameter at each theta, (frames, p). plain: whether a step is the rate times the slope."""
    assert fit.solution is not None
    slopes = np.full(theta.shape, np.nan)
    slopes_known = np.zeros(len(theta), dtype=bool)
    with np.errstate(all="ignore"):
        if plain:  # the step tells, where its digits do: it is much quicker to ask
            slopes = (theta - steps_moved) / rates[:, None]
            near = np.maximum(np.abs(theta), np.abs(steps_moved))
            telling = np.abs(theta - steps_moved) > TELLING * near
            slopes_known = np.logical_and(telling.all(axis=1), np.isfinite(slopes).all(axis=1))
        for component in np.flatnonzero(~slopes_known).tolist():
            slopes[component] = fit.solution.objective(theta[component], 1).gradient
    return slopes


def number(value: float, digits: int = 4) -> str:
    """Write a number to four digits, with a true minus sign.

    >>> number(-137.3), number(0.00012345), number(1234567.0), number(float("inf"))
    ('−137.3', '0.0001234', '1.235e6', '∞')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    return (f"{mantissa}e{int(exponent)}" if e else text).replace("-", "−")


def rule(names: Sequence[str]) -> str:
    """Return the update rule of the first optimizer, in symbols."""
    return RULES.get(names[0], "")
