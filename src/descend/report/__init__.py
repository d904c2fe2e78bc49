"""A fit shown to people: as fields, text, pictures and a page. What draws is loaded when something is drawn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.inference.intervals import Intervals
    from descend.report.animation import Animation
    from descend.results import Fit


def plot(fit: Fit, **look: Any) -> Figure:
    """Draw the data with the fitted curve, and the loss per epoch (see ``plots``); look: as in ``look.Look``."""
    from descend.report.look import Look
    from descend.report.plots import plot_fit

    return plot_fit(fit, Look(**look))


def animate(fit: Fit) -> Animation:
    """Return the run as an animation (see ``animation``)."""
    from descend.report.animation import Animation

    return Animation(fit)


def page(
    fit: Fit, path: str | os.PathLike[str], intervals: Intervals | None = None, command: str | None = None
) -> None:
    """Write the page of a fit (see ``html``)."""
    from descend.report.html import write_report

    write_report(fit, path, intervals, command)


def short(result: Any) -> str:
    """Return what a notebook shows of a result: a fit, an explanation and the like (see ``notebook``)."""
    from descend.report.notebook import short as short_form

    return short_form(result)
