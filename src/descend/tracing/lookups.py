"""Whole numbers that differ from row to row, and what is looked up by them: a[kind.astype(int)], np.digitize."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.tracing.creation import cast
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, combined, handles
from descend.tracing.ufuncs import IN_WORDS

Below = Callable[[int], Traced]
"""k -> the condition under which a number is below k."""
LONGEST_TABLE = 64
"""Members of an array that is looked up in: each is a branch of the formula."""


def refuse_long(table: list[Value]) -> None:
    """Raise UntraceableError for a table of which a formula would be too long."""
    if len(table) > LONGEST_TABLE:
        raise UntraceableError(f"looks up values in a table of {len(table)} numbers")


class WholeNumber(Traced):
    """Whole numbers, of which is known when each is below another: what an index needs."""

    __slots__ = ("below",)

    def __init__(self, number: Traced, below: Below) -> None:
        super().__init__(number.tape, number.places, number.axis)
        self.below = below

    def __add__(self, other_number: Value) -> Value:
        if type(other_number) is not int:
            return combined(self.tape, "+", self, other_number)
        return WholeNumber(combined(self.tape, "+", self, other_number), lambda k: self.below(k - other_number))

    def __sub__(self, other_number: Value) -> Value:
        return self + -other_number if type(other_number) is int else combined(self.tape, "-", self, other_number)


@handles(method="astype")
def _astype(tape: Tape, array: Traced, dtype: Value, *_: Value, **__: Value) -> Traced:
    if np.dtype(dtype).kind not in "iu" or np.dtype(dtype).itemsize != 8:
        return cast(tape, array, dtype)
    if array.logical:
        opposite = combined(tape, "not", array)
        return WholeNumber(cast(tape, array, float), lambda k: opposite if k == 1 else as_traced(tape, k > 1))

    def below(k: int) -> Traced:  # the fraction is cut off, towards 0
        return combined(tape, "<", array, k) if k > 0 else combined(tape, "<=", array, k - 1)

    return WholeNumber(IN_WORDS["trunc"](array), below)


@handles(np.digitize)
def _digitize(tape: Tape, x: Value, bins: Value, right: bool = False) -> Value:
    return _counted(tape, as_traced(tape, x), list(bins), "<=" if right else "<")


@handles(np.searchsorted)
def _searchsorted(tape: Tape, a: Value, v: Value, side: str = "left", sorter: None = None) -> Value:
    return _counted(tape, as_traced(tape, v), list(a), "<=" if side == "left" else "<")


def _counted(tape: Tape, x: Traced, bounds: list[Value], below: str) -> WholeNumber:
    """Return how many bounds, in ascending order, a number is not below."""
    refuse_long(bounds)

    def condition(k: int) -> Traced:
        if 0 < k <= len(bounds):
            return combined(tape, below, x, bounds[k - 1])
        return as_traced(tape, k > 0)

    count = combined(tape, "*", x, 0.0)
    for bound in bounds:
        count = combined(tape, "+", count, combined(tape, "where", combined(tape, below, x, bound), 0.0, 1.0))
    return WholeNumber(count, condition)


@handles(np.choose)
def looked_up(tape: Tape, a: Value, choices: Value, **_: Value) -> Value:
    """Return the member of a list, or of an array along its first axis, at the place that a whole number says."""
    if not isinstance(a, WholeNumber):
        raise UntraceableError(f"takes the cell of an array at the place {a}")
    members = list(choices)
    refuse_long(members)
    result = members[-1]
    for member_number in reversed(range(len(members) - 1)):
        result = combined(tape, "where", a.below(member_number + 1), members[member_number], result)
    return result
