"""Expressions with each ``w @ [x1, x2]``, and each parameter per group, written as the sum that it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sympy import Add, Expr, Mul

from descend.formula.symbols import Component, Parameter, Predictor, Term


def component_symbols(labels: Sequence[str], shapes: Mapping[str, Sequence[str] | None]) -> tuple[Expr, ...]:
    """Return the symbol of each component of theta: a parameter, or a component of a vector."""
    return tuple(Parameter(label) if shapes.get(label, ()) is None else Component(label) for label in labels)


def expanded(
    expression: Expr, terms: Mapping[Predictor, Term], symbols: Sequence[Expr], slices: Mapping[str, slice]
) -> Expr:
    """Return an expression of columns and of the components of theta alone.

    terms: what each predictor stands for. symbols: of the components; slices: where those of a vector lie.
    """
    sums = {
        predictor: Add(
            *(Mul(symbol, item) for symbol, item in zip(symbols[slices[term.vector]], term.items, strict=True))
        )
        for predictor, term in terms.items()
    }
    return expression.xreplace(sums) if sums else expression
