"""The engine of very many parameters per group: one pass over sorted rows sums an arrow, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow
from descend.engines.arrow_code import Slots, cell_code
from descend.engines.arrow_triangle import ArrowTriangle, eliminated
from descend.engines.cells_of_rows import CellBlock, Cells
from descend.engines.threads import in_turn
from descend.engines.totals import Array, GroupedEngine, InMemory, Totals
from descend.formula.factor import triangle
from descend.gradients.derived import Program
from descend.table.lazy import Lazy
from descend.table.rows import Rows

Places = NDArray[np.intp]
FEW = 6
"""Up to this many shared parameters, separate inner products cost less than copying derivatives into a matrix."""
MOST_SHARED = 100
"""With more, the triangles of single groups take longer than the digits they save are worth."""


class LazyArrowEngine(GroupedEngine):
    """One whose rows stay where they are.

    lazy: the rows, which must be complete, with the columns that tell groups apart looked up. rows: some, in memory.
    """

    lazy: Lazy

    def __init__(self, program: Program, lazy: Lazy, counted: tuple[int, float], slots: Slots) -> None:
        self.program, self.lazy, self.slots = program, lazy, slots
        self.count, self.total = counted
        self.layout, self.grouping = slots.layout, slots.groupings[0]
        self.rows = Rows({})

    def rows_of(self, group: int) -> Rows:
        """Fetch rows of a group of the finest grouping, so many of them at most as a sample has."""
        assert self.lazy.looked_up is not None
        lazy = self.lazy.where(self.lazy.looked_up.same(self.grouping, group, self.lazy.table))
        return Rows.of(lazy.arrays(self.rows.count), lazy.roles, self.rows.observed, self.rows.source)


class ArrowEngine(InMemory, GroupedEngine):
    """Sums over rows in memory, of a formula most of whose parameters belong to single groups.

    Rows that share all groups form a cell. Cells stand side by side as arrays (rows, cells), so that one operation
    serves thousands of groups, in blocks that stay in the processor's cache; blocks are shared among the processors.
    """

    name = "numpy"

    def __init__(self, program: Program, rows: Rows) -> None:
        self.made_of = program, rows
        self.rows, self.count, self.total = rows, rows.count, rows.total
        self.code = cell_code(program)
        self.slots = Slots.of(program, self.code.slots)
        self.layout, self.grouping = self.slots.layout, self.slots.groupings[0]
        self.cells = self._sorted(rows)
        self.factors = self._cells_are_groups(self.cells) and len(self.layout.shared) <= MOST_SHARED

    def _sorted(self, rows: Rows) -> Cells:
        codes = [rows.columns[name].astype(np.intp) for name in self.slots.groupings]
        columns = {name: rows.columns[name] for name in self.code.columns}
        return Cells.of(codes, columns, rows.y, rows.omega)

    def _cells_are_groups(self, cells: Cells) -> bool:
        """Whether each cell is a group of the finest grouping."""
        return len(np.unique(cells.codes[0])) == cells.count

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        cells = self.cells if rows is None else self._sorted(self.rows.take(rows))
        total = self.rows.weight_of(rows)
        with np.errstate(all="ignore"):
            if order == 3:
                return self._factored(theta, cells, total)
            return self._summed(theta, cells, total, order)

    @cached_property
    def group_weights(self) -> Array:
        codes = self.rows.columns[self.slots.groupings[0]].astype(np.intp)
        return np.bincount(codes, self.rows.omega, self.layout.own.shape[1]).astype(np.float64)

    def rows_of(self, group: int) -> Rows:
        """Return the rows of a group of the finest grouping."""
        return self.rows.take(self.rows.columns[self.slots.groupings[0]].astype(np.intp) == group)

    def losses(self, theta: Array) -> Array:
        losses_of_groups = np.zeros(self.layout.own.shape[1])
        slot_places = self.slots.places(self.cells.codes)
        with np.errstate(all="ignore"):
            for block in self.cells.blocks:
                value = self.code.loss(_values(theta, slot_places, block), block.columns, block.y)
                value = np.broadcast_to(value, block.y.shape)
                each = value.sum(axis=0) if block.omega is None else np.einsum("rg,rg->g", value, block.omega)
                np.add.at(losses_of_groups, self.cells.codes[0, block.begin : block.end], each)
        return losses_of_groups

    def _summed(self, theta: Array, cells: Cells, total: float, order: int) -> Totals:
        slot_places = self.slots.places(cells.codes)
        sums = CellSums.none(self.slots, cells.count, order)

        def share(number: int) -> tuple[float, Array, Array]:
            block = cells.blocks[number]
            values = _values(theta, slot_places, block)
            if order == 0:
                value = np.broadcast_to(self.code.loss(values, block.columns, block.y), block.y.shape)
                loss = value.sum() if block.omega is None else np.vdot(value, block.omega)
                return float(loss), np.zeros(0), np.zeros((0, 0))
            return sums.put(block, self.code(values, block.columns, block.y))

        sums_of_blocks = in_turn(len(cells.blocks), lambda: share)
        loss = sum(each[0] for each in sums_of_blocks)
        if order == 0:
            return Totals(total, loss, None, None)
        sums.common_slope = np.sum([each[1] for each in sums_of_blocks], axis=0)
        if order == 2:
            sums.common = np.sum([each[2] for each in sums_of_blocks], axis=0)
        gradient = sums.gradient(slot_places)
        return Totals(total, loss, gradient, sums.arrow(cells.codes, slot_places) if order == 2 else None)

    def _factored(self, theta: Array, cells: Cells, total: float) -> Totals:
        """Sum the triangle; only where cells are groups."""
        slots, layout = self.slots, self.layout
        (own_slots, local, common), groups, s = slots.kinds, layout.own.shape[1], len(layout.shared)
        slot_places = slots.places(cells.codes)
        upper = np.zeros((groups, len(own_slots), len(own_slots) + s + 1))
        order = np.array([*own_slots, *local, *common, len(slots.each)])

        def share(number: int) -> tuple[float, Array]:
            block = cells.blocks[number]
            value, *cell_slopes = self.code(_values(theta, slot_places, block), block.columns, block.y)
            rows = _rooted(block, cell_slopes)[:, :, order]
            mine, left = eliminated(rows, len(own_slots))
            within = slice(block.begin, block.end)
            columns = np.zeros((block.end - block.begin, rows.shape[2] - len(own_slots)), dtype=np.intp)
            for k, slot in enumerate([*local, *common]):
                place = slot_places[slot]
                columns[:, k] = slots.among_shared[place[within] if isinstance(place, np.ndarray) else place]
            columns[:, -1] = s
            codes = cells.codes[0, within]
            upper[codes, :, : len(own_slots)] = mine[:, :, : len(own_slots)]
            at = codes[:, None, None], np.arange(len(own_slots))[None, :, None], len(own_slots) + columns[:, None, :]
            upper[at] = mine[:, :, len(own_slots) :]
            left = left.reshape(len(codes), -1, columns.shape[1])
            wide = np.zeros((*left.shape[:2], s + 1))
            np.put_along_axis(wide, np.broadcast_to(columns[:, None], left.shape), left, axis=2)
            return _total(value, block), triangle(wide.reshape(-1, s + 1))

        blocks = in_turn(len(cells.blocks), lambda: share)
        shared = triangle(np.vstack([each[1] for each in blocks]))
        return Totals(total, sum(each[0] for each in blocks), None, None, ArrowTriangle(layout, upper, shared))


@dataclass(eq=False)
class CellSums:
    """Sums over the rows of each cell, by slot; what only concerns components that are the same everywhere is summed
    over all cells at once.

    slope: (q, cells) of the q slots that differ from cell to cell. curved: (q, q, cells). beside: (q, m, cells).
    """

    slots: Slots
    slope: Array
    curved: Array
    beside: Array
    common_slope: Array
    common: Array

    @classmethod
    def none(cls, slots: Slots, cells: int, order: int) -> CellSums:
        """Return sums of no rows."""
        own_slots, local, common = slots.kinds
        q, m, second = len(own_slots) + len(local), len(common), cells if order == 2 else 0
        slope, curved, border_sums = np.zeros((q, cells)), np.zeros((q, q, second)), np.zeros((q, m, second))
        return cls(slots, slope, curved, border_sums, np.zeros(m), np.zeros((m, m)))

    def put(self, block: CellBlock, cell_values: Sequence[Array]) -> tuple[float, Array, Array]:
        """Sum a block; return the loss, and slope and curvature of what is the same everywhere."""
        value, slope, weight, *derivatives = cell_values
        own_slots, local, common = self.slots.kinds
        differing, within = [*own_slots, *local], slice(block.begin, block.end)
        if block.omega is not None:
            value, slope, weight = value * block.omega, slope * block.omega, weight * block.omega
        rows, cells = block.y.shape
        for i, k in enumerate(differing):
            self.slope[i, within] = _products(derivatives[k], slope, rows)
        common_slope = np.array([_all(derivatives[k], slope, rows, cells) for k in common])
        loss = float(_all(value, np.ones(()), rows, cells))
        if not self.curved.shape[2]:
            return loss, common_slope, np.zeros((0, 0))
        even = np.ndim(weight) == 0
        weighted = [derivative if even else derivative * weight for derivative in derivatives]
        factor = weight if even else 1.0
        for i, k in enumerate(differing):
            for j in range(i + 1):
                products_of_rows = _products(weighted[k], derivatives[differing[j]], rows) * factor
                self.curved[i, j, within] = self.curved[j, i, within] = products_of_rows
            for j, common_slot in enumerate(common):
                self.beside[i, j, within] = _products(weighted[k], derivatives[common_slot], rows) * factor
        return (
            loss,
            common_slope,
            factor * _gram([weighted[k] for k in common], [derivatives[k] for k in common], rows, cells),
        )

    def gradient(self, slot_places: list[Places | int]) -> Array:
        """Return the gradient in the order of theta."""
        own_slots, local, common = self.slots.kinds
        gradient = np.zeros(self.slots.layout.size)
        for i, k in enumerate([*own_slots, *local]):
            gradient += np.bincount(slot_places[k], self.slope[i], len(gradient))
        for k, slope in zip(common, self.common_slope, strict=True):
            gradient[slot_places[k]] = slope
        return gradient

    def arrow(self, codes: Places, slot_places: list[Places | int]) -> Arrow:
        """Return the curvature. codes: (groupings, cells)."""
        layout, (own_slots, local, common) = self.slots.layout, self.slots.kinds
        groups, s, group = layout.own.shape[1], len(layout.shared), codes[0]
        k = len(own_slots)
        at = [self.slots.among_shared[slot_places[slot]] for slot in (*local, *common)]
        local_at, common_at = at[: len(local)], np.array(at[len(local) :], dtype=np.intp)

        def by_group(each: Array) -> Array:
            return np.bincount(group, each, groups).astype(np.float64)

        blocks, border, shared = np.zeros((k, k, groups)), np.zeros((k, s, groups)), np.zeros((s, s))
        for i in range(k):
            for j in range(i + 1):
                blocks[i, j] = blocks[j, i] = by_group(self.curved[i, j])
            for j, common_place in enumerate(common_at):
                border[i, common_place] = by_group(self.beside[i, j])
            for j, where in enumerate(local_at):
                border[i] += np.bincount(where * groups + group, self.curved[i, k + j], s * groups).reshape(s, groups)
        shared[np.ix_(common_at, common_at)] = self.common
        for i, where in enumerate(local_at):
            for j, local_slot in enumerate(local_at):
                shared += np.bincount(where * s + local_slot, self.curved[k + i, k + j], s * s).reshape(s, s)
            for j, common_place in enumerate(common_at):
                mixed = np.bincount(where, self.beside[k + i, j], s)
                shared[:, common_place] += mixed
                shared[common_place] += mixed
        return Arrow(layout, blocks, border, shared)


def _values(theta: Array, slot_places: Sequence[Places | int], block: CellBlock) -> list[Array | float]:
    """Return the value of each slot in the cells of a block."""
    within = slice(block.begin, block.end)
    return [theta[slot[within]] if isinstance(slot, np.ndarray) else float(theta[slot]) for slot in slot_places]


def _products(left: Array, right: Array, rows: int) -> Array:
    """Return the sums over the rows of a product; what is the same in all rows of a cell is taken out of the sum."""
    products_of_rows: Array
    if np.ndim(left) == 2 and np.ndim(right) == 2:
        products_of_rows = np.einsum("rg,rg->g", left, right)
    elif np.ndim(left) == 2:
        products_of_rows = np.add.reduce(left, axis=0) * right
    elif np.ndim(right) == 2:
        products_of_rows = left * np.add.reduce(right, axis=0)
    else:
        products_of_rows = left * right * np.float64(rows)
    return products_of_rows


def _all(left: Array, right: Array, rows: int, cells: int) -> float:
    """Return the sum of a product over all rows of all cells."""
    if np.ndim(left) == 2 and np.ndim(right) == 2:
        return float(np.vdot(left, right))
    each = _products(left, right, rows)
    return float(np.sum(each)) if np.ndim(each) else float(each) * cells


def _gram(weighted: Sequence[Array], derivatives: Sequence[Array], rows: int, cells: int) -> Array:
    """Return the sums of the products of every two derivatives over all rows."""
    size = len(derivatives)
    if size > FEW:
        left, right = (
            np.array([np.broadcast_to(each, (rows, cells)).ravel() for each in row_array])
            for row_array in (weighted, derivatives)
        )
        product: Array = left @ right.T
        return product
    gram_matrix = np.empty((size, size))
    for i, left in enumerate(weighted):
        for j in range(i + 1):
            gram_matrix[i, j] = gram_matrix[j, i] = _all(left, derivatives[j], rows, cells)
    return gram_matrix


def _total(value: Array, block: CellBlock) -> float:
    value = np.broadcast_to(value, block.y.shape)
    return float(value.sum() if block.omega is None else np.vdot(value, block.omega))


def _rooted(block: CellBlock, rooted_slopes: Sequence[Array]) -> Array:
    """Return [sqrt(W) J, slope / sqrt(W)] of each cell, (cells, rows, slots + 1); see ``formula.factor``."""
    slope, weight, *derivatives = (np.broadcast_to(rooted_slope, block.y.shape).T for rooted_slope in rooted_slopes)
    if block.omega is not None:
        slope, weight = slope * block.omega.T, weight * block.omega.T
    root = np.sqrt(weight)
    rows = np.empty((*root.shape, len(derivatives) + 1))
    for slot_number, derivative in enumerate(derivatives):
        np.multiply(derivative, root, out=rows[:, :, slot_number])
    with np.errstate(all="ignore"):
        rows[:, :, -1] = np.where(root > 0.0, slope / root, np.where(slope == 0.0, 0.0, np.nan))
    return rows
