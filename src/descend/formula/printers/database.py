"""What databases can do, and functions as Ibis values that are right to the last digits in any database."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from sympy import Expr
from sympy import Function as SymbolicFunction

from descend.formula.error_function import (
    ERF_LOWER,
    ERF_UPPER,
    ERFC_LOWER,
    ERFC_UPPER,
    FAR_LOWER,
    FAR_UPPER,
    ONE_BY_ROOT_PI,
)
from descend.formula.functions import Function, entry_of
from descend.formula.printers.special_queries import SPECIAL, horner, literal

if TYPE_CHECKING:
    from ibis.expr.types import BooleanValue
    from ibis.expr.types import FloatingValue as Value

LARGEST_EXPONENT, LEAST_EXPONENT = 709.782712893384, -745.1332191019411
"""Arguments between which exp is a number above 0."""
PARAMETER = "descend_parameter"
"""The function whose call in a query stands for a number that is bound at each evaluation."""


@dataclass(frozen=True)
class Abilities:
    """What a database can do.

    ieee: arithmetic gives inf and nan where IEEE 754 does; otherwise it may fail or give null, so it is guarded.
    functions: the names of those it has beyond the ones that every database has.
    keeps_names: it computes a named column once, rather than write it out at each use, which makes long approximations
        grow beyond all bounds, or their parts exceed the range of a double.
    """

    ieee: bool = False
    functions: frozenset[str] = frozenset()
    keeps_names: bool = False


HYPERBOLIC = frozenset({"sinh", "cosh", "tanh"})
ABILITIES: dict[str, Abilities] = {
    "duckdb": Abilities(True, HYPERBOLIC | {"gamma", "lgamma"}, keeps_names=True),
    "sqlite": Abilities(False, HYPERBOLIC),
    "postgres": Abilities(False, HYPERBOLIC),
    "pyspark": Abilities(False, HYPERBOLIC, keeps_names=True),
}
"""By the name of Ibis's backend. Of other databases nothing is taken for granted."""


OWN = frozenset(
    (
        *("exp", "log", "log10", "log2", "sqrt", "log1p", "expm1", "cbrt", "hypot", "asin", "acos", "sinh", "cosh"),
        *("tanh", "sign", "min", "max", "sigmoid", "softplus", "sinc", "erf", "erfc"),
    )
)
"""Functions that are methods here."""
LONG = {"erf", "erfc", *SPECIAL}
"""Functions that use their argument dozens of times, so that it must have a name."""


class LackingFunctionError(Exception):
    """A database lacks a function, and it cannot be put together from others."""


def refuse_long(expression: Expr, abilities: Abilities) -> None:
    """Raise LackingFunctionError where an expression calls a long function, and the database keeps no names."""
    called = map(entry_of, expression.atoms(SymbolicFunction))
    long = [function.name for function in called if function is not None and function.name in LONG]
    if long and not abilities.keeps_names:
        raise LackingFunctionError(min(long))


def parameter(parameter_number: int) -> Value:
    """Return the Ibis value that stands for bound number ``parameter_number``."""
    return _database_function(PARAMETER, "int64")(parameter_number)


@lru_cache(maxsize=64)
def _database_function(name: str, *types: str) -> Callable[..., Value]:
    """Return a function whose calls Ibis writes as calls of one that the database has."""
    import ibis

    function: Callable[..., Value] = ibis.udf.scalar.builtin(_nothing, name=name, signature=(types, "float64"))
    return function


def _nothing(place):  # type: ignore[no-untyped-def]  # Ibis reads types off the signature it is given
    """Stand for a function that only the database runs."""


