"""J and its derivatives at one theta, and the contract for objectives, which evaluate them."""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import Places, shuffled
from descend.engines.totals import Curvature, Engine, Factor
from descend.optimizers.curvature import largest_curvature
from descend.parameters import Bounds
from descend.problem.fault import Fault
from descend.problem.penalty import Penalty
from descend.problem.triangle import Triangle

if TYPE_CHECKING:
    from descend.engines.batches import Batch
    from descend.optimizers.kinked_loss import Pieces
    from descend.parameters.priors import WeighedPriors
    from descend.problem.standard_units import Units

Array = NDArray[np.float64]


class Objective(ABC):
    """J as a function to evaluate at theta: all that the loop, the searches and the inference know of it.

    engine: what sums the rows. rows: how many there are. floor: the least J that any model could have, 0 for most
    losses; that of counts may lie far below. bounds: on theta; nothing is evaluated outside them but what is asked for.
    passes: how often all rows were read.

    What is known of single rows is there only where they can be had: `pieces` of a loss with kinks, the `kinks` of a
    formula, the `edge` of the range in which a loss keeps predictions. sparing: see ``optimizers.contract.Evaluation``.
    """

    engine: Engine
    rows: int
    passes: float
    floor: float = 0.0
    bounds: Bounds | None = None
    penalty: Penalty | None = None
    priors: WeighedPriors | None = None
    pieces: PiecesOfRows | None = None
    kinks: KinksOfRows | None = None
    edge: EdgeOfRange | None = None
    units: Units | None = None
    """Those of the parameters, where they are not the user's own."""
    first: Point | None = None
    """Where a descent begins, in these units."""

    @property
    def last_order(self) -> int:
        """The order of the last evaluation over all rows."""
        return 0

    @abstractmethod
    def __call__(self, theta: Array, order: int = 1, rows: Places | None = None) -> Point:
        """Evaluate J at theta, over all rows or some; order 0 loss, 1 and gradient, 2 and curvature, 3 and factor."""

    def noted(self, point: Point) -> Point:
        """Take what a point says for what is there, should J be asked for at its theta; returns it."""
        return point

    def keeper(self, rate: float, append: Callable[..., None], past: Iterable[object]) -> Callable[..., None] | None:
        """Return what reads the steps of a run to write where it stands, if an objective does so itself; else None."""
        return None

    @property
    def has_l1(self) -> bool:
        """Whether there is an l1 penalty."""
        return self.penalty is not None and self.penalty.has_l1

    @property
    def arrow(self) -> bool:
        """Whether the curvature is an arrow, of very many parameters each of which belongs to one group."""
        return self.engine.arrow

    @property
    def smooth(self) -> bool:
        """Whether the slope of J is simply its gradient: there is no penalty, no bound and no kinked loss."""
        return self.penalty is None and self.bounds is None and self.pieces is None

    @property
    def sparing(self) -> bool:
        return False

    remarks: tuple[str, ...] = ()
    """What is to be said of a run once it has ended, in sentences."""
    fault: Fault | None = None
    """What was not finite first, where that was seen as it happened."""

    steps_itself: bool = False
    """Whether `epoch` is to be asked: most leave all steps to the loop."""

    def epoch(self, optimizer: object, rate: float, epoch: int, stop: Callable[[], bool]) -> Array | None:
        """Take the steps of an epoch, and return where they lead; None if the loop is to take them."""
        return None

    def end(self) -> Point | None:
        """Return the point that a run leaves, if that is not where its last step was."""
        return None

    def noise(self) -> Array | None:
        """Return the standard deviation of the last gradient, where it is numeric."""
        return None

    def loss_noise(self) -> float:
        """Return the standard deviation of the last J, where derivatives are numeric; else 0."""
        return 0.0

    def carry_on(self) -> None:  # noqa: B027 - nothing to do where derivatives are exact
        """Let the next derivatives be carried on from the last, where they are numeric and cost many calls."""

    def refine(self, best: bool) -> bool:
        """Let the next evaluation where J was evaluated last have better derivatives; False if there are none."""
        return False

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        """Return the triangle of the Jacobian; None where the curvature tells as much, or it is not finite."""
        return None

    def second_derivatives(self, theta: Array) -> Array | None:
        """Return all second derivatives of the smooth part; None where no single pass over the rows has them."""
        return None

    def largest_curvature(self, theta: Array) -> float | None:
        """Return the largest eigenvalue of the curvature at theta; None if there is none."""
        return largest_curvature(self(theta, 2).curvature)

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[Places] | Sequence[Batch]:
        """Share out the rows of one epoch, in an order that depends on seed and epoch alone."""
        return shuffled(self.rows, size, seed, epoch)

    def session(self) -> AbstractContextManager[None]:
        """Hold open what a descent needs, such as a connection."""
        return contextlib.nullcontext()


class PiecesOfRows(Protocol):
    """J of a loss with kinks, row by row."""

    def known(self, theta: Array) -> Pieces | None:
        """Return the pieces at theta if they were asked for last."""

    def at(self, theta: Array) -> Pieces:
        """Return the pieces at theta."""


