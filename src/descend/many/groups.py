"""The rows of a table by group: those that share a value of one column, or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.table import Table
from descend.table.levels import Key, Places, combined, values_of


@dataclass(frozen=True)
class Groups:
    """Which rows belong to which group.

    by: the columns. keys: the values that the rows of each group share, sorted. order: the rows, one group after the
    other, each in the order of the table. ends: where each group ends in that order, after a 0. ungrouped: rows that
    lack a value in one of the columns, which belong to no group. in_order: whether the table has all of its rows in
    that order.

    >>> from descend.table import open_table
    >>> groups = Groups.of(open_table({"site": ["b", "a", "b"]}), ["site"])
    >>> groups.keys, groups.order.tolist(), groups.ends.tolist()
    ([('a',), ('b',)], [1, 0, 2], [0, 1, 3])
    """

    by: tuple[str, ...]
    keys: list[Key]
    order: Places
    ends: Places
    ungrouped: int
    in_order: bool = False

    @classmethod
    def of(cls, table: Table, by: Sequence[str]) -> Groups:
        """Return the groups of a table. Raises DataError for a column that it lacks, or if no row has a group."""
        coded = [values_of(table, name) for name in by]
        codes, absent = combined([(found, len(labels)) for found, labels in coded])
        rows = np.flatnonzero(~absent)
        if not rows.size:
            raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in by)}.")
        in_order = rows.size == len(codes) and bool((codes[1:] >= codes[:-1]).all())
        order = rows if in_order else rows[np.argsort(codes[rows], kind="stable")]
        sorted_codes = codes if in_order else codes[order]
        begins = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
        first = order[begins]
        parts = [[labels[place] for place in found[first].tolist()] for found, labels in coded]
        keys = list(zip(*parts, strict=True))
        ends = np.r_[begins, len(order)].astype(np.intp)
        return cls(tuple(by), keys, order, ends, int(absent.sum()), in_order)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def sizes(self) -> Places:
        """The number of rows of each group."""
        return np.diff(self.ends)

    def arranged(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a column of the table in the order of the groups."""
        return column if self.in_order else column[self.order]

    def rows(self, group: int) -> Places:
        """Return the rows of one group."""
        return self.order[self.ends[group] : self.ends[group + 1]]
