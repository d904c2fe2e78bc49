"""Groups descend together, in blocks that fit the processor's cache and are shared among the processors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.engines.threads import in_turn
from descend.errors import ConfigError
from descend.gradients.derived import Program
from descend.many.arrays import NUMPY_ARRAYS, Arrays
from descend.many.batch_code import BatchCode, batch_code, code_of_scores
from descend.many.bounds_of_groups import Within
from descend.many.descent import FIRST, FIRST_OF_ONE, Ends, descend_all
from descend.many.first_step import FirstStep
from descend.many.progress import Progress
from descend.many.rows_in_bands import GroupedRows
from descend.many.sandwich import robust_ends
from descend.many.sums import Block, Sums
from descend.many.systems import Factor
from descend.parameters import Bounds

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Steps = list[tuple[Places, FirstStep | None]]
"""Places of descents, and a first step of them that was learned."""
COMPARED, SAME = 16, 1e-9
"""Groups fitted by PyTorch that NumPy fits too, and the share by which their losses may differ."""
LEARNING, LEARNED = 10_000, 500
"""Descents from a common start of which a first step is learned from about so many."""
SLOW = 0.05
"""The share of groups that is left out where some are learned from."""
WAITING = 0.25
"""The share of a block that waits for the rest of other blocks."""
LAST = 1e-6
"""A last step lowers the loss by a smaller share of it."""
DIGITS = 1e-20
"""A step that promises to lower the loss by a smaller share changes no parameter by 1e-9 of its standard error."""

FURTHER = 3
"""Steps after that one, at most, each in fewer groups."""


@dataclass
class Descents:
    """What each of some descents found: parameters and their variances, (descents, p), and sums of the loss.

    variances: the diagonal of the inverse of the curvature of that sum; of a loss that is no likelihood, those of the
    parameters themselves. squares: the sum of the squares of the residuals, where that does not follow from the loss.
    loss is NaN where none has a value. converged, endless: whether it ended at a minimum; whether it ran away, with
    ever less to gain.
    """

    theta: Array
    loss: Array
    converged: NDArray[np.bool_]
    endless: NDArray[np.bool_]
    variances: Array
    squares: Array

    @classmethod
    def none(cls, descents: int, p: int) -> Descents:
        """Return what is known before the descents."""
        theta, variances = np.full((descents, p), np.nan), np.full((descents, p), np.nan)
        converged, endless = np.zeros(descents, dtype=bool), np.zeros(descents, dtype=bool)
        loss, squares = np.full(descents, np.nan), np.full(descents, np.nan)
        return cls(theta, loss, converged, endless, variances, squares)

    def put(self, group: Places, ends: Ends, unit: float) -> None:
        """Note where some of the descents ended."""
        ended = ~ends.pending
        if not ended.all():
            group = group[ended]
        ended_groups = slice(None) if ended.all() else ended
        self.theta[group], self.loss[group] = ends.theta.T[ended_groups], unit * ends.loss[ended_groups]
        self.converged[group], self.endless[group] = ends.converged[ended_groups], ends.endless[ended_groups]
        self.variances[group] = ends.variances.T[ended_groups] / unit

    def put_all(self, group_places: Places, other_descents: Descents) -> None:
        """Take over what others found, at these places."""
        for name, values in other_descents.__dict__.items():
            getattr(self, name)[group_places] = values

    def finish(self, group_places: Places, block: Block, within: Within | None = None) -> Places:
        """Take one more step from where some descents converged; returns in which of them a further one is worth while.

        A descent ends by what its last step promises, at parameters where nothing was summed. The sums there give one
        more step, by Gauss and Newton, and the variances at the end.
        """
        code, arrays = block.code, block.arrays
        begin = [arrays.from_numpy(self.theta[group_places, component]) for component in code.nonlinear]
        at = Sums.at(begin, block)
        if within is not None:  # what lies at a bound is known; elsewhere the step is short
            at_bounds = within.at_bound(begin)
            at = at.held(at_bounds, arrays)
        step = Factor.of(at.curvature).solved(at.gradient)
        promise = sum((0.5 * entry * two for entry, two in zip(step, at.gradient, strict=True)), 0.0 * at.loss)
        ended = at.theta(begin, step) if within is None else within.moved(begin, step)
        theta, variances, (loss, promised) = (
            np.array([arrays.to_numpy(each) for each in some])
            for some in (ended, at.variances()[0], (code.unit * (at.loss - promise), promise))
        )
        sure = self.converged[group_places] & np.isfinite(theta).all(axis=0) & (variances > 0.0).all(axis=0)
        sure &= code.unit * promised <= LAST * abs(loss)  # else it is no end, whatever the descent took it for
        sure_groups = group_places[sure]
        self.theta[sure_groups], self.loss[sure_groups] = theta.T[sure], loss[sure]
        if within is not None:
            variances[np.array([arrays.to_numpy(each) for each in at_bounds])] = np.nan
        self.variances[sure_groups] = variances.T[sure] / code.unit
        further: Places = np.flatnonzero(sure & (code.unit * promised > DIGITS * abs(loss)))
        return further

    def lowest(self, each: int) -> Descents:
        """Return the lowest end, of those that converged if there are any, of ``each`` successive descents."""
        if each == 1:
            return self
        rank = np.where(self.converged, 0.0, np.where(self.endless, 1.0, 2.0)).reshape(-1, each)
        loss = np.where(np.isfinite(self.loss), self.loss, np.inf).reshape(-1, each)
        first = np.lexsort((loss, rank), axis=1)[:, 0] + np.arange(len(loss)) * each
        return Descents(*(getattr(self, name)[first] for name in self.__dict__))

    def lower(self, other_descents: Descents) -> Descents:
        """Return the lower end of each of two descents."""
        pairs = (np.stack([getattr(each, name) for each in (self, other_descents)], axis=1) for name in self.__dict__)
        return Descents(*(pair.reshape(-1, *pair.shape[2:]) for pair in pairs)).lowest(2)


def roots_at(block: Block, theta: Array, within: Within | None = None) -> Array:
    """Return the roots of the covariances of a block (see ``Together.roots_of``)."""
    code, arrays = block.code, block.arrays
    begin = [arrays.from_numpy(theta[:, component].copy()) for component in code.nonlinear]
    at = Sums.at(begin, block)
    still = [] if within is None else within.at_bound(begin)
    root = at.held(still, arrays).root() if still else at.root()
    roots: Array = arrays.matrices(root, block.size) / math.sqrt(code.unit)
    if still:
        roots[np.array([arrays.to_numpy(each) for each in still]).T] = 0.0  # what lies at a bound is known
    return roots


@dataclass(frozen=True)
class Together:
    """A program, and the rows of all groups that it is fitted to.

    progress: notes how many descents ended. bounds: keeps all parameters within bounds, none of which is solved for.
    """

    program: Program
    rows: GroupedRows
    arrays: Arrays = NUMPY_ARRAYS
    progress: Progress | None = None
    bounds: Bounds | None = None

    @cached_property
    def within(self) -> Within | None:
        """The bounds, in the form that a descent reads."""
        return None if self.bounds is None else Within.of(self.bounds, self.arrays)

    @cached_property
    def code(self) -> BatchCode:
        """What is summed over the rows of each group."""
        return batch_code(self.program, self.rows.omega is not None, self.bounds is None, self.arrays.language)

    @cached_property
    def nonlinear(self) -> list[int]:
        """The components that descend; the others are solved for at each step."""
        return list(self.code.nonlinear)

    def descend(self, groups: Places, starts: Array, which: Places, all_of_them: bool = True) -> Descents:
        """Descend in each of these groups, which may be listed several times, from one of the starts, (s, p), each.

        What is left of a block once most of it has ended waits, and is gathered in blocks with what is left of the
        others: few groups in a block take nearly as long as many. all_of_them: else the slowest are left out.
        """
        begin, descents = starts[which][:, self.nonlinear].T.copy(), Descents.none(len(groups), starts.shape[1])
        first = FIRST if len(self.nonlinear) > 1 else FIRST_OF_ONE
        damping, parts = np.full(len(groups), first), self._parts(groups, starts, which)
        while parts:
            blocks = [(block, step) for some, step in parts for block in self.rows.blocks(groups, some, self.arrays)]
            share = WAITING if len(blocks) > 1 else 0.0 if all_of_them else SLOW

            def descended(number: int, blocks: Steps = blocks, share: float = share) -> Places:
                group_places, step = blocks[number]
                block = self.rows.block(self.code, groups[group_places], self.arrays)
                starts_of_block = [self.arrays.from_numpy(each[group_places]) for each in begin]
                with np.errstate(all="ignore"):
                    ends = descend_all(
                        starts_of_block, block, self.arrays.from_numpy(damping[group_places]), share, step, self.within
                    )
                    descents.put(group_places, ends, block.code.unit)
                    self._finish(descents, group_places, block, groups[group_places])
                left = group_places[ends.pending]
                begin[:, left] = ends.theta[self.nonlinear][:, ends.pending]
                damping[left] = ends.damping[ends.pending]
                if self.progress is not None:
                    self.progress.descents(len(group_places) - len(left), len(groups))
                return left

            left = np.concatenate(in_turn(len(blocks), lambda: descended, self.arrays.threads))
            parts = [(left, None)] if len(left) and (all_of_them or len(blocks) > 1) else []
        return descents

    def _finish(self, descents: Descents, group_places: Places, block: Block, groups: Places) -> None:
        """Take the last steps of those that converged, and find their variances.

        There is one more step in each, and further ones where that was longer than rounding explains.
        """
        further, left, some = descents.finish(group_places, block, self.within), block, group_places
        for _ in range(FURTHER):
            if not len(further):
                break
            left, some = left.take(further), some[further]
            further = descents.finish(some, left, self.within)
        loss = self.program.loss
        if loss.likelihood:
            return
        code = code_of_scores(self.program, self.code.weighted, self.arrays.language)
        scores = self.rows.block(code, groups, self.arrays)
        for band, begin, end in zip(scores.bands, scores.ends, scores.ends[1:], strict=False):
            some = group_places[begin:end]
            theta = [self.arrays.from_numpy(each) for each in np.ascontiguousarray(descents.theta[some].T)]
            ends = robust_ends(band, theta, loss, self.arrays)
            descents.theta[some] -= np.where(ends.sure, ends.step, 0.0).T
            descents.variances[some], descents.squares[some] = ends.variances.T, ends.squares
            descents.converged[some] &= ends.sure
            if self.bounds is not None:  # parameters at a bound are left to a fit of its own
                at_bound = (descents.theta[some] <= self.bounds.low) | (descents.theta[some] >= self.bounds.high)
                descents.converged[some] &= ~at_bound.any(axis=1)

    def _parts(self, groups: Places, starts: Array, which: Places) -> Steps:
        """Return the places of the descents, with the first step of those that begin at a start which many share."""
        steps_of_starts: Steps = []
        left = np.ones(len(groups), dtype=bool)
        counts = np.bincount(which)
        for start in np.flatnonzero(counts >= LEARNING).tolist():
            groups_of_start = np.flatnonzero(which == start)
            step = self._first_step(groups[groups_of_start[:: counts[start] // LEARNED]], starts[start])
            if step is not None:
                steps_of_starts.append((groups_of_start, step))
                left[groups_of_start] = False
        return [*steps_of_starts, (np.flatnonzero(left), None)] if left.any() else steps_of_starts

    def _first_step(self, groups: Places, start: Array) -> FirstStep | None:
        """Learn a first step from the descents of a few groups from their start, (p,); None if in vain."""
        groups = groups[np.argsort(self.rows.groups.sizes[groups], kind="stable")]
        first_descents = replace(self, progress=None).descend(
            groups, start[None], np.zeros(len(groups), dtype=np.intp), False
        )
        chosen, start = np.flatnonzero(first_descents.converged), start[self.nonlinear]
        if not len(chosen):
            return None
        block = self.rows.block(self.code, groups[chosen], self.arrays)
        with np.errstate(all="ignore"):
            at = Sums.at([value + 0.0 * block.size for value in start], block)
            scale = at.loss if self.code.relative else abs(at.loss) + block.size
            return FirstStep.learned(start, at, scale, first_descents.theta[chosen][:, self.nonlinear].T, self.arrays)

    def roots_of(self, groups: Places, theta: Array) -> Array:
        """Return R with R R' the covariance of the parameters, but for the scale of the loss, (groups, p, p).

        What has the derivatives g by the parameters, theta, (groups, p), then has the variance |R'g|^2.
        """
        roots, loss = np.empty((*theta.shape, theta.shape[1])), self.program.loss
        code = self.code if loss.likelihood else code_of_scores(self.program, self.code.weighted, self.arrays.language)
        blocks = self.rows.blocks(groups, np.arange(len(groups)), self.arrays)

        def summed(number: int) -> None:
            group = blocks[number]
            block = self.rows.block(code, groups[group], self.arrays)
            with np.errstate(all="ignore"):
                if loss.likelihood:
                    roots[group] = roots_at(block, theta[group], self.within)
                    return
                for band, begin, end in zip(block.bands, block.ends, block.ends[1:], strict=False):
                    own = [self.arrays.from_numpy(each.copy()) for each in theta[group[begin:end]].T]
                    roots[group[begin:end]] = robust_ends(band, own, loss, self.arrays, rooted=True).root

        in_turn(len(blocks), lambda: summed, self.arrays.threads)
        return roots

    def losses(self, groups: Places, starts: Array) -> Array:
        """Return the sum of the loss of each group at each start, (starts, groups); infinite where it has no value."""
        losses = np.empty((len(starts), len(groups)))
        blocks = self.rows.blocks(groups, np.arange(len(groups)), self.arrays)

        def judged(number: int) -> None:
            group_places = blocks[number]
            block = self.rows.block(self.code, groups[group_places], self.arrays)
            with np.errstate(all="ignore"):
                for row, start in zip(losses, starts[:, self.nonlinear], strict=True):
                    row[group_places] = block.code.unit * block.losses(start)

        in_turn(len(blocks), lambda: judged, self.arrays.threads)
        return np.where(np.isfinite(losses), losses, np.inf)

    def from_best(self, groups: Places, starts: Array, few: int) -> Descents:
        """Descend in each group from the few starts with the least loss, and return the lowest end of each."""
        few = min(few, len(starts))
        if len(starts) == 1:
            return self.descend(groups, starts, np.zeros(len(groups), dtype=np.intp))
        losses = self.losses(groups, starts)
        best = np.argsort(losses, axis=0, kind="stable")[:few].T
        return self.descend(np.repeat(groups, few), starts, best.ravel()).lowest(few)

    def compare(self, groups: Places, starts: Array, few: int, descents: Descents) -> None:
        """Hold what PyTorch found in some of the groups against NumPy. Raises ConfigError where they differ."""
        if self.arrays is NUMPY_ARRAYS:
            return
        some = np.linspace(0, len(groups) - 1, min(COMPARED, len(groups))).astype(np.intp)
        together = replace(self, arrays=NUMPY_ARRAYS).from_best(groups[some], starts, few)
        both = descents.converged[some] & together.converged
        differ = np.count_nonzero(~np.isclose(descents.loss[some][both], together.loss[both], rtol=SAME, atol=0.0))
        if differ:
            raise ConfigError(
                f"PyTorch fits {differ} of the {len(some)} groups that were compared otherwise than NumPy. Leave out "
                "the engine and the device."
            )
