"""Fitting again from the optimum: with some parameters held, or on other rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.formula.compile import triangle
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.parameters import Bounds
from descend.problem.objective import Objective, Point

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
STEPS = 30
"""Gauss-Newton steps, after which a slower and safer descent is tried."""
ROUNDING = 1e-14
"""Decrease of J, as a share of it, that rounding hides."""
WELL = 1e-11
"""Smallest eigenvalue of the scaled curvature above which its equations may be solved as they stand."""
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-7
TOLERANCE, EPOCHS = 1e-5, 200
"""Of the safer descent; J is right to about the square of the tolerance."""
NEARBY = LevenbergMarquardt(damping=1e-8)
"""Hardly damped, for the minimum is near."""


@dataclass(frozen=True)
class Part:
    """J over a choice of rows, which may name a row several times; over all of them if ``chosen`` is None."""

    objective: Objective
    chosen: NDArray[np.intp] | None = None

    def __call__(self, theta: Array, order: int = 2) -> Point:
        return self.objective(theta, order, self.chosen)


def refit(part: Part, theta: Array, free: Mask, close: float, lean: bool = True, patient: bool = True) -> Point | None:
    """Return the minimum of J over the ``free`` components, near ``theta``; None if none is found.

    close: decrease of J by a further Gauss-Newton step that is not worth it. lean: see ``well_conditioned``.
    patient: whether a slower and safer descent is tried where Gauss-Newton steps find none.
    """
    found = _gauss_newton(part, theta, free, close) if lean else None
    return found or (_descent(part, theta, free) if patient or not lean else None)


def well_conditioned(point: Point, free: Mask) -> bool:
    """Whether Gauss-Newton steps may be taken from the curvature itself, which squares the condition."""
    if point.curvature is None or not free.any():
        return False
    curvature = point.curvature[np.ix_(free, free)]
    if not np.isfinite(curvature).all() or not (curvature.diagonal() > 0.0).all():
        return False
    scale = 1.0 / np.sqrt(curvature.diagonal())
    return bool(np.linalg.eigvalsh(curvature * scale * scale[:, None])[0] > WELL)


def _gauss_newton(part: Part, theta: Array, free: Mask, close: float) -> Point | None:
    """Take Gauss-Newton steps over what no bound blocks, damped by lambda diag(C) after a step that failed."""
    bounds, damping = part.objective.bounds, 0.0
    point = part(theta)
    for _ in range(STEPS):
        if point.curvature is None or not math.isfinite(point.loss):
            return None
        moving = free if bounds is None else free & ~bounds.blocked(point.theta, point.gradient)
        places = np.flatnonzero(moving)
        if not places.size:
            return point
        curvature, gradient = point.curvature[places[:, None], places], point.gradient[places]
        step = newton_step(curvature, gradient)
        if -0.5 * gradient.dot(step) <= max(close, ROUNDING * abs(point.loss)):
            return point
        if damping:
            step = newton_step(curvature + np.diag(damping * curvature.diagonal()), gradient)
        new = part(_ahead(point.theta, places, step, bounds))
        if new.loss < point.loss:  # which a loss that is not finite is not
            point, damping = new, 0.0 if damping <= LEAST_DAMPING else 0.1 * damping
        else:
            damping = max(10.0 * damping, FIRST_DAMPING)
    return None


def _ahead(theta: Array, places: NDArray[np.intp], step: NDArray[Any], bounds: Bounds | None) -> Array:
    move = np.zeros(theta.size)
    move[places] = step
    return theta + move if bounds is None else bounds.moved(theta, move)


def newton_step(curvature: Array, gradient: Array) -> Array:
    """Return the Newton step; what has lost all influence, such as a rate that is as good as infinite, stays."""
    try:
        return np.asarray(-np.linalg.solve(curvature, gradient), np.float64)
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
        scaled = curvature / (scale * scale[:, None])
        if not np.isfinite(scaled).all():
            return np.full(gradient.size, math.nan)
        return np.asarray(-np.linalg.lstsq(scaled, gradient / scale, rcond=1e-14)[0] / scale, np.float64)


def _descent(part: Part, theta: Array, free: Mask) -> Point | None:
    """Descend by Levenberg-Marquardt on the triangle of the Jacobian."""
    if not free.any():
        point = part(theta)
        return point if math.isfinite(point.loss) else None
    plan = Plan(EPOCHS, asked=False, rate=1.0, tolerance=TOLERANCE)
    free_part = _Free(part, theta, free)
    *_, last = descend(free_part, NEARBY, theta[free], plan)
    found = math.isfinite(last.loss) and math.isfinite(last.gradient_norm)
    return part(free_part.whole(last.theta)) if found else None


class _Free:
    """J as a function of the free components alone, as the loop of descent wants it. The last point is kept."""

    def __init__(self, part: Part, theta: Array, free: Mask) -> None:
        self.part, self.theta, self.free = part, theta, free
        self.rows = part.objective.rows if part.chosen is None else len(part.chosen)
        self.engine = part.objective.engine
        bounds = part.objective.bounds
        self.bounds = None if bounds is None else bounds.of(free)
        self.penalty = None
        self.floor = part.objective.floor
        self.has_l1 = False
        self.pieces = None
        self.edge = None
        self._last: tuple[Point, int] | None = None

    def whole(self, free: Array) -> Array:
        """Return the flat vector of all parameters."""
        theta = self.theta.copy()
        theta[self.free] = free
        return theta

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        last = self._last
        if last is not None and last[0].theta is theta and last[1] >= order:
            return last[0]
        full = self.part(self.whole(theta), order)
        gradient = full.gradient[self.free] if order else None
        curvature = None if full.curvature is None else full.curvature[np.ix_(self.free, self.free)]
        factor = None if full.factor is None else self._of_free(full.factor)
        point = Point(theta, full.loss, gradient, curvature, factor, self, None)  # type: ignore[arg-type]
        self._last = (point, order)
        return point

    def triangle(self, theta: Array) -> tuple[float, float, Array | None, Array | None]:
        """Return what ``Objective.triangle`` does, of the free components."""
        objective = self.part.objective
        rows, loss, own, factor = objective.triangle(self.whole(theta), self.part.chosen)
        return rows, loss, own, None if factor is None else self._of_free(factor)

    def _of_free(self, factor: Array) -> Array:
        return triangle(factor[:, np.append(self.free, True)])
