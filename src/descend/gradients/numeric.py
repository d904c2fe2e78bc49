"""The gradient of a model that can only be evaluated: its predictions are differentiated by central differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.formula.factor import numpy_factor
from descend.gradients.contract import Sums
from descend.models import Model
from descend.table.rows import Rows

Array = NDArray[np.float64]


class NumericKernel:
    """Sums of any model over a block of rows, of its scores and their derivatives (`Model.scores_and_jacobian`).

    more_columns: what is read beside the columns of the model.
    """

    language = "numpy"
    finish = None

    def __init__(self, model: Model, more_columns: Iterable[str] = ()) -> None:
        model.loss.refuse_own()
        self.model, self.loss = model, model.loss
        self.names = tuple(dict.fromkeys((*model.inputs, *more_columns, *model.response_columns)))

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the columns, and the row weights if there are any."""
        return (*(rows.columns[name] for name in self.names), *([] if rows.omega is None else [rows.omega]))

    def gradient_sum(self, theta: Array, columns: Mapping[str, Array], omega: Array) -> Array | None:
        """Return the gradient summed over a block, if it is known without the derivatives of the predictions."""
        return None

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the score of each row, and its derivatives."""
        return self.model.scores_and_jacobian(theta, columns)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        columns = dict(zip(self.names, block, strict=False))
        y = self.model.observed(columns)
        omega = block[-1] if len(block) > len(self.names) else np.ones(len(y))
        gradient = None if order == 0 else self.gradient_sum(theta, columns, omega)
        if order == 0 or (order == 1 and gradient is not None):
            loss = float(np.add.reduce(omega * self.loss.value(self.model.scores(theta, columns), y)))
            return loss, gradient, None
        scores, jacobian = self.scores_and_jacobian(theta, columns)
        loss = float(np.add.reduce(omega * self.loss.value(scores, y)))
        slope = omega * self.loss.slope(scores, y)
        gradient = jacobian.T @ slope if gradient is None else gradient
        if order == 1:
            return loss, gradient, None
        weight = omega * self.loss.weight(scores, y)
        if order == 3:
            return loss, gradient, numpy_factor(weight, slope, jacobian.T)
        return loss, gradient, (jacobian.T * weight) @ jacobian
