"""Small multiples: many small pictures of one kind, side by side, on axes that can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.report import style
from descend.report.figures import Axis, Line, Mark, Panel, Points, reach
from descend.report.frame import SMALL
from descend.report.look import Look
from descend.report.svg import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
ALIKE = 5.0
"""Pictures share an axis if the whole range is at most this many times that of a usual picture."""
MARGIN = 0.05
WIDTH, HEIGHT = 2.35, 1.95
"""Inches of one picture."""
ABREAST = {3: 3, 8: 4, 15: 5}
"""So many pictures at most stand in so many columns; more in six."""
LETTERS = 15.0
"""Letters of a title per inch."""


def in_common(panels: Sequence[Panel]) -> tuple[list[Panel], str]:
    """Return the panels with axes that they share where their ranges are alike, and a sentence where they do not."""
    apart, shown = [], list(panels)
    for side, word in (("x", "horizontal"), ("y", "vertical")):
        ends = [found for panel in shown if (found := _ends(panel, side)) is not None]
        if not ends:
            continue
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        usual = float(np.median([high - low for low, high in ends]))
        if high - low <= ALIKE * usual:
            room = MARGIN * (high - low)
            limits = [(low - room, high + room)] * len(shown)
        else:
            apart.append(word)
            limits = [_with_room(_ends(panel, side) or (low, high)) for panel in shown]
        shown = [_limited(panel, side, *ends) for panel, ends in zip(shown, limits, strict=True)]
    sentence = f"Each picture has a {' and a '.join(apart)} axis of its own." if apart else ""
    return shown, sentence


def _with_room(ends: tuple[float, float]) -> tuple[float, float]:
    room = MARGIN * (ends[1] - ends[0])
    return ends[0] - room, ends[1] + room


def _limited(panel: Panel, side: str, low: float, high: float) -> Panel:
    axis: Axis = getattr(panel, side)
    ends = (10.0**low, 10.0**high) if axis.scale == "log" else (low, high)
    limited = replace(axis, low=ends[0], high=ends[1])
    return replace(panel, x=limited) if side == "x" else replace(panel, y=limited)


def _ends(panel: Panel, side: str) -> tuple[float, float] | None:
    """Return the range of the dots of a panel, or of its lines if it has none; of logarithms on such an axis."""
    log = getattr(panel, side).scale == "log"
    for kind in (Points, Line):
        parts = [_numbers(getattr(mark, side), log) for mark in panel.marks if isinstance(mark, kind)]
        found = np.concatenate(parts) if parts else np.empty(0)
        if len(found):
            return reach(found)
    return None


def _numbers(values: Array, log: bool) -> Array:
    values = values[np.isfinite(values)]
    return np.log10(values[values > 0.0]) if log else values


def html(panels: Sequence[Panel], links: Sequence[str] = (), prefix: str = "") -> str:
    """Draw small pictures as HTML. links: where a click on each leads; prefix: as for ``svg``."""
    shown, sentence = in_common(panels)
    drawn = []
    for place, panel in enumerate(shown):
        name, _, note = panel.title.partition("\n")
        kind = ' class="bad"' if panel.failed else ""
        head = f'<h3>{escape(style.one_line(name, 28))}</h3><p{kind} title="{escape(note)}">{escape(note)}</p>'
        picture = svg(replace(panel, key=f"{panel.key}-{place}"), prefix, frame=SMALL)
        inside = f"{head}{picture}"
        drawn.append(
            f'<figure><a href="{escape(links[place])}">{inside}</a></figure>' if links else f"<figure>{inside}</figure>"
        )
    below = f"<p>{sentence}</p>" if sentence else ""
    return f'<div class="multiples">{"".join(drawn)}</div>{below}'


def figure(panels: Sequence[Panel], title: str = "", captions: Sequence[str] = (), look: Look | None = None) -> Figure:
    """Draw small pictures with Matplotlib, under one title; labels and numbers stand where they differ only."""
    from matplotlib.ticker import MaxNLocator

    from descend.report.plots import draw_mark, set_scale

    look = look or Look()
    shown, sentence = in_common(panels)
    across = next((columns for most, columns in ABREAST.items() if len(shown) <= most), 6)
    across = min(across, len(shown))
    down = math.ceil(len(shown) / across)
    size = look.size or (max(WIDTH * across, 4.6), HEIGHT * down + 0.9)
    drawn, places = style.grid(down, across, len(shown), title if look.title is None else look.title, size)
    own = ["horizontal" in sentence, "vertical" in sentence]
    for place, (axes, panel) in enumerate(zip(places, shown, strict=True)):
        for mark in panel.marks:
            draw_mark(axes, _small(mark))
        for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            if getattr(panel, side).scale == "linear":
                axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
            set_scale(axes, getattr(panel, side), side)
        outer = place + across >= len(shown), place % across == 0
        axes.tick_params(which="both", labelsize=8, labelbottom=own[0] or outer[0], labelleft=own[1] or outer[1])
        _name(axes, panel, size[0] / across, outer, look)
    style.caption(drawn, [*captions, sentence])
    return drawn


def _small(mark: Mark) -> Mark:
    """Return a mark for a small picture, without a name."""
    return replace(mark, width=1.6, name="") if isinstance(mark, Line) else mark


def _name(axes: Axes, panel: Panel, width: float, outer: tuple[bool, bool], look: Look) -> None:
    """Write the name and the note of a small picture above it, and the names of outer axes."""
    name, _, note = panel.title.partition("\n")
    most = max(int(width * LETTERS), 12)
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
