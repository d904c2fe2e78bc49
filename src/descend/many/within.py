"""Bounds on the parameters of groups that descend together: which of them are held, and where a step may lead."""

from __future__ import annotations

from dataclasses import dataclass

from descend.many.arrays import Arrays, Values
from descend.many.sums import Sums
from descend.many.systems import Entries
from descend.parameters import Bounds

ROUNDING = 4.0 * 2.0**-52
"""A step that leads this near to a bound, as a share of the step, leads to the bound."""


@dataclass(frozen=True)
class Within:
    """low <= theta <= high, for each parameter, of groups whose parameters all descend."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    arrays: Arrays

    @classmethod
    def of(cls, bounds: Bounds, arrays: Arrays) -> Within:
        """Return the bounds of all parameters."""
        return cls(tuple(bounds.low.tolist()), tuple(bounds.high.tolist()), arrays)

    def blocked(self, theta: Entries, gradient: Entries) -> list[Values]:
        """Mark the parameters at a bound that a descent would take out of it."""
        every = zip(theta, gradient, self.low, self.high, strict=True)
        return [
            ((value <= low) & (slope > 0.0)) | ((value >= high) & (slope < 0.0)) for value, slope, low, high in every
        ]

    def at_bound(self, theta: Entries) -> list[Values]:
        """Mark the parameters that lie at a bound."""
        every = zip(theta, self.low, self.high, strict=True)
        return [(value <= low) | (value >= high) for value, low, high in every]

    def moved(self, theta: Entries, step: Entries) -> list[Values]:
        """Return theta - step, or the nearest point within the bounds."""
        where, found = self.arrays.library.where, []
        for value, own, low, high in zip(theta, step, self.low, self.high, strict=True):
            there, near = value - own, ROUNDING * abs(own)
            there = where(there - low <= near, low, there)
            found.append(where(high - there <= near, high, there))
        return found

    def shortened(self, at: Sums, theta: Entries, step: Entries, promise: Values) -> tuple[list[Values], Values]:
        """Return the step that stays within the bounds, and what that promises: g's - s'Ss/2 where it is shorter."""
        there = self.moved(theta, step)
        short = [value - end for value, end in zip(theta, there, strict=True)]
        outside = 0.0 * promise != 0.0
        found = 0.0 * promise
        for i, (own, row) in enumerate(zip(short, at.curvature, strict=True)):
            outside = outside | (abs(own - step[i]) > ROUNDING * abs(step[i]) + ROUNDING * abs(theta[i]))
            found = found + at.gradient[i] * own - 0.5 * row[-1] * own * own
            for entry, other in zip(row[:-1], short, strict=False):
                found = found - entry * own * other
        return short, self.arrays.library.where(outside, found, promise)
