"""Numbers written with a decimal comma: told from the first rows of a file, where these leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

GROUPED = r"[+-]?\d{1,3}(?:\.\d{3})+"
COMMA = re.compile(rf"(?:{GROUPED}|[+-]?\d*),\d+(?:[eE][+-]?\d+)?")
"""A number with a decimal comma, maybe with points that set off thousands."""
UNCLEAR = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number whose comma may as well set off thousands."""
WHOLE = re.compile(rf"[+-]?\d+|{GROUPED}")
POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
NULLS = ("", "NA", "NULL", "null", "#N/A")
"""Cells without a value, as R, SQL and Excel write them."""
SPACES = "\u00a0\u2007\u2009\u202f"
"""Spaces that do not break a line."""
MINUS = "\u2212\u2013\u2012"
PLAIN = str.maketrans(SPACES + MINUS, " " * len(SPACES) + "-" * len(MINUS))


@dataclass(frozen=True)
class Decimals:
    """How a file writes numbers. comma, thousands: a number with a decimal comma, and one with points as well."""

    comma: str = ""
    thousands: str = ""

    @property
    def options(self) -> str:
        """What DuckDB is told of it, to go before other options."""
        return ("decimal_separator = ',', " if self.comma else "") + ("thousands = '.', " if self.thousands else "")

    def as_point(self, text: str) -> str:
        """Return the SQL of a text with a decimal point, of the SQL of one as it is in the file."""
        bare = f"replace({text}, '.', '')" if self.thousands else text
        return f"replace({bare}, ',', '.')" if self.comma else text

    def note(self, source: str) -> str:
        """Say how numbers are read, if not as everywhere."""
        if not self.comma:
            return ""
        shown = self.thousands or self.comma
        read = (shown.replace(".", "") if self.thousands else shown).replace(",", ".")
        points = ", and points between thousands" if self.thousands else ""
        return f"numbers in {source} are read with decimal commas{points}: {shown} as {read}"


def find_decimals(rows: Sequence[Sequence[str]]) -> Decimals:
    """Find out how numbers are written from the cells of the first rows.

    A comma marks decimals if in some column all cells are numbers so written, at least one of them beyond doubt (1,234
    may be thousands), and no cell anywhere has a decimal point.

    >>> find_decimals([["a", "0,5"], ["b", "12"]])
    Decimals(comma='0,5', thousands='')
    >>> find_decimals([["a", "1,234"]])
    Decimals(comma='', thousands='')
    """
    cells = [[re.sub(r"(?<=\d) (?=\d{3})", "", cell.translate(PLAIN).strip()) for cell in row] for row in rows]
    if not any("," in cell for row in cells for cell in row):
        return Decimals()
    if any(POINT.fullmatch(cell) and not WHOLE.fullmatch(cell) for row in cells for cell in row):
        return Decimals()
    comma = thousands = ""
    for column in zip(*(row for row in cells if len(row) == len(cells[0])), strict=True):
        known = [cell for cell in column if cell not in NULLS]
        if not all(COMMA.fullmatch(cell) or WHOLE.fullmatch(cell) for cell in known):
            continue
        sure = [cell for cell in known if COMMA.fullmatch(cell) and not UNCLEAR.fullmatch(cell)]
        comma = comma or (sure[0] if sure else "")
        thousands = thousands or next((cell for cell in sure if "." in cell), "")
    return Decimals(comma, thousands if comma else "")
