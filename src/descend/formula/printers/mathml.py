"""Write a SymPy expression as MathML, which browsers show as mathematics, through SymPy's own printer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from xml.dom.minidom import Node

from sympy import Expr
from sympy.core.alphabets import greeks
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.simplify.radsimp import fraction

from descend.formula.functions import entry_of
from descend.formula.printers.notation import indexed, letter_of, number_of
from descend.formula.real_functions import RealFunction
from descend.formula.symbols import Predictor

GREEK = {name: chr(code) for name, code in zip(greeks, [*range(0x3B1, 0x3C2), *range(0x3C3, 0x3CA)], strict=True)}
RELATIONS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "<": "&lt;", ">": "&gt;"}
WORD = re.compile(r"<mtext>|<mi>\w\w")
"""The beginning of a name of several letters, which would run into its neighbour with nothing between them."""


class MathML(MathMLPresentationPrinter):  # type: ignore[misc]
    """SymPy's MathML with our own functions, upright words, and ``w @ [x1, x2]`` as an inner product.

    SymPy's printer does not escape the characters of a name, so that is done here.

    names: how a symbol is written, as MathML, where it is not by its own name.
    """

    def __init__(self, names: Mapping[Expr, str] | None = None) -> None:
        super().__init__()
        self.names = names or {}

    def text(self, node: object) -> str:
        """Write one expression."""
        return str(self._print(node).toxml())

    def _raw(self, markup: str) -> Node:
        """Return finished markup as a node."""
        node: Node = self.dom.createTextNode(markup)
        return node

    def _print_Function(self, node: Expr) -> Node:
        function = entry_of(node)
        assert function is not None
        return self._raw(function.mathml.format(*map(self.text, node.args)))

    def _print_Mul(self, node: Expr) -> Node:
        """Write a product as SymPy's LaTeX printer does: exp(-x) stays a factor and does not become a divisor."""
        if node.could_extract_minus_sign():
            return self._raw(f"<mrow><mo>-</mo>{self._factor(-node) if (-node).is_Add else self.text(-node)}</mrow>")
        above, below = fraction(node, exact=True)
        if below != 1:
            return self._raw(f"<mfrac>{self.text(above)}{self.text(below)}</mfrac>")
        factors = [self._factor(factor) for factor in node.as_ordered_factors()]
        times = "⋅" if any(map(WORD.match, factors)) else "&InvisibleTimes;"
        return self._raw(f"<mrow>{f'<mo>{times}</mo>'.join(factors)}</mrow>")

    def _factor(self, node: Expr) -> str:
        return str(self.parenthesize(node, PRECEDENCE["Mul"]).toxml())

    def _print(self, node: Expr, **options: object) -> Node:
        # SymPy has methods for functions of the same names, such as gamma and jn, which are other ones.
        return self._print_Function(node) if isinstance(node, RealFunction) else super()._print(node, **options)

    _print_Abs = _print_Function  # noqa: N815

    def _print_Predictor(self, symbol: Expr) -> Node:
        vector, indices, items = indexed(symbol)
        name = written(vector)
        if indices:
            name = f"<msub>{name}<mrow>{'<mo>,</mo>'.join(map(written, indices))}</mrow></msub>"
        if not items:
            return self._raw(name)
        inner = "<mo>,</mo>".join(map(self.text, items))
        return self._raw(f"<mrow><msup>{name}<mo>⊤</mo></msup><mrow><mo>[</mo>{inner}<mo>]</mo></mrow></mrow>")

    def _print_Typed(self, symbol: Expr) -> Node:
        digits, power = number_of(symbol)
        if power is None:
            return self._raw(f"<mn>{digits}</mn>")
        return self._raw(f"<mrow><mn>{digits}</mn><mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup></mrow>")

    def _print_RealSymbol(self, symbol: Expr) -> Node:
        return self._raw(self.names.get(symbol) or written(symbol.name))

    def _print_Relational(self, node: Expr) -> Node:
        sign = f"<mo>{RELATIONS[node.rel_op]}</mo>"
        return self._raw(f"<mrow>{self.text(node.lhs)}{sign}{self.text(node.rhs)}</mrow>")

    def _print_Exp1(self, node: Expr) -> Node:
        return self._raw("<mi>e</mi>")

    def _print_Pi(self, node: Expr) -> Node:
        return self._raw("<mi>π</mi>")

    def parenthesize(self, item: Expr, level: int, strict: bool = False) -> Node:
        """Bracket what binds less tightly than ``level``; an inner product, a symbol to SymPy, counts as a product."""
        if isinstance(item, Predictor) and " @ [" in item.name and level >= PRECEDENCE["Pow"]:
            return self._raw(f"<mrow><mo>(</mo>{self.text(item)}<mo>)</mo></mrow>")
        if isinstance(item, RealFunction):
            return self._print(item)
        node: Node = super().parenthesize(item, level, strict)
        return node


def written(name: str) -> str:
    """Write a name: a letter slanted, with its index; words upright.

    >>> written("beta_2"), written("price"), written("a<b")
    ('<msub><mi>β</mi><mn>2</mn></msub>', '<mi>price</mi>', '<mtext>a&lt;b</mtext>')
    """
    if (parts := letter_of(name)) is None:
        tag = "mi" if name.isidentifier() else "mtext"
        return f"<{tag}>{escape(name)}</{tag}>"
    letter, index = parts
    base, tag = f"<mi>{GREEK.get(letter, letter)}</mi>", "mn" if index.isdigit() else "mi"
    return f"<msub>{base}<{tag}>{index}</{tag}></msub>" if index else base


def as_mathml(expression: Expr, names: Mapping[Expr, str] | None = None) -> str:
    """Write an expression as the inside of a ``<math>`` element; a symbol as in ``names``, or else by its own name.

    >>> from descend.formula import read_formula
    >>> as_mathml(read_formula("y ~ w*x", columns=["x", "y"]).expression)
    '<mrow><mi>w</mi><mo>&InvisibleTimes;</mo><mi>x</mi></mrow>'
    """
    # A hyphen is not a minus sign, and not every browser turns it into one.
    return MathML(names).text(expression).replace("<mo>-</mo>", "<mo>−</mo>").replace("<mn>-", "<mn>−")
