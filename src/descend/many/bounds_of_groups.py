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
        where, moved_theta = self.arrays.library.where, []
        for value, step_of_component, low, high in zip(theta, step, self.low, self.high, strict=True):
            theta_ahead, near = value - step_of_component, ROUNDING * abs(step_of_component)
            theta_ahead = where(theta_ahead - low <= near, low, theta_ahead)
            moved_theta.append(where(high - theta_ahead <= near, high, theta_ahead))
        return moved_theta

    def shortened(self, at: Sums, theta: Entries, step: Entries, promise: Values) -> tuple[list[Values], Values]:
        """Return the step that stays within the bounds, and what that promises: g's - s'Ss/2 where it is shorter."""
        theta_ahead = self.moved(theta, step)
        short = [value - end for value, end in zip(theta, theta_ahead, strict=True)]
        outside = 0.0 * promise != 0.0
        gain_promised = 0.0 * promise
        for i, (component, row) in enumerate(zip(short, at.curvature, strict=True)):
            outside = outside | (abs(component - step[i]) > ROUNDING * abs(step[i]) + ROUNDING * abs(theta[i]))
            gain_promised = gain_promised + at.gradient[i] * component - 0.5 * row[-1] * component * component
            for entry, step_entry in zip(row[:-1], short, strict=False):
                gain_promised = gain_promised - entry * component * step_entry
        return short, self.arrays.library.where(outside, gain_promised, promise)
