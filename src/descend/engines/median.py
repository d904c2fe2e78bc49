"""The median size of a residual over all rows, where they lie: by the database, or of blocks that stream through."""

from __future__ import annotations

import numpy as np
from sympy import Add, Expr

from descend.engines.query import EVERY, component, parameter_binder
from descend.engines.stream import BLOCK
from descend.engines.totals import Array
from descend.engines.weighted import ROUNDING, middle
from descend.formula.printers.database import ABILITIES, PARAMETER, Abilities, LackingFunctionError
from descend.formula.printers.ibis import QueryWriter
from descend.formula.symbols import Column
from descend.gradients.contract import Program
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models import Model, SymbolicModel
from descend.table.lazy import Lazy

AROUND = 1.05
"""How far from the median of a sample the one of all rows is looked for, at first; ten times as far the next time."""


def median_residual(model: Model, program: Program | None, lazy: Lazy, theta: Array, near: float) -> float:
    """Return the median of |y - prediction| at theta; ``near`` is that of a sample, which saves memory.

    program: the formula, if the database is to be asked; it is where it has medians and all functions of the formula,
        and rows are alike.
    """
    from ibis.expr import operations

    alike = lazy.roles.spread is None and program is not None
    if alike and (symbolic := model.symbolic) is not None and lazy.backend.has_operation(operations.Median):
        try:
            return _asked(symbolic, program, lazy, theta)  # type: ignore[arg-type]
        except LackingFunctionError:
            pass
    width = AROUND
    while True:
        found = lazy.attempt(lambda: _streamed(model, lazy, theta, near / width, near * width))  # noqa: B023
        if found is not None:
            return found
        width = 1.0 + 10.0 * (width - 1.0)


def _asked(model: SymbolicModel, program: Program, lazy: Lazy, theta: Array) -> float:
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
    (found,) = run(parameter_binder(writer.bound, program)(theta, 1.0, EVERY))
    return float(found)


def _streamed(model: Model, lazy: Lazy, theta: Array, low: float, high: float) -> float | None:
    """Select the median among the sizes between ``low`` and ``high``, which alone are kept; None if it is elsewhere."""
    below = total = 0.0
    between, theirs = [], []
    for block in lazy.blocks(BLOCK):
        sizes = np.abs(model.predict(theta, block.columns) - model.observed(block.columns))
        omega = np.ones(len(sizes)) if block.omega is None else block.omega
        total += float(omega.sum())
        below += float(omega[sizes < low].sum())
        kept = (low <= sizes) & (sizes <= high)
        between.append(sizes[kept])
        theirs.append(omega[kept])
    known = np.concatenate(theirs)
    slack = ROUNDING * total
    if not below + slack < 0.5 * total < below + float(known.sum()) - slack:
        return None
    return middle(np.concatenate(between), known, below, total)
