"""Sums, products and the like along axes of traced arrays other than that of the rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np

from descend.tracing.creation import cast
from descend.tracing.shapes import axes_of, stacked_along
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import METHODS_OF_UFUNCS, Traced, as_traced, combined, handles, traced
from descend.tracing.ufuncs import operation_of

Pair = Callable[[Value, Value], Value]
"""What is done with two arrays, one after another."""
SUM = "sums over the rows of the data"
PRODUCT = "multiplies over the rows of the data"
LARGEST = "takes the largest of the rows of the data"
SMALLEST = "takes the smallest of the rows of the data"
MEAN = "takes the mean over the rows of the data"
SPREAD = "takes the spread of the rows of the data"
ANY = "asks whether something holds in any row of the data"
ALL = "asks whether something holds in all rows of the data"
RUNNING = "goes from row to row of the data"
BY_UFUNC = {"add": SUM, "multiply": PRODUCT, "maximum": LARGEST, "minimum": SMALLEST, "fmax": LARGEST, "fmin": SMALLEST}


def parts_of(array: Traced, axis: Value, words: str) -> list[Traced]:
    """Return the parts of an array along axes, in order. words: why there are none along the rows."""
    axes = axes_of(array, axis)
    row = None if array.axis is None else array.ndim + array.axis
    if row in axes:
        raise UntraceableError(words)
    moved_places = np.moveaxis(array.places, axes, range(len(axes)))
    after = None if array.axis is None else array.axis + sum(each > row for each in axes)  # type: ignore[operator]
    inner = moved_places.shape[len(axes) :]
    return [traced(array.tape, array_part, after, array.mask) for array_part in moved_places.reshape(-1, *inner)]


def _with_all_axes(array: Traced, result: Value, axis: Value, keepdims: bool) -> Value:
    """Return a result with axes of length 1 where others have gone, if so told."""
    if not keepdims:
        return result
    return traced(result.tape, np.expand_dims(result.places, axes_of(array, axis)), array.axis, result.mask)


def folded(array: Traced, axis: Value, pair: Pair, words: str, start: Value = None, keepdims: bool = False) -> Value:
    """Return what is left when the parts of an array along axes are put together, two at a time."""
    array_parts: list[Value] = parts_of(array, axis, words)
    if start is not None or not array_parts:
        array_parts.insert(0, as_traced(array.tape, start))
    result = array_parts[0]
    for array_part in array_parts[1:]:
        result = pair(result, array_part)
    return _with_all_axes(array, +result if len(array_parts) == 1 else result, axis, keepdims)


def _pair(tape: Tape, operation: str) -> Pair:
    return lambda one, other: combined(tape, operation, one, other)


def _numbers(tape: Tape, array: Value, where: Value, otherwise: float) -> Traced:
    """Return an array as numbers, with another number where something does not hold."""
    array = cast(tape, as_traced(tape, array), float)
    return array if where is True else combined(tape, "where", where, array, otherwise)


def _folded_numbers(
    operation: str,
    words: str,
    neutral: float,
    tape: Tape,
    a: Value,
    axis: Value = None,
    dtype: Value = None,
    out: None = None,
    keepdims: bool = False,
    initial: float | None = None,
    where: Value = True,
) -> Value:
    start = neutral if initial is None else initial
    return folded(_numbers(tape, a, where, neutral), axis, _pair(tape, operation), words, start, keepdims)


total = handles(np.sum, method="sum")(partial(_folded_numbers, "+", SUM, 0.0))
handles(np.prod, method="prod")(partial(_folded_numbers, "*", PRODUCT, 1.0))


def _folded_as(
    operation: str,
    words: str,
    kind: type | None,
    start: bool | None,
    tape: Tape,
    a: Value,
    axis: Value = None,
    out: None = None,
    keepdims: bool = False,
) -> Value:
    array = as_traced(tape, a) if kind is None else cast(tape, as_traced(tape, a), kind)
    return folded(array, axis, _pair(tape, operation), words, start, keepdims)


_max = handles(np.max, np.amax, method="max")(partial(_folded_as, "max", LARGEST, None, None))
_min = handles(np.min, np.amin, method="min")(partial(_folded_as, "min", SMALLEST, None, None))
handles(np.any, method="any")(partial(_folded_as, "or", ANY, bool, False))
handles(np.all, method="all")(partial(_folded_as, "and", ALL, bool, True))


@handles(np.mean, method="mean")
def mean(
    tape: Tape, a: Value, axis: Value = None, dtype: Value = None, out: None = None, keepdims: bool = False
) -> Value:
    """Return the mean along axes."""
    array = _numbers(tape, a, True, 0.0)
    count = len(parts_of(array, axis, MEAN))
    return total(tape, array, axis, keepdims=keepdims) / count


@handles(np.average)
def _average(tape: Tape, a: Value, axis: Value = None, weights: Value = None) -> Value:
    if weights is None:
        return mean(tape, a, axis)
    a, weights = as_traced(tape, a), as_traced(tape, weights)
    if axis is not None and weights.ndim == 1 < a.ndim:
        weights = traced(tape, weights.places.reshape(-1, *(1,) * (a.ndim - 1 - axis % a.ndim)), None)
    products = combined(tape, "*", a, weights)
    ones = combined(tape, "*", weights, combined(tape, "^", a, 0.0))
    return total(tape, products, axis) / total(tape, ones, axis)


@handles(np.var, method="var")
def variance(
    tape: Tape,
    a: Value,
    axis: Value = None,
    dtype: Value = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
) -> Value:
    """Return the variance along axes."""
    array = _numbers(tape, a, True, 0.0)
    count = len(parts_of(array, axis, SPREAD))
    deviation = combined(tape, "-", array, mean(tape, array, axis, keepdims=True))
    return total(tape, combined(tape, "^", deviation, 2.0), axis, keepdims=keepdims) / (count - ddof)


@handles(np.std, method="std")
def _std(tape: Tape, a: Value, axis: Value = None, **options: Value) -> Value:
    return combined(tape, "sqrt", variance(tape, a, axis, **options))


@handles(np.ptp)
def _ptp(tape: Tape, a: Value, axis: Value = None) -> Value:
    return _max(tape, a, axis) - _min(tape, a, axis)


def _cumulated(
    operation: str, tape: Tape, a: Value, axis: Value = None, dtype: Value = None, out: None = None
) -> Value:
    return _running(_numbers(tape, a, True, 0.0), axis, _pair(tape, operation))


handles(np.cumsum, method="cumsum")(partial(_cumulated, "+"))
handles(np.cumprod, method="cumprod")(partial(_cumulated, "*"))


def _running(array: Traced, axis: int | None, pair: Pair) -> Value:
    """Return what an array has come to at each part along an axis."""
    if axis is None and array.ndim > 1:
        raise UntraceableError("goes through an array of several axes as one row")
    results: list[Value] = []
    for array_part in parts_of(array, axis or 0, RUNNING):
        results.append(pair(results[-1], array_part) if results else array_part)
    return stacked_along(array.tape, results, axis or 0)


@handles(np.diff)
def _diff(tape: Tape, a: Value, n: int = 1, axis: int = -1) -> Value:
    array = _numbers(tape, a, True, 0.0)
    for _ in range(n):
        array_parts = parts_of(array, axis, RUNNING)
        steps = [combined(tape, "-", after, before) for before, after in itertools.pairwise(array_parts)]
        array = stacked_along(tape, steps, axis)
    return array


@handles(np.trapezoid, getattr(np, "trapz", np.trapezoid))
def _trapezoid(tape: Tape, y: Value, x: Value = None, dx: Value = 1.0, axis: int = -1) -> Value:
    y = as_traced(tape, y)
    array_parts, result = parts_of(y, axis, SUM), as_traced(tape, 0.0)
    if x is None:
        widths: list[Value] = [dx] * (len(array_parts) - 1)
    else:
        x = as_traced(tape, x)
        ends = parts_of(x, 0 if x.ndim == 1 else axis, SUM)
        widths = [combined(tape, "-", after, before) for before, after in itertools.pairwise(ends)]
    for width, before, after in zip(widths, array_parts, array_parts[1:], strict=False):
        area = combined(tape, "*", width, combined(tape, "+", before, after))
        result = combined(tape, "+", result, combined(tape, "/", area, 2.0))
    return result


def _reduce(
    tape: Tape,
    ufunc: np.ufunc,
    array: Value,
    axis: Value = 0,
    dtype: Value = None,
    out: None = None,
    keepdims: bool = False,
    initial: Value = None,
    where: Value = True,
) -> Value:
    words = BY_UFUNC.get(ufunc.__name__, RUNNING)
    array = as_traced(tape, array)
    if where is not True:
        raise UntraceableError(f"calls np.{ufunc.__name__}.reduce for some cells only")
    if ufunc in (np.add, np.multiply):
        array = cast(tape, array, float)
    return folded(array, axis, _pair_of(tape, ufunc), words, initial, keepdims)


def _accumulate(
    tape: Tape, ufunc: np.ufunc, array: Value, axis: int = 0, dtype: Value = None, out: None = None
) -> Value:
    return _running(as_traced(tape, array), axis, _pair_of(tape, ufunc))


def _outer(tape: Tape, ufunc: np.ufunc, left_array: Value, right_array: Value, /, **_: Value) -> Value:
    left_array, right_array = as_traced(tape, left_array), as_traced(tape, right_array)
    outer_places = left_array.places.reshape(*left_array.places.shape, *(1,) * right_array.ndim)
    axis = None if left_array.axis is None else left_array.axis - right_array.ndim
    return _pair_of(tape, ufunc)(traced(tape, outer_places, axis, left_array.mask), right_array)


def _pair_of(tape: Tape, ufunc: np.ufunc) -> Pair:
    operation = operation_of(ufunc)
    return _pair(tape, operation) if isinstance(operation, str) else operation


def _untraced(method: str) -> Callable[..., Value]:
    def refuse(tape: Tape, ufunc: np.ufunc, *_: Value, **__: Value) -> Value:
        raise UntraceableError(f"calls np.{ufunc.__name__}.{method}")

    return refuse


METHODS_OF_UFUNCS.update(reduce=_reduce, accumulate=_accumulate, outer=_outer, at=_untraced("at"))
METHODS_OF_UFUNCS.update(reduceat=_untraced("reduceat"))
