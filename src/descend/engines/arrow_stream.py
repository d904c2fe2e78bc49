"""The engine of very many parameters per group for sums that a database cannot write: its rows stream in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from descend.engines.arrow import Arrow
from descend.engines.arrow_code import Slots, cell_code
from descend.engines.arrow_engine import ArrowEngine, LazyArrowEngine
from descend.engines.totals import Array, Totals
from descend.gradients.derived import Program
from descend.table.lazy import Lazy
from descend.table.rows import Rows

BLOCK = 1 << 18
"""Rows per block: each is sorted into groups anew."""


class ArrowStreamEngine(LazyArrowEngine):
    """Sums over blocks of rows, fetched anew for each evaluation, each of which is an arrow."""

    name = "numpy"

    def __init__(self, program: Program, lazy: Lazy, counted: tuple[int, float]) -> None:
        super().__init__(program, lazy, counted, Slots.of(program, cell_code(program).slots))

    def evaluate(self, theta: Array, order: int = 1, rows: object = None) -> Totals:
        return self.lazy.attempt(lambda: self._evaluated(theta, order))

    def _evaluated(self, theta: Array, order: int) -> Totals:
        loss, gradient, arrow = 0.0, None, None
        for block in self._blocks():
            totals = block.evaluate(theta, order)
            loss += totals.loss
            gradient = totals.gradient if gradient is None or totals.gradient is None else gradient + totals.gradient
            if isinstance(totals.curvature, Arrow):
                arrow = totals.curvature if arrow is None else arrow + totals.curvature
        return Totals(self.total, loss, gradient, arrow)

    def losses(self, theta: Array) -> Array:
        groups: Array = self.lazy.attempt(lambda: np.sum([block.losses(theta) for block in self._blocks()], axis=0))
        return groups

    @cached_property
    def group_weights(self) -> Array:
        groups: Array = self.lazy.attempt(lambda: np.sum([block.group_weights for block in self._blocks()], axis=0))
        return groups

    def _blocks(self) -> Iterator[ArrowEngine]:
        """Fetch the rows, an engine for each block of them."""
        for block in self.lazy.blocks(BLOCK):
            rows = Rows.of(block.columns, block.roles, self.rows.observed, self.rows.source)
            yield ArrowEngine(self.program, rows)
