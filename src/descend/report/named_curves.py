"""The picture of a named curve: what it looks like over typical x, and how its shape follows each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.formula.curves import Curve
from descend.formula.curves.entry import is_geometric
from descend.formula.curves.example import example, valued
from descend.report.figures import Axis, Line, Mark, Panel
from descend.report.plots import plot_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 400
FEWER, MORE = 0.3, 0.7
"""Shares of a parameter's range at which the curve is drawn, beside the middle."""
COLOURS = ("blue", "green", "orange", "purple", "sky", "yellow")


def plot_curve(curve: Curve) -> Figure:
    """Draw a curve with Matplotlib (see ``panel_of``)."""
    return plot_panels([panel_of(curve)], "", [f"y = {curve.formula}"])


def panel_of(curve: Curve) -> Panel:
    """Prepare a curve at the middle of its typical parameters, and where its parameters are smaller and larger.

    Of two parameters, as more lines could not be told apart: those that change the shape most, next to the height.
    """
    middle = example(curve, POINTS)
    marks: list[Mark] = []
    for colour, argument in zip(COLOURS, curve.parameters[1:3] or curve.parameters, strict=False):
        for share, dashes in ((FEWER, ":"), (MORE, "--")):
            value = argument.at(share)
            y = valued(curve, middle.x, {**middle.values, argument.name: value})
            marks.append(Line(middle.x, y, f"{argument.name} = {value:.3g}", colour, 1.2, dashes))
    said = ", ".join(f"{name} = {value:.3g}" for name, value in middle.values.items())
    marks.append(Line(middle.x, middle.y, said))
    scale = "log" if is_geometric(curve.x.low, curve.x.high) else "linear"
    tall = "log" if is_geometric(float(middle.y.min()), float(middle.y.max()) / 20.0) else "linear"
    unit = f" ({curve.x.unit})" if curve.x.unit not in ("x", "1") else ""
    alt = f"{curve.title}, y = {curve.formula}, drawn at {said}."
    return Panel(
        "curve", curve.title, Axis(f"x: {curve.x.meaning}{unit}", scale), Axis(f"y: {curve.y}", tall), marks, "", alt
    )
