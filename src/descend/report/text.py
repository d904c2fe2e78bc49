"""The fields of a fit as plain text, in colour on a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Container, Iterator, Sequence

import numpy as np

from descend.parameters import DIGITS, FIXED, digits_of
from descend.report.field import Field
from descend.wording import worded

FIRST = 6
"""Groups whose values are listed where a parameter has many."""
MOST_PARAMETERS = 40
"""Most parameters listed; further ones are only counted."""
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


def render(fields: Sequence[Field], colour: bool = False, columns: int | None = None) -> str:
    """Return the fields as text: the formula, the parameters with their standard errors, then the rest.

    columns: length of a line; None if it is unknown, as in a file.
    """
    head = [styled(field.value, field.kind, colour) for field in fields if field.kind == "formula"]
    parameters = [field for field in fields if field.kind == "parameter"]
    others = [field for field in fields if field.kind not in ("formula", "parameter")]
    return "\n".join([*head, "", *_parameters(parameters, colour, columns), "", *_others(others, colour, columns)])


def _parameters(fields: Sequence[Field], colour: bool, columns: int | None) -> list[str]:
    some, spreads = _of_many(fields)
    parameter = some[:MOST_PARAMETERS]
    names = ["", *(field.label for field in parameter)]
    digits_shown = [digits_of(field.value[0], field.value[1], given=field.value[2] == FIXED) for field in parameter]
    table = [names, ["value", *aligned([field.value[0] for field in parameter], digits_shown)]]
    if any(field.value[1] is not None for field in parameter):
        table.append(["std. error", *aligned([field.value[1] for field in parameter], digits=3)])
    if parameter and len(parameter[0].value) > 3:
        table.append(["low", *aligned([field.value[3] for field in parameter], digits_shown)])
        table.append(["high", *aligned([field.value[4] for field in parameter], digits_shown)])
    if any(field.unit for field in parameter):
        table.append(["unit", *(field.unit for field in parameter)])
    marks = ["", *(field.value[2] for field in parameter)]
    lines = _side_by_side(table, marks, colour)
    if columns is not None and max(width(line) for line in _side_by_side(table, marks, False)) > columns:
        lines = below_each_other(table, marks, colour, columns)
    if len(some) > len(parameter):
        lines.append(f"  and {len(some) - len(parameter):,} more: {worded('more', 'see fit.parameters')}")
    return [*lines, *(f"  {text_line}" for text in spreads for text_line in folded(text, WIDTH - 2, "  ").split("\n"))]


def _of_many(fields: Sequence[Field]) -> tuple[list[Field], list[str]]:
    """Return the parameters to list, the first ones of those of many groups, and a sentence on the others of these."""
    groups: dict[str, list[float]] = {}
    fields_listed = []
    for field in fields:
        values = groups.setdefault(field.label.partition("[")[0], []) if field.many else []
        values.append(field.value[0])
        if len(values) <= FIRST:
            fields_listed.append(field)
    return fields_listed, [
        f"{name}: {len(values):,} values from {min(values):.6g} to {max(values):.6g}, median "
        f"{np.median(values):.6g}; all of them: {worded('more', f'fit.parameters[{name!r}]')}"
        for name, values in groups.items()
    ]


def _side_by_side(table: Sequence[Sequence[str]], marks: Sequence[str], colour: bool) -> list[str]:
    """Return a table as lines, with the mark of each row at its end."""
    widths = [max(map(width, column)) for column in table]
    lines = []
    for number, row in enumerate(zip(*table, strict=True)):
        name, value, *error = (
            pad(cell, size, right=place > 0) for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        cells = ["  " + name, styled(value, "parameter" if number else "advice", colour), *error, marks[number]]
        lines.append("   ".join(cells).rstrip())
    return lines


def below_each_other(table: Sequence[Sequence[str]], marks: Sequence[str], colour: bool, columns: int) -> list[str]:
    """Return a table too wide for the line as a list: the name of each row, then one cell per line."""
    heads, *rows = zip(*table, strict=True)
    size, lines = max(map(width, heads)), []
    for (name, *cells), mark in zip(rows, marks[1:], strict=True):
        lines += ["  " + name_line for name_line in textwrap.wrap(name + (f" ({mark})" if mark else ""), columns - 2)]
        cells_shown = [(head, cell.strip()) for head, cell in zip(heads[1:], cells, strict=True) if cell.strip()]
        for head, cell in cells_shown:
            lines.append(f"    {pad(head, size)}   {styled(cell, 'parameter' if head == 'value' else '', colour)}")
    return lines


def _others(fields: Sequence[Field], colour: bool, columns: int | None) -> list[str]:
    most = WIDTH if columns is None else min(WIDTH, columns)
    size = min(max(width(field.label) for field in fields), most // 3)
    indent, lines = " " * (size + 5), []
    for field in fields:
        value = f"{field.value:.6g}" if field.kind == "number" else str(field.value)
        begin = f"  {pad(field.label, size)}   "
        if width(field.label) > size:
            lines.append(f"  {field.label}")
            begin = indent
        for line in folded(value, most - len(indent)).split("\n"):
            lines.append((begin + styled(line, field.kind, colour)).rstrip())
            begin = indent
    return lines


def table(columns: Sequence[Sequence[str]], left: Container[int], gap: str) -> Iterator[str]:
    """Yield the lines of a table given by its columns. left: those that are set flush left; gap: between two."""
    widths = [max(map(width, column)) for column in columns]
    for row in zip(*columns, strict=True):
        cells = zip(row, widths, strict=True)
        yield gap.join(pad(cell, size, right=place not in left) for place, (cell, size) in enumerate(cells))


def folded(text: str, most: int, indent: str = "") -> str:
    """Break ``text`` after blanks into lines of at most ``most`` letters, all but the first indented."""
    lines = textwrap.wrap(text, most, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def aligned(values: Sequence[float | None], digits: int | Sequence[int] = DIGITS) -> list[str]:
    """Write numbers so that their decimal points line up when they are set flush right."""
    each = [digits] * len(values) if isinstance(digits, int) else digits
    texts = ["" if value is None else f"{value:.{count}g}" for value, count in zip(values, each, strict=True)]
    after = [len(text) - len(text.partition(".")[0]) for text in texts]
    return [text + " " * (max(after) - behind) for text, behind in zip(texts, after, strict=True)]


def width(text: str) -> int:
    """Return how many columns ``text`` takes on a terminal: two for each wide letter, such as Chinese."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text if not unicodedata.combining(letter)
    )


def pad(text: str, size: int, right: bool = False) -> str:
    """Fill ``text`` with blanks up to ``size`` columns."""
    blanks = " " * (size - width(text))
    return blanks + text if right else text + blanks


def styled(text: str, kind: str, colour: bool) -> str:
    """Return ``text`` in the colour of its kind, if colours are shown."""
    return f"\033[{STYLES[kind]}m{text}\033[0m" if colour and kind in STYLES else text
