"""A formula whose linear predictor is linear in the columns of X: its coefficients, and prediction by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.solution import named
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter, Predictor, Quantity
from descend.many import Fits
from descend.models.contract import Model
from descend.results import Fit

Array = NDArray[np.float64]
SCORE = Quantity("score")


class LinearPart:
    """What is linear in a fit, found when it is first asked for."""

    def __init__(self, fit: Fit | Fits, names: Sequence[str]) -> None:
        self._fit, self._names = fit, names

    @cached_property
    def prediction(self) -> LinearPrediction | None:
        """How the prediction follows from a linear predictor of the columns of X, None if it does not."""
        return None if isinstance(self._fit, Fits) else linear_in_columns(self._fit.model, self._fit.theta, self._names)

    @cached_property
    def scores(self) -> tuple[Array, Array] | None:
        """(K, k) coefficients and (K,) intercepts of the scores of K classes, 0 for the first; None if it has none."""
        if isinstance(self._fit, Fits):
            return None
        every = self._fit.model.of_each_class(self._fit.theta)
        lines = [linear_in_columns(model, theta, self._names) for model, theta in every]
        found = [line for line in lines if line is not None and line.outer is None]
        if len(found) < max(len(lines), 1):
            return None
        coefficients = np.array([np.zeros(len(self._names)), *(line.coefficients for line in found)])
        return coefficients, np.array([0.0, *(line.intercept for line in found)])


@dataclass(frozen=True)
class LinearPrediction:
    """The prediction ``outer(X @ coefficients + intercept)``, such as ``exp(w @ [x0, x1] + b)``.

    in_log_odds: whether the linear predictor is the log-odds of a prediction that is a probability.
    """

    coefficients: Array
    intercept: float
    outer: Callable[[Array], Array] | None
    in_log_odds: bool

    def score(self, matrix: Array) -> Array:
        """Return the linear predictor for each row of X, (n,)."""
        score = matrix @ self.coefficients
        score += self.intercept
        return np.asarray(score)

    def predict(self, matrix: Array) -> Array:
        """Return the prediction for each row of X, (n,)."""
        score = self.score(matrix)
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
    in_log_odds = symbolic.loss.link is not None and symbolic.loss.score(symbolic.prediction) == expression
    return LinearPrediction(coefficients, float(expression.subs(at_zero)), compiled, in_log_odds)
