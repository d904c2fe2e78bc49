"""At which values of its nonlinear parameters a term of a sum is tried: peaks of any width at any place, any wave."""

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
from descend.formula.structure import Wave, even_parameters, is_periodic, measures, waves
from descend.formula.symbols import Column, Parameter
from descend.gradients.contract import Program
from descend.starts.periodogram import chirps, frequencies
from descend.starts.projection import Amplitude, Projection
from descend.starts.trials import size_of, spread_over

Array = NDArray[np.float64]
POINTS = 1024
"""Points for a term whose parameters have no plan of their own."""
NARROWEST, WIDEST = 0.7, 2.0
"""The widths that are tried: from this share of the spacing of rows to so many times their range, ..."""
STEP = 2.0
"""... each so many times the one before, ..."""
OVERLAP = 1.5
"""... at places so dense that so many lie within a width."""
WAVES = 32
"""Frequencies that are tried for a wave: the highest peaks of the periodogram, ..."""
TURNS = (0.25, 0.5, 0.75, 1.0, 1.5)
"""... and these numbers of turns over all rows, too few for a peak, ..."""
OVERTONES = (2.0, 0.5, 1.0 / 3.0)
"""... and these multiples of the highest peaks, ..."""
FEW = 6
"""... so many of them."""
BESIDE = 12
"""Points of the other parameters of a term that waves, for each frequency."""


@dataclass
class Dictionary:
    """Points for each term.

    program: what is fitted. rows, sample: those that distances are measured by. everywhere: all rows, which waves are
    sought in.
    """

    program: Program
    rows: Mapping[str, Array]
    sample: Projection
    everywhere: Projection

    @cached_property
    def count(self) -> int:
        return len(next(iter(self.rows.values())))

    def depends(self, unknowns: Sequence[Parameter]) -> bool:
        """Whether the points for a term depend on what the rest of the sum leaves."""
        return any(symbol in waves(self.program.formula) for symbol in unknowns)

    def reversible(self, unknowns: Sequence[Parameter]) -> Parameter | None:
        """Return the width whose sign turns a step round, if the unknowns are its place and that."""
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

    def _evenly(self, unknowns: Sequence[Parameter], count: int) -> Array:
        with np.errstate(all="ignore"):
            return np.array(list(spread_over(self.program, self.rows, unknowns, count)))

    def _of_peak(self, unknowns: Sequence[Parameter], location: Parameter) -> Array:
        """Return places for each width, the more the narrower it is."""
        (scale,) = (symbol for symbol in unknowns if symbol is not location)
        found = []
        for value, share in zip(self._scales(scale), self._shares(scale), strict=True):
            places = self._places(location, int(np.clip(OVERLAP / share, 4, 2 * self.count)))
            pair = {location: places, scale: np.full(len(places), value)}
            found.append(np.column_stack([pair[symbol] for symbol in unknowns]))
        # The widest come first: if there are too many points, the narrowest are left out.
        return np.concatenate(found)

    def _places(self, symbol: Parameter, count: int) -> Array:
        """Return places along what ``symbol`` is subtracted from, half of them where the rows are dense."""
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
        """Return widths as shares of the range, widest first; where the sign matters each twice."""
        count = int(np.log(WIDEST * self.count / NARROWEST) / np.log(STEP)) + 1
        shares = WIDEST * STEP ** -np.arange(count, dtype=np.float64)
        return shares if symbol in self._even else np.repeat(shares, 2)

    def _scales(self, symbol: Parameter) -> Array:
        """Return the values of a width, or of a steepness or rate, that go with ``_shares``."""
        formula = self.program.formula
        shares, power = self._shares(symbol), self._power(symbol)
        size = size_of(self.program, self.rows, symbol)
        values: Array = size * (math.sqrt(3.0) * shares) ** (power or 1.0)
        return values if symbol in even_parameters(formula) else values * np.tile([1.0, -1.0], len(values) // 2)

    def _power(self, symbol: Parameter) -> float:
        """Return the power of a distance that a parameter is measured in: 1 for a width, -1 for a rate."""
        unit = measures(self.program.formula)[symbol].unit
        distances = (power for base, power in unit.items() if base.atoms(Column))
        return max(distances, key=abs, default=0.0)

    @property
    def _even(self) -> Mapping[Parameter, tuple[Parameter, ...]]:
        return even_parameters(self.program.formula)

    def _of_wave(
        self, amplitudes: Sequence[Amplitude], unknowns: Sequence[Parameter], turning: Parameter, theta: Array
    ) -> Array:
        """Return the frequencies that what is left holds over all rows, with points of the other unknowns for each."""
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
        # What is left out where these are too many comes last.
        return np.concatenate([best[:FEW], *(best[:FEW] * multiple for multiple in OVERTONES), slow, best[FEW:]])

    def _beside_wave(self, column: Expr) -> list[Array]:
        """Return what a wave is multiplied by, if that is data alone."""
        factor = column.replace(is_periodic, lambda node: S.One)
        if factor.free_symbols and all(isinstance(symbol, Column) for symbol in factor.free_symbols):
            return [self.everywhere.weighed(over_rows(factor, self.everywhere.columns, self.everywhere.rows))]
        return []
