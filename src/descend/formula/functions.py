"""The functions a formula may use: one row each, with its derivative and its spelling in every language.

SymPy's own class serves where its derivative is right for real numbers; the others are defined here.
``{0}``, ``{1}`` in a spelling stand for the arguments, already written in that language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import sympy
from sympy import Add, Expr, Integer, Rational

LARGEST_EXACT = 2**53
"""Whole numbers below this are floats exactly."""


class RealFunction(sympy.Function):  # type: ignore[misc]
    """A function of real numbers that stays as it is written; only its derivative is known to SymPy."""

    def _eval_is_extended_real(self) -> bool:
        return True


class log10(RealFunction):
    """log10' = 1 / (x log 10)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return 1 / (self.args[0] * sympy.log(10))


class log2(RealFunction):
    """log2' = 1 / (x log 2)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return 1 / (self.args[0] * sympy.log(2))


class sigmoid(RealFunction):
    """sigmoid = 1 / (1 + exp(-x)); sigmoid' = sigmoid(x) sigmoid(-x), which loses no digits in either tail."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])


class softplus(RealFunction):
    """softplus = log(1 + exp(x)); softplus' = sigmoid(x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return sigmoid(self.args[0])


class absolute(RealFunction):
    """|x|' = sign(x), taken as 0 at the kink."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return sign(self.args[0])


class sign(RealFunction):
    """-1, 0 or 1; its derivative is 0 wherever there is one."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return Integer(0)


class digamma(RealFunction):
    """The derivative of log(gamma(x)). It appears in derivatives; formulas cannot use it."""

    nargs = 1


class constant(RealFunction):
    """Its argument, which no derivative looks into. PyTorch's backward passes stop at it; formulas cannot use it."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return Integer(0)


class gamma(RealFunction):
    """gamma' = gamma(x) digamma(x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * digamma(self.args[0])


class lgamma(RealFunction):
    """log |gamma(x)|, whose derivative is digamma(x). Densities are made of it; formulas cannot use it."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return digamma(self.args[0])


class log1p(RealFunction):
    """log1p = log(1 + x), which keeps the digits of a small x; log1p' = 1 / (1 + x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return 1 / (1 + self.args[0])


class expm1(RealFunction):
    """expm1 = exp(x) - 1, which keeps the digits of a small x; expm1' = exp(x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return sympy.exp(self.args[0])


class erfc(RealFunction):
    """erfc = 1 - erf(x), which keeps its digits where x is large; erfc' = -2 exp(-x^2) / sqrt(pi)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return -2 * sympy.exp(-(self.args[0] ** 2)) / sympy.sqrt(sympy.pi)


class cbrt(RealFunction):
    """The real cube root, of negative numbers too; cbrt' = 1 / (3 cbrt(x)^2)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        return 1 / (3 * self**2)


class hypot(RealFunction):
    """hypot = sqrt(a^2 + b^2), which does not overflow; its gradient is (a, b) / hypot."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        return self.args[argindex - 1] / self


class sinc(RealFunction):
    """sinc = sin(pi x) / (pi x), 1 at 0; sinc' = (cos(pi x) - sinc(x)) / x, near 0 by its series."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        x, turn = self.args[0], sympy.pi
        terms = ((3, 2), (30, 4), (840, 6), (45360, 8))
        series = Add(*((-1) ** k * turn**power * x ** (power - 1) / n for k, (n, power) in enumerate(terms, 1)))
        near = sympy.Lt(absolute(x), Rational(1, 50), evaluate=False)
        return where(near, series, (sympy.cos(turn * x) - self) / x)


class where(RealFunction):
    """where(condition, a, b) is a where the condition holds and b elsewhere, and so is its derivative."""

    nargs = 3

    @classmethod
    def eval(cls, condition: Any, chosen: Expr, other: Expr) -> Expr | None:
        if condition is sympy.true or chosen == other:
            return chosen
        if condition is sympy.false:
            return other
        return None

    def _eval_derivative(self, symbol: Expr) -> Expr:
        condition, chosen, other = self.args
        return where(condition, chosen.diff(symbol), other.diff(symbol))


class minimum(RealFunction):
    """The smaller of two; its derivative is that of the smaller one, and half of each where they are equal."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        argument, other = self.args if argindex == 1 else reversed(self.args)
        return (1 + sign(other - argument)) / 2


class maximum(RealFunction):
    """The larger of two; its derivative is that of the larger one, and half of each where they are equal."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        argument, other = self.args if argindex == 1 else reversed(self.args)
        return (1 + sign(argument - other)) / 2


