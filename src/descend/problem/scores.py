"""What the loss works on in each row, and its derivatives by the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression, items_matrix
from descend.formula.symbols import Column
from descend.gradients.derived import derived
from descend.models import FormulaModel, FunctionModel

Array = NDArray[np.float64]
STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""Relative step of a central difference, where its two errors balance."""


def score_and_jacobian(
    model: FormulaModel | FunctionModel, theta: Array, columns: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Return the score of each row and its derivatives, (rows,) and (rows, p).

    The score is the prediction, before the link that a loss absorbs (log-odds for logistic). Formulas are
    differentiated symbolically, Python functions by central differences.
    """
    if isinstance(model, FormulaModel):
        program = derived(model.formula, model.loss)
        return with_derivatives(model, program.score, program.jacobian, theta, columns)
    with np.errstate(all="ignore"):
        return _of_function(model, theta, columns)


def with_derivatives(
    model: FormulaModel, expression: Expr, jacobian_of: Mapping[Expr, Expr], theta: Array, columns: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Return an expression of the formula in each row, and its derivatives by the parameters.

    jacobian_of: its derivatives by each scalar parameter and each ``w @ [...]``.
    """
    rows = len(next(iter(columns.values())))
    slices, terms = model.parameters.slices, model.formula.terms
    values: dict[Expr, Any] = {Column(name): columns[name] for name in model.inputs}
    matrices = {symbol: items_matrix(term.items, columns, rows) for symbol, term in terms.items()}
    for symbol in model.formula.unknowns:
        term = terms.get(symbol)
        values[symbol] = (
            float(theta[slices[symbol.name].start]) if term is None else matrices[symbol] @ theta[slices[term.vector]]
        )

    def evaluated(expression: Expr) -> Array:
        with np.errstate(all="ignore"):
            value = compile_expression(expression, tuple(values))(*values.values())
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (rows,))

    jacobian = np.zeros((rows, model.parameters.size))
    for symbol, derivative in jacobian_of.items():
        term = terms.get(symbol)
        if term is None:
            jacobian[:, slices[symbol.name].start] = evaluated(derivative)
        else:
            jacobian[:, slices[term.vector]] += matrices[symbol] * evaluated(derivative)[:, None]
    return evaluated(expression), jacobian


def _of_function(model: FunctionModel, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    rows = len(next(iter(columns.values())))
    jacobian = np.empty((rows, theta.size))
    for place in range(theta.size):
        step = np.zeros(theta.size)
        step[place] = STEP * (abs(theta[place]) or 1.0)
        up, down = theta + step, theta - step
        change = model.scores(up, columns) - model.scores(down, columns)
        jacobian[:, place] = change / (up[place] - down[place])
    return model.scores(theta, columns), jacobian
