"""Small multiples: many small pictures of one kind, side by side, on axes that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from descend.report import style
from descend.report.figures import Axis, Bars, Line, Panel, Points, reach
from descend.report.svg import svg
from descend.report.svg_scales import SMALL

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
    separate_axes, panels_shown = [], list(panels)
    for side, word in (("x", "horizontal"), ("y", "vertical")):
        ends = [axis_ends for panel in panels_shown if (axis_ends := _ends(panel, side)) is not None]
        if not ends:
            continue
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        usual = float(np.median([high - low for low, high in ends]))
        if high - low <= ALIKE * usual:
            room = MARGIN * (high - low)
            limits = [(low - room, high + room)] * len(panels_shown)
        else:
            separate_axes.append(word)
            limits = [_with_room(_ends(panel, side) or (low, high)) for panel in panels_shown]
        panels_shown = [_limited(panel, side, *ends) for panel, ends in zip(panels_shown, limits, strict=True)]
    sentence = f"Each picture has a {' and a '.join(separate_axes)} axis of its own." if separate_axes else ""
    return panels_shown, sentence


def _with_room(ends: tuple[float, float]) -> tuple[float, float]:
    room = MARGIN * (ends[1] - ends[0])
    return ends[0] - room, ends[1] + room


def _limited(panel: Panel, side: str, low: float, high: float) -> Panel:
    axis: Axis = getattr(panel, side)
    ends = (10.0**low, 10.0**high) if axis.scale == "log" else (low, high)
    limited = replace(axis, low=ends[0], high=ends[1])
    return replace(panel, x=limited) if side == "x" else replace(panel, y=limited)


def _ends(panel: Panel, side: str) -> tuple[float, float] | None:
    """Return the range of the dots of a panel with their bars, or of its lines if it has none; of logarithms on such
    an axis. An axis that has ends keeps them.
    """
    axis: Axis = getattr(panel, side)
    if axis.low is not None and axis.high is not None:
        return axis.low, axis.high
    log = axis.scale == "log"
    for kind in (Points, Line):
        axis_values = [_numbers(getattr(mark, side), log) for mark in panel.marks if isinstance(mark, kind)]
        if any(map(len, axis_values)) and side == "y":
            axis_values += [_numbers(mark.reach_up, log) for mark in panel.marks if isinstance(mark, Bars)]
        axis_numbers = np.concatenate(axis_values) if axis_values else np.empty(0)
        if len(axis_numbers):
            return reach(axis_numbers)
    return None


def _numbers(values: Array, log: bool) -> Array:
    values = values[np.isfinite(values)]
    return np.log10(values[values > 0.0]) if log else values


def html(panels: Sequence[Panel], links: Sequence[str] = (), prefix: str = "") -> str:
    """Draw small pictures as HTML. links: where a click on each leads; prefix: as for ``svg``."""
    panels_shown, sentence = in_common(panels)
    panels_html = []
    for panel_number, panel in enumerate(panels_shown):
        name, _, note = panel.title.partition("\n")
        kind = ' class="bad"' if panel.failed else ""
        head = f'<h3>{escape(style.one_line(name, 28))}</h3><p{kind} title="{escape(note)}">{escape(note)}</p>'
        picture = svg(replace(panel, key=f"{panel.key}-{panel_number}"), prefix, frame=SMALL)
        panel_html = f"{head}{picture}"
        panels_html.append(
            f'<figure><a href="{escape(links[panel_number])}">{panel_html}</a></figure>'
            if links
            else f"<figure>{panel_html}</figure>"
        )
    below = f"<p>{sentence}</p>" if sentence else ""
    return f'<div class="multiples">{"".join(panels_html)}</div>{below}'
