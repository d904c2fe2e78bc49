"""NumPy's and SciPy's functions of numbers, by their names, as operations of a tape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from descend.formula.functions import FUNCTIONS

OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
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
}
"""Operations by the name of NumPy's function."""
IN_WORDS: dict[str, Callable[..., Any]] = {
    "positive": lambda u: u,
    "square": lambda u: u**2,
    "reciprocal": lambda u: 1.0 / u,
    "deg2rad": lambda u: u * (np.pi / 180.0),
    "radians": lambda u: u * (np.pi / 180.0),
    "rad2deg": lambda u: u * (180.0 / np.pi),
    "degrees": lambda u: u * (180.0 / np.pi),
}
"""Functions that are said with others."""
CALL = re.compile(r"(?:np|special)\.(\w+)\((?:\{\d\}(?:, )?)+\)")


@lru_cache(maxsize=1)
def named_functions() -> Mapping[str, str]:
    """Return the functions of formulas by the names that NumPy and SciPy have for them."""
    found = {}
    for function in FUNCTIONS.values():
        if call := CALL.fullmatch(function.numpy):
            found[call[1]] = function.name
    return found
