"""A fit shown to people: as fields, text, pictures and a page. What draws is loaded when something is drawn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from descend.fit import Fit, Intervals
    from descend.report.animation import Animation


def plot(fit: Fit) -> Figure:
    """Draw the data with the fitted curve, and the loss per epoch (see ``plots``)."""
    from descend.report.plots import plot_fit

    return plot_fit(fit)


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


def short(fit: Fit) -> str:
    """Return the short form for notebooks (see ``html``)."""
    from descend.report.html import short as short_form

    return short_form(fit)
