"""The gradient of a function of jax.numpy, by JAX: the predictions are differentiated exactly, in double precision."""

from __future__ import annotations

from collections.abc import Mapping

from descend.gradients.contract import Array
from descend.gradients.numeric import NumericKernel

MANY = 64
"""Parameters above which one backward pass costs less than the derivative of each row by each parameter."""


class JaxKernel(NumericKernel):
    """Sums over rows whose derivatives JAX computes.

    With J the derivatives of the predictions, (n, p), by forward differentiation, and the slope l' of the loss, the
    gradient is J' l' and the curvature J' W J. With many parameters the gradient alone is one backward pass.
    A function may look at a whole column, as where it integrates from row to row, so that it is always given all rows.
    """

    undivided = True

    def gradient_sum(self, theta: Array, columns: Mapping[str, Array], omega: Array) -> Array | None:
        y = self.model.observed(columns)
        if theta.size <= MANY or len(omega) < len(y):
            return None
        slope = omega * self.loss.slope(self.model.scores(theta, columns), y)
        return self.model.pulled_back(theta, columns, slope)
