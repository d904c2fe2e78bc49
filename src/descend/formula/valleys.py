"""Which formulas have valleys beside each other: said of the expression alone, whatever the data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import numpy as np
import sympy
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.formula import Formula
from descend.formula.structure import interchangeable, linear_unknowns
from descend.formula.symbols import Column, Parameter

Own = tuple[Parameter, ...]
TRIED = 12
"""Rows of random data on which functions are told apart."""


@lru_cache(maxsize=128)
def nonlinear(formula: Formula) -> Own:
    """Return the scalar parameters that have to be looked for: the others are solved for at each of their values."""
    known = linear_unknowns(formula)
    return tuple(symbol for symbol in formula.unknowns if isinstance(symbol, Parameter) and symbol not in known)


@lru_cache(maxsize=128)
def shared(formula: Formula) -> Own:
    """Return the nonlinear parameters that shape two linear terms or more, such as b in `a*exp(-b*x) + c*exp(-2*b*x)`.

    Two shapes that move together come close to the same curve at more than one place. In `a*s + d*(1 - s)` only one
    moves, s, beside a constant: what counts is how many changes of shape are no multiples of each other.
    """
    if formula.terms:
        return ()
    shapes = [formula.jacobian[symbol] for symbol in sorted(linear_unknowns(formula), key=str)]
    return tuple(symbol for symbol in nonlinear(formula) if _changes(formula, shapes, symbol) > 1)


def _changes(formula: Formula, shapes: list[Expr], symbol: Parameter) -> int:
    """Return how many independent functions of the data the derivatives of these shapes by a parameter are."""
    slopes = [slope for shape in shapes if (slope := shape.diff(symbol)) != 0]
    if len(slopes) < 2:
        return len(slopes)
    symbols = tuple(sorted(set().union(*(slope.free_symbols for slope in slopes)), key=str))
    random = np.random.default_rng(0)
    values = [random.uniform(0.5, 1.5, TRIED if isinstance(each, Column) else None) for each in symbols]
    with np.errstate(all="ignore"):
        found = [compile_expression(slope, symbols)(*values) for slope in slopes]
    matrix = np.array([np.broadcast_to(each, (TRIED,)) for each in found], dtype=np.float64)
    matrix = matrix[:, np.isfinite(matrix).all(axis=0)]
    return int(np.linalg.matrix_rank(matrix, rtol=1e-8)) if matrix.size else 0


@lru_cache(maxsize=128)
def like_terms(formula: Formula, held: bool) -> tuple[tuple[Own, Own], ...]:
    """Return pairs of nonlinear parameters whose terms differ only in numbers and amplitudes, as by a tie or a bound.

    Such as (b, d) in `a*(exp(-b*x) + 2*exp(-d*x))`: with b and d in each other's place J has another valley. Where the
    terms can change places as they stand that is the same valley, unless parameters are ``held`` by bounds.
    """
    same: set[Parameter] = set()
    if not held:
        same = {symbol for group in interchangeable(formula) for own in group for symbol in own}
    found: dict[tuple[Own, Own], None] = {}
    for node in sympy.preorder_traversal(formula.expression):
        if node.is_Add:
            skeletons = list(_skeletons(formula, node))
            for (one, first), (other, second) in combinations(skeletons, 2):
                if one == other and first != second and not {*first, *second} <= same:
                    found[(first, second)] = None
    return tuple(found)


def _skeletons(formula: Formula, total: Expr) -> Iterator[tuple[Expr, Own]]:
    """Yield what the terms of a sum are but for numbers, amplitudes and names, with their nonlinear parameters."""
    sought = nonlinear(formula)
    for term in total.args:
        _, rest = term.as_coeff_Mul()
        rest = rest.xreplace({symbol: sympy.S.One for symbol in linear_unknowns(formula)})
        own = tuple(symbol for symbol in sought if symbol in rest.free_symbols)
        if own:
            yield rest.xreplace({symbol: sympy.Symbol(f"own{place}") for place, symbol in enumerate(own)}), own
