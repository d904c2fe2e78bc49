"""Starting values of a function that can only be called: points of many sizes, linear parameters solved for."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.differences.calls import Calls, alike
from descend.differences.linear import linear_places
from descend.engines.numpy_engine import NumpyEngine
from descend.gradients.numeric import DifferentiatedKernel
from descend.problem.objective import objective_over
from descend.problem.point import Array
from descend.problem.problem import Problem
from descend.starts.search import Start
from descend.starts.search import sampled as places_of
from descend.starts.trial_points import descended, spread

Places = NDArray[np.intp]
CALLS = 160
"""How often a function is called for trial points, where each call takes one."""
TOGETHER = 2048
"""Points that are tried where a call takes many."""
NUMBERS, FEWEST = 20_000_000, 16
"""Values that all trial points may have together, where there are so many rows; but so many points are tried anyway."""
LARGEST = 1 << 20
"""Numbers that one call for many points may return."""
DESCENTS, EPOCHS = 3, 25
"""How many of the lowest points descend, and how far."""
MORE_DESCENTS = 8
"""The same where a call takes many points."""
DECADES = (-2.5, 1.0)
"""Sizes of a parameter, in powers of ten of the range of a column, or of one over it."""
PROBED = 5
"""Number of the point at which linear parameters are probed first."""
MANY, FEW = 20_000, 4_096
"""Rows from which on a search looks at a few of them."""
COMPARED, ENOUGH = 8, 2
"""Points at which a function is called, at most, until so many have shown that it says the same of few rows."""


def sampled(problem: Problem, held: Collection[str]) -> Start | None:
    """Look for starting values of the parameters that are not ``held``; None if J has no value at any point.

    1. Find out by calling it which parameters the function is linear in (``differences.linear``).
    2. Spread points over the others, whose sizes are those that the columns suggest: places among their values, widths
       and rates of several powers of ten, and numbers about 1.
    3. At each, solve for the linear ones by least squares, where the loss is of residuals, and take J there.
    4. Descend a little way from the best few, and return the lowest.
    Of very many rows all this looks at a few, where the function says the same of a row whatever rows are beside it.
    """
    few = _of_few_rows(problem, held) if problem.rows.count >= MANY else None
    if few is not None and (sample_start := sampled(few, held)) is not None:
        return sample_start.in_sample(few.rows.count, problem.rows.count)
    model, rows = problem.model, problem.rows
    calls = model.derivatives(rows.columns).calls
    calls.rows = rows.count
    before = calls.count
    with np.errstate(all="ignore"):
        trials = _Trials(problem, calls, _free(problem, held))
        ranked = trials.ranked()
    if not ranked:
        calls.rows = 0  # so that the next call raises the error that these met
        return None
    descents_at_most = MORE_DESCENTS if calls.together else DESCENTS
    descents_at_most = max(1, min(descents_at_most, NUMBERS // (EPOCHS * max(1, calls.rows))))
    ends = [descended(problem.objective, point, EPOCHS) for _, point in ranked[:descents_at_most]]
    _, theta = min(ends, key=lambda end: end[0] if math.isfinite(end[0]) else math.inf)
    return Start(theta, f"start found among {trials.tried} trial points, in {calls.count - before} calls")


def _of_few_rows(problem: Problem, held: Collection[str]) -> Problem | None:
    """Return the problem of a sample of the rows; None if the function says something else of them by themselves."""
    model, count = problem.model, problem.rows.count
    rows_sampled = places_of(count, FEW)
    single = problem.code.differencing is not None and problem.rows.whitening is None
    few = model.of_rows(rows_sampled, count) if single else None
    if few is None or problem.all_rows is not None or problem.objective.penalty is not None:
        return None
    rows, agreed = problem.rows.take(rows_sampled), 0
    objective = objective_over(NumpyEngine(DifferentiatedKernel(few), rows), bounds=problem.objective.bounds)
    sampled_problem = replace(problem, model=few, rows=rows, objective=objective)
    with contextlib.suppress(Exception), np.errstate(all="ignore"):  # whatever a user's function raises
        trials = _Trials(sampled_problem, few.derivatives(rows.columns).calls, _free(problem, held))
        for number in range(COMPARED):
            theta = trials.point(trials.free, spread(number, len(trials.free)))
            few_scores, other = few.scores(theta, rows.columns), model.scores(theta, problem.rows.columns)[rows_sampled]
            if not alike(few_scores, other):
                return None
            agreed += bool(np.ptp(few_scores[np.isfinite(few_scores)]) > 0.0)
            if agreed == ENOUGH:
                return sampled_problem
    return None


def _free(problem: Problem, held: Collection[str]) -> Places:
    """Return the components of theta that are searched for."""
    return np.flatnonzero(np.isnan(problem.model.parameters.start(dict.fromkeys(held, 0.0), math.nan)))


class _Trials:
    """The points that are tried. free: the components that are searched for."""

    def __init__(self, problem: Problem, calls: Calls, free: Places) -> None:
        self.problem, self.calls, self.theta, self.free = problem, calls, problem.start, free.tolist()
        self.bounds, self.tried = problem.objective.bounds, 0
        columns = [problem.rows.columns[name] for name in problem.model.inputs]
        self.scales = [float(np.ptp(column)) for column in columns if np.ptp(column) > 0.0] or [1.0]
        self.places = [np.quantile(column, np.linspace(0.02, 0.98, 25)) for column in columns]
        self.linear: list[int] = []
        size = float(np.abs(problem.rows.y).max()) or 1.0
        bases = [self.point(free, spread(PROBED + turn, max(1, len(free)))) for turn in (0, 1)]
        if problem.model.loss.of_residual and self.bounds is None:
            calls.learn(bases[0])
            steps = np.where(self.theta == 0.0, size, 1.7 * size)
            self.linear = linear_places(calls, bases, steps, free.tolist())
        self.sought = [theta_index for theta_index in free.tolist() if theta_index not in self.linear]

    def ranked(self) -> list[tuple[float, Array]]:
        """Return J and theta of the trial points at which J has a value, the lowest first."""
        points = []
        each = len(self.linear) + 1
        count = max(2 * len(self.sought), CALLS // each) if not self.calls.together else TOGETHER // each
        count = max(min(count, NUMBERS // (each * max(1, self.calls.rows))), FEWEST)
        for number in range(count if self.sought else 1):
            points.append(self.point(self.sought, spread(number, max(1, len(self.sought)))))
        self.tried = len(points)
        ranked_trials = []
        at_once = max(1, LARGEST // (each * max(1, self.calls.rows)))
        for begin in range(0, len(points), at_once):
            ranked_trials += self._judged(points[begin : begin + at_once])
        return sorted(ranked_trials, key=lambda pair: pair[0])

    def _judged(self, points: list[Array]) -> list[tuple[float, Array]]:
        """Solve for the linear parameters at each point, and return J and theta there."""
        trial_points = []
        for point in points:
            for linear_symbol in (None, *self.linear):
                copy = point.copy()
                copy[self.linear] = 0.0
                if linear_symbol is not None:
                    copy[linear_symbol] = 1.0
                trial_points.append(copy)
        each = len(self.linear) + 1
        values = self.calls.values(np.array(trial_points)).reshape(len(points), each, -1)
        y, loss = self.problem.rows.y, self.problem.model.loss
        omega = np.ones(len(y)) if self.problem.rows.omega is None else self.problem.rows.omega
        judged_trials = []
        for point, (plain, *others) in zip(points, values, strict=True):
            scores, theta = plain, point
            if self.linear:
                columns = np.array([other - plain for other in others]).T
                theta = point.copy()
                if not (np.isfinite(columns).all() and np.isfinite(plain).all()):
                    continue
                root = np.sqrt(omega)
                norms = np.linalg.norm(columns * root[:, None], axis=0)
                norms[norms == 0.0] = 1.0
                solved = np.linalg.lstsq(columns * root[:, None] / norms, (y - plain) * root, rcond=1e-10)[0] / norms
                theta[self.linear], scores = solved, plain + columns @ solved
            total = float(np.sum(omega * loss.value(scores, y)))
            if math.isfinite(total):
                judged_trials.append((total, theta))
        return judged_trials

    def point(self, places: Collection[int], shares: list[float]) -> Array:
        """Return a point whose components at these places come from shares of the unit interval."""
        theta = self.theta.copy()
        for axis, share in zip(places, shares, strict=False):
            theta[axis] = self._value(share)
            if self.bounds is not None:
                low, high = float(self.bounds.low[axis]), float(self.bounds.high[axis])
                if math.isfinite(low) and math.isfinite(high):
                    theta[axis] = low + share * (high - low)
        return theta if self.bounds is None else self.bounds.interior(theta)

    def _value(self, share: float) -> float:
        """Return a value for a share of the unit interval: a place, a width, a rate or a number about 1, by turns."""
        kinds = 4 if self.places else 2
        turn, within = divmod(share * kinds, 1.0)
        low, high = DECADES
        size = float(10.0 ** (low + (high - low) * within))
        number = int(within * 1e6)
        scale = self.scales[number % len(self.scales)]
        if turn == 0:
            return float(10.0 ** (-1.5 + 3.0 * within))
        if turn == 1:
            return 10.0 * size / scale
        if turn == 2:
            quantiles = self.places[number % len(self.places)]
            return float(quantiles[int(within * len(quantiles))])
        return size * scale


__all__ = ["sampled"]
