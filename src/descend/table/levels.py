"""The groups of rows that share a value of a column, or of several: their names, and which group a row is in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from descend.errors import DataError
from descend.registry import closest
from descend.table.cell_codes import EXACT, combined, distinct, numbers, ordered, words
from descend.table.table import Label as Label  # which is asked for here, too
from descend.table.table import label, listing

if TYPE_CHECKING:
    from descend.table.arrays import Cells
    from descend.table.table import Numbers, Table

Places = NDArray[np.intp]
Key = tuple[Label, ...]
NAMED = 3
"""Groups that a message names."""
UNSEEN = -math.inf
"""Stands for the place of a group that is none of those known."""


@dataclass(frozen=True)
class Levels:
    """The groups of some columns, in order.

    columns: those that tell groups apart. keys: for each group the values that its rows share.

    >>> from descend.table import open_table
    >>> levels = Levels.of(open_table({"site": ["b", "a", "b"]}), ["site"])
    >>> levels.keys, levels.name
    ((('a',), ('b',)), '[site]')
    >>> levels.codes(open_table({"site": ["b", None, "a"]}))
    array([ 1., nan,  0.])
    """

    columns: tuple[str, ...]
    keys: tuple[Key, ...]

    @classmethod
    def of(cls, table: Table, columns: Sequence[str]) -> Levels:
        """Return the groups that occur in a table; rows without a value in one of the columns are in none.

        Numbers are sorted as numbers and text as text, by the first column first; categories keep their order.
        Raises DataError for a column that the table lacks, or if no row has a group.
        """
        refuse_unknown(table, columns)
        table.keep_zeros(columns)
        key_combinations = table.combinations(columns)
        if key_combinations is None:
            coded = [values_of(table, name) for name in columns]
            codes, absent = combined([(places, len(labels)) for places, labels in coded])
            rows = np.flatnonzero(~absent)
            first = rows[distinct(codes[rows])[1]]
            label_columns = [[labels[code] for code in places[first].tolist()] for places, labels in coded]
            keys = list(zip(*label_columns, strict=True))
        else:
            kinds = table.types
            cells = {
                name: np.array(keys_of_column, dtype=np.float64 if kinds[name] in ("number", "boolean") else object)
                for name, keys_of_column in zip(columns, zip(*key_combinations, strict=True), strict=True)
            }
            keys = keys_in_order(table, cells)[0]
        if not keys:
            raise DataError(f"No row of {table.source} has a value in {' and '.join(f'`{name}`' for name in columns)}.")
        return cls(tuple(columns), tuple(keys))

    @classmethod
    def unknown(cls, columns: Sequence[str]) -> Levels:
        """Return what stands for the groups where there is no table to ask: none."""
        return cls(tuple(columns), ())

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def name(self) -> str:
        """What the column is called that holds the place of each row's group: ``[plate, well]``."""
        return name_of(self.columns)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The names of the groups: ``A``, or ``A, 3``."""
        return tuple(map(said, self.keys))

    @cached_property
    def _places(self) -> dict[Key, int]:
        return {key: level_number for level_number, key in enumerate(self.keys)}

    def codes(self, table: Table) -> Numbers:
        """Return the place of the group of each row, (rows,): NaN where a value is missing, `UNSEEN` for others."""
        return self._looked_up([values_of(table, name) for name in self._kept(table)])

    def _kept(self, table: Table) -> tuple[str, ...]:
        """Return the columns, read as those of the groups were."""
        read_alike(table, self.columns, self.keys)
        return self.columns

    def numbered(self, cells: Sequence[Cells]) -> Numbers:
        """Return the same, given the cells of each column: doubles, or text that is None where it is missing."""
        return self._looked_up([words(each) if each.dtype.kind == "O" else numbers(each, False) for each in cells])

    def _looked_up(self, coded: Sequence[tuple[Places, list[Label]]]) -> Numbers:
        codes, absent = combined([(found, len(labels)) for found, labels in coded])
        codes_occurring, first, inverse = distinct(codes)
        level_numbers = np.full(len(codes_occurring), np.nan)
        for number, row in enumerate(first.tolist()):
            if not absent[row]:
                level_numbers[number] = self._places.get(tuple(labels[found[row]] for found, labels in coded), UNSEEN)
        return level_numbers[inverse] if len(codes) else np.empty(0)

    def check(self, table: Table, columns: Mapping[str, Numbers], missing: str) -> None:
        """Refuse a row of a group that is none of these, unless it lacks another value and is left out for that."""
        unseen = np.isneginf(columns[self.name])
        for name, column in columns.items() if missing == "drop" else ():
            unseen &= np.isfinite(column) | (name in table.codings)
        if unseen.any():
            coded = [values_of(table, name) for name in self._kept(table)]
            keys = zip(*([labels[code] for code in codes.tolist()] for codes, labels in coded), strict=True)
            unknown_keys = [key for key in keys if key not in self._places]
            raise self.refusal(unknown_keys[0], table, int(unseen.argmax()))

    def refusal(self, key: Key, table: Table, row: int) -> DataError:
        """Return the error for a row of a group that is none of these."""
        name, labels = said(key), self.labels
        columns = " and ".join(f"`{column}`" for column in self.columns)
        cell_place = table.place(row)
        where = f" in {cell_place} of {table.source}" if cell_place else f" in {table.source}"
        some = (
            listing(labels) if len(labels) <= 2 * NAMED else f"{listing(labels[:NAMED])} and {len(labels) - NAMED} more"
        )
        return DataError(
            f"{columns} is `{name}`{where}, a group that was not fitted.{closest(name, labels)} Known: {some}. "
            "Fit again with rows of that group, or leave such rows out."
        )


def read_alike(table: Table, columns: Iterable[str], keys: Sequence[Key]) -> None:
    """Have columns that tell groups apart read as text where known groups are text: ``01``, not the number 1."""
    keys_of_columns = zip(columns, keys[0] if keys else (), strict=False)
    table.keep_zeros([name for name, cell in keys_of_columns if isinstance(cell, str)], text=True)


def name_of(columns: Iterable[str]) -> str:
    """Return what the column is called that holds the place of each row's group: ``[plate, well]``."""
    return f"[{', '.join(columns)}]"


