"""Whether a descent that converged may have done so in a worse basin than there is: a cheap doubt, then a look."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from descend.descent.objective import Objective
from descend.descent.problem import Problem
from descend.descent.search import ROWS, Found, descended, sample, search
from descend.engines.numpy import NumpyEngine
from descend.formula import Formula
from descend.formula.structure import measures, waves
from descend.gradients.derived import derived
from descend.models import FormulaModel

Array = NDArray[np.float64]
EXPLAINED = 0.99
"""Share of the spread of the response that leaves little doubt: most worse basins explain less."""
PERFECT = 1e-12
"""Share left unexplained that is rounding."""
FOLLOWING = 3.0
"""Correlation of residuals with the next, in standard deviations of that of noise, that is no noise."""
CLEARLY = 1e-6
"""Share of J by which another minimum must be lower: far more than rounding."""
EPOCHS = 20


def doubtful(problem: Problem, theta: Array, loss: float, undetermined: Collection[str]) -> bool:
    """Whether a fit of little use suggests another basin: parameters without influence, or much left unexplained.

    Of a squared loss the share explained is 1 - J / variance of y; of others 1 - (median |r| / median |y - median|)**2,
    which takes longer. Of a response that never changes there is nothing to explain. A formula that has many basins
    explains much in the wrong one too, its trend or its largest peak; there residuals that follow each other tell.
    """
    model = problem.model
    if not isinstance(model, FormulaModel) or model.linear or model.log_linear:
        return False
    if problem.judgement is not None and not problem.judgement.agree:
        return False  # what a wrong gradient leads to is no minimum
    if undetermined:
        return True
    if model.loss.name != "squared":
        left, spread = _by_medians(model, theta, problem)
    else:
        left, spread = loss, _variance(model, problem)
    if left > (1.0 - EXPLAINED) * spread > 0.0:
        return True
    return left > PERFECT * spread > 0.0 and _many_basins(model.formula) and _in_a_row(model, theta, problem)


@lru_cache(maxsize=128)
def _many_basins(formula: Formula) -> bool:
    """Whether it holds a wave of unknown frequency, or two locations: of peaks, or of steps."""
    located = [measure for measure in measures(formula).values() if measure.location is not None]
    return bool(waves(formula)) or len(located) > 1


def _in_a_row(model: FormulaModel, theta: Array, problem: Problem) -> bool:
    """Whether residuals, in the order of the first input, are correlated each with the next."""
    rows = sample(problem.columns, ROWS)
    left = model.observed(rows) - model.predict(theta, rows)
    if model.inputs:
        left = left[np.argsort(rows[model.inputs[0]], kind="stable")]
    left = left - left.mean()
    return float(left[1:] @ left[:-1]) > FOLLOWING / math.sqrt(left.size) * float(left @ left)


def _variance(model: FormulaModel, problem: Problem) -> float:
    """Return the variance of the response, of weighted rows the weighted one."""
    if problem.whole is not None:
        return problem.whole.spread / problem.whole.omega
    y, weights = model.observed(problem.columns), problem.row_weights
    if weights is None:
        mean = float(np.add.reduce(y)) / y.size
        return problem.scale - mean * mean
    omega = problem.columns[weights]
    mean = float(omega.dot(y)) / float(omega.sum())
    return float(omega.dot((y - mean) ** 2)) / float(omega.sum())


def _by_medians(model: FormulaModel, theta: Array, problem: Problem) -> tuple[float, float]:
    y = model.observed(problem.columns)
    left = np.abs(y - model.predict(theta, problem.columns))
    return float(np.median(left)) ** 2, float(np.median(np.abs(y - np.median(y)))) ** 2


def elsewhere(problem: Problem) -> Found | None:
    """Search for starting values anew, on a sample of the rows if there are many."""
    model, bounds = problem.model, problem.objective.bounds
    assert isinstance(model, FormulaModel)
    begin = model.parameters.start({}, 1.0)
    program = derived(model.formula, model.loss, problem.row_weights)
    return search(program, problem.columns, begin if bounds is None else bounds.interior(begin), (), True, bounds)


def lower_elsewhere(problem: Problem, theta: Array) -> Found | None:
    """Return starting values from elsewhere; None if they lead nowhere lower than theta, as far as a sample tells."""
    found, model, weights = elsewhere(problem), problem.model, problem.row_weights
    if found is None or not isinstance(model, FormulaModel):
        return None
    engine = NumpyEngine(derived(model.formula, model.loss, weights), sample(problem.columns, ROWS), weights)
    objective = Objective(engine, problem.objective.penalty, problem.objective.bounds)
    here, _ = descended(objective, theta, EPOCHS)
    there, _ = descended(objective, found.theta, EPOCHS)
    return found if there < here * (1.0 - CLEARLY) else None
