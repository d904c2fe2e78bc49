"""The values of nonlinear parameters at which a term of a sum is tried: peaks of any width and place, any wave."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, S

from descend.formula.compile import over_rows
from descend.formula.structure import even_parameters, is_periodic, measures, waves
from descend.formula.symbols import Column, Parameter
from descend.gradients.derived import Program
from descend.starts.peaks import PAIRED, STEP, Peak, Span, levels, places, scale_of, shares
from descend.starts.periodogram import chirps, frequencies
from descend.starts.projection import Amplitude, Projection
from descend.starts.trial_points import spread_over

Array = NDArray[np.float64]
POINTS = 1024
"""Points for a term to which no special plan applies."""
MOST_BESIDE = 81
"""Most points that are tried beside one."""
WAVES = 32
"""Frequencies tried for a wave: the highest peaks of the periodogram."""
TURNS = (0.25, 0.5, 0.75, 1.0, 1.5)
"""Numbers of turns over all rows that are tried as well: too few to make a peak."""
OVERTONES = (2.0, 0.5, 1.0 / 3.0)
"""Multiples of the highest peaks that are tried as well."""
FEW = 6
"""How many of the highest peaks have their multiples tried."""
BESIDE = 12
"""Points tried at each frequency of a wave, per other parameter of its term."""


@dataclass
class Dictionary:
    """The points at which each term is tried.

    program: what is fitted. rows, sample: the rows that set distances. everywhere: all rows, in which waves are sought.
    """

    program: Program
    rows: Mapping[str, Array]
    sample: Projection
    everywhere: Projection
    peaks: dict[tuple[Parameter, ...], Peak | None] = field(default_factory=dict)

    @cached_property
    def count(self) -> int:
        return len(next(iter(self.rows.values())))

    def depends(self, unknowns: Sequence[Parameter]) -> bool:
        """Whether the points for a term depend on what the rest of the sum leaves unexplained."""
        return any(symbol in waves(self.program.formula) for symbol in unknowns)

    def reversible(self, unknowns: Sequence[Parameter]) -> Parameter | None:
        """Return the width whose sign reverses a step, if a place and that width are the only unknowns; else None."""
        located = [symbol for symbol in unknowns if measures(self.program.formula)[symbol].location is not None]
        even = even_parameters(self.program.formula)
        others = [symbol for symbol in unknowns if symbol not in located and symbol not in even]
        return others[0] if len(unknowns) == 2 and len(located) == len(others) == 1 else None

    def points(self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], theta: Array) -> Array:
        """Return points for the unknowns of a term, given the rest of the sum at theta."""
        turning = [symbol for symbol in unknowns if symbol in waves(self.program.formula)]
        if turning:
            return self._of_wave(amplitudes, unknowns, turning[0], theta)
        if len(unknowns) == 1:
            return self._of_one(unknowns[0])[:, None]
        peak = self.peak(unknowns)
        return self._evenly(unknowns, POINTS) if peak is None else peak.points()

    def for_pairs(
        self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], theta: Array, within: Span | None
    ) -> Array:
        """Return points for the unknowns of a term, few enough for it to be tried together with another."""
        peak = self.peak(unknowns)
        if peak is not None:
            return peak.pair_points(within)
        points = self.points(amplitudes, unknowns, theta)
        points = points[: max(PAIRED, len(points) // 2)]
        return points[:: max(1, len(points) // PAIRED)]

    def beside(self, unknowns: Sequence[Parameter], point: Array, step: float) -> Array:
        """Return a point, and others in all directions, ``step`` times as far as the next that is tried.

        Waves keep their frequency, which the periodogram finds to within its own steps.
        """
        peak = self.peak(unknowns)
        if peak is not None:
            return peak.beside(point, step)
        turning = waves(self.program.formula)
        factors = [(1.0,) if symbol in turning else (1.0, STEP**step, STEP**-step) for symbol in unknowns]
        return np.array([point * each for each in itertools.islice(itertools.product(*factors), MOST_BESIDE)])

    def peak(self, unknowns: Sequence[Parameter]) -> Peak | None:
        """Return the peak that a term is; None if it is none, or a wave."""
        key = tuple(unknowns)
        if key not in self.peaks:
            self.peaks[key] = None if self.depends(unknowns) else Peak.of(self.program, self.rows, unknowns)
        return self.peaks[key]

    def _evenly(self, unknowns: Sequence[Parameter], count: int) -> Array:
        with np.errstate(all="ignore"):
            return np.column_stack(spread_over(self.program, self.rows, unknowns, count))

    def _of_one(self, symbol: Parameter) -> Array:
        """Return values of the only unknown of a term: a place, or a width, steepness or rate."""
        formula = self.program.formula
        if measures(formula)[symbol].location is not None:
            return places(levels(self.program, self.rows, symbol), 2 * self.count)
        values = np.array([scale_of(self.program, self.rows, symbol, share) for share in shares(self.count)])
        return values if symbol in even_parameters(formula) else np.column_stack([values, -values]).ravel()

    def _of_wave(
        self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], turning: Parameter, theta: Array
    ) -> Array:
        """Return the frequencies found in the residuals of all rows, each with points of the other unknowns."""
        wave = waves(self.program.formula)[turning]
        if len(unknowns) == 2 and all(symbol in waves(self.program.formula) for symbol in unknowns):
            return self._of_chirp(unknowns, theta)
        wave_points = self.frequencies(turning, theta, amplitudes)
        values = 1.0 / wave_points if wave.is_period else wave_points
        others = [symbol for symbol in unknowns if symbol is not turning]
        beside = self._evenly(others, BESIDE * len(others)) if others else np.empty((1, 0))
        theta_index = list(unknowns).index(turning)
        return np.array([np.insert(point, theta_index, value) for value, point in itertools.product(values, beside)])

    def _of_chirp(self, unknowns: Sequence[Parameter], theta: Array) -> Array:
        """Return pairs of the two frequencies of one wave, such as w and k of `sin(w*t + k*t^2)`."""
        both = [waves(self.program.formula)[symbol] for symbol in unknowns]
        along, bend = (over_rows(wave.along, self.rows, self.count) for wave in both)
        sample = self.sample
        left = sample.observed - sample.evaluated(sample.formula.expression, theta[None])[0]
        chirp_grid = chirps(along, bend, left - left.mean(), WAVES)
        return np.column_stack(
            [1.0 / column if wave.is_period else column for wave, column in zip(both, chirp_grid.T, strict=True)]
        )

    def frequencies(self, symbol: Parameter, theta: Array, amplitudes: Sequence[Amplitude] = ()) -> Array:
        """Return the frequencies at which to try a wave."""
        everywhere, wave = self.everywhere, waves(self.program.formula)[symbol]
        along = over_rows(wave.along, everywhere.columns, everywhere.rows)
        with np.errstate(all="ignore"):
            prediction = everywhere.evaluated(everywhere.formula.expression, theta[None])[0]
        left = everywhere.observed - prediction
        parts = [grid for each in amplitudes for column in each.columns[:1] for grid in self._beside_wave(column)]
        parts = parts or [everywhere.weighed(np.ones(everywhere.rows))]
        within = self._within(symbol)
        best = frequencies(along, left - left.mean(), parts, WAVES, within)
        finite = along[np.isfinite(along)]
        span = float(np.ptp(finite)) if finite.size else 0.0
        slow = 2.0 * np.pi * np.array(TURNS) / (span or 1.0)
        # If these are too many, those at the end are left out.
        candidate = np.concatenate([best[:FEW], *(best[:FEW] * multiple for multiple in OVERTONES), slow, best[FEW:]])
        allowed = candidate[(candidate >= within[0]) & (candidate <= within[1])]
        return allowed if allowed.size else np.array([1.5 * within[0] or 0.5 * within[1]]).clip(*within)

    def _within(self, symbol: Parameter) -> tuple[float, float]:
        """Return the lowest and the highest frequency that the bounds allow a wave."""
        bounds = self.everywhere.bounds
        if bounds is None:
            return 0.0, math.inf
        theta_index = self.everywhere.parameters.slices[symbol.name].start
        low, high = float(bounds.low[theta_index]), float(bounds.high[theta_index])
        return _frequencies_between(low, high, waves(self.program.formula)[symbol].is_period)

    def _beside_wave(self, column: Expr) -> list[Array]:
        """Return what multiplies a wave, if that is data alone."""
        factor = column.replace(is_periodic, lambda node: S.One)
        if factor.free_symbols and all(isinstance(symbol, Column) for symbol in factor.free_symbols):
            return [self.everywhere.weighed(over_rows(factor, self.everywhere.columns, self.everywhere.rows))]
        return []


def _frequencies_between(low: float, high: float, is_period: bool) -> tuple[float, float]:
    """Return the lowest and the highest frequency, whose sign does not matter, between two bounds."""
    lowest_frequency = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    highest_frequency = max(abs(low), abs(high))
    if not is_period:
        return lowest_frequency, highest_frequency
    return (
        1.0 / highest_frequency if highest_frequency > 0.0 else 0.0,
        1.0 / lowest_frequency if lowest_frequency > 0.0 else math.inf,
    )
