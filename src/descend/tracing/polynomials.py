"""Polynomials, by Horner's rule."""

from __future__ import annotations

import numpy as np

from descend.tracing.tape import Tape, Value
from descend.tracing.traced import as_traced, combined, handles


@handles(np.polyval)
def _polyval(tape: Tape, p: Value, x: Value) -> Value:
    result = combined(tape, "*", as_traced(tape, x), 0.0)
    for coefficient in p:
        result = result * x + coefficient
    return result
