"""One side of a profile, followed outwards from the optimum to where |tau| reaches the value asked for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from descend.inference.profile.point import (
    CLOSE,
    FAR,
    ProfilePoint,
    Side,
    cubic,
    fitted,
    is_lower,
    joined,
    origin,
    refitted,
    unexplained,
)

Array = NDArray[np.float64]
NEARLY = 1e-3
"""When |tau| is this near to the value asked for, relatively, the cubic between two points gives the end."""
FIRST = 2.25
"""First stride, in standard errors: about as far as the end of a 95% interval."""
GAIN = 1.0
"""By how much |tau| may rise in one stride, judged by its slope; where |tau| > 2, by half this times |tau|."""
MOST = 200
"""Most strides on one side."""
TRIALS = 80
"""Most further points tried on the way to an end."""
SMOOTH = 0.05
"""If the slopes leave less than this share of a rise unexplained, the next stride is twice as long."""
NARROWEST = 1e-7
"""A jump over a stride shorter than this share of the distance is a jump of the profile itself."""
NEAR = 5.0
"""Up to a stride of this many standard errors, the other parameters are expected to follow the tangent."""
STEEPEST = 4.0
"""Highest power of the held parameter by which another is expected to grow far out."""
FARTHEST = 1e12
"""Distance, in standard errors, beyond which a side counts as open."""
LEVEL = 4e-3
"""If tau**2 can be expected to rise by no more than this, the profile counts as level."""


class Why(Enum):
    """Why a side ends where it does."""

    REACHED = auto()
    """|tau| has the value asked for."""
    BOUND = auto()
    """The parameter is at its bound, and |tau| is still smaller."""
    OPEN = auto()
    """|tau| stays smaller however far the parameter goes."""
    JUMP = auto()
    """|tau| jumps there from a smaller to a larger value."""
    WALL = auto()
    """The model has no value further out."""
    UNFITTED = auto()
    """The other parameters could not be fitted again further out."""


@dataclass(frozen=True)
class End:
    """The end of a side. point: the last one inside, or the end itself."""

    distance: float
    point: ProfilePoint
    why: Why


Refit = Callable[[Side, ProfilePoint], ProfilePoint | None]
"""Fits the other parameters again at a point, from other starts; returns None unless that is better."""


class Path:
    """One side of a profile, followed outwards from the optimum as far as any level has needed.

    The strides depend on the profile found so far, never on a level. A point is accepted if it is joined to its inner
    neighbour, that is, if the slopes of tau**2 at both explain the rise between them; else the stride is halved, which
    rejects a fit that ended in a worse basin. Then the other parameters are fitted again from other starts. If that is
    better, the path goes on from there, and is replaced inwards as far as the new basin is the lower one. The end at a
    level is where |tau| first crosses it. Every point found on the way is kept, so that a higher level has no end
    further in.

    points: by distance, from the optimum. why: why no point can follow the last; None as long as one may.
    """

    def __init__(self, side: Side) -> None:
        self.side, self.points = side, [origin(side)]
        self.why = Why.BOUND if side.room == 0.0 else None
        self.stride, self.wall, self.level = FIRST, math.inf, _Level()
        self.ends: dict[float, End] = {}

    def end(self, reach: float, better: Refit) -> End:
        """Return where |tau| first reaches ``reach``; the same again, whatever was asked in between."""
        if reach not in self.ends:
            self.ends[reach] = self._end(reach, better)
        return self.ends[reach]

    def _end(self, reach: float, better: Refit) -> End:
        for _ in range(MOST + TRIALS):
            outer = next((at for at, profile in enumerate(self.points) if profile.tau >= reach * (1.0 - CLOSE)), None)
            if outer is None:
                if self.why is not None:
                    return self._stopped(reach)
                self.go_on(better)
                continue
            inner, outside = self.points[outer - 1], self.points[outer]
            if outside.tau <= reach * (1.0 + CLOSE):
                return End(outside.distance, outside, Why.REACHED)
            width = outside.distance - inner.distance
            if width <= NARROWEST * outside.distance:
                break
            share = _crossing(inner, outside, reach)
            if min(reach - inner.tau, outside.tau - reach) <= NEARLY * reach and joined(inner, outside):
                return End(inner.distance + share * width, inner, Why.REACHED)
            trial = self._between(inner, outside, inner.distance + min(max(share, 1e-3), 1.0 - 1e-3) * width)
            if trial is None:
                break
            if trial.tau < reach and not joined(trial, outside):
                again = refitted(self.side, trial, outside.distance)
                if again is not None and is_lower(again, outside):
                    self.points[outer] = again
            self.points.insert(outer, trial)
        return End(inner.distance, inner, Why.JUMP)

    def go_on(self, better: Refit | None = None) -> None:
        """Add a point beyond the last, or note in ``why`` that there is none."""
        side, inner = self.side, self.points[-1]
        finest = 0.5 * NARROWEST if inner.distance < FAR else 0.01
        target = self._ahead(inner)
        if not target > inner.distance * (1.0 + (finest if math.isfinite(self.wall) else 0.0)):
            self.why = Why.UNFITTED
            return
        trial = _followed(side, inner, target)
        if trial is None:
            self.wall = target
            return
        self.points.append(trial)
        smooth = inner.distance > FAR or abs(unexplained(inner, trial)) < SMOOTH
        self.stride = (2.0 if smooth else 1.0) * (trial.distance - inner.distance)
        if better is not None:
            self.settle(better)
        if trial.distance >= side.room:
            self.why = Why.BOUND
        elif self.level.at(self.points[-1]) or trial.distance > FARTHEST:
            self.why = Why.OPEN
        elif len(self.points) > MOST:
            self.why = Why.UNFITTED

    def settle(self, better: Refit) -> None:
        """Fit the others again from other starts at the last point, and further in as long as that is better."""
        better_point = better(self.side, self.points[-1])
        if better_point is None:
            return
        lower = [better_point]
        self.points.pop()
        while len(self.points) > 1:
            back = refitted(self.side, lower[-1], self.points[-1].distance)
            if back is None or not is_lower(back, self.points[-1]):
                break
            lower.append(back)
            self.points.pop()
        self.points += reversed(lower)

    def _ahead(self, inner: ProfilePoint) -> float:
        """Return the next distance: one stride further, or less where the slope of tau says that it rises by much."""
        stride = self.stride
        if inner.push > 0.0 and inner.tau > 0.0:
            stride = min(stride, GAIN * max(1.0, 0.5 * inner.tau) * 2.0 * inner.tau / inner.push)
        limit = 0.5 * (inner.distance + self.wall)  # infinite until a point was found where no fit was possible
        return min(inner.distance + stride, self.side.room, limit)

    def _between(self, inner: ProfilePoint, outside: ProfilePoint, distance: float) -> ProfilePoint | None:
        """Fit the others between two points: from the cubic if that joins both, else the lowest of several fits."""
        share = (distance - inner.distance) / (outside.distance - inner.distance)
        width = outside.distance - inner.distance
        start = cubic(inner.theta, outside.theta, inner.tangent * width, outside.tangent * width, share)
        trial = fitted(self.side, distance, start)
        if trial is not None and joined(inner, trial) and joined(trial, outside):
            return trial
        fits = [trial, refitted(self.side, inner, distance), refitted(self.side, outside, distance)]
        return min((each for each in fits if each is not None), key=lambda each: each.rise, default=None)

    def _stopped(self, reach: float) -> End:
        """Return the end of a path that cannot go on; it is open if the slope of tau puts ``reach`` far away."""
        side, last, why = self.side, self.points[-1], self.why
        assert why is not None
        if why in (Why.BOUND, Why.OPEN) or self.wall >= side.room < math.inf:
            return End(math.inf, last, Why.OPEN if why is Why.OPEN else Why.BOUND)
        slope = 0.5 * last.push / last.tau if last.tau else 1.0
        if last.distance > FAR and reach - last.tau > slope * last.distance:
            return End(math.inf, last, Why.OPEN)
        beyond = self.wall if math.isfinite(self.wall) else last.distance
        wall = not math.isfinite(side.objective(side.start(last.theta, beyond), 0).loss)
        return End(last.distance, last, Why.WALL if wall else why)


def _crossing(inner: ProfilePoint, outside: ProfilePoint, reach: float) -> float:
    """Return the share of the way between two points at which the cubic of tau**2 reaches ``reach`` squared.

    Half, if a jump lies between them, so that no smooth curve joins the two.
    """
    if not joined(inner, outside):
        return 0.5
    low, high, width = 0.0, 1.0, outside.distance - inner.distance
    values, slopes = (inner.rise, outside.rise), (inner.push * width, outside.push * width)
    while high - low > 1e-9:
        share = 0.5 * (low + high)
        if cubic(*values, *slopes, share) < reach**2:
            low = share
        else:
            high = share
    return 0.5 * (low + high)


def _followed(side: Side, inner: ProfilePoint, target: float) -> ProfilePoint | None:
    """Fit the others again at ``target``, or nearer to ``inner`` as long as a jump lies between the two.

    None if no fit was found. The slow descents are only tried at every fourth target, since what Gauss-Newton steps do
    not find from afar they mostly find from nearby.
    """
    for halved in itertools.count():
        trial = None
        for start in _starts(side, inner, target):
            trial = fitted(side, target, start, patient=halved % 4 == 3) or trial
            if trial is not None and joined(inner, trial):
                return trial
        without_value = trial is None and not math.isfinite(side.objective(side.start(inner.theta, target), 0).loss)
        if without_value or target - inner.distance <= NARROWEST * target:
            return trial
        target = 0.5 * (inner.distance + target)
    raise AssertionError("strides become narrow")


def _starts(side: Side, inner: ProfilePoint, distance: float) -> Iterator[Array]:
    """Yield values from which to fit the others at a distance, the best guess first."""
    distance_moved = distance - inner.distance
    straight = inner.theta + distance_moved * inner.tangent
    if distance_moved <= NEAR:
        yield from (straight, inner.theta)
        return
    starts = [straight, _powers(side, inner, distance), inner.theta]
    losses = np.array([side.objective(side.start(start, distance), 0).loss for start in starts])
    yield from (starts[number] for number in np.argsort(np.where(np.isfinite(losses), losses, math.inf)))


def _powers(side: Side, inner: ProfilePoint, distance: float) -> Array:
    """Return the others, extrapolated as powers of the held parameter: that is how they behave far out."""
    inner_value = float(inner.theta[side.component])
    ratio = side.value(distance) / inner_value if inner_value else -1.0
    if not ratio > 0.0:
        return inner.theta
    powers = inner.tangent * (inner_value / side.error) / inner.theta
    return inner.theta * ratio ** np.where(np.isfinite(powers), np.clip(powers, -STEEPEST, STEEPEST), 0.0)


class _Level:
    """Finds where a profile has become level: each doubling of the distance adds less, and the sum stays small."""

    def __init__(self) -> None:
        self.last, self.gains, self.times = (0.0, 0.0), [math.inf, math.inf], 0

    def at(self, point: ProfilePoint) -> bool:
        """Whether tau**2 will hardly rise further, as judged by two successive doublings of the distance."""
        distance, rise = self.last
        if point.distance < 1.9 * distance:
            return False
        self.gains, self.last = [self.gains[1], point.rise - rise], (point.distance, point.rise)
        before, gain = self.gains
        share = gain / before if 0.0 < before < math.inf else 1.0
        to_come = gain * share / (1.0 - share) if 0.0 < share < 0.9 else 0.0 if gain <= 1e-9 else math.inf
        self.times = self.times + 1 if to_come <= LEVEL else 0
        return self.times == 2
