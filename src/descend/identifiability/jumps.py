"""Parameters that move predictions in jumps alone, such as one with which a Python function compares a column."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from descend.errors import DescendError
from descend.formula.trade_off import joined
from descend.models import Model
from descend.problem.point import Objective

Array = NDArray[np.float64]
SHARES = (-0.5, -0.1, 0.1, 0.5)
"""By which a parameter is moved to see whether J jumps, as shares of its size."""
NOTHING = 1e-9
"""Share of J by which rounding may change it."""


def jumping(model: Model, objective: Objective, theta: Array, idle: Collection[str]) -> list[str]:
    """Return which of some parameters without a derivative change J all the same; none of a formula, which has none.

    idle: labels.
    """
    if model.formula is not None:
        return []
    loss, found = _loss(objective, theta), []
    for place, label in enumerate(model.parameters.labels):
        unit = (abs(float(theta[place])) or 1.0) * (np.arange(theta.size) == place)
        moved = [_loss(objective, theta + share * unit) for share in SHARES] if label in idle else []
        if any(abs(each - loss) > NOTHING * abs(loss) for each in moved):
            found.append(label)
    return found


def _loss(objective: Objective, theta: Array) -> float:
    """Return J, NaN where the function of the user refuses these values."""
    with contextlib.suppress(DescendError):
        return float(objective(theta, 0).loss)
    return math.nan


def in_jumps(labels: Collection[str]) -> str:
    """Say that parameters move predictions in jumps alone, and what to do about it."""
    move, stay, them = ("moves", "it stays", "it") if len(labels) == 1 else ("move", "they stay", "them")
    return (
        f"{joined(list(labels))} {move} predictions in jumps alone, which no gradient sees: {stay} where the search or "
        f"the start left {them}, without an error. Make the switch smooth, for example 1/(1 + np.exp((x - t)/width)), "
        f"or fix {them}."
    )
