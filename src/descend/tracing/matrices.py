"""Norms, and determinants, inverses and solutions of small matrices, by Cramer's rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.tracing.indexing import get
from descend.tracing.shapes import stacked_along
from descend.tracing.sums import total
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import as_traced, combined, handles

LARGEST = 4
"""Rows and columns of a matrix: the determinant of a larger one has more than a hundred terms."""
Matrix = Sequence[Sequence[Value]]
"""The cells of a matrix, each one array."""


@handles(np.linalg.norm)
def _norm(tape: Tape, x: Value, ord: Value = None, axis: Value = None, keepdims: bool = False) -> Value:
    x = as_traced(tape, x)
    single = axis is not None and not isinstance(axis, tuple)
    if ord is None or (ord == 2 and (single or x.ndim == 1)):
        return combined(tape, "sqrt", total(tape, combined(tape, "^", x, 2.0), axis, keepdims=keepdims))
    if ord == 1 and (single or x.ndim == 1):
        return total(tape, combined(tape, "abs", x), axis, keepdims=keepdims)
    raise UntraceableError(f"calls np.linalg.norm of order {ord}")


def _cells(tape: Tape, matrix: Value) -> Matrix:
    """Return the cells of a matrix, or of one for each row of the data."""
    array = as_traced(tape, matrix)
    if array.ndim < 2 or array.places.shape[-1] != array.places.shape[-2] or (array.axis or -3) > -3:
        raise UntraceableError("solves equations of which there are as many as rows of the data")
    size = array.places.shape[-1]
    if size > LARGEST:
        raise UntraceableError(f"solves {size} equations at once, too many for a formula")
    return [[get(array, (..., row, column)) for column in range(size)] for row in range(size)]


def _determinant(tape: Tape, cells: Matrix) -> Value:
    """Return a determinant, expanded along the first row."""
    if len(cells) == 1:
        return cells[0][0]
    result = None
    for column, cell in enumerate(cells[0]):
        cell_times_minor = combined(tape, "*", cell, _determinant(tape, _minor(cells, 0, column)))
        sign = "-" if column % 2 else "+"
        result = cell_times_minor if result is None else combined(tape, sign, result, cell_times_minor)
    return result


def _minor(cells: Matrix, row: int, column: int) -> Matrix:
    """Return a matrix without one of its rows and one of its columns."""
    return [[*line[:column], *line[column + 1 :]] for row_number, line in enumerate(cells) if row_number != row]


@handles(np.linalg.det)
def _det(tape: Tape, a: Value) -> Value:
    return _determinant(tape, _cells(tape, a))


@handles(np.linalg.solve)
def _solve(tape: Tape, a: Value, b: Value) -> Value:
    cells, right = _cells(tape, a), as_traced(tape, b)
    if right.ndim != 1 or right.axis is not None:
        raise UntraceableError("calls np.linalg.solve with more than one right side")
    determinant = _determinant(tape, cells)
    solution_cells = []
    for column in range(len(cells)):
        replaced = [[*line[:column], get(right, row), *line[column + 1 :]] for row, line in enumerate(cells)]
        solution_cells.append(combined(tape, "/", _determinant(tape, replaced), determinant))
    return stacked_along(tape, solution_cells, -1)


@handles(np.linalg.inv)
def _inv(tape: Tape, a: Value) -> Value:
    cells = _cells(tape, a)
    determinant, row_numbers = _determinant(tape, cells), range(len(cells))
    if len(cells) == 1:
        return combined(tape, "/", 1.0, as_traced(tape, a))
    lines = []
    for row in row_numbers:
        minors = [_determinant(tape, _minor(cells, column, row)) for column in row_numbers]
        signed = [combined(tape, "*", each, -1.0) if (row + at) % 2 else each for at, each in enumerate(minors)]
        lines.append(stacked_along(tape, [combined(tape, "/", each, determinant) for each in signed], -1))
    return stacked_along(tape, lines, -2)
