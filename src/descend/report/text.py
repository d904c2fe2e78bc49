"""The fields of a fit as plain text, in colour where there is a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

from descend.constraints import FIXED
from descend.parameters import DIGITS, digits_of
from descend.report.fields import Field

MOST_PARAMETERS = 40
"""Parameters listed; the rest are counted."""
WIDTH = 100
STYLES = {
    "formula": "1",
    "parameter": "1",
    "success": "32",
    "partial": "33",
    "failure": "1;31",
    "advice": "2",
    "note": "2",
}
"""ANSI codes: bold, green, yellow, bold red, dim."""


def render(fields: Sequence[Field], colour: bool = False) -> str:
    """Return the fields as lines: the formula, the parameters with their standard errors, then the rest."""
    head = [styled(field.value, field.kind, colour) for field in fields if field.kind == "formula"]
    parameters = [field for field in fields if field.kind == "parameter"]
    rest = [field for field in fields if field.kind not in ("formula", "parameter")]
    return "\n".join([*head, "", *_parameters(parameters, colour), "", *_rest(rest, colour)])


def _parameters(fields: Sequence[Field], colour: bool) -> list[str]:
    listed = fields[:MOST_PARAMETERS]
    names = ["", *(field.label for field in listed)]
    shown = [digits_of(field.value[0], field.value[1], given=field.value[2] == FIXED) for field in listed]
    values = ["value", *aligned([field.value[0] for field in listed], shown)]
    columns = [names, values]
    if any(field.value[1] is not None for field in listed):
        columns.append(["std. error", *aligned([field.value[1] for field in listed], digits=3)])
    if len(listed[0].value) > 3:
        columns.append(["low", *aligned([field.value[3] for field in listed], shown)])
        columns.append(["high", *aligned([field.value[4] for field in listed], shown)])
    widths = [max(map(width, column)) for column in columns]
    marks = ["", *(field.value[2] for field in listed)]
    lines = []
    for number, row in enumerate(zip(*columns, strict=True)):
        name, value, *error = (
            pad(cell, size, right=place > 0) for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        cells = ["  " + name, styled(value, "parameter" if number else "advice", colour), *error, marks[number]]
        lines.append("   ".join(cells).rstrip())
    if len(fields) > len(listed):
        lines.append(f"  and {len(fields) - len(listed):,} more: see --json")
    return lines


def _rest(fields: Sequence[Field], colour: bool) -> list[str]:
    size = max(width(field.label) for field in fields)
    lines = []
    for field in fields:
        value = f"{field.value:.6g}" if field.kind == "number" else str(field.value)
        indent = " " * (size + 5)
        for number, line in enumerate(textwrap.wrap(value, WIDTH - len(indent), break_long_words=False) or [""]):
            begin = indent if number else f"  {pad(field.label, size)}   "
            lines.append((begin + styled(line, field.kind, colour)).rstrip())
    return lines


def aligned(values: Sequence[Any], digits: int | Sequence[int] = DIGITS) -> list[str]:
    """Write numbers so that their points stand below each other when set flush right."""
    each = [digits] * len(values) if isinstance(digits, int) else digits
    texts = ["" if value is None else f"{value:.{count}g}" for value, count in zip(values, each, strict=True)]
    after = [len(text) - len(text.partition(".")[0]) for text in texts]
    return [text + " " * (max(after) - behind) for text, behind in zip(texts, after, strict=True)]


def width(text: str) -> int:
    """Return how many places ``text`` takes on a terminal: two for each wide letter, such as Chinese."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text if not unicodedata.combining(letter)
    )


def pad(text: str, size: int, right: bool = False) -> str:
    """Fill ``text`` with blanks up to ``size`` places."""
    blanks = " " * (size - width(text))
    return blanks + text if right else text + blanks


def styled(text: str, kind: str, colour: bool) -> str:
    """Write ``text`` in the colour of its kind, if colours are shown."""
    return f"\033[{STYLES[kind]}m{text}\033[0m" if colour and kind in STYLES else text
