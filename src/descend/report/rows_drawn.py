"""The rows of a fit as marks: dots, and open triangles and bars for values that are known only by limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.losses import Loss
from descend.report.figures import Bars, Mark, Points

Array = NDArray[np.float64]
TRIANGLES = {-1.0: ("down", "at most"), 1.0: ("up", "at least")}


def points(
    loss: Loss, columns: Mapping[str, Array], x: Array, y: Array, name: str = "data", ends: bool = True
) -> list[Mark]:
    """Return the marks of rows, drawn at x and y: those that are censored point to where their value lies.

    columns: of these rows. ends: whether an interval is drawn with its ends, rather than as a dot.
    """
    states = columns.get(loss.states) if loss.states else None
    if states is None or not np.any(states):
        return [Points(x, y, name)]
    states = np.asarray(states)
    dots = states == 0.0 if ends else (states == 0.0) | (states == 2.0)
    marks: list[Mark] = [Points(x[dots], y[dots], name)] if dots.any() else []
    for censoring_code, (shape, label) in TRIANGLES.items():
        rows_censored = states == censoring_code
        if rows_censored.any():
            marks.append(Points(x[rows_censored], y[rows_censored], label, shape=shape))
    between = states == 2.0
    if ends and between.any():
        low, high = (np.asarray(columns[column])[between] for column in loss.own_columns[1:3])
        marks += [Bars(x[between], y[between], down=low, up=high), Points(x[between], y[between], "between", size=0.6)]
    return marks
