"""The table of functions, by their names in formulas and by the classes of their expressions; reserved names."""

from __future__ import annotations

import sympy
from sympy import Expr

from descend.formula.functions.constants import CONSTANTS
from descend.formula.functions.entry import Function

JOINS = ("and", "or", "not")
"""The words that join conditions."""
FUNCTIONS: dict[str, Function] = {}
"""The functions that formulas may call, by name."""
DERIVED_ONLY: dict[str, Function] = {}
"""The functions that only derivatives bring in, by name."""
NAMES: dict[type, str] = {sympy.Abs: "abs", sympy.sign: "sign"}
"""The name of a SymPy class of functions in formulas; every printer looks functions up through it."""
ALIASES: dict[str, str] = {}
"""The names of functions by what others call them."""


def function_named(name: str) -> Function | None:
    """Return the function that formulas or another program call so; None if there is none.

    >>> function_named("arctan2").name
    'atan2'
    """
    return FUNCTIONS.get(name) or FUNCTIONS.get(ALIASES.get(name, ""))


def reserved(name: str) -> bool:
    """Say whether a name, without backticks, can be that of neither a column nor a parameter.

    >>> [name for name in ("exp", "gamma", "e", "tau") if reserved(name)]
    ['exp', 'e']
    """
    function = name in FUNCTIONS and FUNCTIONS[name].reserved
    return function or name in CONSTANTS or name in JOINS or name.startswith("__")


def entry_of(node: Expr) -> Function | None:
    """Return the entry of the function that a node calls; None if it calls none."""
    name = NAMES.get(node.func)
    return None if name is None else FUNCTIONS.get(name) or DERIVED_ONLY[name]


def register(*functions: Function, table: dict[str, Function] = FUNCTIONS) -> None:
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
