"""Few passes over many rows: a start from growing samples, so that only the last digits need all rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Curvature
from descend.gradients.contract import Summand
from descend.optimizers.contract import State
from descend.optimizers.curvature import DAMPING, damped_inverse
from descend.optimizers.lbfgs import LBFGS
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.problem.objective import objective_over
from descend.problem.point import Objective
from descend.starts.search import Start, sample
from descend.table.rows import Rows

Array = NDArray[np.float64]
FEWEST = 200_000
"""Rows from which on samples pay, where all are in memory, for `FEW` parameters; the fewer the more there are."""
FEW = 3
FEWEST_ELSEWHERE = 50_000
"""Rows from which on they pay where a pass is a query, or a scan of files."""
SMALLEST = 500
"""Fewest rows of the first sample."""
EACH = 20
"""Fewest of them for each parameter."""
GROWTH = 16
"""Ratio of the size of a sample to that of the one before, and of all rows to the last sample."""
LARGE, NEIGHBOURS = 1 << 14, 8
"""Rows from which on a sample is made of so many neighbours at a time: memory is read that much at once."""
EPOCHS = 200
MANY = 500
"""Parameters above which their curvature costs more than the rows."""
PASSES, ENOUGH = 20, 1e-15
"""Gradients over all rows with the curvature of a sample, at most; and what they may leave, as a share of J."""
WITHIN = 1e-1
"""Error to which a sample is solved, as a share of its statistical error: further digits are not those of all rows."""


def improved(code: Summand, rows: Rows, objective_of_all: Objective, theta: Array) -> Start | None:
    """Improve a start on samples, the last of a 16th of the rows; None if rows are few, or a descent fails to converge.

    rows: all of them, or those that are in memory. objective_of_all: J over all rows.

    The minimum over n rows lies within about 1/sqrt(n) of that over all, in units of the spread of one row. Each
    sample is solved to a hundredth of that, g'C^-1 g / (2 J) <= 1e-4 / n, from where the last one ended; so the first
    step over all rows begins so close that Gauss-Newton doubles the digits with every pass. Where a curvature costs
    many gradients, that of the last sample leads on instead (see `_carried`).
    """
    here, count, penalty, bounds = rows.count, objective_of_all.rows, objective_of_all.penalty, objective_of_all.bounds
    fewest = FEWEST * FEW / max(theta.size, FEW) if here == count else FEWEST_ELSEWHERE
    smallest = max(SMALLEST, EACH * theta.size)
    if count < max(fewest, smallest * GROWTH) or theta.size > MANY:
        return None
    sizes, passes = [min(count // GROWTH, here)], 0.0
    while sizes[0] >= smallest * GROWTH:
        sizes.insert(0, sizes[0] // GROWTH)
    for size in sizes:
        engine = NumpyEngine(code, sample(rows, size, NEIGHBOURS if size >= LARGE else 1))
        objective = objective_over(engine, penalty, bounds)
        plan = Plan(EPOCHS, epochs_given=False, rate=1.0, promise=WITHIN**2 / size)
        *_, last = descend(objective, LevenbergMarquardt(), theta, plan)
        if not math.isfinite(last.loss) or last.outcome != "converged":
            return None
        theta = last.theta
        passes += objective.passes * size / count
    if here == count and code.costly and bounds is None and not objective_of_all.has_l1:
        theta = _carried(objective_of_all, theta, objective(theta, 2).curvature)
    note = f"start improved on samples of {' and '.join(f'{size:,}' for size in sizes)} rows"
    return Start(theta, note, tuple(sizes), passes)


def _carried(objective: Objective, theta: Array, curvature: Curvature | None) -> Array:
    """Descend over all rows by gradients alone, with the curvature of a sample, corrected by how the gradients change.

    What is left at the end is for the last step, or to be confirmed by it.
    """
    inverse = damped_inverse(curvature)
    if inverse is None or inverse.ndim < 2:
        return theta
    optimizer, point = LBFGS(history=PASSES), objective(theta, 1)
    state: State = (False, inverse, DAMPING, [], [])
    for _ in range(PASSES):
        left = float(point.gradient @ inverse @ point.gradient)
        if not left > ENOUGH * abs(point.loss):
            break
        theta, state = optimizer.step(point, state)
        out_of_date = state[0]
        if theta is point.theta or out_of_date:
            break
        point = objective(theta, 1)
    return theta
