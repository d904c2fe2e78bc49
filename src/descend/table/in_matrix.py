"""Columns that lie side by side in one matrix, as programs of machine learning hold their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Cells = NDArray[Any]
"""A column of numbers, text or anything else."""
BLOCK = 1_024
"""Rows of a matrix that are laid out as columns at a time: what is read of it stays in the cache."""


class InMatrix(dict[str, Cells]):
    """Columns by name: those of a matrix (n, k) of finite numbers, row by row in memory, and others beside it.

    Each of the former is a view with gaps, slow to read by itself. What needs all of them, such as ``w @ [*]``, reads
    the matrix as it lies; for anything else they can be `laid_out`.

    listed: the names of the columns of the matrix, in their order. pieces: those that were laid out so far.

    >>> columns = InMatrix(["x0", "x1"], np.array([[1.0, 2.0], [3.0, 4.0]])).beside({"y": np.array([5.0, 6.0])})
    >>> columns["x1"].tolist(), columns["y"].tolist(), columns.listed
    ([2.0, 4.0], [5.0, 6.0], ('x0', 'x1'))
    >>> columns.taken(slice(1, 2)).matrix
    array([[3., 4.]])
    >>> columns.laid_out(["x1"])["x1"].flags.c_contiguous
    True
    """

    def __init__(self, names: Sequence[str], matrix: Array, columns_beside: Mapping[str, Cells] | None = None) -> None:
        super().__init__(zip(names, matrix.T, strict=True))
        self.listed, self.matrix = tuple(names), matrix
        self.pieces: dict[str, Array] = {}
        self.update(columns_beside or {})

    def __reduce__(self) -> tuple[type[dict[str, Cells]], tuple[object, ...]]:
        # Once for all that share it: the matrix, or what rows were made of instead.
        if self.pieces:
            return dict, ({**self, **self.pieces},)
        return type(self), (self.listed, self.matrix, self.others())

    def beside(self, columns: Mapping[str, Cells]) -> Self:
        """Return the same with other columns, which may not be called as those of the matrix."""
        wider_matrix = type(self)(self.listed, self.matrix, {**self.others(), **columns})
        wider_matrix.pieces = self.pieces
        return wider_matrix

    def taken(self, rows_chosen: slice | Cells) -> Self:
        """Return some of the rows."""
        other_columns = {name: column[rows_chosen] for name, column in self.others().items()}
        return type(self)(self.listed, self.matrix[rows_chosen], other_columns)

    def laid_out(self, names: Iterable[str]) -> dict[str, Cells]:
        """Return some of the columns, those of the matrix each in one piece."""
        if not (names := tuple(names)):
            return {}
        matrix_columns = {name: column_number for column_number, name in enumerate(self.listed)}
        matrix = [matrix_columns[name] for name in names if name in matrix_columns and name not in self.pieces]
        pieces = np.empty((len(matrix), len(self.matrix)))
        matrix_slice = slice(None) if len(matrix) == len(matrix_columns) and matrix == sorted(matrix) else matrix
        for first in range(0, len(self.matrix), BLOCK):  # ten times as fast as at once
            pieces[:, first : first + BLOCK] = self.matrix[first : first + BLOCK].T[matrix_slice]
        self.pieces.update(zip([self.listed[column_number] for column_number in matrix], pieces, strict=True))
        return {name: self.pieces.get(name, self[name]) for name in names}

    def others(self) -> dict[str, Cells]:
        """Return the columns beside the matrix."""
        return dict(list(self.items())[len(self.listed) :])


def taken(columns: Mapping[str, Cells], rows_chosen: slice | Cells) -> Mapping[str, Cells]:
    """Return some of the rows of columns."""
    if isinstance(columns, InMatrix):
        return columns.taken(rows_chosen)
    return {name: column[rows_chosen] for name, column in columns.items()}


def beside_matrix(columns: Mapping[str, Cells]) -> Mapping[str, Cells]:
    """Return the columns that do not lie in a matrix: all of them, where there is none."""
    return columns.others() if isinstance(columns, InMatrix) else columns
