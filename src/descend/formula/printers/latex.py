"""Write a SymPy expression as LaTeX, through SymPy's own printer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sympy import Expr
from sympy.core.alphabets import greeks
from sympy.printing.latex import LatexPrinter

from descend.formula.functions import CONSTANTS, entry_of
from descend.formula.real_functions import RealFunction
from descend.formula.symbols import Predictor, Term

LETTER = re.compile(rf"([A-Za-z]|{'|'.join(greeks)})(?:_?(\d+)|_([A-Za-z0-9]+))?")
"""A letter of either alphabet, with an index: ``x``, ``x1``, ``k_max``, ``beta_2``."""
COMPONENT = re.compile(r'`?([^`\[]+)`?\["(.*)"\]')
"""The value of a parameter for one group, as ties name it."""
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
        if (component := COMPONENT.fullmatch(symbol.name)) is not None:
            return rf"{{{written(component[1])}}}_{{{written(component[2])}}}"
        term = term_of(symbol)
        name = written(term.vector)
        if term.levels is not None:
            name = rf"{{{name}}}_{{{', '.join(map(written, term.levels.columns))}}}"
            if term.each == (1,):
                return name
        return rf"{name}^\top \left[{', '.join(self._print(item) for item in term.each)}\right]"

    def _print_Typed(self, symbol: Expr) -> str:
        digits, e, exponent = symbol.name.lower().partition("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}" if e else digits

    def _print_RealSymbol(self, symbol: Expr) -> str:
        return self.names.get(symbol) or written(symbol.name)


def written(name: str) -> str:
    """Write a name: letters slanted, with their index; words upright."""
    letter = LETTER.fullmatch(name)
    if letter is None:
        word = "".join(ESCAPED.get(character, character) for character in name)
        return rf"\mathrm{{{word}}}" if re.fullmatch(r"\w+", name, re.ASCII) else rf"\text{{{word}}}"
    base = letter[1] if len(letter[1]) == 1 else rf"\{letter[1]}"
    index = letter[2] or letter[3]
    if index is None:
        return base
    return f"{base}_{{{index}}}" if index.isdigit() or len(index) == 1 else rf"{base}_{{\mathrm{{{index}}}}}"


def term_of(predictor: Expr) -> Term:
    """Return what ``w @ [x1, x2]`` or ``a[site]`` stands for, read from its name, which is that text."""
    from descend.formula.build import Builder
    from descend.formula.syntax import parse_expression
    from descend.formula.tree import Dot, Grouped, names_in

    node = parse_expression(predictor.name)
    assert isinstance(node, Dot | Grouped)
    grouped = node.vector if isinstance(node, Dot) else node
    items = names_in(*(node.items if isinstance(node, Dot) else ()))
    columns = [name.name for name in items if name.quoted or name.name not in CONSTANTS]
    columns += [column.name for column in grouped.columns] if isinstance(grouped, Grouped) else []
    builder = Builder(predictor.name, columns, starts=None)
    builder.build(node)
    return builder.terms[Predictor(predictor.name)]


def as_latex(expression: Expr, names: Mapping[Expr, str] | None = None) -> str:
    """Write an expression as LaTeX; a symbol as given in ``names``, or else by its own name.

    >>> from descend.formula import read_formula
    >>> as_latex(read_formula("y ~ a*exp(-beta*x1)", columns=["x1", "y"]).expression)
    'a e^{- \\\\beta x_{1}}'
    """
    return str(Latex(names).doprint(expression))
