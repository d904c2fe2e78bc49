"""The engine whose sums are computed by the database that holds the rows: one query per evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from sympy import Add, Expr, Integer

from descend.engines.batches import Batch
from descend.engines.compiled import compiled, row_sums
from descend.engines.lazy_engine import LazyEngine
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.products import Products, answered, sums_of
from descend.engines.totals import Array, Totals
from descend.engines.triangles import symmetric, well_conditioned
from descend.formula.compile import define, numpy_names
from descend.formula.printers.code import NUMPY, Writer
from descend.formula.printers.database import ABILITIES, PARAMETER, Abilities, parameter, refuse_long
from descend.formula.printers.ibis import QueryWriter
from descend.formula.row_code import COUNT
from descend.formula.symbols import OMEGA, Column, Component, Parameter, Setting
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.table.lazy import Lazy, spread

MULTIPLIER, LOW, HIGH = range(3)
EVERY = Batch(0.0, 0.0, 1.0)
SINGULAR = 1e-14
"""Smallest singular value of a sample's scaled triangle, as a share of the largest, that is more than rounding."""
UNTURNED = np.ones((1, 1))
MOST_PARAMETERS = 60
"""Parameters beyond which the curvature has more sums than a query should."""


class QueryEngine(LazyEngine):
    """Sums over rows that stay in a database: only theta goes there, and only the totals come back.

    The queries are compiled once for each order, at its first use.
    Raises LackingFunctionError for a formula or a loss whose sums the database cannot write out.

    Order 3: where the columns of J depend on each other so much that J'WJ would lose digits, the database sums Z'WZ
    instead, with Z = J S^-1 and S the triangle of a sample at theta, as the columns of Z hardly do. With L its Cholesky
    factor, the triangle of J is L'S, and q = L^-1 Z'slope.
    """

    name = "query"
    by_database = True

    def __init__(self, program: Program, lazy: Lazy, counted: tuple[int, float] | None = None) -> None:
        super().__init__(lazy, counted)
        self.program = program
        self.abilities = ABILITIES.get(lazy.backend.name, Abilities())
        for expression in (program.score, *program.jacobian.values(), *program.loss.expressions, *row_sums(program)):
            refuse_long(expression, self.abilities)
        self.finish = compiled(program, "numpy", False).finish
        self.queries: dict[tuple[int, bool], Query] = {}

    def compile(self, order: int = 2) -> None:
        """Compile one of the queries now. Raises LackingFunctionError where the database lacks a function."""
        self._query(order)

    def _query(self, order: int, batched: bool = False) -> Query:
        """Return the query of an order, compiled at its first use."""
        query = self.queries.get((order, batched))
        if query is None:
            query = self.queries[order, batched] = Query(self.program, self.lazy, self.abilities, order, batched)
        return query

    def _read(self, theta: Array, order: int, rows: Batch | None) -> Totals:
        if order == 3:
            return self._factored(theta)
        query = self._query(order, rows is not None)
        totals, total = query.totals(theta, self.count, self.total, rows)
        loss, totals = float(totals[0]), totals[1:]
        if order == 0:
            return Totals(total, loss, None, None)
        gradient = totals[: query.slopes]
        if self.finish is not None:
            gradient = self.finish(gradient, total, theta)
        if order == 1:
            return Totals(total, loss, gradient, None)
        return Totals(total, loss, gradient, symmetric(totals[query.slopes :], theta.size))

    def _factored(self, theta: Array) -> Totals:
        """Return loss and factor; no factor where the curvature serves as well, or nothing does."""
        turn = self._turn(theta)
        if turn is None:
            return Totals(self.total, math.nan, None, None)
        query = self._query(3)
        size, by_hand = theta.size, self.program.by_hand is not None
        inverse: Array = np.asarray(np.linalg.inv(turn), dtype=np.float64)
        totals, total = query.totals(theta, self.count, self.total, None, inverse)
        loss, slopes, upper = float(totals[0]), totals[1 : 1 + query.slopes], totals[1 + query.slopes :]
        try:
            lower = np.linalg.cholesky(symmetric(upper, size))
        except np.linalg.LinAlgError:
            return Totals(self.total, math.nan, None, None)
        factor = np.zeros((size + 1, size + 1))
        factor[:size, :size] = lower.T @ turn
        if not by_hand:
            factor[:size, size] = np.linalg.solve(lower, slopes)
            return Totals(total, loss, None, None, factor)
        return Totals(total, loss, slopes if self.finish is None else self.finish(slopes, total, theta), None, factor)

    def _turn(self, theta: Array) -> Array | None:
        """Return the triangle of the sample; None where its columns hardly depend on each other, or that is unknown."""
        if not self.rows.columns:
            return None
        summed = NumpyEngine(self.program, self.rows).evaluate(theta, 3)
        assert isinstance(summed.factor, np.ndarray)
        upper = summed.factor[:-1, :-1]
        norms = np.sqrt(np.add.reduce(upper * upper))
        if not (np.isfinite(upper).all() and (norms > 0.0).all()) or well_conditioned(upper.T @ upper):
            return None
        singular = np.linalg.svd(upper / norms, compute_uv=False)
        return upper if singular[-1] > SINGULAR * singular[0] else None


