"""Which rows of the data the rows of a fit are: those that count, by the numbers that messages give them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Solution
from descend.inference.scored_rows import row_weights

Places = NDArray[np.intp]


def positions(solution: Solution) -> Places:
    """Return the position (from 0), among the rows that ``where`` leaves, of each row in memory that counts."""
    table, omega = solution.table, row_weights(solution)
    row_positions = np.arange(len(omega))
    if table is not None and solution.call().get("missing") == "drop":
        row_positions = np.flatnonzero(table.complete(tuple(solution.columns)))
    counted: Places = row_positions[omega > 0.0]
    return counted


def numbers(solution: Solution) -> Places:
    """Return the number (from 1), among the rows that ``where`` leaves, of each row that counts.

    Outliers that were left out keep theirs, too.
    """
    row_positions, outliers = positions(solution), solution.answers.get("outliers")
    if outliers is not None and outliers.dropped and len(row_positions):
        left = [each.row - 1 for each in outliers.rows]
        every = np.arange(int(row_positions[-1]) + len(left) + 1)
        row_positions = np.setdiff1d(every, left)[row_positions]
    return row_positions + 1


def said_place(solution: Solution, position: int) -> str:
    """Return where a row is in the data, such as ``row 4``."""
    place_text = "" if solution.table is None else solution.table.place(position)
    return place_text or f"row {position + 1}"