class KinksOfRows(Protocol):
    """The kinks of J where a formula bends in some row."""

    def onwards(self, point: Point) -> tuple[Array, Array | None]:
        """Return where the kinks lead from a point, and the subgradient if the point is a corner."""

    def corner(self, point: Point) -> tuple[Array, Array] | None:
        """Return the normals (m, p) of the kinks a point lies on and the subgradient there; None if it is no corner."""

    def note(self, point: Point) -> str | None:
        """Say where J has a corner at a point, if it has one."""


class EdgeOfRange(Protocol):
    """The rows predicted at the edge of what the loss allows."""

    def onwards(self, point: Point) -> Array:
        """Return a theta further along the edge at which J is lower; the same theta if there is none."""

    def holds(self, theta: Array, gradient: Array) -> bool:
        """Whether these rows alone keep J from falling further."""


@dataclass(slots=True, eq=False, repr=False)
class Point:
    """J and its derivatives at one theta; what an optimizer is given (see ``optimizers.contract.Evaluation``).

    gradient: absent (None) only after an evaluation of order 0, which asks for the loss alone. factor: triangle of the
    scaled Jacobian and residual, after order 3. rows: which were evaluated, if not all. rate: of the step taken from
    here; the loop sets it. subgradient: of least length, where the loop found J to have a corner.
    """

    theta: Array
    loss: float
    gradient: Array
    curvature: Curvature | None
    factor: Factor | None
    objective: Objective
    rows: Places | None = None
    rate: float = 0.0
    subgradient: Array | None = None
    _latest: Point | None = None
    ended: ClassVar[str] = ""
    """The outcome with which the objective itself ends the run here, if it does."""
    measures: ClassVar[Mapping[str, float] | None] = None
    """What else was measured here, by name."""

    @property
    def bounds(self) -> Bounds | None:
        """Bounds on theta, if there are any."""
        return self.objective.bounds

    @property
    def has_l1(self) -> bool:
        """Whether there is an l1 penalty."""
        return self.objective.has_l1

    @property
    def l1(self) -> Array | None:
        """(p,) the factors of the l1 penalty, if there is one."""
        penalty = self.objective.penalty
        return penalty.l1 if penalty is not None and penalty.has_l1 else None

    @property
    def piecewise(self) -> bool:
        """Whether the loss has kinks, and `pieces` says where."""
        return self.objective.pieces is not None

    @property
    def proximal(self) -> bool:
        """Whether there is an l1 penalty, or bounds; without either `shrink` is the identity."""
        objective = self.objective
        return objective.bounds is not None or (objective.penalty is not None and objective.penalty.has_l1)

    def at(self, theta: Array, order: int = 1) -> Point:
        """Evaluate J at another theta, over the same rows."""
        self._latest = point_at_order = self.objective(theta, order, self.rows)
        return point_at_order

    def second_derivatives(self) -> Array | None:
        return None if self.rows is not None else self.objective.second_derivatives(self.theta)

    @property
    def system(self) -> None:
        return None

    @property
    def promised(self) -> float:
        """The share of J by which the next step promises to lower it, where only its optimizer can tell."""
        return math.inf

    @property
    def sparing(self) -> bool:
        return self.objective.sparing

    @property
    def noise(self) -> Array | None:
        return self.objective.noise()

    def refined(self, best: bool) -> Point | None:
        return self.objective(self.theta, 3, self.rows) if self.objective.refine(best) else None

    def carried(self, theta: Array) -> Point:
        self.objective.carry_on()
        return self.at(theta, 2)

    def reached(self, theta: Array) -> Point | None:
        """Return J where a step from here ended, if it was evaluated there last, with its curvature."""
        latest, self._latest = self._latest, None  # or each point would keep all that follow
        is_latest = latest is not None and latest.theta is theta and latest.curvature is not None
        return latest if is_latest else None

    @property
    def matrix(self) -> Array | None:
        """The curvature if it is a matrix: what is only worth its cost with few parameters needs one."""
        return self.curvature if isinstance(self.curvature, np.ndarray) else None

    def curved(self) -> Curvature | None:
        """Return the curvature here, evaluating it if that was not done yet; None if there is none."""
        return self.curvature if self.curvature is not None else self.at(self.theta, 2).curvature

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

    def largest_curvature(self) -> float | None:
        """Return the largest eigenvalue of the curvature here; None if there is none."""
        return largest_curvature(self.curvature)

    @property
    def norm(self) -> float:
        """Euclidean norm of ``slope``."""
        objective = self.objective
        plain = objective.penalty is None and objective.bounds is None and objective.pieces is None
        slope = self.gradient if plain and self.subgradient is None else self.slope
        squares = float(slope.dot(slope))
        return math.sqrt(squares) if squares < math.inf else math.hypot(*slope.tolist())

    @property
    def excess(self) -> float:
        """How far J lies above the least that any model can reach; changes of J are measured as shares of this."""
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

    def held(self) -> bool:
        """Whether J is least here because predictions lie at the edge of what the loss allows."""
        edge = self.objective.edge
        return edge is not None and edge.holds(self.theta, self.slope)
