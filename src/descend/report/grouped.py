"""The panels of a fit in which parameters belong to groups: a curve for each, in one picture or in small ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from descend.report import bands, rows_as_marks
from descend.report.figures import Array, Axis, Band, Level, Line, Mark, Panel, Points, above_zero, drawable, reach
from descend.report.palette import PALETTE
from descend.report.panels import DEFAULT, on_axis
from descend.report.picture_look import Look
from descend.report.view_of_fit import Drawn, Group, View, rows

COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")
MORE = ("wine", "olive", "indigo", "brown", "slate", "rose")
SOLID = len(COLOURS)
"""Curves that are not dashed: those whose colours anyone can tell apart."""
TOGETHER = SOLID + len(MORE)
"""Groups that are drawn in one picture, at most; more are drawn small, one by one."""
SMALL = 24
"""Groups that are drawn small, at most: those that fit worst."""
RINGS = "Rings are rows held out."
FINE = 200
"""Points of a curve."""


def curves(view: View, look: Look = DEFAULT) -> Panel:
    """Prepare the rows and the curve of each group in its own colour; with several inputs, predicted and observed."""
    marks: list[Mark] = []
    for group_number, group in enumerate(view.groups):
        colour, dashes = colour_of(group_number)
        x, y = _rows(view, group, look)
        if view.curves:
            marks += rows_as_marks.bars(view, x, y, group.rows, colour)
        marks.append(Points(x, y, "" if view.curves else group.name, colour))
        marks += _held_out(view, group, look, colour)
        if view.curves:
            marks.append(Line(*_curve(view, group, x, look), group.name, colour, 2.0, dashes))
            marks += _bands(view, group, x, look, colour)
    if not view.curves:
        ends = np.array(reach(view.y))
        marks.append(Line(ends, ends, "predicted = observed", "slate", 1.4))
    names = _names(view)
    return Panel(
        "curves",
        f"Data and fit, {rows(view.fit.rows)} in {len(view.groups)} groups",
        Axis(names[0], look.scale("x")),
        Axis(names[1], look.scale("y")),
        marks,
        " ".join(filter(None, [view.sampled, RINGS if view.held_out else "", *bands.lacking(view.fit, look)])),
        f"{view.response} against {names[0]}, with a fitted curve for each of {len(view.groups)} groups.",
    )


def _held_out(view: View, group: Group, look: Look, colour: str = "blue") -> list[Points]:
    """Return the rows of a group that are held out of the fit."""
    held = view.held_out
    rows_of_group = [] if held is None else [each for each in held.groups if each.codes == group.codes]
    if held is None or not rows_of_group:
        return []
    return rows_as_marks.held_out(held, *_rows(held, rows_of_group[0], look), "", colour)


def residuals_below(view: View, look: Look) -> Panel:
    """Prepare the residuals of each group in its colour, for the panel below the curves."""
    marks: list[Mark] = [Level(0.0, colour="slate")]
    for group_number, group in enumerate(view.groups):
        across = on_axis(look, "x", view.x[group.rows], _names(view)[0])
        colour, left = (*COLOURS, *MORE)[group_number % TOGETHER], drawable(view.residuals[group.rows])
        bars = rows_as_marks.bars(view, across, left, group.rows, colour)
        marks += [*(replace(each, left=None, right=None) for each in bars), Points(across, left, "", colour)]
    return Panel("residuals-below", "", Axis(_names(view)[0], look.scale("x")), Axis("residual"), marks)


def colour_of(group_number: int) -> tuple[str, str]:
    """Return the colour of the group with this number, and how its curve is dashed."""
    return (*COLOURS, *MORE)[group_number % TOGETHER], "-" if group_number % TOGETHER < SOLID else "--"


def together(view: View) -> bool:
    """Whether the groups have curves over one input, and are few enough for one picture."""
    return view.curves and bool(view.inputs) and len(view.groups) <= TOGETHER


def coloured(view: View) -> list[tuple[str, str]]:
    """Return the name of each group, and its colour on white."""
    names = (*COLOURS, *MORE)
    return [(group.name, PALETTE[names[group_number % TOGETHER]][0]) for group_number, group in enumerate(view.groups)]


def beside(view: View, points: int) -> tuple[list[Mark], dict[str, Array]]:
    """Return the rows of each group in its colour, and inputs at which one line shows the curves of all groups.

    The curves follow each other with a gap between them, where the input is NaN. points: of each curve.
    """
    marks: list[Mark] = []
    columns: dict[str, list[Array]] = {name: [] for name in view.fit.model.inputs}
    for group_number, group in enumerate(view.groups):
        x = view.x[group.rows]
        marks.append(Points(x, view.y[group.rows], group.name, (*COLOURS, *MORE)[group_number % TOGETHER]))
        grid = np.append(np.linspace(*reach(x), points), np.nan)
        for name, column_by_group in columns.items():
            column_by_group.append(np.full(len(grid), group.codes[name]) if name in group.codes else grid)
    return marks, {name: np.concatenate(column_by_group) for name, column_by_group in columns.items()}


def one_by_one(view: View, look: Look = DEFAULT, most: int | None = None) -> list[tuple[Group, Panel]]:
    """Prepare a picture for each group, those that fit worst first; most: so many of them."""
    worst_groups = sorted(view.groups, key=lambda group: _badness(view, group))[: most or None]
    return [(group, panel_of(view, group, look)) for group in worst_groups]


def panel_of(view: View, group: Group, look: Look = DEFAULT) -> Panel:
    """Prepare the rows of one group and its curve."""
    x, y = _rows(view, group, look)
    marks: list[Mark] = [Points(x, y), *_held_out(view, group, look)]
    if view.curves:
        marks += rows_as_marks.bars(view, x, y, group.rows)
        marks += _bands(view, group, x, look, "vermillion")
        marks.append(Line(*_curve(view, group, x, look)))
    else:
        ends = np.array(reach(view.y[group.rows]))
        marks.append(Line(ends, ends))
    names, good = _names(view), r_squared(view, group)
    return Panel(
        f"group-{view.groups.index(group)}",
        f"{group.name}\n{rows(len(group.rows)) if np.isnan(good) else f'R² {good:.4g}'}",
        Axis(names[0], look.scale("x")),
        Axis(names[1], look.scale("y")),
        marks,
        "",
        f"The group {group.name}: {rows(len(group.rows))} and the fitted curve.",
    )


def titled(panel: Panel) -> Panel:
    """Return the panel of a group for a large picture, whose title is one line."""
    return replace(panel, title=panel.title.replace("\n", ", "))


def r_squared(view: View, group: Group) -> float:
    """Return the share of the variance of the response within a group that the fit explains; NaN if there is none."""
    y = view.y[group.rows]
    about = float(np.sum((y - y.mean()) ** 2))
    return 1.0 - float(np.sum(view.residuals[group.rows] ** 2)) / about if about > 0.0 else np.nan


def _badness(view: View, group: Group) -> float:
    good = r_squared(view, group)
    return good if np.isfinite(good) else 2.0


def _names(view: View) -> tuple[str, str]:
    if view.curves:
        return view.axis(view.inputs[0] if view.inputs else "row"), view.axis(view.response)
    return f"{view.axis(view.response)}, observed", f"{view.axis(view.response)}, predicted"


def _rows(view: View, group: Group, look: Look) -> tuple[Array, Array]:
    names = _names(view)
    x, y = (view.x, view.y) if view.curves else (view.y, drawable(view.predicted))
    return on_axis(look, "x", x[group.rows], names[0]), on_axis(look, "y", y[group.rows], names[1])


def _along(view: View, group: Group, x: Array, look: Look) -> tuple[Array, dict[str, Array]]:
    """Return even inputs over the range of the rows of a group, and the columns of the model there."""
    finite_x = x[np.isfinite(x)]
    log = look.scale("x") == "log"
    grid = (np.geomspace if log else np.linspace)(finite_x.min(), finite_x.max(), FINE)
    columns = {name: np.full(FINE, code) for name, code in group.codes.items()}
    if view.inputs:
        columns[view.inputs[0]] = grid
    return grid, columns


def _bands(view: View, group: Group, x: Array, look: Look, colour: str) -> list[Band]:
    """Return the bands of one group, if they were asked for: those of many groups hide each other."""
    if not look.wanted or not np.isfinite(x).any():
        return []
    grid, columns = _along(view, group, x, look)
    return bands.around(view.fit, Drawn(columns), grid, look, None, colour, name=False)


def _curve(view: View, group: Group, x: Array, look: Look) -> tuple[Array, Array]:
    """Return the curve of one group over the range of its rows."""
    if not np.isfinite(x).any():
        return np.empty(0), np.empty(0)
    grid, columns = _along(view, group, x, look)
    with np.errstate(all="ignore"):
        values = drawable(view.fit.model.predict(view.fit.theta, columns))
    low, high = reach(view.y)
    values = np.where((values > 2 * high - low) | (values < 2 * low - high), np.nan, values)
    return grid, above_zero(values) if look.scale("y") == "log" else values
