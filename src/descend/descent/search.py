"""Starting values without the user: many trial points in the data's own units, linear parameters solved at each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.descent.objective import Objective, Point
from descend.engines.numpy import NumpyEngine
from descend.formula.compile import over_rows
from descend.formula.formula import Formula
from descend.formula.structure import RESPONSE_UNIT, even_parameters, interchangeable, linear_unknowns, measures
from descend.formula.symbols import Parameter, Predictor
from descend.gradients.contract import Program
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.parameters import Parameters

Array = NDArray[np.float64]
ROWS = 512
"""Rows that trial points are judged on, evenly spaced through the table."""
TRIALS = 64
"""Trial points for each parameter that enters nonlinearly, up to MOST_TRIALS in all."""
MOST_TRIALS = 512
STAGES = ((32, 8), (8, 100))
"""How many of the best points a descent is made from, and of how many epochs; twice, as most are soon seen to fail."""
SAME = 1e-6
"""Relative difference of J below which two descents have ended in the same place."""


@dataclass(frozen=True)
class Found:
    """A start: theta, and how it was found, in words."""

    theta: Array
    note: str


def search(
    program: Program, columns: Mapping[str, Array], theta: Array, given: Collection[str], polish: bool
) -> Found | None:
    """Look for starting values of the parameters that are not ``given``; None if none gives a finite loss.

    1. Spread trial points over the nonlinear parameters, each in its own unit (``formula.structure.measures``).
    2. At each, solve for the linear parameters, where J is a parabola in them, and take J there.
    3. Descend a little way from the best few (``polish``), and return the lowest.
    Everything is deterministic.
    """
    sample = _sample(columns)
    linear = linear_components(program.formula, program.parameters, given)
    quadratic = program.loss.name == "squared"
    engine = NumpyEngine(program, sample, None if program.weights is None else program.weights.name)
    objective = Objective(engine)
    scanned = [
        symbol for symbol in program.formula.unknowns if isinstance(symbol, Parameter) and symbol.name not in given
    ]
    scanned = [symbol for symbol in scanned if not linear[program.parameters.slices[symbol.name].start]]
    trials = list(_trials(program, sample, theta, scanned))
    solved = [found for found in (_solved(objective, trial, linear, quadratic) for trial in trials) if found]
    if not solved:
        return None
    solved.sort(key=lambda pair: pair[0])
    words = (
        f"start found among {len(trials)} trial points" if len(trials) > 1 else "linear parameters solved at the start"
    )
    if not polish:
        return Found(solved[0][1], words)
    ends = solved
    for count, epochs in STAGES:
        starts = [_settled(program, point, given) for _, point in ends[:count]]
        ends = sorted((_descended(objective, point, epochs) for point in starts), key=lambda pair: pair[0])
    best, point = ends[0]
    reached = sum(abs(loss - best) <= SAME * abs(best) for loss, _ in ends)
    words += f"; {reached} of the {len(ends)} best descents from them ended here"
    return Found(_settled(program, point, given), words)


def _settled(program: Program, theta: Array, given: Collection[str]) -> Array:
    """Choose among equal answers: signs that make no difference positive, interchangeable terms in ascending order."""
    formula, slices = program.formula, program.parameters.slices
    settled = theta.copy()
    for symbol, others in even_parameters(formula).items():
        together = [slices[each.name].start for each in (symbol, *others)]
        if settled[together[0]] < 0.0 and not any(each.name in given for each in (symbol, *others)):
            settled[together] *= -1.0
    linear = linear_unknowns(formula)
    for group in interchangeable(formula):
        if any(symbol.name in given for own in group for symbol in own):
            continue
        places = np.array([[slices[symbol.name].start for symbol in own] for own in group])
        leader = next((column for column, symbol in enumerate(group[0]) if symbol not in linear), 0)
        settled[places] = settled[places[np.argsort(settled[places[:, leader]], kind="stable")]]
    return settled


def _sample(columns: Mapping[str, Array]) -> dict[str, Array]:
    rows = len(next(iter(columns.values())))
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, ROWS)).round().astype(np.intp))
    return {name: column if len(chosen) == rows else column[chosen] for name, column in columns.items()}


def linear_components(formula: Formula, parameters: Parameters, given: Collection[str]) -> NDArray[np.bool_]:
    """Mark the components of theta in which the expression is jointly linear, save those that were given a start."""
    linear = np.zeros(parameters.size, dtype=bool)
    for symbol in linear_unknowns(formula):
        name = formula.terms[symbol].vector if isinstance(symbol, Predictor) else symbol.name
        linear[parameters.slices[name]] = name not in given
    return linear


def _trials(program: Program, sample: Mapping[str, Array], theta: Array, scanned: list[Parameter]) -> Iterator[Array]:
    """Yield trial points: a Kronecker sequence, mapped to each parameter's range on both sides of zero."""
    count = len(scanned)
    ranges = [_Range.of(program, sample, symbol) for symbol in scanned]
    places = [program.parameters.slices[symbol.name].start for symbol in scanned]
    for number in range(min(MOST_TRIALS, TRIALS * count) if count else 1):
        trial = theta.copy()
        for place, span, share in zip(places, ranges, spread(number, count), strict=True):
            trial[place] = span.at(share)
        yield trial