class Query:
    """The totals of one order as SQL, in which only the parameters are left open.

    Each total is a constant factor times the sum of a product over rows; a sum that several share is asked for once.
    """

    def __init__(
        self,
        program: Program,
        lazy: Lazy,
        abilities: Abilities,
        order: int,
        batched: bool = False,
    ) -> None:
        """Write the query; if ``batched``, for some of the rows, which it also counts and whose weights it sums."""
        self.lazy = lazy
        self.batched = batched
        self.program = program
        self.nulls = not abilities.ieee
        names: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
        weighted = lazy.roles.spread is not None
        definitions = {PREDICTION: program.score, RESPONSE: program.formula.response, RESIDUAL: PREDICTION - RESPONSE}
        definitions |= weights_of(lazy)
        for predictor, term in program.formula.terms.items():
            component_texts = (component(term.vector, k) * item for k, item in enumerate(term.items))
            definitions[predictor] = Add(*component_texts)
        start = lazy.table
        if batched:
            numbered = lazy.numbered()
            share = spread(numbered.place, parameter(MULTIPLIER))
            start = numbered.filter((share >= parameter(LOW)) & (share < parameter(HIGH)))
        self.writer = writer = QueryWriter(start, names, definitions, abilities)
        writer.bound += [Setting("multiplier"), Setting("low"), Setting("high")]
        if weighted:
            writer.name(OMEGA)
        derived = order > 0 and program.by_hand is None
        jacobian = program.columns if derived or order > 1 else ()
        if order == 3:
            jacobian = tuple(
                Add(*(turned(j, k) * column for j, column in enumerate(jacobian[: k + 1])))
                for k in range(len(jacobian))
            )
        by_hand = None if program.by_hand is None else [inner.args[0] for inner in row_sums(program)]
        omega = OMEGA if weighted else Integer(1)
        products = Products(writer, program.loss.expressions, omega, jacobian, by_hand, order)
        self.slopes, self.places = products.slopes, products.places
        table = writer.table([*products.summed, *([OMEGA] if weighted and batched else [])])
        sums = sums_of([writer.write(row, table) for row in products.summed], self.nulls)
        if batched:
            counted = {"rows": table.count()}
            counted["weight"] = writer.write(OMEGA, table).sum() if weighted else table.count()
            sums = counted | sums
        sql = lazy.sql(table.aggregate(**sums), PARAMETER)
        self.sql = sql
        self.run = lazy.prepared(sql)
        self.bind = parameter_binder(writer.bound, program)
        self.scale = parameter_binder(products.factors, program)

    def totals(
        self, theta: Array, rows: int, weight: float, batch: Batch | None, turn: Array = UNTURNED
    ) -> tuple[Array, float]:
        """Run the query at theta; returns the totals, and the sum of the weights of their rows.

        rows: the number of all; weight: the sum of their weights. Without any weight the totals are 0, of one row.
        turn: what the derivatives are multiplied by, in order 3.
        """
        with np.errstate(all="ignore"):
            bound = self.bind(theta, weight, batch or EVERY, turn)
            if not all(map(math.isfinite, bound)):
                return np.full(len(self.places), np.nan), weight
            answers = answered(lambda: self.run(bound), self.lazy.backend, "the sums")
            if answers is None:
                return np.full(len(self.places), np.nan), weight
            totals_answered = [np.nan if value is None else float(value) for value in answers]
            if self.batched:
                rows, weight, *totals_answered = totals_answered  # type: ignore[assignment]
                if not weight > 0.0:
                    return np.zeros(len(self.places)), 1.0
            if self.nulls and totals_answered.pop() != 0.0:
                return np.full(len(self.places), np.nan), weight
            sums = np.array([*totals_answered, float(rows)])  # the last place is that of -1
            totals: Array = np.array(self.scale(theta, weight, EVERY, turn)) * sums[self.places]
        return totals, weight


def weights_of(lazy: Lazy) -> dict[Expr, Expr]:
    """Return the row weight as an expression of columns; empty if all rows are alike."""
    roles = lazy.roles
    return {} if roles.spread is None else {OMEGA: roles.weight(Column(roles.spread))}


def turned(row: int, column: int) -> Setting:
    """Return the symbol of an entry of the matrix that derivatives are multiplied by."""
    symbol: Setting = Setting(f"turn[{row}, {column}]")
    return symbol


def component(vector: str, place: int) -> Component:
    """Return the symbol of one component of a vector parameter."""
    symbol: Component = Component(f"{vector}[{place}]")
    return symbol


def parameter_binder(bound: list[Expr], program: Program) -> Callable[..., tuple[float, ...]]:
    """Make the function that computes the numbers bound in a query from the parameters."""
    names: dict[Expr, str] = {COUNT: "rows"} | {Setting(name): f"batch.{name}" for name in Batch._fields}
    entries = {symbol for expression in bound for symbol in expression.atoms(Setting)}
    names |= {symbol: symbol.name for symbol in entries if symbol.name.startswith("turn[")}
    for name, theta in program.parameters.slices.items():
        names[Parameter(name)] = f"theta[{theta.start}]"
        names |= {component(name, k): f"theta[{theta.start + k}]" for k in range(theta.stop - theta.start)}
    writer = Writer(NUMPY, names)
    component_texts = "".join(f"float({writer.write(expression)}), " for expression in bound)
    return define("bind", f"def bind(theta, rows, batch, turn=None):\n    return ({component_texts})\n", numpy_names())
