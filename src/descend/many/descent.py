"""Levenberg-Marquardt for many groups at once: each has its own damping and its own end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.many.arrays import Values
from descend.many.bounds_of_groups import Within
from descend.many.first_step import FirstStep
from descend.many.sums import Block, Sums, rows_of_triangle
from descend.many.systems import Entries, Factor, Triangle

Array = NDArray[np.float64]
INFLATED = 1e10
"""More times as large as if the other parameters were known, a variance shows that these cannot be told apart."""
FADED = 1e-18
"""A parameter whose curvature has fallen below this share of what it was on the way has lost its influence."""
LONGEST = 200
"""Evaluations of a group in a block, at most; what has not ended then is left to a fit of its own."""
FIRST, FIRST_OF_ONE, LEAST, MOST = 1.0, 1e-2, 1e-12, 1e12
"""Damping, as a share of the diagonal of the curvature. Several nonlinear parameters begin with more of it than one.

With less, some of equal groups would leap to a mirrored end, such as a logistic curve whose levels are exchanged.
"""
LARGE, ENOUGH, GOOD = 1e-3, 0.2, 0.5
"""A step that promises more than LARGE has to keep ENOUGH of it. Less damping follows one that keeps a GOOD share."""
RESOLVED = 1e-14
"""A step that promises to lower the loss by a smaller share of it is the last one."""
SURE, FORESEEN, UNDAMPED = 1e-8, 1e-15, 1e-3
"""So is one that promises less than SURE, if the next would promise less than FORESEEN, with damping below UNDAMPED."""
RESIDUAL, UNCLEAR = 1e-5, 1e-15
"""A loss that is a smaller share of that of a prediction of 0 is summed from residuals; else so much is rounding."""
LEAST_BENT, MOST_BENT, STIFF = -0.5, 10.0, 1.0
"""The bend counts within these shares of the curvature, with damping up to STIFF."""
ALONG = 1e-6
"""It does not change along steps whose cosine with the change is smaller."""
SETTLED = 0.1
"""The share by which the curvature may change in the last step; where it changes more, the end is no minimum."""
NOISE = 1e-12
"""Where no step lowers the loss, and the promise is below this share of it, that is the rounding of its minimum."""
EXACT, ROUNDING = 1e-31, 1e-26
"""A loss that is a smaller share of that of a prediction of 0 is nothing but rounding, or if no step lowers it."""
SHORT = 1e-4
"""Steps that promise to lower the loss by a smaller share of it are not learned from other groups."""
SCARCE = 0.7
"""Groups are gathered anew once fewer than this share of them go on."""
MANIFOLD, SINGLE = ("theta", "bend", "greatest"), ("before", "damping", "on", "converged", "endless", "last")
"""What is known of each group beside its sums: lists of arrays, and arrays."""


class Ends:
    """Where the groups of a block ended, or stand.

    theta: (p, groups). variances: the diagonal of the inverse of the curvature there. loss: summed over the rows.
    inflation: how many times as large the largest variance is as if the other parameters were known.
    damping: what the next step would have. converged: whether at a minimum. endless: whether parameters ran away, with
    ever less to gain. pending: whether the group goes on.
    """

    def __init__(self, theta: Array, variances: Array, direct: Array, of_groups: list[Values], most: float) -> None:
        """Judge the ends: parameters that the rows do not determine have run away, if they have moved at all.

        direct: the diagonal of the curvature. of_groups: loss, damping; the promise of the last step, NaN where there
        was none; which groups have not ended, and go on if there are at most ``most``; which converged, and ran away;
        of which a parameter lost its influence.
        """
        self.theta, self.variances = theta, variances
        self.loss, self.damping, before, on, converged, endless, faded = of_groups
        self.inflation: Array = (variances * direct).max(axis=0, initial=0.0)
        determined = ~faded & (variances > 0.0).all(axis=0) & (self.inflation < INFLATED)
        self.pending = on if np.count_nonzero(on) <= most else np.zeros_like(on)
        self.endless = (endless | (~determined & (np.isfinite(before) | converged))) & ~self.pending
        self.converged = converged & determined


class _Descent:
    """The groups of a block that descend.

    on: those that have not ended. converged, endless: those that ended at a minimum, or ran away.
    last: those whose last step is still to be taken.
    step, promise: the next step, to be subtracted, and by how much it should lower the loss.
    before: the promise of the last step that was taken. steady: whether that left the curvature as it was.
    greatest: the diagonal of the curvature where it was greatest.
    bend: what the gradients so far show of the second derivatives that Gauss and Newton leave out, as the lower
    triangle of a matrix.
    """

    def __init__(self, block: Block, theta: list[Values], damping: Array, within: Within | None = None) -> None:
        self.within = within
        self.code, self.arrays, self.where = block.code, block.arrays, block.arrays.library.where
        self.block, self.theta, self.damping = block, theta, damping
        self.brief = block.code.brief
        self.at = self._sums(theta)
        self.places = np.arange(block.size.shape[0])
        self.noted: list[Values] = []
        self.before = damping + np.nan
        self.on = self.steady = damping > 0.0
        self.converged = self.last = self.endless = ~self.on
        self.bend = [0.0 * damping for row in self.at.curvature for _ in row]
        self.greatest = [row[-1] for row in self.at.curvature]
        self.leaping = False
        self.look_ahead()

    def look_ahead(self) -> None:
        """Compute the next step, and end the groups that need no evaluation after it, or that have none."""
        self.step, self.promise = self._next(self.at, self.theta, self.damping, self.bend)
        loss, promise, size = self.at.loss, self.promise, self.block.size
        self.scale = loss if self.code.relative else abs(loss) + size
        usable = self.on & (promise >= 0.0)
        foreseen = (promise * promise <= FORESEEN * self.scale * self.before) & (promise <= SURE * self.scale)
        last = usable & ((foreseen & (self.damping <= UNDAMPED) & self.steady) | (promise == 0.0))
        ended = last | (self.on & (loss <= EXACT * size)) if self.code.relative else last
        self.last, self.converged = self.last | last, self.converged | ended
        self.on = self.on & ~ended & (loss - loss == 0.0)
        for row in self.at.curvature:
            self.on = self.on & (row[-1] >= 0.0)  # below 0 it is nothing but rounding
        self.go = usable & self.on
        self.step = [self.where(self.go, step_of_component, 0.0) for step_of_component in self.step]

    def _next(self, at: Sums, theta: Entries, damping: Array, bend: Entries) -> tuple[list[Values], Values]:
        """Return the next step from a point, and what it promises; within the bounds, if there are any."""
        if self.within is None:
            return _step(at, damping, bend)
        blocked = self.within.blocked(theta, at.gradient)
        rows = rows_of_triangle(list(bend), 1)
        free = [
            self.where(blocked_bound | two, 0.0, entry)
            for blocked_bound, row in zip(blocked, rows, strict=True)
            for two, entry in zip(blocked, row, strict=False)
        ]
        blocked_bounds = at.held(blocked, self.arrays)
        return self.within.shortened(blocked_bounds, theta, *_step(blocked_bounds, damping, free))

    def _sums(self, theta: Entries) -> Sums:
        """Sum at a point; with residuals once the loss of a group has become too small to be had without."""
        sums_of_groups = Sums.at(theta, self.block, self.brief)
        if self.brief and bool((sums_of_groups.loss <= RESIDUAL * self.block.size).any()):
            self.brief = False
            return Sums.at(theta, self.block)
        return sums_of_groups

    def _moved(self, theta: Entries, step: Entries) -> list[Values]:
        if self.within is not None:
            return self.within.moved(theta, step)
        return [value - step_of_component for value, step_of_component in zip(theta, step, strict=True)]

    def leap(self, first: FirstStep) -> None:
        """Try to begin with a step that was learned from other groups, where there is a way to go."""
        ends = first.ends(self.at, self.scale, self.arrays)
        far = self.go & (self.promise > SHORT * self.scale)
        self.step = [
            self.where(far & (end - end == 0.0), begin - end, step_of_component)
            for begin, end, step_of_component in zip(self.theta, ends, self.step, strict=True)
        ]
        self.leaping = True

    def evaluate(self) -> None:
        """Evaluate where the step leads, and go there where that is lower."""
        trial = self._moved(self.theta, self.step)
        sums_ahead = self._sums(trial)
        gain, large = self.at.loss - sums_ahead.loss, self.promise > LARGE * self.scale
        lower = self.go & (gain >= large * (ENOUGH * self.promise))
        steady = lower
        for curvature_here, two in zip(sums_ahead.curvature, self.at.curvature, strict=True):
            steady = steady & (abs(curvature_here[-1] - two[-1]) <= SETTLED * curvature_here[-1])
        if not self.leaping:
            self.bend = self._bent(sums_ahead, lower)
        at_rest = self.promise <= self.where(gain > 0.0, RESOLVED, NOISE) * self.scale
        if self.brief:
            at_rest = at_rest | ((gain <= 0.0) & (self.promise <= UNCLEAR * self.block.size))
        if self.code.relative:
            at_rest = at_rest | ((gain <= 0.0) & (self.at.loss <= ROUNDING * self.block.size))
        at_rest = self.go & at_rest
        if bool((lower | ~self.on).all()):
            self.theta, self.at = trial, sums_ahead
        else:
            self.theta = [self.where(lower, new, old) for new, old in zip(trial, self.theta, strict=True)]
            values = zip(sums_ahead.values, self.at.values, strict=True)
            self.at = Sums(self.code, [self.where(lower, new, old) for new, old in values])
        pairs = zip(self.greatest, self.at.curvature, strict=True)
        self.greatest = [self.arrays.library.maximum(most, row[-1]) for most, row in pairs]
        self.before = self.where(lower, self.promise, self.before)
        if self.leaping:
            self.damping = self.where(lower, self.damping.clip(LEAST, UNDAMPED), self.damping)
        else:
            easier = (self.damping * self.where(gain >= GOOD * self.promise, 0.1, 1.0)).clip(LEAST)
            self.damping = self.where(lower, easier, self.damping * 10.0)
        self.leaping = False
        self.converged = self.converged | (at_rest & (steady | ~lower))
        self.endless = self.endless | (at_rest & lower & ~steady)
        self.steady = self.where(lower, steady, self.steady)
        self.on = self.on & ~at_rest & (self.damping <= MOST)

    def _bent(self, sums_ahead: Sums, lower: Values) -> list[Values]:
        """Return the bend B so changed that (S + B) s is how the gradient changed with the step s.

        B grows by v v'/(v's) with  v = change of the gradient - (S + B) s  (symmetric rank one); S is the curvature.
        Source: Dennis, Gay & Welsch (1981), ACM Trans. Math. Softw. 7, 348-368, who change B by another formula.
        """
        matrix = _bent(sums_ahead.curvature, self.bend)
        size, lack = len(matrix), []
        for i, (new, old) in enumerate(zip(sums_ahead.gradient, self.at.gradient, strict=True)):
            products = (matrix[max(i, j)][min(i, j)] * self.step[j] for j in range(size))
            lack.append(sum(products, new - old))  # the step is subtracted
        turned = -sum(lack_of_component * two for lack_of_component, two in zip(lack, self.step, strict=True))
        length = sum(abs(lack_of_component * two) for lack_of_component, two in zip(lack, self.step, strict=True))
        back = lower & (abs(turned) > ALONG * length)
        products = (lack[i] * lack[j] / turned for i in range(size) for j in range(i + 1))
        return [entry + self.where(back, product, 0.0) for entry, product in zip(self.bend, products, strict=True)]

    def gather(self) -> None:
        """Go on with the groups that have not ended."""
        self.note()
        on = self.arrays.to_numpy(self.on)
        groups_on = np.flatnonzero(on)
        group_places = self.arrays.from_numpy(groups_on)
        self.places, self.block = self.places[on], self.block.take(groups_on)
        self.at = self.at.take(group_places, self.arrays)
        for name in (*MANIFOLD, "step"):
            setattr(self, name, [self.arrays.take(each, group_places) for each in getattr(self, name)])
        for name in (*SINGLE, "promise", "scale", "steady", "go"):
            setattr(self, name, self.arrays.take(getattr(self, name), group_places))

    def note(self) -> None:
        """Note where the groups are, of which some will not be gathered again."""
        descent_state = [*self.at.values, *(each for name in MANIFOLD for each in getattr(self, name))]
        descent_state += [getattr(self, name) for name in SINGLE]
        group_places = self.arrays.from_numpy(self.places)
        if not self.noted:  # copies, as two of them may be one array
            self.noted = [self.arrays.take(each, group_places) for each in descent_state]
            return
        for noted_value, value in zip(self.noted, descent_state, strict=True):
            noted_value[group_places] = value

    def ends(self, most: float) -> Ends:
        """Return where all groups of the block are; those that are on go on, if there are at most ``most``."""
        self.note()
        count, sizes = len(self.at.values), [len(getattr(self, name)) for name in MANIFOLD]
        at = Sums(self.code, self.noted[:count])
        theta, bend, greatest = (self.noted[count:][sum(sizes[:k]) : sum(sizes[: k + 1])] for k in range(len(MANIFOLD)))
        before, damping, on, converged, endless, last = self.noted[count + sum(sizes) :]
        step, promise = self._next(at, theta, 0.0 * damping, bend)
        step = [self.where(last, step_of_component, 0.0) for step_of_component in step]
        if self.within is None:
            numbers = (at.theta(theta, step), *at.variances())
        else:
            ended = self.within.moved(theta, step)
            numbers = (at.theta(ended), *at.held(self.within.at_bound(ended), self.arrays).variances())
        group_numbers, inverse, direct = (np.array([self.arrays.to_numpy(each) for each in some]) for some in numbers)
        loss = at.loss - self.where(last, promise, 0.0)
        faded = endless
        for row, largest in zip(at.curvature, greatest, strict=True):
            faded = faded | (row[-1] < FADED * largest)
        group_ends = [self.arrays.to_numpy(each) for each in (loss, damping, before, on, converged, endless, faded)]
        return Ends(group_numbers, inverse, direct, group_ends, most)


def descend_all(
    theta: list[Values],
    block: Block,
    damping: Array,
    share: float = 0.0,
    first: FirstStep | None = None,
    within: Within | None = None,
) -> Ends:
    """Descend from theta, an array over groups for each nonlinear parameter, in all groups of a block.

    It ends when at most a share of them is left. first: the first step that was learned from other groups.
    within: bounds, where no parameter is solved for.
    """
    descent = _Descent(block, theta, damping, within)
    if first is not None:
        descent.leap(first)
    fewest_groups = share * len(descent.places)
    for _ in range(LONGEST):
        left = int(descent.on.sum())
        if left <= fewest_groups:
            break
        if left < SCARCE * len(descent.places):
            descent.gather()
        descent.evaluate()
        descent.look_ahead()
    return descent.ends(fewest_groups)


def _bent(curvature: Triangle, bend: Entries) -> list[list[Values]]:
    """Return the lower triangle of S + B."""
    rows = rows_of_triangle(list(bend), 1)
    return [
        [entry + two for entry, two in zip(curvature_row, added_row, strict=True)]
        for curvature_row, added_row in zip(curvature, rows, strict=True)
    ]


def _step(at: Sums, damping: Array, bend: Entries) -> tuple[list[Values], Values]:
    """Return the step to subtract, and by how much it should lower the loss; NaN where the curvature is not positive.

    A parameter without any influence stays where it is. The bend counts where neither it nor the damping is large.
    """
    bent, trusted = _bent(at.curvature, bend), damping <= STIFF
    for row, more in zip(at.curvature, bent, strict=True):
        trusted = trusted & (more[-1] >= (1.0 + LEAST_BENT) * row[-1]) & (more[-1] <= (1.0 + MOST_BENT) * row[-1])
    damped = []
    for row, more in zip(at.curvature, bent, strict=True):
        trusted_step = [solved + trusted * (two - solved) for solved, two in zip(row, more, strict=True)]
        damped.append([*trusted_step[:-1], trusted_step[-1] * (1.0 + damping) + (row[-1] == 0.0)])
    factor, gradient = Factor.of(damped), at.gradient
    inner = factor.forward(gradient)
    scaled = factor.scaled(inner)
    promise = 0.0 * damping
    for solved, two, pivot in zip(inner, scaled, factor.pivots, strict=True):
        promise = promise + solved * two + 0.0 / (pivot > 0.0)
    return factor.backward(scaled), 0.5 * promise
