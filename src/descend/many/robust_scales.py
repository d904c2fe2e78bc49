"""Robust losses of many groups whose scale is estimated from the data, each group's from its own rows.

As for one fit (see `descend.starts.robust`), the noise s of a group is 1.4826 times the median of its residuals |r|,
and the scale of the loss a multiple of it: the fit with that scale leaves the noise that it was made of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.gradients.derived import Program
from descend.losses import Loss
from descend.losses.contract import NORMAL
from descend.losses.huber import Huber
from descend.losses.squared import Squared
from descend.many.batch_code import code_of_scores
from descend.many.descending_groups import Descents, Together
from descend.many.neighbours import NeighboursOfGroups
from descend.many.starts import Starts
from descend.many.sums import Band
from descend.starts.robust import NEARLY, NOISELESS, ROUNDS, SETTLED

Array = NDArray[np.float64]
Places = NDArray[np.intp]
SCALE = "[scale]"
"""The column that holds the scale of the loss in the rows of a group; no column of a table is called so."""
ROUNDING = 1e-12
"""Share of a sum of weights that is rounding."""


@dataclass(frozen=True)
class Scaled(Loss):
    """A robust loss whose scale stands in a column."""

    of: Loss

    name: ClassVar[str] = "scaled"

    @cached_property
    def expressions(self) -> tuple[Expr, Expr, Expr]:
        """Value, slope and weight, with the first setting read from the column."""
        return self.of.with_columns({next(iter(self.of.settings)): SCALE})


@dataclass
class Scales:
    """The fits of some groups while the scales of their loss are estimated.

    by_squares: what fits them by least squares. tried: the noise that the last scale was made of, NaN of groups that
    are left to a fit of their own: those without noise, and those of which a fit failed.
    """

    by_squares: Together
    starts: Starts
    groups: Places
    descents: Descents
    tried: Array

    @classmethod
    def estimated(
        cls, together: Together, loss: Loss, groups: Places, starts: Starts, beside: NeighboursOfGroups | None = None
    ) -> Scales:
        """Return the fits of groups, each with the scale that its own rows show.

        beside: what neighbouring rows say of noise and outliers, to which a first fit by squares would go.
        """
        by_squares = replace(together, program=replace(together.program, loss=Squared()), progress=None)
        descents = by_squares.from_best(groups, starts.points, starts.few)
        scales = cls(by_squares, starts, groups, descents, np.full(len(groups), np.nan))
        scales.tried = scales.noise(np.arange(len(groups)))
        first = Huber()
        if beside is not None:
            scales.begin_beside(beside)
        if type(first) is not type(loss) or beside is not None:
            scales.settle(first, NEARLY)
        scales.settle(loss, SETTLED)
        scales.descents.converged &= np.isfinite(scales.tried)
        return scales

    def at_last(self, loss: Loss) -> Together:
        """Return what sums the rows of the groups with the scales that were found."""
        assert loss.efficient is not None
        program = replace(self.by_squares.program, loss=Scaled(loss))
        return self._with(program, self.groups, loss.efficient * self.tried)

    def settle(self, loss: Loss, settled: float) -> None:
        """Fit until the scale no longer changes; near the end a line through two changes leads there sooner.

        As the median jumps from row to row, estimates may go in circles; then the last is as good as any.
        """
        assert loss.efficient is not None
        program = replace(self.by_squares.program, loss=Scaled(loss))
        open_ = np.flatnonzero(np.isfinite(self.tried))
        before, changed = np.full(len(self.tried), np.nan), np.full(len(self.tried), np.nan)
        for _ in range(ROUNDS):
            if not len(open_):
                return
            tried = self.tried[open_]
            self._fit(program, open_, loss.efficient * tried)
            noise = np.where(self.descents.converged[open_], self.noise(open_), np.nan)
            change = noise - tried
            with np.errstate(all="ignore"):
                secant = tried - change * (tried - before[open_]) / (change - changed[open_])
                sooner = (np.abs(change) <= NEARLY * tried) & (np.abs(secant - noise) <= 10.0 * np.abs(change))
                ahead = np.where(sooner & (secant > 0.0), secant, noise)
            before[open_], changed[open_] = tried, change
            done = np.abs(change) <= settled * tried
            self.tried[open_] = np.where(done, tried, ahead)
            open_ = open_[~done & np.isfinite(ahead)]

    def begin_beside(self, neighbours: NeighboursOfGroups) -> None:
        """Begin with the noise of neighbouring rows where that is known, from the fit by squares without outliers."""
        rows, groups_noisy = self.by_squares.rows, np.flatnonzero(neighbours.noise[self.groups] > 0.0)
        groups = self.groups[groups_noisy]
        self.tried[groups_noisy] = neighbours.noise[groups]
        several = np.add.reduceat(neighbours.outliers, rows.groups.ends[:-1]) > 0
        groups_noisy, groups = groups_noisy[several[groups]], groups[several[groups]]
        if len(groups):
            omega: Array = np.where(neighbours.outliers, 0.0, 1.0 if rows.omega is None else rows.omega)
            without = replace(self.by_squares, rows=replace(rows, omega=omega))
            self.descents.put_all(groups_noisy, without.from_best(groups, self.starts.points, self.starts.few))

    def _fit(self, program: Program, group_places: Places, scales: Array) -> None:
        """Fit some of the groups with these scales from where they are, or where that fails from the starts.

        By squares outliers may have led them far away.
        """
        groups = self.groups[group_places]
        together = self._with(program, groups, scales)
        descents = together.descend(groups, self.descents.theta[group_places], np.arange(len(group_places)))
        failed = np.flatnonzero(~descents.converged)
        if len(failed):
            descents.put_all(failed, together.from_best(groups[failed], self.starts.points, self.starts.few))
        self.descents.put_all(group_places, descents)

    def _with(self, program: Program, groups: Places, scales: Array) -> Together:
        """Return what fits a program to these groups with a scale each."""
        rows = self.by_squares.rows
        every = np.ones(len(rows.groups))
        every[groups] = scales
        column = {SCALE: np.repeat(every, rows.groups.sizes)}
        return replace(self.by_squares, program=program, rows=replace(rows, columns={**rows.columns, **column}))

    def noise(self, group_places: Places) -> Array:
        """Return the noise that the fits of some groups leave; NaN of those without any."""
        together, groups = self.by_squares, self.groups[group_places]
        rows, arrays = together.rows, together.arrays
        code = code_of_scores(together.program, rows.omega is not None, arrays.language)
        noise_of_groups = np.full(len(group_places), np.nan)
        for some in rows.blocks(groups, np.arange(len(group_places)), arrays):
            block = rows.block(code, groups[some], arrays)
            for band, begin, end in zip(block.bands, block.ends, block.ends[1:], strict=False):
                theta = self.descents.theta[group_places[some[begin:end]]].T
                with np.errstate(all="ignore"):
                    *_, root, residual = band.evaluated(
                        [arrays.from_numpy(each.copy()) for each in theta], arrays, False
                    )
                size = _medians(np.abs(arrays.to_numpy(residual)), _weights(band, arrays.to_numpy(root)))
                noise_of_groups[some[begin:end]] = NORMAL * size
        largest = np.maximum.reduceat(np.abs(rows.y), rows.groups.ends[:-1])[groups]
        return np.where(noise_of_groups > NOISELESS * largest, noise_of_groups, np.nan)


def _weights(band: Band, root: Array) -> Array:
    """Return the weights of the rows of a band, 0 for those that are repeated."""
    if band.surplus is None:
        return root * root
    return root * root * (np.arange(len(root))[:, None] < np.asarray(band.sizes))


def _medians(sizes: Array, omega: Array) -> Array:
    """Return the weighted median of each column: half of its weights lie on either side."""
    order = np.argsort(np.where(omega > 0.0, sizes, np.inf), axis=0, kind="stable")
    upto = np.cumsum(np.take_along_axis(omega, order, axis=0), axis=0)
    half, slack = 0.5 * upto[-1], ROUNDING * upto[-1]
    median_rows = np.stack([(upto < half - slack).sum(axis=0), (upto < half + slack).sum(axis=0)])
    rows = np.take_along_axis(order, median_rows, axis=0)
    median_residuals: Array = np.take_along_axis(sizes, rows, axis=0).mean(axis=0)
    return median_residuals
