"""The picture of a design: what one more measurement does at each place, and which places were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.inference.prediction.design import Design
from descend.report.figures import Axis, Level, Line, Mark, Panel, Points
from descend.report.picture_look import Look
from descend.report.plots import plot_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_design(design: Design) -> Figure:
    """Draw the error after one more measurement along the input, with the chosen places.

    Raises ConfigError if several inputs vary.
    """
    if not design.along.size:
        raise ConfigError("A design is drawn along one input. Give the others a value.")
    (name,) = design.points[0]
    x = np.array([point[name] for point in design.points])
    y = np.interp(x, design.along, design.alone)
    word = "mean axis of the confidence ellipsoid" if design.aim == "all" else f"standard error of {design.aim}"
    marks: list[Mark] = [
        Line(design.along, design.alone, "after one measurement there", "blue"),
        Level(design.error_now, "now"),
        Level(design.error_then, f"after {len(x)} at the places marked", "green"),
        Points(x, y, "chosen", "vermillion"),
    ]
    alt = f"The {word} after one more measurement, along {name}; chosen: {', '.join(f'{each:.4g}' for each in x)}."
    panel = Panel("design", "Where to measure next", Axis(name), Axis(word, low=0.0), marks, "", alt)
    return plot_panels([panel], look=Look(size=(8.0, 5.0)))
