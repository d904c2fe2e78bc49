"""Several models of the same rows in one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from descend.inference.fitted import Fitted
from descend.report.figures import Axis, Line, Mark, Panel, Points, reach
from descend.report.panels import COLOURS, DASHES
from descend.report.picture_look import Look
from descend.report.plots import plot_panels
from descend.report.view_of_fit import View, rows, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 400
"""Points of a curve."""


def plot_models(fits: Mapping[str, Fitted], look: Look) -> Figure:
    """Draw all curves over the data; with several inputs, the predictions of each model against the response."""
    views = {name: view(fit) for name, fit in fits.items()}
    first = next(iter(views.values()))
    curves = all(each.one and each.fit.model.rowwise and each.response == first.response for each in views.values())
    panel = _curves(views, first) if curves else _predictions(views, first)
    if curves:  # the axes of other pictures are not those of the data
        up = panel.y if look.scale("y") == "linear" else replace(panel.y, scale="log", low=None, high=None)
        panel = replace(panel, x=replace(panel.x, scale=look.scale("x")), y=up)
    figure = plot_panels([panel], "", [], look)
    if look.inches is None and look.theme.with_run:
        figure.set_size_inches(9.0, 5.5)
    return figure


def _curves(views: Mapping[str, View], first: View) -> Panel:
    marks: list[Mark] = [Points(first.x, first.y, "data", "sky")]
    low, high = reach(first.y)
    grid = np.linspace(float(first.x.min()), float(first.x.max()), GRID)
    for number, (name, each) in enumerate(views.items()):
        values = each.line(each.x, grid)[1].predict(each.fit.model, each.fit.theta)
        values = np.clip(values, low - 1e3 * (high - low), high + 1e3 * (high - low))
        marks.append(Line(grid, values, name, _colour(number), dashes=_dashes(number)))
    name = first.inputs[0] if first.inputs else "row"
    alt = f"The curves of {len(views)} models over {rows(len(first.x))}: {', '.join(views)}."
    edge = 0.1 * (high - low)
    vertical = Axis(first.axis(first.response), "linear", low - edge, high + edge)
    return Panel("models", f"Data and {len(views)} models", Axis(first.axis(name)), vertical, marks, "", alt)


def _predictions(views: Mapping[str, View], first: View) -> Panel:
    ends = np.array(reach(first.y))
    marks: list[Mark] = [
        Points(each.y, each.predicted, name, _colour(number)) for number, (name, each) in enumerate(views.items())
    ]
    marks.append(Line(ends, ends, "predicted = observed", "sky", width=1.4))
    alt = f"Predictions of {len(views)} models against the response: {', '.join(views)}."
    response = first.axis(first.response)
    horizontal, vertical = Axis(f"{response}, observed"), Axis(f"{response}, predicted")
    return Panel("models", f"{len(views)} models", horizontal, vertical, marks, "", alt)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _dashes(number: int) -> str:
    return DASHES[number // len(COLOURS) % len(DASHES)]
