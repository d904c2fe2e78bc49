"""What a gradient source hands to an engine as code: a kernel. As expressions it is a `Program` (`derived`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.table.rows import Rows

Array = NDArray[np.float64]
Chosen = slice | NDArray[np.intp]
"""Some rows of a block."""
Block = tuple[Any, ...]
"""What a kernel needs of some rows: arrays, or tensors, whose first axis is the rows."""
Sums = tuple[Any, Any, Any]
"""Loss, gradient and curvature (or None) summed over some rows: numbers and arrays, or tensors in PyTorch."""


class Kernel(Protocol):
    """Sums over one block of rows, by code rather than by expressions."""

    language: str
    """"numpy" or "torch": what the blocks must be made of."""
    undivided: bool
    """Whether all rows are one block, as what is computed of a row may look at the others."""
    costly: bool
    """Whether a curvature costs many gradients."""

    def prepare(self, rows: Rows) -> Block:
        """Return what the sums need of these rows: arrays whose first axis is the rows, their weights among them."""
        ...

    def sums(self, theta: Array, block: Block, order: int) -> Sums:
        """Return loss, gradient (order 1) and curvature (order 2) summed over a block; of order 3 the factor instead.

        See ``engines.totals.Totals``.
        """
        ...

    def sums_over(self, theta: Array, block: Block, order: int, rows_chosen: Chosen) -> Sums:
        """Return the sums over some rows of a block, all of which may be looked at."""
        ...

    @property
    def finish(self) -> Callable[[Array, float, Array], Array] | None:
        """(sums, rows, theta) -> n times the gradient, if the sums are not that already; None for most gradients."""
        ...
