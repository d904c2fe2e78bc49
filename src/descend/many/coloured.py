"""All groups of many fits in one picture, each in its colour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from descend.many.pictures import panel_of
from descend.report.figures import Band, Bars, Line, Mark, Panel, Points
from descend.report.grouped import TOGETHER, colour_of
from descend.report.picture_look import Look
from descend.report.view_of_fit import rows as counted
from descend.table.levels import said

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups


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
