"""Write a SymPy expression as LaTeX, through SymPy's own printer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sympy import Expr
from sympy.printing.latex import LatexPrinter

from descend.formula.functions import entry_of
from descend.formula.printers.notation import indexed, letter_of, number_of
from descend.formula.real_functions import RealFunction

ESCAPED = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"\\": r"\backslash{}", "~": r"\sim{}", "^": r"\hat{}"},
}


class Latex(LatexPrinter):  # type: ignore[misc]
    """SymPy's LaTeX with our own functions, upright words, and ``w @ [x1, x2]`` as an inner product.

    names: how a symbol is written, where it is not by its own name.
    """

    def __init__(self, names: Mapping[Expr, str] | None = None) -> None:
        super().__init__()
        self.names = names or {}

    def _print_Function(self, node: Expr, exp: str | None = None) -> str:
        function = entry_of(node)
        if function is None or not isinstance(node, RealFunction):
            return str(super()._print_Function(node, exp))
        text = function.latex.format(*(self._print(argument) for argument in node.args))
        return f"{text}^{{{exp}}}" if exp else text

    def _print(self, node: Expr, **options: Any) -> Any:
        # SymPy has methods for functions of the same names, such as gamma and jn, which are other ones.
        return (
            self._print_Function(node, **options) if isinstance(node, RealFunction) else super()._print(node, **options)
        )

    def _print_Predictor(self, symbol: Expr) -> str:
        vector, indices, items = indexed(symbol)
        name = rf"{{{written(vector)}}}_{{{', '.join(map(written, indices))}}}" if indices else written(vector)
        return rf"{name}^\top \left[{', '.join(self._print(item) for item in items)}\right]" if items else name

    def _print_Typed(self, symbol: Expr) -> str:
        digits, power = number_of(symbol)
        return digits if power is None else rf"{digits} \cdot 10^{{{power}}}"

    def _print_RealSymbol(self, symbol: Expr) -> str:
        return self.names.get(symbol) or written(symbol.name)


def written(name: str) -> str:
    """Write a name: letters slanted, with their index; words upright."""
    if (parts := letter_of(name)) is None:
        word = "".join(ESCAPED.get(character, character) for character in name)
        return rf"\mathrm{{{word}}}" if re.fullmatch(r"\w+", name, re.ASCII) else rf"\text{{{word}}}"
    letter, index = parts
    base = letter if len(letter) == 1 else rf"\{letter}"
    if not index:
        return base
    return f"{base}_{{{index}}}" if index.isdigit() or len(index) == 1 else rf"{base}_{{\mathrm{{{index}}}}}"


def as_latex(expression: Expr, names: Mapping[Expr, str] | None = None) -> str:
    """Write an expression as LaTeX; a symbol as given in ``names``, or else by its own name.

    >>> from descend.formula import read_formula
    >>> as_latex(read_formula("y ~ a*exp(-beta*x1)", columns=["x1", "y"]).expression)
    'a e^{- \\\\beta x_{1}}'
    """
    return str(Latex(names).doprint(expression))
