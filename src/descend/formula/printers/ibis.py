"""Write expressions as an Ibis query: columns upon columns, each shared part computed once, for the database to sum."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Mul, Rational
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from descend.formula.error_function import (
    ERF_LOWER,
    ERF_UPPER,
    ERFC_LOWER,
    ERFC_UPPER,
    FAR_LOWER,
    FAR_UPPER,
    ONE_BY_ROOT_PI,
)
from descend.formula.functions import FUNCTIONS, Function, entry_of
from descend.formula.real_functions import where
from descend.formula.symbols import Column, Predictor, Quantity

PER_ROW = (Column, Predictor, Quantity)
SMALL_POWERS = range(2, 5)
"""Whole powers that are written as products, which every database computes faster than a power."""
LARGEST_EXPONENT, LEAST_EXPONENT = 709.782712893384, -745.1332191019411
"""Arguments between which exp is a number above 0."""
PARAMETER = "descend_parameter"
"""The function whose call stands in a query for a number that is bound at each evaluation."""


@dataclass(frozen=True)
class Abilities:
    """What a database can do.

    ieee: arithmetic ends in inf and nan where IEEE 754 says so; elsewhere it may fail or give null, and what could is
        guarded.
    functions: those it has under these names, beyond the ones that every database has.
    keeps_names: it computes what has a name once, rather than write it out at each use, where long approximations grow
        beyond all bounds, or their parts beyond the range of a double.
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
"""By the name of Ibis's backend. Of others nothing is taken for granted."""


class LackingFunctionError(Exception):
    """A database has no such function, and it cannot be put together from others."""


