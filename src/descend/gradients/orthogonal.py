"""Errors in the inputs: orthogonal distance regression, with the true inputs of each row eliminated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from sympy import Add, Expr, sqrt

from descend.formula.compile import Compiled, compile_together
from descend.formula.derivative import slopes
from descend.formula.factor import triangle
from descend.formula.formula import Formula
from descend.formula.printers.code import as_text
from descend.formula.symbols import Column, component_symbols, expanded, number
from descend.gradients.contract import Kernel, Sums
from descend.gradients.errors_of_inputs import shared_errors, spreads
from descend.models.contract import SymbolicModel
from descend.models.inexact import Sigma
from descend.table.rows import Rows

Array = NDArray[np.float64]
ITERATIONS = 60
"""Steps to the true inputs of a row, at most."""
FINE, EXACT = 1e-5, 1e-13
"""A Newton step, and a Gauss-Newton step, that is shorter than this share of the standard deviation is the last one."""
FEWER = 0.7
"""Rows that have arrived are left out once fewer than this share of them go on."""
RISE = 1e-12
"""A relative rise of a cost that is no more than rounding."""


class Settled(NamedTuple):
    """The true inputs x + delta of some rows, at which their costs are least.

    delta: (k, n). cost: (n,). pull: (n,), half the derivative of the cost of a row by f. weight: (n,), half the second
    derivative of the eliminated cost by f: 1 / (1/omega + sum (df/dx sigma)**2). Or what another loss makes of these.
    """

    delta: Array
    cost: Array
    pull: Array
    weight: Array


class Block(NamedTuple):
    """Some rows: their inputs, the variances of those with errors, (k, n), the response and the row weights, (n,).

    shared: (k, n), what an error of an input brings with it in the response; None where errors are not correlated.
    """

    inputs: tuple[Array, ...]
    variances: Array
    y: Array
    omega: Array
    shared: Array | None = None

    def take(self, rows_chosen: NDArray[np.intp]) -> Block:
        inputs = tuple(column[rows_chosen] for column in self.inputs)
        shared = None if self.shared is None else self.shared[:, rows_chosen]
        return Block(inputs, self.variances[:, rows_chosen], self.y[rows_chosen], self.omega[rows_chosen], shared)


class OrthogonalKernel(Kernel):
    """Sums of the cost of rows whose inputs have errors too, with the true inputs eliminated row by row.

        J = sum over rows of min over delta of  omega (f(x + delta) - y)**2 + sum over k of (delta_k / sigma_k)**2

    Under a robust loss J is the sum of what that makes of the roots of these least costs; the same delta are best.

    Newton's method finds delta for all rows at once, from where it was found last. At the least cost, with fx the
    derivatives of f by the inputs there,

        pull = omega (f - y),   delta_k = -sigma_k**2 fx_k pull,   dJ/dtheta = 2 pull df/dtheta,

    and the curvature is that of Gauss and Newton for theta and all delta together, delta eliminated by its Schur
    complement: 2 df/dtheta df/dtheta' / (1/omega + sum over k of (sigma_k fx_k)**2). An input with sigma 0 is exact.

    correlated: correlations of the errors of an input and of the response (see ``shared_errors``).
    implicit: whether f(x + delta) = 0 has to hold exactly, with no response: 1/omega is then 0.

    Source: Boggs, Byrd & Schnabel (1987), SIAM J. Sci. Stat. Comput. 8, 1052-1078; York (1966), Can. J. Phys. 44, 1079.
    """

    def __init__(
        self,
        model: SymbolicModel,
        sigmas: Mapping[str, Sigma],
        implicit: bool = False,
        correlated: Mapping[str, Sigma] = MappingProxyType({}),
    ) -> None:
        self.model, self.sigmas, self.implicit, self.correlated = model, dict(sigmas), implicit, dict(correlated)
        both = (*sigmas.values(), *correlated.values())
        self.more_columns = tuple(dict.fromkeys(name for name in both if isinstance(name, str)))
        self._near: dict[int, tuple[ref[Array], Array]] = {}
        """delta where each block was settled last, which is where the next search begins; and the block's weights."""

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.model, self.sigmas, self.implicit, self.correlated)

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the inputs, the variances of those with errors, the response and the row weights, (n,) each."""
        omega, spread = np.ones(rows.count) if rows.omega is None else rows.omega, spreads(self.sigmas, rows)
        shared: list[Array] = []
        if self.correlated:
            shared, omega = shared_errors(self.correlated, self.sigmas, spread, omega, rows)
        return (*(rows.columns[name] for name in self.model.inputs), *spread, *shared, rows.y, omega)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        """Return loss, gradient and curvature summed over a block; of order 3 the factor instead."""
        rows = self._block(block)
        with np.errstate(all="ignore"):
            settled_rows = self.settled(theta, rows, self._last(block))
            self._remember(block, settled_rows.delta)
            settled_rows = self._judged(settled_rows)
            loss = float(settled_rows.cost.sum())
            if order == 0:
                return loss, None, None
            jacobian = self._evaluated(self._by_theta, theta, rows, settled_rows.delta)
            gradient = 2.0 * (jacobian @ settled_rows.pull)
            if order == 1:
                return loss, gradient, None
            root = np.sqrt(2.0 * settled_rows.weight)
            weighted = jacobian * root
            if order == 2:
                return loss, gradient, weighted @ weighted.T
            right = np.where(root > 0.0, 2.0 * settled_rows.pull / np.where(root > 0.0, root, 1.0), 0.0)
            return loss, gradient, triangle(np.vstack([weighted, right]).T)

    def _judged(self, rows: Settled) -> Settled:
        """Return what the loss makes of the costs of rows: of the distance e, their root, it is the cost l(e).

        With w = l'(e) / 2e, half the weight of least squares, pull and weight are w times theirs; l''(e)/2 stands in
        for w in the curvature where the loss has its own weight.
        """
        loss = self.model.loss
        if loss.quadratic:
            return rows
        distance, nothing = np.sqrt(rows.cost), np.zeros_like(rows.cost)
        weight = 0.5 * loss.weight(distance, nothing)
        share = np.where(
            distance > 0.0, 0.5 * loss.slope(distance, nothing) / np.where(distance > 0.0, distance, 1.0), weight
        )
        return Settled(rows.delta, loss.value(distance, nothing), share * rows.pull, weight * rows.weight)

    def scored(self, theta: Array, rows: Rows) -> tuple[Array, Array]:
        """Return the signed distance of each row from the curve, (n,), and its derivatives by theta, (n, p).

        It is +-sqrt(cost), with derivatives at the true inputs, (1/omega + sum (df/dx sigma)**2)**-1/2 df/dtheta.
        """
        with np.errstate(all="ignore"):
            block = self._block(self.prepare(rows))
            settled = self.settled(theta, block)
            jacobian = self._evaluated(self._by_theta, theta, block, settled.delta)
            return np.copysign(np.sqrt(settled.cost), settled.pull), (jacobian * np.sqrt(settled.weight)).T

    def _last(self, block: tuple[Array, ...]) -> Array | None:
        """Return delta where a block was settled last; None for a new one, even at the address of one that is gone."""
        deltas_before = self._near.get(id(block[-1]))
        if deltas_before is not None and deltas_before[0]() is block[-1]:
            return deltas_before[1]
        self._near = {key: block_kept for key, block_kept in self._near.items() if block_kept[0]() is not None}
        return None

    def _remember(self, block: tuple[Array, ...], delta: Array) -> None:
        self._near[id(block[-1])] = ref(block[-1]), np.where(np.isfinite(delta), delta, 0.0)

    def deltas(self, theta: Array, rows: Rows) -> dict[str, Array]:
        """Return how far the true value of each input lies from the measured one, (n,)."""
        with np.errstate(all="ignore"):
            settled_rows = self.settled(theta, self._block(self.prepare(rows)))
        return dict(zip(self.sigmas, settled_rows.delta, strict=True))

    def settled(self, theta: Array, rows: Block, near: Array | None = None) -> Settled:
        """Find the true inputs of all rows, and what their costs are there."""
        return self._at(theta, rows, self._search(theta, rows, near))

    def _search(self, theta: Array, rows: Any, near: Array | None) -> Array:
        """Find the true inputs of all rows. near: (k, n), where to begin; the measured ones if it does not fit.

        Rows that have arrived are left out; a step that raised the cost of its row is halved.
        """
        count = rows.variances.shape[1]
        delta = np.zeros_like(rows.variances) if near is None or near.shape != rows.variances.shape else near.copy()
        fine = EXACT if self.implicit else FINE
        left: NDArray[np.intp] | None = None  # all of them
        part, limit, step, before = rows, fine * np.sqrt(rows.variances), np.zeros_like(delta), np.full(count, np.nan)
        for _ in range(ITERATIONS):
            delta_here = delta if left is None else delta[:, left]
            cost, move = self._step(theta, part, delta_here)
            risen = (cost > before * (1.0 + RISE)) | (np.isnan(cost) & np.isfinite(before))
            if risen.any():
                back = 0.5 * step
                cost, step = np.where(risen, before, cost), np.where(risen, back, move)
                move = np.where(risen, -back, move)
                on = (np.abs(step) > np.where(risen, 0.0, limit)).any(axis=0)
            else:
                step = move
                on = (np.abs(step) > limit).any(axis=0)
            if left is None:
                delta += move
            else:
                delta[:, left] = delta_here + move
            going = np.count_nonzero(on)
            if not going:
                break
            before = cost
            if going < FEWER * cost.size:
                rows_on = np.flatnonzero(on)
                left = rows_on if left is None else left[rows_on]
                part, limit, before, step = part.take(rows_on), limit[:, rows_on], cost[rows_on], step[:, rows_on]
        return delta

    def _step(self, theta: Array, rows: Any, delta: Array) -> tuple[Array, Array]:
        """Return the cost of each row, and the step to where it is least.

        Newton's, (1 + S omega (fx fx' + r fxx)) step = -(S omega r fx + delta) with S the variances; Gauss and Newton's
        where that matrix is not positive, or the curve has to be met exactly.
        """
        count = len(delta)
        values = self._evaluated(self._with_inputs, theta, rows, delta)
        residual, slopes_there = _with_shared(values[0] - rows.y, values[1 : 1 + count], rows, delta)
        if self.implicit:
            pull = (residual - (slopes_there * delta).sum(axis=0)) / (rows.variances * slopes_there**2).sum(axis=0)
            return residual * residual, -rows.variances * slopes_there * pull - delta
        cost = cost_of(rows.omega * residual * residual, delta, rows.variances)
        weighted = rows.variances * rows.omega
        right = -(weighted * residual * slopes_there + delta)
        bends = values[1 + count :]
        if count == 1:
            straight = 1.0 + weighted * slopes_there * slopes_there
            matrix = straight + weighted * residual * bends
            return cost, right / np.where(matrix > 0.0, matrix, straight)
        matrix = weighted[:, None] * slopes_there[:, None] * slopes_there[None]
        index_pairs = np.triu_indices(count)
        for pair_number, (i, j) in enumerate(zip(*index_pairs, strict=True)):
            matrix[i, j] += weighted[i] * residual * bends[pair_number]
            if i != j:
                matrix[j, i] += weighted[j] * residual * bends[pair_number]
        matrix[range(count), range(count)] += 1.0
        stacked = np.moveaxis(matrix, 2, 0)
        flat = ~(np.linalg.det(stacked) > 0.0)
        if flat.any():
            straight = weighted[:, None] * slopes_there[:, None] * slopes_there[None]
            straight[range(count), range(count)] += 1.0
            stacked = np.where(flat[:, None, None], np.moveaxis(straight, 2, 0), stacked)
        step: Array = np.linalg.solve(stacked, right.T[:, :, None])[:, :, 0].T
        return cost, step

    def _at(self, theta: Array, rows: Block, delta: Array) -> Settled:
        """Return what the costs are at x + delta, and how they change with the curve."""
        values = self._evaluated(self._with_inputs, theta, rows, delta)
        residual, slopes_there = _with_shared(values[0] - rows.y, values[1 : 1 + len(delta)], rows, delta)
        spread = (rows.variances * slopes_there * slopes_there).sum(axis=0)
        if self.implicit:
            pull = (residual - (slopes_there * delta).sum(axis=0)) / spread
            return Settled(delta, cost_of(np.zeros_like(pull), delta, rows.variances), pull, 1.0 / spread)
        cost = cost_of(rows.omega * residual * residual, delta, rows.variances)
        return Settled(delta, cost, rows.omega * residual, rows.omega / (1.0 + rows.omega * spread))

    def _block(self, block: tuple[Array, ...]) -> Block:
        count, both = len(self.model.inputs), len(self.model.inputs) + len(self.sigmas)
        shared = np.array(block[both:-2]) if self.correlated else None
        return Block(tuple(block[:count]), np.array(block[count:both]), block[-2], block[-1], shared)

    def _evaluated(self, function: Compiled, theta: Array, rows: Any, delta: Array) -> Array:
        """Return several expressions at x + delta, (m, n)."""
        moved_inputs = dict(zip(self.sigmas, delta, strict=True))
        inputs = [
            column + moved_inputs[name] if name in moved_inputs else column
            for name, column in zip(self.model.inputs, rows.inputs, strict=True)
        ]
        row_values = function(*theta, *inputs)
        values = np.empty((len(row_values), rows.variances.shape[1]))
        for value_number, value in enumerate(row_values):
            values[value_number] = value
        return values

    @cached_property
    def _expanded(self) -> tuple[Expr, tuple[Expr, ...]]:
        model, parameters = self.model, self.model.parameters
        symbols = component_symbols(parameters.labels, parameters.shapes)
        return expanded(model.formula.expression, model.formula.terms, symbols, parameters.slices), symbols

    def _compiled(self, expressions: Iterable[Expr]) -> Compiled:
        columns = (Column(name) for name in self.model.inputs)
        return compile_together(tuple(expressions), (*self._expanded[1], *columns))

    @cached_property
    def _with_inputs(self) -> Compiled:
        """f, its derivatives by the inputs with errors, and the upper triangle of the second ones."""
        columns = [Column(name) for name in self.sigmas]
        first = slopes(self._expanded[0], columns).with_limits
        second = [
            slopes(first[first_column], columns[column_number:]).with_limits[second_column]
            for column_number, first_column in enumerate(columns)
            for second_column in columns[column_number:]
        ]
        return self._compiled([self._expanded[0], *(first[column] for column in columns), *second])

    @cached_property
    def _by_theta(self) -> Compiled:
        expression, symbols = self._expanded
        slope_functions = slopes(expression, symbols).with_limits
        return self._compiled(slope_functions[symbol] for symbol in symbols)


def first_order(formula: Formula, sigmas: Mapping[str, Sigma]) -> str:
    """Return the distance of each row from an implicit curve, to first order, as a formula for least squares.

    f / sqrt(sum over k of (sigma_k df/dx_k)**2): a good start, while f itself is least where all vanishes at infinity.

    Source: Sampson (1982), Comput. Graph. Image Process. 18, 97-108.
    """
    columns = [Column(name) for name in sigmas]
    input_slopes = slopes(formula.expression, columns).with_limits
    spread = [Column(sigma) if isinstance(sigma, str) else number(sigma) for sigma in sigmas.values()]
    squares = Add(*((size * input_slopes[column]) ** 2 for size, column in zip(spread, columns, strict=True)))
    return f"0 ~ {as_text(formula.expression / sqrt(squares))}"


def _with_shared(residual: Array, slopes_there: Array, rows: Block, delta: Array) -> tuple[Array, Array]:
    """Return residuals f - y, and their slopes by delta, less what the errors of inputs bring with them."""
    if rows.shared is None:
        return residual, slopes_there
    return residual - (rows.shared * delta).sum(axis=0), slopes_there - rows.shared


def cost_of(of_response: Array, delta: Array, variances: Array) -> Array:
    """Return the cost of each row, of which that of the response is known; an exact input has no delta."""
    total: Array = of_response + (delta * delta / np.where(variances > 0.0, variances, 1.0)).sum(axis=0)
    return total
