"""Differences of several orders: where a function is called, how far apart, and how near that comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descend.differences.calls import Array, Calls

NEAR, FAR = 1e-3, 1e2
"""A change of the values between these multiples of the one aimed at is as good; else the step was badly chosen."""
ATTEMPTS = 3
"""How often a step is chosen anew."""


@dataclass(frozen=True)
class Stencil:
    """f'(theta) ~ sum_j weight_j f(theta + offset_j h) / h, with an error of h**order f^(order + 1).

    name: in words for a note. With r the noise as a share of the values, and L the change of theta that would change
    the values by their own size, the errors balance at h = r**(1 / (order + 1)) L; either is then r**(order / (order +
    1)) of the derivative.

    Source: Moré & Wild (2012), ACM TOMS 38, 19; central differences, Gill, Murray & Wright (1981), 8.6.

    >>> FORWARD.share(1e-16), round(CENTRAL.error(1e-15), 12)
    (1e-08, 1e-10)
    """

    name: str
    offsets: tuple[float, ...]
    weights: tuple[float, ...]
    order: int

    def share(self, noise: float) -> float:
        """Return h as a share of L. noise: r."""
        return float(noise ** (1.0 / (self.order + 1)))

    def error(self, noise: float) -> float:
        """Return the error as a share of the derivative. noise: r."""
        return float(noise ** (self.order / (self.order + 1)))


FORWARD = Stencil("forward differences", (1.0,), (1.0,), 1)
ONE_SIDED = Stencil("one-sided differences", (1.0, 2.0), (2.0, -0.5), 2)
CENTRAL = Stencil("central differences", (-1.0, 1.0), (-0.5, 0.5), 2)
FOURTH = Stencil("central differences of fourth order", (-2.0, -1.0, 1.0, 2.0), (1 / 12, -8 / 12, 8 / 12, -1 / 12), 4)


def differenced(
    calls: Calls,
    theta: Array,
    stencil: Stencil,
    steps: Array,
    room: tuple[Array, Array],
    components: Sequence[int],
) -> tuple[Array, Array, Array]:
    """Return the (n,) values, their (n, k) derivatives by the k parameters at ``components``, and how far a step led.

    The last is the root mean square change of the values.

    steps: (p,) h. room: the least and largest values of each parameter; no point lies outside them. A row that has no
    value on one side takes the difference to the other.
    """
    plans = [_plan(stencil, theta[place], steps[place], room[0][place], room[1][place]) for place in components]
    points = [theta]
    for place, (used, step) in zip(components, plans, strict=True):
        for offset in used.offsets:
            point = theta.copy()
            point[place] += offset * step
            points.append(point)
    values_at_points = calls.values(np.array(points))
    jacobian, changes = np.empty((values_at_points.shape[1], len(plans))), np.empty(len(plans))
    begin = 1
    for column, (place, (used, _)) in enumerate(zip(components, plans, strict=True)):
        stencil_rows = slice(begin, begin + len(used.offsets))
        begin = stencil_rows.stop
        stencil_moves = np.array([point[place] for point in points[stencil_rows]]) - theta[place]
        change = values_at_points[stencil_rows] - values_at_points[0]
        jacobian[:, column] = _slope(change, stencil_moves, used)
        sizes = change[np.isfinite(change)]
        changes[column] = np.sqrt(np.mean(sizes**2)) if sizes.size else np.nan
    calls.keep(theta, values_at_points[0])
    return values_at_points[0], jacobian, changes


def _plan(stencil: Stencil, value: float, step: float, low: float, high: float) -> tuple[Stencil, float]:
    """Return the stencil and the signed step that keep within the room of one parameter."""
    step = max((value + step) - value, float(np.spacing(abs(value))))  # a whole number of roundings of the value
    ends = [value + offset * step for offset in stencil.offsets]
    if low <= min(ends) and max(ends) <= high:
        return stencil, step
    used = ONE_SIDED if stencil.order > 1 else FORWARD
    reach = used.offsets[-1]
    if high - value >= value - low:
        return used, min(step, (high - value) / reach)
    return used, -min(step, (value - low) / reach)


def _slope(change: Array, stencil_moves: Array, stencil: Stencil) -> Array:
    """Return the derivative of each row from its (points, n) changes, of those points at which it has values."""
    step = stencil_moves[-1] / stencil.offsets[-1]
    if step == 0.0:
        return np.zeros(change.shape[1])
    slope: Array = np.asarray(stencil.weights) @ change / step
    lacking = ~np.isfinite(slope)
    if lacking.any() and len(stencil_moves) > 1:
        single = change / stencil_moves[:, None]
        for row in np.flatnonzero(lacking):
            finite_mask = np.flatnonzero(np.isfinite(single[:, row]))
            if finite_mask.size:
                slope[row] = single[finite_mask[np.argmin(np.abs(stencil_moves[finite_mask]))], row]
    return slope
