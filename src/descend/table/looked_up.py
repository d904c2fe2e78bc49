"""Codings of very many keys beside rows in a database: the keys come with the rows, and are looked up here.

Written out as SQL, such as which of 10,000 groups a row is in, a cell would be compared with each key in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from descend.table.rows import Array, Cells

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from pyarrow import Array as ArrowArray
    from pyarrow import ChunkedArray


class Lookup(Protocol):
    """What is asked of a coding here; see ``table.Coding``."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def keys(self) -> tuple[tuple[str | int | float | bool, ...], ...]: ...
    def numbered(self, cells: Sequence[Cells]) -> Array: ...


class LookedUp:
    """codings: by name. by: the columns that tell groups of rows apart, in the order in which a query returns them."""

    def __init__(self, codings: Mapping[str, Lookup], by: tuple[str, ...]) -> None:
        self.codings, self.by = codings, by

    def there(self, name: str, table: ir.Table) -> ir.BooleanValue:
        """Return the Ibis condition that no key of a coding is missing."""
        keys = [table[f"k{self.by.index(column)}"] for column in self.codings[name].columns]
        keys_present = [key.notnull() if key.type().is_string() else (key == key).fill_null(False) for key in keys]
        return reduce(lambda one, other: one & other, keys_present)

    def same(self, name: str, number: int, table: ir.Table) -> ir.BooleanValue:
        """Return the Ibis condition that a row has this number of a coding."""
        coding = self.codings[name]
        cells = (cell if isinstance(cell, str) else float(cell) for cell in coding.keys[number])
        keys = (table[f"k{self.by.index(column)}"] for column in coding.columns)
        return reduce(lambda one, other: one & other, (key == cell for key, cell in zip(keys, cells, strict=True)))

    def numbers(self, cells: Mapping[str, Cells]) -> dict[str, Array]:
        """Return the columns of the codings. cells: of each key column, as it is called in the query."""
        return {
            name: coding.numbered([cells[f"k{self.by.index(column)}"] for column in coding.columns])
            for name, coding in self.codings.items()
        }

    def occurring(
        self, name: str, table: ir.Table, fetch: Callable[[ir.Table], Sequence[Sequence[object]]]
    ) -> list[float]:
        """Return the numbers of a coding that occur in rows. fetch: returns the rows of an Ibis table."""
        columns, kinds = [f"k{self.by.index(column)}" for column in self.codings[name].columns], table.schema()
        key_columns = zip(*fetch(table.select(columns).distinct()), strict=True)
        cells = [
            np.array(key_column, dtype=object if kinds[column].is_string() else np.float64)
            for column, key_column in zip(columns, key_columns, strict=False)
        ]
        numbers: list[float] = self.codings[name].numbered(cells).tolist() if cells else []
        return numbers


def cells_of(column: ArrowArray | ChunkedArray) -> Cells:
    """Return an Arrow column as an array, without pandas, which to_numpy would import."""
    import pyarrow

    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        return np.array(column.to_pylist(), dtype=object)
    if not pyarrow.types.is_float64(column.type):
        column = column.cast(pyarrow.float64())
    if column.null_count:
        column = column.fill_null(float("nan"))
    return np.from_dlpack(column)
