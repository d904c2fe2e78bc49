"""Functions of numbers, evaluated by the NumPy code of their entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, reduce
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.formula.functions.entry import Function


class Special:
    """SciPy's special functions, or those of this package that keep more digits, loaded at their first use."""

    def __getattr__(self, name: str) -> Callable[..., float]:
        from scipy import special as of_scipy

        from descend.formula import special as of_descend

        own = name in of_descend.__all__
        function: Callable[..., float] = _filling(getattr(of_descend, name)) if own else getattr(of_scipy, name)
        setattr(self, name, function)
        return function


special = Special()
COMPLEX = ("lambertw",)
"""Functions of whose names SciPy has others, which return complex numbers."""


def imports(code: Iterable[str]) -> list[str]:
    """Return the line that imports ``special``, if NumPy code calls a special function: from here if SciPy lacks it.

    >>> imports(["a*special.erfc(x)"]), imports(["a*x"])
    (['from scipy import special'], [])
    """
    from scipy import special as of_scipy

    called = {name for line in code for name in re.findall(r"(?<!torch\.)\bspecial\.(\w+)", line)}
    in_scipy = all(hasattr(of_scipy, name) and name not in COMPLEX for name in called)
    room = "scipy" if in_scipy else "descend.formula.functions"
    return [f"from {room} import special"] if called else []


def _filling(function: Callable[..., NDArray[np.float64]]) -> Callable[..., Any]:
    """Return a function that, like those of NumPy, fills an array given after its arguments."""
    count = len(signature(function).parameters)

    def filled(*arguments: Any) -> Any:
        value = function(*arguments[:count])
        if len(arguments) == count:
            return value
        arguments[count][...] = value
        return arguments[count]

    return filled


def constant_call(function: Function, arguments: Sequence[float]) -> float:
    """Evaluate a function of numbers; NaN or infinity where it has no finite value."""
    with np.errstate(all="ignore"):
        if function.arguments[1] is None:
            return float(reduce(_numeric(function), arguments))
        return float(_numeric(function)(*arguments))


@lru_cache(maxsize=256)
def _numeric(function: Function) -> Callable[..., float]:
    # The text is a template of an entry, so nothing in it comes from the user.
    names = [f"v{argument_number}" for argument_number in range(function.arguments[0])]
    text = f"lambda {', '.join(names)}: {function.numpy.format(*names)}"
    compiled: Callable[..., float] = eval(text, {"np": np, "special": special})
    return compiled
