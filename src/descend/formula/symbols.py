"""What an expression is made of: columns, parameters, products of a vector parameter with columns, real numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational

from descend.formula.real_functions import where

if TYPE_CHECKING:
    from descend.table.levels import Levels

LARGEST_EXACT = 2**53
"""Whole numbers below this are floats exactly."""
NOT_REAL = (sympy.I, sympy.zoo, sympy.oo, sympy.nan)


class RealSymbol(sympy.Symbol):  # type: ignore[misc]
    """A symbol that stands for real numbers. Written expressions are sorted by ``rank``, then by name."""

    rank = 1

    @classmethod
    def class_key(cls) -> tuple[int, int, str]:
        return 2, 0, f"Symbol{cls.rank}"

    def __new__(cls, name: str) -> RealSymbol:
        symbol: RealSymbol = super().__new__(cls, name, real=True)
        return symbol

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Return the arguments for unpickling: the name alone, since the class makes it real."""
        return (self.name,), {}


class Column(RealSymbol):
    """A column of the table: one number per row."""


class RowWeight(Column):
    """The weight of a row, whatever column the rows take it from."""


OMEGA = RowWeight("omega")


class Parameter(RealSymbol):
    """A scalar parameter."""

    rank = 0


class Component(RealSymbol):
    """One component of a vector parameter, as a gradient written by hand assigns it: ``w[x1]``."""


class Predictor(RealSymbol):
    """The per-row value of ``w @ [x1, x2]``; its name is that text. See ``Term``."""


class Quantity(RealSymbol):
    """A per-row value with a name of its own, such as the prediction inside a loss."""


class Setting(RealSymbol):
    """A number that is fixed for one use, such as the delta of a loss or the number of rows."""


class Typed(RealSymbol):
    """A constant above 0 that printers write as it was typed; its name is that text."""

    rank = -1


@dataclass(frozen=True)
class Term:
    """How a vector parameter, or one with a value for each group of rows, enters; the items are data only.

    A vector:      predictor = sum over k of vector[k] * each[k]
    With levels:   predictor = sum over k of vector[g*K + k] * each[k]

    g is the place of the row's group among the levels, which the column ``levels.name`` holds; K is the length of
    ``each``, which is (1,) for ``a[site]``.

    labels name the components: the text of the item, or the group and the item.
    places: of the components that the vector has, among those of all groups, where some are held at 0; else None.
    """

    vector: str
    each: tuple[Expr, ...]
    labels: tuple[str, ...]
    levels: Levels | None = None
    places: tuple[int, ...] | None = None

    @property
    def regular(self) -> bool:
        """Whether it has components for each group, all of them."""
        return self.levels is not None and self.places is None

    @cached_property
    def items(self) -> tuple[Expr, ...]:
        """One item for each component, of which the predictor is the sum: 0 in the rows of other groups."""
        if self.levels is None:
            return self.each
        every = range(len(self.levels) * len(self.each))
        return tuple(self.item(component) for component in (every if self.places is None else self.places))

    def item(self, component: int) -> Expr:
        """Return the item of a component of a group, by its place among those of all groups."""
        assert self.levels is not None
        group, number = divmod(component, len(self.each))
        in_group = sympy.Eq(Column(self.levels.name), group, evaluate=False)
        return where(in_group, self.each[number], Integer(0))

    def of_all_groups(self, values: Sequence[str], value_held: str) -> list[str]:
        """Return a text for each component of each group: those of the vector, and that of the ones held at 0."""
        if self.levels is None or self.places is None:
            return list(values)
        value_of_place = dict(zip(self.places, values, strict=True))
        return [value_of_place.get(component, value_held) for component in range(len(self.levels) * len(self.each))]

    @property
    def columns(self) -> set[Column]:
        """The columns that it reads."""
        group_columns = set() if self.levels is None else {Column(self.levels.name)}
        return group_columns.union(*(item.atoms(Column) for item in self.each))


def component_symbols(labels: Sequence[str], shapes: Mapping[str, Sequence[str] | None]) -> tuple[Expr, ...]:
    """Return the symbol of each component of theta: a parameter, or a component of a vector."""
    return tuple(Parameter(label) if shapes.get(label, ()) is None else Component(label) for label in labels)


def expanded(
    expression: Expr, terms: Mapping[Predictor, Term], symbols: Sequence[Expr], slices: Mapping[str, slice]
) -> Expr:
    """Return an expression of columns and of the components of theta alone.

    terms: what each predictor stands for. symbols: of the components; slices: where those of a vector lie.
    """
    sums = {
        predictor: Add(
            *(Mul(symbol, item) for symbol, item in zip(symbols[slices[term.vector]], term.items, strict=True))
        )
        for predictor, term in terms.items()
    }
    return expression.xreplace(sums) if sums else expression


def number(value: float) -> Expr:
    """Turn a float into an exact SymPy number that prints as the same float: 0.1 is 1/10, so that 0.5*2 is 1."""
    return Integer(int(value)) if value.is_integer() and abs(value) < LARGEST_EXACT else Rational(repr(float(value)))


def shortened(value: Expr) -> Expr | None:
    """Return a number unchanged if it is short to write, as 0.1 or 2/3, else rounded; None where no float is near."""
    if max(abs(value.p), value.q) < 10**6:
        return value
    try:
        rounded = float(value)
    except OverflowError:
        return None
    return number(rounded) if math.isfinite(rounded) and rounded != 0 else None


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
