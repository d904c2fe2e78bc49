"""The contract of engines: the sums of loss, gradient and curvature over rows, at one parameter point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import shuffled
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.engines.arrow import Arrow, Layout
    from descend.engines.arrow_triangle import ArrowTriangle
    from descend.engines.batches import Batch
    from descend.gradients.contract import Sums
    from descend.gradients.differencing import Differencing
    from descend.table.lazy import Lazy

Array = NDArray[np.float64]
Curvature: TypeAlias = Union[Array, "Arrow"]
"""A (p, p) matrix, or where very many parameters each belong to one group an arrow."""
Factor: TypeAlias = Union[Array, "ArrowTriangle"]
"""Its triangle, with one more column for the gradient."""


class Totals(NamedTuple):
    """Raw sums over rows, float64.

    rows: their number, or the sum of their weights. gradient: (p,) or None. curvature: (p, p) or None.
    factor: (p + 1, p + 1) or None; upper triangle R of QR [sqrt(W) J, slope / sqrt(W)]: its first p rows and columns
        give the curvature R'R and, with its last column, the gradient, to twice the digits. A gradient beside it is by
        hand or autograd, and takes precedence; where the curvature serves as well there is no factor.
    """

    rows: float
    loss: float
    gradient: Array | None
    curvature: Curvature | None
    factor: Factor | None = None


class Traits:
    """What others ask of an engine beside its sums, as it is of most engines."""

    factors: bool = False
    """Whether order 3 is available."""
    in_memory: ClassVar[bool] = False
    """Whether all rows are in memory, rather than in a file or a database."""
    quadratic: ClassVar[bool] = False
    """Whether the sums are those of a squared loss of a linear model, so that J is one parabola."""
    arrow: ClassVar[bool] = False
    """Whether the curvature is an arrow."""
    by_database: ClassVar[bool] = False
    """Whether a database adds up the rows, one by one, so that each partial sum is rounded."""
    device: str | None = None
    """Where PyTorch computes, in an engine that uses it."""
    compiles: bool = False
    """Whether the sums are compiled before the first of them."""
    lazy: Lazy | None = None
    """The rows that stay where they are."""
    near: Array | None = None
    """A point near the minimum; rows that stay where they are may be read there once, if the sums are `quadratic`."""
    differencing: Differencing | None = None
    """What is known of derivatives that are found numerically; None where they are exact."""

    @property
    def means(self) -> Callable[[Array], Sums] | None:
        """Loss, gradient and curvature per row, or per unit of row weight; None where dividing the sums is as fast.

        Of a `quadratic` engine they are also asked for where no curvature is, as there is but one.
        """
        return None

    @property
    def grouped(self) -> GroupedEngine | None:
        """The engine itself, if its curvature is an arrow."""
        return None

    def surest(self, theta: Array) -> float | None:
        """Return the largest probability of an observed class in any row; None if it costs more than the sums."""
        return None

    def second_derivatives(self, theta: Array) -> Totals | None:
        """Return totals whose curvature is all second derivatives of the loss; None where no single pass has them."""
        return None


class Engine(Traits, ABC):
    """Where rows are summed. Same theta, same rows: every engine agrees with every other to rounding."""

    name: str
    count: int
    """How many rows there are."""
    rows: Rows
    """The rows in memory: all of them, or a sample of those that stay where they are."""

    @property
    @abstractmethod
    def once(self) -> bool:
        """Whether the rows were read once, and sums over all of them no longer need them."""

    @abstractmethod
    def evaluate(self, theta: Array, order: int = 1, rows: Any = None) -> Totals:
        """Sum over all rows, or over those whose numbers (from 0) are in ``rows``, or a batch as `batches` makes them.

        order: 0 loss, 1 and gradient, 2 and curvature, 3 loss and factor where ``factors`` says there is one.
        """

    def batches(self, size: int, seed: int, epoch: int) -> Sequence[NDArray[np.intp]] | Sequence[Batch]:
        """Share out the rows of one epoch, in an order that depends on seed and epoch alone."""
        return shuffled(self.count, size, seed, epoch, self.rows.omega)


class InMemory(Engine):
    """An engine of columns in memory; copied and pickled as its arguments, since compiled code cannot be."""

    in_memory = True
    made_of: tuple[object, ...]
    """The arguments of its class."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self.made_of


class GroupedEngine(Engine):
    """One whose curvature is an arrow; it can be asked about single groups of the finest grouping."""

    arrow = True
    once = False
    layout: Layout
    grouping: str
    """The column that holds the group of each row."""

    @property
    @abstractmethod
    def group_weights(self) -> Array:
        """The number of rows of each group, or the sum of their weights."""

    @property
    def grouped(self) -> GroupedEngine:
        return self

    @abstractmethod
    def losses(self, theta: Array) -> Array:
        """Return the sum of the loss of each group."""

    @abstractmethod
    def rows_of(self, group: int) -> Rows:
        """Return rows of a group: all, or where they are not in memory so many at most as a sample has."""


def added(sums: Iterable[Sums], merged: Callable[[Any, Any], Any]) -> Sums:
    """Add up sums over rows. merged: makes one of two curvatures, or of two factors."""
    loss, gradient, second = 0.0, None, None
    for more_loss, more_gradient, more_second in sums:
        loss = loss + more_loss
        gradient = more_gradient if gradient is None else gradient + more_gradient
        second = more_second if second is None else merged(second, more_second)
    return loss, gradient, second


def ordered(order: int, rows: float, loss: float, gradient: Array | None, second: Array | None) -> Totals:
    """Return totals in which ``second`` is the curvature, or the factor if the order is 3."""
    if order == 3:
        return Totals(rows, loss, gradient, None, second)
    return Totals(rows, loss, gradient, second)
