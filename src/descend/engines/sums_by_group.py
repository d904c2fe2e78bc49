"""Sums over the rows of every group at once, by a database: one query, whatever parameters each group has.

What is the same in all rows of a group is computed here, once for each group, and put beside the rows as a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Gt, Integer, Mul, Rational
from sympy.logic.boolalg import Boolean

from descend.engines.products import Products, answered, sums_of
from descend.engines.query import weights_of
from descend.formula.compile import Compiled, define, numpy_names
from descend.formula.printers.code import NUMPY, Writer
from descend.formula.printers.database import ABILITIES, Abilities, refuse_long
from descend.formula.printers.ibis import QueryWriter
from descend.formula.real_functions import where
from descend.formula.symbols import OMEGA, Column, Quantity
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.joined_in_database import fetched
from descend.table.keyed_rows import KeyedRows
from descend.table.lazy import LARGEST

if TYPE_CHECKING:
    import ibis.expr.types as ir

Array = NDArray[np.float64]
Places = NDArray[np.intp]
PIECES = 64
"""Where a number left the range of doubles, the groups are halved down to so many pieces, to find those at fault."""


class PerGroup:
    """Expressions in which what is the same in all rows of a group has become a column of the table beside them.

    columns: these columns, by what they stand for.
    """

    def __init__(self) -> None:
        self.columns: dict[Expr, Column] = {}

    def __call__(self, node: Expr) -> Expr:
        """Return an expression of columns alone."""
        if not _of_rows(node):
            return self._column(node) if node.free_symbols else node
        if not node.args:
            return node
        same = [argument for argument in node.args if not _of_rows(argument)] if isinstance(node, Add | Mul) else []
        arguments = [self(argument) for argument in node.args if argument not in same]
        return node.func(*arguments, *([self(node.func(*same))] if same else []))

    def factored(self, node: Expr) -> Expr:
        """Return the same, with the factors that are the same in all rows as they were."""
        same = [factor for factor in Mul.make_args(node) if not _of_rows(factor)]
        return Mul(*same, self(Mul(*(factor for factor in Mul.make_args(node) if factor not in same))))

    def _column(self, node: Expr) -> Expr:
        if isinstance(node, Boolean) and not node.is_Symbol:
            return Gt(self._column(where(node, Integer(1), Integer(0))), Rational(1, 2))
        return self.columns.setdefault(node, Column(f"of the group: {len(self.columns)}"))


def _of_rows(node: Expr) -> bool:
    return bool(node.atoms(Column, Quantity))


class Question:
    """A query of sums by group. given: what stands beside the keys of the groups, a number for each."""

    def __init__(self, keyed: KeyedRows, rows: ir.Table, columns_given: Sequence[Expr] = ()) -> None:
        self.keyed = keyed
        self.columns: dict[Expr, str] = {symbol: f"b{number}" for number, symbol in enumerate(columns_given)}
        self.names = tuple(self.columns.values())
        self.beside = keyed.beside(self.names)
        self.table = keyed.joined(self.beside, rows, self.names)
        self.query: ir.Table

    def written(self, table: ir.Table, sums: Mapping[str, ir.NumericScalar]) -> None:
        """Keep what is to be summed over the rows of each group of a table."""
        self.query = table.group_by("g").aggregate(**sums)

    def ask(self, group: Places, numbers: Sequence[Array] = ()) -> dict[str, Array]:
        """Return the sums of some groups, by name; NaN where a number left the range of doubles.

        numbers: what is given of each of these groups.
        """
        answers: dict[str, Array] = {name: np.full(len(group), np.nan) for name in self.query.columns if name != "g"}
        lazy, waiting, fewest_groups = self.keyed.lazy, [np.arange(len(group))], max(len(group) // PIECES, 1)
        while waiting:
            some = waiting.pop()
            columns_given = dict(zip(self.names, (np.asarray(column)[some] for column in numbers), strict=True))
            self.keyed.put(self.beside, group[some], columns_given)
            answers_of_groups = answered(
                lambda: fetched(lazy, self.query, self.beside), lazy.backend, "the sums of groups"
            )
            if answers_of_groups is None:
                waiting += np.array_split(some, 2) if len(some) > fewest_groups else []
                continue
            groups_answered = some[answers_of_groups.pop("g").astype(np.intp)]
            for name, values in answers_of_groups.items():
                answers[name][groups_answered] = values
        return answers


class SumsByGroup:
    """Loss, gradient and curvature of every group, each at its own parameters.

    rows: the Ibis table of the rows that count. score: the argument of the loss, as an expression of components.
    slopes: its derivative by each component. order: 0 for the loss alone, or 2. Raises LackingFunctionError for sums
    that the database cannot write.
    """

    def __init__(
        self,
        keyed: KeyedRows,
        program: Program,
        rows: ir.Table,
        score: Expr,
        slopes: Mapping[Expr, Expr],
        order: int = 2,
    ) -> None:
        self.keyed, self.program, self.rows, self.score, self.slopes = keyed, program, rows, score, dict(slopes)
        lazy = keyed.lazy
        self.abilities = ABILITIES.get(lazy.backend.name, Abilities())
        for expression in (self.score, *self.slopes.values(), *program.loss.expressions, program.formula.response):
            refuse_long(expression, self.abilities)
        self.columns: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
        self.weighted = lazy.roles.spread is not None
        self.omega: Expr = OMEGA if self.weighted else Integer(1)
        self.given = {RESPONSE: program.formula.response} | weights_of(lazy)

        per_group = PerGroup()
        jacobian = [per_group.factored(slope) for slope in self.slopes.values()] if order else []
        definitions = self.given | {PREDICTION: per_group(score), RESIDUAL: PREDICTION - RESPONSE}
        self.question = Question(keyed, rows, list(per_group.columns.values()))
        writer = self.writer(self.question, definitions)
        products = Products(writer, program.loss.expressions, self.omega, jacobian, None, order)
        table = writer.table(products.summed)
        sums = sums_of([writer.write(row, table) for row in products.summed], not self.abilities.ieee)
        self.question.written(table, {"rows": table.count()} | sums)
        self.places = products.places
        self.beside = self._code(list(per_group.columns))
        self.factors = self._code(products.factors)

    def writer(self, question: Question, definitions: Mapping[Expr, Expr]) -> QueryWriter:
        """Return a writer of expressions over the table of a question."""
        writer = QueryWriter(question.table, self.columns | question.columns, definitions, self.abilities, ["g"])
        if self.weighted:
            writer.name(OMEGA)
        return writer

    def _code(self, expressions: Sequence[Expr]) -> Compiled:
        """Return the function of theta, an array over groups for each component, with the values of expressions."""
        writer = Writer(NUMPY, {component: f"theta[{place}]" for place, component in enumerate(self.slopes)})
        sum_texts = "".join(f"{writer.write(expression)}, " for expression in expressions)
        return define("values", f"def values(theta):\n    return ({sum_texts})\n", numpy_names())

    def at(self, group_places: Places, theta: Sequence[Array]) -> tuple[Array, list[Array], list[list[Array]]]:
        """Return loss, gradient and the lower triangle of the curvature of some groups, NaN where there is none.

        theta, and all that is returned: arrays over these groups.
        """
        totals = self._totals(group_places, theta)
        size = len(self.slopes)
        entries = iter(totals[1 + size :])
        upper = [[next(entries) for _ in range(row, size)] for row in range(size)]
        return totals[0], totals[1 : 1 + size], [[upper[k][j - k] for k in range(j + 1)] for j in range(size)]

    def loss_at(self, group_places: Places, theta: Sequence[Array]) -> Array:
        """Return the loss of some groups alone."""
        return self._totals(group_places, theta)[0]

    def _totals(self, group_places: Places, theta: Sequence[Array]) -> list[Array]:
        nothing = np.zeros(len(group_places))
        factors = [value + nothing for value in self.beside(theta)]
        usable = np.logical_and.reduce([np.isfinite(column) for column in factors], initial=True) & (nothing == 0.0)
        answers_of_groups = self.question.ask(group_places[usable], [column[usable] for column in factors])
        nulls = answers_of_groups.pop("lost", np.zeros(int(usable.sum())))
        rows, *sums = (np.where(nulls == 0.0, column, np.nan) for column in answers_of_groups.values())
        summed = np.full((len(sums) + 1, len(group_places)), np.nan)
        summed[:, usable] = [*sums, rows]
        return [factor * summed[slope] for factor, slope in zip(self.factors(theta), self.places, strict=True)]

    def losses(self, group_places: Places, starts: Array) -> Array:
        """Return the loss of each group at starts, (s, p), that are the same for all: (s, groups), by one query."""
        predictions = [Quantity(f"prediction {number}") for number in range(len(starts))]
        definitions = dict(self.given)
        for prediction, start in zip(predictions, starts.tolist(), strict=True):
            definitions[prediction] = self.score.xreplace(
                {component: Rational(value) for component, value in zip(self.slopes, start, strict=True)}
            )
        value = self.program.loss.expressions[0].xreplace({RESIDUAL: PREDICTION - RESPONSE})
        each = [self.omega * value.xreplace({PREDICTION: prediction}) for prediction in predictions]
        question = Question(self.keyed, self.rows)
        losses_of_groups = self._ask(
            question, definitions, {f"loss{number}": row for number, row in enumerate(each)}, group_places
        )
        return np.array(list(losses_of_groups.values()))

    def responses(self, group_places: Places) -> dict[str, Array]:
        """Return what is known of the response of each group.

        low, high: its least and largest value. infinite: rows in which it is no number. omega, first, squares, about:
        the sum of the weights, and weighted sums of it, its square, and its squared distance from the mean. counting:
        rows with a weight above 0. size: the sum of the magnitudes of the weights.
        """
        question = Question(self.keyed, self.rows)
        counting: Expr = where(Gt(OMEGA, Integer(0)), Integer(1), Integer(0)) if self.weighted else Integer(1)
        size: Expr = where(Gt(OMEGA, Integer(0)), OMEGA, -OMEGA) if self.weighted else Integer(1)
        rows = {
            "omega": self.omega,
            "counting": counting,
            "size": size,
            "first": self.omega * RESPONSE,
            "squares": self.omega * RESPONSE**2,
        }
        responses_of_groups = self._ask(question, self.given, rows, group_places, ends=True)
        mean = Column("mean of the group")
        again, distance = Question(self.keyed, self.rows, [mean]), self.omega * (RESPONSE - mean) ** 2
        means = responses_of_groups["first"] / responses_of_groups["omega"]
        return responses_of_groups | self._ask(again, self.given, {"about": distance}, group_places, [means])

    def sum_of(self, group_places: Places, term: Expr) -> Array:
        """Return the sum of a term of the likelihood over the rows of each group with a weight above 0."""
        term = where(Gt(OMEGA, Integer(0)), term, Integer(0)) if self.weighted else term
        return self._ask(Question(self.keyed, self.rows), self.given, {"term": term}, group_places)["term"]

    def _ask(
        self,
        question: Question,
        definitions: Mapping[Expr, Expr],
        rows: Mapping[str, Expr],
        group_places: Places,
        numbers: Sequence[Array] = (),
        ends: bool = False,
    ) -> dict[str, Array]:
        """Ask for sums over expressions of rows; with ``ends``, for the least and the largest response, too."""
        writer = self.writer(question, definitions)
        writer.count([*rows.values(), RESPONSE, RESPONSE])
        writer.name(RESPONSE)
        for row in rows.values():
            writer.prepare(row)
        table = writer.table([RESPONSE, *rows.values()])
        y = writer.write(RESPONSE, table)
        sums = {
            name: writer.write(row, table).sum() if writer.per_row(row) else table.count() for name, row in rows.items()
        }
        if ends:
            finite = (y.abs() <= LARGEST).fill_null(False)
            sums |= {"low": y.min(), "high": y.max(), "infinite": finite.ifelse(0, 1).sum()}
        question.written(table, sums)
        return question.ask(group_places, numbers)
