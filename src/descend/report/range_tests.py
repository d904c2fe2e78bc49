"""The picture of a learning-rate range test: the loss against the rate, beside the rate that the curvature tells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from descend.diagnosis.range_test import RangeTest
from descend.report import style
from descend.report.figures import Axis, Line, Mark, Panel, Points
from descend.report.plots import draw, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABOVE = 0.35
"""How far above the losses that matter the picture reaches, as a share of their range."""


def plot_range_test(test: RangeTest, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a test; saved at ``path`` if given."""
    shown = panel(test)
    figure, (axes,) = style.canvas(1)
    figure.set_size_inches(8.0, 5.0)
    draw(axes, shown)
    style.caption(figure, [shown.caption])
    if path is not None:
        save(figure, path)
    return figure


def panel(test: RangeTest) -> Panel:
    """Prepare the picture."""
    curve, losses = test.curve, test.losses
    low = min(test.first, float(losses.min()))
    span = (test.first - low) or abs(test.first) or 1.0
    bottom, top = low - 0.1 * span, test.first + ABOVE * span
    marks: list[Mark] = []
    whole = test.batch_size is None
    if not whole:
        marks.append(Points(test.rates, losses, "after the step, of a batch", "sky", size=0.7))
    name = "after the step" if whole else "mean over the steps around"
    marks.append(Line(test.rates, np.minimum(curve, 1e3 * abs(top)), name, "blue"))
    ends = np.array([bottom, top])
    if test.limit is not None:
        text = f"stable up to {test.limit:.3g}, by the curvature"
        marks.append(Line(np.full(2, test.limit), ends, text, "vermillion", dashes="--"))
    if test.steepest is not None:
        at = np.array([test.steepest])
        height = np.interp(np.log(at), np.log(test.rates), curve)
        marks.append(Points(at, height, f"falls fastest, {test.steepest:.3g}", "green", size=1.6, over=True))
    return Panel(
        "range-test",
        f"Learning-rate range test of {test.optimizer}",
        Axis("learning rate", "log"),
        Axis("loss", "linear", bottom, top),
        marks,
        _caption(test),
        " ".join(f"{label}: {sentence}." for label, sentence in test.lines()),
    )


def _caption(test: RangeTest) -> str:
    if test.limit is not None:
        batches = (
            "" if test.batch_size is None else " Single batches curve otherwise, so over them it may begin earlier."
        )
        return (
            f"At the start the largest curvature of the loss is {test.curvature:.4g}: beyond the dashed line, steps "
            f"over all rows move away from the minimum along it.{batches}"
        )
    return dict(test.lines()).get("certain", "").capitalize() + "." if test.curvature is not None else ""
