"""Starting values without the user: many trial points in the data's own units, linear parameters solved at each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.constraints import Bounds
from descend.descent.loop import Plan, descend
from descend.descent.objective import Objective, Point
from descend.descent.trials import name_of, place_of, trials, tunings
from descend.engines.numpy import NumpyEngine
from descend.formula.structure import even_parameters, interchangeable, linear_unknowns, phases, waves
from descend.formula.symbols import Parameter
from descend.gradients.contract import Program
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt

Array = NDArray[np.float64]
ROWS = 512
"""Rows that trial points are judged on, evenly spaced through the table."""
STAGES = ((32, 8), (8, 100))
"""How many of the best points a descent is made from, and of how many epochs; twice, as most are soon seen to fail."""
CANCELLED = 1e-6
"""Share of J left of it after a step, below which the difference has too few digits to rank points by."""
SAME = 1e-6
"""Relative difference of J below which two descents have ended in the same place."""


@dataclass(frozen=True)
class Found:
    """A start: theta, and how it was found, in words."""

    theta: Array
    note: str


def search(
    program: Program,
    columns: Mapping[str, Array],
    theta: Array,
    given: Collection[str],
    polish: bool,
    bounds: Bounds | None = None,
) -> Found | None:
    """Look for starting values of the parameters that are not ``given``; None if none gives a finite loss.

    1. Spread trial points over the nonlinear parameters, each in its own unit (``formula.structure.measures``).
    2. At each, solve for the linear parameters, where J is a parabola in them, and take J there.
    3. From the best, tune one wave after another (sin, cos, tan) to every frequency the rows can tell apart.
    4. Descend a little way from the best few (``polish``), and return the lowest.
    Everything is deterministic, and stays within ``bounds``.
    """
    rows = sample(columns, ROWS)
    linear = linear_components(program, given)
    quadratic = program.loss.name == "squared"
    engine = NumpyEngine(program, rows, None if program.weights is None else program.weights.name)
    objective = Objective(engine, bounds=bounds)
    free = [symbol for symbol in program.formula.unknowns if name_of(program, symbol) not in given]
    scanned = [symbol for symbol in free if not linear[place_of(program, symbol)].any()]
    tried = 0

    def solved(points: Iterable[Array]) -> list[tuple[float, Array]]:
        nonlocal tried
        inside = points if bounds is None else (bounds.folded(point, number) for number, point in enumerate(points))
        found = [_solved(objective, point, linear, quadratic) for point in inside]
        tried += len(found)
        return sorted((pair for pair in found if pair is not None), key=lambda pair: pair[0])

    ends = solved(trials(program, rows, theta, scanned))
    if not ends:
        return None
    for symbol in waves(program.formula):
        if symbol in scanned:
            ends += solved(tunings(program, rows, ends[0][1], symbol, scanned))
            ends.sort(key=lambda pair: pair[0])
    words = f"start found among {tried} trial points" if tried > 1 else "linear parameters solved at the start"
    if not polish:
        return Found(ends[0][1], words)
    for count, epochs in STAGES:
        starts = [_settled(program, point, given, bounds) for _, point in ends[:count]]
        ends = sorted((descended(objective, point, epochs) for point in starts), key=lambda pair: pair[0])
    best, point = ends[0]
    reached = sum(abs(loss - best) <= SAME * abs(best) for loss, _ in ends)
    words += f"; {reached} of the {len(ends)} best descents from them ended here"
    return Found(_settled(program, point, given, bounds), words)


def _settled(program: Program, theta: Array, given: Collection[str], bounds: Bounds | None = None) -> Array:
    """Choose among equal answers: positive signs, phases in [-pi, pi], interchangeable terms in ascending order."""
    formula, slices = program.formula, program.parameters.slices
    settled = theta.copy()

    def places(*symbols: Parameter | None) -> list[int] | None:
        free = [symbol for symbol in symbols if symbol is not None and symbol.name not in given]
        return [slices[symbol.name].start for symbol in free] if len(free) == len(symbols) else None

    for symbol, others in even_parameters(formula).items():
        together = places(symbol, *others)
        if together and settled[together[0]] < 0.0:
            settled[together] *= -1.0
    for phase, amplitude in phases(formula).items():
        if (pair := places(phase, amplitude)) and settled[pair[1]] < 0.0:
            settled[pair] = settled[pair[0]] + math.pi, -settled[pair[1]]
        if own := places(phase):
            settled[own[0]] = math.remainder(settled[own[0]], 2.0 * math.pi)
    linear = linear_unknowns(formula)
    for group in interchangeable(formula):
        rows = [places(*own) for own in group]
        if any(row is None for row in rows):
            continue
        at = np.array(rows)
        leader = next((column for column, symbol in enumerate(group[0]) if symbol not in linear), 0)
        settled[at] = settled[at[np.argsort(settled[at[:, leader]], kind="stable")]]
    return settled if bounds is None or bounds.contains(settled).all() else theta


def sample(columns: Mapping[str, Array], size: int) -> dict[str, Array]:
    """Choose a row at random (the same each time) from each of ``size`` stretches: even steps could hide a wave."""
    rows = len(next(iter(columns.values())))
    if rows <= size:
        return dict(columns)
    chosen = sampled(rows, size)
    return {name: column[chosen] for name, column in columns.items()}


def sampled(rows: int, size: int, together: int = 1) -> NDArray[np.intp]:
    """Return the places of the rows that `sample` chooses; ``together`` neighbours in the place of each single row."""
    count = size // together
    within = np.random.default_rng(size).random(count)
    first = ((np.arange(count) + within) * (rows // together) / count).astype(np.intp) * together
    return (first[:, None] + np.arange(together)).ravel()


def linear_components(program: Program, given: Collection[str]) -> NDArray[np.bool_]:
    """Mark the components of theta in which the expression is jointly linear, save those that were given a start."""
    linear = np.zeros(program.parameters.size, dtype=bool)
    for symbol in linear_unknowns(program.formula):
        linear[place_of(program, symbol)] = name_of(program, symbol) not in given
    return linear


def _solved(
    objective: Objective, trial: Array, linear: NDArray[np.bool_], quadratic: bool
) -> tuple[float, Array] | None:
    """Move the linear components of ``trial`` to their minimum; returns J there and the point, None if not finite."""
    point = objective(trial, 2)
    for _ in range(1 if quadratic else 3):
        if not _usable(point):
            return None
        assert point.curvature is not None
        if not linear.any():
            break
        step = _newton(point.curvature[np.ix_(linear, linear)], point.gradient[linear])
        moved = point.theta.copy()
        moved[linear] += step
        if objective.bounds is not None:
            moved = objective.bounds.project(moved, point.theta)
        if quadratic and objective.bounds is None:
            loss = point.loss + 0.5 * float(point.gradient[linear] @ step)
            if not loss > CANCELLED * point.loss:
                loss = objective(moved, 0).loss
            return (loss, moved) if math.isfinite(loss) else None
        point = objective(moved, 2)
    return (point.loss, point.theta) if _usable(point) else None


def _newton(curvature: Array, gradient: Array) -> Array:
    """Solve C d = -g in units where diag(C) = 1, leaving out directions the data do not determine."""
    diagonal = curvature.diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    step: Array = np.linalg.lstsq(curvature * scale * scale[:, None], -gradient * scale, rcond=1e-11)[0] * scale
    return step


def _usable(point: Point) -> bool:
    return bool(math.isfinite(point.loss) and point.curvature is not None and np.isfinite(point.curvature).all())


def descended(objective: Objective, theta: Array, epochs: int) -> tuple[float, Array]:
    """Descend a little way; returns the last finite J and where it is."""
    plan = Plan(epochs, asked=False, rate=1.0)
    *_, last = (step for step in descend(objective, LevenbergMarquardt(), theta, plan) if math.isfinite(step.loss))
    return last.loss, last.theta
