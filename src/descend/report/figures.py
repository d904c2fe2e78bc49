"""Figures before they are drawn: points, lines, bands and surfaces with their axes, labels and captions.

A `Panel` holds all that a drawing library needs and nothing specific to one: Matplotlib (``plots``), SVG (``svg``)
and Plotly (``interactive``) draw the same panels. They are prepared in ``panels`` and ``surface``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAR = 1000.0
"""Numbers this many times the range of their axis are written as differences from a round number."""
LARGEST = 1e250
"""Larger values are drawn here, since drawing libraries compute with numbers some way beyond what they draw."""


@dataclass(frozen=True, eq=False)
class Points:
    """Rows as dots. colour: a name in ``palette.PALETTE``. size: as a share of the usual one.

    over: whether they lie over the lines. shape: ``dot``, ``ring``, or an open triangle that points ``down`` or
    ``up``.
    """

    x: Array
    y: Array
    name: str = ""
    colour: str = "blue"
    size: float = 1.0
    over: bool = False
    shape: str = "dot"


@dataclass(frozen=True, eq=False)
class Bars:
    """Error bars of rows. left, right, down, up: where they end, (rows,); None in a direction without errors."""

    x: Array
    y: Array
    left: Array | None = None
    right: Array | None = None
    down: Array | None = None
    up: Array | None = None
    colour: str = "blue"

    @property
    def segments(self) -> tuple[Array, Array]:
        """The bars as one line with gaps: its x and its y."""
        across, upwards = [np.empty(0)], [np.empty(0)]
        gap = np.full(len(self.x), np.nan)
        if self.left is not None and self.right is not None:
            across.append(np.stack([self.left, self.right, gap], axis=1).ravel())
            upwards.append(np.stack([self.y, self.y, gap], axis=1).ravel())
        if self.down is not None and self.up is not None:
            across.append(np.stack([self.x, self.x, gap], axis=1).ravel())
            upwards.append(np.stack([self.down, self.up, gap], axis=1).ravel())
        return np.concatenate(across), np.concatenate(upwards)

    @property
    def reach_up(self) -> Array:
        """All that the bars reach along the vertical axis."""
        return self.y if self.down is None or self.up is None else np.concatenate([self.down, self.up])


@dataclass(frozen=True, eq=False)
class Line:
    """A curve.

    dashes: ``-``, ``--`` or ``:``. dots: whether each point is marked; ends: whether only the first and last are.
    """

    x: Array
    y: Array
    name: str = ""
    colour: str = "vermillion"
    width: float = 2.0
    dashes: str = "-"
    dots: bool = False
    ends: bool = False


@dataclass(frozen=True, eq=False)
class Band:
    """The area between two curves."""

    x: Array
    low: Array
    high: Array
    name: str = ""
    colour: str = "vermillion"
    opacity: float = 0.2


@dataclass(frozen=True)
class Level:
    """A horizontal line across the panel."""

    y: float
    name: str = ""
    colour: str = "vermillion"


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of two variables, drawn as filled contours.

    z: (len(y), len(x)) values. levels: the edges of the contours, rising.
    """

    x: Array
    y: Array
    z: Array
    levels: Array


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers between -1 and 1 for each pair of labels, drawn as a heat map with the numbers in it."""

    labels: tuple[str, ...]
    values: Array


Mark = Points | Bars | Line | Band | Level | Surface | Matrix


@dataclass(frozen=True)
class Axis:
    """One axis.

    scale: ``linear``, ``log`` or ``symlog``. low, high: its limits; None to fit the marks. integers: only whole ticks.
    """

    name: str
    scale: str = "linear"
    low: float | None = None
    high: float | None = None
    integers: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture.

    key: short and unique among the panels of a fit, of letters and ``-``. title: what it shows; failed: whether the
    title is bad news. caption: what a reader has to know, such as that a sample is drawn. alt: a description for
    readers who cannot see it. equal: whether a unit is as long on both axes.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    caption: str = ""
    alt: str = ""
    failed: bool = False
    equal: bool = False


def reach(values: Array) -> tuple[float, float]:
    """Return the least and the largest finite value; an empty range is widened."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    margin = 0.0 if low < high else max(abs(low), 1.0) / 2
    return low - margin, high + margin


def far_from_zero(low: float, high: float) -> float:
    """Return a round number from which the numbers of an axis are counted, as they would all be long; else 0.

    >>> far_from_zero(1_000_000_003.0, 1_000_000_021.0), far_from_zero(0.0, 20.0)
    (1000000000.0, 0.0)
    """
    span = high - low
    if not max(abs(low), abs(high)) > FAR * span > 0.0:
        return 0.0
    step = 10.0 ** math.ceil(math.log10(span))
    return round((low + span / 2.0) / step) * step


def counted_from(name: str, away: float) -> str:
    """Return the name of an axis whose numbers are counted from another one than 0."""
    return f"{name} {'−' if away > 0.0 else '+'} {abs(away):,.12g}" if away else name


def above_zero(values: Array) -> Array:
    """Return values for a logarithmic axis: what is not above 0 becomes a gap."""
    with np.errstate(invalid="ignore"):
        return np.where(values > 0.0, values, np.nan)


def drawable(values: Array) -> Array:
    """Return values clipped to what a drawing library can draw; what is not a number stays a gap."""
    return np.asarray(np.clip(values, -LARGEST, LARGEST))
