"""Functions that are short for a combination of others, which the formula then holds in their place."""

from __future__ import annotations

from functools import partial

import sympy
from sympy import Expr, Integer

from descend.formula.functions.elementary import tangent
from descend.formula.functions.entry import Function
from descend.formula.real_functions import maximum, minimum, sigmoid, softplus, where

DEGREE = sympy.pi / 180
_pair = partial(Function, arguments=(2, 2))


def _clip(u: Expr, low: Expr, high: Expr) -> Expr:
    return minimum(maximum(u, low), high)


ENTRIES = (
    Function("square", lambda u: u**2, units="u -> u^2"),
    Function("reciprocal", lambda u: 1 / u, units="u -> 1/u"),
    Function("exp10", lambda u: 10**u),
    Function("exp2", lambda u: 2**u),
    Function("normal_pdf", lambda u: sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi), aliases=("dnorm", "normpdf")),
    _pair(
        "xlogy",
        lambda a, b: where(sympy.Eq(a, 0, evaluate=bool(a.is_number)), Integer(0), a * sympy.log(b)),
        units="u, 1 -> u",
    ),
    Function("sec", lambda u: 1 / sympy.cos(u), units="rad -> 1"),
    Function("csc", lambda u: 1 / sympy.sin(u), aliases=("cosec",), units="rad -> 1"),
    Function("cot", lambda u: 1 / tangent(u), aliases=("cotan",), units="rad -> 1"),
    Function("sech", lambda u: 1 / sympy.cosh(u)),
    Function("csch", lambda u: 1 / sympy.sinh(u)),
    Function("coth", lambda u: 1 / sympy.tanh(u)),
    Function("radians", lambda u: DEGREE * u, aliases=("deg2rad",), units="deg -> rad"),
    Function("degrees", lambda u: u / DEGREE, aliases=("rad2deg",), units="rad -> deg"),
    Function("sind", lambda u: sympy.sin(DEGREE * u), aliases=("sindg",), units="deg -> 1"),
    Function("cosd", lambda u: sympy.cos(DEGREE * u), aliases=("cosdg",), units="deg -> 1"),
    Function("tand", lambda u: tangent(DEGREE * u), aliases=("tandg",), units="deg -> 1"),
    Function("relu", lambda u: maximum(u, Integer(0)), units="u -> u"),
    Function("silu", lambda u: u * sigmoid(u), aliases=("swish",)),
    Function("logsigmoid", lambda u: -softplus(-u), aliases=("log_sigmoid", "log_expit")),
    Function("clip", _clip, arguments=(3, 3), aliases=("clamp",), units="u -> u"),
    _pair("logaddexp", lambda a, b: a + softplus(b - a)),
)
