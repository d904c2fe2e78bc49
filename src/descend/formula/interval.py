"""Between which numbers an expression stays, whatever its columns and parameters are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce

import sympy
from sympy import Expr

from descend.formula.functions import NAMES

Interval = tuple[float, float]
REAL: Interval = (-math.inf, math.inf)
POSITIVE: Interval = (0.0, math.inf)

RISING: dict[str, Interval] = {
    "exp": POSITIVE, "log": REAL, "log2": REAL, "log10": REAL, "sigmoid": (0.0, 1.0), "softplus": POSITIVE,
    "tanh": (-1.0, 1.0), "erf": (-1.0, 1.0), "atan": (-math.pi / 2, math.pi / 2), "sinh": REAL, "sign": (-1.0, 1.0),
}  # fmt: skip
"""Functions that never fall, with their least and largest values."""
BETWEEN: dict[str, Interval] = {
    "sin": (-1.0, 1.0), "cos": (-1.0, 1.0), "cosh": (1.0, math.inf), "abs": POSITIVE, "acos": (0.0, math.pi),
    "asin": (-math.pi / 2, math.pi / 2), "atan2": (-math.pi, math.pi),
}  # fmt: skip
VALUES: dict[str, Callable[[float], float]] = {
    "exp": math.exp, "log": math.log, "log2": math.log2, "log10": math.log10, "tanh": math.tanh, "erf": math.erf,
    "atan": math.atan, "sinh": math.sinh, "softplus": lambda value: math.log1p(math.exp(value)),
    "sigmoid": lambda value: 1.0 / (1.0 + math.exp(-value)), "sign": lambda value: math.copysign(1.0, value),
}  # fmt: skip


def interval(expression: Expr, known: Mapping[Expr, Interval]) -> Interval:
    """Return numbers between which an expression stays where it is a real number at all; it need not reach them.

    known: the same of its symbols; any real number where nothing is known.

    >>> from descend.formula import read_formula
    >>> interval(read_formula("y ~ 3 - 2*sigmoid(a + b*x)", ["x", "y"]).expression, {})
    (1.0, 3.0)
    """
    if expression.is_number:
        value = float(expression)
        return value, value
    if expression.is_Symbol:
        return known.get(expression, REAL)
    parts = [interval(part, known) for part in expression.args if isinstance(part, Expr)]
    if expression.is_Add:
        return sum(low for low, _ in parts), sum(high for _, high in parts)
    if expression.is_Mul:
        return _product(expression, parts, known)
    if expression.is_Pow:
        return _power(expression.args[1], *parts)
    name = NAMES.get(expression.func, "")
    if name in RISING:
        return _rising(name, parts[0])
    if name in ("min", "max"):
        choose = min if name == "min" else max
        return choose(low for low, _ in parts), choose(high for _, high in parts)
    if name == "where":
        return min(low for low, _ in parts), max(high for _, high in parts)
    return BETWEEN.get(name, REAL)


def _rising(name: str, inside: Interval) -> Interval:
    least, most = RISING[name]

    def at(value: float, limit: float) -> float:
        if math.isinf(value):
            return limit
        try:
            return VALUES[name](value)
        except (ValueError, OverflowError):
            return limit

    return max(least, at(inside[0], least)), min(most, at(inside[1], most))


def _product(expression: Expr, parts: list[Interval], known: Mapping[Expr, Interval]) -> Interval:
    """Return the interval of a product; a fraction of a positive part and the whole lies between 0 and 1."""
    low, high = reduce(_times, parts)
    number, rest = expression.as_coeff_Mul()
    if number != 1:
        return _times((float(number), float(number)), interval(rest, known))
    above, below = expression.as_numer_denom()
    if below.is_Add and low >= 0.0 and high > 1.0 and interval(sympy.expand(below - above), known)[0] >= 0.0:
        return low, 1.0
    return low, high


def _times(one: Interval, other: Interval) -> Interval:
    ends = [0.0 if a == 0.0 or b == 0.0 else a * b for a in one for b in other]
    return min(ends), max(ends)


def _power(exponent: Expr, base: Interval, power: Interval) -> Interval:
    """Return the interval of a power, which is a real number for a base of 0 or more, or a whole exponent."""
    whole = bool(exponent.is_Integer)
    if whole and exponent < 0:
        return _reciprocal(_power(-exponent, base, (-power[1], -power[0])))
    if whole and exponent % 2 == 1:
        return tuple(math.copysign(_raised(abs(end), power[0]), end) for end in base)  # type: ignore[return-value]
    if whole and base[0] < 0.0:
        low = 0.0 if base[1] >= 0.0 else _raised(-base[1], power[0])
        return low, max(_raised(abs(end), power[0]) for end in base)
    base = max(base[0], 0.0), max(base[1], 0.0)
    ends = [_raised(end, by) for end in base for by in power]
    return min(ends), max(ends)


def _raised(base: float, power: float) -> float:
    """Return the limit of a power of 0 or more; the larger where there are several."""
    if base == 1.0:
        return 1.0
    try:
        return math.inf if base == 0.0 and power < 0.0 else base**power
    except OverflowError:
        return math.inf


def _reciprocal(interval: Interval) -> Interval:
    low, high = interval
    if low < 0.0 < high:
        return REAL
    ends = [0.0 if math.isinf(end) else math.copysign(math.inf, high + low) if end == 0.0 else 1.0 / end
            for end in interval]  # fmt: skip
    return min(ends), max(ends)
