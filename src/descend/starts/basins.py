"""Whether a descent may have converged in a worse basin than it could: a cheap doubt first, then a closer look."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.beginning import Beginning
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.triangles import well_conditioned
from descend.formula.parametrisation import like_terms, nonlinear, shared
from descend.formula.structure import linear_unknowns, measures, waves
from descend.formula.symbols import Parameter
from descend.gradients.derived import Program, derived
from descend.models import Model
from descend.optimizers.damped_systems import FEW, inverse_columns
from descend.parameters import Bounds
from descend.problem.objective import objective_over
from descend.problem.problem import Problem
from descend.starts.projection import Projection
from descend.starts.residual_noise import many_basins, something_left
from descend.starts.search import ROWS, Start, sample, search
from descend.starts.trial_points import descended, place_of, range_of
from descend.table.rows import Rows, finite

Array = NDArray[np.float64]
EXPLAINED = 0.99
"""Share of the response's spread that, once explained, leaves little doubt: most worse basins explain less."""
USELESS = 0.9
"""Unexplained share from which on a fit is no better than a constant."""
PERFECT = 1e-12
"""Unexplained share that is mere rounding."""
SCANNED = 256
"""Rows that a scan reads."""
OPEN = 0.03
"""Relative standard error of a parameter from which on another of its values may do nearly as well."""
EPOCHS = 20
CLEARLY = 1e-6
"""Share of J by which another minimum must be lower to count: far more than rounding."""
EPSILON = sys.float_info.epsilon
EVERYWHERE = 128
"""Values tried over the whole range of a parameter."""
FACTORS = np.geomspace(0.125, 8.0, 48)
"""Factors by which the value of a parameter is multiplied."""
BELOW = 1e-9
"""Share of J by which the bottom of a valley must lie below its sides; otherwise the profile is merely flat."""
EXPLORED = 3
"""Valleys that are explored, the lowest first."""


class Doubt(Enum):
    """Why a fit may have converged in a worse basin than it could."""

    FORMULA = "its formula has valleys beside each other, of which no residuals tell"
    FIT = "parameters have no influence, or something is left in the residuals"


def doubt(beginning: Beginning, theta: Array, loss: float, undetermined: Collection[str]) -> Doubt | None:
    """Return why another basin might be better, if a fit gives reason to doubt.

    Suspicious are parameters without influence, and a large unexplained share that does not look like noise. For a
    squared loss the share explained is 1 - J / variance of y; for others 1 - (median |r| / median |y - median|)**2,
    which takes longer. A formula with many basins explains much even in a wrong one: its trend, or its largest peak.
    Where the residuals look like noise, no other basin could explain more (see ``lack_of_fit``), except a
    neighbouring one.
    """
    problem = beginning.problem
    model = problem.model.symbolic
    if model is None or model.linear or model.log_linear:
        return None
    if beginning.judgement is not None and not beginning.judgement.agree:
        return None  # a wrong gradient does not lead to a minimum
    if undetermined:
        return Doubt.FIT
    squared = model.loss.quadratic
    rows = None if squared else sample(problem.rows, ROWS)
    left, spread = (loss, _variance(problem)) if rows is None else _by_medians(model, theta, rows)
    if not left > max(PERFECT * spread, rounding(beginning) if squared else 0.0):
        return None
    if left > USELESS * spread:
        return Doubt.FIT
    if left > (1.0 - EXPLAINED) * spread or many_basins(model.formula):
        rows = sample(problem.rows, ROWS) if rows is None else rows
        if something_left(model, theta, rows):
            return Doubt.FIT
    beside = like_terms(model.formula, problem.objective.bounds is not None)
    if squared and (beside or _uncertain(problem, theta, loss, shared(model.formula))):
        return Doubt.FORMULA
    return None


def _uncertain(problem: Problem, theta: Array, loss: float, symbols: Sequence[Parameter]) -> bool:
    """Whether the data determine one of these parameters so poorly that J may have another valley about as low."""
    if not symbols:
        return False
    curvature = problem.objective(theta, 2).matrix
    if curvature is None or not finite(curvature.ravel()):
        return False
    free = max(problem.objective.rows - theta.size, 1)
    places = [problem.model.parameters.slices[symbol.name].start for symbol in symbols]
    variances = zip(_diagonal_of_inverse(curvature, places), theta[places].tolist(), strict=True)
    return any(2.0 * loss / free * variance > (OPEN * value) ** 2 for variance, value in variances)