class arctan2(RealFunction):
    """The angle of the point (x, y), arctan2(y, x); its gradient by (y, x) is (x, -y) / (x**2 + y**2)."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        y, x = self.args
        return (x if argindex == 1 else -y) / (x**2 + y**2)


def tangent(argument: Expr) -> Expr:
    """Build tan(argument) without SymPy's cot, which it is fond of: tan(x + pi/2) is -1/tan(x)."""
    return sympy.tan(argument).replace(sympy.cot, lambda inside: 1 / sympy.tan(inside))


@dataclass(frozen=True)
class Spelling:
    """One function: how to build it, how many arguments it takes, and how each language writes it."""

    build: Callable[..., Expr]
    arguments: tuple[int, int | None]
    numpy: str
    torch: str
    sql: str
    latex: str


def _unary(build: Callable[..., Expr], numpy: str, torch: str, sql: str, latex: str) -> Spelling:
    return Spelling(build, (1, 1), numpy, torch, sql, latex)


def _fold(pair: Callable[..., Expr]) -> Callable[..., Expr]:
    return lambda *arguments: reduce(pair, arguments)


def _same(name: str, sql: str | None = None, latex: str | None = None) -> tuple[str, str, str, str]:
    return (f"np.{name}({{0}})", f"torch.{name}({{0}})", sql or f"{name}({{0}})",
            latex or rf"\{name}\left({{0}}\right)")  # fmt: skip


GAMMA_IN_TORCH = "(lambda v: torch.exp(torch.lgamma(v)) * (1 - 2 * ((v < 0) & (torch.floor(v) % 2 == 1))))({0})"
"""PyTorch has the logarithm only; the sign of gamma(v) alternates between the negative whole numbers."""


def _horner(coefficients: Sequence[float], u: str) -> str:
    text = repr(coefficients[0])
    for each in coefficients[1:]:
        text = f"({text} * {u} + {each!r})"
    return text


def _error_function(complement: bool) -> str:
    """Write erf or erfc for databases, few of which have them, by Cody's approximations."""
    u = "abs({0})"
    square = f"({u} * {u})"
    small = f"({{0}}) * {_horner(ERF_UPPER, square)} / {_horner(ERF_LOWER, square)}"
    cut = f"(floor({u} * 16.0) / 16.0)"
    bell = f"exp(-{cut} * {cut}) * exp(-({u} - {cut}) * ({u} + {cut}))"
    middle = f"{bell} * {_horner(ERFC_UPPER, u)} / {_horner(ERFC_LOWER, u)}"
    inverse = f"(1.0 / {square})"
    lacking = f"{inverse} * {_horner(FAR_UPPER, inverse)} / {_horner(FAR_LOWER, inverse)}"
    far = f"{bell} * ({ONE_BY_ROOT_PI!r} - {lacking}) / {u}"
    tail = f"case when {u} > 26.5 then 0.0 when {u} > 4.0 then {far} else {middle} end"
    if complement:
        return f"case when {u} <= 0.46875 then 1.0 - {small} when {{0}} < 0.0 then 2.0 - {tail} else {tail} end"
    return f"case when {u} <= 0.46875 then {small} else sign({{0}}) * (1.0 - {tail}) end"


