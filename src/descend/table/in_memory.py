"""A table read as a whole, as columns in memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError
from descend.table.arrays import ArrayTable
from descend.table.opening import open_table
from descend.table.table import Table
from descend.table.units import with_units_of


def columns_in_memory(table: Table) -> dict[str, NDArray[np.generic]]:
    """Return every column: numbers and booleans as float64, NaN where missing; anything else as text."""
    numbers = [name for name in table.names if table.types[name] in ("number", "boolean")]
    columns: dict[str, NDArray[np.generic]] = dict(table.with_gaps(numbers))
    return {name: columns[name] if name in columns else table.text(name) for name in table.names}


def with_values(table: Table, name: str, values: object) -> Table:
    """Return the table with one more column; rows in a file become arrays. Raises DataError for too many or too few."""
    try:
        return table.with_column(name, values)
    except DataError:
        if isinstance(table, ArrayTable):
            raise
    table_in_memory = open_table(columns_in_memory(table)).with_column(name, values)
    table_in_memory.source = table.source
    return with_units_of(table_in_memory, table)


def with_rows(table: Table, rows_kept: NDArray[np.bool_], names: Iterable[str]) -> Table:
    """Return some of the rows, in memory, where they keep their numbers. names: columns, if they must be read."""
    if not isinstance(table, ArrayTable):
        kinds = table.types
        cells: dict[str, NDArray[np.generic]] = {
            name: table.with_gaps((name,))[name] if kinds[name] in ("number", "boolean") else table.text(name)
            for name in names
        }
        table_in_memory, table = table, ArrayTable(cells, table.rows, table.conditions, None, table.categories)
        table.source, table.counted = table_in_memory.source, table_in_memory.counted
        with_units_of(table, table_in_memory)
    return table.among(np.flatnonzero(rows_kept))
