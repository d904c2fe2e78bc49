"""What NumPy's functions of whole arrays do with traced ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.tracing.tape import Tape, UntraceableError
from descend.tracing.traced import Traced, combined, handles


@handles(np.where)
def _where(tape: Tape, condition: Any, *choices: Any) -> Traced:
    if len(choices) != 2:
        raise UntraceableError("asks np.where for the rows where something holds")
    return combined(tape, "where", condition, *choices)


@handles(np.zeros_like)
def _zeros_like(tape: Tape, like: Traced, dtype: Any = None, **_: Any) -> Traced:
    return like_with(like, 0.0)


@handles(np.ones_like)
def _ones_like(tape: Tape, like: Traced, dtype: Any = None, **_: Any) -> Traced:
    return like_with(like, 1.0)


@handles(np.full_like)
def _full_like(tape: Tape, like: Traced, fill_value: Any, dtype: Any = None, **_: Any) -> Traced:
    return combined(tape, "+", like_with(like, 0.0), fill_value)


def like_with(like: Traced, value: float) -> Traced:
    """Return an array of the same shape filled with a number."""
    place = like.tape.number(value)
    cells = place if isinstance(like.cells, int) else np.full_like(like.cells, place)
    return Traced(like.tape, cells, like.axis)
