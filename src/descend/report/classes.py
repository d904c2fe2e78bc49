"""The panels of a fit that predicts classes: their probabilities along one input, and which were taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from descend.inference.prediction.predictions import probabilities_of
from descend.report import bands, panels, rows_as_marks
from descend.report.figures import Array, Axis, Line, Mark, Matrix, Panel, Points
from descend.report.picture_look import Look
from descend.report.style import one_line
from descend.report.view_of_fit import View, rows

DASHED = {"-": "", "--": ", dashed", ":": ", dotted"}
STEP = 0.05
"""The rows of a class lie so far below those of the class before it, and the first ones below a probability of 0."""


def first(view: View, look: Look = panels.DEFAULT) -> Panel:
    """Prepare the first picture: probabilities along the one input, or else which class was taken for which."""
    return probabilities(view, look) if view.one else confusion(view)


def probabilities(view: View, look: Look = panels.DEFAULT) -> Panel:
    """Prepare the probability of each class over the range of the one input, and the rows of each below.

    Raises ConfigError for a logarithmic axis if no row is above 0.
    """
    fit, name = view.fit, view.inputs[0] if view.inputs else "row"
    x = panels.on_axis(look, "x", view.x, name)
    rows_drawn, curve_drawn = view.line(x, panels.along(x, look.scale("x")))
    shares = np.broadcast_to(
        probabilities_of(fit.model, fit.theta, curve_drawn.columns), (len(rows_drawn), len(view.classes))
    )
    below, held = view.observed and look.scale("y") == "linear", view.held_out
    marks = marks_of(view.classes, rows_drawn, shares, x, view.y if below else None)
    if below and held is not None:
        marks += rows_as_marks.held_out(held, panels.on_axis(look, "x", held.x, name), -STEP * (held.y + 1.0))
    low = ends(view.classes) if below else (None, None)
    said = ["Below 0, the rows of each class."] if below else []
    title = f"Probability of each class, {rows(fit.rows)}" if fit.solution is not None else "Probability of each class"
    axes = Axis(view.axis(name), look.scale("x")), Axis(f"probability of {view.response}", look.scale("y"), *low)
    alt = f"The probability of each class of {view.response} against {name}."
    caption = " ".join(filter(None, [view.sampled, *said, *bands.lacking(fit, look)]))
    return Panel("curve", title, *axes, marks, caption, alt)


def marks_of(names: Sequence[str], rows_drawn: Array, shares: Array, x: Array, y: Array | None) -> list[Mark]:
    """Return the probability of each class at some places, a line each, and the rows of each below, if y is given."""
    marks: list[Mark] = []
    for class_number, label in enumerate(names):
        colour, dashes = _drawn_as(class_number)
        if y is not None:
            of = x[y == class_number]
            marks.append(Points(of, np.full(len(of), -STEP * (class_number + 1)), "", colour, 0.7))
        marks.append(Line(rows_drawn, shares[:, class_number], label, colour, 2.4, dashes))
    return marks


def ends(names: Sequence[str]) -> tuple[float, float]:
    """Return the ends of an axis of probabilities with the rows of each class below."""
    return -STEP * (len(names) + 1), 1.03


def colours(names: Sequence[str]) -> str:
    """Say which class is drawn in which colour.

    >>> colours(["low", "high"])
    'Probability of low (blue), high (vermillion); below 0, the rows of each.'
    """
    classes_drawn = [f"{name} ({_drawn_as(place)[0]}{DASHED[_drawn_as(place)[1]]})" for place, name in enumerate(names)]
    return f"Probability of {', '.join(classes_drawn)}; below 0, the rows of each."


def _drawn_as(place: int) -> tuple[str, str]:
    """Return the colour and the dashes of a class."""
    return panels.COLOURS[place % len(panels.COLOURS)], panels.DASHES[place // len(panels.COLOURS) % len(panels.DASHES)]


def matrix(names: Sequence[str], observed: Array, predicted: Array) -> tuple[Matrix, float]:
    """Return the share of each class that was predicted as each, and the share of all rows that is right."""
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (observed.astype(int), predicted.astype(int)), 1.0)
    shares: Array = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return Matrix(tuple(names), shares), float(counts.trace() / max(counts.sum(), 1.0))


def confusion(view: View) -> Panel:
    """Prepare how many of the rows of each class were predicted as which, as shares of that class."""
    shares, of_all = matrix(view.classes, view.y, view.predicted)
    right = f"{of_all:.1%}"
    return Panel(
        "predicted",
        f"Observed and predicted classes, {rows(view.fit.rows)}",
        Axis(""),
        Axis(""),
        [shares],
        f"Of the rows of each class (down), the share predicted as each (across). {right} of the rows are predicted "
        f"right. {view.sampled}".strip(),
        f"Heat map of observed and predicted classes of {view.response}; {right} of the rows are predicted right.",
    )


def counted(names: Sequence[str], codes: Array) -> str:
    """Say how many rows each class has.

    >>> counted(["low", "high"], np.array([0.0, 1.0, 1.0]))
    'low 1, high 2'
    """
    counts = np.bincount(codes.astype(int), minlength=len(names)).tolist()
    return one_line(", ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True)), 200)
