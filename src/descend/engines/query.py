"""The engine whose sums are computed by the database that holds the rows: one query per evaluation."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, Integer, Mul

from descend.engines.compiled import compiled, row_sums
from descend.engines.totals import Array, Totals
from descend.formula.compile import COUNT, define, numpy_names
from descend.formula.printers.code import NUMPY, Writer
from descend.formula.printers.ibis import ABILITIES, PARAMETER, Abilities, QueryWriter
from descend.formula.symbols import Column, Component, Parameter
from descend.gradients.contract import Program
from descend.losses.contract import PREDICTION, RESIDUAL, RESPONSE
from descend.models import FormulaModel, Model
from descend.table.lazy import LARGEST, Lazy

MOST_PARAMETERS = 60
"""Beyond these the curvature has more sums than a query should."""


class QueryEngine:
    """Sums over rows that stay in a database: only theta goes there, and only the totals come back.

    rows: of which only complete ones may be given. The queries are compiled once for each order, at its first use.
    """

    name = "query"
    factors = False

    def __init__(self, program: Program, lazy: Lazy, weights: str | None = None) -> None:
        self.program = program
        self.lazy = lazy
        self.abilities = ABILITIES.get(lazy.backend.name, Abilities())
        table = lazy.table
        total = table.count() if weights is None else table[lazy.column(weights)].sum()
        rows, count = lazy.one(table.aggregate(rows=table.count(), total=total))
        self.rows, self.total = int(rows), float(count)
        self.weights: Array | None = None
        """Weights of the rows that are in memory, if a sample of them is."""
        self.finish = compiled(program, "numpy").finish
        self.queries: dict[int, Query] = {}

    def compile(self, order: int = 2) -> None:
        """Compile one of the queries now. Raises LackingFunctionError where the database lacks a function."""
        self.queries[order] = Query(self.program, self.lazy, self.abilities, order)

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        query = self.queries.get(order)
        if query is None:
            query = self.queries[order] = Query(self.program, self.lazy, self.abilities, order)
        size = self.program.parameters.size
        sums = query.sums(theta, self.total)
        loss, sums = float(sums[0]), sums[1:]
        if order == 0:
            return Totals(self.total, loss, None, None)
        slopes = len(query.gradient)
        gradient = sums[:slopes]
        if self.finish is not None:
            gradient = self.finish(gradient, self.total, theta)
        if order == 1:
            return Totals(self.total, loss, gradient, None)
        curvature = np.zeros((size, size))
        curvature[np.triu_indices(size)] = sums[slopes:]
        return Totals(self.total, loss, gradient, curvature + np.triu(curvature, 1).T)


class Query:
    """The totals of one order as SQL, in which only the parameters are left open."""

    def __init__(self, program: Program, lazy: Lazy, abilities: Abilities, order: int) -> None:
        self.lazy = lazy
        self.program = program
        self.nulls = not abilities.ieee
        names: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
        definitions = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        for predictor, term in program.formula.terms.items():
            parts = (component(term.vector, k) * item for k, item in enumerate(term.items))
            definitions[predictor] = Add(*parts)
        writer = QueryWriter(lazy.table, names, definitions, abilities)
        self.gradient: list[Expr] = []
        sql = lazy.sql(self._aggregates(writer, order), PARAMETER)
        self.pieces = sql.split("\0")
        self.bind = _binder(writer.bound, program)

    def _aggregates(self, writer: QueryWriter, order: int) -> Any:
        """Return the Ibis table of one row: loss, gradient, and the upper triangle of the curvature."""
        program = self.program
        omega = program.weights if program.weights is not None else 1
        value, slope, weight = (omega * expression for expression in program.loss.expressions)
        derived = order in (1, 2) and program.by_hand is None
        by_hand = [inner.args[0] * omega for inner in row_sums(program)] if order else []
        columns = self._jacobian() if derived or order == 2 else []
        writer.count([value, *([slope] if derived else []), *by_hand, *columns, *([weight] if order == 2 else [])])
        value = writer.name(value)
        if derived:
            slope = writer.name(slope)
            columns = [writer.name(column) for column in columns]
            self.gradient = [_times(slope, column) for column in columns]
        elif order:
            self.gradient = [writer.name(inner) for inner in by_hand]
            columns = [writer.name(column) for column in columns]
        curvature = []
        if order == 2:
            weight = writer.name(weight)
            weighted = [_times(weight, column) for column in columns]
            if writer.per_row(weight):
                weighted = [writer.name(column) for column in weighted]
            size = len(columns)
            curvature = [_times(weighted[j], columns[k]) for j in range(size) for k in range(j, size)]
        terms = [value, *self.gradient, *curvature]
        self.length = len(terms)
        table = writer.table(terms)
        return table.aggregate(**self._sums(writer, table, terms))

    def _sums(self, writer: QueryWriter, table: Any, terms: list[Expr]) -> dict[str, Any]:
        sums: dict[str, Any] = {}
        values = [writer.write(term, table) for term in terms]
        for place, value in enumerate(values):
            sums[f"s{place}"] = value.sum() if writer.per_row(terms[place]) else value * table.count()
        if self.nulls:
            # A null is left out of a sum in silence, so the rows in which any term has a value are counted too.
            null = [value.isnull() for value, term in zip(values, terms, strict=True) if writer.per_row(term)]
            sums["lost"] = reduce(operator.or_, null).ifelse(1, 0).sum()
        return sums

    def _jacobian(self) -> list[Expr]:
        """Return the derivative of the score by each component of theta."""
        program, slices = self.program, self.program.parameters.slices
        columns: list[Expr] = [Add()] * program.parameters.size
        for symbol, derivative in program.jacobian.items():
            term = program.formula.terms.get(symbol)
            if term is None:
                columns[slices[symbol.name].start] = derivative
                continue
            for k, item in enumerate(term.items):
                columns[slices[term.vector].start + k] += derivative * item
        return columns

    def sums(self, theta: Array, rows: float) -> Array:
        """Run the query at theta. rows: their number, or the sum of their weights."""
        with np.errstate(all="ignore"):
            bound = self.bind(theta, rows)
        if not all(map(math.isfinite, bound)):
            return np.full(self.length, np.nan)
        numbers = list(map(self.lazy.number, bound))
        sql = "".join(numbers[int(piece)] if place % 2 else piece for place, piece in enumerate(self.pieces))
        (row,) = self.lazy.run(sql)
        sums = np.array([np.nan if value is None else value for value in row], dtype=np.float64)
        if self.nulls:
            return sums[:-1] if sums[-1] == 0.0 else np.full(len(sums) - 1, np.nan)
        return sums


class Response:
    """What there is to ask about the response of all rows, in one query."""

    def __init__(self, model: Model, lazy: Lazy, weights: str | None, near: float) -> None:
        """Write the query; ``near`` is near the mean of the response, against cancellation."""
        abilities = ABILITIES.get(lazy.backend.name, Abilities())
        names: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
        response = model.formula.response if isinstance(model, FormulaModel) else Column(model.response)
        writer = QueryWriter(lazy.table, names, {RESPONSE: response}, abilities)
        writer.count([RESPONSE, RESPONSE])
        writer.name(RESPONSE)
        table = writer.table([RESPONSE, *(() if weights is None else (Column(weights),))])
        y = writer.write(RESPONSE, table)
        omega = None if weights is None else table[lazy.column(weights)]
        away = y - near
        positive = table.count() if omega is None else (omega > 0.0).ifelse(1, 0).sum()
        self.lazy = lazy
        self.sums = {
            "rows": table.count(),
            "finite": (y.abs() <= LARGEST).fill_null(False).ifelse(1, 0).sum(),
            "low": y.min(),
            "high": y.max(),
            "omega": table.count() if omega is None else omega.sum(),
            "counting": positive,
            "log_omega": y.sum() * 0.0 if omega is None else (omega > 0.0).ifelse(omega, 1.0).ln().sum(),
            "first": away.sum() if omega is None else (omega * away).sum(),
            "second": (away * away).sum() if omega is None else (omega * away * away).sum(),
            "squares": (y * y).sum(),
        }
        if model.loss.name == "poisson" and "lgamma" in abilities.functions:
            each = writer.calls.builtin("lgamma", (y > 0.0).ifelse(y, 0.0) + 1.0)
            self.sums["log_factorials"] = (each if omega is None else omega * each).sum()
        self.query = table.aggregate(**self.sums)

    def ask(self) -> dict[str, float]:
        """Run the query and return its answers by name."""
        answers = self.lazy.one(self.query)
        return {name: np.nan if value is None else float(value) for name, value in zip(self.sums, answers, strict=True)}


def component(vector: str, place: int) -> Component:
    """Return the symbol of one component of a vector parameter."""
    symbol: Component = Component(f"{vector}[{place}]")
    return symbol


def _times(one: Expr, other: Expr) -> Expr:
    """Return a product of two that stay as they are, for each may have a name."""
    if 0 in (one, other):
        return Integer(0)
    return other if one == 1 else one if other == 1 else Mul(one, other, evaluate=False)


def _binder(bound: list[Expr], program: Program) -> Callable[[Array, float], tuple[float, ...]]:
    """Make the function that computes what stands in a query in place of parameters."""
    names: dict[Expr, str] = {COUNT: "rows"}
    for name, place in program.parameters.slices.items():
        names[Parameter(name)] = f"theta[{place.start}]"
        names |= {component(name, k): f"theta[{place.start + k}]" for k in range(place.stop - place.start)}
    writer = Writer(NUMPY, names)
    parts = "".join(f"float({writer.write(expression)}), " for expression in bound)
    return define("bind", f"def bind(theta, rows):\n    return ({parts})\n", numpy_names())
