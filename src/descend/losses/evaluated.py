"""The formulas of a loss, evaluated row by row."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.losses.formulas import MOVED, PREDICTION, RESIDUAL, RESPONSE, Array, Formulas, derivative


@dataclasses.dataclass(frozen=True)
class Evaluated(Formulas):
    """What a loss and its derivatives are in rows of predictions and responses.

    curvature_left: the least share of its second derivative that is left when the score has ``moved`` by so much; empty
        where no bound is known. Where the loss is convex in the logarithm of the prediction only, that is the score.
    """

    curvature_left_text: ClassVar[str] = ""

    def value(self, prediction: Array, y: Array) -> Array:
        """Return the loss of each row."""
        return self._evaluate(self.expressions[0], prediction, y)

    def slope(self, prediction: Array, y: Array) -> Array:
        """Return the derivative of the loss of each row by its prediction."""
        return self._evaluate(self.expressions[1], prediction, y)

    def weight(self, prediction: Array, y: Array) -> Array:
        """Return the second derivative of the loss of each row by its prediction."""
        return self._evaluate(self.expressions[2], prediction, y)

    def bend(self, prediction: Array, y: Array) -> Array:
        """Return the true second derivative of each row; ``weight`` may be a stand-in for it.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).bend(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
        array([1., 0.])
        """
        return self._evaluate(derivative(self.expressions[1], PREDICTION), prediction, y)

    def _evaluate(self, expression: Expr, prediction: Array, y: Array) -> Array:
        return self.of_rows(expression, {PREDICTION: prediction, RESPONSE: y, RESIDUAL: prediction - y})

    def has_value(self, prediction: Array, y: Array) -> NDArray[np.bool_]:
        """Mark the rows for whose prediction, on the scale of the response, the loss is finite."""
        finite = np.isfinite(prediction)
        if not self.plain:
            return finite & ~self.prediction_domain.outside(prediction)
        if self.prediction_domain.limited:
            with np.errstate(all="ignore"):
                finite &= np.isfinite(self.value(prediction, y))
        return finite

    @cached_property
    def sides(self) -> tuple[float, float]:
        """How steeply a kinked loss falls towards a residual of 0 from below, and rises from it above.

        >>> from descend.losses import Pinball
        >>> Pinball(quantile=0.75).sides
        (0.75, 0.25)
        """
        below, above = self.slope(np.array([-1.0, 1.0]), np.zeros(2)).tolist()
        return -below, above

    def curvature_left(self, residual: Array, distance: Array) -> Array | None:
        """Return the least share of each row's second derivative that is left, None where no bound is known.

        >>> from descend.losses import Huber
        >>> Huber(delta=1.0).curvature_left(np.array([0.25, 0.75]), distance=np.array([0.5, 0.5]))
        array([1., 0.])
        """
        quantities = {RESIDUAL: residual, MOVED: distance}
        return self.of_rows(self.curvature_left_text, quantities) if self.curvature_left_text else None
