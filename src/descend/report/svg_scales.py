"""The sizes in which a page draws its pictures, the scales of their axes, and the numbers along these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from descend.report.figures import Axis, far_from_zero

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """The size of a picture, and what lies around its axes: where these begin and end, and how many ticks they have."""

    width: float = 560.0
    height: float = 350.0
    left: float = 64.0
    top: float = 30.0
    end: float = 546.0
    bottom: float = 304.0
    ticks: int = 6


LARGE, MEDIUM = Frame(), Frame(390.0, 260.0, 58.0, 28.0, 380.0, 216.0, 5)
SMALL = Frame(250.0, 168.0, 44.0, 20.0, 244.0, 134.0, 4)


@dataclass(frozen=True)
class Scale:
    """Maps the numbers of an axis to positions between two ends of the picture."""

    axis: Axis
    low: float
    high: float
    begin: float
    end: float
    count: int = LARGE.ticks

    def moved(self, values: Array) -> Array:
        """Return values before they are stretched to the picture: as they are, or their logarithms."""
        with np.errstate(all="ignore"):
            if self.axis.scale == "log":
                return np.asarray(np.log10(values))
            return np.asarray(np.log10(1.0 + values) if self.axis.scale == "symlog" else values, dtype=np.float64)

    def __call__(self, values: Array) -> Array:
        ends = self.moved(np.array([self.low, self.high]))
        share = (self.moved(np.asarray(values, dtype=np.float64)) - ends[0]) / (ends[1] - ends[0])
        return np.asarray(np.clip(self.begin + share * (self.end - self.begin), -2000.0, 2000.0))

    @property
    def offset(self) -> float:
        """Return the number that ticks are counted from: 0, or a round number if they are far from 0."""
        return far_from_zero(self.low, self.high) if self.axis.scale == "linear" else 0.0

    def ticks(self) -> list[tuple[float, str]]:
        """Return the position of each tick, and its number as markup."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        if self.axis.scale == "linear" or (self.axis.scale == "log" and self.high < 20.0 * self.low):
            steps = MaxNLocator(self.count, integer=self.axis.integers, steps=[1, 2, 2.5, 5, 10]).tick_values(
                self.low, self.high
            )
            tick_labels = [float(value) for value in steps if self.low <= value <= self.high]
            away = self.offset
            return list(zip(tick_labels, _numbers([value - away for value in tick_labels]), strict=True))
        low = max(self.low, 1.0) if self.axis.scale == "symlog" else self.low
        values = [
            float(v)
            for v in LogLocator(numticks=self.count + 1).tick_values(low, self.high)
            if self.low <= v <= self.high
        ]
        if self.axis.scale == "symlog":
            return [(0.0, "0"), *((value, f"{value:,.0f}") for value in values if value >= 1.0)]
        return [(value, _power(value)) for value in values]


def _power(value: float) -> str:
    """Write a power of ten, with the exponent raised."""
    exponent = math.log10(value)
    if -2 <= exponent <= 4 or not math.isclose(exponent, round(exponent), abs_tol=1e-9):
        return f"{value:,g}"
    sign = "−" if exponent < 0.0 else ""
    return f'10<tspan dy="-5" font-size="75%">{sign}{abs(round(exponent)):d}</tspan>'


def _numbers(values: Sequence[float]) -> list[str]:
    """Write evenly spaced numbers in one form: with enough decimals to tell them apart, and commas in large ones."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    step = min((b - a for a, b in pairwise(values)), default=largest or 1.0)
    if largest and (largest < 1e-4 or largest >= 1e7):
        return [f"{value:.3g}".replace("-", "−") if abs(value) > step / 1e6 else "0" for value in values]
    decimals = next((k for k in range(9) if abs(step * 10**k - round(step * 10**k)) < 1e-6), 8)
    return [f"{value:,.{decimals}f}".replace("-", "−") if abs(value) > step / 1e6 else "0" for value in values]
