"""Fitting again, from the optimum: with some parameters held, or on other rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.engines.totals import Curvature
from descend.optimizers.curvature import is_finite, part_of, with_diagonal
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.parameters import Bounds
from descend.problem.objective import Held, VectorObjective
from descend.problem.point import Point

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
STEPS = 30
"""Gauss-Newton steps, after which a slower and safer descent is tried."""
ROUNDING = 1e-14
"""A decrease of J by less than this share of it is hidden by rounding."""
WELL = 1e-11
"""If the scaled curvature has no eigenvalue below this, its equations may be solved directly."""
FIRST_DAMPING, LEAST_DAMPING = 1e-3, 1e-7
TOLERANCE, EPOCHS = 1e-5, 200
"""Limits of the safer descent; its J is right to about the square of the tolerance."""
NEARBY = LevenbergMarquardt(damping=1e-8)
"""Hardly damped, since the minimum is near."""


def refit(
    objective: VectorObjective, theta: Array, free: Mask, close: float, lean: bool = True, patient: bool = True
) -> Point | None:
    """Return the minimum of J over the ``free`` components, near ``theta``; None if none is found.

    close: stop if a further Gauss-Newton step would decrease J by less than this. lean: see ``well_conditioned``.
    patient: whether a slower and safer descent is tried where Gauss-Newton steps find none.
    """
    step_point = _gauss_newton(objective, theta, free, close) if lean else None
    return step_point or (_descent(objective, theta, free) if patient or not lean else None)


def well_conditioned(point: Point, free: Mask) -> bool:
    """Whether Gauss-Newton steps may use the curvature itself, which has the squared condition of the Jacobian."""
    if point.curvature is None or not free.any():
        return False
    curvature = part_of(point.curvature, free)
    if not is_finite(curvature) or not (curvature.diagonal() > 0.0).all():
        return False
    scale = 1.0 / np.sqrt(curvature.diagonal())
    if not isinstance(curvature, np.ndarray):
        factored = curvature.scaled(1.0 / scale).factored()
        return factored is not None and factored.largest_inverse * WELL < 1.0
    return bool(np.linalg.eigvalsh(curvature * scale * scale[:, None])[0] > WELL)


def _gauss_newton(objective: VectorObjective, theta: Array, free: Mask, close: float) -> Point | None:
    """Take Gauss-Newton steps in the components that no bound blocks, damped by lambda diag(C) after a failed step."""
    bounds, damping = objective.bounds, 0.0
    point = objective(theta, 2)
    for _ in range(STEPS):
        if point.curvature is None or not math.isfinite(point.loss):
            return None
        moving = free if bounds is None else free & ~bounds.blocked(point.theta, point.gradient)
        moving_places = np.flatnonzero(moving)
        if not moving_places.size:
            return point
        curvature, gradient = part_of(point.curvature, moving), point.gradient[moving_places]
        step = newton_step(curvature, gradient)
        if -0.5 * gradient.dot(step) <= max(close, ROUNDING * abs(point.loss)):
            return point
        if damping:
            step = newton_step(with_diagonal(curvature, damping * curvature.diagonal()), gradient)
        new = objective(_ahead(point.theta, moving_places, step, bounds), 2)
        if new.loss < point.loss:  # false if the new loss is not finite
            point, damping = new, 0.0 if damping <= LEAST_DAMPING else 0.1 * damping
        else:
            damping = max(10.0 * damping, FIRST_DAMPING)
    return None


def _ahead(theta: Array, moving_places: NDArray[np.intp], step: Array, bounds: Bounds | None) -> Array:
    move = np.zeros(theta.size)
    move[moving_places] = step
    return theta + move if bounds is None else bounds.moved(theta, move)


def newton_step(curvature: Curvature, gradient: Array) -> Array:
    """Return the Newton step; a component without influence, such as a rate that is practically infinite, stays."""
    if not isinstance(curvature, np.ndarray):
        factored = curvature.factored()
        return np.full(gradient.size, math.nan) if factored is None else -factored.solve(gradient)
    try:
        return np.asarray(-np.linalg.solve(curvature, gradient), np.float64)
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
        scaled = curvature / (scale * scale[:, None])
        if not np.isfinite(scaled).all():
            return np.full(gradient.size, math.nan)
        return np.asarray(-np.linalg.lstsq(scaled, gradient / scale, rcond=1e-14)[0] / scale, np.float64)


def _descent(objective: VectorObjective, theta: Array, free: Mask) -> Point | None:
    """Descend by Levenberg-Marquardt on the triangle of the Jacobian."""
    if not free.any():
        point = objective(theta, 2)
        return point if math.isfinite(point.loss) else None
    plan = Plan(EPOCHS, epochs_given=False, rate=1.0, tolerance=TOLERANCE)
    free_part = Held(objective, theta, free)
    *_, last = descend(free_part, NEARBY, theta[free], plan)
    finite_end = math.isfinite(last.loss) and math.isfinite(last.gradient_norm)
    return objective(free_part.complete(last.theta), 2) if finite_end else None
