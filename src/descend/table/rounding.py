"""Numbers with more digits than float64 has, such as long identifiers and times in nanoseconds: what rounding does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from descend.errors import DataError

EPS = float(np.finfo(np.float64).eps)
NEGLIGIBLE = 1e-9
"""Share of a column's range by which rounding may change a decimal cell without a word."""
SHOWN = 40
"""Digits of a number shown in a message."""


@dataclass(frozen=True)
class Rounded:
    """What float64 loses of a column.

    changed: how many cells it rounds. place: the row of the first of them, empty if rows have no order. cell: that cell
    as it was written. alike: whether cells that differ all become one number.
    """

    changed: int
    place: str
    cell: str
    alike: bool


def note_of(name: str, source: str, rounded: Rounded) -> str:
    """Say what is lost of a column. Raises DataError where all of its differences vanish."""
    cell = rounded.cell if len(rounded.cell) <= SHOWN else rounded.cell[: SHOWN - 3] + "..."
    where = f" in {rounded.place}" if rounded.place else ""
    if rounded.alike:
        raise DataError(
            f"The numbers in `{name}` of {source} differ only in digits beyond the 15 to 17 that a float has, so all "
            f"become one number; the first is {cell}{where}. Subtract a constant from the column in the data first."
        )
    other_cells = (
        f" and {rounded.changed - 1:,} others"
        if rounded.changed > 2
        else " and one other"
        if rounded.changed == 2
        else ""
    )
    were = "was" if rounded.changed == 1 else "were"
    return (
        f"`{name}` has more digits than the 15 to 17 of a float: {cell}{where}{other_cells} {were} rounded. If such "
        "differences matter, subtract a constant from the column in the data first"
    )


def rounded_cells(cells: npt.NDArray[Any], cell_place: Callable[[int], str]) -> Rounded | None:
    """Return what float64 loses of exact numbers in memory; None if nothing. place: returns the words for a row."""
    if cells.dtype.kind in "iu":
        floats = cells.astype(np.float64)
        # A number rounded up past the largest integer cannot be converted back.
        back = floats < float(np.iinfo(cells.dtype).max)
        changed = np.flatnonzero(~back | (np.where(back, floats, 0.0).astype(cells.dtype) != cells))
        smallest, largest = int(cells.min()), int(cells.max())
    else:
        exact = [cell for cell in cells.tolist() if _is_exact(cell)]
        if not exact:
            return None
        changed = np.flatnonzero([_is_exact(cell) and _is_rounded(cell) for cell in cells.tolist()])
        smallest, largest = min(exact), max(exact)
    if not changed.size or not matters(smallest, largest):
        return None
    first = int(changed[0])
    return Rounded(int(changed.size), cell_place(first), str(cells[first]), alike(smallest, largest))


def matters(smallest: Any, largest: Any) -> bool:
    """Return whether rounding in a column of this range is worth a note: for integers always, as each digit counts.

    Decimals such as 1/3 to 20 places are rounded too; that says nothing unless they lie close together far from 0.

    >>> matters(2**60, 2**61), matters(Decimal("0.1"), Decimal("0.3")), matters(Decimal(2**60), Decimal(2**60 + 9))
    (True, False, True)
    """
    if not isinstance(smallest, Decimal) and not isinstance(largest, Decimal):
        return True
    size = max(abs(smallest), abs(largest))
    return bool(float(size) * EPS > NEGLIGIBLE * float(largest - smallest))


def alike(smallest: int | Decimal, largest: int | Decimal) -> bool:
    """Return whether different numbers, such as the smallest and the largest of a column, are one and the same float.

    >>> alike(2**60, 2**60 + 1), alike(1, 2), alike(2**60, 2**60)
    (True, False, False)
    """
    return bool(smallest != largest and float(smallest) == float(largest))


def _is_exact(cell: object) -> bool:
    if isinstance(cell, Decimal):
        return cell.is_finite()
    return isinstance(cell, (int, np.integer)) and not isinstance(cell, bool)


def _is_rounded(cell: int | Decimal) -> bool:
    try:
        number = float(cell)
    except OverflowError:
        return False  # infinite, which is told otherwise
    # Nothing is lost of a decimal such as 0.1: its float is written the same.
    return bool(Decimal(repr(number)) != (cell if isinstance(cell, Decimal) else int(cell)))
