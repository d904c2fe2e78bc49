"""Which libraries the code of a function leads to, as far as that can be seen without calling it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from types import CellType, CodeType, FunctionType, ModuleType

DEPTH = 4
"""How many calls deep functions that call others are followed."""
KNOWN = frozenset(("builtins", "math", "numpy", "scipy", "pandas"))
"""Libraries whose own code leads to no other that is asked for."""
HOMES = {"jaxlib": "jax"}
"""Packages that belong to another."""
INNER = ("__func__", "pyfunc", "py_func", "function")
"""Where methods, vectorized functions of NumPy, compiled ones of Numba and stacked ones of ours keep the user's."""


def leads_to(function: object, library: str, depth: int = DEPTH) -> bool | None:
    """Whether a function, or one that it calls, names something of a library; None where its code cannot be seen.

    >>> import math
    >>> leads_to(lambda x, a: a * math.exp(x), "torch"), leads_to(lambda x, a: a * math.exp(x), "math")
    (False, True)
    """
    home = _home(function)
    if home == library:
        return True
    if depth == 0 or home in KNOWN or isinstance(function, ModuleType):
        return False
    inner_function = _underlying(function)
    if inner_function is None:
        return None
    code = inner_function.__code__
    names = set(_names(code))
    if any(name.partition(".")[0] == library for name in names):
        return True
    within: Mapping[str, object] = inner_function.__globals__
    used = [within[name] for name in names & within.keys()]
    cells = [cell.cell_contents for cell in inner_function.__closure__ or () if _filled(cell)]
    modules = [each for each in used if isinstance(each, ModuleType) and _home(each) not in KNOWN]
    used += [vars(module)[name] for module in modules for name in names & vars(module).keys()]
    return any(leads_to(each, library, depth - 1) for each in (*cells, *used) if each is not function)


def _home(function: object) -> str:
    """Return the package that something comes from."""
    home = (
        function.__name__
        if isinstance(function, ModuleType)
        else getattr(function, "__module__", type(function).__module__)
    )
    package = str(home).partition(".")[0]
    return HOMES.get(package, package)


def _underlying(function: object) -> FunctionType | None:
    """Return the Python function inside a method, a partial function, a wrapper or an object that is called."""
    for _ in range(DEPTH):
        if isinstance(function, functools.partial):
            function = function.func
        elif callable(function):
            function = inspect.unwrap(function)
        function = next((inner for name in INNER if (inner := getattr(function, name, None)) is not None), function)
        if isinstance(function, FunctionType):
            return function
    called = vars(type(function)).get("__call__")
    return called if isinstance(called, FunctionType) else None


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names in a function, and in those defined inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
