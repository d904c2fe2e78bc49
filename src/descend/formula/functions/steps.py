"""Functions that jump: they move in steps, or by steps."""

from __future__ import annotations

import sympy
from sympy import Expr, Integer, Rational

from descend.formula.functions.entry import Function
from descend.formula.real_functions import real_function, sign, where

HALF = Rational(1, 2)
floor = real_function("floor", lambda x: Integer(0))
ceil = real_function("ceil", lambda x: Integer(0))
mod = real_function("mod", lambda a, b: Integer(1), lambda a, b: -floor(a / b))


def _heaviside(x: Expr, at_zero: Expr = HALF) -> Expr:
    """Build NumPy's step from 0 to 1."""
    at_most_zero = where(sympy.Eq(x, 0, evaluate=bool(x.is_number)), at_zero, Integer(0))
    return where(sympy.Gt(x, 0, evaluate=bool(x.is_number)), Integer(1), at_most_zero)


ENTRIES = (
    Function("heaviside", _heaviside, arguments=(1, 2), units="any, 1 -> 1"),
    Function(
        "sign",
        sign,
        range=(-1.0, 1.0),
        rising=True,
        jumps=True,
        aliases=("sgn", "signum"),
        units="any -> 1",
        bend=lambda u: (u, HALF, Integer(2)),
    ),
    Function(
        "floor",
        floor,
        latex=r"\left\lfloor {0} \right\rfloor",
        mathml="<mrow><mo>⌊</mo>{0}<mo>⌋</mo></mrow>",
        rising=True,
        jumps=True,
        units="u -> u",
        query=lambda _, x: x.floor().cast("float64"),
    ),
    Function(
        "ceil",
        ceil,
        latex=r"\left\lceil {0} \right\rceil",
        mathml="<mrow><mo>⌈</mo>{0}<mo>⌉</mo></mrow>",
        aliases=("ceiling",),
        rising=True,
        jumps=True,
        query=lambda _, x: x.ceil().cast("float64"),
    ),
    Function(
        "mod",
        mod,
        torch="torch.remainder({0}, {1})",
        sql="(({0}) - ({1}) * floor(({0}) / ({1})))",
        latex=r"\operatorname{{mod}}\left({0}, {1}\right)",
        arguments=(2, 2),
        aliases=("remainder",),
        domain=("", "!= 0"),
        keeps_unit=True,
        units="u -> u",
        query=lambda database, a, b: a - b * database.divided(a, b).floor().cast("float64"),
        query_repeats=True,
    ),
)
