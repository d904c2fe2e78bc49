"""Write a SymPy expression as LaTeX, through SymPy's own printer."""

from __future__ import annotations

import sympy
from sympy import Expr
from sympy.printing.latex import LatexPrinter

from descend.formula.functions import NAMES, SPELLINGS, RealFunction
from descend.formula.symbols import Predictor


class Latex(LatexPrinter):  # type: ignore[misc]
    """SymPy's LaTeX, with the functions of our own and ``w @ [x1, x2]`` as an inner product."""

    def _print_Function(self, node: Expr, exp: str | None = None) -> str:
        if not isinstance(node, RealFunction):
            return str(super()._print_Function(node, exp))
        spelling = SPELLINGS[NAMES[node.func]]
        text = spelling.latex.format(*(self._print(argument) for argument in node.args))
        return f"{text}^{{{exp}}}" if exp else text

    def _print_RealSymbol(self, symbol: Expr) -> str:
        if isinstance(symbol, Predictor):
            vector, _, items = symbol.name.partition(" @ ")
            return rf"{self._print_Symbol(sympy.Symbol(vector))}^\top \left{items[:-1]}\right]"
        plain = symbol.name.replace("_", "").isalnum() and symbol.name.isascii()
        return str(super()._print_Symbol(symbol)) if plain else rf"\text{{{_escape(symbol.name)}}}"


def _escape(name: str) -> str:
    return "".join(f"\\{character}" if character in "&%$#_{}" else character for character in name)


def as_latex(expression: Expr) -> str:
    """Write an expression as LaTeX.

    >>> from descend.formula import read_formula
    >>> as_latex(read_formula("y ~ a*exp(-b*x)", columns=["x", "y"]).expression)
    'a e^{- b x}'
    """
    return str(Latex().doprint(expression))
