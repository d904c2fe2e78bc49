"""NumPy's and SciPy's functions of numbers, by their names, as operations of a tape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from descend.formula.functions import function_named
from descend.formula.operator_calls import PAIRS, POWERS
from descend.tracing.tape import UntraceableError, Value

OPERATORS = {
    **{name: sign for name, (_, sign) in PAIRS.items()},
    **dict.fromkeys(POWERS, "^"),
    **{"negative": "neg", "logical_not": "not", "invert": "not", "bitwise_and": "and", "bitwise_or": "or"},
    np.absolute.__name__: "abs",
}
"""Operations by the name of NumPy's function."""
IN_WORDS: dict[str, Callable[..., Value]] = {}
"""Functions that are said with others."""
Operation = str | Callable[..., Value]
OPERATIONS: dict[np.ufunc, Operation] = {}
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
    operation_known = OPERATIONS.get(ufunc)
    if operation_known is None:
        name = ufunc.__name__
        operation_known = OPERATORS.get(name) or IN_WORDS.get(name)
        if operation_known is None and (function := function_named(name)) is not None:
            operation_known = function.name
        if operation_known is None:
            raise UntraceableError(f"calls `{name.lstrip('_')}`, which formulas do not know")
        OPERATIONS[ufunc] = operation_known
    return operation_known
