"""Cells of a column in memory: what kind they are of, and the numbers they stand for."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from descend.table.rows import Cells

KIND_OF_DTYPE = {
    **dict.fromkeys("fiu", "number"),
    **dict.fromkeys("UST", "text"),
    **dict.fromkeys("mM", "time"),
    "b": "boolean",
}
TIMES = (datetime.date, datetime.time, datetime.timedelta)


def kind_of_cells(cells: Cells) -> str:
    """Return ``number``, ``text``, ``boolean``, ``time`` or ``other`` for the cells of a column."""
    if cells.dtype.kind != "O":
        return KIND_OF_DTYPE.get(cells.dtype.kind, "other")
    if is_words(cells):
        return "text"
    kinds = {_kind_of_cell(cell) for cell in cells.tolist() if not absent(cell)}
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {"number", "boolean"}:
        return "number"
    return "text" if kinds <= {"number", "boolean", "text"} else "other"


def numbers_of(cells: Sequence[object]) -> tuple[NDArray[np.float64], list[int]]:
    """Return cells of any kind as float64, NaN for missing ones, and the positions of those that are not numbers."""
    words = {cell for cell in cells if isinstance(cell, str)}  # few, as a rule
    number_of_word: dict[object, float | None] = {word: _number(word) for word in words}
    numbers = [
        number_of_word[cell] if isinstance(cell, str) else math.nan if absent(cell) else _number(cell) for cell in cells
    ]
    bad = [position for position, number in enumerate(numbers) if number is None]
    return np.array(numbers, dtype=np.float64), bad


def _number(cell: object) -> float | None:
    """Return a cell as a number, None if it is none."""
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return math.inf


def absent(cell: object) -> bool:
    """Whether a cell is missing: None, NaN, or the mark pandas has for it."""
    if isinstance(cell, (float, np.floating)):
        return bool(cell != cell)
    return cell is None or type(cell).__name__ in ("NAType", "NaTType")


def is_words(cells: Cells) -> bool:
    """Whether an array of objects holds text, at least one, and otherwise only None, judging by the types of cells."""
    kinds = set(map(type, cells.tolist())) if cells.dtype.kind == "O" else set()
    return str in kinds and kinds <= {str, type(None)}


def _kind_of_cell(cell: object) -> str:
    if isinstance(cell, (bool, np.bool_)):
        return "boolean"
    if isinstance(cell, str):
        return "text"
    if isinstance(cell, TIMES):
        return "time"
    return "number" if hasattr(cell, "__float__") and not isinstance(cell, np.ndarray) else "other"
