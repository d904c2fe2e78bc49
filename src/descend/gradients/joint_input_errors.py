"""Errors in the inputs of several responses: what is true of a row's inputs is true for all its responses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.formula.compile import Compiled
from descend.formula.derivative import slopes
from descend.formula.equations import ROW
from descend.formula.factor import triangle
from descend.formula.symbols import Column, component_symbols, expanded
from descend.gradients.contract import Sums
from descend.gradients.errors_of_inputs import spreads
from descend.gradients.orthogonal import OrthogonalKernel, cost_of
from descend.models.contract import SymbolicModel
from descend.models.inexact import Sigma
from descend.table.rows import Rows

Array = NDArray[np.float64]


class JointBlock(NamedTuple):
    """Some rows: their inputs, the variances of those with errors, (k, n); responses and row weights, (q, n)."""

    inputs: tuple[Array, ...]
    variances: Array
    y: Array
    omega: Array

    def take(self, rows_chosen: NDArray[np.intp]) -> JointBlock:
        inputs = tuple(column[rows_chosen] for column in self.inputs)
        return JointBlock(inputs, self.variances[:, rows_chosen], self.y[:, rows_chosen], self.omega[:, rows_chosen])


class Settled(NamedTuple):
    """The true inputs x + delta of some rows, at which their costs are least.

    delta: (k, n). cost: (n,). pull: (q, n), half the derivative of the cost of a row by each f. weight: (n, q, q), half
    the second derivatives of the eliminated cost: (W^-1 + F S F')^-1, F the derivatives by the inputs, S the variances.
    """

    delta: Array
    cost: Array
    pull: Array
    weight: Array


class JointKernel(OrthogonalKernel):
    """Sums of the cost of rows with several responses, whose inputs have errors, too.

        J = sum over rows of min over delta of  sum over q of omega_q (f_q(x + delta) - y_q)**2
                                                + sum over k of (delta_k / sigma_k)**2

    A table has each row once for every response (`formula.equations.stacked`); here they stand side by side, and
    have one delta. A response that is missing has the weight 0.

    Source: Boggs, Byrd & Schnabel (1987), SIAM J. Sci. Stat. Comput. 8, 1052-1078.
    """

    undivided = True

    def __init__(self, model: SymbolicModel, sigmas: Mapping[str, Sigma]) -> None:
        super().__init__(model, sigmas)
        self.parts, self.more_columns = model.formula.parts, (*self.more_columns, ROW)
        self._grouped: tuple[Array, JointBlock] | None = None

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.model, self.sigmas)

    def counted(self, rows: Rows) -> int:
        """Return how many rows of the table there are; each counts once, as in ODRPACK."""
        return len(np.unique(rows.counting().columns[ROW]))

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return inputs, variances of those with errors, response, row weights, which response and which row."""
        omega = np.ones(rows.count) if rows.omega is None else rows.omega
        inputs = (rows.columns[name] for name in self.model.inputs)
        equation_of_row = rows.columns[self.model.formula.levels[-1].name]
        return (*inputs, *spreads(self.sigmas, rows), rows.y, omega, equation_of_row, rows.columns[ROW])

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        rows = self._block_of(block)
        with np.errstate(all="ignore"):
            settled_rows = self._settled(theta, rows, self._last(block))
            self._remember(block, settled_rows.delta)
            loss = float(settled_rows.cost.sum())
            if order == 0:
                return loss, None, None
            count = len(rows.y)
            jacobian = self._evaluated(self._by_theta, theta, rows, settled_rows.delta).reshape(count, theta.size, -1)
            gradient = 2.0 * np.einsum("qpn,qn->p", jacobian, settled_rows.pull)
            if order == 1:
                return loss, gradient, None
            root = np.swapaxes(_cholesky(2.0 * settled_rows.weight), 1, 2)  # L' with L L' the weight
            weighted = np.einsum("nab,bpn->nap", root, jacobian).reshape(-1, theta.size)
            if order == 2:
                return loss, gradient, weighted.T @ weighted
            right = np.einsum("nab,bn->na", np.linalg.pinv(np.swapaxes(root, 1, 2)), 2.0 * settled_rows.pull)
            return loss, gradient, triangle(np.column_stack([weighted, right.ravel()]))

    def deltas(self, theta: Array, rows: Rows) -> dict[str, Array]:
        """Return how far the true value of each input lies from the measured one, for each row of the table."""
        with np.errstate(all="ignore"):
            settled_rows = self._settled(theta, self._block_of(self.prepare(rows)))
        return dict(zip(self.sigmas, settled_rows.delta, strict=True))

    def _settled(self, theta: Array, rows: JointBlock, near: Array | None = None) -> Settled:
        return self._at_once(theta, rows, self._search(theta, rows, near))

    def _step(self, theta: Array, rows: JointBlock, delta: Array) -> tuple[Array, Array]:
        """Return the cost of each row, and Newton's step to where it is least.

        (1 + S sum of omega (fx fx' + r fxx)) step = -(S sum of omega r fx + delta), without fxx where it leads uphill.
        """
        residual, first, second = self._derivatives(theta, rows, delta)
        pull = rows.omega * residual
        cost = cost_of((pull * residual).sum(axis=0), delta, rows.variances)
        right = -(rows.variances * np.einsum("qn,qkn->kn", pull, first) + delta)
        straight = np.einsum("kn,qn,qkn,qln->nkl", rows.variances, rows.omega, first, first)
        straight += np.eye(len(delta))
        bent = straight + np.einsum("kn,qn,qkln->nkl", rows.variances, pull, second)
        matrix = np.where((np.linalg.det(bent) > 0.0)[:, None, None], bent, straight)
        step: Array = np.linalg.solve(matrix, right.T[:, :, None])[:, :, 0].T
        return cost, step

    def _at_once(self, theta: Array, rows: JointBlock, delta: Array) -> Settled:
        """Return what the costs are at x + delta, and how they change with the curves."""
        residual, first, _ = self._derivatives(theta, rows, delta)
        pull = rows.omega * residual
        cost = cost_of((pull * residual).sum(axis=0), delta, rows.variances)
        root = np.sqrt(rows.omega)
        scaled = np.einsum("qn,qkn,kn->nqk", root, first, np.sqrt(rows.variances))
        inner = np.linalg.inv(np.eye(len(residual)) + scaled @ np.swapaxes(scaled, 1, 2))
        return Settled(delta, cost, pull, inner * root.T[:, :, None] * root.T[:, None, :])

    def _derivatives(self, theta: Array, rows: JointBlock, delta: Array) -> tuple[Array, Array, Array]:
        """Return the residuals, (q, n), and derivatives of each f by the inputs: (q, k, n) and (q, k, k, n)."""
        count, inputs = rows.y.shape[0], len(delta)
        values = self._evaluated(self._with_inputs, theta, rows, delta).reshape(count, 1 + inputs + inputs**2, -1)
        second = values[:, 1 + inputs :].reshape(count, inputs, inputs, -1)
        return values[:, 0] - rows.y, values[:, 1 : 1 + inputs], second

    def _block_of(self, block: tuple[Array, ...]) -> JointBlock:
        """Return the rows with their responses side by side; the last block is remembered."""
        if self._grouped is None or self._grouped[0] is not block[-1]:
            self._grouped = block[-1], self._side_by_side(block)
        return self._grouped[1]

    def _side_by_side(self, block: tuple[Array, ...]) -> JointBlock:
        *columns, values, weights, response, number = block
        _, first, row_place = np.unique(number, return_index=True, return_inverse=True)
        y, omega = np.zeros((2, len(self.parts), len(first)))
        codes = response.astype(np.intp)
        y[codes, row_place], omega[codes, row_place] = values, weights
        ours = [column[first] for column in columns]
        inputs = len(self.model.inputs)
        return JointBlock(tuple(ours[:inputs]), np.array(ours[inputs:]), y, omega)

    @cached_property
    def _each(self) -> tuple[object, ...]:
        model, parameters = self.model, self.model.parameters
        symbols = component_symbols(parameters.labels, parameters.shapes)
        terms = model.formula.terms
        return tuple(expanded(response.expression, terms, symbols, parameters.slices) for response in self.parts)

    @cached_property
    def _with_inputs(self) -> Compiled:
        """Each f, its derivatives by the inputs with errors, and the second ones, row by row of their matrix."""
        columns = [Column(name) for name in self.sigmas]
        derivatives = []
        for expression in self._each:
            first = slopes(expression, columns).with_limits
            derivatives += [expression, *(first[column] for column in columns)]
            derivatives += [slopes(first[one], columns).with_limits[second] for one in columns for second in columns]
        return self._compiled(derivatives)

    @cached_property
    def _by_theta(self) -> Compiled:
        symbols = self._expanded[1]
        each = (slopes(expression, symbols).with_limits for expression in self._each)
        return self._compiled(derivative[symbol] for derivative in each for symbol in symbols)


def _cholesky(weight: Array) -> Array:
    """Return L with L L' = weight, (n, q, q), which may be 0 in the rows and columns of a response that is missing."""
    size = weight.shape[1]
    positive_weight = np.diagonal(weight, axis1=1, axis2=2) > 0.0
    raised = weight + np.eye(size) * np.where(positive_weight, 0.0, 1.0)[:, None, :]
    factor = np.linalg.cholesky(raised)
    return np.where(positive_weight[:, :, None] & positive_weight[:, None, :], factor, 0.0)
