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
from descend.gradients.contract import Program
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.problem.point import Objective

Array = NDArray[np.float64]
TRIALS = 64
"""Trial points for each parameter that enters nonlinearly, up to MOST_TRIALS in all; as many at once for a wave."""
MOST_TRIALS = 512
PIVOTED = 0.7
"""Share of the points at which a curve is shifted to lie among the rows (see ``parametrisation.pivots``)."""


def trials(program: Program, sample: Mapping[str, Array], theta: Array, scanned: Sequence[Expr]) -> Iterator[Array]:
    """Yield trial points: ``theta`` with the ``scanned`` unknowns spread evenly over where each may lie."""
    places = [place_of(program, symbol) for symbol in scanned]
    many = any(symbol in waves(program.formula) for symbol in scanned)
    count = MOST_TRIALS if many else min(MOST_TRIALS, TRIALS * len(scanned)) or 1
    for values in spread_over(program, sample, scanned, count):
        trial = theta.copy()
        for place, value in zip(places, values, strict=True):
            trial[place] = value
        yield trial


def spread_over(
    program: Program, sample: Mapping[str, Array], scanned: Sequence[Expr], count: int
) -> Iterator[list[float | Array]]:
    """Yield ``count`` points for the ``scanned`` unknowns."""
    ranges = [range_of(program, sample, symbol) for symbol in scanned]
    moved = {place: pivot for place, symbol in enumerate(scanned) if (pivot := pivots(program.formula).get(symbol))}
    levels = {place: over_rows(pivot.along, sample, len(next(iter(sample.values())))) for place, pivot in moved.items()}
    for number in range(count):
        shares = spread(number, len(scanned))
        values = [at(share) for at, share in zip(ranges, shares, strict=True)]
        for place, pivot in moved.items():
            if pivot.slope in scanned and shares[place] < PIVOTED:
                level, share = levels[place], shares[place] / PIVOTED
                slope = values[scanned.index(pivot.slope)]
                value = slope * (level.min() + share * np.ptp(level))
                values[place] = np.exp(value) if pivot.exponential else value
        yield values


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
    found: Array,
) -> Iterator[Array]:
    """Yield ``theta`` with one wave at each of the frequencies ``found``, and each phase at four quarters of a turn.

    If rows are few, every frequency that they can tell apart is tried too, in steps of half a turn over all rows, as J
    has a valley about that wide at the true one.
    """
    wave, place = waves(program.formula)[symbol], place_of(program, symbol)
    turned = [place_of(program, phase) for phase in phases(program.formula) if phase in scanned]
    slowest, count = turns(wave, sample)
    all_of_few = slowest * np.arange(1, count + 1) if count <= MOST_TRIALS else np.empty(0)
    for frequency in (*found, *all_of_few):
        tuned = theta.copy()
        tuned[place] = _tuned(wave, frequency)
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


def _tuned(wave: Wave, frequency: float) -> float:
    return 1.0 / frequency if wave.is_period else frequency


def spread(number: int, dimensions: int) -> list[float]:
    """Return point ``number`` of a sequence that fills the unit cube evenly.

    With g the root of g**(d+1) = g + 1:   x_k = (1/2 + (number + 1) / g**k) mod 1

    Source: Roberts (2018), The unreasonable effectiveness of quasirandom sequences; Kronecker (1884).
    """
    return [(0.5 + (number + 1) * step) % 1.0 for step in _steps(dimensions)]


@lru_cache(maxsize=32)
def _steps(dimensions: int) -> tuple[float, ...]:
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return tuple(1.0 / root ** (k + 1) for k in range(dimensions))


def range_of(program: Program, sample: Mapping[str, Array], symbol: Expr) -> Callable[[float], float | Array]:
    """Return the map from [0, 1) to trial values of one parameter, or of all components of a vector."""
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
        return lambda share: _magnitude(1.0, share) * each
    if measure.location is None:
        return lambda share: _magnitude(size, share)
    level = over_rows(measure.location, sample, rows)
    low, width = float(level.min()), float(np.ptp(level))
    return lambda share: low + width * share / 0.6 if share < 0.6 else _magnitude(size, (share - 0.6) / 0.4)


def size_of(program: Program, sample: Mapping[str, Array], symbol: Expr) -> float:
    """Return how large a parameter may be, judged by its unit."""
    formula, rows, size = program.formula, len(next(iter(sample.values()))), 1.0
    for base, power in measures(formula)[symbol].unit.items():
        size *= _typical(over_rows(formula.response if base == RESPONSE_UNIT else base, sample, rows)) ** power
    return size if math.isfinite(size) and size > 0.0 else 1.0


def _magnitude(size: float, share: float) -> float:
    """Map [0, 1) to magnitudes around ``size``; a quarter of them are negative."""
    sign, share = (-1.0, share / 0.25) if share < 0.25 else (1.0, (share - 0.25) / 0.75)
    return sign * size * math.pow(10.0, 4.0 * share - 1.5)


def _typical(values: Array) -> float:
    """Return how much a quantity varies, or its size if it does not."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 1.0
    # The standard deviation of equal numbers is not always 0.
    return 2.0 * float(np.std(finite)) if np.ptp(finite) > 0.0 else float(abs(finite[0])) or 1.0


def descended(objective: Objective, theta: Array, epochs: int, enough: float = -math.inf) -> tuple[float, Array]:
    """Descend a little way, or until J is ``enough``; returns the last finite J and where it is, else infinity."""
    plan, found = Plan(epochs, asked=False, rate=1.0), (math.inf, theta)
    for step in descend(objective, LevenbergMarquardt(), theta, plan):
        if math.isfinite(step.loss):
            found = step.loss, step.theta
            if step.loss <= enough:
                break
    return found
