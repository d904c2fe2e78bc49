"""All groups descend together, in blocks that fit the processor's cache, from starts that are given or tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.code import BatchCode
from descend.many.descent import Block, Ends, descend_all, sums
from descend.many.groups import Groups

Array = NDArray[np.float64]
Places = NDArray[np.intp]
CELLS = 65_536
"""Rows times groups of a block."""
FEW = 3
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
        self.inverted[places] = np.moveaxis(ends.inverted, 2, 0)[lower]


@dataclass(frozen=True)
class GroupedRows:
    """The rows of all groups, one group after the other. omega: row weights, or None if all are 1."""

    groups: Groups
    columns: Mapping[str, Array]
    y: Array
    omega: Array | None

    def blocks(self, chosen: Places) -> Iterator[tuple[Places, Block]]:
        """Yield blocks of groups of like size, with the numbers of these groups.

        A group with fewer rows than the largest of its block repeats its last row, with the weight 0.
        """
        sizes = self.groups.sizes
        chosen = chosen[np.argsort(sizes[chosen], kind="stable")]
        begin = 0
        while begin < len(chosen):
            end = begin + 1
            while end < len(chosen) and (end - begin + 1) * sizes[chosen[end]] <= CELLS:
                end += 1
            yield chosen[begin:end], self._block(chosen[begin:end])
            begin = end

    def _block(self, chosen: Places) -> Block:
        sizes = self.groups.sizes[chosen]
        row = np.arange(int(sizes.max()))[:, None]
        index = self.groups.ends[chosen] + np.minimum(row, sizes - 1)
        omega = None if self.omega is None else self.omega[index]
        if sizes.min() < sizes.max():
            there = (row < sizes).astype(np.float64)
            omega = there if omega is None else omega * there
        return Block({name: column[index] for name, column in self.columns.items()}, self.y[index], omega)


def together(code: BatchCode, starts: Array, rows: GroupedRows, chosen: Places) -> Found:
    """Fit the chosen groups.

    starts: (s, p). Each group descends from the few of them with the least loss, and keeps the lowest end.
    """
    found = Found.none(len(rows.groups), code.parameters)
    with np.errstate(all="ignore"):
        for some, block in rows.blocks(chosen):
            for theta in _best(code, starts, block):
                found.keep(some, descend_all(code, theta, block))
    return found


def _best(code: BatchCode, starts: Array, block: Block) -> Iterator[Array]:
    """Yield the starts with the least loss of each group, the best first: (p, groups) each."""
    groups = block.y.shape[1]
    losses = np.full((len(starts), groups), np.nan)
    if len(starts) > 1:
        for place, start in enumerate(starts):
            losses[place] = sums(code, np.repeat(start[:, None], groups, axis=1), block).loss
    order = np.argsort(losses, axis=0)  # NaN comes last
    for rank in range(min(FEW, len(starts))):
        yield np.ascontiguousarray(starts[order[rank]].T)
