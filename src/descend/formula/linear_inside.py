"""What is linear in the parameters, inside functions that have no other argument."""

from __future__ import annotations

from collections.abc import Collection

from sympy import Expr

from descend.formula.symbols import Parameter, Predictor


def linear_in(expression: Expr, unknowns: Collection[Expr]) -> bool:
    """Return whether an expression is linear in its unknowns, parameters and linear predictors, all together."""
    return not any(expression.diff(symbol).atoms(Parameter, Predictor) for symbol in unknowns)


def linear_inside(expression: Expr, unknowns: Collection[Expr]) -> Expr | None:
    """Return the part that is linear in the unknowns and of which the rest is a function; None if there is none.

    >>> import sympy
    >>> a, b, x = Parameter("a"), Parameter("b"), sympy.Symbol("x")
    >>> linear_inside(2 * sympy.exp(a + b * x), [a, b]) == a + b * x
    True
    >>> linear_inside(x * sympy.exp(a + b * x), [a, b])  # x stands outside, too
    """
    part, unknown_symbols = expression, set(unknowns)
    while not linear_in(part, unknowns):
        with_unknowns = [each for each in part.args if each.free_symbols & unknown_symbols]
        if len(with_unknowns) != 1 or any(each.free_symbols for each in part.args if each is not with_unknowns[0]):
            return None
        part = with_unknowns[0]
    return part