def spread(number: int, dimensions: int) -> list[float]:
    """Return point ``number`` of a sequence that fills the unit cube evenly.

    With g the root of g**(d+1) = g + 1:   x_k = (1/2 + (number + 1) / g**k) mod 1

    Source: Roberts (2018), The unreasonable effectiveness of quasirandom sequences; Kronecker (1884).
    """
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return [(0.5 + (number + 1) / root ** (k + 1)) % 1.0 for k in range(dimensions)]


@dataclass(frozen=True)
class _Range:
    """Where to look for one parameter: magnitudes around ``size``, and within [low, high] for a location."""

    size: float
    low: float
    high: float

    @classmethod
    def of(cls, program: Program, sample: Mapping[str, Array], symbol: Parameter) -> _Range:
        measure = measures(program.formula)[symbol]
        count = len(next(iter(sample.values())))
        size = 1.0
        for base, power in measure.unit.items():
            expression = program.formula.response if base == RESPONSE_UNIT else base
            size *= _typical(over_rows(expression, sample, count)) ** power
        if not (math.isfinite(size) and size > 0.0):
            size = 1.0
        if measure.location is None:
            return cls(size, math.nan, math.nan)
        level = over_rows(measure.location, sample, count)
        return cls(size, float(level.min()), float(level.max()))

    def at(self, share: float) -> float:
        """Map [0, 1) to trial values: a location lies mostly in its range, a quarter of magnitudes are negative."""
        if not math.isnan(self.low):
            if share < 0.6:
                return self.low + (self.high - self.low) * share / 0.6
            share = (share - 0.6) / 0.4
        sign, share = (-1.0, share / 0.25) if share < 0.25 else (1.0, (share - 0.25) / 0.75)
        return float(sign * self.size * 10.0 ** (4.0 * share - 1.5))


def _typical(values: Array) -> float:
    """Return how much a quantity varies, or its size if it does not."""
    spread_ = float(np.std(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0
    return 2.0 * spread_ if spread_ > 0.0 else float(np.abs(values).max(initial=0.0)) or 1.0


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
        if quadratic:
            loss = point.loss + 0.5 * float(point.gradient[linear] @ step)
            return (max(loss, 0.0), moved) if math.isfinite(loss) else None
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


def _descended(objective: Objective, theta: Array, epochs: int) -> tuple[float, Array]:
    plan = Plan(epochs, asked=False, rate=1.0)
    *_, last = (step for step in descend(objective, LevenbergMarquardt(), theta, plan) if math.isfinite(step.loss))
    return last.loss, last.theta
