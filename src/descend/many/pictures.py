"""The small pictures of many fits: the rows of a group, the curve fitted to them, and how good it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError, DataError
from descend.inference.prediction.predictions import probabilities_of
from descend.many.groups import Groups
from descend.many.outcomes import REFUSED
from descend.many.reasons_of_failure import shortened, words
from descend.options.checks import refuse_not_whole
from descend.report import bands, classes, plots
from descend.report.figures import Axis, Band, Bars, Line, Mark, Panel, Points, above_zero, drawable, reach
from descend.report.grouped import TOGETHER, colour_of
from descend.report.picture_look import Look
from descend.report.rows_as_marks import bars_of, points
from descend.report.view_of_fit import Drawn as Curve
from descend.report.view_of_fit import columns_held_out, names_of
from descend.report.view_of_fit import rows as counted
from descend.table.by_file import open_by_file
from descend.table.levels import said

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.many.fitted import FittedGroups

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
Drawn = tuple[Array, list[Mark], tuple[str, str]]
"""What stands across, the marks, and the names of both axes."""
FINE = 80
"""Points of a curve."""
DRAWN = 400
"""Rows of a group that are drawn, at most."""
FAR = 1.0
"""A curve may leave the range of the rows by this share of it, and is cut off beyond."""


def plot(fits: FittedGroups, groups: object, most: int, look: Look, data: object = None) -> Figure:
    """Draw small pictures of some groups with Matplotlib (see ``Fits.plot``)."""
    refuse_not_whole(most, "number of groups to draw", 1)
    rows_of = rows_source(fits, data)
    groups_with_rows = None if data is None else {group for group in range(len(fits)) if rows_of(group) is not None}
    groups_drawn, left_out = chosen(fits, groups, most, groups_with_rows)
    panels = [panel_of(fits, group, rows_of(group) or {}, look) for group in groups_drawn]
    title = f"{fits.model}, by {' and '.join(fits.by)}" if look.theme.title else ""
    captions = [left_out, caption_of(fits), *_without_bands(fits, groups_drawn, look)]
    return plots.plot_multiples(panels, title, captions, look)


def caption_of(fits: FittedGroups) -> str:
    """Say what the pictures of classes show; empty for those of numbers."""
    labels = fits.loss_function.classes
    if not labels:
        return ""
    if len(fits.model.inputs) < 2:
        return classes.colours(labels)
    return "Of the rows of each class (down), the share predicted as each (across)."


def chosen(fits: FittedGroups, groups: object, most: int, rows: Collection[int] | None = None) -> tuple[list[int], str]:
    """Return the places of the groups to draw, and a sentence on those that are left out. rows: those with rows."""
    if groups is None:
        places = [group for group in fits.worst() if rows is None or group in rows]
        some = f"The {most:,} worst of {len(places):,} groups." if len(places) > most else ""
        return places[:most], some
    single = isinstance(groups, str | tuple) or not isinstance(groups, Sequence | np.ndarray)
    places = [fits.place(_key(key)) for key in ([groups] if single else list(groups))]  # type: ignore[call-overload]
    if not places:
        raise ConfigError("Which groups are to be drawn? The list is empty. Leave it out for the worst ones.")
    return places[:most], f"The first {most:,} of {len(places):,} groups." if len(places) > most else ""


def _key(key: object) -> object:
    return key.item() if isinstance(key, np.generic) else tuple(key) if isinstance(key, list) else key


def rows_source(fits: FittedGroups, data: object = None) -> Callable[[int], Columns | None]:
    """Return what gives the columns of a group: the rows of the fits, or other data.

    Raises ConfigError for fits that were loaded, without their rows.
    """
    if data is None:
        if fits.rows_of(0) is None:
            raise ConfigError(
                "These fits were loaded from a file, without their rows, so there is nothing to draw. "
                "Give the rows: plot(data=...)."
            )
        return fits.rows_of
    needed = tuple(dict.fromkeys((*fits.model.response_columns, *fits.model.inputs)))
    table = open_by_file(data, fits.by, needed).with_codings(fits.model.codings)
    columns_beside = (*names_of(fits.sigma), *fits.loss_function.own_columns, *fits.model.inexact.values())
    needed = tuple(dict.fromkeys((*needed, *(name for name in columns_beside if name in table.names))))
    columns = table.with_gaps(needed)
    groups = Groups.of(table, fits.by)
    rows_by_group = {fits.place(key): groups.rows(group) for group, key in enumerate(groups.keys)}
    return lambda place: (
        {name: cells[rows_by_group[place]] for name, cells in columns.items()} if place in rows_by_group else None
    )


def title_of(fits: FittedGroups, group: int) -> str:
    """Return the name of a group, and below it how good its fit is, or how it ended."""
    r_squared, outcome = fits.r_squared[group], fits.outcome[group]
    good = f"R² {r_squared:.4g}" if np.isfinite(r_squared) else f"loss {fits.loss[group]:.4g}"
    key = fits.keys[group]
    name = said(key) if len(key) > 1 or isinstance(key[0], str) else f"{fits.by[0]} {said(key)}"
    if cause := fits.cause(group):
        good = f"{words(outcome)}: {shortened(cause)}" if outcome == REFUSED else f"{words(outcome)}, {good}"
    return f"{name}\n{good}"


def panel_of(fits: FittedGroups, group: int, columns: Columns, look: Look) -> Panel:
    """Prepare the picture of one group: its rows and the curve; with several inputs, predicted against observed."""
    model, cause = fits.model, fits.cause(group)
    columns, held = _held_out(fits, group, columns)
    rows = _sampled(columns)
    with np.errstate(all="ignore"):
        y = model.observed(rows) if rows else np.empty(0)
        if len(model.inputs) > 1:
            x, marks, names = _predicted(fits, group, rows, y)
            across = model.observed(held) if held else y
            up = model.predict(fits.theta(group), held) if held else y
        else:
            x, marks, names = _curve(fits, group, rows, y, look)
            across, up = (held[model.inputs[0]], model.observed(held)) if held and model.inputs else (x, y)
        if held and model.inputs and not fits.loss_function.classes:
            marks.append(Points(across, drawable(up), shape="ring"))
    for side, values in (("x", x), ("y", y)):
        if look.scale(side) == "log" and len(values) and not (values > 0.0).any():
            raise DataError(
                f"No row of the group {said(fits.keys[group])} is above 0, which a logarithmic axis needs. "
                f"Leave out `log`, or that group."
            )
    finite_points = np.isfinite(x) & np.isfinite(y) if len(y) else np.empty(0, dtype=bool)
    labels = fits.loss_function.classes
    low, high = classes.ends(labels) if labels and len(model.inputs) < 2 else (None, None)
    return Panel(
        f"group-{group}",
        title_of(fits, group),
        Axis(names[0], look.scale("x")),
        Axis(names[1], look.scale("y"), low, high),
        marks,
        shortened(cause) if cause and not finite_points.any() else "",
        f"The group {said(fits.keys[group])}: {counted(int(fits.rows[group]))} and the fitted curve.",
        failed=bool(cause),
    )


def _held_out(fits: FittedGroups, group: int, columns: Columns) -> tuple[Columns, Columns]:
    """Return the rows of a group that it was fitted to, and those that were held out of that."""
    if not fits.call.get("validation") or fits.outcome[group] == REFUSED:
        return columns, {}
    fit = fits[fits.keys[group]]
    held = columns_held_out(fit)
    return (columns, {}) if held is None or fit.solution is None else (fit.solution.columns, held)


def _sampled(columns: Columns) -> Columns:
    """Return at most so many rows as a small picture can show, evenly spaced."""
    count = len(next(iter(columns.values()), ()))
    if count <= DRAWN:
        return columns
    rows_drawn = np.linspace(0, count - 1, DRAWN).astype(np.intp)
    return {name: values[rows_drawn] for name, values in columns.items()}


def _curve(
    fits: FittedGroups, group: int, rows: Columns, y: Array, look: Look
) -> tuple[Array, list[Mark], tuple[str, str]]:
    model, response = fits.model, fits.model.response
    name = model.inputs[0] if model.inputs else "row"
    x = rows[name] if model.inputs and rows else np.arange(1.0, len(y) + 1.0)
    if labels := fits.loss_function.classes:
        return x, _probabilities(fits, group, labels, name, x, y, look), (name, f"probability of {response}")
    across, up = x, drawable(y)
    marks: list[Mark] = [*bars_of(fits, name, rows, across, up), *points(fits.loss_function, rows, across, up, "")]
    theta, finite_x = fits.theta(group), x[np.isfinite(x)]
    if np.isfinite(theta).all() and len(finite_x):
        grid = _grid(finite_x, look.scale("x"))
        if model.rowwise:
            values = model.predict(theta, {name if model.inputs else "": grid})
        else:  # whose prediction of a row may depend on the others
            order = np.argsort(x, kind="stable")
            grid, values = x[order], np.asarray(model.predict(theta, rows))[order]
        values = np.broadcast_to(values, grid.shape)
        marks.append(Line(grid, _cut(values, y, look.scale("y"))))
        marks += _bands(fits, group, {name if model.inputs else "": grid}, look)
    return x, marks, (name, response)


def _probabilities(
    fits: FittedGroups, group: int, labels: Sequence[str], name: str, x: Array, y: Array, look: Look
) -> list[Mark]:
    """Return the probability of each class along the one input, and the rows of each."""
    theta, finite_x = fits.theta(group), x[np.isfinite(x)]
    if not (np.isfinite(theta).all() and len(finite_x)):
        return classes.marks_of(labels, np.empty(0), np.empty((0, len(labels))), x, y)
    grid = _grid(finite_x, look.scale("x"))
    shares = probabilities_of(fits.model, theta, {name if fits.model.inputs else "": grid})
    return classes.marks_of(labels, grid, np.broadcast_to(shares, (len(grid), len(labels))), x, y)


def _bands(fits: FittedGroups, group: int, columns: Columns, look: Look) -> list[Band]:
    """Return the bands around the curve of one group, if they were asked for: each needs the fit of that group."""
    if not look.wanted or not fits.model.rowwise or fits.outcome[group] == REFUSED:
        return []
    (grid,) = columns.values()
    return bands.around(fits[fits.keys[group]], Curve(columns), grid, look, name=False)


def _without_bands(fits: FittedGroups, groups_drawn: Sequence[int], look: Look) -> list[str]:
    """Say which bands that were asked for do not exist, why, and in how many of the groups that were fitted."""
    if not look.wanted:
        return []
    fitted = [group for group in groups_drawn if fits.outcome[group] != REFUSED]
    lacking = Counter(sentence for group in fitted for sentence in bands.lacking(fits[fits.keys[group]], look))
    return [
        sentence if count == len(fitted) else f"{sentence[:-1]} ({count:,} of {len(fitted):,} groups)."
        for sentence, count in lacking.items()
    ]


def _grid(x: Array, scale: str) -> Array:
    if scale == "log":
        x = x[x > 0.0]
        return np.geomspace(x.min(), x.max(), FINE) if len(x) else x
    return np.linspace(x.min(), x.max(), FINE)


def _cut(values: Array, y: Array, scale: str) -> Array:
    """Return a curve with gaps where it runs far away from the rows."""
    low, high = reach(y)
    far = (values > high + FAR * (high - low)) | (values < low - FAR * (high - low))
    within_axis = drawable(np.where(far, np.nan, values))
    return above_zero(within_axis) if scale == "log" else within_axis


def _predicted(fits: FittedGroups, group: int, rows: Columns, y: Array) -> Drawn:
    """Return the observed response, predicted against it, and the diagonal on which they are equal."""
    response, theta = fits.model.response, fits.theta(group)
    marks: list[Mark] = []
    labels = fits.loss_function.classes
    if labels and np.isfinite(theta).all() and len(y):
        return (
            y,
            [classes.matrix(labels, y, fits.model.predict(theta, rows))[0]],
            (f"{response}, observed", "predicted"),
        )
    if np.isfinite(theta).all() and len(y):
        ends = np.array(reach(y))
        marks = [Points(y, drawable(fits.model.predict(theta, rows))), Line(ends, ends)]
    return y, marks, (f"{response}, observed", "predicted")


def coloured(fits: FittedGroups, look: Look | None = None) -> Panel | None:
    """Prepare the rows and the curve of every group in its colour.

    None where there are more groups than colours, where a prediction is no curve, and where rows are not there.
    """
    if not 1 < len(fits) <= TOGETHER or len(fits.model.inputs) > 1 or fits.loss_function.classes:
        return None  # of classes there is a curve for each, whose colours say which
    marks: list[Mark] = []
    panels: list[Panel] = []
    for group_number, key in enumerate(fits.keys):
        rows = fits.rows_of(group_number)
        if rows is None:
            return None
        panels.append(panel_of(fits, group_number, rows, look or Look()))
        colour, dashes = colour_of(group_number)
        group = panels[-1].marks
        alone = not any(isinstance(mark, Line) for mark in group)  # rows without a curve name their group themselves
        marks += [_in_colour(mark, colour, dashes, said(key), alone) for mark in group]
    if not marks:
        return None
    first, total = panels[0], int(fits.rows.sum())
    alt = f"{first.y.name} against {first.x.name}, with a fitted curve for each of {len(fits)} groups."
    title = f"Data and fits, {counted(total)} in {len(fits)} groups"
    return Panel("together", title, first.x, first.y, marks, "", alt)


def _in_colour(mark: Mark, colour: str, dashes: str, name: str, alone: bool) -> Mark:
    """Return a mark in the colour of its group, which its curve names, or its rows where these are alone."""
    if isinstance(mark, Line):
        return replace(mark, colour=colour, dashes=dashes, name=name)
    if isinstance(mark, Points | Band):
        return replace(mark, colour=colour, name=name if alone and isinstance(mark, Points) else "")
    return replace(mark, colour=colour) if isinstance(mark, Bars) else mark
