"""How parameters enter, as a search needs to know it: linear in disguise, as a location, in several like terms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import sympy
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.derivative import derivatives
from descend.formula.formula import Formula
from descend.formula.real_functions import log2, log10
from descend.formula.structure import interchangeable, linear_unknowns, phases
from descend.formula.symbols import Column, Parameter, Predictor

Own = tuple[Parameter, ...]
TRIED = 12
"""Rows of random data by which functions are told apart."""


@lru_cache(maxsize=128)
def quadratures(formula: Formula) -> Mapping[Parameter, Parameter]:
    """Return each amplitude that can be solved for together with a phase, and that phase.

    As a sin(u + p) = a cos(p) sin(u) + a sin(p) cos(u), such a pair follows from two linear factors: that of the part
    at p = 0, and that of the part at p = pi/2.
    """
    quadrature_pairs: dict[Parameter, Parameter] = {}
    jacobian = formula.jacobian
    for phase, amplitude in phases(formula).items():
        if amplitude is None or amplitude in quadrature_pairs:
            continue
        wave = jacobian[amplitude]
        is_quadrature = wave.subs(amplitude, 0) == wave and (formula.expression - amplitude * wave).expand()
        twice = derivatives(derivatives(wave, [phase])[phase], [phase])[phase]
        if is_quadrature is not False and phase not in is_quadrature.free_symbols and sympy.expand(twice + wave) == 0:
            quadrature_pairs[amplitude] = phase
    return quadrature_pairs


@lru_cache(maxsize=128)
def exponents(formula: Formula) -> Mapping[Parameter, Expr]:
    """Return the parameters whose exponential is a factor, such as a in `exp(a + b*x)`, each with its rate.

    The rate is 1 here and log(10) in `10^(a + b*x)`: the term that a is in is multiplied by exp(rate * a).
    """
    exponents_found: dict[Parameter, Expr] = {}
    for symbol, slope in formula.jacobian.items():
        if not isinstance(symbol, Parameter) or symbol not in slope.free_symbols:
            continue
        (factor, moving), (other_factor, again) = (
            part.as_independent(symbol, as_Add=False) for part in (slope, derivatives(slope, [symbol])[symbol])
        )
        rate = other_factor / factor
        if moving == again and rate.is_number and symbol not in (formula.expression - slope / rate).free_symbols:
            exponents_found[symbol] = rate
    return exponents_found


@lru_cache(maxsize=128)
def unwrapped(formula: Formula) -> tuple[Formula, Expr] | None:
    """Return `y ~ a/(1 + x/k) + c` for `log(y) ~ log(a/(1 + x/k) + c)`, and the like; None if that is no simpler.

    It is simpler if it makes other parameters linear, such as those measured in the unit of y. It comes with the
    derivative of the formula's response by its own, here 1/y.
    """
    response, expression = formula.response, formula.expression
    base = {sympy.log: sympy.E, log10: sympy.Integer(10), log2: sympy.Integer(2)}.get(response.func)
    if base is not None:
        natural = {node: sympy.log(node.args[0]) / sympy.log(10) for node in expression.atoms(log10)}
        natural |= {node: sympy.log(node.args[0]) / sympy.log(2) for node in expression.atoms(log2)}
        terms = (term * sympy.log(base) for term in sympy.Add.make_args(expression.xreplace(natural)))
        inner, plain = response.args[0], sympy.exp(sympy.Add(*terms))
        slope = 1 / (inner * sympy.log(base))
    elif response.is_Pow and response.exp.is_number and expression.is_Pow and expression.exp == response.exp:
        inner, plain = response.base, expression.base
        slope = response.exp * inner ** (response.exp - 1)
    else:
        return None
    if not plain.atoms(Parameter, Predictor) or not inner.atoms(Column):
        return None
    simpler = replace(formula, response=inner, expression=plain)
    before, after = linear_unknowns(formula), linear_unknowns(simpler)
    return (simpler, slope) if len(after) >= len(before) and after - before else None


def linear_in(expression: Expr, unknowns: Collection[Expr]) -> bool:
    """Return whether an expression is linear in its unknowns, parameters and linear predictors, all together."""
    return not any(slope.atoms(Parameter, Predictor) for slope in derivatives(expression, unknowns).values())


def linear_inside(expression: Expr, unknowns: Collection[Expr]) -> Expr | None:
    """Return the part that is linear in the unknowns and of which the rest is a function; None if there is none.

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


@dataclass(frozen=True)
class Pivot:
    """A parameter that shifts a curve: b in `tanh(b + c*x)`, which is 0 at x = -b/c, or in `1 + b*exp(-c*x)`.

    Its value is slope * (``along`` at some row), or, if ``exponential``, the exponential of that.
    """

    slope: Parameter
    along: Expr
    exponential: bool = False


