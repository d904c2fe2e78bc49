"""Levenberg-Marquardt for many groups at once: each has its own damping and its own end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.code import BatchCode
from descend.many.systems import cholesky, inverse, solved

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
LONGEST = 200
"""Evaluations, at most; what has not ended then is left to a fit of its own."""
FIRST, LEAST, MOST = 1e-3, 1e-12, 1e12
"""Damping, as a share of the diagonal of the curvature."""
RESOLVED = 1e-15
"""A step that promises to lower the loss by a smaller share of it is the last one."""
NOISE = 1e-12
"""Where no step lowers the loss, and the promise is below this share of it, that is the rounding of its minimum."""
SCARCE = 0.5
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
    """Where the groups of a block ended.

    theta: (p, groups). loss: the sum of the loss over the rows. inverted: the inverse of its curvature, (p, p, groups).
    """

    theta: Array
    loss: Array
    converged: Mask
    inverted: Array

    @classmethod
    def none(cls, theta: Array) -> Ends:
        """Return ends that are still open."""
        p, groups = theta.shape
        inverted = np.full((p, p, groups), np.nan)
        return cls(theta.copy(), np.full(groups, np.nan), np.zeros(groups, dtype=bool), inverted)


@dataclass
class Sums:
    """Loss, gradient and curvature, summed over the rows of each group: (groups,), (p, groups), (p, p, groups)."""

    loss: Array
    gradient: Array
    curvature: Array

    def take(self, chosen: Mask) -> Sums:
        """Return some of the groups."""
        return Sums(self.loss[chosen], self.gradient[:, chosen], self.curvature[:, :, chosen])

    def where(self, chosen: Mask, others: Sums) -> Sums:
        """Return the chosen groups, and the others elsewhere."""
        return Sums(
            np.where(chosen, self.loss, others.loss),
            np.where(chosen, self.gradient, others.gradient),
            np.where(chosen, self.curvature, others.curvature),
        )


def sums(code: BatchCode, theta: Array, block: Block) -> Sums:
    """Sum a block at the parameters of each of its groups."""
    shape = block.y.shape
    value, slope, weight, *derivatives = code(theta, block.columns, block.y)
    if block.omega is not None:
        value, slope, weight = value * block.omega, slope * block.omega, weight * block.omega
    jacobian = [np.broadcast_to(derivative, shape) for derivative in derivatives]
    p, even = len(jacobian), np.ndim(weight) == 0
    slope = np.broadcast_to(slope, shape)
    gradient, curvature = np.empty((p, shape[1])), np.empty((p, p, shape[1]))
    for i in range(p):
        gradient[i] = np.einsum("rg,rg->g", jacobian[i], slope)
        weighted = jacobian[i] if even else jacobian[i] * weight
        for j in range(i + 1):
            curvature[i, j] = curvature[j, i] = np.einsum("rg,rg->g", weighted, jacobian[j])
    if even:
        curvature *= weight
    return Sums(np.add.reduce(np.broadcast_to(value, shape), axis=0), gradient, curvature)


def descend_all(code: BatchCode, theta: Array, block: Block) -> Ends:
    """Descend from theta, (p, groups), in all groups of a block."""
    ends = Ends.none(theta)
    places, damping = np.arange(theta.shape[1]), np.full(theta.shape[1], FIRST)
    at = sums(code, theta, block)
    on = np.isfinite(at.loss) & np.isfinite(at.gradient).all(axis=0)
    for _ in range(LONGEST):
        if on.mean() < SCARCE:
            if not on.any():
                break
            block, theta, at = block.take(on), theta[:, on], at.take(on)
            damping, places, on = damping[on], places[on], np.ones(int(on.sum()), dtype=bool)
        step, promise = _step(at, damping)
        usable = on & np.isfinite(promise)
        trial = np.where(usable, theta - step, theta)
        there = sums(code, trial, block)
        lower = usable & (there.loss <= at.loss) & np.isfinite(there.gradient).all(axis=0)
        resolved = np.where(lower, RESOLVED, NOISE)
        ended = usable & (promise <= resolved * at.loss)
        theta, at = np.where(lower, trial, theta), there.where(lower, at)
        damping = np.where(lower, np.maximum(damping * 0.1, LEAST), damping * 10.0)
        done = ended | (on & (damping > MOST))
        if done.any():
            where = places[done]
            ends.theta[:, where], ends.loss[where] = theta[:, done], at.loss[done]
            ends.converged[where] = ended[done]
            ends.inverted[:, :, where] = _inverse(at.curvature[:, :, done])
            on = on & ~done
    return ends


def _step(at: Sums, damping: Array) -> tuple[Array, Array]:
    """Return the step to subtract, and by how much it should lower the loss; NaN where the curvature is singular."""
    scaled, scale = _scaled(at.curvature)
    np.einsum("iig->ig", scaled)[...] += damping
    step = solved(cholesky(scaled), at.gradient / scale) / scale
    promise: Array = 0.5 * np.einsum("pg,pg->g", step, at.gradient)
    return step, promise


def _scaled(curvature: Array) -> tuple[Array, Array]:
    """Return the curvature in units in which its diagonal is 1, and these units, (p, groups)."""
    scale = np.sqrt(np.einsum("iig->ig", curvature))
    scale[~(scale > 0.0)] = 1.0
    return curvature / (scale[:, None] * scale[None]), scale


def _inverse(curvature: Array) -> Array:
    scaled, scale = _scaled(curvature)
    return inverse(cholesky(scaled)) / (scale[:, None] * scale[None])
