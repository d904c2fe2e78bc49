"""The pictures of many groups in few bytes: a page draws one when a reader asks for it (see ``groups.js``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from descend.many.pictures import panel_of
from descend.report.figures import Array, Bars, Line, Panel, Points
from descend.report.picture_look import Look
from descend.report.svg import scales
from descend.report.svg_scales import Frame
from descend.report.thinning import thinned

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

SQUARE = Frame(999.0, 999.0, 0.0, 999.0, 999.0, 0.0)
"""A picture is so many units wide and high, counted from below."""


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
    across, up = scales(panel, SQUARE)

    def line(x: Array, y: Array, thin: bool = False) -> list[int | None]:
        a, b = thinned(across(x), up(y), 1.0) if thin else (across(x), up(y))
        pairs = np.round(np.stack([a, b], axis=1).ravel())
        return [int(value) if is_finite else None for value, is_finite in zip(pairs, np.isfinite(pairs), strict=True)]

    dots: list[int | None] = []
    bars: list[int | None] = []
    curve: list[int | None] = []
    for mark in panel.marks:
        if isinstance(mark, Points):
            dots += line(mark.x, mark.y)
        elif isinstance(mark, Bars):
            bars += line(*mark.segments)
        elif isinstance(mark, Line):
            curve += ([None, None] if curve else []) + line(mark.x, mark.y, thin=True)
    limits = [float(f"{value:.5g}") for value in (across.low, across.high, up.low, up.high)]
    return [limits, dots, curve, *([bars] if bars else [])]
