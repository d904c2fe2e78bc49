"""Still pictures with Matplotlib: a fit over its data, optimizers side by side, two columns, or any panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.descent.outcome import Outcome
from descend.report import grouped, multiples, panels, residual_panels, style
from descend.report.figures import Axis, Band, Level, Line, Mark, Matrix, Panel, Points, Surface
from descend.report.look import Look
from descend.report.panels import DEFAULT
from descend.report.style import save
from descend.report.view import MOST_POINTS, View, ended, view

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from descend.inference.fitted import Fitted

Array = NDArray[np.float64]

__all__ = ["draw", "plot_columns", "plot_comparison", "plot_fit", "plot_model", "plot_multiples", "plot_panels", "save"]


def plot_fit(fit: Fitted, look: Look = DEFAULT) -> Figure:
    """Draw a fit: its data with the fitted curve, and the loss per epoch if the run took more than a few steps.

    For one input column: the rows and the curve. For several: predicted against observed, and the residuals. All on the
    scale of the formula's left side.

    Raises ConfigError if the fit was loaded from a file, so that it has no data (see ``plot_model``).
    """
    return _plot(fit, None, look)


def plot_model(fit: Fitted, columns: Mapping[str, Any], look: Look = DEFAULT) -> Figure:
    """Draw a fitted model over columns of data, as ``plot_fit`` does; the response may be left out with one input.

    Raises DataError if a column is missing.
    """
    return _plot(fit, columns, look)


def _plot(fit: Fitted, columns: Mapping[str, Any] | None, look: Look) -> Figure:
    seen = view(fit, columns)
    if seen.groups and seen.observed:
        return _plot_groups(seen, look)
    shown = [panels.curve(seen, look)] if seen.one else [panels.predicted(seen, look), residual_panels.residuals(seen)]
    captions = [shown[0].caption]
    below = residual_panels.residuals_below(seen, look) if look.residuals and seen.one and seen.observed else None
    if panels.tells(fit):
        shown.append(panels.loss(fit))
    captions.append("" if fit.trace or fit.outcome is Outcome.CONVERGED else f"{ended(fit).capitalize()}.")
    return plot_panels(shown, _title(fit), captions, look, below)


def _plot_groups(seen: View, look: Look) -> Figure:
    """Draw a fit whose parameters belong to groups: each in its colour, or of many groups each by itself."""
    if len(seen.groups) <= grouped.TOGETHER:
        panel = grouped.curves(seen, look)
        below = grouped.residuals_below(seen, look) if look.residuals and seen.curves else None
        return plot_panels([panel], _title(seen.fit), [panel.caption], look, below)
    shown = grouped.one_by_one(seen, look, grouped.SMALL)
    some = f"The {len(shown)} groups that fit worst, of {len(seen.groups):,}." if len(shown) < len(seen.groups) else ""
    return plot_multiples([panel for _, panel in shown], str(seen.fit.model), [some, seen.sampled], look)


def plot_comparison(fits: Mapping[str, Fitted]) -> Figure:
    """Draw the loss per epoch of several fits over each other; curves that leave the picture diverged."""
    figure, (axes,) = style.canvas(1)
    figure.set_size_inches(9.0, 5.0)
    draw(axes, panels.comparison(fits))
    style.caption(figure, [])
    return figure


def plot_columns(x: ArrayLike, y: ArrayLike, x_name: str, y_name: str, look: Look = DEFAULT) -> Figure:
    """Draw one column against another."""
    panel = panels.columns(x, y, x_name, y_name, look)
    return plot_panels([panel], "", [panel.caption], look)


def plot_panels(
    shown: Sequence[Panel],
    title: str = "",
    captions: Sequence[str] = (),
    look: Look = DEFAULT,
    below: Panel | None = None,
) -> Figure:
    """Draw panels side by side. look: of the first, which shows the data; below: a panel under that one."""
    figure, places = style.canvas(len(shown), title if look.title is None else look.title, look.size)
    first = _worded(shown[0], look)
    for axes, panel in zip(places, [first, *shown[1:]], strict=True):
        draw(axes, panel)
    if below is not None:
        draw(style.below(figure, places[0]), replace(below, x=replace(below.x, name=first.x.name)))
    style.caption(figure, captions)
    return figure


def _worded(panel: Panel, look: Look) -> Panel:
    """Return the panel with the axis labels that the user wants."""
    across = panel.x if look.x_label is None else replace(panel.x, name=look.x_label)
    up = panel.y if look.y_label is None else replace(panel.y, name=look.y_label)
    return replace(panel, x=across, y=up)


def plot_multiples(
    panels: Sequence[Panel], title: str = "", captions: Sequence[str] = (), look: Look = DEFAULT
) -> Figure:
    """Draw small pictures with Matplotlib, under one title; labels and numbers stand where they differ only."""
    from matplotlib.ticker import MaxNLocator

    shown, sentence = multiples.in_common(panels)
    across = next((columns for most, columns in multiples.ABREAST.items() if len(shown) <= most), 6)
    across = min(across, len(shown))
    down = math.ceil(len(shown) / across)
    size = look.size or (max(multiples.WIDTH * across, 4.6), multiples.HEIGHT * down + 0.9)
    drawn, places = style.grid(down, across, len(shown), title if look.title is None else look.title, size)
    own = ["horizontal" in sentence, "vertical" in sentence]
    for place, (axes, panel) in enumerate(zip(places, shown, strict=True)):
        for mark in panel.marks:
            draw_mark(axes, _thinner(mark))
        for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            if getattr(panel, side).scale == "linear":
                axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            set_scale(axes, getattr(panel, side), side)
        outer = place + across >= len(shown), place % across == 0
        axes.tick_params(which="both", labelsize=8, labelbottom=own[0] or outer[0], labelleft=own[1] or outer[1])
        _name_small(axes, panel, size[0] / across, outer, look)
    style.caption(drawn, [*captions, sentence])
    return drawn


def _thinner(mark: Mark) -> Mark:
    """Return a mark for a small picture, without a name."""
    return replace(mark, width=1.6, name="") if isinstance(mark, Line) else mark


def _name_small(axes: Axes, panel: Panel, width: float, outer: tuple[bool, bool], look: Look) -> None:
    """Write the name and the note of a small picture above it, and the names of outer axes."""
    name, _, note = panel.title.partition("\n")
    most = max(int(width * multiples.LETTERS), 12)
    small = style.text(8, style.VERMILLION if panel.failed else style.GREY)
    axes.set_title(style.shown(name, most), loc="left", pad=15 if note else 4, **style.text(9.5, fontweight="bold"))
    axes.annotate(style.shown(note, most), (0.0, 1.0), (0, 4), "axes fraction", "offset points", **small)
    if panel.caption:
        axes.grid(False)
        said = style.wrapped(panel.caption, int(width * 12.0), 5)
        axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", **style.text(7.5, style.GREY))
    x, y = look.x_label or panel.x.name, look.y_label or panel.y.name
    axes.set_xlabel(style.shown(x, most) if outer[0] else "", **style.text(9))
    axes.set_ylabel(style.shown(y, most) if outer[1] else "", **style.text(9))


def draw(axes: Axes, panel: Panel) -> None:
    """Draw one panel."""
    handles, names = [], []
    for mark in panel.marks:
        handle = draw_mark(axes, mark)
        if name := getattr(mark, "name", ""):
            handles.append(handle)
            names.append(style.shown(name, 80))
    set_scale(axes, panel.x, "x")
    set_scale(axes, panel.y, "y")
    style.label(axes, panel.x.name, panel.y.name, panel.title, style.VERMILLION if panel.failed else style.GREY)
    if names:
        style.legend(axes, handles, names)


def draw_mark(axes: Axes, mark: Mark) -> Artist:
    """Draw one mark and return its artist."""
    if isinstance(mark, Points):
        return _points(axes, mark)
    if isinstance(mark, Line):
        more: dict[str, Any] = {"marker": "o" if mark.dots else None, "markersize": 2.25 * mark.width}
        if mark.ends:
            more = {"marker": "o", "markersize": 6.0, "markevery": [0, len(mark.x) - 1]}
        color, width = style.PALETTE[mark.colour][0], mark.width
        return axes.plot(mark.x, mark.y, mark.dashes, color=color, linewidth=width, zorder=3, **more)[0]
    if isinstance(mark, Band):
        color = style.PALETTE[mark.colour][0]
        return axes.fill_between(mark.x, mark.low, mark.high, color=color, alpha=mark.opacity, linewidth=0.0, zorder=1)
    if isinstance(mark, Level):
        return axes.axhline(mark.y, color=style.PALETTE[mark.colour][0], linewidth=1.8, zorder=3)
    if isinstance(mark, Surface):
        return _surface(axes, mark)
    return _matrix(axes, mark)


def _points(axes: Axes, mark: Points) -> Artist:
    """Draw rows as dots: the more rows, the smaller and fainter."""
    crowd = min(math.log10(max(len(mark.x), 1)) / math.log10(MOST_POINTS), 1.0)
    size, alpha = 6.5 - 4.0 * crowd, 0.85 - 0.5 * crowd
    color = style.PALETTE[mark.colour][0]
    drawn = axes.plot(mark.x, mark.y, "o", color=color, markersize=size, alpha=alpha, markeredgewidth=0.0, zorder=2)
    return drawn[0]


def _surface(axes: Axes, mark: Surface) -> Artist:
    axes.grid(False)
    return axes.contourf(mark.x, mark.y, mark.z, mark.levels, colors=style.contours(len(mark.levels) - 1))


def _matrix(axes: Axes, mark: Matrix) -> Artist:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("", [style.VERMILLION, "white", style.BLUE])
    image = axes.imshow(mark.values, vmin=-1.0, vmax=1.0, cmap=colours, alpha=0.6)
    axes.grid(False)
    places = range(len(mark.labels))
    names = [style.shown(label, 16) for label in mark.labels]
    axes.set_xticks(places, names, parse_math=False)
    axes.set_yticks(places, names, parse_math=False)
    for row in places:
        for column in places:
            axes.text(column, row, f"{mark.values[row, column]:.2f}", ha="center", va="center", **style.text(9.5))
    return image


def set_scale(axes: Axes, axis: Axis, side: str) -> None:
    """Set the scale, the limits and the ticks of one axis."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    if axis.scale == "symlog":
        axes.set_xscale("symlog", linthresh=1.0)
        axes.xaxis.set_major_formatter(ScalarFormatter())
    elif axis.scale == "log":
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    elif axis.integers:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    numbers = axes.yaxis.get_major_formatter()
    if side == "y" and isinstance(numbers, ScalarFormatter):
        # An offset or a power of ten above the axis would overlap the title.
        numbers.set_useOffset(False)
        numbers.set_powerlimits((-5, 8))
    if axis.low is not None or axis.high is not None:
        (axes.set_xlim if side == "x" else axes.set_ylim)(axis.low, axis.high)


def _title(fit: Fitted) -> str:
    """Return the formula with its values; for a function or module its name, and its parameters if they are few."""
    if fit.fitted_formula:
        return fit.fitted_formula
    values = fit.mentioned(digits=4)
    return f"{fit.model}:  {values}" if values and not values.endswith("...") else str(fit.model)
