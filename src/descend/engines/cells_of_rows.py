"""Rows sorted into cells, the rows that share every group, and these into blocks that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]
NUMBERS = 65_536
"""Rows times cells of a block."""


@dataclass(frozen=True, eq=False)
class CellBlock:
    """Some cells as columns of arrays (rows, cells).

    begin, end: their places among all cells. omega: row weights, 0 where a cell has no row, or None if all are 1.
    """

    begin: int
    end: int
    columns: Mapping[str, Array]
    y: Array
    omega: Array | None


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells, those of few rows first. codes: (groupings, cells), which level of each grouping a cell belongs to."""

    codes: Places
    blocks: Sequence[CellBlock]

    @classmethod
    def of(cls, codes: Sequence[Places], columns: Mapping[str, Array], y: Array, omega: Array | None) -> Cells:
        """Sort rows into cells.

        codes: for each grouping, the level of each row.
        """
        order, ends = _sorted(codes)
        starts, sizes = ends[:-1], np.diff(ends)
        by_size = np.argsort(sizes, kind="stable")
        starts, sizes = starts[by_size], sizes[by_size]
        of_cells = np.array([code[order[starts]] for code in codes], dtype=np.intp)
        blocks = []
        for begin, end in _cut(sizes):
            index = order[starts[begin:end] + np.minimum(np.arange(sizes[end - 1])[:, None], sizes[begin:end] - 1)]
            weights = None if omega is None else omega[index]
            if sizes[begin] < sizes[end - 1]:  # a cell with fewer rows repeats its last, with the weight 0
                rows_present = (np.arange(sizes[end - 1])[:, None] < sizes[begin:end]).astype(np.float64)
                weights = rows_present if weights is None else weights * rows_present
            cut = {name: column[index] for name, column in columns.items()}
            blocks.append(CellBlock(begin, end, cut, y[index], weights))
        return cls(of_cells, blocks)

    @property
    def count(self) -> int:
        """The number of cells."""
        return int(self.codes.shape[1])


def _sorted(codes: Sequence[Places]) -> tuple[Places, Places]:
    """Return the order of rows that puts those of a cell beside each other, and where each cell begins, and the end."""
    rows = len(codes[0])
    order = np.arange(rows)
    for code in codes[::-1]:
        for digit in _digits(code):  # NumPy sorts numbers of 16 bits by counting them
            order = order[np.argsort(digit[order], kind="stable")]
    changes = np.zeros(max(rows - 1, 0), dtype=bool)
    for code in codes:
        sorted_code = code[order]
        changes |= sorted_code[1:] != sorted_code[:-1]
    return order, np.concatenate([[0], np.flatnonzero(changes) + 1, [rows]])


def _digits(code: Places) -> list[NDArray[np.uint16]]:
    """Return codes as digits of 16 bits, the lowest first."""
    digits = [(code & 0xFFFF).astype(np.uint16)]
    return digits if code.max(initial=0) <= 0xFFFF else [*digits, *_digits(code >> 16)]


def _cut(sizes: Places) -> list[tuple[int, int]]:
    """Cut cells sorted by size into blocks."""
    cuts, begin = [], 0
    while begin < len(sizes):
        ahead = sizes[begin : begin + NUMBERS]
        fitting = np.arange(1, len(ahead) + 1) * ahead <= NUMBERS
        end = begin + max(int(np.count_nonzero(fitting)), 1)
        cuts.append((begin, end))
        begin = end
    return cuts
