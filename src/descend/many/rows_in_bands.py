"""The rows of all groups, and blocks of them, in bands that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.symbols import Column
from descend.many.arrays import Arrays
from descend.many.batch_code import OBSERVED, ROOT, BatchCode
from descend.many.groups import Groups
from descend.many.sums import Band, Block

Array = NDArray[np.float64]
Places = NDArray[np.intp]
ALIKE = 1.125
"""Groups are of equal size in a band that is large enough; else of up to so many times, or of twice, the least."""


@dataclass(frozen=True)
class GroupedRows:
    """The rows of all groups, one group after the other. omega: row weights, or None if all are 1."""

    groups: Groups
    columns: Mapping[str, Array]
    y: Array
    omega: Array | None

    @cached_property
    def counting(self) -> Places:
        """The number of rows of each group with a weight above 0."""
        if self.omega is None:
            return self.groups.sizes
        rows_counting: Places = np.add.reduceat((self.omega > 0.0).astype(np.intp), self.groups.ends[:-1])
        return rows_counting

    def blocks(self, groups: Places, groups_in_order: Places, arrays: Arrays) -> list[Places]:
        """Return the places in a list of groups by size of the group, as many to a block as suit the arrays."""
        sizes = self.groups.sizes[groups[groups_in_order]]
        if sizes.size and sizes.min() < sizes.max():
            order = np.argsort(sizes, kind="stable")
            groups_in_order, sizes = groups_in_order[order], sizes[order]
        (cells, most), before = arrays.block, np.r_[0, np.cumsum(sizes)]
        blocks, begin = [], 0
        while begin < len(groups_in_order):
            end = int(np.searchsorted(before, before[begin] + cells, side="right")) - 1
            end = min(max(end, begin + 1), begin + most)
            blocks.append(groups_in_order[begin:end])
            begin = end
        return blocks

    def block(self, code: BatchCode, groups_chosen: Places, arrays: Arrays) -> Block:
        """Return some groups, in the order of their sizes, as a block."""
        sizes = self.groups.sizes[groups_chosen]
        bands, begin = [], 0
        while begin < len(groups_chosen):
            size = int(sizes[begin])
            for most in (size, int(size * ALIKE), 2 * size):  # padded only where that makes a band of some size
                end = int(np.searchsorted(sizes, most, side="right"))
                if (end - begin) * size >= arrays.cells // 4:
                    break
            end = min(begin + max(arrays.cells // int(sizes[end - 1]), 1), end)
            bands.append(_Cut(self, groups_chosen[begin:end]).band(code, arrays))
            begin = end
        return Block(bands, arrays)


class _Cut:
    """The rows of some groups, as arrays (rows, groups).

    A group with fewer rows than the largest of them repeats its last row; the weight of that is 0.
    """

    def __init__(self, grouped: GroupedRows, groups_chosen: Places) -> None:
        self.grouped, self.sizes = grouped, grouped.groups.sizes[groups_chosen]
        self.rows = int(self.sizes[-1])
        self.padded = int(self.sizes[0]) < self.rows
        self.begins = grouped.groups.ends[groups_chosen]
        self.cells: dict[Expr, Array] = {}

    def band(self, code: BatchCode, arrays: Arrays) -> Band:
        """Return the groups as a band."""
        to_arrays, sizes = arrays.from_numpy, self.sizes.astype(np.float64)
        band = Band(code, [to_arrays(self.evaluated(expression)) for expression in code.data], [], to_arrays(sizes))
        if not code.weighted:
            band.sizes = to_arrays(sizes) if self.padded else float(self.rows)
            band.surplus = to_arrays(self.rows - sizes) if self.padded else None
        dot, total = band.summing(arrays)
        for pair in code.products:
            band_data = [band.data[array_number] for array_number in pair]
            band.products.append(total(*band_data) if len(band_data) == 1 else dot(*band_data))
        if code.relative:
            y = to_arrays(self.evaluated(OBSERVED * ROOT if code.weighted else OBSERVED))
            band.size = 0.5 * dot(y, y)
        return band

    @cached_property
    def index(self) -> Places:
        """The place of each row."""
        row_index: Places = self.begins + np.minimum(np.arange(self.rows)[:, None], self.sizes - 1)
        return row_index

    def of(self, column: Array) -> Array:
        """Return the cells of a column."""
        if self.padded:
            cells: Array = column.take(self.index)
            return cells
        begin, groups = self.begins[0], len(self.begins)
        if self.begins[-1] - begin == (groups - 1) * self.rows and bool((np.diff(self.begins) == self.rows).all()):
            by_group = column[begin : begin + groups * self.rows].reshape(groups, self.rows)
        else:
            by_group = sliding_window_view(column, self.rows)[self.begins]
        return np.ascontiguousarray(by_group.T)

    @cached_property
    def root(self) -> Array:
        """The square root of the weight of each row."""
        rows_present = (np.arange(self.rows)[:, None] < self.sizes).astype(np.float64)
        return rows_present if self.grouped.omega is None else rows_present * np.sqrt(self.of(self.grouped.omega))

    def evaluated(self, expression: Expr) -> Array:
        """Return an expression of columns."""
        cells = self.cells.get(expression)
        if cells is None:
            cells = self.cells[expression] = self._evaluated(expression)
        return cells

    def _evaluated(self, expression: Expr) -> Array:
        if expression == OBSERVED:
            return self.of(self.grouped.y)
        if expression == ROOT:
            return self.root
        if isinstance(expression, Column):
            return self.of(self.grouped.columns[expression.name])
        symbols = tuple(sorted(expression.atoms(Column), key=str))
        value = compile_expression(expression, symbols)(*(self.evaluated(symbol) for symbol in symbols))
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float64), (self.rows, len(self.sizes))))
