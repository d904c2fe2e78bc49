"""The engine that sums rows in this process, with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.compiled import Compiled, compiled
from descend.engines.threads import in_turn, one_thread_each
from descend.engines.totals import Array, Totals
from descend.formula.compile import triangle
from descend.gradients.contract import Kernel, Program, Sums

BLOCK = 8_192
"""Rows per block: its arrays stay in the processor's cache, are too small for BLAS to wake other threads for, and are
handed back to the heap rather than to the system."""
MANY = 1 << 17
"""Rows from which on threads share them, ..."""
LARGE = 1 << 20
"""... or numbers in their columns, matrices and Jacobian, if these are many."""
SHARE = 1 << 16
"""Rows that a thread takes at a time: so many that sharing them out costs nothing."""
BLOCKS = 2
"""The same, where a block is as large as the cache allows."""


class NumpyEngine:
    """Sums over columns in memory, a block of rows at a time; of many rows, on all processors.

    Shares and blocks are cut, and their sums added, in an order that only depends on the number of rows.
    """

    name = "numpy"

    def __init__(self, what: Program | Kernel, columns: Mapping[str, Array], weights: str | None = None) -> None:
        self.kernel: Kernel = compiled(what, "numpy") if isinstance(what, Program) else what
        self.finish = self.kernel.finish
        self.sums: Sequence[Callable[..., Sums]] = (
            self.kernel.functions
            if isinstance(self.kernel, Compiled)
            else [partial(self.kernel.sums, order=order) for order in range(4)]
        )
        self.factors = isinstance(what, Program) and what.by_hand is None
        self.columns = columns
        self.rows = len(next(iter(columns.values())))
        self.weights = columns[weights] if weights is not None else None
        self.total = float(self.rows) if self.weights is None else float(self.weights.sum())
        self.shared: Callable[[Array, int], Sums] | None = None
        kernel = self.kernel if isinstance(self.kernel, Compiled) else None
        self.alone = kernel is not None and kernel.wakes_threads(min(self.rows, BLOCK))
        if (
            kernel is not None
            and self.rows > BLOCK
            and (self.rows >= MANY or self.rows * kernel.code.numbers_per_row >= LARGE)
        ):
            self.shared = partial(_shared, kernel, kernel.lay_out(columns, self.rows), self.rows)
        else:
            self.blocks = [self.data] if self.rows <= BLOCK else list(_cut(self.data, self.rows))

    @cached_property
    def data(self) -> tuple[Any, ...]:
        """All rows as one block."""
        return self.kernel.prepare(self.columns)

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        if rows is not None:
            count = float(len(rows)) if self.weights is None else float(self.weights[rows].sum())
            loss, gradient, curvature = self.sums[order](theta, tuple(array[rows] for array in self.data))
        else:
            count = self.total
            if self.shared is not None:
                loss, gradient, curvature = self.shared(theta, order)
            elif self.alone:
                with one_thread_each:
                    loss, gradient, curvature = _added(self.sums[order], theta, self.blocks, order)
            else:
                loss, gradient, curvature = _added(self.sums[order], theta, self.blocks, order)
        if order == 3:
            return Totals(count, float(loss), None, None, curvature)
        if self.finish is not None and gradient is not None:
            gradient = self.finish(gradient, count, theta)
        return Totals(count, float(loss), gradient, curvature)


def _added(sums: Callable[..., Sums], theta: Array, blocks: Sequence[tuple[Any, ...]], order: int) -> Sums:
    """Sum over blocks."""
    found = sums(theta, blocks[0])
    for block in blocks[1:] if len(blocks) > 1 else ():
        found = _joined(found, sums(theta, block), order)
    return found


def _shared(
    kernel: Compiled, lay: Callable[[], Callable[[int, int], Any]], rows: int, theta: Array, order: int
) -> Sums:
    """Sum over shares, each in blocks. lay: makes the function that lays out the block from one row to another."""
    size = kernel.block_rows
    blocks = -(-rows // size)
    function = kernel.functions[order]

    def worker() -> Callable[[int], Sums]:
        block_of = lay()

        def share(number: int) -> Sums:
            found: Sums | None = None
            for place in range(number * BLOCKS, min((number + 1) * BLOCKS, blocks)):
                more = function(theta, block_of(place * size, min((place + 1) * size, rows)))
                found = more if found is None else _joined(found, more, order)
            assert found is not None
            return found

        return share

    first, *others = in_turn(-(-blocks // BLOCKS), worker)
    for other in others:
        first = _joined(first, other, order)
    return first


def _joined(one: Sums, other: Sums, order: int) -> Sums:
    """Add two sums over rows, or make one factor of two."""
    loss, gradient, curvature = one
    if gradient is not None:
        gradient += other[1]
    if curvature is not None:
        curvature = triangle(np.vstack([curvature, other[2]])) if order == 3 else curvature + other[2]
    return loss + other[0], gradient, curvature


def _cut(data: tuple[Any, ...], rows: int) -> Any:
    for begin in range(0, rows, BLOCK):
        yield tuple(array[begin : begin + BLOCK] for array in data)


__all__ = ["BLOCK", "NumpyEngine"]
