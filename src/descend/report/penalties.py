"""The pictures of a penalty that was chosen: the error on rows held out, and the parameters, at each that was tried."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.inference.fitted import Fitted
from descend.inference.goodness.penalty_path import PenaltyPath
from descend.report.document import figure
from descend.report.figures import Axis, Bars, Line, Mark, Panel, Points
from descend.report.panels import COLOURS, DASHES
from descend.report.plots import plot_panels, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 12
"""Most parameters whose path is drawn: those that are largest where the penalty is least."""


def section(fit: Fitted) -> str:
    """Return the pictures for the page of a fit; nothing where no penalty was chosen."""
    path = fit.penalty_path
    return "" if path is None else f'<div class="figures pairs">{"".join(map(figure, panels(path)))}</div>'


def plot_penalties(path: PenaltyPath | None, figure_path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw the error on rows held out, and the parameters, against the penalty; saved at ``figure_path`` if given.

    Raises ConfigError where no penalty was chosen.
    """
    if path is None:
        raise ConfigError('No penalty was chosen in this fit. Ask for it with l1="auto" or l2="auto".')
    figure_drawn = plot_panels(panels(path))
    if figure_path is not None:
        save(figure_drawn, figure_path)
    return figure_drawn


def panels(path: PenaltyPath) -> list[Panel]:
    """Prepare the pictures; of several shares of l1 only the line that the chosen penalty lies on."""
    line = _line(path)
    name = "l1 penalty" if path.l1.any() else "l2 penalty"
    strength, error, spread = path.strength[line], path.error[line], path.standard_error[line]
    at = path.strength[path.chosen]
    mark = Points(np.array([at]), path.error[[path.chosen]], f"chosen, {at:.3g}", "vermillion", size=1.5, over=True)
    marks: list[Mark] = [
        Bars(strength, error, down=error - spread, up=error + spread, colour="sky"),
        Line(strength, error, "mean over folds", "blue"),
        mark,
    ]
    panels_drawn = [
        Panel(
            "penalty",
            "Which penalty predicts best?",
            Axis(name, "log"),
            Axis("mean loss of rows held out"),
            marks,
            "Bars are one standard error, from how folds differ.",
            f"The mean loss of rows held out falls to {path.error.min():.4g}; the penalty chosen is {at:.4g}.",
        )
    ]
    if len(path.parameters):
        panels_drawn.append(_paths(path, line, name))
    return panels_drawn


def _line(path: PenaltyPath) -> NDArray[np.intp]:
    """Return the places of the penalties that share the ratio of l1 to l2 with the chosen one, or the l1 or l2."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = path.l2 / path.l1
        alike = np.isclose(ratio, ratio[path.chosen], rtol=1e-9)
    return (
        np.flatnonzero(alike) if alike.any() and path.l1.any() and np.ptp(path.l2) > 0.0 else np.arange(len(path.error))
    )


def _paths(path: PenaltyPath, line: NDArray[np.intp], name: str) -> Panel:
    values, strength = path.parameters[line], path.strength[line]
    largest = np.sort(np.argsort(-np.abs(values[-1]), kind="stable")[:MOST_LINES])
    marks: list[Mark] = [
        Line(strength, values[:, k], path.labels[k], COLOURS[number % 6], 1.6, DASHES[number // 6 % 3])
        for number, k in enumerate(largest.tolist())
    ]
    left = f" The {MOST_LINES} largest of {values.shape[1]} are drawn." if values.shape[1] > MOST_LINES else ""
    return Panel(
        "parameters-by-penalty",
        "What does the penalty do to the parameters?",
        Axis(name, "log"),
        Axis("parameter"),
        marks,
        f"Parameters shrink as the penalty grows.{left}",
        f"The paths of {len(largest)} parameters along the penalty.",
    )
