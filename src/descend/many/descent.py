"""Levenberg-Marquardt for many groups at once: each has its own damping and its own end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.arrays import Arrays, Values
from descend.many.code import BatchCode
from descend.many.systems import Entries, Factor, Triangle

Array = NDArray[np.float64]
Places = NDArray[np.intp]
LONGEST = 200
"""Evaluations of a group in a block, at most; what has not ended then is left to a fit of its own."""
FIRST, LEAST, MOST = 1e-2, 1e-12, 1e12
"""Damping, as a share of the diagonal of the curvature."""
RESOLVED = 1e-14
"""A step that promises to lower the loss by a smaller share of it is the last one."""
SURE, FORESEEN, UNDAMPED = 1e-8, 1e-17, 1e-3
"""So is one that promises less than SURE, if the next would promise less than FORESEEN, with damping below UNDAMPED."""
SETTLED = 0.1
"""The share by which the curvature may change in the last step; where it changes more, the end is no minimum."""
NOISE = 1e-12
"""Where no step lowers the loss, and the promise is below this share of it, that is the rounding of its minimum."""
EXACT = 1e-27
"""A loss that is a smaller share of that of a prediction of 0 is nothing but rounding."""
SCARCE = 0.7
"""Groups are gathered anew once fewer than this share of them go on."""


@dataclass
class Block:
    """Some groups. data: what the code reads of them, (rows, groups) each; products: sums of it, (groups,) each.

    count: the rows of each group, where it is the same for all. size: half the sum of the squares of the responses.
    """

    data: list[Array]
    products: list[Array]
    count: float
    size: Array

    def take(self, places: Values, arrays: Arrays) -> Block:
        """Return some of the groups."""
        data, products = ([arrays.take(each, places) for each in some] for some in (self.data, self.products))
        return Block(data, products, self.count, arrays.take(self.size, places))


class Sums:
    """What is summed over the rows of each group at one point, and follows from it, as a list of arrays over groups.

    They are the loss; the parameters c that were solved for; the gradient and the lower triangle of the curvature of
    the projected loss; and for standard errors the factors of phi'phi = L D L', and the columns of L^-1 phi'D.
    """

    def __init__(self, code: BatchCode, values: list[Values]) -> None:
        self.code, self.values = code, values

    @classmethod
    def at(cls, code: BatchCode, theta: Entries, block: Block, arrays: Arrays) -> Sums:
        """Sum a block at nonlinear parameters, an array over groups each."""
        given = block.data, block.products, theta, block.count, _solve, arrays.dot, arrays.total
        solved, loss, gradient, own, across, factor = code.evaluate(*given, False)
        curvature, values = own, [loss, *solved, *gradient]
        inner: list[Values] = []
        if solved:  # the pivots of the factors first, then what is below the diagonal
            inner = [factor.forward(column) for column in zip(*across, strict=True)]
            scaled = [factor.scaled(column) for column in inner]
            curvature = [
                [_less(entry, inner[i], scaled[j]) for j, entry in enumerate(row)] for i, row in enumerate(own)
            ]
            inner = [*factor.pivots, *(entry for row in (*factor.below, *inner) for entry in row)]
        values += [entry for row in curvature for entry in row] + inner
        return cls(code, [each if getattr(each, "ndim", 0) else each + 0.0 * block.size for each in values])

    def _part(self, number: int) -> list[Values]:
        begin, end = self.code.parts[number : number + 2]
        return self.values[begin:end]

    @property
    def loss(self) -> Array:
        found: Array = self.values[0]
        return found

    @property
    def solved(self) -> Entries:
        """c, one after the other."""
        return self._part(1)

    @property
    def gradient(self) -> Entries:
        return self._part(2)

    @property
    def curvature(self) -> Triangle:
        return _rows(self._part(3), 1)

    @property
    def factor(self) -> Factor:
        """The factors of phi'phi."""
        return Factor(_rows(self._part(5), 0), self._part(4))

    @property
    def inner(self) -> list[Entries]:
        """The columns of L^-1 phi'D, one for each nonlinear parameter."""
        linear, entries = len(self.code.linear), self._part(6)
        return [entries[begin : begin + linear] for begin in range(0, len(entries), linear)] if linear else []

    def take(self, places: Values, arrays: Arrays) -> Sums:
        """Return those of some groups."""
        return Sums(self.code, [arrays.take(each, places) for each in self.values])

    def theta(self, nonlinear: Entries, step: Entries | None = None) -> list[Values]:
        """Return all parameters by their places; after a last step, which c follows to first order."""
        solved = list(self.solved)
        if step is not None:
            factor = self.factor
            for column, own in zip(self.inner, step, strict=False):
                moved = factor.backward(factor.scaled(column))
                solved = [value + entry * own for value, entry in zip(solved, moved, strict=True)]
            nonlinear = [value - own for value, own in zip(nonlinear, step, strict=True)]
        found = dict(zip((*self.code.nonlinear, *self.code.linear), (*nonlinear, *solved), strict=True))
        return [found[place] for place in range(self.code.size)]

    def variances(self) -> list[Values]:
        """Return the diagonal of the inverse of the curvature in all parameters, by their places."""
        curvature, factor = Factor.of(self.curvature), self.factor
        found = dict(zip(self.code.nonlinear, curvature.inverse_diagonal(), strict=True))
        moved = [factor.backward(factor.scaled(column)) for column in self.inner]
        for k, (place, own) in enumerate(zip(self.code.linear, factor.inverse_diagonal(), strict=True)):
            found[place] = own + curvature.square([column[k] for column in moved])
        return [found[place] for place in range(self.code.size)]