ONE_BY_ROOT_PI = 0.5641895835477563
ERF_UPPER = (
    1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3
)  # fmt: skip
ERF_LOWER = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
ERFC_UPPER = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
ERFC_LOWER = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
FAR_UPPER = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
FAR_LOWER = (
    1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip
"""Numerators and denominators, highest powers first, to full double precision: of erf(x)/x in x^2 up to 0.46875, of
erfc(x) exp(x^2) in x up to 4, and of what it lacks to 1/sqrt(pi) in 1/x^2 beyond.

Source: Cody (1969), Rational Chebyshev approximations for the error function, Math. Comput. 23, 631-637.
"""
ERF, ERFC = _error_function(complement=False), _error_function(complement=True)

FUNCTIONS: dict[str, Spelling] = {
    "exp": _unary(sympy.exp, *_same("exp", latex="e^{{{0}}}")),
    "log": _unary(sympy.log, *_same("log", sql="ln({0})")),
    "log10": _unary(log10, *_same("log10", latex=r"\log_{{10}}\left({0}\right)")),
    "log2": _unary(log2, *_same("log2", latex=r"\log_2\left({0}\right)")),
    "sqrt": _unary(sympy.sqrt, *_same("sqrt", latex=r"\sqrt{{{0}}}")),
    "log1p": _unary(
        log1p,
        *_same(
            "log1p",
            # What 1 + u rounds away is put back (Goldberg 1991, theorem 4).
            "case when 1.0 + ({0}) = 1.0 then {0} else ln(1.0 + ({0})) * ({0}) / ((1.0 + ({0})) - 1.0) end",
            r"\log\left(1 + {0}\right)",
        ),
    ),
    "expm1": _unary(
        expm1,
        *_same(
            "expm1",
            "case when exp({0}) = 1.0 then {0} when abs({0}) < 1.0 "
            "then (exp({0}) - 1.0) * ({0}) / ln(exp({0})) else exp({0}) - 1.0 end",
            r"\left(e^{{{0}}} - 1\right)",
        ),
    ),
    "cbrt": _unary(
        cbrt,
        "np.cbrt({0})",
        "(lambda v: torch.sign(v) * torch.abs(v) ** (1.0 / 3.0))({0})",
        "sign({0}) * power(abs({0}), 1.0 / 3.0)",
        r"\sqrt[3]{{{0}}}",
    ),
    "hypot": Spelling(
        hypot,
        (2, 2),
        "np.hypot({0}, {1})",
        "torch.hypot({0}, {1})",
        "sqrt(power({0}, 2.0) + power({1}, 2.0))",
        r"\sqrt{{\left({0}\right)^2 + \left({1}\right)^2}}",
    ),
    "sinc": _unary(
        sinc,
        "np.sinc({0})",
        "torch.sinc({0})",
        "case when {0} = 0.0 then 1.0 else sin(3.141592653589793 * ({0})) / (3.141592653589793 * ({0})) end",
        r"\operatorname{{sinc}}\left({0}\right)",
    ),
    "sin": _unary(sympy.sin, *_same("sin")),
    "cos": _unary(sympy.cos, *_same("cos")),
    "tan": _unary(tangent, *_same("tan")),
    "asin": _unary(sympy.asin, "np.arcsin({0})", "torch.asin({0})", "asin({0})", r"\arcsin\left({0}\right)"),
    "acos": _unary(sympy.acos, "np.arccos({0})", "torch.acos({0})", "acos({0})", r"\arccos\left({0}\right)"),
    "atan": _unary(sympy.atan, "np.arctan({0})", "torch.atan({0})", "atan({0})", r"\arctan\left({0}\right)"),
    "atan2": Spelling(
        arctan2,
        (2, 2),
        "np.arctan2({0}, {1})",
        "torch.atan2({0}, {1})",
        "atan2({0}, {1})",
        r"\operatorname{{atan2}}\left({0}, {1}\right)",
    ),
    "sinh": _unary(sympy.sinh, *_same("sinh")),
    "cosh": _unary(sympy.cosh, *_same("cosh")),
    "tanh": _unary(sympy.tanh, *_same("tanh")),
    "sigmoid": _unary(
        sigmoid, "special.expit({0})", "torch.sigmoid({0})", "1.0 / (1.0 + exp(-({0})))", r"\sigma\left({0}\right)"
    ),
    "softplus": _unary(
        softplus,
        "np.logaddexp(0, {0})",
        "-torch.nn.functional.logsigmoid(-({0}))",
        # ln(1 + u) = 2 atanh(u / (2 + u)) keeps the digits of a small u.
        "greatest({0}, 0.0) + 2.0 * atanh(1.0 / (1.0 + 2.0 * exp(abs({0}))))",
        r"\operatorname{{softplus}}\left({0}\right)",
    ),
    "abs": _unary(absolute, "np.abs({0})", "torch.abs({0})", "abs({0})", r"\left|{0}\right|"),
    "min": Spelling(
        _fold(minimum),
        (2, None),
        "np.minimum({0}, {1})",
        "torch.minimum({0}, {1})",
        "least({0}, {1})",
        r"\min\left({0}, {1}\right)",
    ),
    "max": Spelling(
        _fold(maximum),
        (2, None),
        "np.maximum({0}, {1})",
        "torch.maximum({0}, {1})",
        "greatest({0}, {1})",
        r"\max\left({0}, {1}\right)",
    ),
    "where": Spelling(
        where,
        (3, 3),
        "np.where({0}, {1}, {2})",
        "torch.where({0}, {1}, {2})",
        "case when {0} then {1} else {2} end",
        r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
    ),
    "erf": _unary(sympy.erf, "special.erf({0})", "torch.erf({0})", ERF, r"\operatorname{{erf}}\left({0}\right)"),
    "erfc": _unary(erfc, "special.erfc({0})", "torch.erfc({0})", ERFC, r"\operatorname{{erfc}}\left({0}\right)"),
    "gamma": _unary(gamma, "special.gamma({0})", GAMMA_IN_TORCH, "gamma({0})", r"\Gamma\left({0}\right)"),
}
"""What a formula may call, by name."""

DERIVED_ONLY: dict[str, Spelling] = {
    "sign": _unary(sign, "np.sign({0})", "torch.sign({0})", "sign({0})", r"\operatorname{{sign}}\left({0}\right)"),
    "constant": _unary(constant, "{0}", "({0}).detach()", "{0}", "{0}"),
    "digamma": _unary(digamma, "special.digamma({0})", "torch.digamma({0})", "digamma({0})", r"\psi\left({0}\right)"),
    "lgamma": _unary(lgamma, "special.gammaln({0})", "torch.lgamma({0})", "lgamma({0})",
                     r"\log \Gamma\left({0}\right)"),
}  # fmt: skip
"""What only a derivative, or the density of a distribution, brings in."""

CONSTANTS: dict[str, Expr] = {"pi": sympy.pi, "e": sympy.E, "π": sympy.pi}


def not_a_parameter(name: str, role: str) -> str:
    """Say that a name meant for a parameter is that of a constant; an empty text if it is not.

    >>> not_a_parameter("e", "started")
    '`e` is a constant in formulas, 2.71828, so it cannot be started. Give the parameter another name, such as `e_`.'
    """
    if name not in CONSTANTS:
        return ""
    return (
        f"`{name}` is a constant in formulas, {float(CONSTANTS[name]):.6g}, so it cannot be {role}. "
        f"Give the parameter another name, such as `{'p' if name == 'π' else name}_`."
    )


NAMES: dict[type, str] = {
    sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.asin: "asin",
    sympy.acos: "acos", sympy.atan: "atan", arctan2: "atan2", sympy.sinh: "sinh", sympy.cosh: "cosh",
    sympy.tanh: "tanh", sympy.erf: "erf", sympy.Abs: "abs", sympy.sign: "sign", absolute: "abs", minimum: "min",
    maximum: "max", sigmoid: "sigmoid", softplus: "softplus", log10: "log10", log2: "log2", where: "where",
    gamma: "gamma", sign: "sign", log1p: "log1p", expm1: "expm1", erfc: "erfc", cbrt: "cbrt", hypot: "hypot",
    sinc: "sinc", digamma: "digamma", lgamma: "lgamma",
    constant: "constant",
}  # fmt: skip
"""The name of a SymPy function class in formulas; every printer looks functions up through it."""

SPELLINGS = FUNCTIONS | DERIVED_ONLY


class Special:
    """SciPy's special functions, loaded at their first use."""

    def __getattr__(self, name: str) -> Any:
        from scipy import special

        return getattr(special, name)


def constant_call(name: str, arguments: Sequence[float]) -> float:
    """Evaluate a function of numbers; NaN or infinity where it has no finite value."""
    with np.errstate(all="ignore"):
        if len(arguments) == 1:
            return float(_numeric(name)(arguments[0]))
        return float(reduce(_numeric(name), arguments))


@lru_cache(maxsize=len(SPELLINGS))
def _numeric(name: str) -> Callable[..., Any]:
    # The text is a spelling from the table above; nothing of the user's is in it.
    text = f"lambda first, second=None: {SPELLINGS[name].numpy.format('first', 'second')}"
    function: Callable[..., Any] = eval(text, {"np": np, "special": Special()})
    return function


def number(value: float) -> Expr:
    """Turn a float into an exact SymPy number that prints as the same float: 0.1 is 1/10, so that 0.5*2 is 1."""
    return Integer(int(value)) if value.is_integer() and abs(value) < LARGEST_EXACT else Rational(repr(float(value)))


def shortened(value: Expr) -> Expr | None:
    """Return a number as it is if it can be written shortly, 0.1 or 2/3, else rounded; None where no float is near."""
    if max(abs(value.p), value.q) < 10**6:
        return value
    try:
        rounded = float(value)
    except OverflowError:
        return None
    return number(rounded) if math.isfinite(rounded) and rounded != 0 else None
