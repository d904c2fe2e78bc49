"""The functions a formula may call: one entry each, with everything that other modules need to know of it.

SymPy's own function class is used where its derivative is right for real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Integer, Rational

from descend.formula.error_function import ERF_IN_SQL, ERFC_IN_SQL
from descend.formula.real_functions import (
    absolute,
    arctan2,
    cbrt,
    constant,
    digamma,
    erfc,
    expm1,
    gamma,
    hypot,
    lgamma,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    sigmoid,
    sign,
    sinc,
    softplus,
    where,
)

Interval = tuple[float, float]
REAL: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)


def _tangent(argument: Expr) -> Expr:
    """Build tan(argument) without cot, which SymPy likes to bring in: tan(x + pi/2) is -1/tan(x) here."""
    return sympy.tan(argument).replace(sympy.cot, lambda inside: 1 / sympy.tan(inside))


Bend = tuple[Expr, Expr, Expr | None]


def _bend_of_where(condition: Expr, chosen: Expr, other: Expr) -> Bend | None:
    if isinstance(condition, sympy.StrictGreaterThan | sympy.GreaterThan):
        return condition.lhs - condition.rhs, Rational(1, 2), chosen - other
    if isinstance(condition, sympy.StrictLessThan | sympy.LessThan):
        return condition.lhs - condition.rhs, Rational(1, 2), other - chosen
    return None


@dataclass(frozen=True, eq=False)
class Function:
    """One named function: how it is built, how each language writes it, and what is known of it.

    name: as in formulas. build: makes the SymPy expression from its arguments; nodes: the class of that expression, if
    the function has one of its own. arguments: the fewest and the most it takes, None if any number.

    numpy, torch, sql, latex, mathml: templates, ``{0}``, ``{1}`` standing for the arguments in that language; without
    one it is called by its name there.
    query: computes its value in a database, from `printers.database.DatabaseFunctions` and Ibis values. Without it, the
    database must have a function of this name; otherwise rows are streamed. query_repeats: whether ``query`` may write
    an argument twice.

    range: least and largest value, or a function of those of the arguments. rising: whether it never falls. domain:
    what the argument must be, ``> 0`` or ``between -1 and 1``. infinite_at_zero, steep_at_zero: whether its value, or
    its slope, is infinite at 0. periodic: as sin is. keeps_unit: whether its value has the unit of its arguments.
    reserved: whether its name, without backticks, can name no parameter.
    bend: returns (u, s, gap) for its arguments, where it bends at u = 0 as s |u| does; see `formula.domain.Bend`.

    >>> from descend.formula.real_functions import real_function
    >>> softsign = real_function("softsign", lambda u: (1 + absolute(u)) ** -2)
    >>> Function("softsign", softsign, numpy="({0}) / (1 + np.abs({0}))", range=(-1.0, 1.0), rising=True).torch
    'torch.softsign({0})'
    """

    name: str
    build: Callable[..., Expr]
    numpy: str = ""
    torch: str = ""
    sql: str = ""
    latex: str = ""
    mathml: str = ""
    arguments: tuple[int, int | None] = (1, 1)
    nodes: type | None = None
    query: Callable[..., object] | None = None
    query_repeats: bool = False
    range: Interval | Callable[..., Interval] = REAL
    rising: bool = False
    domain: str = ""
    infinite_at_zero: bool = False
    steep_at_zero: bool = False
    periodic: bool = False
    keeps_unit: bool = False
    reserved: bool = False
    bend: Callable[..., Bend | None] | None = None

    @property
    def positive(self) -> bool:
        """Whether it is positive everywhere, however near it comes to 0."""
        return self.rising and isinstance(self.range, tuple) and self.range[0] >= 0.0

    def __post_init__(self) -> None:
        places = [f"{{{place}}}" for place in range(self.arguments[0])]
        listed = ", ".join(places)
        defaults = {
            "numpy": f"np.{self.name}({listed})",
            "torch": f"torch.{self.name}({listed})",
            "sql": f"{self.name}({listed})",
            "latex": rf"\operatorname{{{{{self.name}}}}}\left({listed}\right)",
            "mathml": f"<mrow><mi>{self.name}</mi><mo>(</mo>{'<mo>,</mo>'.join(places)}<mo>)</mo></mrow>",
            "nodes": self.build if isinstance(self.build, type) else None,
        }
        for field, default in defaults.items():
            object.__setattr__(self, field, getattr(self, field) or default)


def _fold(pair: Callable[..., Expr]) -> Callable[..., Expr]:
    return lambda *arguments: reduce(pair, arguments)


def _latex(sign: str) -> str:
    return rf"{sign}\left({{0}}\right)"


def _mathml(sign: str) -> str:
    return f"<mrow>{sign}<mo>(</mo>{{0}}<mo>)</mo></mrow>"


_classic = partial(Function, reserved=True)


def _arc(name: str, build: Callable[..., Expr], **facts: Any) -> Function:
    return _classic(name, build, f"np.arc{name[1:]}({{0}})", latex=_latex(rf"\arc{name[1:]}"), **facts)


FUNCTIONS: dict[str, Function] = {}
"""The functions that formulas may call, by name."""
DERIVED_ONLY: dict[str, Function] = {}
"""The functions that only derivatives bring in, by name."""
NAMES: dict[type, str] = {sympy.Abs: "abs", sympy.sign: "sign"}
"""The name of a SymPy class of functions in formulas; every printer looks functions up through it."""


def entry_of(node: Expr) -> Function | None:
    """Return the entry of the function that a node calls; None if it calls none."""
    name = NAMES.get(node.func)
    return None if name is None else FUNCTIONS.get(name) or DERIVED_ONLY[name]


def register(*functions: Function, table: dict[str, Function] = FUNCTIONS) -> None:
    """Let formulas call these functions.

    >>> register(Function("square", lambda u: u**2))
    >>> from descend.formula import as_text, read_formula
    >>> as_text(read_formula("y ~ a*square(x)", ["x", "y"]).expression)
    'a*x^2'
    >>> del FUNCTIONS["square"]
    """
    for function in functions:
        table[function.name] = function
        if function.nodes is not None:
            NAMES[function.nodes] = function.name


GAMMA_IN_TORCH = "(lambda v: torch.exp(torch.lgamma(v)) * (1 - 2 * ((v < 0) & (torch.floor(v) % 2 == 1))))({0})"
"""PyTorch has the logarithm only; the sign of gamma(v) alternates between the negative whole numbers."""
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
_pair = partial(_classic, arguments=(2, 2))
_extreme = partial(Function, arguments=(2, None), keeps_unit=True)
HALF, QUARTER_TURN = Rational(1, 2), math.pi / 2

register(
    _classic("exp", sympy.exp, latex="e^{{{0}}}", range=POSITIVE, rising=True, query_repeats=True),
    _logarithm("log", sympy.log, sql="ln({0})", latex=_latex(r"\log")),
    _logarithm("log10", log10, latex=_latex(r"\log_{{10}}"), mathml=_mathml("<msub><mi>log</mi><mn>10</mn></msub>")),
    _logarithm("log2", log2, latex=_latex(r"\log_2"), mathml=_mathml("<msub><mi>log</mi><mn>2</mn></msub>")),
    _classic("sqrt", sympy.sqrt, latex=r"\sqrt{{{0}}}"),
    _classic("log1p", log1p, sql=LOG1P_IN_SQL, latex=r"\log\left(1 + {0}\right)", query_repeats=True),
    _classic("expm1", expm1, sql=EXPM1_IN_SQL, latex=r"\left(e^{{{0}}} - 1\right)", query_repeats=True),
    _classic(
        "cbrt",
        cbrt,
        torch="(lambda v: torch.sign(v) * torch.abs(v) ** (1.0 / 3.0))({0})",
        sql="sign({0}) * power(abs({0}), 1.0 / 3.0)",
        latex=r"\sqrt[3]{{{0}}}",
        query_repeats=True,
        steep_at_zero=True,
    ),
    _pair(
        "hypot",
        hypot,
        sql="sqrt(power({0}, 2.0) + power({1}, 2.0))",
        latex=r"\sqrt{{\left({0}\right)^2 + \left({1}\right)^2}}",
        query_repeats=True,
    ),
    _classic("sinc", sinc, sql=SINC_IN_SQL, query_repeats=True),
    _classic("sin", sympy.sin, latex=_latex(r"\sin"), range=(-1.0, 1.0), periodic=True, query=lambda _, x: x.sin()),
    _classic("cos", sympy.cos, latex=_latex(r"\cos"), range=(-1.0, 1.0), periodic=True, query=lambda _, x: x.cos()),
    _classic("tan", _tangent, latex=_latex(r"\tan"), nodes=sympy.tan, periodic=True, query=lambda _, x: x.tan()),
    _arc("asin", sympy.asin, range=(-QUARTER_TURN, QUARTER_TURN), domain="between -1 and 1", query_repeats=True),
    _arc("acos", sympy.acos, range=(0.0, math.pi), domain="between -1 and 1", query_repeats=True),
    _arc("atan", sympy.atan, range=(-QUARTER_TURN, QUARTER_TURN), rising=True, query=lambda _, x: x.atan()),
    _pair("atan2", arctan2, "np.arctan2({0}, {1})", range=(-math.pi, math.pi), query=lambda _, y, x: y.atan2(x)),
    _classic("sinh", sympy.sinh, latex=_latex(r"\sinh"), rising=True, query_repeats=True),
    _classic("cosh", sympy.cosh, latex=_latex(r"\cosh"), range=(1.0, math.inf), query_repeats=True),
    _classic("tanh", sympy.tanh, latex=_latex(r"\tanh"), range=(-1.0, 1.0), rising=True, query_repeats=True),
    _classic(
        "sigmoid",
        sigmoid,
        "special.expit({0})",
        sql="1.0 / (1.0 + exp(-({0})))",
        latex=_latex(r"\sigma"),
        mathml=_mathml("<mi>σ</mi>"),
        range=(0.0, 1.0),
        rising=True,
        query_repeats=True,
    ),
    _classic(
        "softplus",
        softplus,
        "np.logaddexp(0, {0})",
        "-torch.nn.functional.logsigmoid(-({0}))",
        SOFTPLUS_IN_SQL,
        range=POSITIVE,
        rising=True,
        keeps_unit=True,
        query_repeats=True,
    ),
    _classic(
        "abs",
        absolute,
        latex=r"\left|{0}\right|",
        mathml="<mrow><mo>|</mo>{0}<mo>|</mo></mrow>",
        range=POSITIVE,
        keeps_unit=True,
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
        range=lambda one, other: (max(one[0], other[0]), max(one[1], other[1])),
        bend=lambda u, v: (u - v, HALF, None),
    ),
    _classic(
        "where",
        where,
        sql="case when {0} then {1} else {2} end",
        latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        mathml=CASES_IN_MATHML,
        arguments=(3, 3),
        range=lambda one, other: (min(one[0], other[0]), max(one[1], other[1])),
        keeps_unit=True,
        bend=_bend_of_where,
    ),
    _classic("erf", sympy.erf, "special.erf({0})", sql=ERF_IN_SQL, range=(-1.0, 1.0), rising=True, query_repeats=True),
    _classic("erfc", erfc, "special.erfc({0})", sql=ERFC_IN_SQL, query_repeats=True),
    Function(
        "gamma", gamma, "special.gamma({0})", GAMMA_IN_TORCH, latex=_latex(r"\Gamma"), mathml=_mathml("<mi>Γ</mi>")
    ),
)
register(
    Function("sign", sign, range=(-1.0, 1.0), rising=True),
    Function("constant", constant, "{0}", "({0}).detach()", "{0}", "{0}"),
    Function("lgamma", lgamma, "special.gammaln({0})", latex=_latex(r"\log \Gamma"), mathml=_mathml("<mi>ln Γ</mi>")),
    Function("digamma", digamma, "special.digamma({0})", latex=_latex(r"\psi"), mathml=_mathml("<mi>ψ</mi>")),
    table=DERIVED_ONLY,
)

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi, "e": sympy.E, "π": sympy.pi}


class Special:
    """SciPy's special functions, loaded at their first use."""

    def __getattr__(self, name: str) -> Callable[..., float]:
        from scipy import special

        function: Callable[..., float] = getattr(special, name)
        return function


def constant_call(function: Function, arguments: Sequence[float]) -> float:
    """Evaluate a function of numbers; NaN or infinity where it has no finite value."""
    with np.errstate(all="ignore"):
        if len(arguments) == 1:
            return float(_numeric(function)(arguments[0]))
        return float(reduce(_numeric(function), arguments))


@lru_cache(maxsize=256)
def _numeric(function: Function) -> Callable[..., float]:
    # The text is a template of an entry, so nothing in it comes from the user.
    text = f"lambda first, second=None: {function.numpy.format('first', 'second')}"
    compiled: Callable[..., float] = eval(text, {"np": np, "special": Special()})
    return compiled
