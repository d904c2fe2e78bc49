"""The engine of very many parameters per group whose rows stay in a database: one query sums each cell of an arrow.

A cell is the rows that share a value of every grouping. Their parameters join the rows as a table, and come back as
sums of each cell, from which blocks, border and shared part of the arrow follow as from those of rows in memory.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow_code import Slots, by_slot, symbol_of
from descend.engines.arrow_engine import CellSums, LazyArrowEngine
from descend.engines.sums_by_group import SumsByGroup
from descend.engines.totals import Array, Totals
from descend.gradients.derived import Program
from descend.table.joined_in_database import fetched
from descend.table.keyed_rows import KeyedRows
from descend.table.lazy import Lazy

Places = NDArray[np.intp]


class ArrowQueryEngine(LazyArrowEngine):
    """Sums over rows in a database, of a formula most of whose parameters belong to single groups.

    Raises LackingFunctionError for sums that the database cannot write.
    """

    name = "query"
    by_database = True

    def __init__(self, program: Program, lazy: Lazy, counted: tuple[int, float]) -> None:
        self.score, slopes = by_slot(program)
        super().__init__(program, lazy, counted, Slots.of(program, tuple(slopes)))
        self.slopes = {symbol_of(slot): slope for slot, slope in slopes.items()}
        self.sums = SumsByGroup(self.keyed, program, lazy.table, self.score, self.slopes)

    @cached_property
    def cells(self) -> tuple[Places, KeyedRows, Array]:
        """The level of each grouping in each cell, (groupings, cells); what tells cells apart; and their weights."""
        lazy, columns = self.lazy, [f"k{key_number}" for key_number in range(len(self.lazy.by))]
        spread, table = lazy.roles.spread, lazy.table
        weight = table.count() if spread is None else lazy.roles.weight(table[lazy.column(spread)]).sum()
        cells_fetched = fetched(lazy, table.group_by(columns).aggregate(weight=weight))
        assert lazy.looked_up is not None
        numbers = lazy.looked_up.numbers(cells_fetched)
        codes = np.array([numbers[name].astype(np.intp) for name in self.slots.groupings])
        keys = list(zip(*(cells_fetched[column].tolist() for column in columns), strict=True))
        return codes, KeyedRows(lazy, keys), cells_fetched["weight"]

    @property
    def keyed(self) -> KeyedRows:
        """The rows, and what tells their cells apart."""
        return self.cells[1]

    @cached_property
    def group_weights(self) -> Array:
        codes, _, weights = self.cells
        return np.bincount(codes[0], weights, self.layout.own.shape[1]).astype(np.float64)

    @cached_property
    def _losses(self) -> SumsByGroup:
        return SumsByGroup(self.keyed, self.program, self.lazy.table, self.score, self.slopes, order=0)

    def losses(self, theta: Array) -> Array:
        codes = self.cells[0]
        with np.errstate(all="ignore"):
            each = self._losses.loss_at(np.arange(codes.shape[1]), self._values(theta))
        return np.bincount(codes[0], each, self.layout.own.shape[1]).astype(np.float64)

    def evaluate(self, theta: Array, order: int = 1, rows: object = None) -> Totals:
        if order == 0:
            return Totals(self.total, float(self.losses(theta).sum()), None, None)
        codes = self.cells[0]
        slot_places = self.slots.places(codes)
        with np.errstate(all="ignore"):
            loss, slopes, lower = self.sums.at(np.arange(codes.shape[1]), self._values(theta))
            own_slots, local, common = self.slots.kinds
            differing = [*own_slots, *local]
            sums = CellSums.none(self.slots, codes.shape[1], order)
            sums.slope[:] = [slopes[k] for k in differing]
            sums.common_slope = np.array([slopes[k].sum() for k in common])
            gradient = sums.gradient(slot_places)
            if order == 1:
                return Totals(self.total, float(loss.sum()), gradient, None)

            def entry(one: int, other: int) -> Array:
                return lower[max(one, other)][min(one, other)]

            for i, k in enumerate(differing):
                for j, slot in enumerate(differing):
                    sums.curved[i, j] = entry(k, slot)
                for j, slot in enumerate(common):
                    sums.beside[i, j] = entry(k, slot)
            size = len(common)
            sums.common = np.array([[entry(k, slot).sum() for slot in common] for k in common]).reshape(size, size)
            return Totals(self.total, float(loss.sum()), gradient, sums.arrow(codes, slot_places))

    def _values(self, theta: Array) -> list[Array]:
        """Return the value of each slot in each cell."""
        codes = self.cells[0]
        return [theta[slot_place] + np.zeros(codes.shape[1]) for slot_place in self.slots.places(codes)]
