"""The engine that sums rows in this process, with NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.compiled import Compiled, compiled
from descend.engines.totals import Array, Totals
from descend.formula.compile import triangle
from descend.gradients.contract import Kernel, Program, Sums

BLOCK = 8_192
"""Rows per block: its arrays stay in the processor's cache, are too small for BLAS to wake other threads for, and are
handed back to the heap rather than to the system."""


class NumpyEngine:
    """Sums over columns in memory, a block of rows at a time."""

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
        self.data = self.kernel.prepare(columns)
        self.rows = len(self.data[0])
        self.weights = columns[weights] if weights is not None else None
        self.total = float(self.rows) if self.weights is None else float(self.weights.sum())
        self.blocks = [self.data] if self.rows <= BLOCK else list(_cut(self.data, self.rows))

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        if rows is None:
            blocks, count = self.blocks, self.total
        else:
            blocks = [tuple(array[rows] for array in self.data)]
            count = float(len(rows)) if self.weights is None else float(self.weights[rows].sum())
        loss, gradient, curvature = self.sums[order](theta, blocks[0])
        for block in blocks[1:] if len(blocks) > 1 else ():
            more_loss, more_gradient, more_curvature = self.sums[order](theta, block)
            loss += more_loss
            if gradient is not None:
                gradient += more_gradient
            if curvature is not None:
                curvature = _joined(curvature, more_curvature, order)
        if order == 3:
            return Totals(count, float(loss), None, None, curvature)
        if self.finish is not None and gradient is not None:
            gradient = self.finish(gradient, count, theta)
        return Totals(count, float(loss), gradient, curvature)


def _joined(one: Array, other: Array | None, order: int) -> Array:
    """Add two curvatures, or make one factor of two."""
    assert other is not None
    return triangle(np.vstack([one, other])) if order == 3 else one + other


def _cut(data: tuple[Any, ...], rows: int) -> Any:
    for begin in range(0, rows, BLOCK):
        yield tuple(array[begin : begin + BLOCK] for array in data)


__all__ = ["BLOCK", "NumpyEngine"]
