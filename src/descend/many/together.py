"""All groups descend together: padded into blocks that fit the processor's cache, from starts that are given or tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.code import BatchCode
from descend.many.descent import Block, descend_all, sums
from descend.many.groups import Groups

Array = NDArray[np.float64]
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


def blocks(
    groups: Groups, columns: Mapping[str, Array], y: Array, omega: Array | None, chosen: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.intp], Block]]:
    """Yield blocks of groups of like size, with the numbers of these groups.

    columns, y, omega: of all rows, in the order of the groups. chosen: which groups.
    """
    sizes = groups.sizes[chosen]
    chosen = chosen[np.argsort(sizes, kind="stable")]
    at = 0
    while at < len(chosen):
        longest = int(groups.sizes[chosen[at]])
        end = at + 1
        while end < len(chosen) and (end - at + 1) * int(groups.sizes[chosen[end]]) <= max(CELLS, longest):
            end += 1
        some = chosen[at:end]
        size = groups.sizes[some]
        row = np.arange(int(size[-1]))[:, None]
        index = groups.ends[some][None] + np.minimum(row, size[None] - 1)
        weights = None if omega is None else omega[index]
        if size[0] < size[-1]:
            counted = (row < size[None]).astype(np.float64)
            weights = counted if weights is None else weights * counted
        yield some, Block({name: column[index] for name, column in columns.items()}, y[index], weights)
        at = end


def together(
    code: BatchCode,
    starts: Array,
    groups: Groups,
    columns: Mapping[str, Array],
    y: Array,
    omega: Array | None,
    chosen: NDArray[np.intp],
) -> Found:
    """Fit the chosen groups. starts: (s, p); each group begins at the one with the least loss."""
    count, p = len(groups), code.parameters
    found = Found(
        np.full((count, p), np.nan), np.full(count, np.nan), np.zeros(count, bool), np.full((count, p, p), np.nan)
    )
    with np.errstate(all="ignore"):
        for some, block in blocks(groups, columns, y, omega, chosen):
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
