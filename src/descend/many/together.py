"""All groups descend together, in blocks that fit the processor's cache, from starts that are given or tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.code import BatchCode
from descend.many.descent import Block, descend_all, sums
from descend.many.groups import Groups

Array = NDArray[np.float64]
Places = NDArray[np.intp]
CELLS = 65_536
"""Rows times groups of a block."""
MOST_STARTS = 64
"""Starts that are compared in each group, at most."""


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
    """Fit the chosen groups. starts: (s, p); each group begins at the one with the least loss."""
    found = Found.none(len(rows.groups), code.parameters)
    with np.errstate(all="ignore"):
        for some, block in rows.blocks(chosen):
            ends = descend_all(code, _best(code, starts, block), block)
            found.theta[some], found.loss[some] = ends.theta.T, ends.loss
            found.converged[some] = ends.converged
            found.inverted[some] = np.moveaxis(ends.inverted, 2, 0)
    return found


def _best(code: BatchCode, starts: Array, block: Block) -> Array:
    """Return for each group the start with the least loss, (p, groups), its linear parameters solved for."""
    groups = block.y.shape[1]
    if len(starts) == 1:
        return np.repeat(starts.T, groups, axis=1)
    best, least = np.repeat(starts[:1].T, groups, axis=1), np.full(groups, np.inf)
    for start in starts[:MOST_STARTS]:
        theta = np.repeat(start[:, None], groups, axis=1)
        loss = sums(code, theta, block).loss
        better = loss < least
        best[:, better], least[better] = theta[:, better], loss[better]
    return best
