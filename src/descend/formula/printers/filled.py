"""Write a formula with the values of its parameters in it, in the user's own arrangement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Add, Expr, Integer

from descend.formula.formula import Formula
from descend.formula.printers.code import TEXT, Writer, doubles
from descend.formula.printers.latex import as_latex
from descend.formula.symbols import Column, Parameter

Rounding = Mapping[str, float | None]
ALL = 16
"""Digits from which on a float is written in full, with the fewest digits that give it back."""


class Filled(Writer):
    """Formula text whose sums end with what is merely added: `2.037*x + 0.9139`."""

    def _terms(self, node: Expr) -> list[Expr]:
        return sorted(super()._terms(node), key=lambda term: not term.atoms(Column))


def filled(
    formula: Formula, values: Mapping[str, object], rounding: Rounding | None = None, part: Expr | None = None
) -> str:
    """Return the right side of ``formula``, or another expression in its symbols, with values to four digits or more.

    rounding: by label, how far a value may be rounded; None for one that is mere rounding error and is left out.

    No arithmetic is done with rounded values: `a*(year - 2000)` stays a product, since 2.172 times 2000 would be far
    from its true value.

    >>> from descend.formula import read_formula
    >>> filled(read_formula("y ~ a*(x - 2000) + b", ["x", "y"]), {"a": -2.1718, "b": 7.4561})
    '7.456 - 2.172*(x - 2000)'
    """
    expression, names = _with_values(formula, formula.expression if part is None else part, values, rounding or {})
    return Filled(TEXT, doubles(expression) | names).write(expression)


def filled_latex(
    formula: Formula, prediction: Expr, values: Mapping[str, object], rounding: Rounding | None = None
) -> str:
    """Return ``prediction``, an expression in the symbols of ``formula``, as a LaTeX equation with values in it.

    rounding: see `filled`.

    >>> from descend.formula import read_formula
    >>> read = read_formula("y ~ a*exp(-b*x)", ["x", "y"])
    >>> print(filled_latex(read, read.expression, {"a": 2.5, "b": 1.2e-7}))
    y = 2.5 e^{- 1.2 \\cdot 10^{-7} x}
    """
    expression, names = _with_values(formula, prediction, values, rounding or {})
    texts_of_symbols = {symbol: _power_of_ten(text) for symbol, text in names.items()}
    return f"{as_latex(formula.response)} = {as_latex(expression, texts_of_symbols)}"


def _power_of_ten(text: str) -> str:
    digits, e, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if e else digits


def _with_values(
    formula: Formula, expression: Expr, values: Mapping[str, Any], rounding: Rounding
) -> tuple[Expr, dict[Expr, str]]:
    """Put a symbol for the size of each value into ``expression``, with its sign; return how each symbol is written."""
    names: dict[Expr, str] = {}
    signed: dict[Expr, Expr] = {}

    def stand_in(name: str, value: float) -> Expr:
        symbol, within = Parameter(name), rounding.get(name, math.inf)
        if within is None:
            return Integer(0)
        names[symbol] = short(abs(value), within)
        return -symbol if value < 0 else symbol

    for name, labels in formula.parameters.items():
        if labels is None:
            signed[Parameter(name)] = stand_in(name, float(values[name]))
    for predictor, term in formula.terms.items():
        if term.levels is not None or '["' in predictor.name:  # of groups, whose values the table of parameters shows
            continue
        parts = zip(term.labels, np.ravel(np.asarray(values[term.vector])).tolist(), term.items, strict=True)
        signed[predictor] = Add(*(stand_in(f"{term.vector}[{label}]", value) * item for label, value, item in parts))
    return formula.as_typed(expression).xreplace(signed), names


def short(value: float, within: float = math.inf) -> str:
    """Write a number without a sign to four digits, and with at least two after the point where it is large.

    within: how far the text may be from the value; digits are added until it is near enough, or the float has no more.

    >>> short(0.000304771123), short(0.000304771123, 1e-10), short(0.1, 0.0)
    ('0.0003048', '0.0003047711', '0.1')
    """
    before_point = math.floor(math.log10(value)) + 1 if value > 0.0 else 0
    digits = min(max(4, before_point + 2), 12)
    if within < math.inf:
        needed = before_point - math.floor(math.log10(within) + math.log10(2.0)) if within > 0.0 else ALL
        digits = max(digits, needed)
    return f"{value:.{digits}g}" if digits < ALL else repr(value).removesuffix(".0")
