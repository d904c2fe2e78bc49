"""Panels as SVG inside a page: small, sharp in print, and coloured by the page's style sheet, light or dark.

The colours are CSS variables (``--blue``, ``--c0`` ...), so one picture serves every theme. Words are text, not
outlines: they can be searched, copied and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from descend.report.figures import Axis, Band, Bars, Level, Line, Mark, Matrix, Panel, Points, Surface, reach
from descend.report.frame import LARGE, Frame
from descend.report.style import one_line
from descend.report.thinning import thinned
from descend.report.triangles import triangles

Array = NDArray[np.float64]

MARGIN = 0.04
"""Margin around what is drawn, as a share of its range."""
FAR = 1000.0
"""Numbers this many times the range of their axis are written as differences from a round number."""
LAYERS = 8
"""Dots are drawn in this many layers, so that it is darker where dots of several layers overlap."""
FEW = 400
"""Up to this many rows, dots are large."""
CONTOURS = 12
"""Number of contours for which the style sheet has colours."""
DASHES = {"-": "", "--": ' stroke-dasharray="7 4"', ":": ' stroke-dasharray="2 4"'}


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
        reach = self.high - self.low
        if self.axis.scale != "linear" or not max(abs(self.low), abs(self.high)) > FAR * reach > 0.0:
            return 0.0
        step = 10.0 ** math.ceil(math.log10(reach))
        return round((self.low + reach / 2.0) / step) * step

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


def svg(panel: Panel, prefix: str = "", moving: str = "", frame: Frame = LARGE) -> str:
    """Draw a panel as an ``<svg>``. prefix: sets its ids apart. moving: markup over the marks, such as ``drawn``."""
    if any(isinstance(mark, Matrix) for mark in panel.marks):
        return _matrix(panel)
    across, up = _scales(panel, frame)
    clip = f"{prefix}clip-{panel.key}"
    marks_svg = "".join(_mark(mark, across, up) for mark in _ordered(panel.marks))
    ends = f'data-x="{across.low!r} {across.high!r} {panel.x.scale}" data-y="{up.low!r} {up.high!r} {panel.y.scale}"'
    left, top, end, bottom = frame.left, frame.top, frame.end, frame.bottom
    box = f'x="{left:g}" y="{top:g}" width="{end - left:g}" height="{bottom - top:g}"'
    return (
        f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" aria-label="{escape(panel.alt)}" {ends}>'
        f'<clipPath id="{clip}"><rect {box}/></clipPath>'
        f"{_axes(across, up, frame, grid=not any(isinstance(mark, Surface) for mark in panel.marks))}"
        f'<g clip-path="url(#{clip})">{marks_svg}{f"<g>{moving}</g>" if moving else ""}</g>'
        f"{_names(panel, across.offset, up.offset, frame)}</svg>"
    )


def drawn(panel: Panel, marks: Iterable[Mark]) -> str:
    """Draw marks on the axes of a panel, to which they need not belong."""
    across, up = _scales(panel)
    return "".join(_mark(mark, across, up) for mark in marks)


def legend(panel: Panel) -> list[tuple[str, str]]:
    """Return a sample of each named mark, as SVG, and its name, as text."""
    found = []
    for mark in panel.marks:
        name = getattr(mark, "name", "")
        if not name:
            continue
        if isinstance(mark, Points):
            sample = f'<circle cx="11" cy="6" r="4" fill="var(--{mark.colour})"/>'
            if mark.shape != "dot":
                sample = triangles(mark, np.array([11.0]), np.array([6.0]))
        elif isinstance(mark, Band):
            sample = f'<rect width="22" height="12" fill="var(--{mark.colour})" fill-opacity="{mark.opacity * 1.4:g}"/>'
        else:
            dashes = DASHES[mark.dashes] if isinstance(mark, Line) else ""
            sample = f'<path d="M0 6h22" stroke="var(--{mark.colour})" stroke-width="3"{dashes}/>'  # type: ignore[union-attr]
        found.append((f'<svg width="22" height="12" viewBox="0 0 22 12" aria-hidden="true">{sample}</svg>', name))
    return found


def _ordered(marks: Iterable[Mark]) -> list[Mark]:
    """Order marks so that surfaces and bands are below rows, and lines above them."""
    mark_order = {Surface: 0, Band: 1, Bars: 2, Points: 3}
    return sorted(marks, key=lambda mark: 5 if getattr(mark, "over", False) else mark_order.get(type(mark), 4))


def _scales(panel: Panel, frame: Frame = LARGE) -> tuple[Scale, Scale]:
    """Return the horizontal and the vertical scale."""
    across, up = _range(panel.x, panel.marks, "x"), _range(panel.y, panel.marks, "y")
    return (
        Scale(panel.x, *across, frame.left, frame.end, frame.ticks),
        Scale(panel.y, *up, frame.bottom, frame.top, frame.ticks),
    )


def _range(axis: Axis, marks: Sequence[Mark], side: str) -> tuple[float, float]:
    """Return the ends of an axis: its own limits, or the range of the marks with a margin."""
    if axis.low is not None and axis.high is not None:
        return float(axis.low), float(axis.high)
    mark_numbers = [np.asarray(mark_part, dtype=np.float64) for mark in marks for mark_part in _parts(mark, side)]
    values = np.concatenate(mark_numbers) if mark_numbers else np.empty(0)
    if axis.scale == "log":
        low, high = reach(np.log10(values[values > 0.0])) if (values > 0.0).any() else (0.0, 1.0)
    else:
        low, high = reach(values)
    room = 0.0 if any(isinstance(mark, Surface) for mark in marks) else MARGIN * (high - low)
    low, high = low - room, high + room
    if axis.scale == "log":
        low, high = 10.0**low, 10.0**high
    return low if axis.low is None else axis.low, high if axis.high is None else axis.high


def _parts(mark: Mark, side: str) -> list[Array]:
    if isinstance(mark, Level):
        return [] if side == "x" else [np.array([mark.y])]
    if isinstance(mark, Band):
        return [mark.x] if side == "x" else [mark.low, mark.high]
    assert not isinstance(mark, Matrix)
    if isinstance(mark, Bars):
        return [mark.segments[0 if side == "x" else 1]]
    return [mark.x if side == "x" else mark.y]


def _mark(mark: Mark, across: Scale, up: Scale) -> str:
    if isinstance(mark, Points):
        return _points(mark, across(mark.x), up(mark.y))
    if isinstance(mark, Level):
        height = float(up(np.array([mark.y]))[0])
        ends = f"M{across.begin:g} {height:.1f}H{across.end:g}"
        return f'<path d="{ends}" stroke="var(--{mark.colour})" stroke-width="2" fill="none"/>'
    if isinstance(mark, Band):
        above, below = thinned(across(mark.x), up(mark.high)), thinned(across(mark.x)[::-1], up(mark.low)[::-1])
        ends = _path(*(np.concatenate(sides) for sides in zip(above, below, strict=True)))
        return f'<path d="{ends}z" fill="var(--{mark.colour})" fill-opacity="{mark.opacity:g}"/>'
    if isinstance(mark, Surface):
        return _surface(mark, across, up)
    if isinstance(mark, Bars):
        line = _path(*(scale(values) for scale, values in zip((across, up), mark.segments, strict=True)))
        return f'<path d="{line}" fill="none" stroke="var(--{mark.colour})" stroke-width="1.3" stroke-opacity="0.6"/>'
    assert isinstance(mark, Line)
    x, y = across(mark.x), up(mark.y)
    line = (
        f'<path d="{_path(*thinned(x, y))}" fill="none" stroke="var(--{mark.colour})" stroke-width="{mark.width:g}" '
        f'stroke-linejoin="round"{DASHES[mark.dashes]}/>'
    )
    if mark.dots and len(x):
        line += _dots(x, y, mark.colour, 2.8 * mark.width, 1.0)
    if mark.ends and len(x):
        line += (
            f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="5" fill="var(--paper)" stroke="var(--{mark.colour})" '
            f'stroke-width="2.5"/><circle cx="{x[-1]:.1f}" cy="{y[-1]:.1f}" r="5.5" fill="var(--{mark.colour})" '
            'stroke="var(--paper)" stroke-width="1.5"/>'
        )
    return line


def _points(mark: Points, x: Array, y: Array) -> str:
    """Draw rows as dots: the more rows, the smaller and fainter."""
    if mark.shape != "dot":
        return triangles(mark, x, y)
    if len(x) <= FEW:
        return _dots(x, y, mark.colour, (6.5 if len(x) <= FEW / 2 else 5.0) * mark.size, 0.75)
    return "".join(_dots(x[k::LAYERS], y[k::LAYERS], mark.colour, 3.6, 0.4) for k in range(LAYERS))


def _dots(x: Array, y: Array, colour: str, size: float, opacity: float) -> str:
    """Draw dots as one path of round line ends, which takes a tenth of the bytes of circles."""
    points = np.isfinite(x) & np.isfinite(y)
    dots_svg = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x[points].tolist(), y[points].tolist(), strict=True))
    return (
        f'<path class="dots" d="{dots_svg}" fill="none" stroke="var(--{colour})" stroke-width="{size:g}" '
        f'stroke-linecap="round" stroke-opacity="{opacity:g}"/>'
    )


def _path(x: Array, y: Array) -> str:
    """Return the path data of a line, with gaps where there is no number."""
    path_svg, pen = [], "M"
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(a) and math.isfinite(b):
            path_svg.append(f"{pen}{a:.1f} {b:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(path_svg)


def _surface(mark: Surface, across: Scale, up: Scale) -> str:
    from contourpy import FillType, contour_generator

    contour_maker = contour_generator(mark.x, mark.y, mark.z, fill_type=FillType.OuterOffset)
    contours_svg = []
    for contour_number, (low, high) in enumerate(zip(mark.levels[:-1], mark.levels[1:], strict=True)):
        pieces = []
        for points, offsets in zip(*contour_maker.filled(low, high), strict=True):
            for begin, end in pairwise(offsets):
                ring = points[begin:end]
                pieces.append(_path(across(ring[:, 0]), up(ring[:, 1])) + "z")
        shade = round(contour_number * (CONTOURS - 1) / max(len(mark.levels) - 2, 1))
        if pieces:
            contours_svg.append(f'<path class="c{shade}" fill-rule="evenodd" d="{"".join(pieces)}"/>')
    return "".join(contours_svg)


def _axes(across: Scale, up: Scale, frame: Frame, grid: bool) -> str:
    """Draw the grid and the numbers of both axes."""
    left, top, bottom, axes_svg = frame.left, frame.top, frame.bottom, []
    for value, text in across.ticks():
        x = float(across(np.array([value]))[0])
        if grid:
            axes_svg.append(f'<path class="grid" d="M{x:.1f} {top:g}V{bottom:g}"/>')
        axes_svg.append(f'<text x="{x:.1f}" y="{bottom + 17:g}" text-anchor="middle">{text}</text>')
    for value, text in up.ticks():
        y = float(up(np.array([value]))[0])
        if grid:
            axes_svg.append(f'<path class="grid" d="M{left:g} {y:.1f}H{frame.end:g}"/>')
        axes_svg.append(f'<text x="{left - 7:g}" y="{y + 4.5:.1f}" text-anchor="end">{text}</text>')
    axes_svg.append(f'<path class="axis" d="M{left:g} {top:g}V{bottom:g}H{frame.end:g}"/>')
    return "".join(axes_svg)


def _names(panel: Panel, across: float, up: float, frame: Frame) -> str:
    """Write the labels of the axes, and what their numbers are counted from; that of the vertical one is above it."""
    middle, most = (frame.left + frame.end) / 2, int(frame.width / 9)
    x_name, y_name = (
        _short(axis.name, most) + (f" {'−' if offset > 0.0 else '+'} {abs(offset):,.12g}" if offset else "")
        for axis, offset in ((panel.x, across), (panel.y, up))
    )
    return (
        f'<text class="name" x="{middle:g}" y="{frame.height - 8:g}" text-anchor="middle">{x_name}</text>'
        f'<text class="name" x="4" y="14">{y_name}</text>'
    )


def _matrix(panel: Panel) -> str:
    """Draw a heat map: the stronger the colour, the stronger the correlation; blue if positive, orange if negative."""
    mark = next(mark for mark in panel.marks if isinstance(mark, Matrix))
    count = len(mark.labels)
    longest = max(len(label) for label in mark.labels)
    left = min(20.0 + 8.0 * longest, 150.0)
    size = min((LARGE.width - left - 10.0) / count, 52.0)
    height = size * count + 34.0
    matrix_svg = []
    for row, label in enumerate(mark.labels):
        y = 4.0 + size * row
        short = _short(label, 16)
        matrix_svg.append(f'<text x="{left - 8:g}" y="{y + size / 2 + 4.5:.1f}" text-anchor="end">{short}</text>')
        across = _short(label, max(int(size / 7.5), 2))
        matrix_svg.append(
            f'<text x="{left + size * (row + 0.5):.1f}" y="{height - 10:.1f}" text-anchor="middle">{across}</text>'
        )
        for column in range(count):
            value = float(mark.values[row, column])
            x = left + size * column
            colour, strength = ("blue" if value >= 0.0 else "vermillion"), 0.55 * abs(value)
            cell_text, opacity = (f"{value:.2f}", f"{strength:.3f}") if math.isfinite(value) else ("–", "0")
            matrix_svg.append(
                f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{size - 2:.1f}" height="{size - 2:.1f}" rx="3" '
                f'fill="var(--{colour})" fill-opacity="{opacity}"/><text class="cell" x="{x + size / 2:.1f}" '
                f'y="{y + size / 2 + 4.5:.1f}" text-anchor="middle">{cell_text}</text>'
            )
    width = left + size * count + 10.0
    return (
        f'<svg class="matrix" viewBox="0 0 {width:.0f} {height:.0f}" width="{width * 1.2:.0f}" role="img" '
        f'aria-label="{escape(panel.alt)}">{"".join(matrix_svg)}</svg>'
    )


def _short(text: str, most: int) -> str:
    return escape(one_line(text, most))


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