class DatabaseFunctions:
    """Functions as Ibis values, right to the last digits at both ends of their range.

    Where a database fails outside a function's domain, or gives null, the argument is kept inside it and the result
    is nan there. NaN and infinite arguments need no care: their rows make the loss nan anyway.
    """

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities

    def call(self, function: Function, arguments: list[Value]) -> Value:
        """Return the value of a function. Raises LackingFunctionError."""
        if function.query is not None:
            return function.query(self, *arguments)
        if function.name in OWN:
            value: Value = getattr(self, function.name)(*arguments)
            return value
        if function.name in self.abilities.functions:
            return self.builtin(function.name, *arguments)
        if function.name in SPECIAL:
            return SPECIAL[function.name](self, *arguments)
        raise LackingFunctionError(function.name)

    def divided(self, upper: Value, lower: Value) -> Value:
        """Return upper / lower, as IEEE 754 defines it where lower is 0."""
        if self.abilities.ieee:
            return upper / lower
        at_zero = (upper > 0.0).ifelse(_infinite(), (upper < 0.0).ifelse(-_infinite(), _nan()))
        return (lower == 0.0).ifelse(at_zero, upper / (lower == 0.0).ifelse(_one(), lower))

    def power(self, base: Value, exponent: Value, integer: bool) -> Value:
        """Return base**exponent; integer: the exponent is a whole number above 0."""
        if self.abilities.ieee or integer:
            return base**exponent
        safe = (base > 0.0).ifelse(base, _one())
        at_zero = (exponent > 0.0).ifelse(0.0 * _one(), (exponent < 0.0).ifelse(_infinite(), _one()))
        return (base > 0.0).ifelse(safe**exponent, (base == 0.0).ifelse(at_zero, _nan()))

    def _within(self, in_domain: BooleanValue, argument: Value, harmless: float, name: str, otherwise: Value) -> Value:
        """Return a function of Ibis where its argument lies in its domain, ``otherwise`` elsewhere."""
        if self.abilities.ieee:
            return getattr(argument, name)()
        safe_argument = in_domain.ifelse(argument, harmless * _one())
        return in_domain.ifelse(getattr(safe_argument, name)(), otherwise)

    @staticmethod
    def builtin(name: str, *arguments: Value) -> Value:
        """Return the value of a function that the database has under this name."""
        return _database_function(name, *("float64" for _ in arguments))(*arguments)

    def exp(self, x: Value) -> Value:
        if self.abilities.ieee:
            return x.exp()
        beyond = (x > LARGEST_EXPONENT).ifelse(_infinite(), 0.0 * _one())
        within_range = (x <= LARGEST_EXPONENT) & (x >= LEAST_EXPONENT)
        return x.isnull().ifelse(_nan(), self._within(within_range, x, 0.0, "exp", beyond))

    def log(self, x: Value) -> Value:
        return self._within(x > 0.0, x, 1.0, "ln", (x == 0.0).ifelse(-_infinite(), _nan()))

    def log10(self, x: Value) -> Value:
        return self.log(x) / 2.302585092994046

    def log2(self, x: Value) -> Value:
        return self.log(x) / 0.6931471805599453

    def sqrt(self, x: Value) -> Value:
        return self._within(x >= 0.0, x, 0.0, "sqrt", _nan())

    def asin(self, x: Value) -> Value:
        return self._within(x.abs() <= 1.0, x, 0.0, "asin", _nan())

    def acos(self, x: Value) -> Value:
        return self._within(x.abs() <= 1.0, x, 0.0, "acos", _nan())

    def sign(self, x: Value) -> Value:
        return (x > 0.0).ifelse(_one(), (x < 0.0).ifelse(-_one(), 0.0 * x))

    def min(self, first_value: Value, second_value: Value) -> Value:
        import ibis

        return ibis.least(first_value, second_value)

    def max(self, first_value: Value, second_value: Value) -> Value:
        import ibis

        return ibis.greatest(first_value, second_value)

    def sigmoid(self, x: Value) -> Value:
        if self.abilities.ieee:
            return 1.0 / (1.0 + (-x).exp())
        small = self.exp(-x.abs())
        return (x >= 0.0).ifelse(_one(), small) / (1.0 + small)

    def softplus(self, x: Value) -> Value:
        return (x > 0.0).ifelse(x, 0.0 * _one()) + self.log1p(self.exp(-x.abs()))

    def log1p(self, u: Value) -> Value:
        """Return log(1 + u): what 1 + u rounds away is restored by the ratio of u to what was kept.

        Source: Goldberg (1991), ACM Computing Surveys 23, theorem 4.
        """
        rounded_u = (1.0 + u) - 1.0
        near_zero = (rounded_u != 0.0) & (u.abs() < 1.0)
        ratio = near_zero.ifelse(u, _one()) / near_zero.ifelse(rounded_u, _one())
        return (rounded_u == 0.0).ifelse(u, self.log(1.0 + u) * ratio)

    def expm1(self, u: Value) -> Value:
        """Return exp(u) - 1; near 0, what exp(u) rounds away is restored, as in `log1p`."""
        near_zero = u.abs() < 1.0
        safe_u = near_zero.ifelse(u, _one())
        power = safe_u.exp()
        near = (power == 1.0).ifelse(u, (power - 1.0) * safe_u / (power == 1.0).ifelse(_one(), power.ln()))
        return near_zero.ifelse(near, self.exp(u) - 1.0)

    def cbrt(self, x: Value) -> Value:
        return self.sign(x) * self.power(x.abs(), 1.0 / 3.0 * _one(), integer=False)

    def hypot(self, first_size: Value, size: Value) -> Value:
        """Return the root of the sum of squares; the larger is factored out, so that it cannot overflow."""
        import ibis

        first_size, size = first_size.abs(), size.abs()
        large = ibis.greatest(first_size, size)
        divisor = (large == 0.0).ifelse(_one(), large)
        return large * ((first_size / divisor) * (first_size / divisor) + (size / divisor) * (size / divisor)).sqrt()

    def sinc(self, x: Value) -> Value:
        turn = math.pi * x
        return (x == 0.0).ifelse(_one(), turn.sin() / (x == 0.0).ifelse(_one(), turn))

    def erf(self, x: Value) -> Value:
        return (x.abs() <= 0.46875).ifelse(self.erf_near(x), self.sign(x) * (1.0 - self.erfc_far(x.abs())))

    def erfc(self, x: Value) -> Value:
        tail = self.erfc_far(x.abs())
        return (x.abs() <= 0.46875).ifelse(1.0 - self.erf_near(x), (x < 0.0).ifelse(2.0 - tail, tail))

    def erf_near(self, x: Value) -> Value:
        safe_x = (x.abs() <= 0.46875).ifelse(x, _one())
        square = safe_x * safe_x
        return safe_x * horner(ERF_UPPER, square) / horner(ERF_LOWER, square)

    def erfc_far(self, u: Value) -> Value:
        """Return erfc(u) for u > 0.46875. The square of u is split in two, lest its rounding spoil exp(-u^2)."""
        import ibis

        u = ibis.least(u, 30.0 * _one())
        cut = (u * 16.0).floor() / 16.0
        return self.exp(-cut * cut) * self.exp(-(u - cut) * (u + cut)) * self.erfcx_far(u)

    def erfcx_far(self, u: Value) -> Value:
        """Return exp(u^2) erfc(u) for u > 0.46875."""
        import ibis

        u = ibis.greatest(u, 0.25 * _one())
        inverse = 1.0 / (u * u)
        correction = inverse * horner(FAR_UPPER, inverse) / horner(FAR_LOWER, inverse)
        near = ibis.least(u, 5.0 * _one())
        return (u > 4.0).ifelse((ONE_BY_ROOT_PI - correction) / u, horner(ERFC_UPPER, near) / horner(ERFC_LOWER, near))

    def sinh(self, x: Value) -> Value:
        if "sinh" in self.abilities.functions:
            return self.builtin("sinh", x)
        series = x * (1.0 + x * x / 6.0 * (1.0 + x * x / 20.0 * (1.0 + x * x / 42.0)))
        return (x.abs() < 0.02).ifelse(series, 0.5 * (self.exp(x) - self.exp(-x)))

    def cosh(self, x: Value) -> Value:
        if "cosh" in self.abilities.functions:
            return self.builtin("cosh", x)
        return 0.5 * (self.exp(x) + self.exp(-x))

    def tanh(self, x: Value) -> Value:
        if "tanh" in self.abilities.functions:
            return self.builtin("tanh", x)
        small = self.exp(-2.0 * x.abs())
        series = x * (1.0 - x * x * (1.0 / 3.0 - x * x * (2.0 / 15.0 - x * x * 17.0 / 315.0)))
        return (x.abs() < 0.02).ifelse(series, self.sign(x) * (1.0 - small) / (1.0 + small))


_one, _infinite, _nan = (partial(literal, value) for value in (1.0, math.inf, math.nan))
