"""Columns of a file that are no numbers: left out with a word on why, or a reason to refuse the file."""

from __future__ import annotations

import re
from typing import Any

from descend.errors import DataError
from descend.table.table import Table

COMMA = re.compile(r"[+-]?\d[\d. '\u00a0\u202f]*,\d+|[+-]?\d+")
"""A number as it is written where the decimal sign is a comma, or a whole one."""
MOST_ROWS = 200_000
"""Text columns of longer files are left out unread."""
MOST_SHOWN = 3


def left_out(table: Table, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which columns of a file are left out, and what is wrong with those that are numbers but for some cells.

    name: of the file. Raises DataError if there is no column of numbers, or numbers are written with commas.
    """
    numeric = set(table.numeric_names)
    others = tuple(column for column in table.names if column not in numeric)
    odd: list[str] = []
    if table.rows <= MOST_ROWS:
        for column in others:
            if table.types[column] == "text":
                cells = table.text(column)
                _refuse_commas(table, column, cells, name)
                if len(odd) < MOST_SHOWN and _mostly_numbers(cells):
                    odd.append(_why(table, column))
    if not numeric:
        if odd:
            raise DataError(odd[0])
        raise DataError(f"`{name}` has no column of numbers. The lab needs at least one.")
    return others, tuple(odd)


def _refuse_commas(table: Table, column: str, cells: Any, name: str) -> None:
    given = [(place, str(cell).strip()) for place, cell in enumerate(cells) if cell is not None and str(cell).strip()]
    first = next(((place, cell) for place, cell in given if "," in cell), None)
    if first is None or not all(COMMA.fullmatch(cell) for _, cell in given):
        return
    place, cell = first
    whole, _, part = cell.rpartition(",")
    whole = re.sub(r"[^\d+-]", "", whole)
    thousands = f", or as {whole}{part} if the comma sets thousands apart" if len(part) == 3 else ""
    raise DataError(
        f"`{name}` writes its numbers with a comma: `{column}` is {cell} in {table.place(place)}. Write them with a "
        f"point, as {whole}.{part}{thousands}; a spreadsheet does so if its language is English when it saves the CSV."
    )


def _mostly_numbers(cells: Any) -> bool:
    given = [cell for cell in cells if cell is not None]
    return sum(map(_is_number, given)) > len(given) / 2


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
        return False
    return True
