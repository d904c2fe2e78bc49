"""One side of a profile, followed outwards from the optimum to where tau is as large as wanted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import overload

import numpy as np
from numpy.typing import NDArray

from descend.descent.objective import Point
from descend.fit.refit import Part, refit

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CLOSE = 1e-6
"""Relative error of tau at which an end is found."""
MOST = 200
"""Strides on one side at most."""
JUMP = 0.1
"""Share of a rise that the slopes at both of its sides may leave unexplained; more is a jump into another basin."""
DROP, FAR_DROP = 0.2, 0.5
"""Share by which it may be less; more is a jump over what may lie between."""
SMOOTH = 0.05
"""Share that is left unexplained up to which the next stride is longer."""
FAR = 4.0
"""Distance, as a multiple of where a parabola would end, from which on strides only grow."""
MATTERS = 0.03
"""Share of the rise wanted below which a rise is not looked at that closely: its slopes are not known so well."""
NARROWEST = 1e-7
"""Stride, as a share of the distance, below which a jump is one of the profile itself."""
NEAR = 5.0
"""Standard errors over which the others are taken to move along the tangent of the profile."""
STEEPEST = 4.0
"""Power of the distance by which another parameter is taken to grow far out, at most."""
FARTHEST = 1e12
"""Standard errors beyond which a side is open."""
LEVEL = 1e-3
"""Share of the rise wanted that may still be to come where a profile counts as level."""


@dataclass(frozen=True, eq=False)
class Side:
    """One side of the profile of a parameter. Distances are in standard errors, outwards from the optimum.

    place: of the parameter in theta. error: its standard error, negative on the lower side. free: what is fitted
    again. tangent: (p,) derivatives of theta by the distance at the optimum. factor: tau**2 over the rise of J.
    reach: |tau| at the end. room: distance of the bound. first: the first stride. lean: see ``well_conditioned``.
    """

    part: Part
    best: Point
    place: int
    error: float
    free: Mask
    tangent: Array
    factor: float
    reach: float
    room: float
    first: float
    lean: bool

    def value(self, distance: float) -> float:
        """Return the parameter at a distance."""
        return float(self.best.theta[self.place]) + distance * self.error

    def start(self, theta: Array, distance: float) -> Array:
        """Return ``theta`` with the parameter held at a distance, and all within their bounds."""
        start, bounds = theta.copy(), self.part.objective.bounds
        start[self.place] = self.value(distance)
        return start if bounds is None else np.clip(start, bounds.low, bounds.high)


@dataclass(frozen=True)
class Place:
    """A place of the profile.

    distance: outwards from the optimum. rise: tau**2. push: its derivative by the distance.
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


class Why(Enum):
    """Why a side ends where it does."""

    REACHED = auto()
    """tau is as large as wanted."""
    BOUND = auto()
    """The parameter is at its bound, and tau is smaller still."""
    OPEN = auto()
    """tau is smaller however far the parameter goes."""
    JUMP = auto()
    """tau jumps there from less to more than wanted."""
    WALL = auto()
    """The model has no value beyond."""
    LOST = auto()
    """The others could not be fitted beyond."""


@dataclass(frozen=True)
class End:
    """The end of a side. place: the last one inside, or the end itself."""

    distance: float
    place: Place
    why: Why


def origin(side: Side) -> Place:
    """Return the optimum. A parameter at its bound is pushed there; of any other the gradient is but rounding."""
    bounds, push = side.part.objective.bounds, side.error * side.factor * float(side.best.gradient[side.place])
    held = bounds is not None and bool(bounds.held(side.best.theta)[side.place])
    return Place(0.0, 0.0, push if held else 0.0, side.best.theta, side.tangent)


def outwards(side: Side, inside: Place) -> Iterator[Place | End]:
    """Yield the places of a side beyond ``inside``, and last its end.

    A stride is up to twice as long as the last, and leads no further than where the slope of tau puts the end. Once a
    place beyond the end is known, the next is where the cubic of tau**2 through the nearest on both sides puts it.
    Each is found from its inner neighbour and counts only if no jump lies between them, so that a fit of the others
    that ended in a worse basin bounds nothing.
    """
    outside, stride, wall, level = None, side.first, math.inf, _Level(side.reach**2)
    for _ in range(MOST):
        target = _ahead(side, inside, stride, wall) if outside is None else _crossing(side, inside, outside)
        if not target > inside.distance * (1.0 + (0.5 * NARROWEST if math.isfinite(wall) else 0.0)):
            break
        trial = _followed(side, inside, target, outside)
        if trial is None:
            wall, outside = target, None
            continue
        yield trial
        end = _ended(side, inside, trial, level if outside is None else None)
        if end is not None:
            yield end
            return
        if trial.tau > side.reach:
            outside = trial
            continue
        if outside is not None and not (trial.distance < outside.distance and _joined(side, trial, outside)):
            outside = None  # it lies in a worse basin than this one
        smooth = inside.distance > FAR * side.reach or abs(_unexplained(side, inside, trial)) < SMOOTH
        stride, inside = (2.0 if smooth else 1.0) * (trial.distance - inside.distance), trial
    yield _stopped(side, inside, wall if math.isfinite(wall) else inside.distance, Why.LOST)