def _solve(gram: Triangle, right: Entries) -> tuple[Entries, Factor]:
    factor = Factor.of(gram)
    return factor.solved(right), factor


def _less(entry: Values, one: Entries, other: Entries) -> Values:
    for left, right in zip(one, other, strict=True):
        entry = entry - left * right
    return entry


def _rows(entries: list[Values], first: int) -> Triangle:
    """Return the rows of a lower triangle, of which the first has so many entries, and each one more than the last."""
    rows: list[Entries] = []
    begin = 0
    while begin < len(entries) or (not rows and not first):
        rows.append(entries[begin : begin + first + len(rows)])
        begin += first + len(rows) - 1
    return rows


class Ends:
    """Where the groups of a block ended, or stand.

    theta, variances: (p, groups), NaN where there is no end; the diagonal of the inverse of the curvature. loss: summed
    over the rows. damping: what the next step would have. converged, pending: whether a group did, or goes on.
    """

    def __init__(self, size: int, groups: int) -> None:
        self.theta, self.variances = np.full((size, groups), np.nan), np.full((size, groups), np.nan)
        self.loss, self.damping = np.full(groups, np.nan), np.full(groups, np.nan)
        self.converged, self.pending = np.zeros(groups, dtype=bool), np.zeros(groups, dtype=bool)


