"""Parameters that are not what they seem: phases and exponents that are linear, intercepts that are locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Expr

from descend.formula.derivative import derivatives
from descend.formula.formula import Formula
from descend.formula.functions import NAMES
from descend.formula.structure import linear_unknowns, phases
from descend.formula.symbols import Column, Parameter, Predictor


@lru_cache(maxsize=128)
def quadratures(formula: Formula) -> Mapping[Parameter, Parameter]:
    """Return the amplitudes that are linear together with a phase, each with it.

    As a sin(u + p) = a cos(p) sin(u) + a sin(p) cos(u), such a pair is found by solving for two factors: of the part at
    p = 0, and of that at p = pi/2.
    """
    found: dict[Parameter, Parameter] = {}
    jacobian = formula.jacobian
    for phase, amplitude in phases(formula).items():
        if amplitude is None or amplitude in found:
            continue
        part = jacobian[amplitude]
        own = part.subs(amplitude, 0) == part and (formula.expression - amplitude * part).expand()
        twice = derivatives(derivatives(part, [phase])[phase], [phase])[phase]
        if own is not False and phase not in own.free_symbols and sympy.expand(twice + part) == 0:
            found[amplitude] = phase
    return found


@lru_cache(maxsize=128)
def exponents(formula: Formula) -> Mapping[Parameter, Expr]:
    """Return the parameters that are the logarithm of a factor, such as a in `exp(a + b*x)`, each with its rate.

    The rate is 1 there, log(10) in `10^(a + b*x)`: the part of the sum that a is in is multiplied by exp(rate * a).
    """
    found: dict[Parameter, Expr] = {}
    for symbol, slope in formula.jacobian.items():
        if not isinstance(symbol, Parameter) or symbol not in slope.free_symbols:
            continue
        (factor, moving), (other, again) = (
            part.as_independent(symbol, as_Add=False) for part in (slope, derivatives(slope, [symbol])[symbol])
        )
        rate = other / factor
        if moving == again and rate.is_number and symbol not in (formula.expression - slope / rate).free_symbols:
            found[symbol] = rate
    return found


@lru_cache(maxsize=128)
def unwrapped(formula: Formula) -> tuple[Formula, Expr] | None:
    """Return `y ~ a/(1 + x/k) + c` for `log(y) ~ log(a/(1 + x/k) + c)`, and the like; None if that is no simpler.

    It is simpler if other parameters enter linearly, such as those that are measured in the unit of y. With it comes
    what a small change of its response is multiplied by in that of the formula, here 1/y.
    """
    response, expression = formula.response, formula.expression
    base = {"log": sympy.E, "log10": sympy.Integer(10), "log2": sympy.Integer(2)}.get(NAMES.get(response.func, ""))
    if base is not None:
        natural = {node: sympy.log(node.args[0]) / sympy.log(other) for other, name in ((10, "log10"), (2, "log2"))
                   for node in expression.atoms(sympy.Function) if NAMES.get(node.func) == name}  # fmt: skip
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


@dataclass(frozen=True)
class Pivot:
    """A parameter that moves a curve along: b in `tanh(b + c*x)`, which is 0 at x = -b/c, or in `1 + b*exp(-c*x)`.

    It is slope * (value of ``along`` at some row), or, if ``exponential``, the exponential of that.
    """

    slope: Parameter
    along: Expr
    exponential: bool = False


@lru_cache(maxsize=128)
def pivots(formula: Formula) -> Mapping[Parameter, Pivot]:
    """Return the nonlinear parameters that are added to, or stand before the exponential of, a slope times data."""
    found: dict[Parameter, Pivot] = {}
    linear = linear_unknowns(formula)
    for node in sorted(formula.expression.atoms(sympy.Add, sympy.Mul), key=sympy.default_sort_key):
        parts = (
            [term.as_coeff_Mul() for term in node.args] if node.is_Add else [(sympy.S.One, part) for part in node.args]
        )
        alone = [(number, part) for number, part in parts if isinstance(part, Parameter) and part not in linear]
        sloped = [pair for pair in (_slope(part, node.is_Mul) for _, part in parts) if pair]
        if len(alone) != 1 or len(sloped) != 1 or (node.is_Add and len(parts) != 2):
            continue
        (number, symbol), (slope, along) = alone[0], sloped[0]
        if node.is_Add:
            along *= next(other for other, part in parts if part is not symbol) / number
        if slope is not symbol:
            found.setdefault(symbol, Pivot(slope, -along, node.is_Mul))
    return found


def _slope(part: Expr, exponential: bool) -> tuple[Parameter, Expr] | None:
    """Return q and x of q*x, or of exp(q*x); None if it is no such thing."""
    if exponential:
        if not isinstance(part, sympy.exp):
            return None
        part = part.args[0]
    symbols = [factor for factor in sympy.Mul.make_args(part) if isinstance(factor, Parameter)]
    if len(symbols) != 1:
        return None
    along = part / symbols[0]
    return (symbols[0], along) if along.atoms(Column) and not along.atoms(Parameter, Predictor) else None
