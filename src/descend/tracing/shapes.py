"""Arrays of the same cells in another shape, and arrays put together: reshape, transpose, stack, concatenate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from descend.tracing.facts import Facts
from descend.tracing.tape import Rows, Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, common_rows, handles, listed, traced


@handles(np.reshape, method="reshape")
def _reshape(
    tape: Tape, a: Value, *shape: Value, order: str = "C", newshape: Value = None, copy: Value = None
) -> Traced:
    a = as_traced(tape, a)
    shape_given = shape if len(shape) != 1 else shape[0]
    return reshaped(a, tuple(shape_given) if isinstance(shape_given, tuple | list) else (int(shape_given),), order)


def reshaped(array: Traced, shape: tuple[int, ...], order: str = "C") -> Traced:
    """Return a view of an array in another shape, whose rows are an axis of their own again."""
    if order not in ("C", "A"):
        raise UntraceableError("reads an array column by column")
    if array.axis is None:
        return array.view(array.shared().reshape(shape), None)
    if array.mask is not None:
        raise UntraceableError("reshapes some of the rows of the data")
    rows, inner = array.tape.rows, array.places.shape
    if -1 in shape:
        other_lengths = -math.prod(shape)
        shape = tuple(math.prod(inner) * rows // other_lengths if length == -1 else length for length in shape)
    if math.prod(shape) != math.prod(inner) * rows:
        raise ValueError(f"cannot reshape array of size {array.size} into shape {shape}")
    before = math.prod(inner[: array.axis])
    for axis_number, length in enumerate(shape):
        if length == rows and math.prod(shape[:axis_number]) == before:
            reshaped_places = array.shared().reshape((*shape[:axis_number], 1, *shape[axis_number + 1 :]))
            return array.view(reshaped_places, axis_number - len(shape))
    raise UntraceableError("puts the rows of the data in a row with other numbers")


@handles(np.ravel, method="ravel")
def _ravel(tape: Tape, a: Value, order: str = "C") -> Traced:
    array = as_traced(tape, a)
    return array.view(array.shared(), array.axis) if array.ndim == 1 else reshaped(array, (-1,), order)


@handles(method="flatten")
def _flatten(tape: Tape, a: Value, order: str = "C") -> Traced:
    flat = _ravel(tape, a, order)
    return flat.view(flat.places.copy(), flat.axis)


@handles(np.transpose, method="transpose")
def _transpose(tape: Tape, a: Value, *order: Value, axes: Value = None) -> Traced:
    axes_given = order[0] if len(order) == 1 else order or axes
    return _permuted(as_traced(tape, a), lambda array: np.transpose(array, axes_given))


@handles(np.squeeze, method="squeeze")
def _squeeze(tape: Tape, a: Value, axis: Value = None) -> Traced:
    a = as_traced(tape, a)
    lengths = enumerate(a.places.shape, -a.ndim)
    axes_given = tuple(place for place, length in lengths if length == 1 and place != a.axis) if axis is None else axis
    return _permuted(a, lambda array: np.squeeze(array, axes_given))


def _at_least(function: Value, tape: Tape, *arrays: Value) -> Value:
    results = tuple(_permuted(as_traced(tape, array), function) for array in arrays)
    return results[0] if len(results) == 1 else results


def _rearranged(function: Value, tape: Tape, a: Value, *arguments: Value, **options: Value) -> Traced:
    return _permuted(as_traced(tape, a), lambda array: function(array, *arguments, **options))


def _permuted(array: Traced, function: Value) -> Traced:
    """Return a view in which NumPy's function has moved or added axes."""
    if array.axis is None:
        return array.view(function(array.shared()), None)
    marker = function(np.empty([2 if axis == array.axis else 1 for axis in range(-array.ndim, 0)], dtype=bool))
    return array.view(function(array.shared()), marker.shape.index(2) - marker.ndim)


AT_LEAST: tuple[Value, ...] = (np.atleast_1d, np.atleast_2d)
REARRANGING: Mapping[Value, str | None] = {np.swapaxes: "swapaxes", np.moveaxis: None, np.expand_dims: None}
"""Functions that move or add axes, and the methods of arrays that do the same."""
for _function in AT_LEAST:
    handles(_function)(partial(_at_least, _function))
for _function, _method in REARRANGING.items():
    handles(_function, method=_method)(partial(_rearranged, _function))
Traced.T = property(lambda self: _transpose(self.tape, self))  # type: ignore[attr-defined]


@handles(np.broadcast_to)
def _broadcast_to(tape: Tape, array: Value, shape: Value, subok: bool = False) -> Traced:
    array = as_traced(tape, array)
    lengths = list(shape) if isinstance(shape, tuple | list) else [shape]
    counted = [axis_number - len(lengths) for axis_number, length in enumerate(lengths) if type(length) is Rows]
    axis = counted[0] if array.axis is None and counted else array.axis
    if axis is not None:
        if lengths[axis] != tape.rows:
            raise ValueError(f"cannot broadcast an array of shape {array.shape} to {tuple(lengths)}")
        lengths[axis] = 1
    return traced(tape, np.array(np.broadcast_to(array.places, lengths)), axis, array.mask)


@handles(np.stack)
def _stack(tape: Tape, arrays: Value, axis: int = 0, **_: Value) -> Traced:
    return stacked_along(tape, list(arrays), axis)


