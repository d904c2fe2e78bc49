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

    def __init__(self, names: Sequence[str], matrix: Array, beside: Mapping[str, Cells] | None = None) -> None:
        super().__init__(zip(names, matrix.T, strict=True))
        self.listed, self.matrix = tuple(names), matrix
        self.pieces: dict[str, Array] = {}
        self.update(beside or {})

    def __reduce__(self) -> tuple[type[dict[str, Cells]], tuple[object, ...]]:
        # Once for all that share it: the matrix, or what rows were made of instead.
        if self.pieces:
            return dict, ({**self, **self.pieces},)
        return type(self), (self.listed, self.matrix, self.others())

    def beside(self, columns: Mapping[str, Cells]) -> Self:
        """Return the same with other columns, which may not be called as those of the matrix."""
        found = type(self)(self.listed, self.matrix, {**self.others(), **columns})
        found.pieces = self.pieces
        return found

    def taken(self, chosen: slice | Cells) -> Self:
        """Return some of the rows."""
        others = {name: column[chosen] for name, column in self.others().items()}
        return type(self)(self.listed, self.matrix[chosen], others)

    def laid_out(self, names: Iterable[str]) -> dict[str, Cells]:
        """Return some of the columns, those of the matrix each in one piece."""
        if not (names := tuple(names)):
            return {}
        places = {name: place for place, name in enumerate(self.listed)}
        wanted = [places[name] for name in names if name in places and name not in self.pieces]
        pieces = np.empty((len(wanted), len(self.matrix)))
        part = slice(None) if len(wanted) == len(places) and wanted == sorted(wanted) else wanted
        for first in range(0, len(self.matrix), BLOCK):  # ten times as fast as at once
            pieces[:, first : first + BLOCK] = self.matrix[first : first + BLOCK].T[part]
        self.pieces.update(zip([self.listed[place] for place in wanted], pieces, strict=True))
        return {name: self.pieces.get(name, self[name]) for name in names}

    def others(self) -> dict[str, Cells]:
        """Return the columns beside the matrix."""
        return dict(list(self.items())[len(self.listed) :])


def taken(columns: Mapping[str, Cells], chosen: slice | Cells) -> Mapping[str, Cells]:
    """Return some of the rows of columns."""
    if isinstance(columns, InMatrix):
        return columns.taken(chosen)
    return {name: column[chosen] for name, column in columns.items()}


def beside_matrix(columns: Mapping[str, Cells]) -> Mapping[str, Cells]:
    """Return the columns that do not lie in a matrix: all of them, where there is none."""
    return columns.others() if isinstance(columns, InMatrix) else columns