class _Descent:
    """The groups of a block that descend.

    on: those that have not ended. converged, last: those that ended at a minimum; those whose last step is still to be
    taken. step, promise: the next step, to be subtracted, and by how much it should lower the loss. before: the promise
    of the last step that was taken. steady: whether that left the curvature as it was.
    """

    def __init__(self, code: BatchCode, arrays: Arrays, block: Block, theta: list[Values], damping: Array) -> None:
        self.code, self.arrays, self.where = code, arrays, arrays.library.where
        self.block, self.theta, self.damping = block, theta, damping
        self.at = Sums.at(code, theta, block, arrays)
        self.places = np.arange(block.size.shape[0])
        self.ends = Ends(code.size, len(self.places))
        self.before = damping + np.nan
        self.on = self.steady = damping > 0.0
        self.converged = self.last = ~self.on
        self.look_ahead()

    def look_ahead(self) -> None:
        """Compute the next step, and end the groups that need no evaluation after it, or that have none."""
        self.step, self.promise = _step(self.at, self.damping)
        loss, promise, size = self.at.loss, self.promise, self.block.size
        self.scale = loss if self.code.relative else abs(loss) + size
        usable = self.on & (promise >= 0.0)
        foreseen = (promise * promise <= FORESEEN * self.scale * self.before) & (promise <= SURE * self.scale)
        last = usable & ((foreseen & (self.damping <= UNDAMPED) & self.steady) | (promise == 0.0))
        ended = last | (self.on & (loss <= EXACT * size)) if self.code.relative else last
        self.last, self.converged = self.last | last, self.converged | ended
        self.on = self.on & ~ended & (loss - loss == 0.0)
        self.go = usable & self.on
        self.step = [self.where(self.go, own, 0.0) for own in self.step]

    def evaluate(self) -> None:
        """Evaluate where the step leads, and go there where that is lower."""
        trial = [value - own for value, own in zip(self.theta, self.step, strict=True)]
        there = Sums.at(self.code, trial, self.block, self.arrays)
        lower = self.go & (there.loss <= self.at.loss)
        steady = lower
        for one, two in zip(there.curvature, self.at.curvature, strict=True):
            steady = steady & (abs(one[-1] - two[-1]) <= SETTLED * one[-1])
        at_rest = self.go & (self.promise <= self.where(lower, RESOLVED, NOISE) * self.scale)
        if bool((lower | ~self.on).all()):
            self.theta, self.at = trial, there
        else:
            self.theta = [self.where(lower, new, old) for new, old in zip(trial, self.theta, strict=True)]
            values = zip(there.values, self.at.values, strict=True)
            self.at = Sums(self.code, [self.where(lower, new, old) for new, old in values])
        self.before = self.where(lower, self.promise, self.before)
        self.damping = self.where(lower, (self.damping * 0.1).clip(LEAST), self.damping * 10.0)
        self.converged = self.converged | (at_rest & (steady | ~lower))
        self.steady = self.where(lower, steady, self.steady)
        self.on = self.on & ~at_rest & (self.damping <= MOST)

    def gather(self) -> None:
        """Note where the groups are that have ended, and go on with the others."""
        on = self.arrays.returned(self.on)
        self.put(np.flatnonzero(~on), pending=False)
        places = self.arrays.given(np.flatnonzero(on))
        self.places = self.places[on]
        self.block, self.at = self.block.take(places, self.arrays), self.at.take(places, self.arrays)
        self.theta, self.step = ([self.arrays.take(each, places) for each in some] for some in (self.theta, self.step))
        for name in ("promise", "scale", "before", "damping", "steady", "on", "go", "converged", "last"):
            setattr(self, name, self.arrays.take(getattr(self, name), places))

    def put(self, chosen: Places, pending: bool) -> None:
        """Note where some groups are, as those that have ended or those that go on."""
        if not len(chosen):
            return
        arrays, ends, places = self.arrays, self.ends, self.places[chosen]
        some = arrays.given(chosen)
        at, damping, last = self.at.take(some, arrays), arrays.take(self.damping, some), arrays.take(self.last, some)
        step, promise = _step(at, 0.0 * damping)
        step, promise = [self.where(last, own, 0.0) for own in step], self.where(last, promise, 0.0)
        theta = at.theta([arrays.take(each, some) for each in self.theta], step)
        ends.theta[:, places] = [arrays.returned(each) for each in theta]
        ends.loss[places], ends.damping[places] = arrays.returned(at.loss - promise), arrays.returned(damping)
        ends.converged[places], ends.pending[places] = arrays.returned(arrays.take(self.converged, some)), pending
        if not pending:
            ends.variances[:, places] = [arrays.returned(each) for each in at.variances()]


def descend_all(
    code: BatchCode, theta: list[Values], block: Block, damping: Array, arrays: Arrays, share: float = 0.0
) -> Ends:
    """Descend from theta, an array over groups for each nonlinear parameter, in all groups of a block.

    It ends when at most a share of them is left.
    """
    descent = _Descent(code, arrays, block, theta, damping)
    least = share * len(descent.places)
    for _ in range(LONGEST):
        left = int(descent.on.sum())
        if left <= least:
            break
        if left < SCARCE * len(descent.places):
            descent.gather()
        descent.evaluate()
        descent.look_ahead()
    on = arrays.returned(descent.on)
    descent.put(np.flatnonzero(~on), pending=False)
    descent.put(np.flatnonzero(on), pending=left <= least)
    return descent.ends


def losses(code: BatchCode, theta: Entries, block: Block, arrays: Arrays) -> Array:
    """Return the sum of the loss over the rows of each group at nonlinear parameters (q,)."""
    ones = block.size * 0.0 + 1.0
    given = block.data, block.products, [value * ones for value in theta], block.count, _solve
    found: Array = arrays.returned(code.evaluate(*given, arrays.dot, arrays.total, True)[1] * ones)
    return found


def _step(at: Sums, damping: Array) -> tuple[list[Values], Values]:
    """Return the step to subtract, and by how much it should lower the loss; NaN where the curvature is not positive.

    A parameter without any influence stays where it is.
    """
    damped = [[*row[:-1], row[-1] * (1.0 + damping) + (row[-1] == 0.0)] for row in at.curvature]
    factor, gradient = Factor.of(damped), at.gradient
    inner = factor.forward(gradient)
    scaled = factor.scaled(inner)
    promise = 0.0 * damping
    for one, two, pivot in zip(inner, scaled, factor.pivots, strict=True):
        promise = promise + one * two + 0.0 / (pivot > 0.0)
    return factor.backward(scaled), 0.5 * promise