def stacked_along(tape: Tape, arrays: Sequence[Value], axis: int) -> Traced:
    """Return arrays of one shape put together along a new axis."""
    return _permuted(listed(tape, arrays), lambda array: np.moveaxis(array, 0, axis))


@handles(np.concatenate)
def _concatenate(tape: Tape, arrays: Value, axis: int | None = 0, **_: Value) -> Traced:
    arrays_traced = [as_traced(tape, array) for array in arrays]
    if axis is None:
        arrays_traced, axis = [_ravel(tape, array_traced) for array_traced in arrays_traced], 0
    if any(array_traced.mask is not None for array_traced in arrays_traced):
        return _rejoined(tape, arrays_traced)
    rows, _mask = common_rows(arrays_traced)
    ndim = max(array_traced.ndim for array_traced in arrays_traced)
    if rows is not None and axis % ndim == ndim + rows:
        raise UntraceableError("puts rows of the data after each other")
    if rows is not None and any(array_traced.axis is None for array_traced in arrays_traced):
        raise UntraceableError("puts an array of numbers beside one for each row")
    return traced(tape, np.concatenate([array_traced.places for array_traced in arrays_traced], axis), rows)


def _rejoined(tape: Tape, arrays_traced: list[Traced]) -> Traced:
    """Return the rows that were parted by conditions as one array again, which are in order if the data are sorted."""
    masks = [array_traced.mask for array_traced in arrays_traced]
    facts = Facts(tape.entries)
    for mask in masks:
        if mask is None or facts.known(mask) is (mask != masks[-1]):
            break
        if mask == masks[-1] and facts.known(mask) and all(array_traced.ndim == 1 for array_traced in arrays_traced):
            *first, cells = (int(array_traced.places.flat[0]) for array_traced in arrays_traced)
            for condition, condition_met in zip(masks[-2::-1], reversed(first), strict=True):
                cells = tape.choice(condition, condition_met, cells)  # type: ignore[arg-type]
            return Traced(tape, cells, -1)
        facts.learn(mask, False, tape.compares_numbers(mask))
    raise UntraceableError("puts rows of the data after each other")


@handles(np.append)
def _append(tape: Tape, arr: Value, values: Value, axis: int | None = None) -> Traced:
    return _concatenate(tape, (arr, values), axis)


@handles(np.vstack)
def _vstack(tape: Tape, tup: Value, **_: Value) -> Traced:
    return _concatenate(tape, [_at_least(np.atleast_2d, tape, array_given) for array_given in tup], 0)


@handles(np.hstack)
def _hstack(tape: Tape, tup: Value, **_: Value) -> Traced:
    arrays_traced = [_at_least(np.atleast_1d, tape, array_given) for array_given in tup]
    return _concatenate(tape, arrays_traced, 0 if arrays_traced[0].ndim == 1 else 1)


@handles(np.column_stack)
def _column_stack(tape: Tape, tup: Value) -> Traced:
    traced = [as_traced(tape, part) for part in tup]
    columns = [_permuted(part, lambda array: np.array(array, ndmin=2).T) if part.ndim < 2 else part for part in traced]
    return _concatenate(tape, columns, 1)


def _repeated(function: Value, tape: Tape, a: Value, *arguments: Value, **options: Value) -> Traced:
    array = as_traced(tape, a)
    if array.axis is not None:
        raise UntraceableError("repeats or moves rows of the data")
    return traced(tape, np.array(function(array.places, *arguments, **options)), None)


REPEATING: Mapping[Value, str | None] = {np.tile: None, np.repeat: "repeat", np.roll: None, np.flip: None}
"""Functions that repeat or move cells, and the method of arrays that does the same."""
for _function, _method in REPEATING.items():
    handles(_function, method=_method)(partial(_repeated, _function))
handles(np.shape)(lambda tape, a: a.shape)
handles(np.ndim)(lambda tape, a: a.ndim)


@handles(np.size)
def _size(tape: Tape, a: Traced, axis: int | None = None) -> int:
    return a.size if axis is None else a.shape[axis]


@handles(np.meshgrid)
def _meshgrid(tape: Tape, *xi: Value, indexing: str = "xy", **_: Value) -> list[Traced]:
    axes = [as_traced(tape, each) for each in xi]
    order = [1, 0, *range(2, len(axes))] if indexing == "xy" and len(axes) > 1 else list(range(len(axes)))
    lengths = [axes[axis_number].shape[0] for axis_number in order]
    grids = []
    for axis_number, axis in enumerate(axes):
        at = order.index(axis_number)
        column = reshaped(axis, tuple(axis.shape[0] if each == at else 1 for each in range(len(axes))))
        grids.append(_broadcast_to(tape, column, tuple(lengths)))
    return grids


@handles(np.take, method="take")
def _take(tape: Tape, a: Value, indices: Value, axis: int | None = None, **_: Value) -> Value:
    array = as_traced(tape, a)
    if axis is None:
        array, axis = _ravel(tape, array), 0
    return array[(*[slice(None)] * (axis % array.ndim), indices)]  # type: ignore[index]


def axes_of(array: Traced, axis: Value) -> tuple[int, ...]:
    """Return axes, counted from the first, as NumPy's arguments name them; None names all."""
    if axis is None:
        return tuple(range(array.ndim))
    axes_given = axis if isinstance(axis, tuple) else (axis,)
    if any(not -array.ndim <= each < array.ndim for each in axes_given):
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {array.ndim}")
    return tuple(each % array.ndim for each in axes_given)
