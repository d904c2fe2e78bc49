"""Powers and logarithms, circles and hyperbolas, choices, and functions that jump."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import sympy
from sympy import Expr, Integer, Rational

from descend.formula.error_function import ERF_IN_SQL, ERFC_IN_SQL
from descend.formula.functions.entry import POSITIVE, Bend, Function
from descend.formula.real_functions import (
    absolute,
    acosh,
    arctan2,
    asinh,
    atanh,
    cbrt,
    constant,
    erfc,
    expm1,
    hypot,
    log1p,
    log2,
    log10,
    logit,
    maximum,
    minimum,
    real_function,
    sigmoid,
    sign,
    sinc,
    softplus,
    where,
)


def tangent(argument: Expr) -> Expr:
    """Build tan(argument) without cot, which SymPy likes to bring in: tan(x + pi/2) is -1/tan(x) here."""
    return sympy.tan(argument).replace(sympy.cot, lambda inside: 1 / sympy.tan(inside))


def _log(argument: Expr, base: Expr | None = None) -> Expr:
    """Build the natural logarithm, or that to another base."""
    if base in (2, 10):
        return (log2 if base == 2 else log10)(argument)
    return sympy.log(argument) if base is None else sympy.log(argument) / sympy.log(base)


def _bend_of_where(condition: Expr, value_if: Expr, value_else: Expr) -> Bend | None:
    if isinstance(condition, sympy.StrictGreaterThan | sympy.GreaterThan):
        return condition.lhs - condition.rhs, Rational(1, 2), value_if - value_else
    if isinstance(condition, sympy.StrictLessThan | sympy.LessThan):
        return condition.lhs - condition.rhs, Rational(1, 2), value_else - value_if
    return None


def _fold(pair: Callable[..., Expr]) -> Callable[..., Expr]:
    return lambda *arguments: reduce(pair, arguments)


_classic = partial(Function, reserved=True)


def _inverse(kind: Callable[..., Function], name: str, build: Callable[..., Expr], **facts: Any) -> Function:
    """Return the entry of asin, asinh or the like, which NumPy and others call arcsin, arcsinh."""
    arc = f"arc{name[1:]}"
    return kind(name, build, f"np.{arc}({{0}})", aliases=(arc,), **facts)


def _slope_of_asin(u: Expr) -> Expr:
    """Return 1/sqrt(1 - u^2), in a form that keeps its digits near the ends."""
    return 1 / (sympy.sqrt(1 - u) * sympy.sqrt(1 + u))


LOG1P_IN_SQL = "case when 1.0 + ({0}) = 1.0 then {0} else ln(1.0 + ({0})) * ({0}) / ((1.0 + ({0})) - 1.0) end"
"""Puts back what 1 + u rounds away (Goldberg 1991, theorem 4)."""
EXPM1_IN_SQL = (
    "case when exp({0}) = 1.0 then {0} when abs({0}) < 1.0 "
    "then (exp({0}) - 1.0) * ({0}) / ln(exp({0})) else exp({0}) - 1.0 end"
)
SOFTPLUS_IN_SQL = "greatest({0}, 0.0) + 2.0 * atanh(1.0 / (1.0 + 2.0 * exp(abs({0}))))"
"""ln(1 + u) = 2 atanh(u / (2 + u)) keeps the digits of a small u."""
SINC_IN_SQL = "case when {0} = 0.0 then 1.0 else sin(3.141592653589793 * ({0})) / (3.141592653589793 * ({0})) end"
CASES_IN_MATHML = (
    '<mrow><mo>{{</mo><mtable columnalign="left">'
    "<mtr><mtd>{1}</mtd><mtd><mspace width='1em'/><mtext>if&nbsp;</mtext>{0}</mtd></mtr>"
    "<mtr><mtd>{2}</mtd><mtd><mspace width='1em'/><mtext>otherwise</mtext></mtd></mtr></mtable></mrow>"
)
_logarithm = partial(_classic, domain="> 0", infinite_at_zero=True, steep_at_zero=True, rising=True, query_repeats=True)
_turn = partial(_classic, periodic=True, units="rad -> 1")
_arc = partial(_inverse, partial(_classic, units="1 -> rad"))
_area = partial(_inverse, partial(Function, rising=True))
_extreme = partial(Function, arguments=(2, None), keeps_unit=True, units="u -> u")
_step = partial(Function, rising=True, jumps=True)
HALF, QUARTER_TURN = Rational(1, 2), math.pi / 2
floor = real_function("floor", lambda x: Integer(0))
ceil = real_function("ceil", lambda x: Integer(0))
mod = real_function("mod", lambda a, b: Integer(1), lambda a, b: -floor(a / b))


def _heaviside(x: Expr, at_zero: Expr = HALF) -> Expr:
    """Build NumPy's step from 0 to 1."""
    at_most_zero = where(sympy.Eq(x, 0, evaluate=bool(x.is_number)), at_zero, Integer(0))
    return where(sympy.Gt(x, 0, evaluate=bool(x.is_number)), Integer(1), at_most_zero)


