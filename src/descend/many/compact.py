"""The pictures of many groups in few bytes: a page draws one when a reader asks for it (see ``groups.js``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.many.pictures import panel_of
from descend.report.figures import Array, Bars, Line, Mark, Panel, Points, reach
from descend.report.picture_look import Look
from descend.report.thinning import thinned

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

UNITS = 999
"""A picture is so many units wide and high."""
ROOM = 0.05


def pictures(fits: FittedGroups, group_numbers: Sequence[int]) -> str:
    """Return a block of JSON: the axes, and for each group its limits, its rows and its curve, in units of the picture.

    Empty if there are no groups, or no rows of them.
    """
    groups: dict[str, list[object]] = {}
    names = ("", "")
    for group in group_numbers:
        rows = fits.rows_of(group)
        if rows is None:
            continue
        panel = panel_of(fits, group, rows, Look())
        names = panel.x.name, panel.y.name
        groups[str(group)] = _compact(panel)
    if not groups:
        return ""
    text = json.dumps({"x": names[0], "y": names[1], "groups": groups}, ensure_ascii=False, separators=(",", ":"))
    return f'<script type="application/json" id="compact">{text.replace("<", chr(92) + "u003c")}</script>'


def _compact(panel: Panel) -> list[object]:
    """Return limits, rows, error bars and curve of one group; a gap is null."""
    marks = panel.marks
    (left, right), (low, high) = _ends(marks, "x"), _ends(marks, "y")

    def line(x: Array, y: Array, thin: bool = False) -> list[int | None]:
        a, b = UNITS * (x - left) / (right - left), UNITS * (y - low) / (high - low)
        a, b = thinned(a, b, 1.0) if thin else (a, b)
        pairs = np.round(np.clip(np.stack([a, b], axis=1).ravel(), -UNITS, 2 * UNITS))
        return [int(value) if is_finite else None for value, is_finite in zip(pairs, np.isfinite(pairs), strict=True)]

    dots: list[int | None] = []
    bars: list[int | None] = []
    curve: list[int | None] = []
    for mark in marks:
        if isinstance(mark, Points):
            dots += line(mark.x, mark.y)
        elif isinstance(mark, Bars):
            bars += line(*mark.segments)
        elif isinstance(mark, Line):
            curve += ([None, None] if curve else []) + line(mark.x, mark.y, thin=True)
    limits = [float(f"{value:.5g}") for value in (left, right, low, high)]
    return [limits, dots, curve, *([bars] if bars else [])]


def _ends(marks: Sequence[Mark], side: str) -> tuple[float, float]:
    """Return the limits of an axis: of all that is drawn, with some room."""
    parts = [np.asarray(getattr(mark, side), dtype=np.float64) for mark in marks if isinstance(mark, Points | Line)]
    parts += [mark.segments[0 if side == "x" else 1] for mark in marks if isinstance(mark, Bars)]
    low, high = reach(np.concatenate(parts) if parts else np.empty(0))
    return low - ROOM * (high - low), high + ROOM * (high - low)
