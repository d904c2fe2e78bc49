"""Levenberg-Marquardt for many groups at once: each has its own damping and its own end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.small_systems import cholesky, solved
from descend.many.code import BatchCode

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
LONGEST = 200
"""Evaluations of a group in a block, at most; what has not ended then is left to a fit of its own."""
FIRST, LEAST, MOST = 1e-2, 1e-12, 1e12
"""Damping, as a share of the diagonal of the curvature."""
RESOLVED = 1e-14
"""A step that promises to lower the loss by a smaller share of it is the last one."""
NOISE = 1e-12
"""Where no step lowers the loss, and the promise is below this share of it, that is the rounding of its minimum."""
SCARCE = 0.75
"""Groups are gathered anew once fewer than this share of them go on."""


@dataclass
class Block:
    """Some groups, as columns of arrays (rows, groups). omega: row weights, 0 where a group has no row, or None."""

    columns: dict[str, Array]
    y: Array
    omega: Array | None

    def take(self, chosen: Mask) -> Block:
        """Return some of the groups."""
        columns = {name: column[:, chosen] for name, column in self.columns.items()}
        return Block(columns, self.y[:, chosen], None if self.omega is None else self.omega[:, chosen])


@dataclass
class Ends:
    """Where the groups of a block ended, or stand.

    theta: (p, groups). loss: the sum of the loss over the rows, NaN where there is none. curvature: that of this sum,
    (p, p, groups). damping: what the next step would have. pending: those that have not ended yet.
    """

    theta: Array
    loss: Array
    curvature: Array
    damping: Array
    converged: Mask
    pending: Mask

    @classmethod
    def none(cls, theta: Array, damping: Array) -> Ends:
        """Return ends that are still open."""
        p, groups = theta.shape
        converged, pending = np.zeros(groups, dtype=bool), np.zeros(groups, dtype=bool)
        return cls(
            theta.copy(), np.full(groups, np.nan), np.full((p, p, groups), np.nan), damping.copy(), converged, pending
        )

    def put(self, places: Places, theta: Array, at: Sums, damping: Array) -> None:
        """Note where some groups are."""
        self.theta[:, places], self.loss[places], self.damping[places] = theta, at.loss, damping
        self.curvature[:, :, places] = at.curvature


@dataclass
class Sums:
    """Loss, gradient and curvature, summed over the rows of each group: (groups,), (p, groups), (p, p, groups)."""

    loss: Array
    gradient: Array
    curvature: Array

    def take(self, chosen: Mask) -> Sums:
        """Return some of the groups."""
        return Sums(self.loss[chosen], self.gradient[:, chosen], self.curvature[:, :, chosen])

    def update(self, chosen: Mask, others: Sums) -> None:
        """Take over the chosen groups of others."""
        np.copyto(self.loss, others.loss, where=chosen)
        np.copyto(self.gradient, others.gradient, where=chosen)
        np.copyto(self.curvature, others.curvature, where=chosen)


def sums(code: BatchCode, theta: Array, block: Block) -> Sums:
    """Sum a block at the parameters of each of its groups."""
    rows, groups = block.y.shape
    value, slope, weight, *derivatives = code(theta, block.columns, block.y)
    if block.omega is not None:
        value, slope, weight = value * block.omega, slope * block.omega, weight * block.omega
    p, even = len(derivatives), np.ndim(weight) == 0
    gradient, curvature = np.empty((p, groups)), np.empty((p, p, groups))
    for i, derivative in enumerate(derivatives):
        gradient[i] = _products(derivative, slope, rows)
        weighted = derivative if even else derivative * weight
        for j in range(i + 1):
            curvature[i, j] = curvature[j, i] = _products(weighted, derivatives[j], rows)
    if even:
        curvature *= weight
    return Sums(_total(value, rows) + np.zeros(groups), gradient, curvature)


def _products(left: Array, right: Array, rows: int) -> Array:
    """Return the sums over the rows of a product; what is the same in all rows of a group is taken out of the sum."""
    if np.ndim(left) == 2 and np.ndim(right) == 2:
        product: Array = np.einsum("rg,rg->g", left, right)
        return product
    if np.ndim(left) == 2:
        return _total(left, rows) * right
    return left * _total(right, rows)


def _total(each: Array, rows: int) -> Array:
    return np.add.reduce(each, axis=0) if np.ndim(each) == 2 else each * np.float64(rows)


def descend_all(code: BatchCode, theta: Array, block: Block, damping: Array, share: float = 0.0) -> Ends:
    """Descend from theta, (p, groups), in all groups of a block, until at most a share of them is left."""
    ends, least = Ends.none(theta, damping), share * theta.shape[1]
    places = np.arange(theta.shape[1])
    at = sums(code, theta, block)
    on = np.isfinite(at.loss) & np.isfinite(at.gradient).all(axis=0)
    for _ in range(LONGEST):
        left = int(np.count_nonzero(on))
        if left <= least:
            ends.put(places[on], theta[:, on], at.take(on), damping[on])
            ends.pending[places[on]] = True
            break
        if left < SCARCE * len(on):
            block, theta, at = block.take(on), theta[:, on], at.take(on)
            damping, places, on = damping[on], places[on], np.ones(left, dtype=bool)
        step, promise = _step(at, damping)
        usable = on & np.isfinite(promise)
        trial = np.where(usable, theta - step, theta)
        there = sums(code, trial, block)
        lower = usable & (there.loss <= at.loss) & np.isfinite(there.gradient).all(axis=0)
        ended = usable & (promise <= np.where(lower, RESOLVED, NOISE) * at.loss)
        np.copyto(theta, trial, where=lower)
        at.update(lower, there)
        damping = np.where(lower, np.maximum(damping * 0.1, LEAST), damping * 10.0)
        done = ended | (on & (damping > MOST))
        if done.any():
            ends.put(places[done], theta[:, done], at.take(done), damping[done])
            ends.converged[places[done]] = ended[done]
            on &= ~done
    return ends


def _step(at: Sums, damping: Array) -> tuple[Array, Array]:
    """Return the step to subtract, and by how much it should lower the loss; NaN where the curvature is singular."""
    damped = at.curvature.copy()
    for i, diagonal in enumerate(np.einsum("iig->ig", at.curvature)):
        damped[i, i] += damping * np.where(diagonal > 0.0, diagonal, 1.0)
    step = solved(cholesky(damped), at.gradient)
    promise: Array = 0.5 * np.einsum("pg,pg->g", step, at.gradient)
    return step, promise