def occurring(levels: Sequence[Levels], table: Table, names: Iterable[str]) -> tuple[Levels, ...]:
    """Return the groups that have a complete row: one with a number in each of some columns, those of groups included.

    >>> from descend.table import open_table
    >>> table = open_table({"x": [1.0, np.nan, 3.0], "site": ["a", "b", "c"]})
    >>> occurring([Levels.of(table, ["site"])], table, ["x", "[site]"])[0].labels
    ('a', 'c')
    """
    coded, needed = table.with_codings(levels), tuple(names)
    levels_by_name: dict[str, Sequence[float]]
    if table.size(len(needed)):  # the rows stay where they are
        from descend.table.keyed_rows import keyed

        lazy = keyed(coded, needed).complete()
        looked_up = lazy.looked_up
        assert looked_up is not None
        levels_by_name = {
            each.name: looked_up.occurring(each.name, lazy.table, lambda t: lazy.run(lazy.sql(t))) for each in levels
        }
    else:
        columns = coded.with_gaps(needed)
        complete = np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
        levels_by_name = {each.name: np.unique(columns[each.name][complete]).tolist() for each in levels}
    return tuple(
        Levels(each.columns, tuple(each.keys[int(level_number)] for level_number in sorted(levels_by_name[each.name])))
        for each in levels
    )


def said(key: Key) -> str:
    """Return what a group is called: its values, with commas between them.

    >>> said(("A", 3)), said((True,))
    ('A, 3', 'true')
    """
    return ", ".join(map(label, key))


def values_of(table: Table, name: str) -> tuple[Places, list[Label]]:
    """Return for each row which of the sorted values of a column it has, -1 if none, and these values."""
    refuse_unknown(table, (name,))
    number = table.types[name] in ("number", "boolean")
    return coded_cells(table, name, table.with_gaps((name,))[name] if number else table.text(name))


def keys_in_order(table: Table, cells: Mapping[str, Cells]) -> tuple[list[Key], Places]:
    """Return the keys of groups in order, and the places that they had; those that lack a value are left out.

    table: where they are from. cells: of each column that tells groups apart its value in each group, numbers and
    booleans as floats.

    >>> from descend.table import open_table
    >>> table = open_table({"site": ["b", "a"], "dose": [1, 2]})
    >>> keys, order = keys_in_order(table, {"site": table.text("site"), "dose": np.array([1.0, 2.0])})
    >>> keys, order.tolist()
    ([('a', 2), ('b', 1)], [1, 0])
    """
    coded = [coded_cells(table, name, values) for name, values in cells.items()]
    codes, absent = combined([(found, len(labels)) for found, labels in coded])
    rows_complete = np.flatnonzero(~absent)
    order = rows_complete[np.argsort(codes[rows_complete], kind="stable")]
    label_columns = [[labels[code] for code in found[order].tolist()] for found, labels in coded]
    return list(zip(*label_columns, strict=True)), order


def coded_cells(table: Table, name: str, cells: Cells) -> tuple[Places, list[Label]]:
    """Return for some cells of a column which of their sorted values each has, -1 if none, and these values."""
    kind, order = table.types[name], table.categories(name)
    if kind == "number":
        _refuse_rounded(table, name, cells)
    codes, labels = numbers(cells, kind == "boolean") if kind in ("number", "boolean") else words(cells)
    return (codes, labels) if order is None else ordered(codes, labels, order)


