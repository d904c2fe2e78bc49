"""SQL conditions on rows that are arrays in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from descend.table.database import Database, bad_condition, checked_condition, distinct, identifier, renamed, unused
from descend.table.kinds_of_cells import absent, is_words, kind_of_cells, numbers_of
from descend.table.rows import Cells
from descend.table.table import Table


def rows_where(table: Table, cells_of: Callable[[str], Cells], where: str) -> tuple[str, NDArray[np.intp]]:
    """Return the condition, checked, and the places of the rows for which it holds, in order."""
    import duckdb

    condition = checked_condition(where, table.names)
    column = unused("place", table.names)
    distinct_names = set(distinct(table.names))
    named = {
        name: name if name in distinct_names else f"{column}{position}"
        for position, name in enumerate(table.names)
        if _may_name(condition, name)
    }
    columns = {other: cells for name, other in named.items() if (cells := _for_sql(cells_of(name))) is not None}
    in_sql = renamed(condition, {name: other for name, other in named.items() if other != name})
    columns[column] = np.arange(table.rows)
    database = Database()
    database.connection.register("data", columns)
    try:
        row_numbers = database.run(f"SELECT {identifier(column)} FROM data WHERE (\n{in_sql}\n)").fetchnumpy()[column]
    except duckdb.Error as error:
        raise bad_condition(where, error, table) from None
    return condition, np.sort(row_numbers)


def _may_name(condition: str, name: str) -> bool:
    """Whether a condition may be about a column; if not, handing the column to SQL would only cost time."""
    within = condition.casefold()
    return identifier(name)[1:-1].casefold() in within or "columns" in within


def _for_sql(cells: Cells) -> Cells | None:
    """Return cells in a form that DuckDB reads, None if there is none."""
    if is_words(cells):
        return cells
    kind = kind_of_cells(cells)
    if kind == "text":
        return np.array([None if absent(cell) else str(cell) for cell in cells.tolist()], dtype=object)
    if kind == "other":
        return None
    if cells.dtype.kind == "O":
        return numbers_of(cells.tolist())[0] if kind == "number" else cells
    if cells.dtype.kind == "f" and cells.dtype.itemsize not in (4, 8):
        return cells.astype(np.float64)
    if cells.dtype.kind in "mM":
        return cells.astype(f"{cells.dtype.kind}8[us]")
    return cells.astype(cells.dtype.newbyteorder("="), copy=False)
