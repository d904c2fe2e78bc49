"""What is asked of all rows besides J, where they lie: facts about their response, and the median residual."""

from __future__ import annotations

import numpy as np
from sympy import Add, Expr

from descend.engines.query import EVERY, component, parameter_binder, weights_of
from descend.engines.stream import BLOCK
from descend.engines.totals import Array
from descend.engines.weighted_median import ROUNDING, middle
from descend.formula.printers.database import ABILITIES, PARAMETER, Abilities, LackingFunctionError
from descend.formula.printers.ibis import QueryWriter
from descend.formula.symbols import OMEGA, Column
from descend.gradients.derived import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.losses.row_sums import row_terms
from descend.models import Model, SymbolicModel
from descend.table.lazy import LARGEST, Lazy

AROUND = 1.05
"""Factor around a sample's median within which that of all rows is first sought; ten times as far the next time."""


class Response:
    """What can be asked about the response of all rows in one query."""

    def __init__(self, model: Model, lazy: Lazy, near: float, ends: tuple[float, float] | None = None) -> None:
        """Write the query; ``near``: a number near the mean of the response, subtracted to avoid cancellation.

        ends: the least and the largest response, if all are known to be finite: then neither is asked for.
        """
        abilities = ABILITIES.get(lazy.backend.name, Abilities())
        names: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
        response = model.response_expression
        writer = QueryWriter(lazy.table, names, {RESPONSE: response} | weights_of(lazy), abilities)
        writer.count([RESPONSE, RESPONSE])
        writer.name(RESPONSE)
        weighted = lazy.roles.spread is not None
        if weighted:
            writer.name(OMEGA)
        table = writer.table([RESPONSE, *([OMEGA] if weighted else [])])
        y = writer.write(RESPONSE, table)
        omega = writer.write(OMEGA, table) if weighted else None
        away = y - near
        positive = table.count() if omega is None else (omega > 0.0).ifelse(1, 0).sum()
        self.lazy = lazy
        self.ends, self.near = ends, near
        self.sums = {
            "rows": table.count(),
            "omega": table.count() if omega is None else omega.sum(),
            "counting": positive,
            "first": away.sum() if omega is None else (omega * away).sum(),
            "second": (away * away).sum() if omega is None else (omega * away * away).sum(),
        }
        if ends is None:
            finite = (y.abs() <= LARGEST).fill_null(False)
            self.sums |= {"finite": finite.ifelse(1, 0).sum(), "low": y.min(), "high": y.max()}
        if omega is not None:
            self.sums["squares"] = (y * y).sum()
        for number, term in enumerate(row_terms(model.loss, weighted)):
            try:
                each = writer.write(term, table)
            except LackingFunctionError:
                continue  # what is not known of all rows is left out of a report
            if not term.free_symbols:
                each = y * 0.0 + each  # one number in all rows
            self.sums[f"term{number}"] = (each if omega is None else (omega > 0.0).ifelse(each, 0.0)).sum()
        self.query = table.aggregate(**self.sums)

    def ask(self) -> dict[str, float]:
        """Run the query and return its answers by name."""
        answers = self.lazy.one(self.query)
        sums = {name: np.nan if value is None else float(value) for name, value in zip(self.sums, answers, strict=True)}
        if self.ends is not None:
            sums |= {"finite": sums["rows"], "low": self.ends[0], "high": self.ends[1]}
        if "squares" not in sums:
            near = self.near
            sums["squares"] = sums["second"] + near * (2.0 * sums["first"] + near * sums["rows"])
        return sums


def median_residual(model: Model, program: Program | None, lazy: Lazy, theta: Array, near: float) -> float:
    """Return the median of |y - prediction| at theta; ``near``: that of a sample, which saves memory.

    program: the formula, if the database may compute it, which it does if it has medians and all functions of the
        formula, and rows are alike.
    """
    from ibis.expr import operations

    alike = lazy.roles.spread is None and program is not None
    if alike and (symbolic := model.symbolic) is not None and lazy.backend.has_operation(operations.Median):
        try:
            return _by_database(symbolic, program, lazy, theta)  # type: ignore[arg-type]
        except LackingFunctionError:
            pass
    width = AROUND
    while True:
        median = lazy.attempt(lambda: _streamed(model, lazy, theta, near / width, near * width))  # noqa: B023
        if median is not None:
            return median
        width = 1.0 + 10.0 * (width - 1.0)


def _by_database(model: SymbolicModel, program: Program, lazy: Lazy, theta: Array) -> float:
    names: dict[Expr, str] = {Column(name): lazy.column(name) for name in lazy.names}
    definitions = {PREDICTION: model.prediction, RESPONSE: model.formula.response, RESIDUAL: PREDICTION - RESPONSE}
    for predictor, term in model.formula.terms.items():
        definitions[predictor] = Add(*(component(term.vector, k) * item for k, item in enumerate(term.items)))
    writer = QueryWriter(lazy.table, names, definitions, ABILITIES.get(lazy.backend.name, Abilities()))
    writer.count([RESIDUAL, RESIDUAL])
    writer.name(RESIDUAL)
    table = writer.table([RESIDUAL])
    query = table.aggregate(middle=writer.write(RESIDUAL, table).abs().median())
    run = lazy.prepared(lazy.sql(query, PARAMETER))
    (median,) = run(parameter_binder(writer.bound, program)(theta, 1.0, EVERY))
    return float(median)


def _streamed(model: Model, lazy: Lazy, theta: Array, low: float, high: float) -> float | None:
    """Select the median among the sizes between ``low`` and ``high``, the only ones kept; None if it lies elsewhere."""
    below = total = 0.0
    between, theirs = [], []
    for block in lazy.blocks(BLOCK):
        sizes = np.abs(model.predict(theta, block.columns) - model.observed(block.columns))
        omega = np.ones(len(sizes)) if block.omega is None else block.omega
        total += float(omega.sum())
        below += float(omega[sizes < low].sum())
        sizes_within = (low <= sizes) & (sizes <= high)
        between.append(sizes[sizes_within])
        theirs.append(omega[sizes_within])
    residual_sizes = np.concatenate(theirs)
    slack = ROUNDING * total
    if not below + slack < 0.5 * total < below + float(residual_sizes.sum()) - slack:
        return None
    return middle(np.concatenate(between), residual_sizes, below, total)
