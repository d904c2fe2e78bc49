"""J: the mean loss over rows that an engine sums, plus penalties."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import Batch
from descend.engines.totals import Engine
from descend.formula.compile import triangle
from descend.optimizers.systems import RANK, predicted, well
from descend.optimizers.systems import triangle as root_of
from descend.parameters import Bounds

if TYPE_CHECKING:
    from descend.optimizers.pieces import Pieces
    from descend.problem.edge import Edge
    from descend.problem.kinks import Kinks
    from descend.problem.pieces import PiecesOfRows

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
ROUNDINGS = 8.0
"""Roundings that a gradient may consist of."""


@dataclass(frozen=True)
class Penalty:
    """l2 * theta**2 + l1 * |theta|, summed over the parameters; one factor per component."""

    l1: Array
    l2: Array

    @property
    def has_l1(self) -> bool:
        return bool(self.l1.any())


class Point:
    """J and its derivatives at one theta; what an optimizer is given (see ``optimizers.contract.Evaluation``)."""

    __slots__ = (
        "_latest", "bounds", "curvature", "factor", "gradient", "has_l1", "loss", "objective", "piecewise", "proximal",
        "rate", "rows", "subgradient", "theta",
    )  # fmt: skip

    gradient: Array  # absent (None) only after an evaluation of order 0, which asks for the loss alone

    def __init__(self, theta: Array, loss: float, gradient: Array | None, curvature: Array | None,
                 factor: Array | None, objective: Objective, rows: NDArray[np.intp] | None) -> None:  # fmt: skip
        self.theta = theta
        self.loss = loss
        self.gradient = gradient  # type: ignore[assignment]
        self.curvature = curvature
        self.factor = factor  # triangle of the scaled Jacobian and residual, after order 3
        self.objective = objective
        self.rows = rows
        self.bounds = objective.bounds
        self.has_l1 = objective.has_l1
        self.piecewise = objective.pieces is not None
        self.proximal = objective.has_l1 or objective.bounds is not None
        self.rate = 0.0  # of the step taken from here; the loop sets it
        self.subgradient: Array | None = None  # of least length, where the loop found J to have a corner
        self._latest: Point | None = None

    def at(self, theta: Array, order: int = 1) -> Point:
        """Evaluate J elsewhere, over the same rows."""
        self._latest = found = self.objective(theta, order, self.rows)
        return found

    def reached(self, theta: Array) -> Point | None:
        """Return J where a step from here ended, if it was evaluated there last, with its curvature."""
        found, self._latest = self._latest, None  # or each point would keep all that follow
        known = found is not None and found.theta is theta and found.curvature is not None
        return found if known else None

    def shrink(self, theta: Array, rate: float) -> Array:
        """Apply the proximal operator of l1 penalty and bounds.

        It moves each component towards 0 by rate * l1, not beyond, and then into its bounds.
        """
        penalty, bounds = self.objective.penalty, self.bounds
        if penalty is not None and self.proximal:
            theta = np.sign(theta) * np.maximum(np.abs(theta) - rate * penalty.l1, 0.0)
        return theta if bounds is None else bounds.project(theta, self.theta)

    def pieces(self) -> Pieces | None:
        """Return J near here row by row, if the loss has kinks and its rows can be had."""
        pieces = self.objective.pieces
        return None if pieces is None or self.rows is not None else pieces.at(self.theta)

    @property
    def slope(self) -> Array:
        """dJ/dtheta; with an l1 penalty, bounds or a corner the subgradient of least norm, zero at the minimum.

        A corner of the loss itself shows where an optimizer has asked for its pieces.
        """
        bounds = self.bounds
        pieces = None if self.objective.pieces is None else self.objective.pieces.known(self.theta)
        if pieces is not None and pieces.usable:
            gradient = pieces.subgradient(bounds)
            return gradient if bounds is None else np.where(bounds.blocked(self.theta, gradient), 0.0, gradient)
        gradient = self.gradient if self.subgradient is None else self.subgradient
        if not self.proximal:
            return gradient
        penalty = self.objective.penalty
        if penalty is not None:
            at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - penalty.l1, 0.0)
            gradient = np.where(self.theta == 0.0, at_zero, gradient + penalty.l1 * np.sign(self.theta))
        return gradient if bounds is None else np.where(bounds.blocked(self.theta, gradient), 0.0, gradient)

    @property
    def norm(self) -> float:
        """Euclidean norm of ``slope``."""
        smooth = not (self.proximal or self.piecewise) and self.subgradient is None
        slope = self.gradient if smooth else self.slope
        squares = float(slope.dot(slope))
        return math.sqrt(squares) if squares < math.inf else math.hypot(*slope.tolist())

    @property
    def excess(self) -> float:
        """How far J lies above what no model goes below: by this its changes are measured, whatever its sign."""
        return abs(self.loss - self.objective.floor)

    def remaining(self, scales: Array, first_loss: float, scale: float = 0.0) -> float:
        """Say how far the gradient is from zero, as a share of J above its floor F, whatever the units.

        max_k |dJ/dtheta_k| max(|theta_k|, s_k) / max(|J - F|, |J_0 - J| / 1e3, S / 1e8), with s_k the change of theta_k
        that would matter at the start, and S the size of J for a model that predicts nothing: J_0 and S keep it
        finite for data that the model fits perfectly, where only rounding is left.
        """
        reference = max(self.excess, abs(first_loss - self.loss) * 1e-3, scale * 1e-8)
        parts = np.abs(self.slope) * np.maximum(np.abs(self.theta), scales)
        largest = float(parts[parts.argmax()])
        return largest / reference if reference > 0.0 else largest

    def promise(self) -> float:
        """Return the decrease of J that a Gauss-Newton step promises, g'C^-1 g / 2, as a share of ``excess``.

        Unlike ``remaining`` it does not grow where a parameter is known to many digits, such as a date in seconds.
        """
        curvature = self.curvature if self.curvature is not None else self.at(self.theta, 2).curvature
        if curvature is None or self.has_l1 or self.piecewise or not self.excess:
            return math.inf
        if not np.isfinite(curvature).all():
            return math.inf
        # What a bound holds back has nothing to give.
        free = slice(None) if self.bounds is None else ~self.bounds.blocked(self.theta, self.gradient)
        curvature = curvature[free][:, free]
        scale = np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
        gradient, scaled = self.slope[free] / scale, curvature / (scale * scale[:, None])
        if well(scaled):
            return float(gradient @ np.linalg.solve(scaled, gradient)) / (2.0 * self.excess)
        # Squared numbers hide directions in which much may be left to gain, and drown them in rounding.
        # Those of the derived triangle count even where the gradient is by hand; a choice of parameters has its own.
        derived = getattr(self.objective, "triangle", None)
        factor = None if derived is None else derived(self.theta)[-1]
        upper, right = root_of(self.at(self.theta, 3)) if factor is None else (factor[:-1, :-1], factor[:-1, -1])
        if self.subgradient is not None:
            right = _pull(upper, self.subgradient)
        upper = upper[:, free]
        step = np.linalg.lstsq(upper / scale, -right, rcond=RANK)[0] / scale
        return predicted(upper, right, step) / self.excess

    def rounded(self, squares: float) -> bool:
        """Whether no more is left of the gradient than the rounding of residuals and parameters makes of it.

        squares: the mean square of the response. With C the curvature, of rows whose second derivative is 2 at most:

            |dJ/dtheta_k| <= 8 eps (sqrt(2 C_kk squares) + sum_j |C_kj theta_j|)
        """
        curvature = self.curvature if self.curvature is not None else self.at(self.theta, 2).curvature
        if curvature is None or not squares > 0.0 or not np.isfinite(curvature).all():
            return False
        noise = np.sqrt(2.0 * squares * curvature.diagonal()) + np.abs(curvature) @ np.abs(self.theta)
        return bool((np.abs(self.slope) <= ROUNDINGS * EPS * noise).all())

    def held(self) -> bool:
        """Whether J is least here because predictions lie at the edge of what the loss allows."""
        edge = self.objective.edge
        return edge is not None and edge.holds(self.theta, self.slope)

    def flat(self, scales: Array) -> bool:
        """Whether some parameter has lost all influence: doubling it changes J by less than rounding.

        A descent that ends in such a place ran onto a plateau; the gradient is zero there, but it is no minimum.
        """
        curvature = self.curvature if self.curvature is not None else self.at(self.theta, 2).curvature
        if curvature is None or not self.loss:
            return False  # where J is 0, nothing is left to be gained
        least = 1e-14 * abs(self.loss)
        reach = np.maximum(np.abs(self.theta), scales).tolist()
        idle = [part * far * far <= least for part, far in zip(curvature.diagonal().tolist(), reach, strict=True)]
        if self.bounds is not None and any(idle):
            idle = (np.array(idle) & ~self.bounds.blocked(self.theta, self.gradient)).tolist()
        return any(idle) and bool(np.isfinite(curvature).all())


def _pull(upper: Array, gradient: Array) -> Array:
    """Return the shortest q with R'q = gradient, or as nearly as rounding allows; NaN where numbers are not finite."""
    if not (np.isfinite(upper).all() and np.isfinite(gradient).all()):
        return np.full(len(gradient), np.nan)
    norms = np.sqrt(np.add.reduce(upper * upper))
    norms[norms == 0.0] = 1.0
    pull: Array = np.linalg.lstsq((upper / norms).T, gradient / norms, rcond=RANK)[0]
    return pull


