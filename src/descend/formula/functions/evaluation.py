"""Functions of numbers, evaluated by the NumPy code of their entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, reduce

import numpy as np

from descend.formula.functions.entry import Function


class Special:
    """SciPy's special functions, loaded at their first use."""

    def __getattr__(self, name: str) -> Callable[..., float]:
        from scipy import special

        function: Callable[..., float] = getattr(special, name)
        return function


def constant_call(function: Function, arguments: Sequence[float]) -> float:
    """Evaluate a function of numbers; NaN or infinity where it has no finite value."""
    with np.errstate(all="ignore"):
        if function.arguments[1] is None:
            return float(reduce(_numeric(function), arguments))
        return float(_numeric(function)(*arguments))


@lru_cache(maxsize=256)
def _numeric(function: Function) -> Callable[..., float]:
    # The text is a template of an entry, so nothing in it comes from the user.
    names = [f"v{place}" for place in range(function.arguments[0])]
    text = f"lambda {', '.join(names)}: {function.numpy.format(*names)}"
    compiled: Callable[..., float] = eval(text, {"np": np, "special": Special()})
    return compiled
