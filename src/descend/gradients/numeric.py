"""The gradient of a model that can only be evaluated: its predictions are differentiated numerically."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.differences.derivatives import Derivatives
from descend.formula.factor import numpy_factor
from descend.gradients.contract import Chosen, Kernel, Sums
from descend.gradients.differencing import Differencing
from descend.models import Model
from descend.table.rows import Rows

Array = NDArray[np.float64]


class NumericKernel(Kernel):
    """Sums of any model over a block of rows, of its scores and their derivatives (`Model.scores_and_jacobian`).

    more_columns: what is read beside the columns of the model.
    """

    def __init__(self, model: Model, more_columns: Iterable[str] = ()) -> None:
        model.loss.refuse_own()
        self.model, self.loss, self.more_columns = model, model.loss, tuple(more_columns)
        self.names = tuple(dict.fromkeys((*model.inputs, *self.more_columns, *model.response_columns)))

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the columns, and the row weights if there are any."""
        return (*(rows.columns[name] for name in self.names), *([] if rows.omega is None else [rows.omega]))

    def gradient_sum(self, theta: Array, columns: Mapping[str, Array], omega: Array) -> Array | None:
        """Return the gradient summed over a block, if it is known without the derivatives of the predictions."""
        return None

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        """Return the score of each row."""
        return self.model.scores(theta, columns)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        """Return the score of each row, and its derivatives."""
        return self.model.scores_and_jacobian(theta, columns)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        return self.sums_over(theta, block, order, slice(None))

    def sums_over(self, theta: Array, block: tuple[Array, ...], order: int, rows_chosen: Chosen) -> Sums:
        """Return the sums over some rows of a block; the model is evaluated in all of them."""
        columns = dict(zip(self.names, block, strict=False))
        y = self.model.observed(columns)[rows_chosen]
        omega = block[-1][rows_chosen] if len(block) > len(self.names) else np.ones(len(y))
        gradient = None if order == 0 else self.gradient_sum(theta, columns, omega)
        if order == 0 or (order == 1 and gradient is not None):
            scores = self.scores(theta, columns)[rows_chosen]
            return float(np.add.reduce(omega * self.loss.value(scores, y))), gradient, None
        scores, jacobian = (each[rows_chosen] for each in self.scores_and_jacobian(theta, columns))
        loss = float(np.add.reduce(omega * self.loss.value(scores, y)))
        slope, weight = omega * self.loss.slope(scores, y), omega * self.loss.weight(scores, y)
        gradient = jacobian.T @ slope if gradient is None else gradient
        self.listen(jacobian, slope, weight, rows_chosen)
        if order == 1:
            return loss, gradient, None
        if order == 3:
            return loss, gradient, numpy_factor(weight, slope, jacobian.T)
        return loss, gradient, (jacobian.T * weight) @ jacobian

    def listen(self, jacobian: Array, slope: Array, weight: Array, rows_chosen: Chosen) -> None:
        """Take note of what was summed: derivatives, slopes and weights of rows."""


class DifferentiatedKernel(NumericKernel):
    """The same of a model that is called to find its derivatives (see ``differences``), by all rows at once.

    A function may look at a whole column, as in ``x / x.max()``, so that it is always given all rows.
    """

    undivided = True
    differencing: Differencing

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.differencing = Differencing()

    def _used(self, columns: Mapping[str, Array]) -> Derivatives:
        self.differencing.used = used = self.model.derivatives(columns)
        return used

    def scores(self, theta: Array, columns: Mapping[str, Array]) -> Array:
        with np.errstate(all="ignore"):
            return self._used(columns).values(theta)

    def scores_and_jacobian(self, theta: Array, columns: Mapping[str, Array]) -> tuple[Array, Array]:
        with np.errstate(all="ignore"):
            return self._used(columns).at(theta)

    def listen(self, jacobian: Array, slope: Array, weight: Array, rows_chosen: Chosen) -> None:
        """Keep the noise of the gradient sum, from the errors of scores and of their derivatives."""
        assert self.differencing.used is not None
        of_scores, of_derivatives = (error[rows_chosen] for error in self.differencing.used.last_errors)
        self.differencing.listen(jacobian * weight[:, None], slope, of_scores, of_derivatives)
