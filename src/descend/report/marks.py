"""The marks of a panel, drawn with Matplotlib."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from descend.report import style
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
    far_from_zero,
)
from descend.report.style import Style
from descend.report.theme import SCREEN, Theme
from descend.report.view_of_fit import MOST_POINTS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as MatplotlibAxis

LEAST_PLAIN, LARGEST_PLAIN = 0.5e-3, 2e5
"""Between these, the numbers of a logarithmic axis are written out."""


def draw(axes: Axes, panel: Panel, theme: Theme = SCREEN) -> None:
    """Draw one panel."""
    handles, names = [], []
    for mark in panel.marks:
        handle = draw_mark(axes, mark, theme)
        if name := getattr(mark, "name", ""):
            handles.append(handle)
            names.append(style.shown(name, 80))
    set_scale(axes, panel.x, "x")
    set_scale(axes, panel.y, "y")
    if panel.equal:
        axes.set_aspect("equal", adjustable="box")
    names_of_axes = _counted(axes.xaxis, panel.x.name), _counted(axes.yaxis, panel.y.name)
    style.label(axes, *names_of_axes, panel.title, theme, panel.failed)
    if names:
        style.legend(axes, handles, names, theme)


def draw_mark(axes: Axes, mark: Mark, theme: Theme = SCREEN) -> Artist:
    """Draw one mark and return its artist."""
    if isinstance(mark, Points):
        return _points(axes, mark, theme)
    if isinstance(mark, Bars):
        x, y = mark.segments
        color, width = theme.colour(mark.colour), 1.2 * theme.line
        return axes.plot(x, y, "-", color=color, linewidth=width, alpha=0.6, zorder=1.8)[0]
    if isinstance(mark, Line):
        width = mark.width * theme.line
        marker_style: Style = {"marker": "o" if mark.dots else None, "markersize": 2.25 * width}
        if mark.ends:
            marker_style = {"marker": "o", "markersize": 6.0 * theme.dot, "markevery": [0, len(mark.x) - 1]}
        color = theme.colour(mark.colour)
        return axes.plot(mark.x, mark.y, mark.dashes, color=color, linewidth=width, zorder=3, **marker_style)[0]
    if isinstance(mark, Band):
        color = theme.colour(mark.colour)
        return axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=mark.opacity, linewidth=0.0, zorder=1)
    if isinstance(mark, Level):
        return axes.axhline(mark.y, color=theme.colour(mark.colour), linewidth=1.8 * theme.line, zorder=3)
    if isinstance(mark, Surface):
        return _surface(axes, mark, theme)
    return _matrix(axes, mark, theme)


def _points(axes: Axes, mark: Points, theme: Theme) -> Artist:
    """Draw rows as dots: the more rows, the smaller and fainter."""
    crowd = min(math.log10(max(len(mark.x), 1)) / math.log10(MOST_POINTS), 1.0)
    size, alpha = (6.5 - 4.0 * crowd) * mark.size * theme.dot, 0.85 - 0.5 * crowd
    color = theme.colour(mark.colour)
    zorder = 4 if mark.over else 2
    if mark.shape != "dot":
        kind = {"down": "v", "up": "^", "ring": "o"}[mark.shape]
        hollow: Style = {"color": color, "markerfacecolor": "none", "markersize": size}
        return axes.plot(mark.x, mark.y, kind, alpha=alpha, zorder=zorder, **hollow)[0]
    dots: Style = {"color": color, "markersize": size, "alpha": alpha, "markeredgewidth": 0.0, "zorder": zorder}
    return axes.plot(mark.x, mark.y, "o", **dots)[0]


def _surface(axes: Axes, mark: Surface, theme: Theme) -> Artist:
    axes.grid(False)
    return axes.contourf(mark.x, mark.y, mark.z, mark.levels, colors=style.contours(len(mark.levels) - 1, theme.dark))


def _matrix(axes: Axes, mark: Matrix, theme: Theme) -> Artist:
    from matplotlib.colors import LinearSegmentedColormap

    ends = [theme.colour("vermillion"), theme.paper, theme.colour("blue")]
    image = axes.imshow(mark.values, vmin=-1.0, vmax=1.0, cmap=LinearSegmentedColormap.from_list("", ends), alpha=0.6)
    axes.grid(False)
    ticks = range(len(mark.labels))
    names = [style.shown(label, 16) for label in mark.labels]
    axes.set_xticks(ticks, names, parse_math=False)
    axes.set_yticks(ticks, names, parse_math=False)
    words = style.text(0.9 * theme.label, theme.ink, theme)
    for row in ticks:
        for column in ticks:
            axes.text(
                column, row, f"{mark.values[row, column]:.2f}".replace("-", "−"), ha="center", va="center", **words
            )
    return image


def set_scale(axes: Axes, axis: Axis, side: str) -> None:
    """Set the scale, the limits and the ticks of one axis."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    if axis.scale == "symlog":
        axes.set_xscale("symlog", linthresh=1.0)
        axes.xaxis.set_major_formatter(ScalarFormatter())
    elif axis.scale == "log":
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
        _plain_numbers(axes.xaxis if side == "x" else axes.yaxis)
    elif axis.integers:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    numbers = axes.yaxis.get_major_formatter()
    if side == "y" and isinstance(numbers, ScalarFormatter):
        # An offset or a power of ten above the axis would overlap the title.
        numbers.set_useOffset(False)
        numbers.set_powerlimits((-5, 8))
    if axis.low is not None or axis.high is not None:
        (axes.set_xlim if side == "x" else axes.set_ylim)(axis.low, axis.high)


def _counted(axis: MatplotlibAxis, name: str) -> str:
    """Write numbers far from 0 as differences from a round number; returns the name of the axis, which says so."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    low, high = sorted(axis.get_view_interval())
    away = far_from_zero(low, high)
    if not away or not isinstance(axis.get_major_formatter(), ScalarFormatter):
        return name
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value - away:.10g}".replace("-", "−")))
    return counted_from(name, away)


def _plain_numbers(axis: MatplotlibAxis) -> None:
    """Write numbers of a usual size on a logarithmic axis as 0.5 and 20; powers of ten are for others."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(partial(_at_power, axis)))
    axis.set_minor_formatter(FuncFormatter(partial(_between_powers, axis)))


def _at_power(axis: MatplotlibAxis, value: float, place: int | None) -> str:
    low, high = sorted(axis.get_view_interval())
    if low >= LEAST_PLAIN and high <= LARGEST_PLAIN:
        return f"{value:g}"
    exponent = math.log10(value) if value > 0.0 else math.nan
    return f"$\\mathdefault{{10^{{{exponent:.0f}}}}}$" if abs(exponent - round(exponent)) < 1e-6 else ""


def _between_powers(axis: MatplotlibAxis, value: float, place: int | None) -> str:
    """Label 2 and 5 where the axis spans less than two powers of ten, and more where it spans less than one."""
    low, high = sorted(axis.get_view_interval())
    if not (low > 0.0 and low >= LEAST_PLAIN and high <= LARGEST_PLAIN and high < 50.0 * low):
        return ""
    first = round(value / 10.0 ** math.floor(math.log10(value) + 1e-9))
    tick_digits = (2, 5) if high > 10.0 * low else (2, 3, 4, 5, 6, 8) if high < 4.0 * low else (2, 3, 5)
    return f"{value:g}" if first in tick_digits else ""
