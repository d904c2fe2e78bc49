"""Errors in the inputs: orthogonal distance regression, with the true inputs of each row eliminated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.errors import DataError
from descend.formula.compile import compile_expression
from descend.formula.derivative import slopes
from descend.formula.expanded import component_symbols, expanded
from descend.formula.factor import triangle
from descend.formula.symbols import Column
from descend.gradients.contract import Chosen, Sums
from descend.models.contract import SymbolicModel
from descend.models.inexact import Sigma
from descend.table.rows import Rows

Array = NDArray[np.float64]
ITERATIONS = 100
"""Steps to the true inputs of a row, at most."""
RESOLVED = 1e-13
"""Steps shorter than this share of the standard deviation of an input are rounding."""
HALVINGS = 20


class Settled(NamedTuple):
    """The true inputs x + delta of some rows, at which their costs are least.

    delta: (k, n). residual: (n,), f(x + delta) - y. pull: (n,), half the derivative of the cost of a row by f.
    weight: (n,), half the second derivative of the eliminated cost by f: 1 / (1/omega + sum (df/dx sigma)**2).
    """

    delta: Array
    residual: Array
    pull: Array
    weight: Array


class OrthogonalKernel:
    """Sums of the cost of rows whose inputs have errors too, with the true inputs eliminated row by row.

        J = sum over rows of min over delta of  omega (f(x + delta; theta) - y)**2 + sum over k of (delta_k / sigma_k)**2

    At the least cost, with fx the derivatives of f by the inputs there,

        pull = omega (f - y),   delta_k = -sigma_k**2 fx_k pull,   dJ/dtheta = 2 pull df/dtheta,

    and the curvature is that of Gauss and Newton for theta and all delta together, delta eliminated by its Schur
    complement: 2 df/dtheta df/dtheta' / (1/omega + sum over k of (sigma_k fx_k)**2). An input with sigma 0 is exact.

    implicit: whether f(x + delta) = 0 has to hold exactly, with no response: 1/omega is then 0.

    Source: Boggs, Byrd & Schnabel (1987), SIAM J. Sci. Stat. Comput. 8, 1052-1078; York (1966), Can. J. Phys. 44, 1079.
    """

    language = "numpy"
    undivided = False
    finish: Callable[[Array, float, Array], Array] | None = None

    def __init__(self, model: SymbolicModel, sigmas: Mapping[str, Sigma], implicit: bool = False) -> None:
        self.model, self.sigmas, self.implicit = model, dict(sigmas), implicit

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.model, self.sigmas, self.implicit)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns with standard deviations of inputs."""
        return tuple(sigma for sigma in self.sigmas.values() if isinstance(sigma, str))

    def prepare(self, rows: Rows) -> tuple[Array, ...]:
        """Return the inputs, the variances of those with errors, the response and the row weights, (n,) each."""
        count = rows.count
        for name, sigma in self.sigmas.items():
            _refuse_negative(name, sigma, rows)
        spread = [
            np.asarray(rows.columns[sigma]) ** 2 if isinstance(sigma, str) else np.full(count, sigma * sigma)
            for sigma in self.sigmas.values()
        ]
        omega = np.ones(count) if rows.omega is None else rows.omega
        return (*(rows.columns[name] for name in self.model.inputs), *spread, rows.y, omega)

    def sums(self, theta: Array, block: tuple[Array, ...], order: int) -> Sums:
        """Return loss, gradient and curvature summed over a block; of order 3 the factor instead."""
        inputs, variances, y, omega = self._parts(block)
        with np.errstate(all="ignore"):
            found = self.settled(theta, inputs, variances, y, omega)
            cost = self._costs(found, variances, omega)
            loss = float(cost.sum())
            if order == 0:
                return loss, None, None
            moved = self._moved(inputs, found.delta)
            jacobian = np.column_stack([self._over(slope, theta, moved) for slope in self._by_theta])
            gradient = 2.0 * (found.pull @ jacobian)
            if order == 1:
                return loss, gradient, None
            root = np.sqrt(2.0 * found.weight)
            weighted = jacobian * root[:, None]
            if order == 2:
                return loss, gradient, weighted.T @ weighted
            right = np.where(root > 0.0, 2.0 * found.pull / np.where(root > 0.0, root, 1.0), 0.0)
            return loss, gradient, triangle(np.column_stack([weighted, right]))

    def sums_over(self, theta: Array, block: tuple[Array, ...], order: int, chosen: Chosen) -> Sums:
        """Return the sums over some rows of a block."""
        return self.sums(theta, tuple(column[chosen] for column in block), order)

    def deltas(self, theta: Array, rows: Rows) -> dict[str, Array]:
        """Return how far the true value of each input lies from the measured one, (n,)."""
        inputs, variances, y, omega = self._parts(self.prepare(rows))
        with np.errstate(all="ignore"):
            found = self.settled(theta, inputs, variances, y, omega)
        return dict(zip(self.sigmas, found.delta, strict=True))

    def settled(self, theta: Array, inputs: Mapping[str, Array], variances: Array, y: Array, omega: Array) -> Settled:
        """Find the true inputs of all rows, from the measured ones, by Gauss-Newton steps of which none raises a cost."""
        delta = np.zeros_like(variances)
        scarce = np.zeros_like(omega) if self.implicit else 1.0 / omega
        here = self._state(theta, inputs, delta, variances, y, scarce)
        scale = np.sqrt(variances)
        for _ in range(ITERATIONS):
            step = -variances * here.slopes * here.pull - delta
            size = np.abs(step)
            if not (size > RESOLVED * scale + 4.0 * np.finfo(float).eps * np.abs(delta)).any():
                break
            there = self._state(theta, inputs, delta + step, variances, y, scarce)
            if not self.implicit:
                delta, here = self._shortened(theta, inputs, delta, step, here, there, variances, y, omega, scarce)
            else:
                delta, here = delta + step, there
        pull = omega * here.residual if not self.implicit else here.pull
        return Settled(delta, here.residual, pull, here.weight)

    def _shortened(
        self,
        theta: Array,
        inputs: Mapping[str, Array],
        delta: Array,
        step: Array,
        here: State,
        there: State,
        variances: Array,
        y: Array,
        omega: Array,
        scarce: Array,
    ) -> tuple[Array, State]:
        """Halve the steps of rows whose cost they would raise; of a few that is soon done."""
        before = _cost(delta, here.residual, variances, omega)
        share = np.ones_like(y)
        for _ in range(HALVINGS):
            after = _cost(delta + share * step, there.residual, variances, omega)
            worse = ~(after <= before * (1.0 + 1e-12))
            if not worse.any():
                break
            share = np.where(worse, 0.5 * share, share)
            there = self._state(theta, inputs, delta + share * step, variances, y, scarce)
        return delta + share * step, there

    def _state(
        self, theta: Array, inputs: Mapping[str, Array], delta: Array, variances: Array, y: Array, scarce: Array
    ) -> State:
        """Return the curve at x + delta, and the pull of the costs there if the curve were straight."""
        moved = self._moved(inputs, delta)
        residual = self._over(self._function, theta, moved) - y
        slopes_there = np.array([self._over(slope, theta, moved) for slope in self._by_inputs])
        weight = 1.0 / (scarce + (variances * slopes_there * slopes_there).sum(axis=0))
        pull = weight * (residual - (slopes_there * delta).sum(axis=0))
        return State(residual, slopes_there, weight, pull)

    def _costs(self, found: Settled, variances: Array, omega: Array) -> Array:
        if self.implicit:
            return _cost(found.delta, np.zeros_like(omega), variances, omega)
        return _cost(found.delta, found.residual, variances, omega)

    def _parts(self, block: tuple[Array, ...]) -> tuple[dict[str, Array], Array, Array, Array]:
        names = self.model.inputs
        inputs = dict(zip(names, block[: len(names)], strict=True))
        return inputs, np.array(block[len(names) : -2]), block[-2], block[-1]

    def _moved(self, inputs: Mapping[str, Array], delta: Array) -> dict[str, Array]:
        moved = dict(inputs)
        for name, by in zip(self.sigmas, delta, strict=True):
            moved[name] = moved[name] + by
        return moved

    def _over(self, function: Callable[..., Array], theta: Array, inputs: Mapping[str, Array]) -> Array:
        found = function(*theta, *(inputs[name] for name in self.model.inputs))
        return np.broadcast_to(np.asarray(found, dtype=np.float64), (len(next(iter(inputs.values()))),))

    @cached_property
    def _expanded(self) -> tuple[Expr, tuple[Expr, ...]]:
        model, parameters = self.model, self.model.parameters
        symbols = component_symbols(parameters.labels, parameters.shapes)
        return expanded(model.formula.expression, model.formula.terms, symbols, parameters.slices), symbols

    def _compiled(self, expression: Expr) -> Callable[..., Array]:
        symbols = self._expanded[1]
        return compile_expression(expression, (*symbols, *(Column(name) for name in self.model.inputs)))

    @cached_property
    def _function(self) -> Callable[..., Array]:
        return self._compiled(self._expanded[0])

    @cached_property
    def _by_inputs(self) -> list[Callable[..., Array]]:
        columns = [Column(name) for name in self.sigmas]
        found = slopes(self._expanded[0], columns).with_limits
        return [self._compiled(found[column]) for column in columns]

    @cached_property
    def _by_theta(self) -> list[Callable[..., Array]]:
        expression, symbols = self._expanded
        found = slopes(expression, symbols).with_limits
        return [self._compiled(found[symbol]) for symbol in symbols]


def _refuse_negative(name: str, sigma: Sigma, rows: Rows) -> None:
    """Raise DataError for a standard deviation below 0."""
    if isinstance(sigma, str) and (rows.columns[sigma] < 0.0).any():
        row = int(np.argmax(rows.columns[sigma] < 0.0))
        raise DataError(
            f"`{sigma}`, the standard deviation of `{name}`, is {rows.columns[sigma][row]:g} in row {row + 1} of "
            f"{rows.source}. It must be 0, where the input is exact, or more."
        )


class State(NamedTuple):
    """The curve at some inputs: residual, derivatives by the inputs with errors, weight and pull (see `Settled`)."""

    residual: Array
    slopes: Array
    weight: Array
    pull: Array


def _cost(delta: Array, residual: Array, variances: Array, omega: Array) -> Array:
    """Return the cost of each row: omega r**2 + sum (delta / sigma)**2; an exact input has no delta."""
    parts = np.where(variances > 0.0, delta * delta / np.where(variances > 0.0, variances, 1.0), 0.0)
    total: Array = omega * residual * residual + parts.sum(axis=0)
    return total
