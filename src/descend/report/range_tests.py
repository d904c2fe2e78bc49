"""The picture of a learning-rate range test: the loss against the rate, beside the rate that the curvature tells."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.report import style
from descend.report.figures import Axis, Line, Mark, Panel, Points
from descend.report.plots import draw, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABOVE = 0.35
"""How far above the losses that matter the picture reaches, as a share of their range."""


class Tested(Protocol):
    """A range test: see `results.range_test.RangeTest`, which is one."""

    @property
    def rates(self) -> NDArray[np.float64]: ...
    @property
    def losses(self) -> NDArray[np.float64]: ...
    @property
    def curve(self) -> NDArray[np.float64]: ...
    @property
    def first(self) -> float: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def batch_size(self) -> int | None: ...
    @property
    def curvature(self) -> float | None: ...
    @property
    def limit(self) -> float | None: ...
    @property
    def steepest(self) -> float | None: ...
    def lines(self) -> Iterable[tuple[str, str]]: ...


def plot_range_test(test: Tested, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw a test; saved at ``path`` if given."""
    panel_shown = panel(test)
    figure, (axes,) = style.canvas(1)
    figure.set_size_inches(8.0, 5.0)
    draw(axes, panel_shown)
    style.caption(figure, [panel_shown.caption])
    if path is not None:
        save(figure, path)
    return figure


def panel(test: Tested) -> Panel:
    """Prepare the picture."""
    curve, losses = test.curve, test.losses
    low = min(test.first, float(losses.min()))
    span = (test.first - low) or abs(test.first) or 1.0
    bottom, top = low - 0.1 * span, test.first + ABOVE * span
    marks: list[Mark] = []
    noisy = test.batch_size is not None
    if noisy:
        marks.append(Points(test.rates, losses, "after the step, of a batch", "sky", size=0.7))
    name = "mean over the steps around" if noisy else "after the step"
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


def _caption(test: Tested) -> str:
    if test.limit is not None:
        batches = (
            "" if test.batch_size is None else " Single batches curve otherwise, so over them it may begin earlier."
        )
        return (
            f"At the start the largest curvature of the loss is {test.curvature:.4g}: beyond the dashed line, steps "
            f"over all rows move away from the minimum along it.{batches}"
        )
    return dict(test.lines()).get("certain", "").capitalize() + "." if test.curvature is not None else ""
