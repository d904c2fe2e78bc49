"""Whether a descent that converged may have done so in a worse basin than there is: a cheap doubt, then a look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.lack_of_fit import like_noise, out_of_line, turning
from descend.descent.lower import clearly_lower, rounding
from descend.descent.objective import Objective
from descend.descent.problem import Problem
from descend.descent.search import ROWS, Found, descended, sample, search
from descend.engines.numpy import NumpyEngine
from descend.formula import Formula
from descend.formula.compile import over_rows
from descend.formula.structure import measures, waves
from descend.gradients.derived import derived
from descend.models import FormulaModel

Array = NDArray[np.float64]
EXPLAINED = 0.99
"""Share of the spread of the response that leaves little doubt: most worse basins explain less."""
PERFECT = 1e-12
"""Share left unexplained that is rounding."""
EPOCHS = 20


def doubtful(problem: Problem, theta: Array, loss: float, undetermined: Collection[str]) -> bool:
    """Whether a fit of little use suggests another basin: parameters without influence, or much left unexplained.

    Of a squared loss the share explained is 1 - J / variance of y; of others 1 - (median |r| / median |y - median|)**2,
    which takes longer. A formula that has many basins explains much in the wrong one too, its trend or its largest
    peak. What is left may be noise: then there is nothing that another basin could explain (see ``lack_of_fit``).
    """
    model = problem.model
    if not isinstance(model, FormulaModel) or model.linear or model.log_linear:
        return False
    if problem.judgement is not None and not problem.judgement.agree:
        return False  # what a wrong gradient leads to is no minimum
    if undetermined:
        return True
    squared = model.loss.name == "squared"
    rows: Mapping[str, Array] | None = None if squared else sample(problem.columns, ROWS)
    left, spread = (loss, _variance(model, problem)) if rows is None else _by_medians(model, theta, rows)
    if not left > max(PERFECT * spread, rounding(problem) if squared else 0.0):
        return False
    if left <= (1.0 - EXPLAINED) * spread and not _many_basins(model.formula):
        return False
    return _something_left(model, theta, problem, sample(problem.columns, ROWS) if rows is None else rows)


def _something_left(model: FormulaModel, theta: Array, problem: Problem, rows: Mapping[str, Array]) -> bool:
    """Whether residuals look like anything but noise, along the inputs or the prediction, to what the formula can."""
    prediction = model.predict(theta, rows)
    left = model.observed(rows) - prediction
    if (weights := problem.row_weights) is not None:
        left = left * np.sqrt(rows[weights])
    along = [rows[name] for name in model.inputs]
    if len(along) > 1:
        along.append(prediction)
    if not like_noise(left, along):
        return True
    turned, located = _kinds(model.formula)
    return (located and out_of_line(left)) or any(turning(left, over_rows(each, rows, left.size)) for each in turned)


@lru_cache(maxsize=128)
def _many_basins(formula: Formula) -> bool:
    """Whether it holds a wave of unknown frequency, or two locations: of peaks, or of steps."""
    located = [measure for measure in measures(formula).values() if measure.location is not None]
    return bool(waves(formula)) or len(located) > 1


@lru_cache(maxsize=128)
def _kinds(formula: Formula) -> tuple[tuple[Expr, ...], bool]:
    """Return what the waves of a formula turn along, and whether it has a location: of a peak, or of a step."""
    located = any(measure.location is not None for measure in measures(formula).values())
    return tuple({wave.along for wave in waves(formula).values()}), located


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


def _by_medians(model: FormulaModel, theta: Array, rows: Mapping[str, Array]) -> tuple[float, float]:
    y = model.observed(rows)
    left = np.abs(y - model.predict(theta, rows))
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
    return found if clearly_lower(there, here, rounding(problem)) else None