ENTRIES = (
    _classic("exp", sympy.exp, range=POSITIVE, rising=True, positive=True, query_repeats=True),
    _logarithm("log", _log, sql="ln({0})", arguments=(1, 2), nodes=sympy.log, aliases=("ln",)),
    _logarithm("log10", log10, symbol="log_10"),
    _logarithm("log2", log2, symbol="log_2"),
    _classic("sqrt", sympy.sqrt, units="u -> u^(1/2)"),
    _classic(
        "log1p",
        log1p,
        sql=LOG1P_IN_SQL,
        latex=r"\log\left(1 + {0}\right)",
        domain="> -1",
        rising=True,
        query_repeats=True,
    ),
    _classic(
        "expm1",
        expm1,
        sql=EXPM1_IN_SQL,
        latex=r"\left(e^{{{0}}} - 1\right)",
        range=(-1.0, math.inf),
        rising=True,
        query_repeats=True,
    ),
    _classic(
        "cbrt",
        cbrt,
        torch="(lambda v: torch.sign(v) * torch.abs(v) ** (1.0 / 3.0))({0})",
        sql="sign({0}) * power(abs({0}), 1.0 / 3.0)",
        latex=r"\sqrt[3]{{{0}}}",
        mathml="<mroot>{0}<mn>3</mn></mroot>",
        query_repeats=True,
        rising=True,
        steep_at_zero=True,
        units="u -> u^(1/3)",
    ),
    _classic(
        "hypot",
        hypot,
        sql="sqrt(power({0}, 2.0) + power({1}, 2.0))",
        latex=r"\sqrt{{\left({0}\right)^2 + \left({1}\right)^2}}",
        query_repeats=True,
        range=POSITIVE,
        keeps_unit=True,
        units="u -> u",
    ),
    _classic("sinc", sinc, sql=SINC_IN_SQL, range=(-0.21723362821122166, 1.0), query_repeats=True),
    _turn("sin", sympy.sin, range=(-1.0, 1.0), query=lambda _, x: x.sin()),
    _turn("cos", sympy.cos, range=(-1.0, 1.0), query=lambda _, x: x.cos()),
    _turn("tan", tangent, nodes=sympy.tan, query=lambda _, x: x.tan()),
    _arc(
        "asin",
        sympy.asin,
        slopes=(_slope_of_asin,),
        range=(-QUARTER_TURN, QUARTER_TURN),
        domain="between -1 and 1",
        rising=True,
        query_repeats=True,
    ),
    _arc(
        "acos",
        sympy.acos,
        slopes=(lambda u: -_slope_of_asin(u),),
        range=(0.0, math.pi),
        domain="between -1 and 1",
        falling=True,
        query_repeats=True,
    ),
    _arc("atan", sympy.atan, range=(-QUARTER_TURN, QUARTER_TURN), rising=True, query=lambda _, x: x.atan()),
    _classic(
        "atan2",
        arctan2,
        "np.arctan2({0}, {1})",
        aliases=("arctan2",),
        range=(-math.pi, math.pi),
        units="u -> rad",
        query=lambda _, y, x: y.atan2(x),
    ),
    _classic("sinh", sympy.sinh, rising=True, query_repeats=True),
    _classic("cosh", sympy.cosh, range=(1.0, math.inf), query_repeats=True),
    _classic(
        "tanh", sympy.tanh, slopes=(lambda u: sympy.cosh(u) ** -2,), range=(-1.0, 1.0), rising=True, query_repeats=True
    ),
    _area("asinh", asinh),
    _area("acosh", acosh, domain=">= 1", range=POSITIVE),
    _area("atanh", atanh, domain="above -1 and below 1"),
    Function("logit", logit, library="special", sql=None, domain="above 0 and below 1", rising=True),
    _classic(
        "sigmoid",
        sigmoid,
        "special.expit({0})",
        sql="1.0 / (1.0 + exp(-({0})))",
        symbol="σ",
        aliases=("expit", "logistic", "inv_logit", "plogis"),
        range=(0.0, 1.0),
        rising=True,
        positive=True,
        query_repeats=True,
    ),
    _classic(
        "softplus",
        softplus,
        "np.logaddexp(0, {0})",
        "-torch.nn.functional.logsigmoid(-({0}))",
        SOFTPLUS_IN_SQL,
        aliases=("log1pexp", "log1p_exp"),
        range=POSITIVE,
        rising=True,
        positive=True,
        keeps_unit=True,
        query_repeats=True,
    ),
    _classic(
        "abs",
        absolute,
        aliases=("absolute", "fabs"),
        latex=r"\left|{0}\right|",
        mathml="<mrow><mo>|</mo>{0}<mo>|</mo></mrow>",
        range=POSITIVE,
        keeps_unit=True,
        units="u -> u",
        bend=lambda u: (u, Integer(1), None),
        query=lambda _, x: x.abs(),
    ),
    _extreme(
        "min",
        _fold(minimum),
        "np.minimum({0}, {1})",
        "torch.minimum({0}, {1})",
        "least({0}, {1})",
        r"\min\left({0}, {1}\right)",
        nodes=minimum,
        aliases=("minimum", "fmin", "least", "pmin"),
        range=lambda one, other: (min(one[0], other[0]), min(one[1], other[1])),
        bend=lambda u, v: (u - v, -HALF, None),
    ),
    _extreme(
        "max",
        _fold(maximum),
        "np.maximum({0}, {1})",
        "torch.maximum({0}, {1})",
        "greatest({0}, {1})",
        r"\max\left({0}, {1}\right)",
        nodes=maximum,
        aliases=("maximum", "fmax", "greatest", "pmax"),
        range=lambda one, other: (max(one[0], other[0]), max(one[1], other[1])),
        bend=lambda u, v: (u - v, HALF, None),
    ),
    _classic(
        "where",
        where,
        aliases=("if", "iff", "iif", "ifelse", "if_else"),
        sql="case when {0} then {1} else {2} end",
        latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        mathml=CASES_IN_MATHML,
        range=lambda one, other: (min(one[0], other[0]), max(one[1], other[1])),
        keeps_unit=True,
        bend=_bend_of_where,
    ),
    _classic("erf", sympy.erf, library="special", sql=ERF_IN_SQL, range=(-1.0, 1.0), rising=True, query_repeats=True),
    _classic(
        "erfc",
        erfc,
        library="special",
        sql=ERFC_IN_SQL,
        range=(0.0, 2.0),
        falling=True,
        positive=True,
        query_repeats=True,
    ),
    Function("heaviside", _heaviside, arguments=(1, 2), units="any, 1 -> 1"),
    _step(
        "sign",
        sign,
        range=(-1.0, 1.0),
        aliases=("sgn", "signum"),
        units="any -> 1",
        bend=lambda u: (u, HALF, Integer(2)),
    ),
    _step(
        "floor",
        floor,
        latex=r"\left\lfloor {0} \right\rfloor",
        mathml="<mrow><mo>⌊</mo>{0}<mo>⌋</mo></mrow>",
        units="u -> u",
        query=lambda _, x: x.floor().cast("float64"),
    ),
    _step(
        "ceil",
        ceil,
        latex=r"\left\lceil {0} \right\rceil",
        mathml="<mrow><mo>⌈</mo>{0}<mo>⌉</mo></mrow>",
        aliases=("ceiling",),
        query=lambda _, x: x.ceil().cast("float64"),
    ),
    Function(
        "mod",
        mod,
        torch="torch.remainder({0}, {1})",
        sql="(({0}) - ({1}) * floor(({0}) / ({1})))",
        aliases=("remainder",),
        domain=("", "!= 0"),
        keeps_unit=True,
        units="u -> u",
        query=lambda database, a, b: a - b * database.divided(a, b).floor().cast("float64"),
        query_repeats=True,
    ),
)
DERIVED = (Function("constant", constant, "{0}", "({0}).detach()", "{0}", "{0}"),)
