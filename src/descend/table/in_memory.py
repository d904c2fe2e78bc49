"""A table read as a whole, as columns in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.table.arrays import ArrayTable
from descend.table.table import Table


def columns_in_memory(table: Table) -> dict[str, NDArray[np.generic]]:
    """Return every column: numbers and booleans as float64, NaN where missing; anything else as text."""
    numbers = [name for name in table.names if table.types[name] in ("number", "boolean")]
    found: dict[str, NDArray[np.generic]] = dict(table.with_gaps(numbers))
    return {name: found[name] if name in found else table.text(name) for name in table.names}


def with_rows(table: Table, kept: NDArray[np.bool_], names: Iterable[str]) -> Table:
    """Return some of the rows, in memory, where they keep their numbers. names: columns, if they must be read."""
    places = np.flatnonzero(kept)
    if isinstance(table, ArrayTable):
        return table.among(places)
    kinds, cells = table.types, dict[str, NDArray[Any]]()
    for name in names:
        if kinds[name] not in ("number", "boolean"):
            cells[name] = table.text(name)
            continue
        cells[name] = table.with_gaps((name,))[name]
        if kinds[name] == "boolean" and not np.isnan(cells[name]).any():
            cells[name] = cells[name] > 0.0
    found = ArrayTable(cells, table.rows, table.conditions, None, table.categories).among(places)
    found.source, found.counted = table.source, table.counted
    return found
