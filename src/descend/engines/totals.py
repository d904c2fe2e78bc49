"""The contract of engines: the sums of loss, gradient and curvature over rows, at one parameter point."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.engines.arrow import Arrow, Layout
    from descend.engines.arrow_triangle import ArrowTriangle

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


class InMemory:
    """An engine of columns in memory; copied and pickled as its arguments, since compiled code cannot be."""

    made_of: tuple[object, ...]
    """The arguments of its class."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self.made_of


class Engine(Protocol):
    """Where rows are summed. Same theta, same rows: every engine agrees with every other to rounding."""

    name: str
    count: int
    """How many rows there are."""
    rows: Rows
    """The rows in memory: all of them, or a sample of those that stay where they are."""
    factors: bool
    """Whether order 3 is available."""

    @property
    def once(self) -> bool:
        """Whether the rows were read once, and sums over all of them no longer need them."""
        ...

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        """Sum over all rows, or over those whose numbers (from 0) are in ``rows``.

        order: 0 loss, 1 and gradient, 2 and curvature, 3 loss and factor where ``factors`` says there is one.
        """
        ...


class GroupedEngine(Engine, Protocol):
    """One whose curvature is an arrow; it can be asked about single groups of the finest grouping."""

    @property
    def layout(self) -> Layout: ...
    @property
    def group_weights(self) -> Array:
        """The number of rows of each group, or the sum of their weights."""

    def losses(self, theta: Array) -> Array:
        """Return the sum of the loss of each group."""

    def rows_of(self, group: int) -> Rows:
        """Return rows of a group: all, or where they are not in memory so many at most as a sample has."""


def ordered(order: int, rows: float, loss: float, gradient: Array | None, second: Array | None) -> Totals:
    """Return totals in which ``second`` is the curvature, or the factor if the order is 3."""
    if order == 3:
        return Totals(rows, loss, gradient, None, second)
    return Totals(rows, loss, gradient, second)
