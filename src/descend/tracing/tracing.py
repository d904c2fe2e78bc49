"""Calls a function with symbols and reads off what it computes."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from descend.errors import DescendError
from descend.tracing import (  # noqa: F401 - they register themselves
    choices,
    complex_numbers,
    creation,
    matrices,
    operators,
    polynomials,
    products,
    shapes,
    special_functions,
    sums,
    undefined,
)
from descend.tracing.array_of_lists import array_of
from descend.tracing.branches import explored
from descend.tracing.substitution import Substitution
from descend.tracing.tape import RAISED, Tape, UntraceableError
from descend.tracing.text import text_of
from descend.tracing.traced import Traced, traced
from descend.tracing.wrapped import unwrapped

OURS = tuple(f"{os.path.dirname(os.path.abspath(file))}{os.sep}" for file in (os.path.dirname(__file__), np.__file__))
"""Where the files of this package and of NumPy are."""
LIBRARIES = re.compile(r"[/\\\\](site-packages|dist-packages|lib[/\\\\]python[\d.]*)[/\\\\]", re.IGNORECASE)
"""Files that are not the user's, unless there are no others: the function may be a library's."""


Calling = Callable[[Callable[..., object], Mapping[str, Traced]], object]
"""(function, symbols by name) -> what the function returns for them."""


def by_keywords(function: Callable[..., object], symbols: Mapping[str, Traced]) -> object:
    """Call a function with all symbols as keywords."""
    return function(**symbols)


def trace(
    function: Callable[..., object],
    columns: Sequence[str],
    parameters: Sequence[str],
    rows: int = 7,
    calling: Calling = by_keywords,
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """Return what a function of columns and parameters computes, as text of our formulas.

    The function is called with an array of symbols for each column and a symbol for each parameter: first as it is;
    if that fails, with stand-ins for what turns its arguments into plain numbers, such as `math.exp` and `np.asarray`
    (see `substitution`), once for each way through its branches (see `branches`).

    rows: how many rows the columns have, for functions that ask. calling: how it is called with the symbols.
    sizes: of the parameters that are vectors.

    Raises UntraceableError with the reason if a formula cannot say it.

    >>> import numpy as np
    >>> def peak(x, a, m, s, c):
    ...     return a * np.exp(-(((x - m) / s) ** 2)) + c
    >>> trace(peak, ["x"], ["a", "m", "s", "c"])
    'a*exp(-((x - m)/s)^2) + c'
    """
    plain = unwrapped(function)
    try:
        tape = Tape(rows)
        return text_of(tape.entries, _run(tape, plain, columns, parameters, calling, sizes))
    except DescendError:
        raise
    except Exception:
        tape = Tape(rows)
    try:
        substituted = Substitution().of(plain)
        result_on_tape = explored(tape, lambda: _run(tape, substituted, columns, parameters, calling, sizes))
        return text_of(tape.entries, result_on_tape)
    except UntraceableError as reason:
        raise UntraceableError(f"{reason}{_line(reason)}") from None
    except DescendError:
        raise
    except Exception as error:
        raise UntraceableError(f"raises {type(error).__name__} when it is called with symbols{_line(error)}") from None


def _run(
    tape: Tape,
    function: Callable[..., object],
    columns: Sequence[str],
    parameters: Sequence[str],
    calling: Calling,
    sizes: Mapping[str, int],
) -> int:
    """Return the place on the tape of what the function returns.

    Raises what it raises; UntraceableError also if it met one and let it pass, so that it went on with something else.
    """
    symbols = {name: Traced(tape, tape.add(("column", name)), -1) for name in columns}
    symbols |= {name: Traced(tape, tape.add(("parameter", name)), None) for name in parameters if name not in sizes}
    symbols |= {name: _vector(tape, name, size) for name, size in sizes.items()}
    raised: list[UntraceableError] = []
    outer = RAISED.set(raised)
    try:
        row_on_tape = _of_one_row(tape, calling(function, symbols))
    except Exception as error:
        if raised and raised[0] is not error:  # as where NumPy has put an error of its own in its place
            raise raised[0].with_traceback(error.__traceback__) from None
        raise
    finally:
        RAISED.reset(outer)
    if raised:
        raise raised[0]
    return row_on_tape


def _vector(tape: Tape, name: str, size: int) -> Traced:
    """Return the symbols of a vector parameter, whose k-th component is written as a product with a list of 0 and 1."""
    lists = (", ".join("1" if component == k else "0" for component in range(size)) for k in range(size))
    return traced(tape, np.array([tape.add(("component", name, each)) for each in lists], dtype=np.intp), None)


def _of_one_row(tape: Tape, result: object) -> int:
    """Return the place of the result, which is one number for each row, or one for all."""
    if type(result) in (list, tuple):
        result = array_of(tape, result)
    if isinstance(result, Traced):
        if result.mask is not None:
            raise UntraceableError("returns some of the rows of the data only")
        column = result.ndim == 2 and result.axis == -2 and result.places.shape[1] == 1
        if (result.axis is not None and result.ndim == 1) or column or not result.shape:
            return tape.numeric(int(result.places.flat[0]))
        raise UntraceableError(f"returns an array of shape {result.shape}")
    if isinstance(result, float | int):
        return tape.number(float(result))
    if complex_numbers.is_complex(result):
        raise UntraceableError("returns complex numbers")
    raise UntraceableError(f"returns {type(result).__name__}, not numbers")


def _line(error: BaseException) -> str:
    """Say in which line of the user's code an error arose; nothing if that is not known."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    own_frames = [frame for frame in frames if not LIBRARIES.search(frame.filename)] or frames
    return f" (line {own_frames[-1].lineno})" if own_frames else ""
