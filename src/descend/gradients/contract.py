"""What a gradient source hands to an engine: expressions, which are a `Program` (`derived`), or code, a kernel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.gradients.differencing import Differencing
from descend.table.rows import Rows

Array = NDArray[np.float64]
Chosen = slice | NDArray[np.intp]
"""Some rows of a block."""
Block = tuple[Any, ...]
"""What a kernel needs of some rows: arrays, or tensors, whose first axis is the rows."""
Sums = tuple[Any, Any, Any]
"""Loss, gradient and curvature (or None) summed over some rows: numbers and arrays, or tensors in PyTorch."""


class Summand:
    """What is summed over rows. A kind that has more to say than this says it here."""

    language: str | None = None
    """"numpy" or "torch", if blocks of rows must be made of its arrays; None if every engine can sum it."""
    costly: ClassVar[bool] = False
    """Whether a curvature costs many gradients."""
    more_columns: tuple[str, ...] = ()
    """Columns that are read beside those of the model."""
    differencing: Differencing | None = None
    """What is known of derivatives that are found numerically; None where they are exact."""

    def over(self, columns: Mapping[str, Array]) -> Summand:
        """Return what is summed over these columns: itself, unless they spare some of it."""
        return self

    @property
    def arrow(self) -> bool:
        """Whether most of the parameters belong to one group each, and are so many that the curvature is an arrow."""
        return False

    def counted(self, rows: Rows) -> int:
        """Return how many of the rows count: those with a weight above 0."""
        return rows.count if rows.omega is None else int(np.count_nonzero(rows.omega))

    def scored(self, theta: Array, rows: Rows) -> tuple[Array, Array] | None:
        """Return the signed distance of each row from the curve, (n,), and its derivatives by theta, (n, p).

        None where inputs are exact, so that a row lies as far from the curve as its residual says.
        """
        return None

    def deltas(self, theta: Array, rows: Rows) -> dict[str, Array]:
        """Return how far the true value of each input that has errors lies from the measured one, (n,)."""
        return {}


class Kernel(Summand, ABC):
    """Sums over one block of rows, by code rather than by expressions."""

    language: str = "numpy"
    undivided: ClassVar[bool] = False
    """Whether all rows are one block, as what is computed of a row may look at the others."""
    finish: Callable[[Array, float, Array], Array] | None = None
    """(sums, rows, theta) -> n times the gradient, if the sums are not that already; None for most gradients."""

    @abstractmethod
    def prepare(self, rows: Rows) -> Block:
        """Return what the sums need of these rows: arrays whose first axis is the rows, their weights among them."""

    @abstractmethod
    def sums(self, theta: Array, block: Block, order: int) -> Sums:
        """Return loss, gradient (order 1) and curvature (order 2) summed over a block; of order 3 the factor instead.

        See ``engines.totals.Totals``.
        """

    def sums_over(self, theta: Array, block: Block, order: int, rows_chosen: Chosen) -> Sums:
        """Return the sums over some rows of a block, all of which may be looked at."""
        return self.sums(theta, tuple(array[rows_chosen] for array in block), order)

    def surest(self, theta: Array, block: Block) -> float | None:
        """Return the largest probability of an observed class in any row; None if it costs more than the sums."""
        return None
