"""The Python function behind an object that calls one: of compiled code, of a cache, of `numpy.vectorize`."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import cast

import numpy as np


def unwrapped(function: Callable[..., object]) -> Callable[..., object]:
    """Return the Python function that compiled code was made of, or that a cache or `numpy.vectorize` calls.

    >>> unwrapped(functools.lru_cache(unwrapped)) is unwrapped
    True
    """
    inner = getattr(function, "py_func", None)
    if inner is None and isinstance(function, functools._lru_cache_wrapper):
        inner = function.__wrapped__
    return function if inner is None else cast(Callable[..., object], inner)


def of_numbers(function: object) -> Callable[..., object] | None:
    """Return the function of plain numbers that one of `numpy.vectorize` or `numpy.frompyfunc` calls row by row.

    `numba.vectorize` makes such a function, too.
    """
    if isinstance(function, np.vectorize):
        return cast(Callable[..., object], function.pyfunc)
    if type(function).__module__.startswith("numba."):
        return getattr(getattr(function, "_dispatcher", None), "py_func", None)
    if not isinstance(function, np.ufunc) or not function.__name__.endswith(" (vectorized)"):
        return None
    return next((each for each in gc.get_referents(function) if callable(each)), None)
