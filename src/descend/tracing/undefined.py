"""Where numbers are undefined, NaN or infinite: isnan, isfinite, nan_to_num, fmin and fmax.

Of each operation it is known where it has no value: log(u) and sqrt(u) where u < 0, u/v where both are 0. So a test
for NaN is traced as a condition on the parameters and columns. Overflow is left aside.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.tracing.sums import total
from descend.tracing.tape import NEVER_NAN, Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, combined, handles, traced
from descend.tracing.ufuncs import in_words

BELOW = {
    **dict.fromkeys(("sqrt", "log", "log2", "log10"), 0.0),
    **dict.fromkeys(("log1p", "asin", "acos", "atanh"), -1.0),
    "acosh": 1.0,
}
ABOVE = dict.fromkeys(("asin", "acos", "atanh"), 1.0)
"""The arguments of functions below or above which they have no value."""
SIDES = (("<", BELOW), (">", ABOVE))
INFINITE_AT = {"log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0}


def nan_at(tape: Tape, tape_place: int) -> int:
    """Return the condition under which what stands at a place is NaN."""
    if tape.never_nan(tape_place):
        return tape.logical_constant(False)
    operation, *operands = tape.entries[tape_place]
    if operation == "where":
        condition, place_if, place_else = operands
        return tape.choice(condition, nan_at(tape, place_if), nan_at(tape, place_else))
    conditions = [nan_at(tape, operand) for operand in operands]
    first = operands[0]
    zero = tape.number(0.0)
    if operation == "/":
        both = (tape.apply("==", operand, zero) for operand in operands)
        conditions.append(tape.apply("and", *both))
    elif operation == "^":
        exponent = tape.numbers.get(operands[1])
        if exponent is None or not exponent.is_integer():
            conditions.append(tape.apply("<", first, zero))
    elif operation in BELOW or operation in ABOVE:
        conditions += [tape.apply(sign, first, tape.number(end[operation])) for sign, end in SIDES if operation in end]
    elif operation not in NEVER_NAN:
        raise UntraceableError(f"asks where `{operation}` has no value")
    return _any(tape, conditions)


def infinite_at(tape: Tape, tape_place: int) -> int:
    """Return the condition under which what stands at a place is infinite, unless it overflows."""
    operation, *operands = tape.entries[tape_place]
    if operation in ("column", "parameter", "component", "number") or tape_place in tape.truths:
        return tape.logical_constant(False)
    if operation == "where":
        condition, place_if, place_else = operands
        return tape.choice(condition, infinite_at(tape, place_if), infinite_at(tape, place_else))
    infinite_conditions = [infinite_at(tape, operand) for operand in operands]
    zero, first = tape.number(0.0), operands[0]
    if operation == "/":
        vanishes = tape.apply("==", operands[1], zero)
        infinite_conditions.append(tape.apply("and", vanishes, tape.apply("!=", first, zero)))
    elif operation == "^" and tape.numbers.get(operands[1], -1.0) < 0:
        below = tape.apply("<", operands[1], zero)
        infinite_conditions.append(tape.apply("and", tape.apply("==", first, zero), below))
    elif operation in INFINITE_AT:
        infinite_conditions.append(tape.apply("==", first, tape.number(INFINITE_AT[operation])))
    return _any(tape, infinite_conditions)


def _any(tape: Tape, conditions: list[int]) -> int:
    result = tape.logical_constant(False)
    for condition in conditions:
        result = tape.apply("or", result, condition)
    return result


def _each(array: Traced, condition: Callable[[Tape, int], int]) -> Traced:
    """Return a condition for each cell of an array."""
    condition_places = np.array(
        [condition(array.tape, place) for place in array.places.ravel().tolist()], dtype=np.intp
    )
    return traced(array.tape, condition_places.reshape(array.places.shape), array.axis, array.mask)


@in_words("isnan")
def _isnan(u: Traced) -> Traced:
    return _each(u, nan_at)


@in_words("isinf")
def _isinf(u: Traced) -> Traced:
    return _each(u, infinite_at)


@in_words("isfinite")
def _isfinite(u: Traced) -> Traced:
    undefined = combined(u.tape, "or", _isnan(u), _isinf(u))
    return combined(u.tape, "not", undefined)


@handles(np.nan_to_num)
def defined(tape: Tape, x: Value, copy: bool = True, nan: Value = 0.0, **_: Value) -> Traced:
    """Return an array with a number where it is NaN."""
    array = as_traced(tape, x)
    result = combined(tape, "where", _isnan(array), nan, array)
    return result if copy else array.become(result)


@handles(np.nansum)
def _nansum(tape: Tape, a: Value, axis: Value = None, **options: Value) -> Value:
    return total(tape, defined(tape, a), axis, **options)


@in_words("fmax")
def _fmax(left_array: Value, right_array: Value) -> Value:
    return _defined_of(left_array, right_array, "max")


@in_words("fmin")
def _fmin(left_array: Value, right_array: Value) -> Value:
    return _defined_of(left_array, right_array, "min")


def _defined_of(array: Value, right_array: Value, operation: str) -> Value:
    """Return the larger or smaller of two numbers, or the one that is not NaN."""
    tape = next(each.tape for each in (array, right_array) if isinstance(each, Traced))
    array, right_array = as_traced(tape, array), as_traced(tape, right_array)
    result = combined(tape, "where", _isnan(right_array), array, combined(tape, operation, array, right_array))
    return combined(tape, "where", _isnan(array), right_array, result)
