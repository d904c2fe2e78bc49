"""What each row has to say about the parameters: its score, and the derivatives of the score by the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.module.model import ModuleModel
from descend.descent.search import sampled
from descend.errors import ConfigError
from descend.formula.compile import compile_expression, items_matrix
from descend.formula.symbols import Column
from descend.gradients.derived import derived
from descend.models import FormulaModel, FunctionModel

if TYPE_CHECKING:
    from descend.fit.result import Fit

Array = NDArray[np.float64]
STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""Relative step of a central difference, where its two errors balance."""


@dataclass(frozen=True)
class Rows:
    """The rows of a fit, at its parameters. Rows of weight 0 are left out: they count for nothing.

    y, score, omega: (rows,) response, what the loss works on, and row weight (1 if there are none).
    jacobian: (rows, p) derivatives of the score. places: where they are among the rows that the fit keeps.
    """

    y: Array
    score: Array
    jacobian: Array
    omega: Array
    places: slice | NDArray[np.intp] = field(default_factory=lambda: slice(None))


def refuse_without_data(fit: Fit, what: str) -> None:
    """Refuse to recompute from rows that a loaded fit does not have."""
    if fit.kept is None:
        raise ConfigError(
            f"This fit was loaded from a file, without its data, so it has no {what}. Fit again to get them."
        )


def row_weights(fit: Fit) -> Array:
    """Return (rows,) the weight of each row that is kept, 1 if there are none."""
    assert fit.kept is not None
    if weighted(fit):
        known = fit.kept.columns.get(fit.sigma_or_weights or "")
        if known is None:
            known = fit.kept.objective.engine.weights  # type: ignore[attr-defined]
        return np.asarray(known, dtype=np.float64)
    return np.ones(fit.rows if fit.kept.whole is None else len(next(iter(fit.kept.columns.values()))))


def weighted(fit: Fit) -> bool:
    """Whether the rows of a fit that has its data have weights."""
    assert fit.kept is not None
    return fit.sigma_or_weights is not None or getattr(fit.kept.objective.engine, "weights", None) is not None


def counted_rows(
    fit: Fit, most: int | None = None, together: int = 1, instead: Mapping[str, Array] | None = None
) -> Rows:
    """Return the rows that count, at the parameters of a fit that has its data; a sample of ``most`` of more rows.

    together: how many neighbours are taken at a time, for what depends on the order of the rows. instead: other values
    of some columns.
    """
    refuse_without_data(fit, "residuals")
    assert fit.kept is not None and not isinstance(fit.model, ModuleModel)
    columns, omega = fit.kept.columns, row_weights(fit)
    places: slice | NDArray[np.intp] = slice(None)
    if instead:
        columns = {**columns, **instead}
    if most is not None and len(omega) > most:
        places = sampled(len(omega), most, together)
        omega, columns = omega[places], {name: column[places] for name, column in columns.items()}
    score, jacobian = score_and_jacobian(fit.model, fit.theta, columns)
    y = fit.model.observed(columns)
    counting = omega > 0.0
    if counting.all():
        return Rows(y, score, jacobian, omega, places)
    places = np.flatnonzero(counting) if isinstance(places, slice) else places[counting]
    return Rows(y[counting], score[counting], jacobian[counting], omega[counting], places)


def score_and_jacobian(
    model: FormulaModel | FunctionModel, theta: Array, columns: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Return the score of each row and its derivatives, (rows,) and (rows, p).

    The score is the prediction, before the link that a loss absorbs (log-odds for logistic). Formulas are
    differentiated symbolically, Python functions by central differences.
    """
    with np.errstate(all="ignore"):
        if isinstance(model, FormulaModel):
            return _of_formula(model, theta, columns)
        return _of_function(model, theta, columns)


def _of_formula(model: FormulaModel, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
    rows = len(next(iter(columns.values())))
    program, slices, terms = derived(model.formula, model.loss), model.parameters.slices, model.formula.terms
    values: dict[Expr, Any] = {Column(name): columns[name] for name in model.inputs}
    matrices = {symbol: items_matrix(term.items, columns, rows) for symbol, term in terms.items()}
    for symbol in model.formula.unknowns:
        term = terms.get(symbol)
        values[symbol] = (
            float(theta[slices[symbol.name].start]) if term is None else matrices[symbol] @ theta[slices[term.vector]]
        )

    def evaluated(expression: Expr) -> Array:
        value = compile_expression(expression, tuple(values))(*values.values())
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (rows,))

    jacobian = np.zeros((rows, model.parameters.size))
    for symbol, derivative in program.jacobian.items():
        term = terms.get(symbol)
        if term is None:
            jacobian[:, slices[symbol.name].start] = evaluated(derivative)
        else:
            jacobian[:, slices[term.vector]] += matrices[symbol] * evaluated(derivative)[:, None]
    return evaluated(program.score), jacobian


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
