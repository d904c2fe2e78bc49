"""What an optimizer is given, what it gives back, and what it says about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature, Factor
from descend.registry import Part

if TYPE_CHECKING:
    from descend.optimizers.kinked_loss import Pieces
    from descend.optimizers.recurrence import Recurrence
    from descend.parameters import Bounds

Array = NDArray[np.float64]
State = Any
WELL = 1e-9
"""Smallest eigenvalue of the scaled curvature above which squared numbers cost no digit of the answer."""
NOTHING = 1e-17
"""A damping that is lost in rounding, where the diagonal it is added to is 1."""
SUFFICIENT_DECREASE = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
RANK = 1e-14
"""A singular value of a scaled triangle below this share of the largest counts as zero."""
Units = Array | list[float]
"""The diagonal of D**2, in which steps are damped."""


class Evaluation(Protocol):
    """The objective J at one parameter point, and the means to evaluate it at another.

    Its arrays stay valid, and unchanged, when J is evaluated elsewhere: an optimizer may keep them.
    """

    theta: Array
    """(p,) the current parameters; never changed in place."""
    loss: float
    """J(theta), penalties included."""
    gradient: Array
    """(p,) dJ/dtheta of the smooth part: all of J but the l1 penalty."""
    curvature: Curvature | None
    """(p, p) Gauss-Newton curvature of the smooth part; present if the optimizer needs order 2 or asked for it."""
    factor: Factor | None
    """(p + 1, p + 1) upper triangle R with curvature = R'R over its first p rows and columns and gradient = R'q, q its
    last column; where order 3 was asked for and the engine has it."""
    rate: float
    """Learning rate of this step, a schedule already applied."""

    @property
    def proximal(self) -> bool:
        """Whether there is an l1 penalty, or bounds; without either `shrink` is the identity."""

    @property
    def system(self) -> type[System] | None:
        """What solves the damped system of a curvature that is neither a matrix nor an arrow; else None."""

    @property
    def piecewise(self) -> bool:
        """Whether the loss has kinks, and `pieces` says where."""

    @property
    def has_l1(self) -> bool:
        """Whether there is an l1 penalty."""

    @property
    def l1(self) -> Array | None:
        """(p,) the factors of the l1 penalty, if there is one."""

    @property
    def bounds(self) -> Bounds | None:
        """Bounds on theta, if there are any."""

    @property
    def sparing(self) -> bool:
        """Whether derivatives cost many times what the loss alone does, or are noisy, as those of slow functions."""

    @property
    def noise(self) -> Array | None:
        """(p,) the standard deviation of the gradient, where it was found numerically; None where it is exact."""

    def refined(self, best: bool) -> Evaluation | None:
        """Evaluate J here with better derivatives, where derivatives are numeric; None if there are no better ones.

        best: as good as they can be; else at least not carried on from another point. Of the point evaluated last.
        """

    def carried(self, theta: Array) -> Evaluation:
        """Evaluate J at ``theta`` to order 2, with derivatives carried on from here where they are numeric."""

    def second_derivatives(self) -> Array | None:
        """Return all second derivatives here, (p, p); None where they take more than one pass over the rows."""

    def at(self, theta: Array, order: int = 1) -> Evaluation:
        """Evaluate J at ``theta`` over the same rows; order 0 loss, 1 and gradient, 2 and curvature.

        The curvature is None where the model or the engine has none.
        """

    def shrink(self, theta: Array, rate: float) -> Array:
        """Apply the proximal operator of ``rate`` times the l1 penalty, and of the bounds."""

    def pieces(self) -> Pieces | None:
        """Return J near ``theta`` row by row, where ``piecewise``."""


class Optimizer(Part, ABC):
    """From J at one point to the next point. Subclasses are frozen dataclasses whose fields are their settings.

    A state is numbers, arrays, None, and lists or tuples of these. Neither it nor an evaluation is ever changed
    in place, so a run can be taken up again from any (theta, state).
    """

    kind: ClassVar[str] = "optimizer"
    needs: ClassVar[int] = 1
    """Order of evaluation a step needs: 1 loss and gradient, 2 also curvature, 3 also its factor."""
    thorough: ClassVar[bool] = False
    """Whether it ends by itself once no further digit can be gained, rather than at the usual tolerance."""
    proximal: ClassVar[bool] = False
    """Whether it supports an l1 penalty."""
    bounded: ClassVar[bool] = False
    """Whether it keeps within bounds, and ends at the minimum within them."""
    piecewise: ClassVar[bool] = False
    """Whether it follows the kinks of a loss, row by row; an l1 penalty then is one more kink."""
    stochastic: ClassVar[bool] = True
    """Whether it makes sense on mini-batches."""
    share: ClassVar[int | None] = None
    """Where steps are as long as the rate: that chosen is 1/share of the largest change in a Gauss-Newton step."""
    uses_rate: bool = True
    """Whether the learning rate matters to it; not so where it finds the length of each step itself."""
    rate_rule: ClassVar[str]
    """How `suggested_rate` chooses the learning rate, in words for the user."""

    @property
    def recurrence(self) -> Recurrence | None:
        """What it does on a parabola, where its steps are linear in the gradients seen so far."""
        return None

    @abstractmethod
    def init(self, theta: Array) -> State:
        """Return the state before the first step from ``theta``."""

    @abstractmethod
    def step(self, evaluation: Evaluation, optimizer_state: State) -> tuple[Array, State]:
        """Return the next parameters and state.

        An optimizer that can go no further returns ``evaluation.theta`` itself, the same object.
        """

    damps: ClassVar[bool] = False
    """Whether it damps its steps, and `damped` says how much."""

    def damped(self, optimizer_state: State) -> float | None:
        """Return the damping of the next step, of an optimizer that `damps`."""
        return None

    def largest_stable_rate(self, curvature_max: float) -> float | None:
        """Return the rate above which a quadratic of largest curvature ``curvature_max`` diverges, if known."""
        recurrence_known = self.recurrence
        return None if recurrence_known is None or not curvature_max > 0.0 else recurrence_known.limit / curvature_max

    @abstractmethod
    def suggested_rate(self, evaluation: Evaluation) -> float:
        """Return a learning rate for a run that begins at ``evaluation``, which is of order 2."""


class System(Protocol):
    """The linear system of a damped Gauss-Newton step: see ``damped_systems``."""

    order: ClassVar[int]
    units: Units
    """The largest squared column norms so far."""

    def __init__(self, evaluation: Evaluation, units: Units) -> None: ...

    def move(self, damping: float) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts."""

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d and |q|, what the parameters can still explain."""

    def safe(self) -> bool:
        """Whether its undamped step can be trusted; it has to be where there is no better system."""
        return True
