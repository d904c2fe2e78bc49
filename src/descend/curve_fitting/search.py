"""Other starts, where the one at hand led nowhere: those of a formula are searched for, others are tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.posing import Data, data_of, problem_of
from descend.curve_fitting.scipy_arguments import Arguments
from descend.descent.solution import Solution
from descend.errors import DescendError
from descend.problem.problem import Problem
from descend.starts.begin_and_descend import solve
from descend.starts.residual_noise import following

Array = NDArray[np.float64]
TRIED, TAKEN = 60, 3
"""Points at which the function is called, and of which descents begin."""
EXPLAINED = 0.9
"""Share of the spread of ydata; where a curve explains more, none other is sought."""
MANY = 1_000
"""Rows from which on residuals tell noise from what a curve misses; so many of them are looked at."""


def better(arguments: Arguments, data: Data, problem: Problem, solution: Solution) -> Solution:
    """Return a solution from other starts if it is better than one that failed, or that was begun anywhere."""
    given = arguments.start is not None
    if solution.succeeded and (given or problem.model.formula is not None or explains(solution, arguments)):
        return solution
    found = solution
    for start in starts(arguments, problem):
        try:
            other, request = problem_of(replace(arguments, start=start), data)
            trial = solve(other, request)
        except (DescendError, ValueError):
            continue
        if trial.succeeded and not (found.succeeded and found.loss <= trial.loss):
            found = trial
    return found


def explains(solution: Solution, arguments: Arguments) -> bool:
    """Whether a solution explains most of the spread of the response, or leaves what looks like noise of very many."""
    y = solution.sample.y
    if solution.loss <= (1.0 - EXPLAINED) * solution.loss_function.unit / 2.0 * float(np.var(y)):
        return True
    along = arguments.xdata
    if len(y) < MANY or not isinstance(along, np.ndarray) or along.shape != y.shape or along.dtype.kind not in "iuf":
        return False
    residuals = y - solution.model.scores(solution.theta, solution.columns)
    rows = np.linspace(0, len(y) - 1, MANY).astype(np.intp)
    return not following(residuals[rows], along[rows])


def starts(arguments: Arguments, problem: Problem) -> Iterator[Array | None]:
    """Yield starts that promise most: None for a search, which only a formula allows."""
    if problem.model.formula is not None:
        if arguments.start is not None:
            yield None
        return
    if arguments.root is not None:  # errors that know nothing of each other lead near enough
        apart = replace(arguments, root=None)
        yield solve(*problem_of(apart, data_of(apart))).theta
    points = list(spread(arguments))
    losses = []
    for point in points:
        try:
            losses.append(problem.objective(point, 0).loss)
        except (DescendError, ArithmeticError):
            losses.append(math.inf)
    order = np.argsort(losses, kind="stable")
    yield from (points[place] for place in order[:TAKEN].tolist() if math.isfinite(losses[place]))


def spread(arguments: Arguments) -> Iterator[Array]:
    """Yield points of all magnitudes from 0.01 to 100 and both signs, or within bounds."""
    rng = np.random.default_rng(0)
    free = np.full(arguments.size, math.inf)
    low = -free if arguments.low is None else arguments.low
    high = free if arguments.high is None else arguments.high
    both = np.isfinite(low) & np.isfinite(high)
    for number in range(TRIED):
        size = 10.0 ** rng.uniform(-2.0, 2.0, arguments.size)
        sign = rng.choice((-1.0, 1.0), arguments.size) if number % 2 else 1.0
        point = np.where(np.isfinite(low), low + size, np.where(np.isfinite(high), high - size, sign * size))
        point[both] = (low + rng.uniform(0.02, 0.98, arguments.size) * (high - low))[both]
        yield point
