"""Calls a function with symbols and reads off what it computes."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from descend.errors import DescendError
from descend.tracing import choices, creation, polynomials, products, shapes, sums  # noqa: F401 - they register themselves
from descend.tracing.tape import Tape, UntraceableError
from descend.tracing.text import text_of
from descend.tracing.traced import Traced

OURS = re.compile(r"[/\\\\](descend|numpy)[/\\\\]")
"""Files that are not the user's."""


def trace(function: Callable[..., Any], columns: Sequence[str], parameters: Sequence[str], rows: int = 2) -> str:
    """Return what a function of columns and parameters computes, as text of our formulas.

    The function is called once, by keywords, with an array of symbols for each column and a symbol for each parameter.
    rows: how many rows the columns have, for functions that ask.

    Raises UntraceableError with the reason if a formula cannot say it.

    >>> import numpy as np
    >>> def peak(x, a, m, s, c):
    ...     return a * np.exp(-(((x - m) / s) ** 2)) + c
    >>> trace(peak, ["x"], ["a", "m", "s", "c"])
    'a*exp(-((x - m)/s)^2) + c'
    """
    tape = Tape(rows)
    arguments: dict[str, Traced] = {name: Traced(tape, tape.add(("column", name)), -1) for name in columns}
    arguments |= {name: Traced(tape, tape.add(("parameter", name)), None) for name in parameters}
    try:
        result = function(**arguments)
    except UntraceableError as reason:
        raise UntraceableError(f"{reason}{_line(reason)}") from None
    except DescendError:
        raise
    except Exception as error:
        raise UntraceableError(f"raises {type(error).__name__} when it is called with symbols{_line(error)}") from None
    return text_of(tape.entries, _of_one_row(tape, result))


def _of_one_row(tape: Tape, result: Any) -> int:
    """Return the place of the result, which is one number for each row, or one for all."""
    if type(result) is Traced:
        if (result.axis is not None and result.ndim == 1) or not result.shape:
            return tape.numeric(int(result.places.flat[0]))
        raise UntraceableError(f"returns an array of shape {result.shape}")
    if isinstance(result, float | int):
        return tape.number(float(result))
    raise UntraceableError(f"returns {type(result).__name__}, not numbers")


def _line(error: BaseException) -> str:
    """Say in which line of the user's code an error arose; nothing if that is not known."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not OURS.search(frame.filename)]
    return f" (line {own[-1].lineno})" if own else ""
