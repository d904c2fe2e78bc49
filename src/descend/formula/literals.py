"""Constants of a formula as they were typed: 1/8.314, where SymPy would write 500/4157."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy
from sympy import Expr, Integer, Mul, Rational

from descend.formula.printers.code import exact_number
from descend.formula.symbols import Typed

SIMPLE = 1000
"""Largest numerator and denominator of a fraction that may stand beside a typed constant."""
PLAIN = 100
"""Largest numerator and denominator of a fraction that may itself have been typed."""
FEW = 6
"""How many typed constants are tried in pairs."""
ROUNDING = Rational(1, 10**15)
LONGEST = 12
"""Longest decimal number, in characters, that reads more easily than a fraction."""


def as_typed(expression: Expr, texts: Sequence[str], held: bool = False) -> Expr:
    """Return ``expression`` for a printer, its fractions written with the constants ``texts`` that they came from.

    held: constants of many digits become symbols even where they already stand as typed, so that later operations
    neither multiply them nor clear their denominators.

    >>> from descend.formula.symbols import Column
    >>> as_typed(Rational(500, 4157) / Column("T"), ["8.314"])
    1/(8.314*T)
    """
    constants = {Rational(text): text for text in texts if "." in text or "e" in text.lower()}
    symbols = {value: Typed(text) for value, text in constants.items() if value.q != 1}
    return _Rewritten(symbols, held).of(expression)


class _Rewritten:
    """Rewrites expressions; shared subexpressions are rewritten once."""

    def __init__(self, symbols: dict[Rational, Typed], keep_literals: bool) -> None:
        self.symbols, self.held = symbols, keep_literals
        self.known: dict[Expr, Expr] = {}

    def of(self, node: Expr) -> Expr:
        rewritten_node = self.known.get(node)
        if rewritten_node is None:
            rewritten_node = self.known[node] = self._rewritten(node)
        return rewritten_node

    def _rewritten(self, node: Expr) -> Expr:
        if node.is_Rational:
            return self._fraction(node)
        if not node.args or node.is_number:
            return node
        arguments = tuple(map(self.of, node.args))
        return node if arguments == node.args else node.func(*arguments)

    def _fraction(self, value: Rational) -> Expr:
        short = exact_number(value)
        if value.q == 1 or abs(value) in self.symbols:
            literal_held = self.held and abs(value) in self.symbols and max(abs(value.p), value.q) > PLAIN
            return sympy.sign(value) * self.symbols[abs(value)] if literal_held else value
        if abs(1 / value) in self.symbols:
            return sympy.sign(value) / self.symbols[abs(1 / value)]
        if "/" not in short and len(short) <= LONGEST:
            return value
        plain = max(abs(value.p), value.q) <= PLAIN
        tried = [
            (remainder, form)
            for each, form in (itertools.islice(self._forms(value), 2 * len(self.symbols) if plain else None))
            if (remainder := _simple(each)) is not None and (remainder.q == 1 or not plain)
        ]
        if tried:
            remainder, form = min(tried, key=lambda pair: self._cost(pair[0]))
            if self._cost(remainder) < self._cost(value):
                return Mul(Integer(remainder.p), form) / remainder.q
        inverse = 1 / value
        if (
            not plain
            and "/" not in exact_number(inverse)
            and len(text := exact_number(abs(inverse))) <= LONGEST
            and inverse.q != 1
        ):
            return sympy.sign(value) / Typed(text)
        return value

    def _forms(self, value: Rational) -> Iterator[tuple[Rational, Expr]]:
        """Yield ways to write a value as a rational number times typed constants, or divided by them."""
        for constant, symbol in self.symbols.items():
            yield value * constant, 1 / symbol
            yield value / constant, symbol
        # Pairs of constants come last, so that a plain fraction is never written with them.
        for (literal, first), (second_literal, second) in itertools.product([*self.symbols.items()][:FEW], repeat=2):
            yield value * second_literal / literal, first / second
            yield value * literal * second_literal, 1 / (first * second)
            yield value / (literal * second_literal), first * second

    @staticmethod
    def _cost(remainder: Rational) -> int:
        return int(abs(remainder.p) + 2 * remainder.q)


def _simple(value: Rational) -> Rational | None:
    """Return the simple fraction that equals a value up to the rounding of a double; None if there is none."""
    near = Rational(Fraction(int(value.p), int(value.q)).limit_denominator(SIMPLE))
    return near if near != 0 and abs(near.p) <= SIMPLE and abs(value / near - 1) < ROUNDING else None
