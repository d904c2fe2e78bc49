"""Polynomials, by Horner's rule."""

from __future__ import annotations

import numpy as np

from descend.tracing.shapes import stacked_along
from descend.tracing.tape import Tape, UntraceableError, Value
from descend.tracing.traced import as_traced, combined, handles


@handles(np.polyval)
def _polyval(tape: Tape, p: Value, x: Value) -> Value:
    result = combined(tape, "*", as_traced(tape, x), 0.0)
    for coefficient in p:
        result = combined(tape, "+", combined(tape, "*", result, x), coefficient)
    return result


@handles(np.trim_zeros)
def _trim_zeros(tape: Tape, filt: Value, trim: str = "fb") -> Value:
    """Return the coefficients as they are, as `numpy.poly1d` makes of them: a coefficient of 0 changes no value."""
    if trim != "f":
        raise UntraceableError("calls np.trim_zeros")
    return filt


@handles(np.vander)
def _vander(tape: Tape, x: Value, N: int | None = None, increasing: bool = False) -> Value:
    powers = range(len(x) if N is None else N)
    columns = [combined(tape, "^", x, float(power)) for power in (powers if increasing else reversed(powers))]
    return stacked_along(tape, columns, 1)


@handles(np.linspace)
def _linspace(tape: Tape, start: Value, stop: Value, num: int = 50, endpoint: bool = True, **options: Value) -> Value:
    length = combined(tape, "-", stop, start)
    steps = max(num - 1 if endpoint else num, 1)
    points = [combined(tape, "+", start, combined(tape, "*", length, point / steps)) for point in range(num)]
    return stacked_along(tape, points, options.get("axis", 0))
