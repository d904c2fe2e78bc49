"""Cells that say that a number lies below or above a limit: `<0.5`, `> 100`, `<=3`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
LIMIT = re.compile(rf"\s*(<|>|≤|≥|<=|>=)\s*({NUMBER})\s*")
LEFT_SIGNS, STRICT_SIGNS = ("<", "<=", "≤"), ("<", ">")


def is_limit(cell: object) -> bool:
    """Whether a cell is a limit.

    >>> is_limit("<0.5"), is_limit(">= 1e3"), is_limit("<LOD"), is_limit("0.5")
    (True, True, False, False)
    """
    return LIMIT.fullmatch(str(cell)) is not None


@dataclass(frozen=True)
class Limits:
    """A column of numbers and limits. values: (rows,) of both, NaN where a cell is missing.

    side: -1 where the cell says "less than", 1 where "more than", 0 elsewhere. strict: whether the limit itself is left
    out. example: the first such cell.
    """

    values: NDArray[np.float64]
    side: NDArray[np.float64]
    strict: NDArray[np.bool_]
    example: str


def limits_of(cells: NDArray[np.object_], name: str, source: str, cell_place: Callable[[int], str]) -> Limits:
    """Read a column of numbers and limits, given as text; place: says where a row is.

    Raises DataError for a cell that is neither.
    """
    values, side = np.full(len(cells), np.nan), np.zeros(len(cells))
    strict, example = np.zeros(len(cells), dtype=bool), ""
    for row, cell in enumerate(cells.tolist()):
        if cell is None or not str(cell).strip():
            continue
        limit_match = LIMIT.fullmatch(cell)
        if limit_match is None:
            values[row] = _number(cell, f"`{name}` in {source} holds {cell!r} in {cell_place(row)}")
            continue
        sign, number = limit_match.groups()
        example = example or cell.strip()
        values[row], side[row], strict[row] = float(number), -1.0 if sign in LEFT_SIGNS else 1.0, sign in STRICT_SIGNS
    return Limits(values, side, strict, example)


def _number(cell: str, start: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise DataError(f"{start}, which is neither a number nor a limit such as <0.5 or >100. Correct it.") from None
