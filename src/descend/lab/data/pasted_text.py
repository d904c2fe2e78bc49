"""Rows pasted from a spreadsheet, or drawn: text that becomes a file like any other."""

from __future__ import annotations

import re

NUMBER = re.compile(r"\s*[+\-−]?(\d+([.,]\d*)?|[.,]\d+)(e[+\-]?\d+)?\s*", re.IGNORECASE)


def headed(text: str) -> str:
    """Return pasted text without empty lines, and with names for its columns if it has none: x, y, or x1, x2, ..., y.

    What separates cells, decimal commas and units in the header are left to the reader of files.

    >>> headed("0\\t1,5\\r\\n\\r\\n1\\t2,5\\r\\n")
    'x\\ty\\n0\\t1,5\\n1\\t2,5\\n'
    >>> headed("t (s);v\\n0;1\\n")
    't (s);v\\n0;1\\n'
    """
    lines = [
        line.rstrip("\r\n ") for line in text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    lines = [line.replace("−", "-") for line in lines if line.strip(" \t;,")]
    if not lines:
        return ""
    mark = next((each for each in ("\t", ";") if each in lines[0]), ",")
    cells = lines[0].split(mark)
    if all(NUMBER.fullmatch(cell) for cell in cells if cell.strip()):
        lines.insert(0, mark.join(_names(len(cells))))
    return "\n".join(lines) + "\n"


def _names(count: int) -> list[str]:
    if count <= 2:
        return ["x", "y"][2 - count :]
    return [*(f"x{column_number + 1}" for column_number in range(count - 1)), "y"]