class Objective:
    """J(theta) = sum of losses / sum of row weights + penalty.

    The numbers of the last full evaluation are kept, so that asking again for the same theta costs nothing. They are
    not kept as a point, which knows its objective: in such a ring the rows would outlive a fit that is let go.
    floor: the least J that any model could have, 0 for most losses; that of counts may lie far below.
    bounds: on theta; nothing is evaluated outside them but what is asked for. kinks: of J, where the formula has
    any and its rows are in memory; pieces: of J, where the loss has kinks. passes: how often all rows were read, which
    some engines do once, whatever is asked of them.
    """

    pieces: PiecesOfRows | None = None

    def __init__(self, engine: Engine, penalty: Penalty | None = None, bounds: Bounds | None = None) -> None:
        self.engine = engine
        self.penalty = penalty
        self.has_l1 = penalty is not None and penalty.has_l1
        self.bounds = bounds
        self.kinks: Kinks | None = None
        self.edge: Edge | None = None
        """Of the range in which the loss keeps predictions, if there is one and the rows are in memory."""
        self.floor = 0.0
        self.rows = engine.count
        self.passes = 1.0 if engine.once else 0.0
        self.means = getattr(engine, "means", None)
        """Order 2 over all rows, in an engine that divides sooner than it is done here."""
        self._last: tuple[Array, int, float, Array | None, Array | None, Array | None] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"means": None, "_last": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"means": getattr(state["engine"], "means", None)})

    @property
    def last_order(self) -> int:
        """The order of the last evaluation over all rows."""
        return 0 if self._last is None else self._last[1]

    def __call__(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Point:
        last = self._last
        if last is not None and rows is None and last[0] is theta and last[1] >= order:
            return Point(theta, *last[2:], self, None)
        if order == 3:
            if not self.engine.factors:
                return self(theta, 2, rows)
            return self._factored(theta, rows)
        self._count(rows)
        if order == 2 and rows is None and self.means is not None:
            loss, gradient, curvature = self.means(theta)
        else:
            count, loss, gradient, curvature, _ = self.engine.evaluate(theta, order, rows)
            loss /= count
            if gradient is not None:
                gradient = gradient / count
            if curvature is not None:
                curvature = curvature / count
        if self.penalty is not None:
            loss, gradient, curvature = self._penalised(theta, loss, gradient, curvature)
        if rows is None:
            self._last = (theta, order, loss, gradient, curvature, None)
        return Point(theta, loss, gradient, curvature, None, self, rows)

    def _count(self, rows: NDArray[np.intp] | Batch | None) -> None:
        """Count a pass over all rows, or the part of one that a batch is."""
        if rows is None:
            self.passes += 0.0 if self.engine.once else 1.0
        else:
            self.passes += rows.high - rows.low if isinstance(rows, Batch) else len(rows) / self.rows

    def _factored(self, theta: Array, rows: NDArray[np.intp] | None) -> Point:
        """Evaluate order 3: curvature and gradient from the triangle of the Jacobian, which is kept.

        A gradient by hand or autograd stays what it is, and the triangle's last column becomes what gives it.
        """
        count, loss, own, factor = self.triangle(theta, rows)
        if factor is None:
            return self(theta, 2, rows)
        upper, right = factor[:-1, :-1], factor[:-1, -1]
        gradient, curvature = upper.T @ right, upper.T @ upper
        if own is not None:
            gradient = own / count
            if self.penalty is not None:
                gradient = gradient + 2.0 * self.penalty.l2 * theta
            factor[:-1, -1] = _pull(upper, gradient)
        if rows is None:
            self._last = (theta, 3, loss, gradient, curvature, factor)
        return Point(theta, loss, gradient, curvature, factor, self, rows)

    def triangle(
        self, theta: Array, rows: NDArray[np.intp] | None = None
    ) -> tuple[float, float, Array | None, Array | None]:
        """Return the number of rows, J, a gradient that is not derived, as a sum, and the triangle of [J, r].

        There is no triangle where the curvature tells as much, or where it is not finite.
        """
        if not self.engine.factors:
            return 1.0, math.nan, None, None
        self._count(rows)
        count, loss, own, _, factor = self.engine.evaluate(theta, 3, rows)
        if factor is None or (math.isfinite(loss) and not np.isfinite(factor).all()):
            return count, loss, own, None
        factor = factor / math.sqrt(count)
        loss /= count
        if self.penalty is not None:
            # l2 theta**2 is the squared loss of one more row for each parameter, sqrt(l2) theta against 0.
            roots = np.sqrt(2.0 * self.penalty.l2)
            factor = triangle(np.vstack([factor, np.column_stack([np.diag(roots), roots * theta])]))
            loss += float(self.penalty.l2 @ theta**2 + self.penalty.l1 @ np.abs(theta))
        return count, loss, own, factor

    def _penalised(
        self, theta: Array, loss: float, gradient: Array | None, curvature: Array | None
    ) -> tuple[float, Array | None, Array | None]:
        penalty = self.penalty
        assert penalty is not None
        loss += float(penalty.l2 @ theta**2 + penalty.l1 @ np.abs(theta))
        if gradient is not None:
            gradient = gradient + 2.0 * penalty.l2 * theta
        if curvature is not None:
            curvature = curvature + np.diag(2.0 * penalty.l2)
        return loss, gradient, curvature
