"""The rows of a table by group: those that share a value of one column, or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.table import Table

Places = NDArray[np.intp]
Label = str | int | float | bool
Key = tuple[Label, ...]
LARGEST = 1 << 62
"""Where a number for each combination of the values of several columns would overflow, only those that occur count."""


@dataclass(frozen=True)
class Groups:
    """Which rows belong to which group.

    by: the columns. keys: the values that the rows of each group share, sorted. order: the rows, one group after the
    other, each in the order of the table. ends: where each group ends in that order, after a 0. ungrouped: rows that
    lack a value in one of the columns, which belong to no group.

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

    @classmethod
    def of(cls, table: Table, by: Sequence[str]) -> Groups:
        """Return the groups of a table. Raises DataError for a column that it lacks, or if no row has a group."""
        codes, absent = np.zeros(table.rows, dtype=np.intp), np.zeros(table.rows, dtype=bool)
        coded = [_coded(table, name) for name in by]
        largest = 1
        for found, labels in coded:
            if largest * (len(labels) + 1) > LARGEST:
                codes = np.unique(codes, return_inverse=True)[1]  # in the same order
                largest = table.rows
            largest *= len(labels) + 1
            codes, absent = codes * (len(labels) + 1) + found, absent | (found < 0)
        rows = np.flatnonzero(~absent)
        if not rows.size:
            raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in by)}.")
        order = rows[np.argsort(codes[rows], kind="stable")]
        sorted_codes = codes[order]
        begins = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
        first = order[begins]
        parts = [[labels[place] for place in found[first].tolist()] for found, labels in coded]
        keys = list(zip(*parts, strict=True))
        return cls(tuple(by), keys, order, np.r_[begins, len(order)].astype(np.intp), int(absent.sum()))

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def sizes(self) -> Places:
        """The number of rows of each group."""
        return np.diff(self.ends)

    def rows(self, group: int) -> Places:
        """Return the rows of one group."""
        return self.order[self.ends[group] : self.ends[group + 1]]


def _coded(table: Table, name: str) -> tuple[Places, list[Label]]:
    """Return for each row which of the sorted values of a column it has, -1 if none, and these values."""
    if name not in table.names:
        table.numbers((name,))  # which says that there is no such column
    if table.types[name] in ("number", "boolean"):
        return _coded_numbers(table.with_gaps((name,))[name], table.types[name] == "boolean")
    numbered: dict[str, int] = {}
    cells = ["" if cell is None else str(cell) for cell in table.text(name).tolist()]
    found = np.array([numbered.setdefault(cell, len(numbered)) for cell in cells], dtype=np.intp)
    labels = sorted(label for label in numbered if label)
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places.get(label, -1) for label in numbered], dtype=np.intp)[found], list(labels)


def _coded_numbers(cells: NDArray[np.float64], truth: bool) -> tuple[Places, list[Label]]:
    finite = np.isfinite(cells)
    there = cells[finite]
    begins = np.flatnonzero(np.r_[there.size > 0, there[1:] != there[:-1]])  # rows of a group often follow one another
    values, found = np.unique(there[begins], return_inverse=True)
    codes = np.full(len(cells), -1, dtype=np.intp)
    codes[finite] = np.repeat(found, np.diff(begins, append=there.size))
    return codes, _labels(values, truth)


def _labels(values: NDArray[np.float64], truth: bool) -> list[Label]:
    if truth:
        return [bool(value) for value in values]
    complete = bool((values == np.floor(values)).all())
    return list(map(int, values.tolist())) if complete else values.tolist()


def ordered_keys(columns: Sequence[NDArray[Any]], truth: Sequence[bool]) -> tuple[list[Key], Places]:
    """Return the keys of groups in order, and the places that they had.

    columns: of each column that tells groups apart its value in each group. truth: whether they are booleans.

    >>> keys, order = ordered_keys([np.array(["b", "a"], dtype=object), np.array([1.0, 2.0])], [False, False])
    >>> keys, order.tolist()
    ([('a', 2), ('b', 1)], [1, 0])
    """
    coded = [np.unique(column, return_inverse=True) for column in columns]
    order = np.lexsort([codes for _, codes in reversed(coded)])
    parts = []
    for (values, codes), boolean in zip(coded, truth, strict=True):
        labels = values.tolist() if values.dtype.kind == "O" else _labels(values, boolean)
        parts.append([labels[place] for place in codes[order].tolist()])
    return list(zip(*parts, strict=True)), order


def said(key: Key) -> str:
    """Return what a group is called in messages: its values, with commas between them."""
    return ", ".join(map(str, key))
