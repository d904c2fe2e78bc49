"""Columns that are in memory already, as one-dimensional arrays."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from descend.errors import DataError
from descend.table.database import Database
from descend.table.in_matrix import InMatrix
from descend.table.kinds_of_cells import absent, is_words, kind_of_cells, numbers_of
from descend.table.rows import Cells as Cells
from descend.table.table import EXACT, TRUTH, Label, Numbers, Table, label, refuse_duplicates
from descend.table.units import with_units_of

if TYPE_CHECKING:
    from descend.table.lazy import Lazy
    from descend.table.rounding import Rounded

FLOAT64 = np.dtype(np.float64)


Categories = Callable[[str], Sequence[Label] | None]
"""Column -> its values in the order that the data give them, None if they give none."""


class ArrayTable(Table):
    """Columns held as arrays, or made into arrays when first read."""

    def __init__(
        self,
        columns: Mapping[str, Cells],
        rows: int,
        conditions: tuple[str, ...] = (),
        row_numbers: npt.NDArray[np.intp] | None = None,
        categories: Categories | None = None,
    ) -> None:
        """Keep the columns; ``row_numbers`` are the positions of the rows that meet the conditions.

        categories: returns the values of a column in the order that the data give them, None if they give none.
        """
        self.source = "the data"
        self.names = tuple(columns)
        self.conditions = conditions
        self._columns = columns
        self._all_rows = rows
        self._kept = row_numbers
        self._categories = categories

    @property
    def rows(self) -> int:
        return self._all_rows if self._kept is None else len(self._kept)

    @cached_property  # cells that are objects are all looked at
    def types(self) -> dict[str, str]:
        columns = self._columns
        if isinstance(columns, InMatrix):
            kinds_beside = {name: kind_of_cells(cells) for name, cells in columns.others().items()}
            return dict.fromkeys(columns.listed, "number") | kinds_beside
        return {name: kind_of_cells(columns[name]) for name in self.names}

    def words(self, name: str, most: int) -> list[str]:
        cells = self.cells_of(name)
        if cells.dtype.kind not in "fiu":
            return super().words(name, most)
        values = np.unique(cells)
        return sorted(map(label, values[values == values].tolist()))[:most]

    def text(self, name: str) -> npt.NDArray[np.object_]:
        cells = self.cells_of(name)
        if cells.dtype.kind == "U" or is_words(cells):  # each is its own label
            return cells.astype(object)
        labels = [None if absent(cell) else label(cell) for cell in cells.tolist()]
        return np.array(labels, dtype=object)

    def filtered(self, where: str) -> ArrayTable:
        from descend.table.array_conditions import rows_where

        condition, row_numbers = rows_where(self, self.cells_of, where)
        return self._at(row_numbers, (*self.conditions, condition))

    def _at(self, row_numbers: npt.NDArray[np.intp], conditions: tuple[str, ...]) -> ArrayTable:
        table_rows = row_numbers if self._kept is None else self._kept[row_numbers]
        return ArrayTable(self._columns, self._all_rows, conditions, table_rows, self._categories)

    def among(self, row_numbers: npt.NDArray[np.intp]) -> ArrayTable:
        """Return the rows at these places, which keep their numbers."""
        table = self._at(row_numbers, self.conditions)
        table.source, table.counted = self.source, self.counted
        return with_units_of(table, self)

    def with_column(self, name: str, values: object) -> ArrayTable:
        cells = _as_array(name, values)
        if cells.ndim == 0:
            cells = np.full(self._all_rows, cells)
        elif cells.ndim != 1:
            raise _not_a_column(name, cells)
        if len(cells) != self._all_rows:
            raise DataError(f"`{name}` has {len(cells):,} values, but there are {self._all_rows:,} rows.")
        columns: Mapping[str, Cells]
        if isinstance(self._columns, InMatrix) and name not in self._columns.listed:
            columns = self._columns.beside({name: cells})
        else:
            columns = ChainMap({name: cells}, cast("MutableMapping[str, Cells]", self._columns))
        table = ArrayTable(columns, self._all_rows, self.conditions, self._kept, self._categories)
        table.gapless = self.gapless - {name}
        return with_units_of(table, self)

    def categories(self, name: str) -> Sequence[Label] | None:
        return None if self._categories is None else self._categories(name)

    def lazy(self, names: Sequence[str], memory: int | None = None, by: Sequence[str] = ()) -> Lazy:
        columns = self.with_gaps(names)
        arrays_by_column: dict[str, Cells] = {f"c{column}": columns[name] for column, name in enumerate(names)}
        keys = {}
        for column, name in enumerate(by):
            numbers = self.types[name] in ("number", "boolean")
            arrays_by_column[f"k{column}"] = self._read([name])[name] if numbers else self.text(name)
            keys[name] = (f"k{column}", "float64") if numbers else (f"nullif(k{column}, '')", "string")
        database = Database(memory=memory)
        database.connection.register("data", arrays_by_column)
        return database.lazy(names, "data", [f"c{column}" for column in range(len(names))], keys=keys)

    def size(self, columns: int) -> float:
        return 0.0

    def exact_up_to(self, name: str) -> float:
        dtype = self.cells_of(name).dtype
        return EXACT if dtype.kind in "iu" and dtype.itemsize == 8 else 0.0 if dtype.kind == "O" else math.inf

    def rounded(self, name: str) -> Rounded | None:
        from descend.table.rounding import rounded_cells

        return rounded_cells(self.cells_of(name), self.place)

    def in_matrix(self, names: Sequence[str]) -> InMatrix | None:
        columns = self._columns
        if not isinstance(columns, InMatrix) or self._kept is not None or not set(columns.listed) <= set(names):
            return None
        return columns

    def _read(self, names: Sequence[str]) -> dict[str, Numbers]:
        columns: dict[str, Numbers] = {}
        of_matrix: Mapping[str, Cells] = {}
        if isinstance(self._columns, InMatrix) and self._kept is None:
            of_matrix = self._columns.laid_out([name for name in names if name in self._columns.listed])
        for name in names:
            cells = of_matrix[name] if name in of_matrix else self.cells_of(name)
            columns[name] = cells if _is_plain(cells) and name not in self.counted else self._as_numbers(name, cells)
        return columns

    def cells_of(self, name: str) -> Cells:
        """Return the cells of a column as they are. Raises DataError if there is no such column."""
        try:
            cells = self._columns[name]
        except (KeyError, TypeError):
            raise self._unknown(name) from None
        return cells if self._kept is None else cells[self._kept]

    def _as_numbers(self, name: str, cells: Cells) -> Numbers:
        if cells.dtype.kind in "fiub" and name not in self.counted:
            if cells.dtype.kind == "b":
                self._count(name, TRUTH)
            return np.ascontiguousarray(cells, dtype=np.float64)
        from descend.table.not_numbers import not_a_number, not_numeric
        from descend.table.yes_no_words import truth_of

        if cells.dtype.kind in "fiu":  # a few numbers that stand for others, such as those of classes
            values, codes = np.unique(cells, return_inverse=True)
            counted_cells = self.counted[name]
            return np.array([counted_cells.get(label(value), np.nan) for value in values.tolist()])[codes]
        kind = kind_of_cells(cells)
        if kind in ("time", "other"):
            raise not_numeric(name, self.source, kind)
        if kind == "boolean" and name not in self.counted:
            self._count(name, TRUTH)
        bad: list[int] = []
        if name not in self.counted:
            numbers, bad = numbers_of(cells.tolist())
            if not bad:
                return numbers
        words = self.text(name).tolist()
        counted = self.counted.get(name) or truth_of({word for word in words if word is not None})
        if counted is None:
            count = len(cells) - sum(map(absent, cells.tolist()))
            raise not_a_number(name, self.source, self.place(bad[0]), cells[bad[0]], len(bad), count)
        self._count(name, counted)
        return np.array([np.nan if word is None else counted[word] for word in words])

    def place(self, position: int) -> str:
        return f"row {(position if self._kept is None else int(self._kept[position])) + 1}"


def from_mapping(data: Mapping[str, object]) -> ArrayTable:
    """Make a table of named columns: arrays, lists, tensors, or anything NumPy reads as one dimension.

    Raises DataError if there is no column, a name is not text, or the columns are not of one length.
    """
    if not data:
        raise DataError('The data have no columns. Give at least one, such as {"x": [1.0, 2.0]}.')
    if isinstance(data, InMatrix):
        table = ArrayTable(data, len(data.matrix))
        table.gapless = frozenset(data.listed)
        return table
    columns: dict[str, Cells] = {}
    units: dict[str, str] = {}
    first, rows = None, 0
    for name, column_given in data.items():
        plain = type(column_given) is np.ndarray
        if not plain and hasattr(column_given, "magnitude") and hasattr(column_given, "units"):  # a quantity of Pint
            from descend.table.units import text_of

            units[name], column_given = text_of(column_given.units), column_given.magnitude
        cells = column_given if type(column_given) is np.ndarray else _as_array(name, column_given)
        if not isinstance(name, str):
            raise not_a_name(name)
        if cells.ndim != 1:
            raise _not_a_column(name, cells)
        if first is None:
            first, rows = name, len(cells)
        elif len(cells) != rows:
            raise DataError(f"`{first}` has {rows} rows but `{name}` has {len(cells)}. Give columns of one length.")
        columns[name] = cells
    table = ArrayTable(columns, rows)
    table.given_units = units
    return table


def from_records(data: Cells) -> ArrayTable:
    """Make a table of a structured array, each field a column."""
    names = data.dtype.names or ()
    return from_mapping({name: data[name] for name in names})


def checked_names(names: Sequence[object]) -> tuple[str, ...]:
    """Return column names if each is text and unique; raise DataError if not."""
    if not names:
        raise DataError("The data have no columns. Give at least one.")
    texts: list[str] = []
    for name in names:
        if not isinstance(name, str):
            raise not_a_name(name)
        texts.append(name)
    refuse_duplicates(texts, "the data")
    return tuple(texts)


def not_a_name(name: object) -> DataError:
    """Return the error for a column whose name is not text."""
    return DataError(
        f"A column of the data is named {name!r}, which is not text. Name it with text, such as `x{name}`."
        if isinstance(name, int)
        else f"A column of the data is named {name!r}, which is not text. Name it with text."
    )


def _is_plain(cells: Cells) -> bool:
    return cells.dtype is FLOAT64 and cells.flags.c_contiguous


def _as_array(name: object, column_given: object) -> Cells:
    if isinstance(column_given, np.ndarray) and hasattr(column_given, "filled"):  # masked
        return np.array(column_given.tolist(), dtype=object)
    # Tensors that carry a gradient, or lie on a device, cannot become arrays until they are detached.
    if hasattr(column_given, "detach"):
        column_given = column_given.detach().cpu()
    try:
        return np.asarray(column_given)
    except (TypeError, ValueError, RuntimeError):
        raise DataError(
            f"`{name}` cannot be read as a column: its rows differ in length or kind. Give one value in each row."
        ) from None


def _not_a_column(name: str, cells: Cells) -> DataError:
    if cells.ndim == 0:
        return DataError(f"`{name}` is a single value, not a column. Give one value for each row.")
    return DataError(
        f"`{name}` has {cells.ndim} dimensions, of shape {cells.shape}; a column has one. "
        "Give each column of it a name of its own."
    )
