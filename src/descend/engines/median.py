"""The median size of a residual over all rows, where they lie: by the database, or of blocks that stream through."""

from __future__ import annotations

import numpy as np
from sympy import Add, Expr

from descend.engines.query import EVERY, component, parameter_binder
from descend.engines.stream import BLOCK
from descend.engines.totals import Array
from descend.formula.printers.ibis import ABILITIES, PARAMETER, Abilities, LackingFunctionError, QueryWriter
from descend.formula.symbols import Column
from descend.gradients.contract import Program
from descend.losses.contract import PREDICTION, RESIDUAL, RESPONSE
from descend.models import FormulaModel, Model
from descend.table.lazy import Lazy

AROUND = 1.05
"""How far from the median of a sample the one of all rows is looked for, at first; ten times as far the next time."""


def median_residual(model: Model, program: Program | None, lazy: Lazy, theta: Array, near: float) -> float:
    """Return the median of |y - prediction| at theta; ``near`` is that of a sample, which saves memory.

    program: the formula, if the database is to be asked; it is where it has medians and all functions of the formula.
    """
    from ibis.expr import operations

    if program is not None and isinstance(model, FormulaModel) and lazy.backend.has_operation(operations.Median):
        try:
            return _asked(model, program, lazy, theta)
        except LackingFunctionError:
            pass
    width = AROUND
    while True:
        found = lazy.attempt(lambda: _streamed(model, lazy, theta, near / width, near * width))  # noqa: B023
        if found is not None:
            return found
        width = 1.0 + 10.0 * (width - 1.0)


def _asked(model: FormulaModel, program: Program, lazy: Lazy, theta: Array) -> float:
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
    below = rows = 0
    between = []
    for block in lazy.blocks(BLOCK):
        sizes = np.abs(model.predict(theta, block) - model.observed(block))
        rows += len(sizes)
        below += int((sizes < low).sum())
        between.append(sizes[(low <= sizes) & (sizes <= high)])
    kept = np.sort(np.concatenate(between))
    places = np.array([(rows - 1) // 2, rows // 2]) - below
    return float(kept[places].mean()) if places.min() >= 0 and places.max() < len(kept) else None
