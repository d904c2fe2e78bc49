"""Rows that follow one another with the same value: groups are found run by run, not row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.table.levels import Label, Places, coded_cells, refuse_unknown

if TYPE_CHECKING:
    from descend.table.table import Table


def runs_of(table: Table, names: Sequence[str]) -> tuple[Places, list[tuple[Places, list[Label]]]]:
    """Return where runs of rows that share the values of some columns end, after a 0, and the values of each run.

    These are, for each column, which of its sorted values each run has, -1 if none, and these values.

    >>> from descend.table import open_table
    >>> ends, coded = runs_of(open_table({"site": ["b", "b", "a", "b"]}), ["site"])
    >>> ends.tolist(), coded[0][0].tolist(), coded[0][1]
    ([0, 2, 3, 4], [1, 0, 1], ['a', 'b'])
    """
    refuse_unknown(table, names)
    numbers = [name for name in names if table.types[name] in ("number", "boolean")]
    number_columns = table.with_gaps(tuple(dict.fromkeys(numbers))) if numbers else {}
    cells = [number_columns[name] if name in number_columns else table.text(name) for name in names]
    differ = np.logical_or.reduce([column[1:] != column[:-1] for column in cells])
    rows = len(cells[0])
    ends: Places = np.r_[0, np.flatnonzero(differ) + 1, rows] if rows else np.zeros(1, dtype=np.intp)
    return ends, [coded_cells(table, name, column[ends[:-1]]) for name, column in zip(names, cells, strict=True)]
