"""Columns of a file that are not numbers: left out with a word on why, or a reason to refuse the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from descend.errors import DataError
from descend.table.table import Table

COMMA = re.compile(r"[+-]?\d[\d.]*,\d+")
"""A number with a comma, for decimals or for thousands."""
MOST_ROWS = 200_000
"""In files with more rows than this, text columns are left out without being read."""
MOST_SHOWN = 3


def left_out(table: Table, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which columns of a file are left out, and what is wrong with those that are numbers except in some cells.

    name: of the file. Raises DataError if there is no column of numbers.
    """
    numeric = set(table.numeric_names)
    other_columns = tuple(column for column in table.names if column not in numeric)
    odd: list[str] = []
    if table.rows <= MOST_ROWS:
        for column in other_columns:
            if table.types[column] == "text":
                cells = table.text(column)
                if len(odd) < MOST_SHOWN and _mostly_numbers(cells):
                    odd.append(_why(table, column))
    if not numeric:
        if odd:
            raise DataError(odd[0])
        raise DataError(f"`{name}` has no column of numbers. The lab needs at least one.")
    return other_columns, tuple(odd)


def _mostly_numbers(cells: Iterable[object]) -> bool:
    cells_present = [cell for cell in cells if cell is not None]
    return sum(map(_is_number, cells_present)) > len(cells_present) / 2


def _why(table: Table, column: str) -> str:
    try:
        table.numbers([column])
    except DataError as error:
        return str(error)
    return ""


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return COMMA.fullmatch(str(cell).strip()) is not None
    return True
