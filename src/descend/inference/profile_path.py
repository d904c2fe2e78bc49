"""One side of a profile, followed outwards from the optimum to where tau is as large as wanted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from descend.inference.profile_place import (
    CLOSE,
    FAR,
    Place,
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
"""Relative distance of tau from that at an end, from which the cubic through the places about it tells the end."""
FIRST = 2.25
"""First stride, in standard errors: about as far as the end of a 95% interval."""
GAIN = 1.0
"""What |tau| gains by a stride at most, as its slope tells, or this share of it where |tau| is more than 2."""
MOST = 200
"""Strides on one side at most."""
TRIALS = 80
"""Places looked at between two neighbours at most."""
SMOOTH = 0.05
"""Share that is left unexplained up to which the next stride is longer."""
NARROWEST = 1e-7
"""Stride, as a share of the distance, below which a jump is one of the profile itself."""
NEAR = 5.0
"""Standard errors over which the others are taken to move along the tangent of the profile."""
STEEPEST = 4.0
"""Power of the distance by which another parameter is taken to grow far out, at most."""
FARTHEST = 1e12
"""Standard errors beyond which a side is open."""
LEVEL = 4e-3
"""What may still be to come of tau**2 where a profile counts as level."""


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
    UNFITTED = auto()
    """The others could not be fitted beyond."""


@dataclass(frozen=True)
class End:
    """The end of a side. place: the last one inside, or the end itself."""

    distance: float
    place: Place
    why: Why


Refit = Callable[[Side, Place], Place | None]
"""Fits the others again at a place from elsewhere; None unless that is better."""


class Path:
    """One side of a profile, walked outwards from the optimum as far as any level has asked for.

    Strides depend on what was seen on the way, never on a level. A place counts once it is joined to its inner
    neighbour, that is, once the slopes of tau**2 at both explain the rise between them; else the stride is halved, so
    that a fit of the others that ended in a worse basin is no place. Then the others are fitted again from elsewhere;
    where that is better, the path goes on from there, and inwards as far as that basin is the lower one. The end at a
    level is the first crossing of its |tau|, and every place found on the way to it stays: a higher level has no end
    further in.

    places: by distance, the optimum first. why: why there is none beyond the last; None as long as there may be.
    """

    def __init__(self, side: Side) -> None:
        self.side, self.places = side, [origin(side)]
        self.why = Why.BOUND if side.room == 0.0 else None
        self.stride, self.wall, self.level = FIRST, math.inf, _Level()

    def end(self, reach: float, better: Refit) -> End:
        """Return where |tau| first is ``reach``."""
        for _ in range(MOST + TRIALS):
            outer = next((at for at, place in enumerate(self.places) if place.tau >= reach * (1.0 - CLOSE)), None)
            if outer is None:
                if self.why is not None:
                    return self._stopped(reach)
                self.go_on(better)
                continue
            inside, outside = self.places[outer - 1], self.places[outer]
            if outside.tau <= reach * (1.0 + CLOSE):
                return End(outside.distance, outside, Why.REACHED)
            width = outside.distance - inside.distance
            if width <= NARROWEST * outside.distance:
                break
            share = _crossing(inside, outside, reach)
            if min(reach - inside.tau, outside.tau - reach) <= NEARLY * reach and joined(inside, outside):
                return End(inside.distance + share * width, inside, Why.REACHED)
            trial = self._between(inside, outside, inside.distance + min(max(share, 1e-3), 1.0 - 1e-3) * width)
            if trial is None:
                break
            if trial.tau < reach and not joined(trial, outside):
                again = refitted(self.side, trial, outside.distance)
                if again is not None and is_lower(again, outside):
                    self.places[outer] = again
            self.places.insert(outer, trial)
        return End(inside.distance, inside, Why.JUMP)

    def go_on(self, better: Refit | None = None) -> None:
        """Add a place beyond the last, or say why there is none."""
        side, inside = self.side, self.places[-1]
        finest = 0.5 * NARROWEST if inside.distance < FAR else 0.01
        target = self._ahead(inside)
        if not target > inside.distance * (1.0 + (finest if math.isfinite(self.wall) else 0.0)):
            self.why = Why.UNFITTED
            return
        trial = _followed(side, inside, target)
        if trial is None:
            self.wall = target
            return
        self.places.append(trial)
        smooth = inside.distance > FAR or abs(unexplained(inside, trial)) < SMOOTH
        self.stride = (2.0 if smooth else 1.0) * (trial.distance - inside.distance)
        if better is not None:
            self.settle(better)
        if trial.distance >= side.room:
            self.why = Why.BOUND
        elif self.level.at(self.places[-1]) or trial.distance > FARTHEST:
            self.why = Why.OPEN
        elif len(self.places) > MOST:
            self.why = Why.UNFITTED

    def settle(self, better: Refit) -> None:
        """Fit the others again from elsewhere at the last place, and inwards as far as that is better."""
        found = better(self.side, self.places[-1])
        if found is None:
            return
        lower = [found]
        self.places.pop()
        while len(self.places) > 1:
            back = refitted(self.side, lower[-1], self.places[-1].distance)
            if back is None or not is_lower(back, self.places[-1]):
                break
            lower.append(back)
            self.places.pop()
        self.places += reversed(lower)

    def _ahead(self, inside: Place) -> float:
        """Say how far to go next: a stride, or less where the slope of tau tells that it rises by much."""
        stride = self.stride
        if inside.push > 0.0 and inside.tau > 0.0:
            stride = min(stride, GAIN * max(1.0, 0.5 * inside.tau) * 2.0 * inside.tau / inside.push)
        limit = 0.5 * (inside.distance + self.wall)  # infinite as long as the model has a value everywhere
        return min(inside.distance + stride, self.side.room, limit)

    def _between(self, inside: Place, outside: Place, distance: float) -> Place | None:
        """Fit the others between two places: from both, and the lower counts, unless the cubic leads to what joins."""
        share = (distance - inside.distance) / (outside.distance - inside.distance)
        width = outside.distance - inside.distance
        start = cubic(inside.theta, outside.theta, inside.tangent * width, outside.tangent * width, share)
        trial = fitted(self.side, distance, start)
        if trial is not None and joined(inside, trial) and joined(trial, outside):
            return trial
        found = [trial, refitted(self.side, inside, distance), refitted(self.side, outside, distance)]
        return min((each for each in found if each is not None), key=lambda each: each.rise, default=None)

    def _stopped(self, reach: float) -> End:
        """Return the end where the path has none: none is near if the slope of tau puts it far away."""
        side, last, why = self.side, self.places[-1], self.why
        assert why is not None
        if why in (Why.BOUND, Why.OPEN) or self.wall >= side.room < math.inf:
            return End(math.inf, last, Why.OPEN if why is Why.OPEN else Why.BOUND)
        slope = 0.5 * last.push / last.tau if last.tau else 1.0
        if last.distance > FAR and reach - last.tau > slope * last.distance:
            return End(math.inf, last, Why.OPEN)
        beyond = self.wall if math.isfinite(self.wall) else last.distance
        wall = not math.isfinite(side.part(side.start(last.theta, beyond), 0).loss)
        return End(last.distance, last, Why.WALL if wall else why)


def _crossing(inside: Place, outside: Place, reach: float) -> float:
    """Return at which share of the way from one place to the next the cubic of tau**2 is as high as wanted.

    Where it does not tell, because no smooth curve leads from one to the other, that is halfway.
    """
    if not joined(inside, outside):
        return 0.5
    low, high, width = 0.0, 1.0, outside.distance - inside.distance
    values, slopes = (inside.rise, outside.rise), (inside.push * width, outside.push * width)
    while high - low > 1e-9:
        share = 0.5 * (low + high)
        if cubic(*values, *slopes, share) < reach**2:
            low = share
        else:
            high = share
    return 0.5 * (low + high)


def _followed(side: Side, inside: Place, target: float) -> Place | None:
    """Fit the others again at ``target``, or nearer to ``inside`` as long as a jump lies between them.

    None if none was found at ``target``. The slower descents are left to every fourth target, for what Gauss-Newton
    steps do not find from afar they mostly find from nearby.
    """
    for halved in itertools.count():
        trial = None
        for start in _starts(side, inside, target):
            trial = fitted(side, target, start, patient=halved % 4 == 3) or trial
            if trial is not None and joined(inside, trial):
                return trial
        without_value = trial is None and not math.isfinite(side.part(side.start(inside.theta, target), 0).loss)
        if without_value or target - inside.distance <= NARROWEST * target:
            return trial
        target = 0.5 * (inside.distance + target)
    raise AssertionError("strides become narrow")


def _starts(side: Side, inside: Place, distance: float) -> Iterator[Array]:
    """Yield values from which to fit the others at a distance, the best guess first."""
    moved = distance - inside.distance
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


class _Level:
    """Tells where a profile has become level: what it gains by each doubling of the distance shrinks to nothing."""

    def __init__(self) -> None:
        self.last, self.gains, self.times = (0.0, 0.0), [math.inf, math.inf], 0

    def at(self, place: Place) -> bool:
        """Whether tau**2 hardly rises from here on, as two doublings one after the other tell."""
        distance, rise = self.last
        if place.distance < 1.9 * distance:
            return False
        self.gains, self.last = [self.gains[1], place.rise - rise], (place.distance, place.rise)
        before, gain = self.gains
        share = gain / before if 0.0 < before < math.inf else 1.0
        to_come = gain * share / (1.0 - share) if 0.0 < share < 0.9 else 0.0 if gain <= 1e-9 else math.inf
        self.times = self.times + 1 if to_come <= LEVEL else 0
        return self.times == 2
