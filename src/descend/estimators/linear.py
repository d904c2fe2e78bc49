"""A formula whose linear predictor is linear in the columns of X: its coefficients, and prediction by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.parametrisation import linear_inside
from descend.formula.symbols import Column, Parameter, Predictor, Quantity
from descend.many import Fits
from descend.models.contract import Model
from descend.results import Fit

Array = NDArray[np.float64]
SCORE = Quantity("score")


class LinearPart:
    """What is linear in a fit, found when it is first asked for.

    names: the columns of X. known: further columns, with the values for which it predicts. exposure: the option.
    """

    def __init__(self, fit: Fit | Fits, names: Sequence[str], columns: Mapping[str, float], exposure: object) -> None:
        self._fit, self._names, self._known, self._exposure = fit, names, columns, exposure

    @cached_property
    def prediction(self) -> LinearPrediction | None:
        """How the prediction follows from a linear predictor of the columns of X, None if it does not."""
        return self._at(self._known)

    @cached_property
    def line(self) -> LinearPrediction | None:
        """The same at an exposure of 1, where a column of X is the exposure: coefficients, not predictions."""
        return self._at({**self._known, str(self._exposure): 1.0}) if self._exposure in self._names else self.prediction

    def _at(self, columns_known: Mapping[str, float]) -> LinearPrediction | None:
        if isinstance(self._fit, Fits):
            return None
        return linear_in_columns(self._fit.model, self._fit.theta, self._names, columns_known)

    @cached_property
    def scores(self) -> tuple[Array, Array] | None:
        """(K, k) coefficients and (K,) intercepts of the scores of K classes, 0 for the first; None if it has none."""
        if isinstance(self._fit, Fits):
            return None
        every = self._fit.model.of_each_class(self._fit.theta)
        lines = [linear_in_columns(model, theta, self._names, self._known) for model, theta in every]
        lines_found = [line for line in lines if line is not None and line.outer is None]
        if len(lines_found) < max(len(lines), 1):
            return None
        coefficients = np.array([np.zeros(len(self._names)), *(line.coefficients for line in lines_found)])
        return coefficients, np.array([0.0, *(line.intercept for line in lines_found)])


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


def linear_in_columns(
    model: Model, theta: Array, names: Sequence[str], columns_known: Mapping[str, float]
) -> LinearPrediction | None:
    """Return how the prediction follows from a linear predictor of the columns of X, None if it does not.

    names: the columns of X. known: columns that have these values.
    """
    symbolic = model.symbolic
    if symbolic is None:
        return None
    fixed = {Column(name): sympy.Number(value) for name, value in columns_known.items()}
    formula, loss = symbolic.formula, symbolic.loss
    expression = symbolic.linear_predictor
    if fixed:
        expression = linear_inside(loss.score(formula.expression.subs(fixed)), formula.unknowns)
    if expression is None or any(node.atoms(Column) for node in expression.atoms(sympy.Function)):
        return None  # a step, such as floor(x), has no slope and yet is no line
    prediction = symbolic.prediction.subs(fixed)
    terms = formula.terms
    values = model.complete(theta)
    numbers = {symbol: values[symbol.name] for symbol in expression.atoms(Parameter)}
    column_number = {name: position for position, name in enumerate(names)}
    coefficients = np.zeros(len(names))

    def add(slope: Expr, column: Expr) -> bool:
        if slope.atoms(Column, Predictor) or column.name not in column_number:
            return False
        coefficients[column_number[column.name]] += float(slope.subs(numbers))
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
            if not isinstance(item, Column) or item.name not in column_number:
                return None
            coefficients[column_number[item.name]] += factor * value
    at_zero = dict.fromkeys(expression.atoms(Column, Predictor), sympy.Integer(0)) | numbers
    outer = prediction.xreplace({expression: SCORE})
    if outer.atoms(Column, Predictor, Parameter):
        return None
    compiled = None if outer == SCORE else compile_expression(outer, (SCORE,))
    in_log_odds = loss.link is not None and loss.score(prediction) == expression
    return LinearPrediction(coefficients, float(expression.subs(at_zero)), compiled, in_log_odds)
