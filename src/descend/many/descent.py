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
"""Damping, as a share of the curvature's diagonal."""
RESOLVED = 1e-15
"""A step that promises to lower the loss by a smaller share of it is the last one."""
NOISE = 1e-12
"""Where no step lowers the loss and the promise is below this share, it is at the rounding of its minimum."""
SCARCE = 0.5
"""Groups are gathered anew once fewer than this share of them go on."""


@dataclass
class Block:
    """Some groups, as columns of arrays. omega: (rows, groups), 0 where a group has fewer rows; None if all are 1."""

    columns: dict[str, Array]
    y: Array
    omega: Array | None

    def take(self, chosen: Mask) -> Block:
        """Return some of the groups."""
        columns = {name: column[:, chosen] for name, column in self.columns.items()}
        return Block(columns, self.y[:, chosen], None if self.omega is None else self.omega[:, chosen])


@dataclass
class Ends:
    """Where the groups of a block ended. loss: the sum of the loss over rows. inverted: the inverse of its curvature."""

    theta: Array
    loss: Array
    converged: Mask
    inverted: Array
    evaluations: Array


@dataclass
class Sums:
    """Loss, gradient and curvature, summed over the rows of each group: (groups,), (p, groups), (p, p, groups)."""

    loss: Array
    gradient: Array
    curvature: Array


def sums(code: BatchCode, theta: Array, block: Block) -> Sums:
    """Sum a block at the parameters of each of its groups."""
    rows, groups = block.y.shape
    value, slope, weight, *derivatives = code(theta, block.columns, block.y)
    p = len(derivatives)
    omega = block.omega
    if omega is not None:
        value, slope, weight = value * omega, slope * omega, weight * omega
    full = [
        derivative
        if getattr(derivative, "shape", ()) == (rows, groups)
        else np.broadcast_to(derivative, (rows, groups))
        for derivative in derivatives
    ]
    loss = np.add.reduce(np.broadcast_to(value, (rows, groups)), axis=0)
    slope = np.broadcast_to(slope, (rows, groups))
    constant = np.ndim(weight) == 0
    gradient, curvature = np.empty((p, groups)), np.empty((p, p, groups))
    for i in range(p):
        gradient[i] = np.einsum("rg,rg->g", full[i], slope)
        weighted = full[i] if constant else full[i] * weight
        for j in range(i + 1):
            curvature[i, j] = np.einsum("rg,rg->g", weighted, full[j])
            curvature[j, i] = curvature[i, j]
    if constant:
        curvature *= weight
    return Sums(loss, gradient, curvature)


def descend_all(code: BatchCode, theta: Array, block: Block) -> Ends:
    """Descend from theta, (p, groups), in all groups of a block."""
    p, groups = theta.shape
    ends = Ends(
        theta.copy(),
        np.full(groups, np.nan),
        np.zeros(groups, bool),
        np.full((p, p, groups), np.nan),
        np.zeros(groups, int),
    )
    places = np.arange(groups)
    at = sums(code, theta, block)
    damping = np.full(groups, FIRST)
    on = np.isfinite(at.loss) & np.isfinite(at.gradient).all(axis=0)
    ends.loss[:] = at.loss
    for evaluation in range(1, LONGEST):
        if not on.all() and (not on.any() or on.mean() < SCARCE):
            block, theta, damping, places = block.take(on), theta[:, on], damping[on], places[on]
            at = Sums(at.loss[on], at.gradient[:, on], at.curvature[:, :, on])
            on = np.ones(len(places), bool)
        if not len(places):
            break
        scale = np.sqrt(np.einsum("iig->ig", at.curvature))
        scale[~(scale > 0.0)] = 1.0
        scaled = at.curvature / (scale[:, None] * scale[None])
        diagonal = np.einsum("iig->ig", scaled)
        diagonal += damping
        step = solved(cholesky(scaled), at.gradient / scale) / scale
        promise = 0.5 * np.einsum("pg,pg->g", step, at.gradient)
        step[:, ~(np.isfinite(step).all(axis=0) & on)] = 0.0
        trial = theta - step
        found = sums(code, trial, block)
        better = (found.loss <= at.loss) & np.isfinite(found.gradient).all(axis=0) & on & np.isfinite(promise)
        small = promise <= RESOLVED * at.loss
        ended = on & ((better & small) | (~better & (promise <= NOISE * at.loss)))
        moved = better
        theta = np.where(moved, trial, theta)
        at = Sums(
            np.where(moved, found.loss, at.loss),
            np.where(moved, found.gradient, at.gradient),
            np.where(moved, found.curvature, at.curvature),
        )
        damping = np.where(moved, np.maximum(damping * 0.1, LEAST), damping * 10.0)
        given_up = on & ~ended & (damping > MOST)
        done = ended | given_up
        if done.any():
            where = places[done]
            ends.theta[:, where], ends.loss[where] = theta[:, done], at.loss[done]
            ends.converged[where], ends.evaluations[where] = ended[done], evaluation
            curvature = at.curvature[:, :, done]
            size = np.sqrt(np.einsum("iig->ig", curvature))
            ends.inverted[:, :, where] = inverse(cholesky(curvature / (size[:, None] * size[None]))) / (
                size[:, None] * size[None]
            )
            on = on & ~done
    return ends