def _ended(side: Side, inside: Place, trial: Place, level: _Level | None) -> End | None:
    """Return the end if it is at ``trial``, or if there is none beyond."""
    if abs(trial.tau - side.reach) <= CLOSE * side.reach:
        return End(trial.distance, trial, Why.REACHED)
    if trial.tau > side.reach:
        narrow = trial.distance - inside.distance <= NARROWEST * trial.distance
        return _stopped(side, inside, inside.distance, Why.JUMP) if narrow else None
    if trial.distance >= side.room:
        return End(math.inf, trial, Why.BOUND)
    if level is not None and (level.at(trial) or trial.distance > FARTHEST):
        return End(math.inf, trial, Why.OPEN)
    return None


def _stopped(side: Side, inside: Place, beyond: float, why: Why) -> End:
    """Return the end where there was no going on from a place: none is near if the slope of tau puts it far away."""
    if beyond >= side.room:
        return End(math.inf, inside, Why.BOUND)  # J is not finite at the bound itself
    slope = 0.5 * inside.push / inside.tau if inside.tau else 1.0
    if inside.distance > FAR * side.reach and side.reach - inside.tau > slope * inside.distance:
        return End(math.inf, inside, Why.OPEN)
    if why is Why.LOST and not math.isfinite(side.part(side.start(inside.theta, beyond), 0).loss):
        why = Why.WALL
    return End(inside.distance, inside, why)


def _ahead(side: Side, inside: Place, stride: float, wall: float) -> float:
    """Say how far to go next: a stride, or a little beyond where the slope of tau puts the end, if that is nearer."""
    missing = stride
    if inside.push > 0.0:
        tau = inside.tau
        slope = 0.5 * inside.push / tau if tau else inside.push / side.reach
        missing = min(stride, 1.001 * (side.reach - tau) / slope)
    limit = 0.5 * (inside.distance + wall)  # infinite as long as the model has a value everywhere
    return min(inside.distance + missing, side.room, limit)


def _crossing(side: Side, inside: Place, outside: Place) -> float:
    """Return where the cubic of tau**2 through two places is as high as wanted, not quite at either."""
    low, high, width = 0.0, 1.0, outside.distance - inside.distance
    values, slopes = (inside.rise, outside.rise), (inside.push * width, outside.push * width)
    for _ in range(24):
        share = 0.5 * (low + high)
        if _cubic(*values, *slopes, share) < side.reach**2:
            low = share
        else:
            high = share
    return inside.distance + min(max(0.5 * (low + high), 1e-3), 1.0 - 1e-3) * width


@overload
def _cubic(first: float, last: float, slope: float, slope_last: float, share: float) -> float: ...
@overload
def _cubic(first: Array, last: Array, slope: Array, slope_last: Array, share: float) -> Array: ...
def _cubic(first, last, slope, slope_last, share):  # type: ignore[no-untyped-def]
    """Return the cubic with these values and slopes at 0 and 1."""
    change = last - first
    bend = 3.0 * change - 2.0 * slope - slope_last
    return first + share * (slope + share * (bend + share * (slope + slope_last - 2.0 * change)))


def _unexplained(side: Side, inside: Place, outside: Place) -> float:
    """Return the part of the rise between two places that their slopes do not explain, by the trapezoid rule."""
    rise = outside.rise - inside.rise
    explained = 0.5 * (inside.push + outside.push) * (outside.distance - inside.distance)
    least = MATTERS * side.reach**2
    return (rise - explained) / max(abs(rise), abs(explained), least)


def _joined(side: Side, inside: Place, outside: Place) -> bool:
    """Whether no jump lies between two places.

    Far out, where a profile may bend towards its level, and beyond the end, where it may be a wall, it may rise by less
    than the slopes explain.
    """
    unexplained = _unexplained(side, inside, outside)
    if outside.tau > side.reach:
        return unexplained <= JUMP
    return -(FAR_DROP if inside.distance > FAR * side.reach else DROP) <= unexplained <= JUMP


