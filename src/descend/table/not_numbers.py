"""What is said of columns that were asked for as numbers and hold something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError, LimitsError, WordsError
from descend.wording import using, worded


def not_a_number(name: str, source: str, cell_place: str, cell: object, bad: int, cells: int) -> DataError:
    """Say that a text column was asked for as numbers, and what to do about the cells that are none."""
    cell_text = str(cell)
    cell_text = repr(cell_text if len(cell_text) <= 40 else cell_text[:37] + "...")
    start = f"`{name}` in {source} is text: {cell_place} holds {cell_text}."
    if cell_text.lstrip("'")[:1] in "<>≤≥":
        from descend.table.limits import is_limit

        if is_limit(cell):
            return LimitsError(name, f"{start} Such limits are read in the response only. Use a column of numbers.")
    if _is_decimal_comma(cell):
        point = str(cell).strip().replace(",", ".")
        return DataError(f"{start} Numbers need a decimal point, not a comma: write {point}.")
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", str(cell).strip()):
        point, bare = (str(cell).strip().replace(",", mark) for mark in (".", ""))
        return DataError(f"{start} Its comma may mark decimals or thousands: write {point} or {bare}.")
    if bad == cells:
        category = name if name.isidentifier() else "its name"
        categories = f"for categories, write u[{category}] in a formula: a parameter for each of them."
        return WordsError(name, start, f"Use a column of numbers, such as 0 and 1; {categories}")
    other_cells = f"{cells - 1} cells are numbers" if cells > 2 else "cell is a number"
    extent = f"Its other {other_cells}." if bad == 1 else f"Of its {cells} cells {bad} are not numbers."
    condition = f"try_cast({quoted_if_odd(name)} as double) is not null"
    leaving_out = worded("leaving_out", using("where", condition))
    return DataError(f"{start} {extent} Correct the data, or leave such rows out{leaving_out}.")


def not_numeric(name: str, source: str, kind: str, how: str = "") -> DataError:
    """Say that a column of times, lists or other things was asked for as numbers. how: a way out, if there is one."""
    if kind == "time":
        return DataError(
            f"`{name}` in {source} holds dates or times, which are not numbers. "
            f"Turn them into numbers first, such as days since the first one{how}."
        )
    return DataError(f"`{name}` in {source} holds neither numbers nor text. Use a column with one number in each row.")


def quoted_if_odd(name: str) -> str:
    """Return a column name as SQL reads it, in double quotes unless it is plain, and no word of SQL such as `group`."""
    import duckdb

    if name.isidentifier() and name.isascii():
        (_, kind), *_ = duckdb.tokenize(name)
        if kind == duckdb.token_type.identifier:
            return name
    return '"' + name.replace('"', '""') + '"'


def _is_decimal_comma(cell: object) -> bool:
    integer, comma, decimal_digits = str(cell).strip().lstrip("+-").partition(",")
    # A comma with three digits after it may also set off thousands.
    return bool(comma) and integer.isdecimal() and decimal_digits.isdecimal() and len(decimal_digits) != 3


def gaps_in(columns: Mapping[str, NDArray[np.float64]], cell: Callable[[int], str]) -> dict[str, tuple[int, int, str]]:
    """Return how many missing and infinite values each column has, where it has any, and where the first one is."""
    gaps_by_column = {}
    for name, column in columns.items():
        bad = ~np.isfinite(column)
        if bad.any():
            empty, infinite = int(np.isnan(column).sum()), int(np.isinf(column).sum())
            gaps_by_column[name] = (empty, infinite, cell(int(bad.argmax())))
    return gaps_by_column


def gaps(source: str, gaps_by_column: Mapping[str, tuple[int, int, str]]) -> str:
    """Say which columns have missing and infinite values: how many of each, and where the first is.

    gaps_by_column: by the name of the column, in backticks.
    """
    sentences = []
    for name, (empty, infinite, gap_place) in gaps_by_column.items():
        count = empty + infinite
        kind = "missing or infinite" if empty and infinite else "missing" if empty else "infinite"
        gap_in_words = "a missing" if empty else "an infinite"
        where = "" if not gap_place else f", the first in {gap_place}" if count > 1 else f" in {gap_place}"
        many = f"{count} {kind} values" if count > 1 else f"{gap_in_words} value"
        sentences.append(f"{name} has {many}{where}")
    few, left = sentences[:3], len(sentences) - 3
    tail = f"; so do {left} more columns" if left > 1 else "; so does one more column" if left == 1 else ""
    dropping = using("missing", "drop")
    one = len(sentences) == 1 and sum(next(iter(gaps_by_column.values()))[:2]) == 1
    correct = "Correct it, or leave that row out" if one else "Correct them, or leave such rows out"
    return f"In {source}, {'; '.join(few)}{tail}. {correct}{worded('leaving_out', dropping)}."