def _diagonal_of_inverse(curvature: Array, places: Sequence[int]) -> list[float]:
    """Return some numbers on the diagonal of the inverse, or where there is none of the pseudoinverse."""
    if len(curvature) <= FEW and (columns := inverse_columns(curvature.tolist(), places)) is not None:
        return [column[place] for column, place in zip(columns, places, strict=True)]
    scale = 1.0 / np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
    scaled = curvature * scale * scale[:, None]
    inverse = np.linalg.inv(scaled) if well_conditioned(scaled) else np.linalg.pinv(scaled, hermitian=True)
    diagonal: list[float] = (scale * scale * inverse.diagonal())[places].tolist()
    return diagonal


def _variance(problem: Problem) -> float:
    """Return the variance of the response, weighted if the rows are."""
    if problem.all_rows is not None:
        return problem.all_rows.spread / problem.all_rows.omega
    y, omega = problem.rows.y, problem.rows.omega
    if omega is None:
        away = y - float(np.add.reduce(y)) / y.size
        return float(away.dot(away)) / y.size
    mean = float(omega.dot(y)) / float(omega.sum())
    return float(omega.dot((y - mean) ** 2)) / float(omega.sum())


def _by_medians(model: Model, theta: Array, rows: Rows) -> tuple[float, float]:
    y = rows.y
    left = np.abs(y - model.predict(theta, rows.columns))
    return float(np.median(left)) ** 2, float(np.median(np.abs(y - np.median(y)))) ** 2


def search_anew(problem: Problem) -> Start | None:
    """Search for starting values anew, on a sample of the rows if there are many."""
    model, bounds = problem.model, problem.objective.bounds
    assert model.formula is not None
    begin = model.parameters.start({}, 1.0)
    program = derived(model.formula, model.loss)
    return search(program, problem.rows, begin if bounds is None else bounds.interior(begin), (), True, bounds)


def lower_elsewhere(beginning: Beginning, theta: Array, doubt: Doubt) -> Start | None:
    """Return starting values that lead lower than theta, as far as a sample tells; None if none are found."""
    problem = beginning.problem
    model, bounds = problem.model, problem.objective.bounds
    if model.formula is None:
        return None
    program = derived(model.formula, model.loss)
    engine = NumpyEngine(program, sample(problem.rows, ROWS))
    objective = problem.objective.with_priors_of(objective_over(engine, problem.objective.penalty, bounds))
    here, _ = descended(objective, theta, EPOCHS)

    def lower(points: Sequence[Array]) -> Array | None:
        ends = [(descended(objective, point, EPOCHS)[0], number) for number, point in enumerate(points)]
        there, number = min(ends, default=(math.inf, 0))
        return points[number] if clearly_lower(there, here, rounding(beginning), problem.objective.floor) else None

    sought = nonlinear(model.formula)
    alone = len(sought) == 1 and not waves(model.formula)
    if not (scannable(program) and (alone or doubt is Doubt.FORMULA)):
        search_start = search_anew(problem)
        return None if search_start is None or lower([search_start.theta]) is None else search_start
    along = sought if alone else shared(model.formula)
    points, tried = valleys(program, sample(problem.rows, SCANNED), theta, along, alone, bounds)
    point = lower(points)
    return None if point is None else Start(point, f"start found among {tried} trial points")


def clearly_lower(loss: float, other: float, rounding: float, floor: float = 0.0) -> bool:
    """Whether a loss lies below another by more than a small share of it, and by more than the rounding of J.

    floor: the least that J could be; shares are counted from there.

    >>> clearly_lower(-42.1, -42.1, 1e-13), clearly_lower(-42.2, -42.1, 1e-13), clearly_lower(1e-59, 1e-56, 1e-31)
    (False, True, False)
    """
    if not math.isfinite(other):
        return math.isfinite(loss)
    return loss < other - max(CLEARLY * abs(other - floor), rounding)