@lru_cache(maxsize=128)
def pivots(formula: Formula) -> Mapping[Parameter, Pivot]:
    """Return the nonlinear parameters that are added to a slope times data, or that multiply its exponential."""
    pivots_found: dict[Parameter, Pivot] = {}
    linear = linear_unknowns(formula)
    for node in sorted(formula.expression.atoms(sympy.Add, sympy.Mul), key=sympy.default_sort_key):
        summands = (
            [term.as_coeff_Mul() for term in node.args] if node.is_Add else [(sympy.S.One, part) for part in node.args]
        )
        alone = [(number, part) for number, part in summands if isinstance(part, Parameter) and part not in linear]
        sloped = [pair for pair in (_slope(part, node.is_Mul) for _, part in summands) if pair]
        if len(alone) != 1 or len(sloped) != 1 or (node.is_Add and len(summands) != 2):
            continue
        (number, symbol), (slope, along) = alone[0], sloped[0]
        if node.is_Add:
            along *= next(other_summand for other_summand, part in summands if part is not symbol) / number
        if slope is not symbol:
            pivots_found.setdefault(symbol, Pivot(slope, -along, node.is_Mul))
    return pivots_found


def _slope(summand: Expr, exponential: bool) -> tuple[Parameter, Expr] | None:
    """Return q and x if a part is q*x, or exp(q*x) if ``exponential``; None if it is not."""
    if exponential:
        if not isinstance(summand, sympy.exp):
            return None
        summand = summand.args[0]
    symbols = [factor for factor in sympy.Mul.make_args(summand) if isinstance(factor, Parameter)]
    if len(symbols) != 1:
        return None
    along = summand / symbols[0]
    return (symbols[0], along) if along.atoms(Column) and not along.atoms(Parameter, Predictor) else None


@lru_cache(maxsize=128)
def nonlinear(formula: Formula) -> Own:
    """Return the scalar parameters to be searched for; the others are solved for at each of their values."""
    symbols = linear_unknowns(formula)
    return tuple(symbol for symbol in formula.unknowns if isinstance(symbol, Parameter) and symbol not in symbols)


@lru_cache(maxsize=128)
def shared(formula: Formula) -> Own:
    """Return the nonlinear parameters that shape several linear terms, such as b in `a*exp(-b*x) + c*exp(-2*b*x)`.

    Two shapes that change together can come close to the same curve in more than one place. In `a*s + d*(1 - s)` only
    s changes, beside a constant: so what counts is how many changes of shape are linearly independent.
    """
    if formula.terms:
        return ()
    shapes = [formula.jacobian[symbol] for symbol in sorted(linear_unknowns(formula), key=str)]
    return tuple(symbol for symbol in nonlinear(formula) if _changes(formula, shapes, symbol) > 1)


def _changes(formula: Formula, shapes: list[Expr], symbol: Parameter) -> int:
    """Return how many of the derivatives of these shapes by a parameter are linearly independent over the data."""
    slopes = [slope for shape in shapes if (slope := derivatives(shape, [symbol])[symbol]) != 0]
    if len(slopes) < 2:
        return len(slopes)
    symbols = tuple(sorted(set().union(*(slope.free_symbols for slope in slopes)), key=str))
    random = np.random.default_rng(0)
    values = [random.uniform(0.5, 1.5, TRIED if isinstance(each, Column) else None) for each in symbols]
    with np.errstate(all="ignore"):
        slope_values = [compile_expression(slope, symbols)(*values) for slope in slopes]
    matrix = np.array([np.broadcast_to(each, (TRIED,)) for each in slope_values], dtype=np.float64)
    matrix = matrix[:, np.isfinite(matrix).all(axis=0)]
    return int(np.linalg.matrix_rank(matrix, rtol=1e-8)) if matrix.size else 0


@lru_cache(maxsize=128)
def like_terms(formula: Formula, bounded: bool) -> tuple[tuple[Own, Own], ...]:
    """Return the nonlinear parameters of every two terms that differ only in numbers and amplitudes.

    Such as (b, d) in `a*(exp(-b*x) + 2*exp(-d*x))`: with b and d exchanged J has another valley. Where whole terms can
    change places it is the same valley, unless bounds tell them apart (``bounded``).
    """
    same: set[Parameter] = set()
    if not bounded:
        same = {symbol for group in interchangeable(formula) for own_symbols in group for symbol in own_symbols}
    like_pairs: dict[tuple[Own, Own], None] = {}
    for node in sympy.preorder_traversal(formula.expression):
        if node.is_Add:
            skeletons = list(_skeletons(formula, node))
            for (first_skeleton, first), (second_skeleton, second) in combinations(skeletons, 2):
                if first_skeleton == second_skeleton and first != second and not {*first, *second} <= same:
                    like_pairs[(first, second)] = None
    return tuple(like_pairs)


def _skeletons(formula: Formula, total: Expr) -> Iterator[tuple[Expr, Own]]:
    """Yield each term of a sum without its numbers, amplitudes and names, with its nonlinear parameters."""
    sought = nonlinear(formula)
    for term in total.args:
        _, remainder = term.as_coeff_Mul()
        remainder = remainder.xreplace({symbol: sympy.S.One for symbol in linear_unknowns(formula)})
        own_symbols = tuple(symbol for symbol in sought if symbol in remainder.free_symbols)
        if own_symbols:
            yield (
                remainder.xreplace({symbol: sympy.Symbol(f"own{place}") for place, symbol in enumerate(own_symbols)}),
                own_symbols,
            )
