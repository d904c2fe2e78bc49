"""The rows of all groups, and blocks of them that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.symbols import Column
from descend.many.arrays import Arrays
from descend.many.code import OBSERVED, ROOT, BatchCode
from descend.many.groups import Groups
from descend.many.sums import Block

Array = NDArray[np.float64]
Places = NDArray[np.intp]
ALIKE = 1.125
"""Groups are of equal size in a block that is large enough; else of up to so many times, or of twice, the least."""


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
        found: Places = np.add.reduceat((self.omega > 0.0).astype(np.intp), self.groups.ends[:-1])
        return found

    def blocks(self, groups: Places, places: Places, cells: int) -> list[Places]:
        """Return the places in a list of groups by like size of the group, as many to a block as have so many cells."""
        sizes = self.groups.sizes[groups[places]]
        if sizes.size and sizes.min() < sizes.max():
            order = np.argsort(sizes, kind="stable")
            places, sizes = places[order], sizes[order]
        blocks, begin = [], 0
        while begin < len(places):
            least = int(sizes[begin])
            for most in (least, int(least * ALIKE), 2 * least):  # padded only where that makes a block of some size
                end = int(np.searchsorted(sizes, most, side="right"))
                if (end - begin) * least >= cells // 4:
                    break
            end = min(begin + max(cells // int(sizes[end - 1]), 1), end)
            blocks.append(places[begin:end])
            begin = end
        return blocks

    def even(self, chosen: Places) -> bool:
        """Whether rows and groups of a block all count the same."""
        sizes = self.groups.sizes[chosen]
        return self.omega is None and bool(sizes.min() == sizes.max())

    def block(self, code: BatchCode, chosen: Places, arrays: Arrays) -> Block:
        """Return some groups as a block.

        A group with fewer rows than the largest of its block repeats its last row, with the weight 0.
        """
        cut = _Cut(self, chosen)
        found = [arrays.given(cut.evaluated(expression)) for expression in code.data]
        products = [
            arrays.total(found[pair[0]]) if len(pair) == 1 else arrays.dot(found[pair[0]], found[pair[1]])
            for pair in code.products
        ]
        if not code.relative:
            size = cut.root.shape[0] + np.zeros(len(chosen))
            return Block(found, products, float(cut.rows), arrays.given(size))
        y = arrays.given(cut.evaluated(OBSERVED * ROOT if code.weighted else OBSERVED))
        return Block(found, products, float(cut.rows), 0.5 * arrays.dot(y, y))


class _Cut:
    """The rows of some groups, as arrays (rows, groups)."""

    def __init__(self, grouped: GroupedRows, chosen: Places) -> None:
        self.grouped, self.sizes = grouped, grouped.groups.sizes[chosen]
        self.rows = int(self.sizes.max())
        self.chosen = chosen
        self.known: dict[Expr, Array] = {}

    @cached_property
    def index(self) -> Places:
        row, begins = np.arange(self.rows)[:, None], self.grouped.groups.ends[self.chosen]
        found: Places = begins + (row if self.sizes.min() == self.rows else np.minimum(row, self.sizes - 1))
        return found

    def of(self, column: Array) -> Array:
        """Return the cells of a column."""
        cells: Array = column.take(self.index)
        return cells

    @cached_property
    def root(self) -> Array:
        """The square root of the weight of each row."""
        there = (np.arange(self.rows)[:, None] < self.sizes).astype(np.float64)
        return there if self.grouped.omega is None else there * np.sqrt(self.of(self.grouped.omega))

    def evaluated(self, expression: Expr) -> Array:
        """Return an expression of columns."""
        found = self.known.get(expression)
        if found is None:
            found = self.known[expression] = self._evaluated(expression)
        return found

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
