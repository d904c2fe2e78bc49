"""Curves from outside the package: what is asked of an entry before formulas may call it."""

from __future__ import annotations

from functools import lru_cache

from descend.errors import FormulaError
from descend.formula.curves.entry import Curve
from descend.formula.curves.table import CURVES, listed
from descend.formula.functions import reserved
from descend.formula.names import is_function
from descend.formula.syntax import parse_expression
from descend.formula.tree import Node, names_in

OWN = "Others"
"""The field of curves that name none."""


@lru_cache(maxsize=256)
def tree_of(formula: str) -> Node:
    """Return the syntax tree of a curve's formula."""
    return parse_expression(formula)


def register(*curves: Curve, field: str = OWN) -> None:
    """Let formulas call these curves.

    Raises FormulaError where a name is taken, and where formula and arguments do not name the same things.

    >>> from descend.formula import as_text, read_formula
    >>> from descend.formula.curves import Argument
    >>> x, top = Argument("x", "dose", "x", 0, 10), Argument("top", "plateau", "y", 1, 5)
    >>> register(Curve("rise", "a rise", "top*(1 - exp(-x))", (x, top), use="an example", source="none"))
    >>> as_text(read_formula("y ~ rise(dose)", ["dose", "y"]).expression)
    'top*(1 - exp(-dose))'
    >>> del CURVES["rise"]
    """
    for curve in curves:
        if is_function(curve.name) or reserved(curve.name):
            raise FormulaError(f"`{curve.name}` is a function already. Give the curve another name.")
        if CURVES.get(curve.name, curve) is not curve:
            raise FormulaError(f"There is a curve `{curve.name}` already. Give yours another name.")
        check(curve)
        listed(field, curve)


def check(curve: Curve) -> None:
    """Raise FormulaError where the formula of a curve and its arguments do not name the same things."""
    names = [argument.name for argument in curve.arguments]
    if not curve.name.isidentifier() or len(set(names)) < len(names) or names[:1] != ["x"] or "y" in names:
        raise FormulaError(
            f"The curve `{curve.name}` needs a name that is one word, and arguments of distinct names: the first is x, "
            "none is y."
        )
    used = {name.name for name in names_in(tree_of(curve.formula)) if not reserved(name.name)}
    if odd := sorted(used.symmetric_difference(names)):
        where = "in its formula, but not" if odd[0] in used else "not in its formula, but"
        raise FormulaError(f"The curve `{curve.name}` has `{odd[0]}` {where} as an argument.")