def rounding(beginning: Beginning) -> float:
    """Return the precision of J: values that differ by less are the same.

    Take the size of the response, or of J at the start if that is 0. For a loss of residuals, which can vanish,
    rounding leaves eps**2 times that size; for a loss that also depends on the prediction, eps times it.
    """
    size = beginning.problem.scale or abs(float(beginning.first.loss))
    if not math.isfinite(size):
        return 0.0
    return size * (EPSILON**2 if beginning.problem.model.loss.of_residual else EPSILON)


def scannable(program: Program) -> bool:
    """Whether the linear parameters of a formula can be solved for at once: for a squared loss of scalar parameters."""
    return program.loss.quadratic and not program.formula.terms and program.by_hand is None


def valleys(
    program: Program, rows: Rows, theta: Array, along: Sequence[Expr], everywhere: bool, bounds: Bounds | None
) -> tuple[list[Array], int]:
    """Return points in other valleys than that of theta, the lowest first, and how many points were tried.

    J is scanned along each parameter in ``along``, near its value and, if ``everywhere``, over its whole range, with
    the other nonlinear ones as in theta: the points are the bottoms of that profile, and theta with like
    terms exchanged.
    """
    axes = [_axis(program, rows.columns, theta, symbol, everywhere, bounds) for symbol in along]
    changed = _exchanged(program, theta, bounds)
    points = np.concatenate([*axes, *([changed] if len(changed) else [])]) if axes or len(changed) else np.empty((0, 0))
    if not len(points):
        return [], 0
    losses, thetas = Projection(program.formula, rows, linear_unknowns(program.formula)).solved(points)
    lowest = []
    begin = 0
    for axis, symbol in zip(axes, along, strict=True):
        cell = slice(begin, begin + len(axis))
        lowest += [begin + number for number in _bottoms(axis[:, place_of(program, symbol).start], losses[cell])]
        begin += len(axis)
    lowest += [begin + number for number in range(len(changed)) if np.isfinite(losses[begin + number])]
    least_valleys = sorted(lowest, key=lambda number: float(losses[number]))[:EXPLORED]
    return [_inside(thetas[number], theta, bounds) for number in least_valleys], len(points)


def _inside(point: Array, theta: Array, bounds: Bounds | None) -> Array:
    return point if bounds is None else bounds.project(point, theta)


def _axis(
    program: Program, columns: Mapping[str, Array], theta: Array, symbol: Expr, everywhere: bool, bounds: Bounds | None
) -> Array:
    """Return theta, and copies of it with one parameter near its value and, if ``everywhere``, over its whole range."""
    theta_index = place_of(program, symbol).start
    values: list[float] = [] if measures(program.formula)[symbol].location else (theta[theta_index] * FACTORS).tolist()
    if everywhere:
        at = range_of(program, columns, symbol)
        values += at((np.arange(EVERYWHERE) + 0.5) / EVERYWHERE).tolist()
    points = np.repeat(theta[None, :], 1 + len(values), axis=0)
    points[1:, theta_index] = values
    return points if bounds is None else points[[0, *(1 + np.flatnonzero(bounds.contains(points[1:])[:, theta_index]))]]


def _bottoms(values: Array, losses: Array) -> Iterable[int]:
    """Yield the local minima of a profile, except its first point, which is theta itself."""
    order = np.argsort(values, kind="stable")
    sides = losses[order] * (1.0 - BELOW)
    lower = (losses[order][1:-1] < sides[:-2]) & (losses[order][1:-1] < sides[2:])
    return (number for number in order[1:-1][lower].tolist() if number)


def _exchanged(program: Program, theta: Array, bounds: Bounds | None) -> Array:
    """Return copies of theta in which the nonlinear parameters of like terms are exchanged."""
    points = []
    for first, second in like_terms(program.formula, bounds is not None):
        first_term, other = (
            [place_of(program, symbol).start for symbol in term_symbols] for term_symbols in (first, second)
        )
        point = theta.copy()
        point[first_term], point[other] = theta[other], theta[first_term]
        if bounds is None or bounds.contains(point).all():
            points.append(point)
    return np.array(points)
