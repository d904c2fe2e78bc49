"""What a database has to sum for the totals of a program: each is a factor, the same in all rows, times such a sum."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

from sympy import Expr, Integer, Mul

from descend.errors import DataError
from descend.formula.printers.ibis import QueryWriter
from descend.table.lazy import OUT_OF_RANGE
from descend.table.sql import not_computed

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.sql import SQLBackend

Answer = TypeVar("Answer")
Term = tuple[Expr, Expr]
"""A factor that is the same in all rows, and what differs between them."""


class Products:
    """Loss, gradient, and the upper triangle of the curvature, as terms; a sum that several share is asked for once.

    writer: gives names to what they share. expressions: value, slope and weight of the loss; omega: the row weight.
    jacobian: the derivatives of the score, one for each component. by_hand: what a gradient by hand sums over rows, if
    there is one.

    factors: of each total. summed: what is summed. places: which of these sums belongs to each total; -1 is the number
    of rows. slopes: how many totals the gradient has.
    """

    def __init__(
        self,
        writer: QueryWriter,
        expressions: Sequence[Expr],
        omega: Expr,
        jacobian: Sequence[Expr],
        by_hand: Sequence[Expr] | None,
        order: int,
    ) -> None:
        self.writer, self.slopes = writer, 0
        self.derived = order > 0 and by_hand is None
        value, slope, weight = (self._split(omega * expression) for expression in expressions)
        slope_terms = [self._split(slope_by_hand * omega) for slope_by_hand in by_hand or ()] if order else []
        terms = self._terms(value, slope, weight, [self._split(column) for column in jacobian], slope_terms, order)
        self.factors = [factor for factor, _ in terms]
        self.summed = list(dict.fromkeys(row for _, row in terms if row != 1))
        self.places = [self.summed.index(row) if row != 1 else -1 for _, row in terms]

    def _terms(
        self, value: Term, slope: Term, weight: Term, columns: Sequence[Term], terms_given: Sequence[Term], order: int
    ) -> list[Term]:
        writer, derived = self.writer, self.derived
        shared = [value, *([slope] if derived else []), *terms_given, *columns, *([weight] if order > 1 else [])]
        writer.count(row for _, row in shared)
        for each in (value, *terms_given):
            writer.prepare(each[1])
        for _, row in [*columns, *([slope] if derived else []), *([weight] if order > 1 else [])]:
            writer.name(row)
        gradient = [self._times(slope, column) for column in columns] if derived else list(terms_given)
        self.slopes = len(gradient)
        if order < 2:
            return [value, *gradient]
        weighted = [self._times(weight, column) for column in columns]
        for _, row in weighted:
            writer.name(row)
        size = len(columns)
        return [value, *gradient, *(self._times(weighted[j], columns[k]) for j in range(size) for k in range(j, size))]

    def _split(self, term: Expr) -> Term:
        """Return the factors that are the same in every row, and the others."""
        factors = Mul.make_args(term)
        constant_factors = [factor for factor in factors if not self.writer.per_row(factor)]
        return Mul(*constant_factors), Mul(*(factor for factor in factors if self.writer.per_row(factor)))

    @staticmethod
    def _times(first_term: Term, second_term: Term) -> Term:
        """Return the product of two such pairs; parts per row are kept as they are, since each may have a name."""
        factor = first_term[0] * second_term[0]
        rows = [row for row in (first_term[1], second_term[1]) if row != 1]
        if factor == 0 or not rows:
            return factor, Integer(1)
        return factor, rows[0] if len(rows) == 1 else Mul(*rows, evaluate=False)


def answered(ask: Callable[[], Answer], backend: SQLBackend, words: str) -> Answer | None:
    """Ask a database; None where a number left the range of doubles, which some databases report as an error.

    words: what it was asked for.
    """
    try:
        return ask()
    except DataError:
        raise
    except Exception as error:  # each database has its own
        if OUT_OF_RANGE.search(str(error)):
            return None
        raise not_computed(backend, words, error) from error


def sums_of(values: Sequence[ir.NumericValue], nulls: bool) -> dict[str, ir.NumericScalar]:
    """Return the sums of values over rows as ``s0``, ``s1``, ...; with ``nulls``, how many rows lack any as ``lost``.

    A database without NaN gives null in its place, which sums skip in silence.
    """
    sums = {f"s{value_number}": value.sum() for value_number, value in enumerate(values)}
    if nulls:
        sums["lost"] = reduce(operator.or_, (value.isnull() for value in values)).ifelse(1, 0).sum()
    return sums
