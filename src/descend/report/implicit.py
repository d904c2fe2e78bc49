"""The panel of an implicit curve, `0 ~ f(x, y)`: the curve in the plane of its two columns, with the rows."""

from __future__ import annotations

import numpy as np

from descend.report import classes, panels, rows_as_marks
from descend.report.figures import Array, Axis, Bars, Line, Mark, Panel, Points, above_zero, reach
from descend.report.picture_look import Look
from descend.report.view_of_fit import View, rows

FINE = 301
"""Points of the grid on which the curve is looked for, along each axis."""
WIDE = 1.0
"""So much of the range of the rows the curve is looked for beyond them; it is shown whole if it closes there."""
ROOM = 0.06
"""Room around what is drawn, as a share of its range."""
ALIKE = 4.0
"""A unit is as long on both axes unless their ranges differ by more than this factor."""


def first(view: View, look: Look = panels.DEFAULT) -> Panel:
    """Prepare the first picture of a fit without groups: its curve, in the plane if it is implicit, or predictions."""
    if view.classes:
        return classes.first(view, look)
    if view.plane:
        return curve(view, look)
    return panels.curve(view, look) if view.one else panels.predicted(view, look)


def curve(view: View, look: Look) -> Panel:
    """Prepare the rows and the curve on which f is 0, with the corrected points joined to the measured ones."""
    (across, up), (x, y) = view.inputs, (np.asarray(view.columns[name]) for name in view.inputs)
    pieces, closed = _level_lines(view, x, y, look)
    marks: list[Mark] = []
    count, fit = len(x), view.fit
    if count <= rows_as_marks.MOST_BARS:
        wide, high = (rows_as_marks.input_errors(fit, name, view.columns, count) for name in (across, up))
        of_x = (None, None) if wide is None else (x - wide, x + wide)
        of_y = (None, None) if high is None else (y - high, y + high)
        marks.append(Bars(x, y, *of_x, *of_y))
    marks.append(Points(x, y, "data"))
    if (held := view.held_out) is not None:
        marks += rows_as_marks.held_out(held, np.asarray(held.columns[across]), np.asarray(held.columns[up]))
    line = np.concatenate([np.append(piece, [[np.nan, np.nan]], axis=0) for piece in pieces] or [np.empty((0, 2))])
    marks.append(Line(line[:, 0], line[:, 1], "fit" if len(line) else "", width=2.4))
    true = rows_as_marks.corrected(view)
    if true is not None and count <= rows_as_marks.MOST_BARS:
        marks += rows_as_marks.joined(x, y, true.get(across, x), true.get(up, y))
    spans = [reach(np.concatenate([values, line[:, side]]) if closed else values) for side, values in enumerate((x, y))]
    limits = [_with_room(low, high, look.scale(side)) for (low, high), side in zip(spans, "xy", strict=True)]
    ratio = (spans[0][1] - spans[0][0]) / (spans[1][1] - spans[1][0])
    return Panel(
        "curve",
        f"Data and fit, {rows(view.fit.rows)}" if view.fit.solution is not None else "Data and fit",
        Axis(across, look.scale("x"), *limits[0]),
        Axis(up, look.scale("y"), *limits[1]),
        marks,
        view.sampled,
        f"{up} against {across}, {rows(count)}, with the fitted curve.",
        equal=not look.log and 1.0 / ALIKE < ratio < ALIKE,
    )


def _level_lines(view: View, x: Array, y: Array, look: Look) -> tuple[list[Array], bool]:
    """Return the pieces of the curve, (n, 2) each, and whether they all close."""
    from contourpy import LineType, contour_generator

    for share in (WIDE, 0.0):
        grids = [_grid(values, share, look.scale(side)) for values, side in ((x, "x"), (y, "y"))]
        mesh = np.meshgrid(*grids)
        columns = {name: each.ravel() for name, each in zip(view.inputs, mesh, strict=True)}
        with np.errstate(all="ignore"):
            values = np.broadcast_to(view.fit.model.predict(view.fit.theta, columns), mesh[0].size)
        finite_heights = np.ma.masked_invalid(values.reshape(mesh[0].shape))
        pieces = [
            _without_jumps(view, piece, float(np.median(np.abs(finite_heights.compressed()))))
            for piece in contour_generator(*grids, finite_heights, line_type=LineType.Separate).lines(0.0)
            if len(piece) > 1
        ]
        closed = bool(pieces) and all(np.allclose(piece[0], piece[-1]) for piece in pieces)
        if closed:
            return pieces, True
    return pieces, False


def _without_jumps(view: View, piece: Array, usual: float) -> Array:
    """Return a piece of the curve with gaps where f jumps from one sign to the other, as at a pole."""
    with np.errstate(all="ignore"):
        values = view.fit.model.predict(view.fit.theta, dict(zip(view.inputs, piece.T, strict=True)))
    return np.where((np.abs(values) <= usual)[:, None], piece, np.nan)


def _grid(values: Array, share: float, scale: str) -> Array:
    if scale == "log":
        low, high = reach(np.log10(above_zero(values)))
        return np.logspace(low - (share + ROOM) * (high - low), high + (share + ROOM) * (high - low), FINE)
    low, high = reach(values)
    return np.linspace(low - (share + ROOM) * (high - low), high + (share + ROOM) * (high - low), FINE)


def _with_room(low: float, high: float, scale: str) -> tuple[float, float]:
    if scale == "log":
        low, high = np.log10(low), np.log10(high)
        return float(10.0 ** (low - ROOM * (high - low))), float(10.0 ** (high + ROOM * (high - low)))
    return low - ROOM * (high - low), high + ROOM * (high - low)
