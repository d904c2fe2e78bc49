"""The rows of a table by group: those that share a value of one column, or of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.models import Model
from descend.table import Table
from descend.table.arrays import ArrayTable
from descend.table.cell_codes import combined
from descend.table.levels import Key, Label, Levels, Places, runs_of
from descend.table.table import Coding

Mask = NDArray[np.bool_]


class Keys(Sequence[Key]):
    """The keys of groups, of which each is made when it is asked for: the garbage collector knows none of a million.

    labels_by_column: for each column its value in each group.

    >>> keys = Keys([["A", "A"], [1, 2]])
    >>> keys[-1], list(keys)
    (('A', 2), [('A', 1), ('A', 2)])
    """

    def __init__(self, labels_by_column: list[list[Label]]) -> None:
        self.parts = labels_by_column

    def __len__(self) -> int:
        return len(self.parts[0])

    @overload
    def __getitem__(self, group: int) -> Key: ...
    @overload
    def __getitem__(self, group: slice) -> Sequence[Key]: ...
    def __getitem__(self, group: int | slice) -> Key | Sequence[Key]:
        if isinstance(group, slice):
            return Keys([labels_of_column[group] for labels_of_column in self.parts])
        return tuple(labels_of_column[group] for labels_of_column in self.parts)

    def __iter__(self) -> Iterator[Key]:
        return zip(*self.parts, strict=True)


@dataclass(frozen=True)
class Groups:
    """Which rows belong to which group.

    by: the columns. keys: the values that the rows of each group share, sorted. order: the rows, one group after the
    other, each in the order of the table. ends: where each group ends in that order, after a 0. ungrouped: rows that
    lack a value in one of the columns, which belong to no group. in_order: whether the table has all of its rows in
    that order, which is not listed then.

    >>> from descend.table import open_table
    >>> groups = Groups.of(open_table({"site": ["b", "a", "b"]}), ["site"])
    >>> list(groups.keys), groups.order.tolist(), groups.ends.tolist()
    ([('a',), ('b',)], [1, 0, 2], [0, 1, 3])
    """

    by: tuple[str, ...]
    keys: Sequence[Key]
    order: Places
    ends: Places
    ungrouped: int
    in_order: bool = False

    @classmethod
    def of(cls, table: Table, by: Sequence[str]) -> Groups:
        """Return the groups of a table. Raises DataError for a column that it lacks, or if no row has a group."""
        runs, coded = runs_of(table, by)
        codes, absent = combined([(found, len(labels)) for found, labels in coded])
        if absent.all():
            raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in by)}.")
        lengths = np.diff(runs)
        ungrouped = int(lengths[absent].sum())
        in_order = not ungrouped and bool((codes[1:] >= codes[:-1]).all())
        sequence = np.flatnonzero(~absent)
        if not in_order:
            sequence = sequence[np.argsort(codes[sequence], kind="stable")]
        changes = np.flatnonzero(np.r_[True, np.diff(codes[sequence]) != 0])
        first, lengths = sequence[changes], lengths[sequence]
        before = np.r_[0, np.cumsum(lengths)].astype(np.intp)
        order = np.empty(0, dtype=np.intp)
        if not in_order:
            order = np.repeat(runs[:-1][sequence] - before[:-1], lengths) + np.arange(before[-1])
        labels_by_column = [_values(labels, found[first]) for found, labels in coded]
        ends = np.r_[before[changes], before[-1]]
        return cls(tuple(by), Keys(labels_by_column), order, ends, ungrouped, in_order)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def sizes(self) -> Places:
        """The number of rows of each group."""
        return np.diff(self.ends)

    def arranged(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a column of the table in the order of the groups."""
        return column if self.in_order else column[self.order]

    def with_all_levels(self, columns: Mapping[str, NDArray[np.float64]], codings: Iterable[Coding]) -> Mask:
        """Mark the groups that have a row of every level whose places some columns hold, group by group."""
        groups_with_levels = np.ones(len(self), dtype=bool)
        for levels in codings:
            if isinstance(levels, Levels):
                level_numbers, groups = columns[levels.name], np.repeat(np.arange(len(self)), self.sizes)
                finite_levels = np.isfinite(level_numbers)
                pairs = np.unique(groups[finite_levels] * len(levels) + level_numbers[finite_levels].astype(np.intp))
                groups_with_levels &= np.bincount(pairs // len(levels), minlength=len(self)) == len(levels)
        return groups_with_levels

    def rows(self, group: int) -> Places:
        """Return the rows of one group."""
        begin, end = self.ends[group : group + 2]
        return np.arange(begin, end) if self.in_order else self.order[begin:end]


def _values(labels: list[Label], label_codes: Places) -> list[Label]:
    if np.array_equal(label_codes, np.arange(len(labels))):
        return labels
    return [labels[label_code] for label_code in label_codes.tolist()]


def with_classes(data: Mapping[str, NDArray[np.float64]], model: Model) -> dict[str, NDArray[np.generic]]:
    """Return columns of numbers with the classes of the response, if it has some, in place of their places."""
    class_columns: dict[str, NDArray[np.generic]] = {**data}
    if classes := model.loss.classes:
        class_numbers = np.nan_to_num(data[model.response], nan=len(classes)).astype(np.intp)
        class_columns[model.response] = np.array([*classes, None], dtype=object)[class_numbers]
    return class_columns


def table_of_group(
    data: Mapping[str, NDArray[np.generic]], codings: Iterable[Coding], origin: Table, source: str
) -> Table:
    """Return the rows of one group as a table, with the values of those columns whose places alone were read.

    data: columns, also those that hold the places of levels (see `Levels`). origin: where they come from.

    Raises DataError where the group has no row of some level, which then has no value there.
    """
    cells: dict[str, NDArray[np.generic]] = {name: column for name, column in data.items()}
    for levels in codings:
        if not isinstance(levels, Levels):
            continue
        level_numbers = cells.pop(levels.name)
        known_levels = np.where(np.isfinite(level_numbers), level_numbers, len(levels)).astype(np.intp)
        absent = np.flatnonzero(np.bincount(known_levels, minlength=len(levels))[: len(levels)] == 0)
        if absent.size:
            columns = " and ".join(f"`{column}`" for column in levels.columns)
            raise DataError(
                f"{source[:1].upper()}{source[1:]} has no row whose {columns} is `{levels.labels[absent[0]]}`, so the "
                "parameters of that level cannot be estimated there."
            )
        for number, column in enumerate(levels.columns):
            values = np.array([*(key[number] for key in levels.keys), None], dtype=object)
            cells[column] = values[known_levels]
    table = ArrayTable(cells, len(next(iter(cells.values()), ())), categories=origin.categories)
    table.source = source
    return table
