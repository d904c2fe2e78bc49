"""Which numbers a formula may hold: finite real ones, kept exact where that is short."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import sympy
from sympy import Expr, Pow

from descend.formula.compile import compile_expression
from descend.formula.functions import Function, constant_call
from descend.formula.real_functions import RealFunction

NOT_REAL = (sympy.I, sympy.zoo, sympy.oo, sympy.nan)


def float_power(base: Expr, exponent: Expr) -> float | None:
    """Return a power of numbers as a float; None where that is too large, too small or not real."""
    try:
        value = float(base) ** float(exponent)
    except (OverflowError, ZeroDivisionError, TypeError):
        return None
    if isinstance(value, complex) or not math.isfinite(value) or (value == 0 and base != 0):
        return None
    return float(value)


def exact(base: Expr, exponent: Expr) -> bool:
    """Say whether a power of numbers stays exact: 2^3, pi^2 and 1/sqrt(2) do, 2^0.1 and sqrt(1.4142135) do not."""
    if exponent.is_Integer:
        return bool(abs(exponent) <= 64)
    simple = base.is_NumberSymbol or (base.is_Rational and max(abs(base.p), base.q) < 10**6)
    return bool(simple and abs(exponent) <= 64 and (2 * exponent).is_Integer)


def real(expression: Expr) -> bool:
    """Say whether all numbers in an expression are finite and real; SymPy makes sqrt(-x^2) an imaginary one."""
    powers = (power for power in expression.atoms(Pow) if power.is_number)
    return not expression.has(*NOT_REAL) and all(finite(power) for power in powers)


def finite(expression: Expr) -> bool:
    """Say whether a number is finite and real."""
    try:
        value = complex(expression)
    except (TypeError, ValueError, OverflowError):
        return False
    return value.imag == 0 and math.isfinite(value.real)


def called_with_numbers(function: Function, arguments: Sequence[Expr], result: Expr) -> float:
    """Return what a function is for arguments that are numbers, having built ``result``; NaN where it has no value."""
    least, most = function.arguments
    if function.nodes is not None and (most is None or least == len(arguments)):
        return constant_call(function, [float(argument) for argument in arguments])
    if not (finite(result) or result.has(RealFunction)):
        return math.nan
    with np.errstate(all="ignore"):
        return float(compile_expression(result, ())())
