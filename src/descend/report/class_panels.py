"""The panels of a fit of classes: the probability of each along the one input, and how far probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descend.inference.classes import probabilities_of
from descend.report import bands
from descend.report.figures import Array, Axis, Line, Mark, Panel, Points
from descend.report.look import Look
from descend.report.view import View, rows

BINS = 10
"""Parts of equal size into which rows are put, to count the share of each class in them."""
MOST_CLASSES = 6
"""Most classes that are drawn, one in each colour."""
COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")


def _found(view: View, columns: Mapping[str, Array]) -> Array:
    with np.errstate(all="ignore"):
        return probabilities_of(view.fit.model, view.fit.theta, columns)


def _shares(view: View, by: Array, place: int) -> tuple[Array, Array]:
    """Return the mean of some values, and the share of a class, in parts of the rows in the order of the values."""
    name = view.fit.weights
    omega = np.asarray(view.columns[name]) if name is not None and name in view.columns else np.ones(len(by))
    counting = np.flatnonzero(np.isfinite(by) & (omega > 0.0))
    parts = np.array_split(counting[np.argsort(by[counting], kind="stable")], BINS)
    hit = (view.y == place) * 1.0
    means = [[np.average(each[part], weights=omega[part]) for part in parts if len(part)] for each in (by, hit)]
    return np.array(means[0]), np.array(means[1])


def _caption(view: View, said: str, look: Look) -> str:
    classes = len(view.fit.loss_function.classes)
    left_out = f"The first {MOST_CLASSES} of {classes:,} classes." if classes > MOST_CLASSES else ""
    return " ".join(filter(None, [said, left_out, view.sampled, *bands.lacking(view.fit, look)]))


def along(view: View, grid: Array, look: Look) -> Panel:
    """Prepare the probability of each class along the one input, with its shares in the rows."""
    name, marks = view.inputs[0] if view.inputs else "row", list[Mark]()
    scale = look.scale("y")  # a share of 0 has no logarithm
    dots, limits = view.observed and scale == "linear", (-0.03, 1.03) if scale == "linear" else (None, None)
    found = _found(view, {name: grid})
    found = np.broadcast_to(found, (len(grid), found.shape[1]))
    classes = view.fit.loss_function.classes
    for place, (label, colour) in enumerate(zip(classes, COLOURS, strict=False)):
        if dots:
            marks.append(Points(*_shares(view, view.x, place), colour=colour))
        marks.append(Line(grid, found[:, place], label, colour))
    said = f"Dots: shares in {BINS} parts of the rows along {name}." if dots else ""
    return Panel(
        "curve",
        f"Probabilities of {view.response}, {rows(view.fit.rows)}",
        Axis(view.axis(name), look.scale("x")),
        Axis(f"probability of {view.response}", scale, *limits),
        marks,
        _caption(view, said, look),
        f"The probability of each class of {view.response} along {name}, with its shares in the rows.",
    )


def reliability(view: View, look: Look) -> Panel:
    """Prepare the share of each class against its probability, with the diagonal on which they are equal."""
    ends, marks = np.array([0.0, 1.0]), list[Mark]()
    found = _found(view, {name: np.asarray(view.columns[name]) for name in view.fit.model.inputs})
    found = np.broadcast_to(found, (len(view.y), found.shape[1]))
    for place, (label, colour) in enumerate(zip(view.fit.loss_function.classes, COLOURS, strict=False)):
        marks.append(Points(*_shares(view, found[:, place], place), label, colour))
    marks.append(Line(ends, ends, "share = probability", "slate", 1.8))
    return Panel(
        "predicted",
        f"Probabilities and shares, {rows(view.fit.rows)}",
        Axis(f"probability of {view.response}", "linear", -0.03, 1.03),
        Axis("share in the rows", "linear", -0.03, 1.03),
        marks,
        _caption(view, f"Of each class, in {BINS} parts of the rows in the order of its probability.", look),
        f"The share of each class of {view.response} against its probability; where these hold, on the diagonal.",
    )
