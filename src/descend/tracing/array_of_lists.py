"""Lists of symbols to arrays of them."""

from __future__ import annotations

import numpy as np

from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import Traced, as_traced, common_rows, traced


def tape_of(*values: Value) -> Tape | None:
    """Return the tape of the first symbol among values, and the members of lists among them; None if there is none."""
    for value in values:
        if isinstance(value, Traced):
            return value.tape
        if isinstance(value, list | tuple) and (member_tape := tape_of(*value)) is not None:
            return member_tape
    return None


def array_of(tape: Tape, value: Value) -> Traced:
    """Return a symbol, a number, or an array of what stands in a list, in which lists may stand, as `numpy.array` does.

    A list of one member was made by going through the rows, if the function does, so it has them as its axis.
    """
    if isinstance(value, Traced):
        return value
    if not isinstance(value, list | tuple):
        return as_traced(tape, value)
    members = [array_of(tape, member) for member in value]
    if not members:
        raise UntraceableError("makes an array of an empty list")
    if len({member.ndim for member in members}) > 1:
        raise UntraceableError("makes an array of lists of different lengths")
    member_places = np.stack(np.broadcast_arrays(*(member.places for member in members)))
    axis, mask = common_rows(members)
    if axis is None and len(members) == 1 and tape.path is not None and tape.path.by_rows:
        axis = -member_places.ndim
    return traced(tape, member_places, axis, mask)