class QueryWriter:
    """Names what several expressions share, and writes all of them as columns of one Ibis table.

    table: an Ibis table of doubles. columns: what each `Column` is called in it.
    definitions: symbols that stand for an expression of each row, such as the prediction.
    bound: what depends on parameters alone, in the order in which ``PARAMETER(k)`` stands for it.
    """

    def __init__(
        self, table: Any, columns: Mapping[Expr, str], definitions: Mapping[Expr, Expr], abilities: Abilities
    ) -> None:
        self.start = table
        self.definitions = definitions
        self.calls = Functions(abilities)
        self.bound: list[Expr] = []
        self.names: dict[Expr, str] = dict(columns)
        self.levels: dict[Expr, int] = dict.fromkeys(columns, 0)
        self.waiting: list[dict[str, Expr]] = []
        self.uses: Counter[Expr] = Counter()
        self._rows: dict[Expr, bool] = {}

    def count(self, expressions: Iterable[Expr]) -> None:
        """Take note of what ``expressions`` share; call it before naming any of them."""
        for expression in expressions:
            self.uses[expression] += 1
            if self.uses[expression] == 1:
                definition = self.definitions.get(expression)
                self.count(expression.args if definition is None else [definition])

    def per_row(self, node: Expr) -> bool:
        """Whether an expression differs from row to row."""
        known = self._rows.get(node)
        if known is None:
            known = self._rows[node] = isinstance(node, PER_ROW) or any(self.per_row(part) for part in node.args)
        return known

    def name(self, node: Expr) -> Expr:
        """Give an expression a column of its own, if it differs from row to row; returns what to write in its place."""
        node = self._resolved(node)
        if self.per_row(node) and node not in self.names:
            level = self.prepare(node)
            while len(self.waiting) <= level:
                self.waiting.append({})
            self.names[node] = f"t{sum(map(len, self.waiting))}"
            self.levels[node] = level + 1
            self.waiting[level][self.names[node]] = self.definitions.get(node, node)
        return node

    def table(self, outputs: Iterable[Expr]) -> Any:
        """Return an Ibis table in which ``outputs`` can be written: every level is selected from the one before."""
        wanted: set[str] = set().union(*map(self._used, outputs))
        kept = []
        for level in reversed(self.waiting):
            chosen = {name: node for name, node in level.items() if name in wanted}
            passed = sorted(wanted - chosen.keys())
            wanted = set(passed).union(*map(self._used_inside, chosen.values()))
            kept.append((passed, chosen))
        table = self.start
        for passed, chosen in reversed(kept):
            table = table.select(*passed, **{name: self._inside(node, table) for name, node in chosen.items()})
        return table

    def _used(self, node: Expr) -> set[str]:
        """Return the names that an expression is written with."""
        node = self._resolved(node)
        return {self.names[node]} if node in self.names else self._used_inside(node)

    def _used_inside(self, node: Expr) -> set[str]:
        if not self.per_row(node):
            return set()
        if node.is_Symbol:
            return {self.names[node]}
        return set().union(*map(self._used, self._parts(node)))

    def write(self, node: Expr, table: Any) -> Any:
        """Write an expression of what has a name already as an Ibis value over ``table``."""
        node = self._resolved(node)
        if node in self.names:
            return table[self.names[node]]
        return self._inside(node, table)

    def _resolved(self, node: Expr) -> Expr:
        """Follow symbols that merely stand for another symbol or a number."""
        while node in self.definitions and node not in self.names:
            definition = self.definitions[node]
            if not (definition.is_Symbol or not self.per_row(definition)):
                break
            node = definition
        return node

    def prepare(self, node: Expr) -> int:
        """Name what is shared inside an expression; returns the highest level among the names it is written with."""
        level = 0
        parts = [self.definitions[node]] if node in self.definitions else list(self._parts(node))
        for part in parts:
            part = self._resolved(part)
            if not self.per_row(part):
                continue
            # Symbols, which are Boolean to SymPy too, have names; conditions need none.
            shared = self.uses[part] > 1 and not isinstance(part, Boolean)
            if shared or part in self.definitions or part in self._bases(node):
                self.name(part)
            level = max(level, self.levels[part] if part in self.names else self.prepare(part))
        return level

    @staticmethod
    def _parts(node: Expr) -> tuple[Expr, ...]:
        """Return what an expression is written with."""
        below = node.is_Pow and node.exp.is_Number and node.exp < 0
        parts: tuple[Expr, ...] = (1 / node,) if below else node.args
        return parts

    @staticmethod
    def _bases(node: Expr) -> tuple[Expr, ...]:
        """Return what is written more than once though it stands once."""
        if node.is_Pow and node.exp in (*SMALL_POWERS, Rational(3, 2)):
            return (node.base,)
        function = entry_of(node)
        return node.args if function is not None and function.query_repeats else ()

    def _inside(self, node: Expr, table: Any) -> Any:
        if not self.per_row(node):
            return self._number(node)
        if node.is_Symbol:
            return table[self.names[node]]
        if node.is_Add:
            return self._sum(node, table)
        if node.is_Mul:
            return self._product(node, table)
        if node.is_Pow:
            return self._power(node, table)
        if node.func is where:
            condition, chosen, other = node.args
            return self._condition(condition, table).ifelse(self.write(chosen, table), self.write(other, table))
        if isinstance(node, Relational):
            return self._condition(node, table)
        function = entry_of(node)
        assert function is not None
        return self.calls.call(function, [self.write(part, table) for part in node.args])

    def _number(self, node: Expr) -> Any:
        import ibis

        if not node.free_symbols:
            return ibis.literal(float(node), "float64")
        if node not in self.bound:
            self.bound.append(node)
        return parameter(self.bound.index(node))

    def _split(self, node: Expr, operation: Callable[..., Expr]) -> tuple[Expr | None, list[Expr]]:
        """Return the terms or factors that are numbers as one, and the others."""
        numbers = [part for part in node.args if not self.per_row(part)]
        return (operation(*numbers) if numbers else None), [part for part in node.args if self.per_row(part)]

    def _sum(self, node: Expr, table: Any) -> Any:
        number, rows = self._split(node, Add)
        rows.sort(key=lambda term: term.could_extract_minus_sign())
        total = self.write(rows[0], table)
        for term in rows[1:]:
            if term not in self.names and term.is_Mul and term.could_extract_minus_sign():
                # Not -term, which may have a name that is not passed on to here.
                total = total - self._product(term, table, negated=True)
            else:
                total = total + self.write(term, table)
        return total if number is None else total + self._number(number)

    def _product(self, node: Expr, table: Any, negated: bool = False) -> Any:
        number, rows = self._split(node, Mul)
        if negated:
            number = Integer(-1) if number is None else -number
        upper: list[Expr] = []
        lower: list[Expr] = []
        for factor in rows:
            below = factor.is_Pow and factor not in self.names and factor.exp.is_Number and factor.exp < 0
            (lower if below else upper).append(1 / factor if below else factor)
        product: Any = None if number is None or number in (1, -1) else self._number(number)
        for factor in upper:
            value = self.write(factor, table)
            product = value if product is None else product * value
        if lower:
            below = self.write(lower[0], table)
            for factor in lower[1:]:
                below = below * self.write(factor, table)
            product = self.calls.divided(self._number(Integer(1)) if product is None else product, below)
        return -product if number == -1 else product

    def _power(self, node: Expr, table: Any) -> Any:
        base, exponent = node.args
        if exponent.is_Number and exponent < 0:
            return self.calls.divided(self._number(Integer(1)), self.write(1 / node, table))
        value = self.write(base, table)
        if exponent in SMALL_POWERS:
            product = value
            for _ in range(int(exponent) - 1):
                product = product * value
            return product
        if exponent == Rational(1, 2):
            return self.calls.call(FUNCTIONS["sqrt"], [value])
        if exponent == Rational(3, 2):
            return value * self.calls.call(FUNCTIONS["sqrt"], [value])
        return self.calls.power(value, self.write(exponent, table), bool(exponent.is_Integer))

    def _condition(self, node: Expr, table: Any) -> Any:
        import ibis

        if node in (sympy.true, sympy.false):
            return ibis.literal(bool(node))
        if not self.per_row(node):
            return self._number(where(node, Integer(1), Integer(0))) > 0.5
        if isinstance(node, Not):
            return ~self._condition(node.args[0], table)
        if isinstance(node, And | Or):
            parts = [self._condition(part, table) for part in node.args]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole & part if isinstance(node, And) else whole | part
            return whole
        left, right = self.write(node.lhs, table), self.write(node.rhs, table)
        return COMPARISONS[type(node)](left, right)


COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    sympy.Eq: lambda left, right: left == right,
    sympy.Ne: lambda left, right: left != right,
    sympy.Lt: lambda left, right: left < right,
    sympy.Le: lambda left, right: left <= right,
    sympy.Gt: lambda left, right: left > right,
    sympy.Ge: lambda left, right: left >= right,
}


def parameter(place: int) -> Any:
    """Return the Ibis value that stands for bound number ``place``."""
    return _database_function(PARAMETER, "int64")(place)


@lru_cache(maxsize=64)
def _database_function(name: str, *types: str) -> Callable[..., Any]:
    """Return what Ibis writes as a call of a function that the database has."""
    import ibis

    function: Callable[..., Any] = ibis.udf.scalar.builtin(_nothing, name=name, signature=(types, "float64"))
    return function


def _nothing(place):  # type: ignore[no-untyped-def]  # Ibis reads types off the signature it is given
    """Stand for a function of the database."""


class Functions:
    """Functions as Ibis values, right to the last digits at both ends of their range.

    Where a database fails outside a function's domain, or gives null, the argument is held inside it and the result
    is nan there. NaN and infinite arguments need no care: their rows make the loss nan, whatever else they do.
    """

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities

    def call(self, function: Function, arguments: list[Any]) -> Any:
        """Return the value of a function. Raises LackingFunctionError."""
        if function.query is not None:
            return function.query(self, *arguments)
        own = getattr(self, f"_{function.name}", None)
        if own is not None:
            return own(*arguments)
        if function.name in self.abilities.functions:
            return self.builtin(function.name, *arguments)
        raise LackingFunctionError(function.name)

    def divided(self, upper: Any, lower: Any) -> Any:
        """Return upper / lower, as IEEE 754 has it where lower is 0."""
        if self.abilities.ieee:
            return upper / lower
        at_zero = (upper > 0.0).ifelse(_infinite(), (upper < 0.0).ifelse(-_infinite(), _nan()))
        return (lower == 0.0).ifelse(at_zero, upper / (lower == 0.0).ifelse(_one(), lower))

    def power(self, base: Any, exponent: Any, whole: bool) -> Any:
        """Return base**exponent; whole: the exponent is a whole number above 0."""
        if self.abilities.ieee or whole:
            return base**exponent
        safe = (base > 0.0).ifelse(base, _one())
        at_zero = (exponent > 0.0).ifelse(0.0 * _one(), (exponent < 0.0).ifelse(_infinite(), _one()))
        return (base > 0.0).ifelse(safe**exponent, (base == 0.0).ifelse(at_zero, _nan()))

    def _within(self, inside: Any, argument: Any, harmless: float, function: Callable[[Any], Any], other: Any) -> Any:
        """Return function(argument) where it lies ``inside`` its domain, ``other`` elsewhere."""
        held = inside.ifelse(argument, harmless * _one())
        return inside.ifelse(function(held), other)

    @staticmethod
    def builtin(name: str, *arguments: Any) -> Any:
        """Return the value of a function that the database has under this name."""
        return _database_function(name, *("float64" for _ in arguments))(*arguments)

    def _exp(self, x: Any) -> Any:
        if self.abilities.ieee:
            return x.exp()
        beyond = (x > LARGEST_EXPONENT).ifelse(_infinite(), 0.0 * _one())
        inside = (x <= LARGEST_EXPONENT) & (x >= LEAST_EXPONENT)
        return x.isnull().ifelse(_nan(), self._within(inside, x, 0.0, lambda held: held.exp(), beyond))

    def _log(self, x: Any) -> Any:
        if self.abilities.ieee:
            return x.ln()
        outside = (x == 0.0).ifelse(-_infinite(), _nan())
        return self._within(x > 0.0, x, 1.0, lambda held: held.ln(), outside)

    def _log10(self, x: Any) -> Any:
        return self._log(x) / 2.302585092994046

    def _log2(self, x: Any) -> Any:
        return self._log(x) / 0.6931471805599453

    def _sqrt(self, x: Any) -> Any:
        if self.abilities.ieee:
            return x.sqrt()
        return self._within(x >= 0.0, x, 0.0, lambda held: held.sqrt(), _nan())

    def _sin(self, x: Any) -> Any:
        return x.sin()

    def _cos(self, x: Any) -> Any:
        return x.cos()

    def _tan(self, x: Any) -> Any:
        return x.tan()

    def _asin(self, x: Any) -> Any:
        if self.abilities.ieee:
            return x.asin()
        return self._within(x.abs() <= 1.0, x, 0.0, lambda held: held.asin(), _nan())

    def _acos(self, x: Any) -> Any:
        if self.abilities.ieee:
            return x.acos()
        return self._within(x.abs() <= 1.0, x, 0.0, lambda held: held.acos(), _nan())

    def _atan(self, x: Any) -> Any:
        return x.atan()

    def _atan2(self, y: Any, x: Any) -> Any:
        return y.atan2(x)

    def _abs(self, x: Any) -> Any:
        return x.abs()

    def _sign(self, x: Any) -> Any:
        return (x > 0.0).ifelse(_one(), (x < 0.0).ifelse(-_one(), 0.0 * x))

    def _min(self, one: Any, other: Any) -> Any:
        import ibis

        return ibis.least(one, other)

    def _max(self, one: Any, other: Any) -> Any:
        import ibis

        return ibis.greatest(one, other)

    def _sigmoid(self, x: Any) -> Any:
        if self.abilities.ieee:
            return 1.0 / (1.0 + (-x).exp())
        small = self._exp(-x.abs())
        return (x >= 0.0).ifelse(_one(), small) / (1.0 + small)

    def _softplus(self, x: Any) -> Any:
        return (x > 0.0).ifelse(x, 0.0 * _one()) + _log1p(self._exp(-x.abs()))

    def _log1p(self, u: Any) -> Any:
        kept = (1.0 + u) - 1.0
        inside = (kept != 0.0) & (u.abs() < 1.0)
        ratio = inside.ifelse(u, _one()) / inside.ifelse(kept, _one())
        return (kept == 0.0).ifelse(u, self._log(1.0 + u) * ratio)

    def _expm1(self, u: Any) -> Any:
        """Return exp(u) - 1: near 0 what exp(u) rounds away is put back, as by Kahan's `_log1p`."""
        inside = u.abs() < 1.0
        held = inside.ifelse(u, _one())
        power = held.exp()
        near = (power == 1.0).ifelse(u, (power - 1.0) * held / (power == 1.0).ifelse(_one(), power.ln()))
        return inside.ifelse(near, self._exp(u) - 1.0)

    def _cbrt(self, x: Any) -> Any:
        return self._sign(x) * self.power(x.abs(), 1.0 / 3.0 * _one(), whole=False)

    def _hypot(self, one: Any, other: Any) -> Any:
        """Return the root of the sum of squares, of which the larger is taken out, lest it overflow."""
        import ibis

        one, other = one.abs(), other.abs()
        large = ibis.greatest(one, other)
        held = (large == 0.0).ifelse(_one(), large)
        return large * ((one / held) * (one / held) + (other / held) * (other / held)).sqrt()

    def _sinc(self, x: Any) -> Any:
        turn = math.pi * x
        return (x == 0.0).ifelse(_one(), turn.sin() / (x == 0.0).ifelse(_one(), turn))

    def _erf(self, x: Any) -> Any:
        return (x.abs() <= 0.46875).ifelse(self._erf_near(x), self._sign(x) * (1.0 - self._erfc_far(x.abs())))

    def _erfc(self, x: Any) -> Any:
        tail = self._erfc_far(x.abs())
        return (x.abs() <= 0.46875).ifelse(1.0 - self._erf_near(x), (x < 0.0).ifelse(2.0 - tail, tail))

    def _erf_near(self, x: Any) -> Any:
        held = (x.abs() <= 0.46875).ifelse(x, _one())
        square = held * held
        return held * _horner(ERF_UPPER, square) / _horner(ERF_LOWER, square)

    def _erfc_far(self, u: Any) -> Any:
        """Return erfc(u) for u > 0.46875. The square of u is cut in two, lest its rounding spoil exp(-u^2)."""
        import ibis

        u = ibis.least(ibis.greatest(u, 0.25 * _one()), 30.0 * _one())
        cut = (u * 16.0).floor() / 16.0
        bell = self._exp(-cut * cut) * self._exp(-(u - cut) * (u + cut))
        inverse = 1.0 / (u * u)
        correction = inverse * _horner(FAR_UPPER, inverse) / _horner(FAR_LOWER, inverse)
        return bell * (u > 4.0).ifelse(
            (ONE_BY_ROOT_PI - correction) / u, _horner(ERFC_UPPER, u) / _horner(ERFC_LOWER, u)
        )

    def _sinh(self, x: Any) -> Any:
        if "sinh" in self.abilities.functions:
            return self.builtin("sinh", x)
        series = x * (1.0 + x * x / 6.0 * (1.0 + x * x / 20.0 * (1.0 + x * x / 42.0)))
        return (x.abs() < 0.02).ifelse(series, 0.5 * (self._exp(x) - self._exp(-x)))

    def _cosh(self, x: Any) -> Any:
        if "cosh" in self.abilities.functions:
            return self.builtin("cosh", x)
        return 0.5 * (self._exp(x) + self._exp(-x))

    def _tanh(self, x: Any) -> Any:
        if "tanh" in self.abilities.functions:
            return self.builtin("tanh", x)
        small = self._exp(-2.0 * x.abs())
        series = x * (1.0 - x * x * (1.0 / 3.0 - x * x * (2.0 / 15.0 - x * x * 17.0 / 315.0)))
        return (x.abs() < 0.02).ifelse(series, self._sign(x) * (1.0 - small) / (1.0 + small))


def _horner(coefficients: Sequence[float], u: Any) -> Any:
    value = coefficients[0] * _one()
    for each in coefficients[1:]:
        value = value * u + each
    return value


def _log1p(u: Any) -> Any:
    """Return log(1 + u) for u in [0, 1]: what 1 + u rounds away is put back by the ratio of u to what was kept.

    Source: Goldberg (1991), ACM Computing Surveys 23, theorem 4.
    """
    kept = (1.0 + u) - 1.0
    return (kept == 0.0).ifelse(u, (1.0 + u).ln() * (u / (kept == 0.0).ifelse(_one(), kept)))


def _one() -> Any:
    import ibis

    return ibis.literal(1.0, "float64")


def _infinite() -> Any:
    import ibis

    return ibis.literal(float("inf"), "float64")


def _nan() -> Any:
    import ibis

    return ibis.literal(float("nan"), "float64")
