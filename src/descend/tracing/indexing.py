"""Cells of traced arrays by their places, and rows by conditions: x[:, 0], x[:, None], x[x > 0], y[x > 0] = a."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

import numpy as np
from numpy.typing import NDArray

from descend.tracing.lookups import WholeNumber, looked_up
from descend.tracing.tape import EachRow, Rows, Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, combined, common_rows, handles, traced

FEW = 3
"""Rows of a small array that NumPy indexes in place of the traced one, to see where its axis of rows goes."""
Picked = NDArray[np.intp]


class RowNumbers:
    """The numbers of the rows where a condition holds, which only serve to choose these rows."""

    __slots__ = ("condition",)

    def __init__(self, condition: Traced) -> None:
        self.condition = condition

    def __array__(self, dtype: Value = None, copy: bool | None = None) -> Value:
        raise UntraceableError(f"asks for the numbers of the rows where {self.condition}")


class Selection:
    """What an index picks out of an array.

    cells: the numbers of the picked cells, in the order of the array; axis: their axis of rows, None also if they are
    those of any one row. condition: of the rows that are picked, or None if all are; basic: whether the picked cells
    are a view rather than a copy.
    """

    __slots__ = ("axis", "basic", "cells", "condition")

    def __init__(self, array: Traced, index: Value) -> None:
        entries, self.condition = _without_mask(array, _expanded(array, index))
        self.basic = all(entry is None or isinstance(entry, int | np.integer | slice) for entry in entries)
        shape = list(array.places.shape)
        numbers = np.arange(array.places.size).reshape(shape)
        if array.axis is None or type(entries[_entry_of_rows(array, entries)]) is EachRow:
            self.cells, self.axis = numbers[entries], None
            return
        shape[array.axis] = FEW
        row = np.arange(FEW).reshape(FEW, *(1,) * (-array.axis - 1))
        rows = np.broadcast_to(row, shape)[entries]
        along = [axis for axis in range(rows.ndim) if (np.diff(rows, axis=axis) != 0).any()]
        if not along:
            raise UntraceableError("takes no cells at all of an array")
        self.cells = np.broadcast_to(numbers, shape)[entries].take([0], axis=along[0])
        self.axis = along[0] - rows.ndim


def _expanded(array: Traced, index: Value) -> list[Value]:
    """Return the entries of an index, with an entry for each axis, and what chooses rows as a traced condition."""
    index_entries = list(index) if isinstance(index, tuple) else [index]
    entries = [entry.condition if isinstance(entry, RowNumbers) else _plain(entry) for entry in index_entries]
    indexed = sum(_axes(entry) for entry in entries)
    if indexed > array.ndim:
        raise IndexError(f"too many indices for array: array is {array.ndim}-dimensional, but {indexed} were indexed")
    if sum(isinstance(entry, EllipsisType) for entry in entries) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    free_axes = [slice(None)] * (array.ndim - indexed)
    for entry_number, entry in enumerate(entries):
        if isinstance(entry, EllipsisType):
            return [*entries[:entry_number], *free_axes, *entries[entry_number + 1 :]]
    return [*entries, *free_axes]


def _plain(entry: Value) -> Value:
    """Return an entry of an index as NumPy has it: lists as arrays."""
    if isinstance(entry, list | range):
        if any(isinstance(each, Traced) for each in entry):
            raise UntraceableError("takes cells of an array whose places depend on its arguments")
        return np.asarray(entry, dtype=None if len(entry) else np.intp)
    if isinstance(entry, Traced) and not entry.logical:
        raise UntraceableError(f"takes the cell of an array at the place {entry}")
    return entry


def _axes(entry: Value) -> int:
    """Return how many axes an entry of an index stands for."""
    if entry is None or isinstance(entry, EllipsisType):
        return 0
    return entry.ndim if isinstance(entry, Traced) or getattr(entry, "dtype", None) == np.bool_ else 1


def _without_mask(array: Traced, entries: list[Value]) -> tuple[tuple[Value, ...], Traced | None]:
    """Return the entries for a small array in place of this one, and the condition that chooses rows."""
    index_entries: list[Value] = []
    condition, axis, row_axis = None, 0, -1 if array.axis is None else array.ndim + array.axis
    for entry in entries:
        count = _axes(entry)
        along = axis <= row_axis < axis + count
        if isinstance(entry, Traced):
            if not along or entry.ndim != 1 or entry.axis is None:
                raise UntraceableError("chooses cells of an array, not rows, by a condition")
            if entry.mask != array.mask:
                raise IndexError("boolean index did not match indexed array")
            condition, entry = entry, np.ones(FEW, dtype=bool)
        elif along and type(entry) is EachRow and array.mask is None:
            entry = EachRow(0)
        elif along and not _all_rows(entry):
            raise UntraceableError("takes rows of the data by their numbers")
        axis += count
        index_entries.append(entry)
    return tuple(index_entries), condition


def _entry_of_rows(array: Traced, entries: Sequence[Value]) -> int:
    """Return the place of the entry of an index that stands for the rows."""
    axis = 0
    for entry_number, entry in enumerate(entries):
        axis += _axes(entry)
        if axis > array.ndim + (array.axis or 0):
            return entry_number
    raise AssertionError("an index has an entry for each axis")


def _all_rows(entry: Value) -> bool:
    """Whether an entry of an index stands for all rows: the number of them, too, is known only as such."""
    if not isinstance(entry, slice) or entry.start not in (None, 0) or entry.step not in (None, 1):
        return False
    return entry.stop is None or type(entry.stop) is Rows


def get(array: Traced, index: Value) -> Traced:
    """Return the cells, or the rows, that an index picks: a view of the array where NumPy has one."""
    if _rows_of_one(array, index):
        return traced(array.tape, array.places, -1, index.cells)
    if isinstance(index, WholeNumber) and array.axis != -array.ndim:
        return looked_up(array.tape, index, array)  # type: ignore[no-any-return]
    selection = Selection(array, index)
    if selection.basic:
        return array.view(array.shared()[tuple(_expanded(array, index))], selection.axis)
    mask = array.mask if selection.condition is None else _rows_within(array, selection.condition)
    return traced(array.tape, array.places.reshape(-1)[selection.cells], selection.axis, mask)


def _rows_of_one(array: Traced, index: Value) -> bool:
    """Whether an index chooses rows of a single column, which is quickly done."""
    return (
        type(index) is Traced
        and index.axis is not None
        and array.axis is not None
        and type(index.cells) is int
        and type(array.cells) is int
        and index.cells in array.tape.truths
    )


def _rows_within(array: Traced, condition: Traced) -> int:
    """Return the condition of those rows of an array in which another one holds."""
    truth_place = array.tape.truth(int(condition.places.flat[0]))
    return truth_place if array.mask is None else array.tape.apply("and", array.mask, truth_place)


def put(array: Traced, index: Value, value: Value) -> None:
    """Set the cells, or the rows, that an index picks."""
    if not array.ndim:
        raise TypeError("'float' object does not support item assignment")
    value = as_traced(array.tape, value)
    if isinstance(index, Traced) and index.ndim == array.ndim > 1:
        return overwrite(array, value, index)
    selection = Selection(array, index)
    mask = array.mask if selection.condition is None else _rows_within(array, selection.condition)
    if value.axis is not None and (value.axis != selection.axis or value.mask != mask):
        raise ValueError("NumPy boolean array indexing assignment: the rows of both sides differ")
    common_rows([value, traced(array.tape, selection.cells, selection.axis, mask)])
    places_put = np.broadcast_to(_trimmed(value.places, selection.cells.ndim), selection.cells.shape).ravel().tolist()
    tape, convert = array.tape, array.tape.truth if array.logical else array.tape.numeric
    cells = array.places.ravel()
    for number, tape_place in zip(selection.cells.ravel().tolist(), places_put, strict=True):
        before, tape_place = int(cells[number]), convert(tape_place)
        if selection.condition is not None:
            tape_place = tape.choice(tape.truth(int(selection.condition.places.flat[0])), tape_place, before)
        cells[number] = tape_place
    _replace(array, cells)


def _trimmed(picked_places: Picked, ndim: int) -> Picked:
    """Return places without leading axes of length 1 that their target does not have."""
    while picked_places.ndim > ndim and picked_places.shape[0] == 1:
        picked_places = picked_places[0]
    return picked_places


def _replace(array: Traced, cells: Picked) -> None:
    if type(array.cells) is int:
        array.cells = int(cells[0])
    else:
        array.cells[...] = cells.reshape(array.cells.shape)  # type: ignore[index,union-attr]


def overwrite(array: Traced, value: Value, condition: Value) -> None:
    """Set an array to what it is told where a condition holds, cell by cell."""
    result = combined(array.tape, "where", condition, value, array)
    array.become(result)


setattr(Traced, "__getitem__", get)  # noqa: B010 - as operators are set
setattr(Traced, "__setitem__", put)  # noqa: B010


@handles(np.nonzero, method="nonzero")
def row_numbers(tape: Tape, a: Value) -> tuple[RowNumbers]:
    """Return the rows where a condition holds, as an index."""
    if a.axis is None or a.ndim != 1:
        raise UntraceableError("asks which numbers of an array are not 0")
    return (RowNumbers(a if a.logical else combined(tape, "!=", a, 0.0)),)


@handles(np.flatnonzero)
def _flatnonzero(tape: Tape, a: Value) -> RowNumbers:
    return row_numbers(tape, a)[0]


@handles(np.extract)
def _extract(tape: Tape, condition: Traced, arr: Value) -> Traced:
    return get(as_traced(tape, arr), condition)


@handles(np.putmask)
def _putmask(tape: Tape, a: Value, mask: Value, values: Value) -> None:
    overwrite(_target(a), values, mask)


@handles(np.place)
def _place(tape: Tape, arr: Value, mask: Value, vals: Value) -> None:
    values = as_traced(tape, vals)
    if values.mask is None and values.axis is not None:
        raise UntraceableError("puts the first rows of an array in place of others")
    put(_target(arr), mask, values)


@handles(np.copyto)
def _copyto(tape: Tape, dst: Value, src: Value, casting: str = "same_kind", where: Value = True) -> None:
    overwrite(_target(dst), src, where)


def _target(array: Value) -> Traced:
    if not isinstance(array, Traced):
        raise UntraceableError("writes what depends on the parameters into an array of its own")
    return array
