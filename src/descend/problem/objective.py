"""Objectives: J as an engine sums it, and wrappers that add a penalty, choose rows or hold parameters fixed."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import Batch, Places, shuffled
from descend.engines.totals import Curvature, Engine, Factor
from descend.formula.factor import triangle
from descend.optimizers.curvature import is_finite, part_of, pulling, with_diagonal
from descend.parameters import Bounds
from descend.problem.penalty import Penalty
from descend.problem.point import Array, Objective, Point
from descend.problem.triangle import Triangle

Numbers = tuple[float, Array | None, Curvature | None]
"""J, its gradient and its curvature."""


def objective_over(engine: Engine, penalty: Penalty | None = None, bounds: Bounds | None = None) -> VectorObjective:
    """Return J of the rows that an engine sums, with what is added to it (but for priors: see ``with_priors_of``)."""
    summed = MeanLoss(engine)
    objective: VectorObjective = summed if penalty is None else Penalised(summed, penalty)
    objective.bounds = bounds
    return objective


class VectorObjective(Objective):
    """J as a function of one flat vector.

    The numbers of the last full evaluation are kept, so that asking again for the same theta costs nothing. No `Point`
    is kept: it refers to its objective, and that cycle would keep the rows alive after their fit is deleted.
    """

    _last: tuple[Array, int, float, Array | None, Curvature | None, Factor | None] | None = None

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_last"}

    @property
    def last_order(self) -> int:
        """The order of the last evaluation over all rows."""
        return 0 if self._last is None else self._last[1]

    def __call__(self, theta: Array, order: int = 1, rows: Places | None = None) -> Point:
        last = self._last
        if last is not None and rows is None and last[0] is theta and last[1] >= order:
            return Point(theta, *last[2:], self)  # type: ignore[arg-type]
        if order == 3:
            triangle = self.triangle(theta, rows)
            if triangle is None:
                return self(theta, 2, rows)
            loss, factor = triangle.loss, triangle.factor
            gradient, curvature = _of_factor(factor, triangle.own)
        else:
            factor = None
            loss, gradient, curvature = self.numbers(theta, order, rows)
        if rows is None:
            self._last = (theta, order, loss, gradient, curvature, factor)
        return Point(theta, loss, gradient, curvature, factor, self, rows)  # type: ignore[arg-type]

    def noted(self, point: Point) -> Point:
        self._last = (point.theta, 2, point.loss, point.gradient, point.curvature, None)
        return point

    def with_priors_of(self, other: VectorObjective) -> VectorObjective:
        """Return J of other rows, or of another engine, with the priors of this one; it has none."""
        return other

    def at_dispersion(self, dispersion: float) -> VectorObjective:
        """Return the same J with priors that are weighed for another dispersion; it has none."""
        return self

    def exactly(self, theta: Array) -> Point:
        """Return J with the second derivative of the priors itself, where a descent may take another; it has none."""
        return self(theta, 3)

    @abstractmethod
    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        """Return J, and from order 1 on its gradient, from 2 on its curvature."""


def _of_factor(factor: Factor, own: Array | None) -> tuple[Array | None, Curvature | None]:
    """Return gradient and curvature; own: the gradient, where it is not the derived one."""
    if not isinstance(factor, np.ndarray):
        return factor.gradient, factor.curvature
    upper = factor[:-1, :-1]
    if own is not None:
        # A gradient by hand or autograd stays what it is; the triangle's last column becomes what gives it.
        factor[:-1, -1] = pulling(upper, own)
    gradient = upper.T @ factor[:-1, -1] if own is None else own
    return gradient, upper.T @ upper


class MeanLoss(VectorObjective):
    """J(theta) = sum of losses / sum of row weights, as an engine sums them."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.rows = engine, engine.count
        self.passes = 1.0 if engine.once else 0.0
        self.means = engine.means
        """J over all rows with its derivatives, of an engine that divides sooner than it is done here."""

    def __getstate__(self) -> dict[str, object]:
        return super().__getstate__() | {"means": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.means = self.engine.means

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        self._count(rows)
        if self.means is not None and rows is None and (order == 2 or self.engine.quadratic):
            loss, gradient, curvature = self.means(theta)
            return loss, gradient, curvature if order == 2 else None
        count, loss, gradient, curvature, _ = self.engine.evaluate(theta, order, rows)
        return (
            loss / count,
            None if gradient is None else gradient / count,
            None if curvature is None else curvature / count,
        )

    @property
    def sparing(self) -> bool:
        return self.engine.differencing is not None and self.engine.differencing.sparing

    def noise(self) -> Array | None:
        noise_of_loss = None if self.engine.differencing is None else self.engine.differencing.noise
        return None if noise_of_loss is None else noise_of_loss / self.engine.rows.total

    def loss_noise(self) -> float:
        found = 0.0 if self.engine.differencing is None else self.engine.differencing.loss_noise
        return found / self.engine.rows.total

    def carry_on(self) -> None:
        if self.engine.differencing is not None:
            self.engine.differencing.carry_on()

    def refine(self, best: bool) -> bool:
        self._last = None
        return self.engine.differencing is not None and self.engine.differencing.refine(best)

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        if not self.engine.factors:
            return None
        self._count(rows)
        count, loss, own, _, factor = self.engine.evaluate(theta, 3, rows)
        if factor is None or (math.isfinite(loss) and not is_finite(factor)):
            return None
        return Triangle(loss / count, None if own is None else own / count, factor / math.sqrt(count))

    def second_derivatives(self, theta: Array) -> Array | None:
        totals = self.engine.second_derivatives(theta)
        if totals is None or not isinstance(totals.curvature, np.ndarray):
            return None
        self._count(None)
        return totals.curvature / totals.rows

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[Places] | Sequence[Batch]:
        """Share out the rows of one epoch, as the engine numbers them."""
        return self.engine.batches(size, seed, epoch)

    def _count(self, rows: Places | Batch | None) -> None:
        """Count a pass over all rows, or the part of one that a batch is."""
        if rows is None:
            self.passes += 0.0 if self.engine.once else 1.0
        else:
            self.passes += rows.high - rows.low if isinstance(rows, Batch) else len(rows) / self.rows


class Around(VectorObjective):
    """An objective that wraps another and takes over whatever it does not define itself.

    What is known of single rows is not taken over, as it refers to the inner parameters and to all rows.
    """

    def __init__(self, inner: VectorObjective) -> None:
        self.inner = inner
        self.engine, self.rows, self.floor = inner.engine, inner.rows, inner.floor
        self.bounds, self.penalty, self.priors = inner.bounds, inner.penalty, inner.priors

    def with_priors_of(self, other: VectorObjective) -> VectorObjective:
        return self.inner.with_priors_of(other)

    @property
    def passes(self) -> float:
        return self.inner.passes

    @passes.setter
    def passes(self, passes: float) -> None:
        self.inner.passes = passes

    @property
    def sparing(self) -> bool:
        return self.inner.sparing

    def noise(self) -> Array | None:
        return self.inner.noise()

    def loss_noise(self) -> float:
        return self.inner.loss_noise()

    def carry_on(self) -> None:
        self.inner.carry_on()

    def refine(self, best: bool) -> bool:
        self._last = None
        return self.inner.refine(best)

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[Places] | Sequence[Batch]:
        return self.inner.batches(size, seed, epoch)


class Penalised(Around):
    """J + sum over parameters of l2 theta**2 + l1 |theta|.

    Gradient and curvature are those of the smooth part, all but the l1 penalty.
    """

    def __init__(self, inner: VectorObjective, penalty: Penalty) -> None:
        super().__init__(inner)
        self.penalty: Penalty = penalty

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        loss, gradient, curvature = self.inner.numbers(theta, order, rows)
        return (
            loss + self._size(theta),
            None if gradient is None else gradient + 2.0 * self.penalty.l2 * theta,
            None if curvature is None else with_diagonal(curvature, 2.0 * self.penalty.l2),
        )

    def second_derivatives(self, theta: Array) -> Array | None:
        hessian = self.inner.second_derivatives(theta)
        return None if hessian is None else hessian + np.diag(2.0 * self.penalty.l2)

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        """Return the triangle of the Jacobian: l2 theta**2 is the squared loss of a row sqrt(l2) theta against 0."""
        root_of_curvature = self.inner.triangle(theta, rows)
        if root_of_curvature is None:
            return None
        roots = np.sqrt(2.0 * self.penalty.l2)
        own = None if root_of_curvature.own is None else root_of_curvature.own + 2.0 * self.penalty.l2 * theta
        if isinstance(root_of_curvature.factor, np.ndarray):
            more = np.column_stack([np.diag(roots), roots * theta])
            factor: Factor = triangle(np.vstack([root_of_curvature.factor, more]))
        else:
            factor = root_of_curvature.factor.beside(roots, roots * theta)
        return Triangle(root_of_curvature.loss + self._size(theta), own, factor)

    def _size(self, theta: Array) -> float:
        return float(self.penalty.l2 @ theta**2 + self.penalty.l1 @ np.abs(theta))


class OnRows(Around):
    """J over a choice of the rows, which may name a row several times."""

    def __init__(self, inner: VectorObjective, chosen: Places) -> None:
        super().__init__(inner)
        self.chosen, self.rows = chosen, len(chosen)

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        return self.inner.numbers(theta, order, self._of(rows))

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        return self.inner.triangle(theta, self._of(rows))

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[Places]:
        return shuffled(self.rows, size, seed, epoch)

    def _of(self, rows: Places | None) -> Places:
        return self.chosen if rows is None else self.chosen[rows]


class Held(Around):
    """J as a function of the ``free`` components of theta; the others keep their values."""

    def __init__(self, inner: VectorObjective, theta: Array, free: NDArray[np.bool_]) -> None:
        super().__init__(inner)
        self.theta, self.free = theta, free
        self.bounds = None if inner.bounds is None else inner.bounds.of(free)
        self.penalty = None  # already in the J of all parameters, of which only the smooth part is looked at

    def complete(self, free: Array) -> Array:
        """Return the flat vector of all parameters."""
        theta = self.theta.copy()
        theta[self.free] = free
        return theta

    def noise(self) -> Array | None:
        noise_of_loss = self.inner.noise()
        return None if noise_of_loss is None else noise_of_loss[self.free]

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        loss, gradient, curvature = self.inner.numbers(self.complete(theta), order, rows)
        return (
            loss,
            None if gradient is None else gradient[self.free],
            None if curvature is None else part_of(curvature, self.free),
        )

    def second_derivatives(self, theta: Array) -> Array | None:
        hessian = self.inner.second_derivatives(self.complete(theta))
        return None if hessian is None else hessian[np.ix_(self.free, self.free)]

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        root_of_curvature = self.inner.triangle(self.complete(theta), rows)
        if root_of_curvature is None:
            return None
        own = None if root_of_curvature.own is None else root_of_curvature.own[self.free]
        if isinstance(root_of_curvature.factor, np.ndarray):
            return Triangle(
                root_of_curvature.loss, own, triangle(root_of_curvature.factor[:, np.append(self.free, True)])
            )
        return Triangle(root_of_curvature.loss, own, root_of_curvature.factor.of(self.free))
