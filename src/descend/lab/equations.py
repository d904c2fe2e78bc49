"""The step from one epoch to the next, with its numbers in it: w ← 0.140 − 0.001 × (−137.3) = 0.2773."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.descent.step import Step
from descend.results import Fit

Array = NDArray[np.float64]

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


def step_lines(fit: Fit, epoch: int, batched: bool = False) -> list[str]:
    """Write the step from ``epoch`` to the next, a line or two for each parameter; nothing after the last.

    batched: whether an epoch takes several steps; then only their sum is written.

    >>> import descend
    >>> rows = {"x": [1.0, 2.0], "y": [2.0, 4.0]}
    >>> fit = descend.fit("y ~ w*x", rows, start={"w": 0.0}, optimizer="gd", learning_rate=0.1, epochs=3)
    >>> step_lines(fit, 0)
    ['w ← 0 − 0.1 × (−10) = 1']
    """
    assert fit.solution is not None
    if epoch >= fit.trace[-1].epoch:
        return []
    before, after = (_at(fit, each) for each in (epoch, epoch + 1))
    with np.errstate(all="ignore"):
        gradient = np.asarray(fit.solution.objective(np.asarray(before.theta), 1).gradient)
    labels = fit.model.parameters.labels
    lines: list[str] = []
    for place, label in enumerate(labels[:MOST_LINES]):
        old, new = float(before.theta[place]), float(after.theta[place])
        if batched:
            lines.append(f"{label} ← {number(old)} {signed(new - old)} = {number(new)}")
        else:
            lines += _lines(fit.optimizer, label, old, new, float(gradient[place]), before.learning_rate)
    if len(labels) > MOST_LINES:
        lines.append(f"… {len(labels) - MOST_LINES} more")
    return lines


def _at(fit: Fit, epoch: int) -> Step:
    step = fit.trace[epoch] if epoch < len(fit.trace) else fit.trace[-1]
    return step if step.epoch == epoch else fit.trace.at(epoch)


def _lines(name: str, label: str, old: float, new: float, slope: float, rate: float) -> list[str]:
    moved = old - new
    if name == "gd":
        return [f"{label} ← {number(old)} − {number(rate)} × {bracketed(slope)} = {number(new)}"]
    if name in SCALED and rate > 0.0:
        direction = moved / rate
        return [
            f"{label} ← {number(old)} − {number(rate)} × {bracketed(direction)} = {number(new)}",
            f"    {SCALED[name]} = {number(direction)},   g = {number(slope)}",
        ]
    return [f"{label} ← {number(old)} {signed(-moved)} = {number(new)}", f"    g = {number(slope)}"]


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


def bracketed(value: float) -> str:
    """Write a factor, in brackets if it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def signed(value: float) -> str:
    """Write a term of a sum, with its sign."""
    return f"− {number(-value)}" if value < 0.0 else f"+ {number(value)}"


def rule(names: Sequence[str]) -> str:
    """Return the update rule of the first optimizer, in symbols."""
    return RULES.get(names[0], "")
