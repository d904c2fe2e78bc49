"""NumPy's and SciPy's functions of numbers, by their names, as operations of a tape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np

from descend.formula.functions import FUNCTIONS, function_named
from descend.tracing.tape import UntraceableError, Value

OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "true_divide": "/",
    "power": "^",
    "float_power": "^",
    "negative": "neg",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
    "logical_and": "and",
    "logical_or": "or",
    "logical_not": "not",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "invert": "not",
    "fabs": "abs",
    np.absolute.__name__: "abs",
    "maximum": "max",
    "minimum": "min",
}
"""Operations by the name of NumPy's function."""
IN_WORDS: dict[str, Callable[..., Value]] = {
    "positive": lambda u: +u,
    "conjugate": lambda u: +u,
    "square": lambda u: u**2,
    "reciprocal": lambda u: 1.0 / u,
    "deg2rad": lambda u: u * (np.pi / 180.0),
    "radians": lambda u: u * (np.pi / 180.0),
    "rad2deg": lambda u: u * (180.0 / np.pi),
    "degrees": lambda u: u * (180.0 / np.pi),
}
"""Functions that are said with others."""
CALL = re.compile(r"(?:np|special)\.(\w+)\((?:\{\d\}(?:, )?)+\)")
Operation = str | Callable[..., Value]
KNOWN: dict[np.ufunc, Operation] = {}
"""What was found for a function once."""


def in_words(*names: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Let the decorated function say what NumPy's functions of these names do, with others."""

    def register(words: Callable[..., Value]) -> Callable[..., Value]:
        IN_WORDS.update(dict.fromkeys(names, words))
        return words

    return register


def operation_of(ufunc: np.ufunc) -> Operation:
    """Return the operation on a tape that NumPy's or SciPy's function is, or what says it with others.

    Raises UntraceableError if there is none.
    """
    operation_known = KNOWN.get(ufunc)
    if operation_known is None:
        name = ufunc.__name__
        operation_known = OPERATORS.get(name) or IN_WORDS.get(name) or named_functions().get(name)
        if operation_known is None and (function := function_named(name)) is not None:
            operation_known = function.name
        if operation_known is None:
            raise UntraceableError(f"calls `{name}`, which formulas do not know")
        KNOWN[ufunc] = operation_known
    return operation_known


@lru_cache(maxsize=1)
def named_functions() -> Mapping[str, str]:
    """Return the functions of formulas by the names that NumPy and SciPy have for them."""
    functions_by_ufunc = {}
    for function in FUNCTIONS.values():
        if call := CALL.fullmatch(function.numpy):
            functions_by_ufunc[call[1]] = function.name
    return functions_by_ufunc
