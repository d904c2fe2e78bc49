"""The picture of a named curve: what it looks like over typical x, and how its shape follows each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.formula.curves import Curve
from descend.formula.curves.example import example, valued
from descend.report.figures import Axis, Line, Mark, Panel
from descend.report.plots import plot_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 400
FEWER, MORE = 0.3, 0.7
"""Shares of a parameter's range at which the curve is drawn, beside the typical one."""
COLOURS = ("blue", "green")


def plot_curve(curve: Curve) -> Figure:
    """Draw a curve with Matplotlib (see ``panel_of``)."""
    panel = panel_of(curve)
    return plot_panels([panel], "", [f"y = {curve.formula}", panel.caption])


def panel_of(curve: Curve) -> Panel:
    """Prepare a curve at typical parameters, and where the last two, which shape it, are smaller and larger."""
    middle = example(curve, POINTS)
    marks: list[Mark] = []
    for colour, argument in zip(COLOURS, curve.parameters[-len(COLOURS) :], strict=False):
        for share, dashes in ((FEWER, ":"), (MORE, "--")):
            value = argument.at(share)
            y = valued(curve, middle.x, {**middle.values, argument.name: value})
            marks.append(Line(middle.x, y, f"{argument.name} = {value:.4g}", colour, 1.2, dashes))
    marks.append(Line(middle.x, middle.y, "typical"))
    caption = ", ".join(f"{name} = {value:.4g}" for name, value in middle.values.items())
    across = Axis(f"x: {curve.x.meaning}{_unit(curve.x.unit)}", "log" if curve.x.geometric else "linear")
    upwards = Axis(f"y: {curve.y}", "log" if curve.logarithmic else "linear")
    alt = f"{curve.title}, y = {curve.formula}, drawn at {caption}."
    return Panel("curve", curve.title, across, upwards, marks, f"typical: {caption}", alt)


def _unit(unit: str) -> str:
    return f" ({unit})" if unit not in ("x", "1") else ""