def _followed(side: Side, inside: Place, target: float, outside: Place | None) -> Place | None:
    """Fit the others again at ``target``, or nearer to ``inside`` as long as a jump lies between them.

    None if none was found at ``target``.
    """
    while True:
        trial = None
        for start in _starts(side, inside, target, outside):
            trial = fitted(side, target, start) or trial
            if trial is not None and _joined(side, inside, trial):
                return trial
        if trial is None or target - inside.distance <= NARROWEST * target:
            return trial
        target, outside = 0.5 * (inside.distance + target), None


def _starts(side: Side, inside: Place, distance: float, outside: Place | None) -> Iterator[Array]:
    """Yield values from which to fit the others at a distance, the best guess first."""
    moved = distance - inside.distance
    if outside is not None:
        width = outside.distance - inside.distance
        yield _cubic(inside.theta, outside.theta, inside.tangent * width, outside.tangent * width, moved / width)
    straight = inside.theta + moved * inside.tangent
    if moved <= NEAR:
        yield from (straight, inside.theta)
        return
    starts = [straight, _powers(side, inside, distance), inside.theta]
    losses = np.array([side.part(side.start(start, distance), 0).loss for start in starts])
    yield from (starts[number] for number in np.argsort(np.where(np.isfinite(losses), losses, math.inf)))


def _powers(side: Side, inside: Place, distance: float) -> Array:
    """Return the others as powers of the parameter that is held, which is what they become far out."""
    here = float(inside.theta[side.place])
    ratio = side.value(distance) / here if here else -1.0
    if not ratio > 0.0:
        return inside.theta
    powers = inside.tangent * (here / side.error) / inside.theta
    return inside.theta * ratio ** np.where(np.isfinite(powers), np.clip(powers, -STEEPEST, STEEPEST), 0.0)


def fitted(side: Side, distance: float, start: Array) -> Place | None:
    """Fit the others with the parameter held at a distance; None if no minimum is found."""
    close = 0.5 * CLOSE * side.reach**2 / side.factor
    point = refit(side.part, side.start(start, distance), side.free, close, side.lean)
    if point is None or not math.isfinite(point.loss):
        return None
    place, loss, slope = side.place, point.loss, float(point.gradient[side.place])
    tangent, bounds = np.zeros(point.theta.size), side.part.objective.bounds
    tangent[place] = side.error
    free = side.free if bounds is None else side.free & ~bounds.blocked(point.theta, point.gradient)
    places = np.flatnonzero(free)
    if places.size and point.curvature is not None and np.isfinite(point.curvature).all():
        curvature, across, gradient = point.curvature, point.curvature[places, place], point.gradient[places]
        along, left = _solved(curvature[places[:, None], places], np.column_stack([-across, -gradient]), side.lean)
        tangent[places] = along * side.error
        gain = 0.5 * float(gradient @ left)
        if abs(gain) <= CLOSE * abs(loss - side.best.loss):  # what one more step gains; a long one is no parabola's
            loss, slope = loss + gain, slope + float(across @ left)
    rise, push = side.factor * (loss - side.best.loss), side.factor * slope * side.error
    return Place(distance, rise, push, point.theta, tangent)


def _solved(curvature: Array, right: Array, lean: bool) -> Array:
    try:
        found = np.linalg.solve(curvature, right) if lean else None
    except np.linalg.LinAlgError:
        found = None
    return np.asarray((np.linalg.lstsq(curvature, right, rcond=1e-14)[0] if found is None else found).T, np.float64)


class _Level:
    """Tells where a profile has become level: what it gains by each doubling of the distance shrinks to nothing."""

    def __init__(self, wanted: float) -> None:
        self.wanted, self.last, self.gains, self.times = wanted, (0.0, 0.0), [math.inf, math.inf], 0

    def at(self, place: Place) -> bool:
        """Whether tau**2 stays below what is wanted from here on, as two doublings one after the other tell."""
        distance, rise = self.last
        if place.distance < 1.9 * distance:
            return False
        self.gains, self.last = [self.gains[1], place.rise - rise], (place.distance, place.rise)
        before, gain = self.gains
        share = gain / before if 0.0 < before < math.inf else 1.0
        to_come = gain * share / (1.0 - share) if 0.0 < share < 0.9 else 0.0 if gain <= 1e-9 * self.wanted else math.inf
        level = to_come <= LEVEL * self.wanted and place.rise + 10.0 * to_come < self.wanted
        self.times = self.times + 1 if level else 0
        return self.times == 2
