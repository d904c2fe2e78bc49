"""Choices between values, row by row: where, select, piecewise, clip, and what NumPy says with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from descend.tracing.indexing import get, row_numbers
from descend.tracing.lookups import refuse_long
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import OPTIONS_OF_UFUNCS, Traced, as_traced, combined, handles
from descend.tracing.ufuncs import operation_of


def where(tape: Tape, condition: Value, value_if: Value, value_else: Value) -> Value:
    """Return one thing where a condition holds, and another elsewhere."""
    return combined(tape, "where", condition, value_if, value_else)


@handles(np.where)
def _where(tape: Tape, condition: Value, *choices: Value, x: Value = None, y: Value = None) -> Value:
    if not choices and x is None:
        return row_numbers(tape, condition)
    return where(tape, condition, *choices)


@handles(np.select)
def _select(tape: Tape, condlist: Sequence[Value], choicelist: Sequence[Value], default: Value = 0) -> Value:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(tape, condition, choice, result)
    return result


@handles(np.piecewise)
def _piecewise(tape: Tape, x: Value, condlist: Value, funclist: Value, *arguments: Value, **named: Value) -> Value:
    x = as_traced(tape, x)
    conditions = list(condlist) if isinstance(condlist, list | tuple) else [condlist]
    if len(funclist) == len(conditions) + 1:
        either = conditions[0]
        for condition in conditions[1:]:
            either = combined(tape, "or", either, condition)
        conditions.append(combined(tape, "not", either))
    if len(funclist) != len(conditions):
        raise ValueError(f"with {len(conditions)} condition(s), either that many functions are expected or one more")
    result = as_traced(tape, 0.0) if x.axis is None else combined(tape, "*", x, 0.0)
    for condition, piece in zip(conditions, funclist, strict=True):
        value = _of_rows(get(x, condition), arguments, named, piece)
        result = where(tape, condition, value, result)
    return result


def _of_rows(rows: Traced, rows_traced: Value, named: Value, piece: Value) -> Value:
    """Return what a piece gives for some of the rows, as a value that is asked for in these alone."""
    value = piece(rows, *rows_traced, **named) if callable(piece) else piece
    if isinstance(value, Traced) and value.mask is not None:
        if value.mask != rows.mask:
            raise ValueError("shape mismatch: the rows of a piece differ from those of its condition")
        return Traced(value.tape, int(value.places.flat[0]), value.axis)
    return value


@handles(np.isclose)
def _isclose(tape: Tape, a: Value, b: Value, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Value:
    distance = combined(tape, "abs", combined(tape, "-", a, b))
    allowed = combined(tape, "+", atol, combined(tape, "*", rtol, combined(tape, "abs", b)))
    return combined(tape, "<=", distance, allowed)


@handles(np.clip, method="clip")
def _clip(tape: Tape, a: Value, a_min: Value = None, a_max: Value = None, out: Value = None, **named: Value) -> Value:
    low, high = named.get("min", a_min), named.get("max", a_max)
    result = as_traced(tape, a) if low is None else combined(tape, "max", a, low)
    result = result if high is None else combined(tape, "min", result, high)
    return result if out is None else out.become(result)


def _with_options(
    tape: Tape, ufunc: np.ufunc, inputs: Value, out: Value = None, where: Value = True, **options: Value
) -> Value:
    """Call a function with the array for its result, or for some rows only."""
    if np.dtype(options.pop("dtype", None)) != float or options.keys() - {"casting", "order", "subok"}:
        raise UntraceableError(f"calls np.{ufunc.__name__} with {', '.join(options)}")
    operation: str | Callable[..., Value] = operation_of(ufunc)
    result = combined(tape, operation, *inputs) if isinstance(operation, str) else operation(*inputs)
    if out is None:
        if where is not True:
            raise UntraceableError(f"calls np.{ufunc.__name__} for some rows and leaves the others undefined")
        return result
    target = out[0]
    if not isinstance(target, Traced):
        raise UntraceableError("writes what depends on its arguments into an array of its own")
    return target.become(result if where is True else combined(tape, "where", where, result, target))


OPTIONS_OF_UFUNCS.append(_with_options)


@handles(np.interp)
def interpolated(
    tape: Tape, x: Value, xp: Value, fp: Value, left: Value = None, right: Value = None, period: Value = None
) -> Value:
    """Return the values between those of a table, as a choice between straight lines."""
    if period is not None:
        raise UntraceableError("calls np.interp with a period")
    at, values = list(xp), list(fp)
    refuse_long(at)
    if len(at) != len(values) or not at:
        raise ValueError("fp and xp are not of the same length.")
    lines = [
        (high - low) / (after - before) * (x - before) + low
        for before, after, low, high in zip(at, at[1:], values, values[1:], strict=False)
    ]
    value_between = _between(tape, x, at[1:-1], lines) if lines else values[0]
    below, above = (values[0] if left is None else left), (values[-1] if right is None else right)
    return where(tape, x < at[0], below, where(tape, x > at[-1], above, value_between))


def _between(tape: Tape, x: Value, knots: list[Value], pieces: list[Value]) -> Value:
    """Return the piece between whose knots a number lies, found by halving."""
    if not knots:
        return pieces[0]
    middle = len(knots) // 2
    below = _between(tape, x, knots[:middle], pieces[: middle + 1])
    return where(tape, x < knots[middle], below, _between(tape, x, knots[middle + 1 :], pieces[middle + 1 :]))
