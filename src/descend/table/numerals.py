"""Numbers as people and instruments write them, which SQL takes for text: 2.1D+03, −5, 1,234.5, 10.65%, $12.50."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descend.table.database import literal
from descend.table.layout import MINUS, SPACES, Decimals

CURRENCIES = "$€£¥"


@dataclass(frozen=True)
class Numeral:
    """How a column that is read as text writes its numbers.

    sign: what all cells have beside the number, such as ``%``. grouped: whether commas set off thousands.
    example: a cell with any of these.
    """

    sign: str = ""
    grouped: bool = False
    example: str = ""

    def note(self, name: str, source: str) -> str:
        """Say what of the cells was left out, where it may have a meaning; else nothing.

        >>> Numeral("%", example="10.65%").note("share", "a.csv")
        'numbers of `share` in a.csv are read without the sign `%`: 10.65% as 10.65'
        """
        if not self.example:
            return ""
        cell = self.example.strip()
        number_read = cell.replace(self.sign, "").replace("," if self.grouped else "", "").strip()
        how = f"without the sign `{self.sign}`" if self.sign else "with commas between thousands"
        return f"numbers of `{name}` in {source} are read {how}: {cell} as {number_read}"


def decimals_note(decimals: Decimals, source: str) -> str:
    """Say how a file with decimal commas is read."""
    cell_shown = decimals.thousands or decimals.comma
    number_read = (cell_shown.replace(".", "") if decimals.thousands else cell_shown).replace(",", ".")
    points = ", and points between thousands" if decimals.thousands else ""
    return f"numbers in {source} are read with decimal commas{points}: {cell_shown} as {number_read}"


def as_point(text: str, decimals: Decimals) -> str:
    """Return SQL for a text with a decimal point, given SQL for the text as it is in the file."""
    bare = f"replace({text}, '.', '')" if decimals.thousands else text
    return f"replace({bare}, ',', '.')" if decimals.comma else text


def as_plain(text: str, decimals: Decimals) -> str:
    """Return SQL for a text that SQL reads as a number, given SQL for the text as it is in the file.

    A cell that is not a number in any notation remains one that is not.
    """
    plain = f"translate({text}, {literal(SPACES + MINUS)}, {literal(' ' * len(SPACES) + '-' * len(MINUS))})"
    plain = f"regexp_replace(trim({plain}), '^([+-]?)\\s*[{CURRENCIES}]\\s*|\\s*[{CURRENCIES}%]$', '\\1')"
    marks = " ''’" if decimals.comma else ", ''’"
    groups = f"[+-]?\\d{{1,3}}([{marks}]\\d{{3}})+([.,]\\d*)?"
    bare = f"regexp_replace({plain}, '[{marks}]', '', 'g')"
    plain = f"CASE WHEN regexp_full_match({plain}, '{groups}') THEN {bare} ELSE {plain} END"
    return as_point(f"regexp_replace({plain}, '^([+-]?[0-9.,]+)[dD]([+-]?\\d+)$', '\\1e\\2')", decimals)


def counts(column: str, decimals: Decimals) -> str:
    """Return the SQL aggregates over a column of text by which `numeral` tells what it holds."""
    sign = f"regexp_extract({column}, '[{CURRENCIES}%]')"
    grouped = "false" if decimals.comma else f"regexp_matches({column}, '\\d,\\d{{3}}\\b')"
    return (
        f"count({column}), count(TRY_CAST({as_plain(column, decimals)} AS DOUBLE)), "
        f"count(*) FILTER ({sign} <> ''), count(DISTINCT {sign}), min({column}) FILTER ({sign} <> ''), "
        f"count(*) FILTER ({grouped}), min({column}) FILTER ({grouped}), "
        f"count(*) FILTER (regexp_matches({column}, '\\d\\.\\d|,\\d{{3}},'))"
    )


AGGREGATES = 8
"""How many values `counts` returns."""


def numeral(found: Sequence[object]) -> Numeral | None:
    """Return how a column writes numbers, from the values of its `counts`; None if it may not hold numbers.

    A percent or currency sign that stands in some cells only may change what they mean. Commas may mark
    decimals, unless some cell has a decimal point or two commas.
    """
    cells, numbers, signed, signs, with_sign, grouped, with_commas, clear = found
    if not cells or numbers != cells or signed not in (0, cells) or signs != 1 or (grouped and not clear):
        return None
    if signed:
        sign = next(sign for sign in CURRENCIES + "%" if sign in str(with_sign))
        return Numeral(sign, bool(grouped), str(with_sign))
    return Numeral("", bool(grouped), str(with_commas) if grouped else "")
