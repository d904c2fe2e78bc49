"""Where to look for parameters: trial points in the data's own units, frequencies, and where a short descent leads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.descent.loop import Plan, descend
from descend.formula.compile import over_rows
from descend.formula.parametrisation import pivots
from descend.formula.structure import RESPONSE_UNIT, Wave, measures, phases, waves
from descend.formula.symbols import Parameter, Predictor
from descend.gradients.derived import Program
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.problem.point import Objective

Array = NDArray[np.float64]
TRIALS = 64
"""Trial points for each parameter that enters nonlinearly, up to MOST_TRIALS in all; as many at once for a wave."""
MOST_TRIALS = 512
AMONG = 0.6
"""Share of the values of a location that lie among those of the rows; the others are about as large as its unit."""
NEGATIVE = 0.25
"""Share of other values that are below 0."""
PIVOTED = 0.7
"""Share of the points at which a curve is shifted to lie among the rows (see ``parametrisation.pivots``)."""


def trials(program: Program, sample: Mapping[str, Array], theta: Array, scanned: Sequence[Expr]) -> Array:
    """Return trial points, (points, p): ``theta`` with the ``scanned`` unknowns spread over where each may lie."""
    many = any(symbol in waves(program.formula) for symbol in scanned)
    count = MOST_TRIALS if many else min(MOST_TRIALS, TRIALS * len(scanned)) or 1
    points = np.repeat(theta[None, :], count, axis=0)
    for symbol, values in zip(scanned, spread_over(program, sample, scanned, count), strict=True):
        theta_index = place_of(program, symbol)
        points[:, theta_index] = values.reshape(count, theta_index.stop - theta_index.start)
    return points


def spread_over(program: Program, sample: Mapping[str, Array], scanned: Sequence[Expr], count: int) -> list[Array]:
    """Return ``count`` values of each of the ``scanned`` unknowns, which together are points."""
    shares = cube(count, len(scanned))
    values = [range_of(program, sample, symbol)(share) for symbol, share in zip(scanned, shares, strict=True)]
    for axis, symbol in enumerate(scanned):
        pivot = pivots(program.formula).get(symbol)
        if pivot is None or pivot.slope not in scanned:
            continue
        among = shares[axis] < PIVOTED
        level = over_rows(pivot.along, sample, len(next(iter(sample.values()))))
        pivot_values = values[scanned.index(pivot.slope)] * (level.min() + shares[axis] / PIVOTED * np.ptp(level))
        values[axis] = np.where(among, np.exp(pivot_values) if pivot.exponential else pivot_values, values[axis])
    return values


def place_of(program: Program, symbol: Expr) -> slice:
    """Return where a scalar parameter, or the vector of a ``w @ [...]``, lies in theta."""
    return program.parameters.slices[name_of(program, symbol)]


def name_of(program: Program, symbol: Expr) -> str:
    """Return the name of a scalar parameter, or of the vector of a ``w @ [...]``."""
    return program.formula.terms[symbol].vector if isinstance(symbol, Predictor) else str(symbol.name)


def tunings(
    program: Program,
    sample: Mapping[str, Array],
    theta: Array,
    symbol: Parameter,
    scanned: Sequence[Expr],
    frequencies: Array,
) -> Iterator[Array]:
    """Yield ``theta`` with one wave at each of some frequencies, and each phase at four quarters of a turn.

    If rows are few, every frequency that they can tell apart is tried too, in steps of half a turn over all rows, as J
    has a valley about that wide at the true one.
    """
    wave, theta_index = waves(program.formula)[symbol], place_of(program, symbol)
    turned = [place_of(program, phase) for phase in phases(program.formula) if phase in scanned]
    slowest, count = turns(wave, sample)
    all_of_few = slowest * np.arange(1, count + 1) if count <= MOST_TRIALS else np.empty(0)
    for frequency in (*frequencies, *all_of_few):
        tuned = theta.copy()
        tuned[theta_index] = _tuned(wave, frequency)
        yield tuned
        for phase, quarters in itertools.product(turned, (1, 2, 3)):
            quarter = tuned.copy()
            quarter[phase] += quarters * math.pi / 2.0
            yield quarter


def turns(wave: Wave, sample: Mapping[str, Array]) -> tuple[float, int]:
    """Return the frequency of half a turn over all rows, and how many times that the rows can follow (Nyquist)."""
    along = over_rows(wave.along, sample, len(next(iter(sample.values()))))
    levels = np.unique(along[np.isfinite(along)])
    return (math.pi / float(levels[-1] - levels[0]), len(levels) - 1) if len(levels) > 1 else (1.0, 1)


def _tuned(wave: Wave, frequency: Array) -> Array:
    return 1.0 / frequency if wave.is_period else frequency


def spread(number: int, dimensions: int) -> list[float]:
    """Return point ``number`` of a sequence that fills the unit cube evenly.

    With g the root of g**(d+1) = g + 1:   x_k = (1/2 + (number + 1) / g**k) mod 1

    Source: Roberts (2018), The unreasonable effectiveness of quasirandom sequences; Kronecker (1884).
    """
    return [(0.5 + (number + 1) * step) % 1.0 for step in _steps(dimensions)]


@lru_cache(maxsize=32)
def cube(count: int, dimensions: int) -> Array:
    """Return the first points of `spread`, (dimensions, points)."""
    points = np.array([spread(number, dimensions) for number in range(count)]).T.reshape(dimensions, count)
    points.flags.writeable = False
    return points


@lru_cache(maxsize=32)
def _steps(dimensions: int) -> tuple[float, ...]:
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return tuple(1.0 / root ** (k + 1) for k in range(dimensions))


def range_of(program: Program, sample: Mapping[str, Array], symbol: Expr) -> Callable[[Array], Array]:
    """Return the map from shares, [0, 1), to trial values of one parameter, or of a vector, (points, components)."""
    formula, rows = program.formula, len(next(iter(sample.values())))
    if symbol in phases(formula):
        return lambda share: 2.0 * math.pi * share
    if symbol in waves(formula):
        wave = waves(formula)[symbol]
        slowest, count = turns(wave, sample)
        return lambda share: _tuned(wave, slowest * (0.5 + count * share))
    measure, size = measures(formula)[symbol], size_of(program, sample, symbol)
    if isinstance(symbol, Predictor):
        items = formula.terms[symbol].items
        each = size / np.array([_typical(over_rows(item, sample, rows)) for item in items]) / len(items)
        return lambda share: np.multiply.outer(_magnitude(1.0, share), each)
    if measure.location is None:
        return lambda share: _magnitude(size, share)
    level = over_rows(measure.location, sample, rows)
    low, width = float(level.min()), float(np.ptp(level))
    return lambda share: np.where(
        share < AMONG, low + width * share / AMONG, _magnitude(size, (share - AMONG) / (1.0 - AMONG))
    )


def size_of(program: Program, sample: Mapping[str, Array], symbol: Expr) -> float:
    """Return how large a parameter may be, judged by its unit."""
    formula, rows, size = program.formula, len(next(iter(sample.values()))), 1.0
    for base, power in measures(formula)[symbol].unit.items():
        size *= _typical(over_rows(formula.response if base == RESPONSE_UNIT else base, sample, rows)) ** power
    return size if math.isfinite(size) and size > 0.0 else 1.0


def _magnitude(size: float, share: Array) -> Array:
    """Map [0, 1) to magnitudes around ``size``; a quarter of them are negative."""
    below = share < NEGATIVE
    within = np.where(below, share / NEGATIVE, (share - NEGATIVE) / (1.0 - NEGATIVE))
    magnitudes: Array = np.where(below, -size, size) * np.power(10.0, 4.0 * within - 1.5)
    return magnitudes


def _typical(values: Array) -> float:
    """Return how much a quantity varies, or its size if it does not."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 1.0
    # The standard deviation of equal numbers is not always 0.
    return 2.0 * float(np.std(finite)) if np.ptp(finite) > 0.0 else float(abs(finite[0])) or 1.0


def descended(
    objective: Objective, theta: Array, epochs: int, enough: float = -math.inf, settled: float = 0.0
) -> tuple[float, Array]:
    """Descend a little way; returns the last finite J and where it is, else infinity.

    It ends where J is ``enough``, and after a step that lowers J by less than the share ``settled`` of it, if that is
    above 0: its last digits cost as many steps as all others, and no choice among ends depends on them.
    """
    plan, best_descent = Plan(epochs, epochs_given=False, rate=1.0), (math.inf, theta)
    for step in descend(objective, LevenbergMarquardt(), theta, plan):
        if math.isfinite(step.loss):
            gain, best_descent = best_descent[0] - step.loss, (step.loss, step.theta)
            if step.loss <= enough or (settled and gain <= settled * abs(step.loss)):
                break
    return best_descent
