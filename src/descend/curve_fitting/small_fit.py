"""A small fit from a start that was given: model, engine, objective and loop, without what comments on a fit."""

from __future__ import annotations

import contextlib
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.curve_fitting.scipy_arguments import Arguments
from descend.descent.beginning import scales
from descend.descent.loop import Plan, descend
from descend.descent.outcome import Outcome
from descend.descent.run import MOST_EPOCHS
from descend.engines.numpy_engine import BLOCK, NumpyEngine
from descend.errors import ConfigError, FormulaError
from descend.gradients.derived import derived
from descend.losses import LOSSES, Loss
from descend.models.curve import Curve, CurveModel
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.options.request import Request
from descend.problem.objective import VectorObjective, objective_over
from descend.table.rows import ALIKE, Roles, Rows
from descend.tracing.proof import PROVED, Pair, same
from descend.tracing.tape import UntraceableError

Array = NDArray[np.float64]
DAMPED = LevenbergMarquardt()
UNDAMPED = LevenbergMarquardt(damping=1e-30)
"""One step of it reaches the minimum of a parabola."""


class Ending(NamedTuple):
    """Where a descent ended: J and its objective there, the sum of the row weights, and how often rows were read."""

    theta: Array
    loss: float
    objective: VectorObjective
    total: float
    calls: int


@lru_cache(maxsize=1)
def least_squares() -> Loss:
    """Return the loss of a fit unless another is asked for."""
    return LOSSES.build(Request.loss)


def direct(arguments: Arguments, curve: Curve, columns: dict[str, Array], sigma: str | None) -> Ending | None:
    """Fit the formula that a function computes to few rows, from a start that was given.

    None where there is more to it than least squares without bounds, or where the descent does not converge.
    """
    if arguments.plain and curve.inputs and len(arguments.y) <= BLOCK:
        with contextlib.suppress(UntraceableError, FormulaError, ConfigError):
            return _fitted(arguments, curve, columns, sigma)
    return None


def _proved(curve: Curve, pair: Pair, theta: Array, columns: dict[str, Array]) -> bool:
    """Whether the function computes at the solution what the formula says, in every row."""
    if isinstance(curve.xdata, np.ndarray):
        xdata = curve.xdata.view()
        xdata.flags.writeable = False  # a function that changes its data is looked at more closely
        with contextlib.suppress(Exception):
            if same(np.asarray(curve.function(xdata, *theta)), pair.expression(theta, columns)):
                return True
    return pair.difference_after(theta, (), columns) is None


def _fitted(arguments: Arguments, curve: Curve, columns: dict[str, Array], sigma: str | None) -> Ending | None:
    loss = least_squares()
    model = CurveModel.free(curve, tuple(columns), sigma, loss)
    theta = arguments.start
    assert theta is not None
    if model.formula.kinked or model.parameters.size < theta.size or not model.inputs:
        return None
    pair = CurveModel.original(curve, model)
    if pair is None or (pair.known not in PROVED and pair.difference(theta, columns) is not None):
        return None
    rows = Rows.of(columns, ALIKE if sigma is None else Roles(sigma=sigma), model.observed)
    rows.check()
    objective = objective_over(NumpyEngine(derived(model.formula, loss), rows))
    first = objective(theta, 2)
    if not math.isfinite(first.loss):
        return None
    size = float(arguments.y.dot(arguments.y)) / len(arguments.y)
    plan = Plan(MOST_EPOCHS, epochs_given=False, rate=1.0, scales=scales(first), scale=size, squares=size)
    for step in descend(objective, UNDAMPED if model.linear else DAMPED, theta, plan):
        last = step
    if last.outcome is not Outcome.CONVERGED or not _proved(curve, pair, last.theta, columns):
        return None
    calls = round(objective.passes)
    if arguments.limit is not None and calls > arguments.limit:
        return None
    return Ending(last.theta, last.loss, objective, rows.total, calls)
