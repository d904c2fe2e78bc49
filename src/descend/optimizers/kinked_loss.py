"""J of a loss with kinks, row by row, and the linear program that says how far it falls nearby."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from descend.parameters import Bounds

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
MOST_ROWS = 1_500
"""At most this many rows may have kinks within reach of one step; with more, the linear program takes too long."""
AT_KINK = 1e-9
"""Share of the mean residual below which a row lies at its kink."""
SLACK = 1e-9
"""A multiplier may lie outside its range by this share of it."""
RANK = 1e-12
"""A direction whose singular value is below this share of the largest moves no row."""
BY_ROW = ("residual", "jacobian", "below", "above", "rounding")
"""The fields of `Pieces` that have one entry per row."""
ROUNDINGS = 64
ROUNDING = ROUNDINGS * float(np.finfo(np.float64).eps)
"""Uncertainty of a residual as a share of its terms: at most that many roundings."""


class Fall(NamedTuple):
    """Where a linear program leads: the step of theta, the fall of J it promises, and a multiplier for each row.

    multipliers: between -below and above, the subgradient that holds the row; at an end unless the row is at its kink.
    """

    move: Array
    promise: float
    multipliers: Array


class Measure(NamedTuple):
    """The scale of steps where rows far from their kink are left out, and only their pull is known.

    frame, unit: as in ``Pieces``, for a sample of all rows. nearest: the reach within which none of the rows left out
    meets its kink.
    """

    frame: Array
    unit: float
    nearest: float


@dataclass(frozen=True, eq=False)
class Pieces:
    """J near theta, as a function of the step d from there, to first order in what the rows predict:

        J(theta + d) = J0 + sum_i max(above_i t_i, -below_i t_i) + slope'd,   t_i = residual_i + jacobian_i d

    theta: (p,). residual, jacobian: (m,) and (m, p), of rows, and one more row for each parameter with an l1 penalty.
    below, above: (m,) slopes on either side of a kink, at least one of them positive, as shares of the total weight.
    slope, bend: (p,) first and second derivative of the l2 penalty; slope also of rows left out. rounding: (m,) the
    uncertainty of ``residual``. linear: whether the predictions are linear in d, however long the step. measure: given
    if rows are left out. at_theta: returns the pieces of the same rows at another theta.
    """

    theta: Array
    residual: Array
    jacobian: Array
    below: Array
    above: Array
    slope: Array
    bend: Array
    rounding: Array
    linear: bool
    measure: Measure | None = None
    at_theta: Callable[[Array], Pieces] | None = None

    @property
    def usable(self) -> bool:
        """Whether all numbers are finite."""
        return bool(np.isfinite(self.residual).all() and np.isfinite(self.jacobian).all())

    @property
    def exact(self) -> bool:
        """Whether this is J exactly, and not to first order only, however long the step."""
        return self.linear and not self.bend.any()

    @cached_property
    def jump(self) -> Array:
        """By how much the slope of J along a row jumps at its kink."""
        total: Array = self.below + self.above
        return total

    @cached_property
    def unit(self) -> float:
        """A typical contribution of one row to J."""
        if self.measure is not None:
            return self.measure.unit
        kink_heights = self.jump * np.abs(self.residual)
        return float(kink_heights.mean()) or float((self.jump * self.rounding).mean()) or 1e-300

    @property
    def noise(self) -> float:
        """By how much rounding in the rows may change J."""
        return float(self.jump @ self.rounding) / (ROUNDINGS * math.sqrt(max(1, len(self.rounding))))

    @cached_property
    def at_kink(self) -> Mask:
        """Mark the rows whose residual is zero to rounding."""
        kink_mask: Mask = self.jump * np.abs(self.residual) <= AT_KINK * self.unit + self.jump * self.rounding
        return kink_mask

    def signed(self) -> Array:
        """Return the multiplier of each row that is not at its kink, 0 for the others."""
        away = np.where(self.residual > 0.0, self.above, -self.below)
        return np.where(self.at_kink, 0.0, away)

    @cached_property
    def frame(self) -> Array:
        """(p, r) directions of theta, each changing the parts of J by 1 (root mean square), orthogonally to the others.

        For a nonlinear formula, directions that hardly change the parts are shortened: a step of ``unit`` should not
        double a parameter, unless doubling it alone changes the parts no more than that.
        """
        if self.measure is not None:
            return self.measure.frame
        rows = self.jacobian * self.jump[:, None]
        norms = np.sqrt(np.add.reduce(rows * rows))
        usable = np.flatnonzero(np.isfinite(norms) & (norms > 0.0))
        basis = np.zeros((rows.shape[1], 0))
        if not usable.size:
            return basis
        upper = np.linalg.qr(rows[:, usable] / norms[usable], mode="r")
        _, values, directions = np.linalg.svd(upper, full_matrices=False)
        independent = values > RANK * values[0]
        basis = np.zeros((rows.shape[1], int(independent.sum())))
        basis[usable] = (directions[independent].T / values[independent]) / norms[usable, None] * math.sqrt(len(rows))
        if self.linear:
            return basis
        alone = self.unit * math.sqrt(len(rows)) / norms[usable]
        shares = self.unit * np.abs(basis[usable]) / np.maximum(np.abs(self.theta[usable]), alone)[:, None]
        return np.asarray(basis / np.maximum(shares.max(axis=0), 1.0), dtype=np.float64)

    @cached_property
    def along(self) -> Array:
        """(m, r) how the parts of J change along the directions of ``frame``."""
        return (self.jacobian * self.jump[:, None]) @ self.frame

    def nearest(self) -> float:
        """Return the reach within which at most MOST_ROWS rows can meet their kink; infinite if there are no more."""
        if self.measure is not None:
            return self.measure.nearest
        if len(self.residual) <= MOST_ROWS:
            return math.inf
        return float(np.partition(self.reach(self.frame), MOST_ROWS)[MOST_ROWS])

    def reach(self, frame: Array) -> Array:
        """Return the reach at which each row may meet its kink, infinite for one that no step moves."""
        with np.errstate(all="ignore"):
            reach_of_kinks = np.abs(self.residual) / np.abs(self.jacobian @ frame).sum(axis=1)
        return np.asarray(np.nan_to_num(reach_of_kinks, nan=math.inf), dtype=np.float64)

    @property
    def pull(self) -> Array:
        """The gradient of J from these rows, each treated as away from its kink."""
        pull_of_kinks: Array = np.where(self.residual > 0.0, self.above, -self.below) @ self.jacobian
        return pull_of_kinks

    def only(self, rows: NDArray[np.intp]) -> Pieces:
        """Return the pieces of a choice of the rows."""
        some = {name: getattr(self, name)[rows] for name in BY_ROW}
        return replace(self, **some)

    def joined(self, pieces: Pieces) -> Pieces:
        """Return the pieces of these rows and more."""
        both: dict[str, Any] = {name: np.concatenate([getattr(self, name), getattr(pieces, name)]) for name in BY_ROW}
        return replace(self, **both)

    def fall(self, reach: float, room: tuple[Array, Array] | None) -> Fall | None:
        """Minimize J to first order over steps of at most ``reach`` in ``frame``, within the ``room`` bounds leave.

        None where the linear program has no answer.
        """
        along = self.along
        kink_heights = self.jump * self.residual
        far = np.abs(kink_heights) > reach * np.abs(along).sum(axis=1) if math.isfinite(reach) else self.jump < 0.0
        multipliers = np.where(kink_heights > 0.0, self.above, -self.below) / self.jump
        rows = ~far
        pull = self.slope @ self.frame + multipliers[far] @ along[far]
        low, high = -self.below[rows] / self.jump[rows], self.above[rows] / self.jump[rows]
        walls, ends = self._walls(room)
        vertex_step = linear_program(
            kink_heights[rows] / self.unit, along[rows], low, high, pull, reach / self.unit, walls, ends
        )
        if vertex_step is None:
            return None
        before = float(multipliers[rows] @ kink_heights[rows])
        step, multipliers[rows], value = vertex_step
        return Fall(self.frame @ (step * self.unit), before - value * self.unit, multipliers * self.jump)

    def _walls(self, room: tuple[Array, Array] | None) -> tuple[Array, Array]:
        """Return W and w of the bounds within reach, as W z >= w."""
        if room is None:
            return np.zeros((0, self.frame.shape[1])), np.zeros(0)
        low, high = room
        lower_walls, most = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
        walls = np.vstack([self.frame[lower_walls], -self.frame[most]])
        ends = np.concatenate([low[lower_walls], -high[most]]) / self.unit
        sizes = np.sqrt(np.add.reduce(walls * walls, axis=1))
        nonzero = sizes > 0.0
        return walls[nonzero] / sizes[nonzero, None], ends[nonzero] / sizes[nonzero]

    def subgradient(self, bounds: Bounds | None) -> Array:
        """Return a least element of the subdifferential of J at theta: 0 at a minimum, up to what bounds hold back."""
        kinks = np.flatnonzero(self.at_kink)
        gradient: Array = self.slope + self.signed() @ self.jacobian
        if not kinks.size:
            return gradient
        free = np.ones(self.theta.size, dtype=bool) if bounds is None else ~bounds.held(self.theta)
        multipliers = self._balanced(gradient, kinks, free) if kinks.size <= free.sum() else None
        if multipliers is None:
            multipliers = self._least(gradient, kinks, bounds, free)
        return gradient if multipliers is None else gradient + multipliers @ self.jacobian[kinks]

    def _balanced(self, gradient: Array, rows: NDArray[np.intp], free: Mask) -> Array | None:
        """Return multipliers of rows at their kink that balance the gradient of what is free, if they are allowed."""
        if not free.any():
            return np.zeros(rows.size)
        matrix = (self.jacobian[rows] * self.jump[rows, None])[:, free]
        sizes = np.abs(self.jacobian[:, free] * self.jump[:, None]).max(axis=0, initial=0.0)
        sizes[sizes == 0.0] = 1.0
        multipliers = np.linalg.lstsq((matrix / sizes).T, -gradient[free] / sizes, rcond=None)[0] * self.jump[rows]
        slack = SLACK * self.jump[rows]
        allowed = (multipliers >= -self.below[rows] - slack) & (multipliers <= self.above[rows] + slack)
        return np.clip(multipliers, -self.below[rows], self.above[rows]) if allowed.all() else None

    def _least(self, gradient: Array, rows: NDArray[np.intp], bounds: Bounds | None, free: Mask) -> Array | None:
        """Return multipliers of rows at their kink that cancel as much of the gradient as they can."""
        room = None
        if bounds is not None:
            low, high = bounds.room(self.theta)
            room = np.where(low < 0.0, -math.inf, 0.0), np.where(high > 0.0, math.inf, 0.0)
        jump, below, above = self.jump[rows], self.below[rows], self.above[rows]
        pull, none = gradient @ self.frame, np.zeros(rows.size)
        walls, ends = self._walls(room)
        solved = linear_program(none, self.along[rows], -below / jump, above / jump, pull, 1.0, walls, ends)
        if solved is None:
            return None
        multipliers = solved[1] * jump
        between = (multipliers > -below + SLACK * jump) & (multipliers < above - SLACK * jump)
        balanced = self._balanced(gradient + multipliers[~between] @ self.jacobian[rows[~between]], rows[between], free)
        if balanced is not None:
            multipliers[between] = balanced
        return multipliers


def linear_program(
    residual: Array, along: Array, low: Array, high: Array, pull: Array, reach: float, walls: Array, ends: Array
) -> tuple[Array, Array, float] | None:
    """Minimize sum_i max(low_i t_i, high_i t_i) + pull'z, t = residual + along z, over |z_k| <= reach, walls z >= ends.

    Returns z, the multipliers u of the rows, between low and high, and the least value; None if there is no answer.
    Solved by HiGHS in its dual form, which has but one equation for each component of z:

        max residual'u + ends'm - reach sum(p + q),   along'u + pull + q - p - walls'm = 0,   m, p, q >= 0
    """
    from scipy import optimize

    size = pull.size
    if not size:
        return np.zeros(0), np.clip(0.0, low, high), float(np.maximum(low * residual, high * residual).sum())
    cost, columns = [-residual, -ends], [along.T, -walls.T]
    if math.isfinite(reach):
        cost.append(np.full(2 * size, reach))
        columns += [np.eye(size), -np.eye(size)]
    matrix = np.hstack(columns)
    limits = np.zeros((matrix.shape[1], 2))
    limits[:, 1] = math.inf
    limits[: low.size, 0], limits[: low.size, 1] = low, high
    try:
        solution = optimize.linprog(np.concatenate(cost), A_eq=matrix, b_eq=-pull, bounds=limits, method="highs")
    except ValueError:  # a number that is not finite
        return None
    if solution.status != 0:
        return None
    return solution.eqlin.marginals, np.clip(solution.x[: low.size], low, high), -float(solution.fun)


__all__ = ["Fall", "Measure", "Pieces", "linear_program"]