def runs_of(table: Table, names: Sequence[str]) -> tuple[Places, list[tuple[Places, list[Label]]]]:
    """Return where runs of rows that share the values of some columns end, after a 0, and the values of each run.

    These are, for each column, which of its sorted values each run has, -1 if none, and these values.

    >>> from descend.table import open_table
    >>> ends, coded = runs_of(open_table({"site": ["b", "b", "a", "b"]}), ["site"])
    >>> ends.tolist(), coded[0][0].tolist(), coded[0][1]
    ([0, 2, 3, 4], [1, 0, 1], ['a', 'b'])
    """
    refuse_unknown(table, names)
    numeric = [name for name in names if table.types[name] in ("number", "boolean")]
    number_columns = table.with_gaps(tuple(dict.fromkeys(numeric))) if numeric else {}
    cells = [number_columns[name] if name in number_columns else table.text(name) for name in names]
    differ = np.logical_or.reduce([column[1:] != column[:-1] for column in cells])
    rows = len(cells[0])
    ends: Places = np.r_[0, np.flatnonzero(differ) + 1, rows] if rows else np.zeros(1, dtype=np.intp)
    return ends, [coded_cells(table, name, column[ends[:-1]]) for name, column in zip(names, cells, strict=True)]


def _refuse_rounded(table: Table, name: str, cells: Cells) -> None:
    """Raise DataError for numbers with more digits than a float has, where groups would fall together."""
    largest = np.fmax.reduce(np.abs(np.asarray(cells, dtype=np.float64)), initial=0.0)
    if largest > EXACT and largest > table.exact_up_to(name) and (rounded_cells := table.rounded(name)) is not None:
        where = f" in {rounded_cells.place}" if rounded_cells.place else ""
        raise DataError(
            f"`{name}` of {table.source} tells groups apart by numbers with more digits than the 15 to 17 of a float, "
            f"such as {rounded_cells.cell}{where}: some would fall together. Make text of the column."
        )


def refuse_unknown(table: Table, columns: Sequence[str]) -> None:
    """Raise DataError for a column that the table lacks."""
    for name in columns:
        if name not in table.names:
            table.numbers((name,))  # which says that there is no such column


class GroupLabels(tuple[str, ...]):
    """Labels of the components of a parameter that has a value, or a vector, for each group: group by group.

    levels: the groups. parts: labels of the components of each group, if that has a vector.

    >>> labels = GroupLabels(Levels(("site",), (("A",), ("B",))), ("x1", "x2"))
    >>> labels
    ('A, x1', 'A, x2', 'B, x1', 'B, x2')
    >>> labels.by_group(np.arange(4.0))
    {'A': array([0., 1.]), 'B': array([2., 3.])}
    >>> np.array(labels.by_group(np.arange(4.0))).shape
    (2, 2)
    """

    levels: Levels
    parts: tuple[str, ...]

    def __new__(cls, levels: Levels, parts: tuple[str, ...] = ()) -> Self:
        texts = levels.labels
        labels = super().__new__(cls, [f"{text}, {label}" for text in texts for label in parts] if parts else texts)
        labels.levels, labels.parts = levels, parts
        return labels

    def __getnewargs__(self) -> tuple[Levels, tuple[str, ...]]:
        return self.levels, self.parts

    @cached_property
    def keys(self) -> tuple[Label | Key, ...]:
        """What each group is called in dicts: the value of its column, or a tuple of the values of several."""
        return tuple(key[0] if len(key) == 1 else key for key in self.levels.keys)

    def by_group(self, values: Numbers) -> ByGroup:
        """Return values of all components by group."""
        if not self.parts:
            return ByGroup(zip(self.keys, values.tolist(), strict=True))
        return ByGroup(zip(self.keys, values.reshape(len(self.levels), -1).copy(), strict=True))


def groups_among(shapes: Mapping[str, tuple[str, ...] | None]) -> dict[str, GroupLabels]:
    """Return the labels of those parameters that have a value, or a vector, for each group, by name."""
    return {name: labels for name, labels in shapes.items() if isinstance(labels, GroupLabels)}


class ByGroup(dict[Label | Key, "float | Numbers"]):
    """Values by group, in the order of the groups: a number for each, or an array; NumPy takes all of them together."""

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        return np.array([*self.values()], dtype=dtype)

    def by_label(self) -> dict[str, float | Numbers]:
        """Return the values by the name of each group."""
        return {said(key if isinstance(key, tuple) else (key,)): value for key, value in self.items()}
