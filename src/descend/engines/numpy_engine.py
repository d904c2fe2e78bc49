"""The engine that sums rows in this process, with NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.engines.blockwise import LEAST_ROWS, blockwise
from descend.engines.compiled import Compiled, kernel_of
from descend.engines.threads import in_turn, one_thread_each
from descend.engines.totals import Array, InMemory, Totals, added, ordered
from descend.formula.factor import merged_factors
from descend.gradients.contract import Summand, Sums
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.engines.hessian import HessianCode

BLOCK = 8_192
"""Rows per block: its arrays stay in the processor's cache, are too small for BLAS to wake other threads for, and are
handed back to the heap rather than to the system."""
MANY = 1 << 17
"""Rows from which on threads share them."""
LARGE = 1 << 20
"""Numbers in their columns, matrices and Jacobian from which on threads share them too."""
WORTH = 1 << 20
"""Rows times parameters from which on a pass with all second derivatives repays deriving and compiling it."""
SHARE = 1 << 16
"""Rows that a thread takes at a time: enough that handing them out costs nothing."""
BLOCKS = 2
"""The same, where a block is as large as the cache allows."""
SHARES = 32
"""Shares of blocks whose sums are held at once, at most."""
MERGED = [operator.add, operator.add, operator.add, merged_factors]
"""What makes one of two curvatures, or factors, by order."""
Layer = Callable[[int, int], tuple[Array, ...]]
"""From the first row and the one after the last to their block."""


class NumpyEngine(InMemory):
    """Sums over columns in memory, a block of rows at a time; of many rows, on all processors.

    Shares and blocks are cut, and their sums added, in an order that only depends on the number of rows.
    """

    name = "numpy"
    once = False
    factors = True

    def __init__(self, code: Summand, rows: Rows) -> None:
        self.made_of = (code, rows)
        self.rows = rows
        self.kernel = kernel_of(code.over(rows.columns), "numpy", rows.omega is not None)
        self.finish, self.differencing = self.kernel.finish, self.kernel.differencing
        self.sums: Sequence[Callable[..., Sums]] = (
            self.kernel.functions
            if isinstance(self.kernel, Compiled)
            else [partial(self.kernel.sums, order=order) for order in range(4)]
        )
        self.many: Callable[[Array, int], Sums]
        self.count, self.total = rows.count, rows.total
        kernel = self.kernel if isinstance(self.kernel, Compiled) else None
        self.undivided = self.kernel.undivided
        """Whether all rows are one block, however many there are, as a function may look at all of a column."""
        alone = kernel is not None and kernel.wakes_threads(min(self.count, BLOCK))
        self.block: tuple[Array, ...] | None = None
        """All rows, where they are few enough for a single block."""
        self.shared = kernel is not None and (
            self.count >= MANY or (self.count > BLOCK and self.count * kernel.code.numbers_per_row >= LARGE)
        )
        if kernel is not None and self.shared:
            self.many = partial(_shared, kernel, lru_cache(1)(partial(kernel.lay_out, rows)), self.count)
        elif self.count > BLOCK and self.kernel.costly:
            self.many = partial(_shared_blocks, self.sums, lru_cache(1)(lambda: list(_cut(self.data, self.count))))
        elif (self.count > BLOCK or alone) and not self.undivided:
            self.many = partial(_added, self.sums, lru_cache(1)(lambda: list(_cut(self.data, self.count))), alone)
        else:
            self.block = self.kernel.prepare(rows)

    @cached_property
    def data(self) -> tuple[Array, ...]:
        """All rows as one block."""
        return self.block if self.block is not None else self.kernel.prepare(self.rows)

    @cached_property
    def second(self) -> Callable[[Array], Sums] | None:
        """The function of order 2 that sums many rows in blocks; None for few rows, and where there is none."""
        if self.block is not None or not isinstance(self.kernel, Compiled):
            return None
        blocks = blockwise(self.kernel.program, self.rows.omega is not None)
        return None if blocks is None else blocks.over(self.rows, None if self.shared else 1)

    @property
    def means(self) -> Callable[[Array], Sums] | None:
        if self.block is None or not isinstance(self.kernel, Compiled):
            return None
        blocks = blockwise(self.kernel.program, self.rows.omega is not None) if self.count >= LEAST_ROWS else None
        return self.kernel.bound(self.block, self.total) if blocks is None else blocks.of_few(self.rows, self.total)

    def surest(self, theta: Array) -> float | None:
        return self.kernel.surest(theta, self.data)

    def second_derivatives(self, theta: Array) -> Totals | None:
        if self.count * theta.size < WORTH or not isinstance(self.kernel, Compiled):
            return None
        from descend.engines.hessian import hessian_code

        code = hessian_code(self.kernel.program, self.rows.omega is not None)
        if code is None:
            return None
        return Totals(self.total, *_shared(code, partial(code.lay_out, self.rows), self.count, theta, 2))

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        count = self.total if rows is None else self.rows.weight_of(rows)
        if rows is None and self.block is not None:
            loss, gradient, curvature = self.sums[order](theta, self.block)
        elif rows is not None and self.undivided:
            loss, gradient, curvature = self.kernel.sums_over(theta, self.data, order, rows)
        elif rows is not None:
            loss, gradient, curvature = self.sums[order](theta, tuple(array[rows] for array in self.data))
        elif order == 2 and self.second is not None:
            loss, gradient, curvature = self.second(theta)
        else:
            loss, gradient, curvature = self.many(theta, order)
        if self.finish is not None and gradient is not None:
            gradient = self.finish(gradient, count, theta)
        return ordered(order, count, float(loss), gradient, curvature)


def _added(
    sums: Sequence[Callable[..., Sums]],
    cut: Callable[[], Sequence[tuple[Array, ...]]],
    alone: bool,
    theta: Array,
    order: int,
) -> Sums:
    """Sum over blocks. alone: whether BLAS must do without other threads."""
    with one_thread_each if alone else nullcontext():
        return added((sums[order](theta, block) for block in cut()), MERGED[order])


def _shared(
    kernel: Compiled | HessianCode, laid_out: Callable[[], Callable[[], Layer]], rows: int, theta: Array, order: int
) -> Sums:
    """Sum over shares, each in blocks. laid_out: prepares the rows; see `Compiled.lay_out`."""
    size = kernel.block_rows
    blocks = -(-rows // size)
    function, lay = kernel.functions[order], laid_out()

    def worker() -> Callable[[int], Sums]:
        block_of = lay()

        def share(number: int) -> Sums:
            begins = range(number * BLOCKS * size, min((number + 1) * BLOCKS, blocks) * size, size)
            of_blocks = (function(theta, block_of(begin, min(begin + size, rows))) for begin in begins)
            return added(of_blocks, MERGED[order])

        return share

    return added(in_turn(-(-blocks // BLOCKS), worker), MERGED[order])


def _shared_blocks(
    sums: Sequence[Callable[..., Sums]], cut: Callable[[], Sequence[tuple[Array, ...]]], theta: Array, order: int
) -> Sums:
    """Sum over blocks, shared among the processors: of a kernel whose rows cost much each."""
    blocks = cut()
    each = -(-len(blocks) // SHARES)

    def share(number: int) -> Sums:
        of_blocks = (sums[order](theta, block) for block in blocks[number * each : (number + 1) * each])
        return added(of_blocks, MERGED[order])

    return added(in_turn(-(-len(blocks) // each), lambda: share), MERGED[order])


def _cut(data: tuple[Array, ...], rows: int) -> Iterator[tuple[Array, ...]]:
    for begin in range(0, rows, BLOCK):
        yield tuple(array[begin : begin + BLOCK] for array in data)


__all__ = ["BLOCK", "NumpyEngine"]
