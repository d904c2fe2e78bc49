"""Polynomials, by Horner's rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.tracing.tape import Tape
from descend.tracing.traced import as_traced, combined, handles


@handles(np.polyval)
def _polyval(tape: Tape, p: Any, x: Any) -> Any:
    result = combined(tape, "*", as_traced(tape, x), 0.0)
    for coefficient in p:
        result = result * x + coefficient
    return result
