"""The functions and constants that formulas know, by name, and by the classes of their expressions; reserved names."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import lru_cache

import sympy
from sympy import Expr

from descend.formula.functions.entry import Function

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi, "e": sympy.E, "π": sympy.pi}
JOINS = ("and", "or", "not")
"""The words that join conditions."""
NAMES: dict[type, str] = {sympy.Abs: "abs", sympy.sign: "sign"}
"""The name of a SymPy class of functions in formulas; every printer looks functions up through it."""
ALIASES: dict[str, str] = {}
"""The names of functions by what others call them."""
RESERVED = {*CONSTANTS, *JOINS}
"""The names that, without backticks, are those of neither columns nor parameters."""


class Table(MutableMapping[str, Function]):
    """Functions by name. Rarer ones are read once a name is not among the others, or all are asked for.

    present: those that are read.
    """

    def __init__(self) -> None:
        self.present: dict[str, Function] = {}

    def __getitem__(self, name: str) -> Function:
        if name not in self.present:
            read_rarer()
        return self.present[name]

    def __setitem__(self, name: str, function: Function) -> None:
        self.present[name] = function

    def __delitem__(self, name: str) -> None:
        del self.present[name]

    def __iter__(self) -> Iterator[str]:
        read_rarer()
        return iter(self.present)

    def __len__(self) -> int:
        return sum(1 for _ in self)


FUNCTIONS = Table()
"""The functions that formulas may call."""
DERIVED_ONLY = Table()
"""The functions that only derivatives bring in."""


@lru_cache(maxsize=1)
def read_rarer() -> None:
    """Read the functions that few formulas call; those that a user has registered under the same names stay."""
    from descend.formula.functions import (
        bessel_functions,
        error_functions,
        gamma_functions,
        shorthands,
        solid_functions,
    )

    for room in (error_functions, gamma_functions, bessel_functions, solid_functions):
        register(*(each for each in room.ENTRIES if each.name not in FUNCTIONS.present))
        register(*room.DERIVED, table=DERIVED_ONLY)
    register(*(each for each in shorthands.ENTRIES if each.name not in FUNCTIONS.present))


def function_named(name: str) -> Function | None:
    """Return the function that formulas or another program call so; None if there is none.

    >>> function_named("arctan2").name
    'atan2'
    """
    if name not in FUNCTIONS.present and name not in ALIASES:
        read_rarer()
    return FUNCTIONS.present.get(name) or FUNCTIONS.present.get(ALIASES.get(name, ""))


def reserved(name: str) -> bool:
    """Say whether a name, without backticks, can be that of neither a column nor a parameter.

    >>> [name for name in ("exp", "gamma", "e", "tau") if reserved(name)]
    ['exp', 'e']
    """
    return name in RESERVED or name.startswith("__")


def entry_of(node: Expr) -> Function | None:
    """Return the entry of the function that a node calls; None if it calls none."""
    name = NAMES.get(node.func)
    return None if name is None else FUNCTIONS.present.get(name) or DERIVED_ONLY.present[name]


def register(*functions: Function, table: Table = FUNCTIONS) -> None:
    """Let formulas call these functions.

    >>> register(Function("cube", lambda u: u**3))
    >>> from descend.formula import as_text, read_formula
    >>> as_text(read_formula("y ~ a*cube(x)", ["x", "y"]).expression)
    'a*x^3'
    >>> del FUNCTIONS["cube"]
    """
    for function in functions:
        table[function.name] = function
        if function.nodes is not None:
            NAMES[function.nodes] = function.name
        ALIASES.update(dict.fromkeys(function.aliases, function.name))
        if function.reserved:
            RESERVED.add(function.name)
