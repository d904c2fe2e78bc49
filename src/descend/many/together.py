"""All groups descend together, in blocks that fit the processor's cache, from starts that are given or tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.gradients.contract import Program
from descend.many.arrays import NUMPY_ARRAYS, Arrays
from descend.many.code import BatchCode, batch_code
from descend.many.descent import FIRST, Ends, descend_all
from descend.many.descent import losses as losses_of
from descend.many.rows import GroupedRows

Array = NDArray[np.float64]
Places = NDArray[np.intp]
WAITING = 0.25
"""The share of a block that waits for the rest of other blocks."""
FEW = 2
"""Starts that a group descends from, at most."""


@dataclass
class Found:
    """What was found for each group: parameters and their variances, (groups, p), and sums of the loss.

    variances: the diagonal of the inverse of the curvature of that sum. loss is NaN where a group has no fit yet.
    """

    theta: Array
    loss: Array
    converged: NDArray[np.bool_]
    variances: Array

    @classmethod
    def none(cls, groups: int, p: int) -> Found:
        """Return what is known before the first descent."""
        both = np.full((groups, p), np.nan)
        return cls(both, np.full(groups, np.nan), np.zeros(groups, dtype=bool), both.copy())

    def keep(self, groups: Places, ends: Ends, unit: float) -> None:
        """Take over where some groups ended, as far as that is lower than what is known."""
        loss = unit * ends.loss
        lower = ends.converged & ~(self.loss[groups] <= loss)
        chosen = slice(None) if lower.all() else lower
        places = groups[chosen]
        self.theta[places], self.loss[places] = ends.theta.T[chosen], loss[chosen]
        self.converged[places], self.variances[places] = True, ends.variances.T[chosen] / unit


@dataclass(frozen=True)
class Together:
    """A program and the rows of all groups that it is fitted to."""

    program: Program
    rows: GroupedRows
    arrays: Arrays = NUMPY_ARRAYS

    def code(self, chosen: Places) -> BatchCode:
        """Return the code for a block."""
        return batch_code(self.program, not self.rows.even(chosen), language=self.arrays.language)

    @cached_property
    def nonlinear(self) -> tuple[int, ...]:
        """The components that descend."""
        return batch_code(self.program, True, language=self.arrays.language).nonlinear

    def fit(self, starts: Array, chosen: Places, few: int = FEW) -> Found:
        """Fit the chosen groups.

        starts: (s, p). Each group descends from the few of them with the least loss, and keeps the lowest end.
        """
        found = Found.none(len(self.rows.groups), self.program.parameters.size)
        with np.errstate(all="ignore"):
            for theta in self._best(starts, chosen, few):
                self._descend(theta, chosen, found)
        return found

    def _descend(self, theta: Array, chosen: Places, found: Found) -> None:
        """Descend from theta, (groups, p).

        What is left of a block once most of it has ended waits, and is gathered in blocks with what is left of the
        others: few groups in a block take nearly as long as many.
        """
        damping = np.full(len(self.rows.groups), FIRST)
        while len(chosen):
            blocks, waiting = self.rows.blocks(chosen), []
            share = WAITING if len(blocks) > 1 else 0.0
            for some in blocks:
                code = self.code(some)
                block = self.rows.block(code, some, self.arrays)
                begin = [self.arrays.given(theta[some, place]) for place in self.nonlinear]
                ends = descend_all(code, begin, block, self.arrays.given(damping[some]), self.arrays, share)
                found.keep(some, ends, code.unit)
                left = some[ends.pending]
                theta[left], damping[left] = ends.theta.T[ends.pending], ends.damping[ends.pending]
                waiting.append(left)
            chosen = np.concatenate(waiting)

    def _best(self, starts: Array, chosen: Places, few: int) -> Iterator[Array]:
        """Yield the starts with the least loss of each group, the best first: (groups, p) each."""
        groups, few = len(self.rows.groups), min(few, len(starts))
        best = np.zeros((few, groups), dtype=np.intp)
        if len(starts) > 1:
            for some in self.rows.blocks(chosen):
                code = self.code(some)
                block = self.rows.block(code, some, self.arrays)
                losses = [losses_of(code, start[list(self.nonlinear)], block, self.arrays) for start in starts]
                best[:, some] = np.argsort(losses, axis=0)[:few]  # NaN comes last
        for places in best:
            yield starts[places]
