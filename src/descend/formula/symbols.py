"""What an expression is made of: columns, parameters, products of a vector parameter with columns, and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Rational

LARGEST_EXACT = 2**53
"""Whole numbers below this are floats exactly."""


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
    """How a vector parameter enters: predictor = sum over k of vector[k] * items[k], items being data only.

    labels name the components, one per item: the text of the item.
    """

    vector: str
    items: tuple[Expr, ...]
    labels: tuple[str, ...]


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
