"""Sums of a squared loss whose errors depend on each other: residuals and derivatives are whitened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula.factor import triangle
from descend.gradients.contract import Chosen, Kernel, Summand, Sums
from descend.gradients.derived import as_program
from descend.gradients.numeric import DifferentiatedKernel, NumericKernel
from descend.models import Model
from descend.table.response_covariance import Whitening
from descend.table.rows import Rows

Array = NDArray[np.float64]


class CoupledKernel(Kernel):
    """Generalised least squares: J = r' C^-1 r / n, by one Cholesky factor C = L L' of the covariance of the response.

    With w = L^-1 r and W = L^-1 df/dtheta, the loss is w'w, the gradient 2 W'w, and the curvature 2 W'W. Beside row
    weights omega, C is a matrix of correlations, and r stands for sqrt(omega) r, as the derivatives do.

    Some of the rows are a choice of the whitened errors, which know nothing of each other.

    inner: the kernel that knows the scores of the rows and their derivatives.

    Source: Aitken (1936), Proc. R. Soc. Edinburgh 55, 42-48.
    """

    undivided = True

    def __init__(self, inner: NumericKernel) -> None:
        self.inner, self.names, self.more_columns = inner, inner.names, inner.more_columns
        self.differencing = inner.differencing

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the columns, the roots of the row weights, and the triangle of the covariance, (n, n)."""
        assert rows.whitening is not None
        root = np.ones(rows.count) if rows.omega is None else np.sqrt(rows.omega)
        return (*(rows.columns[name] for name in self.names), root, rows.whitening.root)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        """Return loss, gradient and curvature; of order 3 the factor instead."""
        return self.sums_over(theta, block, order, slice(None))

    def sums_over(self, theta: Array, block: tuple[Array, ...], order: int, rows_chosen: Chosen) -> Sums:
        """Return the sums over some of the whitened errors."""
        columns, root = dict(zip(self.names, block, strict=False)), block[-2]
        whitening, model = Whitening(block[-1]), self.inner.model
        y = model.observed(columns)
        if order == 0:
            errors = whitening.of(root * (self.inner.scores(theta, columns) - y))[rows_chosen]
            return float(errors @ errors), None, None
        scores, jacobian = self.inner.scores_and_jacobian(theta, columns)
        whitened = whitening.of(np.column_stack([jacobian, scores - y]) * root[:, None])
        along, errors = whitened[rows_chosen, :-1], whitened[rows_chosen, -1]
        loss, gradient = float(errors @ errors), 2.0 * (along.T @ errors)
        self._listen(whitening, whitened, root)
        if order == 1:
            return loss, gradient, None
        if order == 3:
            return loss, gradient, triangle(np.sqrt(2.0) * whitened[rows_chosen])
        return loss, gradient, 2.0 * (along.T @ along)

    def _listen(self, whitening: Whitening, whitened: Array, root: Array) -> None:
        """Keep the noise of the gradient, from the errors of scores and of their derivatives, where these are known."""
        if self.differencing is None or self.differencing.used is None:
            return
        pulls = 2.0 * root[:, None] * whitening.back(whitened)
        self.differencing.listen(pulls[:, :-1], pulls[:, -1], *self.differencing.used.last_errors)


def coupled(code: Summand, model: Model, gradient: str) -> CoupledKernel:
    """Return the sums of rows whose errors depend on each other. gradient: where derivatives come from.

    Raises ConfigError for a gradient that is not one of the predictions of single rows.
    """
    if gradient in ("derived", "numeric") and (as_program(code) is not None or isinstance(code, NumericKernel)):
        return CoupledKernel(DifferentiatedKernel(model) if model.differentiated else NumericKernel(model))
    from descend.gradients.jacobian_by_hand import JacobianKernel

    if isinstance(code, JacobianKernel):
        return CoupledKernel(code)
    raise ConfigError(
        "With a covariance of the rows the gradient is no mean over single rows, so that one "
        f"{gradient.replace('_', ' ')} does not go with it. Leave the gradient out, or give the Jacobian of the "
        "predictions as a function."
    )
