"""Panels as SVG inside a page: small, sharp in print, and coloured by the page's style sheet, light or dark.

The colours are CSS variables (``--blue``, ``--c0`` ...), so one picture serves every theme. Words are text, not
outlines: they can be searched, copied and read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from descend.report.figures import (
    Axis,
    Band,
    Bars,
    Level,
    Line,
    Mark,
    Matrix,
    Panel,
    Points,
    Surface,
    counted_from,
    reach,
)
from descend.report.style import one_line
from descend.report.svg_scales import LARGE, Frame, Scale
from descend.report.thinning import thinned

Array = NDArray[np.float64]

MARGIN = 0.04
"""Margin around what is drawn, as a share of its range."""
LAYERS = 8
"""Dots are drawn in this many layers, so that it is darker where dots of several layers overlap."""
FEW = 400
"""Up to this many rows, dots are large."""
CONTOURS = 12
"""Number of contours for which the style sheet has colours."""
DASHES = {"-": "", "--": ' stroke-dasharray="7 4"', ":": ' stroke-dasharray="2 4"'}


def svg(panel: Panel, prefix: str = "", moving: str = "", frame: Frame = LARGE) -> str:
    """Draw a panel as an ``<svg>``. prefix: sets its ids apart. moving: markup over the marks, such as ``drawn``."""
    if any(isinstance(mark, Matrix) for mark in panel.marks):
        return _matrix(panel)
    across, up = scales(panel, frame)
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
    across, up = scales(panel)
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
                sample = _hollow(mark, np.array([11.0]), np.array([6.0]))
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


def scales(panel: Panel, frame: Frame = LARGE) -> tuple[Scale, Scale]:
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
        return _hollow(mark, x, y)
    if len(x) <= FEW:
        return _dots(x, y, mark.colour, (6.5 if len(x) <= FEW / 2 else 5.0) * mark.size, 0.75)
    return "".join(_dots(x[k::LAYERS], y[k::LAYERS], mark.colour, 3.6, 0.4) for k in range(LAYERS))


def _hollow(mark: Points, x: Array, y: Array) -> str:
    """Draw rows as rings, or as open triangles that point up or down."""
    points_shown, side = np.isfinite(x) & np.isfinite(y), 3.6 * mark.size
    if mark.shape == "ring":
        outline = f"a{side:g} {side:g} 0 1 0 {2 * side:g} 0a{side:g} {side:g} 0 1 0 {-2 * side:g} 0"
        places = zip(x[points_shown].tolist(), y[points_shown].tolist(), strict=True)
        rings = "".join(f"M{a - side:.1f} {b:.1f}{outline}" for a, b in places)
        return f'<path d="{rings}" fill="none" stroke="var(--{mark.colour})" stroke-width="1.3"/>'
    tip = -1.6 * side if mark.shape == "up" else 1.6 * side
    triangles_svg = "".join(
        f"M{a - side:.1f} {b - tip / 2:.1f}h{2 * side:.1f}l{-side:.1f} {tip:.1f}z"
        for a, b in zip(x[points_shown].tolist(), y[points_shown].tolist(), strict=True)
    )
    return f'<path d="{triangles_svg}" fill="none" stroke="var(--{mark.colour})" stroke-width="1.3"/>'


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
        counted_from(_short(axis.name, most), offset) for axis, offset in ((panel.x, across), (panel.y, up))
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
            colour, strength, cell_text = ("blue" if value >= 0.0 else "vermillion"), 0.55 * abs(value), f"{value:.2f}"
            if not math.isfinite(value):
                strength, cell_text = 0.0, "–"
            matrix_svg.append(
                f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{size - 2:.1f}" height="{size - 2:.1f}" rx="3" '
                f'fill="var(--{colour})" fill-opacity="{strength:.3f}"/><text class="cell" x="{x + size / 2:.1f}" '
                f'y="{y + size / 2 + 4.5:.1f}" text-anchor="middle">{cell_text.replace("-", "−")}</text>'
            )
    width = left + size * count + 10.0
    return (
        f'<svg class="matrix" viewBox="0 0 {width:.0f} {height:.0f}" width="{width * 1.2:.0f}" role="img" '
        f'aria-label="{escape(panel.alt)}">{"".join(matrix_svg)}</svg>'
    )


def _short(text: str, most: int) -> str:
    return escape(one_line(text, most))
