"""The picture of a design: what one more measurement does at each place, and which places were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.inference.design import Design
from descend.report import style
from descend.report.figures import Axis, Level, Line, Mark, Panel, Points
from descend.report.plots import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_design(found: Design) -> Figure:
    """Draw the error after one more measurement along the input, with the chosen places.

    Raises ConfigError if several inputs vary.
    """
    if not found.along.size:
        raise ConfigError("A design is drawn along one input. Give the others a value.")
    (name,) = found.points[0]
    x = np.array([point[name] for point in found.points])
    y = np.interp(x, found.along, found.alone)
    word = "mean axis of the confidence ellipsoid" if found.aim == "all" else f"standard error of {found.aim}"
    marks: list[Mark] = [
        Line(found.along, found.alone, "after one measurement there", "blue"),
        Level(found.error_now, "now"),
        Level(found.error_then, f"after {len(x)} at the places marked", "green"),
        Points(x, y, "chosen", "vermillion"),
    ]
    alt = f"The {word} after one more measurement, along {name}; chosen: {', '.join(f'{each:.4g}' for each in x)}."
    panel = Panel("design", "Where to measure next", Axis(name), Axis(word, low=0.0), marks, "", alt)
    figure, (axes,) = style.canvas(1)
    figure.set_size_inches(8.0, 5.0)
    draw(axes, panel)
    style.caption(figure, [])
    return figure
