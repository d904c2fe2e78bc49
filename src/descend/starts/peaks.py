"""Where a peak, or a step, is tried: places and widths in the data's own units, narrow ones at more places."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import over_rows
from descend.formula.order_of_terms import distance_power
from descend.formula.structure import even_parameters, measures
from descend.formula.symbols import Parameter
from descend.gradients.derived import Program
from descend.starts.trial_points import size_of

Array = NDArray[np.float64]
Span = tuple[float, float]
"""A stretch of the range of what a place is compared with, as shares of it."""
Others = tuple[tuple[float, ...], tuple[float, ...]]
"""Ratios of further widths to the first, and values of what has no unit."""
NARROWEST, WIDEST = 0.7, 2.0
"""Widths tried: from this share of the spacing of rows to this many times their range."""
STEP = 2.0
"""Ratio of each width to the next."""
OVERLAP = 1.5
"""Places tried per width along the range."""
FINER = 2
"""How many times as many widths, and places per width, are tried where two peaks are placed together."""
PAIRED = 384
"""Most points of each of two terms that are tried in pairs."""
FURTHER = (1.0, 0.25)
"""Widths of one peak beside its first, such as those of a Voigt profile: in ratio to that."""
SHAPES = (1.0, 0.3, 3.0, -1.0)
"""Values tried of what has no unit, such as an exponent, a skewness or a mixing ratio."""
MOST_SHAPES, MOST_SHAPES_OF_PAIR = 8, 2
"""Most combinations of these, for a term by itself and for two together."""
REACH = 3.0
"""Widths from its place at which a peak ends."""


@dataclass(frozen=True)
class Peak:
    """A term with one place, one or more widths (or steepnesses), and perhaps numbers that shape it.

    rows: the rows that set distances. unknowns: all nonlinear parameters of the term, in the order of its points.
    """

    program: Program
    rows: Mapping[str, Array]
    unknowns: tuple[Parameter, ...]
    place: Parameter
    widths: tuple[Parameter, ...]
    shapes: tuple[Parameter, ...]

    @classmethod
    def of(cls, program: Program, rows: Mapping[str, Array], unknowns: Sequence[Parameter]) -> Peak | None:
        """Return the peak that a term with these unknowns is; None if it is none."""
        formula = program.formula
        located = [symbol for symbol in unknowns if measures(formula)[symbol].location is not None]
        if len(located) != 1:
            return None
        others = [symbol for symbol in unknowns if symbol is not located[0]]
        widths = tuple(symbol for symbol in others if distance_power(formula, symbol)) or tuple(others[:1])
        shapes = tuple(symbol for symbol in others if symbol not in widths)
        return cls(program, rows, tuple(unknowns), located[0], widths, shapes) if widths else None

    @property
    def signs(self) -> tuple[float, ...]:
        """The signs of the first width that matter: both for a step, whose direction it gives."""
        even = self.widths[0] in even_parameters(self.program.formula)
        return (1.0,) if even or len(self.widths) > 1 or self.shapes else (1.0, -1.0)

    @cached_property
    def level(self) -> Array:
        """What the place is compared with, sorted."""
        return levels(self.program, self.rows, self.place)

    @property
    def range(self) -> float:
        """How far what the place is compared with extends."""
        return float(self.level[-1] - self.level[0]) if self.level.size else 0.0

    def points(self) -> Array:
        """Return points, the widest first: if they are too many, the narrowest are left out."""
        count = self.level.size
        peak_points = []
        for share in shares(count):
            at = places(self.level, int(np.clip(OVERLAP / share, 4, 2 * count)))
            peak_points += [self._with_width(at, sign, share, self._others) for sign in self.signs]
        return np.concatenate(peak_points)

    def pair_points(self, within: Span | None) -> Array:
        """Return points for it to be tried together with another peak: fewer, but the wide ones closer.

        within: the stretch in which it is placed; all of the range if None.
        """
        begin, end = (0.0, 1.0) if within is None else within
        others = self._others[:MOST_SHAPES_OF_PAIR]
        each, points, count = len(self.signs) * len(others), list[Array](), 0
        for number in itertools.count():
            share = WIDEST * (end - begin) * STEP ** (-number / FINER)
            some = int(np.clip(FINER * OVERLAP * (end - begin) / share, 4, 2 * self.level.size))
            count += some * each
            if count > PAIRED and points:
                break
            at = begin + (end - begin) * (np.arange(some) + 0.5) / some
            low = float(self.level[0]) if self.level.size else 0.0
            points += [self._with_width(low + self.range * at, sign, share, others) for sign in self.signs]
        return np.concatenate(points)

    def beside(self, point: Array, step: float) -> Array:
        """Return a point, and others in all directions from it, ``step`` times the distance between those tried."""
        reach = max(self._share(point), NARROWEST / max(1, self.level.size))
        distance = step * reach / OVERLAP * self.range
        choices = []
        for symbol, value in zip(self.unknowns, point.tolist(), strict=True):
            by_factor = (value, value * STEP**step, value / STEP**step)
            choices.append((value, value - distance, value + distance) if symbol is self.place else by_factor)
        return np.array(list(itertools.product(*choices)))

    def reach(self, point: Array) -> Span:
        """Return where the peak begins and ends."""
        low, middle = (float(self.level[0]) if self.level.size else 0.0), float(point[self.unknowns.index(self.place)])
        middle, share = (middle - low) / (self.range or 1.0), REACH * self._share(point)
        return max(0.0, middle - share), min(1.0, middle + share)

    def _share(self, point: Array) -> float:
        """Return the largest width of a point as a share of the range."""
        return max(share_of(self.program, self.rows, each, point[self.unknowns.index(each)]) for each in self.widths)

    def _with_width(self, at: Array, sign: float, share: float, others: Sequence[Others]) -> Array:
        """Return the points of one width at these places, with what is tried of the other parameters."""
        width_points = []
        for ratios, shapes in others:
            values: dict[Parameter, float] = dict(zip(self.shapes, shapes, strict=True))
            for symbol, ratio in zip(self.widths, (sign, *ratios), strict=True):
                value = scale_of(self.program, self.rows, symbol, share * abs(ratio))
                values[symbol] = math.copysign(value, ratio)
            columns = [at if each is self.place else np.full(len(at), values[each]) for each in self.unknowns]
            width_points.append(np.column_stack(columns))
        return np.concatenate(width_points)

    @cached_property
    def _others(self) -> list[Others]:
        """The ratios of further widths to the first, and the values of shapes, that are tried together."""
        ratios = itertools.product(FURTHER, repeat=len(self.widths) - 1)
        shapes = list(itertools.product(SHAPES, repeat=len(self.shapes)))
        return list(itertools.islice(itertools.product(ratios, shapes), MOST_SHAPES))


def levels(program: Program, rows: Mapping[str, Array], symbol: Parameter) -> Array:
    """Return what a place is compared with, at each row, sorted."""
    location = measures(program.formula)[symbol].location
    assert location is not None
    level = over_rows(location, rows, len(next(iter(rows.values()))))
    return np.sort(level[np.isfinite(level)])


def places(level: Array, count: int) -> Array:
    """Return places along sorted levels: half spread evenly, half where the rows are dense."""
    if not level.size or level[0] == level[-1]:
        return level[:1]
    evenly = (level - level[0]) / (level[-1] - level[0])
    quantile_points: Array = np.interp(
        (np.arange(count) + 0.5) / count, 0.5 * (evenly + np.linspace(0.0, 1.0, level.size)), level
    )
    return quantile_points


def shares(count: int) -> Iterator[float]:
    """Yield widths as shares of the range of so many rows, the widest first."""
    for number in range(int(np.log(WIDEST * count / NARROWEST) / np.log(STEP)) + 1):
        yield WIDEST * STEP**-number


def scale_of(program: Program, rows: Mapping[str, Array], symbol: Expr, share: float) -> float:
    """Return the width, steepness or rate that corresponds to a width as a share of the range."""
    power = distance_power(program.formula, symbol) or 1.0
    return float(size_of(program, rows, symbol) * (math.sqrt(3.0) * share) ** power)


def share_of(program: Program, rows: Mapping[str, Array], symbol: Expr, scale: float) -> float:
    """Return the width as a share of the range to which a width, steepness or rate corresponds; at most ``WIDEST``."""
    power = distance_power(program.formula, symbol) or 1.0
    size = abs(scale / size_of(program, rows, symbol))
    return min(WIDEST, size ** (1.0 / power) / math.sqrt(3.0)) if size > 0.0 else 0.0
