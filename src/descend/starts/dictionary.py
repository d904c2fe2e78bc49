"""The values of nonlinear parameters at which a term of a sum is tried: peaks of any width and place, any wave."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, S

from descend.formula.compile import over_rows
from descend.formula.order_of_terms import distance_power
from descend.formula.structure import Wave, even_parameters, is_periodic, measures, waves
from descend.formula.symbols import Column, Parameter
from descend.gradients.contract import Program
from descend.starts.periodogram import chirps, frequencies
from descend.starts.projection import Amplitude, Projection
from descend.starts.trials import size_of, spread_over

Array = NDArray[np.float64]
POINTS = 1024
"""Points for a term to which no special plan applies."""
NARROWEST, WIDEST = 0.7, 2.0
"""Widths tried: from this share of the spacing of rows to this many times their range."""
STEP = 2.0
"""Ratio of each width to the next."""
OVERLAP = 1.5
"""Places tried per width along the range."""
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

    @cached_property
    def count(self) -> int:
        return len(next(iter(self.rows.values())))

    def depends(self, unknowns: Sequence[Parameter]) -> bool:
        """Whether the points for a term depend on what the rest of the sum leaves unexplained."""
        return any(symbol in waves(self.program.formula) for symbol in unknowns)

    def reversible(self, unknowns: Sequence[Parameter]) -> Parameter | None:
        """Return the width whose sign reverses a step, if a place and that width are the only unknowns; else None."""
        located = [symbol for symbol in unknowns if measures(self.program.formula)[symbol].location is not None]
        others = [symbol for symbol in unknowns if symbol not in located and symbol not in self._even]
        return others[0] if len(unknowns) == 2 and len(located) == len(others) == 1 else None

    def points(self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], theta: Array) -> Array:
        """Return points for the unknowns of a term, given the rest of the sum at theta."""
        formula = self.program.formula
        turning = [symbol for symbol in unknowns if symbol in waves(formula)]
        if turning:
            return self._of_wave(amplitudes, unknowns, turning[0], theta)
        located = [symbol for symbol in unknowns if measures(formula)[symbol].location is not None]
        if len(unknowns) == 1:
            values = self._places(unknowns[0], 2 * self.count) if located else self._scales(unknowns[0])
            return values[:, None]
        if len(unknowns) == 2 and len(located) == 1:
            return self._of_peak(unknowns, located[0])
        return self._evenly(unknowns, POINTS)

    def beside(self, unknowns: Sequence[Parameter], point: Array, step: float) -> Array:
        """Return a point and those ``step`` times the distances of the plan to either side of it, in all directions.

        Waves keep their frequency, which the periodogram has found to within its own steps.
        """
        formula, size = self.program.formula, self.count
        located = [symbol for symbol in unknowns if measures(formula)[symbol].location is not None]
        scales = [place for place, symbol in enumerate(unknowns) if symbol not in located]
        share = 1.0 / size
        if scales:
            share = max(share, min(self._share(unknowns[place], point[place]) for place in scales))
        choices = []
        for symbol, value in zip(unknowns, point.tolist(), strict=True):
            if symbol in waves(formula):
                choices.append([value])
            elif symbol in located:
                distance = step * share / OVERLAP * self._range(symbol)
                choices.append([value, value - distance, value + distance])
            else:
                choices.append([value, value * STEP**step, value / STEP**step])
        return np.array(list(itertools.product(*choices)))

    def _range(self, symbol: Parameter) -> float:
        level = over_rows(measures(self.program.formula)[symbol].location, self.rows, self.count)
        finite = level[np.isfinite(level)]
        return float(np.ptp(finite)) if finite.size else 0.0

    def _share(self, symbol: Parameter, value: float) -> float:
        """Return the width, as a share of the range, to which a width, steepness or rate corresponds."""
        size, power = size_of(self.program, self.rows, symbol), distance_power(self.program.formula, symbol)
        share = abs(value / size) ** (1.0 / (power or 1.0)) / math.sqrt(3.0) if value else 0.0
        return min(share, WIDEST)

    def _evenly(self, unknowns: Sequence[Parameter], count: int) -> Array:
        with np.errstate(all="ignore"):
            return np.array(list(spread_over(self.program, self.rows, unknowns, count)))

    def _of_peak(self, unknowns: Sequence[Parameter], location: Parameter) -> Array:
        """Return places for each width: the narrower it is, the more of them."""
        (scale,) = (symbol for symbol in unknowns if symbol is not location)
        found = []
        for value, share in zip(self._scales(scale), self._shares(scale), strict=True):
            places = self._places(location, int(np.clip(OVERLAP / share, 4, 2 * self.count)))
            pair = {location: places, scale: np.full(len(places), value)}
            found.append(np.column_stack([pair[symbol] for symbol in unknowns]))
        # The widest come first: if there are too many points, the narrowest are left out.
        return np.concatenate(found)

    def _places(self, symbol: Parameter, count: int) -> Array:
        """Return places along what ``symbol`` is subtracted from: half spread evenly, half where the rows are dense."""
        location = measures(self.program.formula)[symbol].location
        assert location is not None
        level = over_rows(location, self.rows, self.count)
        level = np.sort(level[np.isfinite(level)])
        if not level.size or level[0] == level[-1]:
            return level[:1]
        evenly = (level - level[0]) / (level[-1] - level[0])
        shares = 0.5 * (evenly + np.linspace(0.0, 1.0, level.size))
        found: Array = np.interp((np.arange(count) + 0.5) / count, shares, level)
        return found

    def _shares(self, symbol: Parameter) -> Array:
        """Return widths as shares of the range, the widest first, each twice where its sign matters."""
        count = int(np.log(WIDEST * self.count / NARROWEST) / np.log(STEP)) + 1
        shares = WIDEST * STEP ** -np.arange(count, dtype=np.float64)
        return shares if symbol in self._even else np.repeat(shares, 2)

    def _scales(self, symbol: Parameter) -> Array:
        """Return the values of a width, steepness or rate that correspond to ``_shares``."""
        formula = self.program.formula
        shares, power = self._shares(symbol), distance_power(formula, symbol)
        size = size_of(self.program, self.rows, symbol)
        values: Array = size * (math.sqrt(3.0) * shares) ** (power or 1.0)
        return values if symbol in even_parameters(formula) else values * np.tile([1.0, -1.0], len(values) // 2)

    @property
    def _even(self) -> Mapping[Parameter, tuple[Parameter, ...]]:
        return even_parameters(self.program.formula)

    def _of_wave(
        self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], turning: Parameter, theta: Array
    ) -> Array:
        """Return the frequencies found in the residuals of all rows, each with points of the other unknowns."""
        wave = waves(self.program.formula)[turning]
        if len(unknowns) == 2 and all(symbol in waves(self.program.formula) for symbol in unknowns):
            return self._of_chirp(unknowns, theta)
        found = self.frequencies(wave, theta, amplitudes)
        values = 1.0 / found if wave.is_period else found
        others = [symbol for symbol in unknowns if symbol is not turning]
        beside = self._evenly(others, BESIDE * len(others)) if others else np.empty((1, 0))
        place = list(unknowns).index(turning)
        return np.array([np.insert(point, place, value) for value, point in itertools.product(values, beside)])

    def _of_chirp(self, unknowns: Sequence[Parameter], theta: Array) -> Array:
        """Return pairs of the two frequencies of one wave, such as w and k of `sin(w*t + k*t^2)`."""
        both = [waves(self.program.formula)[symbol] for symbol in unknowns]
        along, bend = (over_rows(wave.along, self.rows, self.count) for wave in both)
        sample = self.sample
        left = sample.observed - sample.evaluated(sample.formula.expression, theta[None])[0]
        found = chirps(along, bend, left - left.mean(), WAVES)
        return np.column_stack(
            [1.0 / column if wave.is_period else column for wave, column in zip(both, found.T, strict=True)]
        )

    def frequencies(self, wave: Wave, theta: Array, amplitudes: Sequence[Amplitude] = ()) -> Array:
        """Return the frequencies at which to try a wave."""
        everywhere = self.everywhere
        along = over_rows(wave.along, everywhere.columns, everywhere.rows)
        with np.errstate(all="ignore"):
            prediction = everywhere.evaluated(everywhere.formula.expression, theta[None])[0]
        left = everywhere.observed - prediction
        parts = [part for each in amplitudes for column in each.columns[:1] for part in self._beside_wave(column)]
        parts = parts or [everywhere.weighed(np.ones(everywhere.rows))]
        best = frequencies(along, left - left.mean(), parts, WAVES)
        finite = along[np.isfinite(along)]
        span = float(np.ptp(finite)) if finite.size else 0.0
        slow = 2.0 * np.pi * np.array(TURNS) / (span or 1.0)
        # If these are too many, those at the end are left out.
        return np.concatenate([best[:FEW], *(best[:FEW] * multiple for multiple in OVERTONES), slow, best[FEW:]])

    def _beside_wave(self, column: Expr) -> list[Array]:
        """Return what multiplies a wave, if that is data alone."""
        factor = column.replace(is_periodic, lambda node: S.One)
        if factor.free_symbols and all(isinstance(symbol, Column) for symbol in factor.free_symbols):
            return [self.everywhere.weighed(over_rows(factor, self.everywhere.columns, self.everywhere.rows))]
        return []
