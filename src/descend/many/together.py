"""All groups descend together, in blocks that fit the processor's cache, from starts that are given or tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.small_systems import cholesky, inverse
from descend.many.code import BatchCode
from descend.many.descent import FIRST, Block, Ends, descend_all
from descend.many.groups import Groups

Array = NDArray[np.float64]
Places = NDArray[np.intp]
CELLS = 65_536
"""Rows times groups of a block."""
WAITING = 0.25
"""The share of a block that waits for the rest of other blocks."""
FEW = 2
"""Starts that a group descends from, at most."""


@dataclass
class Found:
    """What was found for each group: (groups, p) parameters, sums of the loss, and inverse curvatures (groups, p, p).

    loss is NaN where a group has no fit yet.
    """

    theta: Array
    loss: Array
    converged: NDArray[np.bool_]
    inverted: Array

    @classmethod
    def none(cls, groups: int, p: int) -> Found:
        """Return what is known before the first descent."""
        theta, inverted = np.full((groups, p), np.nan), np.full((groups, p, p), np.nan)
        return cls(theta, np.full(groups, np.nan), np.zeros(groups, dtype=bool), inverted)

    def keep(self, groups: Places, ends: Ends) -> None:
        """Take over where some groups ended, as far as that is lower than what is known."""
        lower = ends.converged & ~(self.loss[groups] <= ends.loss)
        places = groups[lower]
        self.theta[places], self.loss[places] = ends.theta.T[lower], ends.loss[lower]
        self.converged[places] = True
        self.inverted[places] = np.moveaxis(inverse(cholesky(ends.curvature[:, :, lower])), 2, 0)


@dataclass(frozen=True)
class GroupedRows:
    """The rows of all groups, one group after the other. omega: row weights, or None if all are 1."""

    groups: Groups
    columns: Mapping[str, Array]
    y: Array
    omega: Array | None

    def blocks(self, chosen: Places) -> list[Places]:
        """Return the numbers of groups of like size, as many to a block as fit."""
        sizes = self.groups.sizes
        chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
        blocks, begin = [], 0
        while begin < len(chosen):
            ahead = sizes[chosen[begin : begin + CELLS]]
            fitting = np.arange(1, len(ahead) + 1) * ahead <= CELLS
            end = begin + max(int(np.count_nonzero(fitting)), 1)
            blocks.append(chosen[begin:end])
            begin = end
        return blocks

    def block(self, chosen: Places) -> Block:
        """Return some groups as a block.

        A group with fewer rows than the largest of its block repeats its last row, with the weight 0.
        """
        sizes = self.groups.sizes[chosen]
        row = np.arange(int(sizes.max()))[:, None]
        index = self.groups.ends[chosen] + np.minimum(row, sizes - 1)
        omega = None if self.omega is None else self.omega[index]
        if sizes.min() < sizes.max():
            there = (row < sizes).astype(np.float64)
            omega = there if omega is None else omega * there
        return Block({name: column[index] for name, column in self.columns.items()}, self.y[index], omega)


def together(code: BatchCode, starts: Array, rows: GroupedRows, chosen: Places, few: int = FEW) -> Found:
    """Fit the chosen groups.

    starts: (s, p). Each group descends from the few of them with the least loss, and keeps the lowest end.
    """
    found = Found.none(len(rows.groups), code.parameters)
    with np.errstate(all="ignore"):
        for theta in _best(code, starts, rows, chosen, few):
            _descend(code, theta, rows, chosen, found)
    return found


def _descend(code: BatchCode, theta: Array, rows: GroupedRows, chosen: Places, found: Found) -> None:
    """Descend from theta, (groups, p).

    What is left of a block once most of it has ended waits, and is gathered in blocks with what is left of the others:
    few groups in a block take nearly as long as many.
    """
    damping = np.full(len(rows.groups), FIRST)
    while len(chosen):
        blocks, waiting = rows.blocks(chosen), []
        share = WAITING if len(blocks) > 1 else 0.0
        for some in blocks:
            ends = descend_all(code, theta[some].T.copy(), rows.block(some), damping[some], share)
            found.keep(some, ends)
            left = some[ends.pending]
            theta[left], damping[left] = ends.theta.T[ends.pending], ends.damping[ends.pending]
            waiting.append(left)
        chosen = np.concatenate(waiting)


def _best(code: BatchCode, starts: Array, rows: GroupedRows, chosen: Places, few: int) -> Iterator[Array]:
    """Yield the starts with the least loss of each group, the best first: (groups, p) each."""
    groups, few = len(rows.groups), min(few, len(starts))
    best = np.zeros((few, groups), dtype=np.intp)
    if len(starts) > 1:
        for some in rows.blocks(chosen):
            block = rows.block(some)
            losses = [code.loss(start, block.columns, block.y, block.omega) for start in starts]
            best[:, some] = np.argsort(losses, axis=0)[:few]  # NaN comes last
    for places in best:
        yield starts[places]
