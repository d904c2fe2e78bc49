"""The coefficients of a formula that is linear in the columns of X."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.symbols import Column, Parameter, Predictor
from descend.models.contract import Model
from descend.descent.solution import named

Array = NDArray[np.float64]


def linear_in_columns(model: Model, theta: Array, names: Sequence[str]) -> tuple[Array, float] | None:
    """Return a coefficient for each column of X and the intercept of the linear predictor, None if there is none.

    The linear predictor is what the outermost function is of, ``w @ [x0, x1] + b`` in ``exp(w @ [x0, x1] + b)``.
    """
    if not model.symbolic or model.linear_predictor is None:
        return None
    symbolic = model.symbolic
    expression, terms = symbolic.linear_predictor, symbolic.formula.terms
    values = named(model, theta)
    numbers = {symbol: values[symbol.name] for symbol in expression.atoms(Parameter)}
    place = {name: position for position, name in enumerate(names)}
    coefficients = np.zeros(len(names))

    def add(slope: Expr, column: Expr) -> bool:
        if slope.atoms(Column, Predictor) or column.name not in place:
            return False
        coefficients[place[column.name]] += float(slope.subs(numbers))
        return True

    for column in expression.atoms(Column):
        if not add(expression.diff(column), column):
            return None
    for predictor in expression.atoms(Predictor):
        factor, term = expression.diff(predictor), terms[predictor]
        if term.levels is not None or factor.atoms(Column, Predictor):
            return None
        factor = float(factor.subs(numbers))
        for item, value in zip(term.items, values[term.vector], strict=True):
            if not isinstance(item, Column) or item.name not in place:
                return None
            coefficients[place[item.name]] += factor * value
    at_zero = dict.fromkeys(expression.atoms(Column, Predictor), sympy.Integer(0)) | numbers
    return coefficients, float(expression.subs(at_zero))
