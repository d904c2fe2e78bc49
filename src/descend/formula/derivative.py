"""Derivatives by the rules of calculus, over real numbers.

SymPy's own ``diff`` takes the square of the number of factors of a product in time, and much of Python's stack.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Add, Expr, Integer, Mul

from descend.formula.functions import where
from descend.formula.tokens import refuse_depth

ZERO, ONE = Integer(0), Integer(1)


@refuse_depth
def derivatives(expression: Expr, symbols: Iterable[Expr], *, guarded: bool = False) -> dict[Expr, Expr]:
    """Return the derivative of ``expression`` by each symbol.

    guarded: write the derivative x^b log(x) of x^b by b so that it is 0, its limit for b > 0, in a row where x is 0.

    >>> x, b = sympy.symbols("x b", real=True)
    >>> derivatives(x**2 + sympy.exp(b * x), [x, b])
    {x: b*exp(b*x) + 2*x, b: x*exp(b*x)}
    """
    terms: dict[Expr, list[Expr]] = {symbol: [] for symbol in symbols}
    wanted = set(terms)
    held: dict[Expr, frozenset[Expr]] = {}
    # Of a sum, each symbol sees its own terms only: 5,000 terms with a parameter each take 5,000 steps.
    for term in Add.make_args(expression):
        for symbol in _held(term, wanted, held):
            terms[symbol].append(term)
    return {symbol: Add(*map(_Derivative(symbol, held, guarded).of, terms[symbol])) for symbol in terms}


def _held(node: Expr, wanted: set[Expr], known: dict[Expr, frozenset[Expr]]) -> frozenset[Expr]:
    """Return which of the wanted symbols an expression holds."""
    held = known.get(node)
    if held is None:
        inside = (_held(argument, wanted, known) for argument in node.args)
        held = known[node] = frozenset([node]) if node in wanted else frozenset().union(*inside)
    return held


class _Derivative:
    """The derivative by one symbol; what several places share is derived once."""

    def __init__(self, symbol: Expr, held: dict[Expr, frozenset[Expr]], guarded: bool) -> None:
        self.symbol = symbol
        self.held = held
        self.guarded = guarded
        self.known: dict[Expr, Expr] = {symbol: ONE}

    def of(self, node: Expr) -> Expr:
        if self.symbol not in self.held[node]:
            return ZERO
        if node not in self.known:
            self.known[node] = self._rule(node)
        return self.known[node]

    def _rule(self, node: Expr) -> Expr:
        arguments = node.args
        if node.is_Add:
            return Add(*map(self.of, arguments))
        if node.is_Mul:
            return Add(
                *(
                    Mul(*arguments[:place], self.of(factor), *arguments[place + 1 :])
                    for place, factor in enumerate(arguments)
                    if self.symbol in self.held[factor]
                )
            )
        if node.is_Pow:
            return self._power(node)
        if node.func is where:
            condition, chosen, other = arguments
            return where(condition, self.of(chosen), self.of(other))
        return Add(
            *(
                node.fdiff(place) * self.of(argument)
                for place, argument in enumerate(arguments, 1)
                if self.symbol in self.held[argument]
            )
        )

    def _power(self, node: Expr) -> Expr:
        base, exponent = node.args
        if self.symbol not in self.held[exponent]:
            return exponent * base ** (exponent - 1) * self.of(base)
        logarithm = sympy.log(base)
        if self.guarded and not base.is_positive:
            logarithm = where(sympy.Eq(base, ZERO, evaluate=False), ZERO, logarithm)
        return node * self.of(exponent) * logarithm + exponent * base ** (exponent - 1) * self.of(base)
