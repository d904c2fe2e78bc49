"""Whether a descent that converged may have done so in a worse basin than there is: a cheap doubt, then a look."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from descend.engines.numpy_engine import NumpyEngine
from descend.formula.structure import waves
from descend.formula.symbols import Parameter
from descend.formula.valleys import like_terms, nonlinear, shared
from descend.gradients.derived import derived
from descend.models import FormulaModel
from descend.problem.objective import objective_over
from descend.problem.posing import Problem
from descend.starts.lack_of_fit import many_basins, something_left
from descend.starts.lower import clearly_lower, rounding
from descend.starts.scan import scannable, valleys
from descend.starts.search import ROWS, Found, descended, sample, search

Array = NDArray[np.float64]
EXPLAINED = 0.99
"""Share of the spread of the response that leaves little doubt: most worse basins explain less."""
USELESS = 0.9
"""Share left unexplained from which on a constant does as well."""
PERFECT = 1e-12
"""Share left unexplained that is rounding."""
SCANNED = 256
"""Rows that a scan reads."""
OPEN = 0.03
"""Standard error of a parameter, as a share of it, from which on another of its values may do nearly as well."""
EPOCHS = 20


class Doubt(Enum):
    """Why a fit may have converged in a worse basin than there is."""

    FORMULA = "its formula has valleys beside each other, of which no residuals tell"
    FIT = "parameters have no influence, or something is left in the residuals"


def doubt(problem: Problem, theta: Array, loss: float, undetermined: Collection[str]) -> Doubt | None:
    """Return why another basin might be better, if a fit gives reason to doubt.

    It has parameters without influence, or much is left unexplained that does not look like noise. Of a squared loss
    the share explained is 1 - J / variance of y; of others 1 - (median |r| / median |y - median|)**2, which takes
    longer. A formula that has many basins explains much in the wrong one too, its trend or its largest peak. Where
    what is left looks like noise, there is nothing that another basin could explain (see ``lack_of_fit``), but for
    one beside it.
    """
    model = problem.model
    if not isinstance(model, FormulaModel) or model.linear or model.log_linear:
        return None
    if problem.judgement is not None and not problem.judgement.agree:
        return None  # what a wrong gradient leads to is no minimum
    if undetermined:
        return Doubt.FIT
    squared = model.loss.name == "squared"
    rows: Mapping[str, Array] | None = None if squared else sample(problem.columns, ROWS)
    left, spread = (loss, _variance(model, problem)) if rows is None else _by_medians(model, theta, rows)
    if not left > max(PERFECT * spread, rounding(problem) if squared else 0.0):
        return None
    if left > USELESS * spread:
        return Doubt.FIT
    if left > (1.0 - EXPLAINED) * spread or many_basins(model.formula):
        rows = sample(problem.columns, ROWS) if rows is None else rows
        if something_left(model, theta, rows, problem.row_weights):
            return Doubt.FIT
    beside = like_terms(model.formula, problem.objective.bounds is not None)
    if squared and (beside or _uncertain(problem, theta, loss, shared(model.formula))):
        return Doubt.FORMULA
    return None


def _uncertain(problem: Problem, theta: Array, loss: float, symbols: Sequence[Parameter]) -> bool:
    """Whether the data leave one of these parameters so open that J may have another valley not much higher."""
    if not symbols:
        return False
    curvature = problem.objective(theta, 2).curvature
    if curvature is None or not np.isfinite(curvature).all():
        return False
    scale = 1.0 / np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
    inverse = np.linalg.pinv(curvature * scale * scale[:, None], hermitian=True)
    free = max(problem.objective.rows - theta.size, 1)
    errors = scale * np.sqrt(2.0 * loss / free * inverse.diagonal())
    places = [problem.model.parameters.slices[symbol.name].start for symbol in symbols]
    return bool((errors[places] > OPEN * np.abs(theta[places])).any())


def _variance(model: FormulaModel, problem: Problem) -> float:
    """Return the variance of the response, of weighted rows the weighted one."""
    if problem.whole is not None:
        return problem.whole.spread / problem.whole.omega
    y, weights = model.observed(problem.columns), problem.row_weights
    if weights is None:
        away = y - float(np.add.reduce(y)) / y.size
        return float(away.dot(away)) / y.size
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


def lower_elsewhere(problem: Problem, theta: Array, doubt: Doubt) -> Found | None:
    """Return starting values from elsewhere; None if they lead nowhere lower than theta, as far as a sample tells."""
    model, weights, bounds = problem.model, problem.row_weights, problem.objective.bounds
    if not isinstance(model, FormulaModel):
        return None
    program = derived(model.formula, model.loss, weights)
    engine = NumpyEngine(program, sample(problem.columns, ROWS), weights)
    objective = objective_over(engine, problem.objective.penalty, bounds)
    here, _ = descended(objective, theta, EPOCHS)

    def lower(points: Sequence[Array]) -> Array | None:
        ends = [(descended(objective, point, EPOCHS)[0], number) for number, point in enumerate(points)]
        there, number = min(ends, default=(math.inf, 0))
        return points[number] if clearly_lower(there, here, rounding(problem), problem.objective.floor) else None

    sought = nonlinear(model.formula)
    alone = len(sought) == 1 and not waves(model.formula)
    if not (scannable(program) and (alone or doubt is Doubt.FORMULA)):
        found = elsewhere(problem)
        return None if found is None or lower([found.theta]) is None else found
    along = sought if alone else shared(model.formula)
    points, tried = valleys(program, sample(problem.columns, SCANNED), theta, along, alone, bounds)
    point = lower(points)
    return None if point is None else Found(point, f"start found among {tried} trial points")
