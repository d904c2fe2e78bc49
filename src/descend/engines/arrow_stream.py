"""The engine of very many parameters per group for sums that a database cannot write: its rows stream in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from descend.engines.arrow import Arrow
from descend.engines.arrow_code import cell_code
from descend.engines.arrow_engine import ArrowEngine, Slots
from descend.engines.totals import Array, GroupedEngine, Totals
from descend.gradients.derived import Program
from descend.table.lazy import Lazy
from descend.table.rows import Rows

BLOCK = 1 << 18
"""Rows per block: each is sorted into groups anew."""


class ArrowStreamEngine(GroupedEngine):
    """Sums over blocks of rows, fetched anew for each evaluation, each of which is an arrow.

    lazy: the rows, which must be complete, with the columns that tell groups apart looked up.
    """

    name = "numpy"
    lazy: Lazy

    def __init__(self, program: Program, lazy: Lazy, counted: tuple[int, float]) -> None:
        self.program, self.lazy = program, lazy
        self.count, self.total = counted
        self.slots = Slots.of(program, cell_code(program).slots)
        self.layout, self.grouping = self.slots.layout, self.slots.groupings[0]
        self.rows = Rows({})
        """Some of the rows, in memory."""

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

    def rows_of(self, group: int) -> Rows:
        """Fetch rows of a group of the finest grouping, so many of them at most as a sample has."""
        assert self.lazy.looked_up is not None
        lazy = self.lazy.where(self.lazy.looked_up.same(self.slots.groupings[0], group, self.lazy.table))
        return Rows.of(lazy.arrays(self.rows.count), lazy.roles, self.rows.observed, self.rows.source)

    def _blocks(self) -> Iterator[ArrowEngine]:
        """Fetch the rows, an engine for each block of them."""
        for block in self.lazy.blocks(BLOCK):
            rows = Rows.of(block.columns, block.roles, self.rows.observed, self.rows.source)
            yield ArrowEngine(self.program, rows)
