"""A point of a profile: one parameter held, the others fitted again. "The others" are always these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature
from descend.inference.refit import newton_step, refit
from descend.optimizers.curvature import is_finite, part_of
from descend.problem.objective import VectorObjective
from descend.problem.point import Point

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CLOSE = 1e-6
"""Relative error allowed for tau at an end."""
JUMP = 0.1
"""If the slopes at both sides leave more than this share of a rise unexplained, it is a jump into another basin."""
DROP, FAR_DROP = 0.2, 0.5
"""The share by which a rise may be less than the slopes explain, near and far; more hides a jump in between."""
FAR = 8.0
"""Distance, in standard errors, from which on strides only grow."""
MATTERS = 0.12
"""Smaller rises of tau**2 are compared with this instead, for their slopes are not known so well."""
LOWER = 1e-3
"""A fall of tau**2 by more than this, absolute or as a share of it, is more than rounding."""


@dataclass(frozen=True, eq=False)
class Side:
    """One side of the profile of a parameter. Distances are in standard errors, outwards from the optimum.

    component: the place of the parameter in theta. error: its standard error, negative on the lower side. free: what is
    fitted again. tangent: (p,) derivatives of theta by the distance, at the optimum. factor: tau**2 / rise of J.
    room: distance to the bound. lean: see ``well_conditioned``.
    """

    objective: VectorObjective
    best: Point
    component: int
    error: float
    free: Mask
    tangent: Array
    factor: float
    room: float
    lean: bool

    def value(self, distance: float) -> float:
        """Return the value of the parameter at a distance."""
        return float(self.best.theta[self.component]) + distance * self.error

    def start(self, theta: Array, distance: float) -> Array:
        """Return ``theta`` with the parameter held at a distance, and all parameters within their bounds."""
        start, bounds = theta.copy(), self.objective.bounds
        start[self.component] = self.value(distance)
        return start if bounds is None else np.clip(start, bounds.low, bounds.high)


@dataclass(frozen=True)
class ProfilePoint:
    """A point of the profile.

    distance: outwards from the optimum. rise: tau**2. push: derivative of tau**2 by the distance.
    theta: all parameters. tangent: their derivatives by the distance.
    """

    distance: float
    rise: float
    push: float
    theta: Array
    tangent: Array

    @property
    def tau(self) -> float:
        return math.sqrt(max(self.rise, 0.0))


def origin(side: Side) -> ProfilePoint:
    """Return the optimum as a point. Its push is 0, except for a parameter that J pushes against its bound."""
    bounds, push = side.objective.bounds, side.error * side.factor * float(side.best.gradient[side.component])
    at_bound = bounds is not None and bool(bounds.held(side.best.theta)[side.component])
    return ProfilePoint(0.0, 0.0, push if at_bound else 0.0, side.best.theta, side.tangent)


def fitted(side: Side, distance: float, start: Array, patient: bool = True) -> ProfilePoint | None:
    """Fit the others with the parameter held at a distance; None if no minimum is found. patient: see ``refit``."""
    close = 2.0 * CLOSE / side.factor
    point = refit(side.objective, side.start(start, distance), side.free, close, side.lean, patient)
    if point is None or not math.isfinite(point.loss):
        return None
    component, loss, slope = side.component, point.loss, float(point.gradient[side.component])
    tangent, bounds = np.zeros(point.theta.size), side.objective.bounds
    tangent[component] = side.error
    free = side.free if bounds is None else side.free & ~bounds.blocked(point.theta, point.gradient)
    free_places = np.flatnonzero(free)
    if free_places.size and point.curvature is not None and is_finite(point.curvature):
        unit, gradient = np.zeros(point.theta.size), point.gradient[free_places]
        unit[component] = 1.0
        across = (point.curvature @ unit)[free_places]
        along, left = _solved(part_of(point.curvature, free), np.column_stack([-across, -gradient]), side.lean)
        tangent[free_places] = along * side.error
        gain = 0.5 * float(gradient @ left)
        if abs(gain) <= CLOSE * abs(loss - side.best.loss):  # add what one more step gains, if it is short enough
            loss, slope = loss + gain, slope + float(across @ left)
    rise, push = side.factor * (loss - side.best.loss), side.factor * slope * side.error
    return ProfilePoint(distance, rise, push, point.theta, tangent)


def _solved(curvature: Curvature, right: Array, lean: bool) -> Array:
    if not isinstance(curvature, np.ndarray):
        return np.array([newton_step(curvature, -each) for each in right.T])
    try:
        step = np.linalg.solve(curvature, right) if lean else None
    except np.linalg.LinAlgError:
        step = None
    return np.asarray((np.linalg.lstsq(curvature, right, rcond=1e-14)[0] if step is None else step).T, np.float64)


def refitted(side: Side, near: ProfilePoint, distance: float) -> ProfilePoint | None:
    """Fit the others again at a distance, along the tangent of another point."""
    return fitted(side, distance, near.theta + (distance - near.distance) * near.tangent)


def is_lower(one: ProfilePoint, other: ProfilePoint) -> bool:
    """Whether tau**2 is lower by more than rounding."""
    return one.rise < other.rise - LOWER * max(1.0, abs(other.rise))


def unexplained(inner: ProfilePoint, outside: ProfilePoint) -> float:
    """Return the share of the rise between two points that their slopes do not explain, by the trapezoid rule."""
    rise = outside.rise - inner.rise
    explained = 0.5 * (inner.push + outside.push) * (outside.distance - inner.distance)
    return (rise - explained) / max(abs(rise), abs(explained), MATTERS)


def joined(inner: ProfilePoint, outside: ProfilePoint) -> bool:
    """Whether no jump lies between two points.

    Far out, where a profile may bend towards its final level, it may rise by less than the slopes explain.
    """
    return -(FAR_DROP if inner.distance > FAR else DROP) <= unexplained(inner, outside) <= JUMP


@overload
def cubic(first: float, last: float, slope: float, slope_last: float, share: float) -> float: ...
@overload
def cubic(first: Array, last: Array, slope: Array, slope_last: Array, share: float) -> Array: ...
def cubic(first, last, slope, slope_last, share):  # type: ignore[no-untyped-def]
    """Return the cubic with these values and slopes at 0 and 1."""
    change = last - first
    bend = 3.0 * change - 2.0 * slope - slope_last
    return first + share * (slope + share * (bend + share * (slope + slope_last - 2.0 * change)))
