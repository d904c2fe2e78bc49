"""A formula whose linear predictor is linear in the columns of X: its coefficients, and prediction by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.solution import named
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter, Predictor, Quantity
from descend.models.contract import Model

Array = NDArray[np.float64]
SCORE = Quantity("score")


@dataclass(frozen=True)
class LinearPrediction:
    """The prediction ``outer(X @ coefficients + intercept)``, such as ``exp(w @ [x0, x1] + b)``."""

    coefficients: Array
    intercept: float
    outer: Callable[[Array], Array] | None

    def predict(self, matrix: Array) -> Array:
        """Return the prediction for each row of X, (n,)."""
        score = matrix @ self.coefficients
        score += self.intercept
        return score if self.outer is None else self.outer(score)


def linear_in_columns(model: Model, theta: Array, names: Sequence[str]) -> LinearPrediction | None:
    """Return how the prediction follows from a linear predictor of the columns of X, None if it does not."""
    symbolic = model.symbolic
    if symbolic is None or (expression := symbolic.linear_predictor) is None:
        return None
    terms = symbolic.formula.terms
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
    outer = symbolic.prediction.xreplace({expression: SCORE})
    if outer.atoms(Column, Predictor, Parameter):
        return None
    compiled = None if outer == SCORE else compile_expression(outer, (SCORE,))
    return LinearPrediction(coefficients, float(expression.subs(at_zero)), compiled)
