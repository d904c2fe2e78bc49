"""Fitting again from the optimum: with one parameter held, or on other rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.descent.objective import Objective, Point
from descend.formula.compile import triangle
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt

Array = NDArray[np.float64]
TOLERANCE = 1e-5
"""Of the gradient: J is then right to about the square of it, far more than the ends of an interval need."""
EPOCHS = 200
NEARBY = LevenbergMarquardt(damping=1e-8)
"""Hardly damped, for the minimum is near."""


class OnRows:
    """J over a choice of rows, which may name a row several times. The last point is kept."""

    def __init__(self, objective: Objective, chosen: NDArray[np.intp]) -> None:
        self.objective, self.chosen, self.rows = objective, chosen, len(chosen)
        self.bounds = objective.bounds
        self._last: tuple[Point, int] | None = None

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        last = self._last
        if last is not None and last[0].theta is theta and last[1] >= order:
            return last[0]
        point = self.objective(theta, order, self.chosen)
        point.objective = self  # type: ignore[assignment]
        self._last = (point, order)
        return point


class Held:
    """J as a function of all parameters but one, which is held at a value."""

    def __init__(self, objective: Objective, place: int, size: int) -> None:
        self.objective, self.place, self.rows = objective, place, objective.rows
        self.free = np.arange(size) != place
        self.value = math.nan
        self.bounds, self.has_l1 = None, False

    def whole(self, free: Array) -> Array:
        """Return the flat vector of all parameters."""
        return np.insert(free, self.place, self.value)

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        full = self.objective(self.whole(theta), order)
        gradient = full.gradient[self.free] if order else None
        curvature = None if full.curvature is None else full.curvature[np.ix_(self.free, self.free)]
        factor = None if full.factor is None else triangle(np.delete(full.factor, self.place, axis=1))
        return Point(theta, full.loss, gradient, curvature, factor, self, None)  # type: ignore[arg-type]


def refit(objective: OnRows | Held, theta: Array) -> tuple[float, Array] | None:
    """Descend from ``theta``; return the lowest J and where it is, or None if none was found."""
    if not theta.size:
        loss = objective(theta, 0).loss
        return (loss, theta) if math.isfinite(loss) else None
    plan = Plan(EPOCHS, asked=False, rate=1.0, tolerance=TOLERANCE)
    *_, last = descend(objective, NEARBY, theta, plan)
    return (last.loss, last.theta) if math.isfinite(last.loss) and math.isfinite(last.gradient_norm) else None
