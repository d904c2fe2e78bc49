"""A model read off a function, and the function itself: two ways to compute the same, to be held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CodeType

import numpy as np
from numpy.typing import NDArray
from sympy import Add
from sympy.core.relational import Relational

from descend.formula.compile import compile_expression
from descend.formula.formula import Formula
from descend.formula.symbols import Column, Parameter
from descend.models.contract import Model
from descend.tracing.proof import Conditions, Evaluate, Pair

Array = NDArray[np.float64]


def over_all(value: object, columns: Mapping[str, Array]) -> Array:
    """Return one number for each row, given these or one for all."""
    rows = (len(next(iter(columns.values()))),)
    values_of_rows = np.asarray(value, dtype=np.float64)
    return values_of_rows if values_of_rows.shape == rows else np.broadcast_to(values_of_rows, rows)


def traced_pair(function: Evaluate, model: Model, formula: Formula | None, code: CodeType | None = None) -> Pair | None:
    """Return a function of the free parameters of a model, and the formula that was traced from it, if there is one.

    code: of the function that the user gave, by which it is known again.
    """
    if formula is None:
        return None
    computed, conditions = _evaluations(formula, tuple(model.parameters.shapes.items()))
    low, high = (None, None) if model.bounds is None else (model.bounds.low, model.bounds.high)
    return Pair(function, computed, conditions, low, high, None if code is None else (code, formula.text))


@lru_cache(maxsize=256)
def _evaluations(
    formula: Formula, shapes: tuple[tuple[str, tuple[str, ...] | None], ...]
) -> tuple[Evaluate, Conditions | None]:
    """Return what computes the expression of a formula, and the conditions in it that depend on parameters, if any."""
    single = {name: [Parameter(f"{name}[{label}]") for label in labels] for name, labels in shapes if labels}
    sums = {
        predictor: Add(*(symbol * item for symbol, item in zip(single[term.vector], term.items, strict=True)))
        for predictor, term in formula.terms.items()
    }
    names, expression = formula.inputs, formula.expression.xreplace(sums)
    parameters = [symbol for name, _ in shapes for symbol in single.get(name, [Parameter(name)])]
    symbols = (*map(Column, names), *parameters)
    evaluate = compile_expression(expression, symbols)
    doubtful = sorted((symbol for symbol in expression.atoms(Relational) if symbol.atoms(Parameter)), key=str)
    conditions = [compile_expression(symbol, symbols) for symbol in doubtful]

    def computed(theta: Array, columns: Mapping[str, Array]) -> Array:
        return over_all(evaluate(*[columns[name] for name in names], *theta.tolist()), columns)

    def which(theta: Array, columns: Mapping[str, Array]) -> Sequence[NDArray[np.bool_]]:
        arguments = (*[columns[name] for name in names], *theta.tolist())
        return [np.atleast_1d(condition(*arguments)) for condition in conditions]

    return computed, which if conditions else None
