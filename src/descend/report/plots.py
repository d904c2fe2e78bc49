"""Still pictures with Matplotlib: a fit over its data, optimizers side by side, two columns, or any panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from descend.descent.outcome import Outcome
from descend.errors import ConfigError
from descend.report import grouped, implicit, measured, multiples, panels, residual_panels, style
from descend.report.figures import Line, Mark, Panel
from descend.report.marks import draw, draw_mark, set_scale
from descend.report.panels import DEFAULT
from descend.report.picture_look import Look
from descend.report.style import save
from descend.report.theme import SCREEN, Theme, changed
from descend.report.view_of_fit import View, ended, view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from descend.inference.fitted import Fitted


MOST_ABREAST = 6
"""Small pictures side by side, at most."""
LARGEST = 1.35
"""Letters in small pictures of a usual size, at most, as a share of the usual ones."""
HEAD = 0.12
"""Share of the height of small pictures that their common title takes."""
SMALLER = 0.85
"""Letters in a small picture, as a share of those in a large one."""
MOST_OF_TITLE = 200
"""Characters of a formula with its values in a title; of a longer one its parameters are written as names."""
TALLER = 1.25
"""How much higher a picture for print is that has residuals below."""

__all__ = ["draw", "plot_columns", "plot_comparison", "plot_fit", "plot_model", "plot_multiples", "plot_panels", "save"]


def plot_fit(fit: Fitted, look: Look = DEFAULT) -> Figure:
    """Draw a fit: its data with the fitted curve, and the loss per epoch if the run took more than a few steps.

    For one input column: the rows and the curve. For several: predicted against observed, and the residuals. All on the
    scale of the formula's left side. In print the data alone are drawn, without the run.

    Raises ConfigError if the fit was loaded from a file, so that it has no data (see ``plot_model``).
    """
    return _plot(fit, None, look)


def plot_model(fit: Fitted, columns: Mapping[str, object], look: Look = DEFAULT) -> Figure:
    """Draw a fitted model over columns of data, as ``plot_fit`` does; the response may be left out with one input.

    Raises DataError if a column is missing.
    """
    return _plot(fit, columns, look)


def _plot(fit: Fitted, columns: Mapping[str, object] | None, look: Look) -> Figure:
    if not fit.model.comparable:  # only the run can be drawn
        return plot_panels([panels.loss(fit)], _title(fit) if look.theme.title else "", [""], look)
    fit_view, theme = view(fit, columns), look.theme
    if fit_view.groups and fit_view.observed:
        return _plot_groups(fit_view, look)
    panels_shown = [implicit.first(fit_view, look)]
    if theme.with_run and not (fit_view.one or fit_view.plane or fit_view.classes):
        panels_shown.append(residual_panels.residuals(fit_view))
    captions = [panels_shown[0].caption]
    below = _below(fit_view, look)
    if panels.tells(fit) and theme.with_run:
        panels_shown.append(measured.losses(fit))
    shown_or_good = (fit.trace and theme.with_run) or fit.outcome is Outcome.CONVERGED
    captions.append("" if shown_or_good else f"{ended(fit).capitalize()}.")
    return plot_panels(panels_shown, _title(fit) if theme.title else "", captions, look, below)


def _below(view: View, look: Look) -> Panel | None:
    """Return the residuals below the first panel, if they are wanted and not beside it."""
    if not look.residuals or not view.observed or view.plane:
        return None
    if view.classes:
        raise ConfigError(
            f"The {view.fit.loss_function.name} loss predicts classes, which have no residuals to draw. Leave them out."
        )
    if view.one:
        return residual_panels.residuals_below(view, look)
    return None if look.theme.with_run else replace(residual_panels.residuals(view), title="")


def _plot_groups(fit_view: View, look: Look) -> Figure:
    """Draw a fit whose parameters belong to groups: each in its colour, or of many groups each by itself."""
    title = _title(fit_view.fit) if look.theme.title else ""
    if len(fit_view.groups) <= grouped.TOGETHER:
        panel = grouped.curves(fit_view, look)
        below = grouped.residuals_below(fit_view, look) if look.residuals and fit_view.curves else None
        return plot_panels([panel], title, [panel.caption], look, below)
    group_panels = grouped.one_by_one(fit_view, look, grouped.SMALL)
    some = (
        f"The {len(group_panels)} groups that fit worst, of {len(fit_view.groups):,}."
        if len(group_panels) < len(fit_view.groups)
        else ""
    )
    title = str(fit_view.fit.model).replace("`", "") if look.theme.title else ""
    return plot_multiples([panel for _, panel in group_panels], title, [some, fit_view.sampled], look)


def plot_comparison(fits: Mapping[str, Fitted]) -> Figure:
    """Draw the loss per epoch of several fits over each other; curves that leave the picture diverged."""
    return plot_panels([panels.comparison(fits)], look=Look(size=(9.0, 5.0)))


def plot_columns(x: ArrayLike, y: ArrayLike, x_name: str, y_name: str, look: Look = DEFAULT) -> Figure:
    """Draw one column against another."""
    panel = panels.columns(x, y, x_name, y_name, look)
    return plot_panels([panel], "", [panel.caption], look)


def plot_panels(
    panels_shown: Sequence[Panel],
    title: str = "",
    captions: Sequence[str] = (),
    look: Look = DEFAULT,
    below: Panel | None = None,
) -> Figure:
    """Draw panels side by side. look: of the first, which shows the data; below: a panel under that one."""
    theme, head = look.theme, title if look.title is None else look.title
    taller = theme.height * (1.0 if below is None or theme.with_run else TALLER)
    size = None if look.inches is None and theme.with_run else look.sides(taller)
    if size is not None:
        theme = theme.within(
            size[0] / len(panels_shown), size[1] * (1.0 if below is None else theme.height / taller / TALLER)
        )
    with changed(theme):
        figure, panel_axes = style.canvas(len(panels_shown), head, size, theme)
        first = _worded(panels_shown[0], look)
        for axes, panel in zip(panel_axes, [first, *panels_shown[1:]], strict=True):
            draw(axes, panel, theme)
        if below is not None:
            shared = below.x.name == panels_shown[0].x.name
            lower = replace(below, x=replace(below.x, name=first.x.name)) if shared else below
            draw(style.below(figure, panel_axes[0], shared, theme), lower, theme)
        style.caption(figure, captions, theme)
    return figure


def _worded(panel: Panel, look: Look) -> Panel:
    """Return the panel with the axis labels that the user wants."""
    across = panel.x if look.x_label is None else replace(panel.x, name=look.x_label)
    up = panel.y if look.y_label is None else replace(panel.y, name=look.y_label)
    return replace(panel, x=across, y=up)


def plot_multiples(
    panels: Sequence[Panel], title: str = "", captions: Sequence[str] = (), look: Look = DEFAULT
) -> Figure:
    """Draw small pictures with Matplotlib, under one title; labels and numbers stand where they differ only."""
    from matplotlib.ticker import MaxNLocator

    panels_shown, sentence = multiples.in_common(panels)
    theme, head = look.theme, title if look.title is None else look.title
    across, size = _arranged(len(panels_shown), look)
    down = math.ceil(len(panels_shown) / across)
    theme = theme.scaled(_room(across, down, size, bool(head)) / theme.label)
    own_axes = ["horizontal" in sentence, "vertical" in sentence]
    with changed(theme):
        figure_drawn, panel_axes = style.grid(down, across, len(panels_shown), head, size, theme)
        for panel_number, (axes, panel) in enumerate(zip(panel_axes, panels_shown, strict=True)):
            for mark in panel.marks:
                draw_mark(axes, _thinner(mark), theme)
            for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
                if getattr(panel, side).scale == "linear":
                    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
                set_scale(axes, getattr(panel, side), side)
            outer = panel_number + across >= len(panels_shown), panel_number % across == 0
            axes.tick_params(labelbottom=own_axes[0] or outer[0], labelleft=own_axes[1] or outer[1])
            axes.tick_params(which="both", labelsize=SMALLER * theme.tick)
            _name_small(axes, panel, size[0] / across, outer, look, theme)
        style.caption(figure_drawn, [*captions, sentence], theme)
    return figure_drawn


def _arranged(count: int, look: Look) -> tuple[int, tuple[float, float]]:
    """Return how many small pictures stand side by side, and the size of all together."""
    theme = look.theme
    if look.inches is not None and look.inches[1] is not None:
        size = look.sides()
        ways = range(1, min(count, MOST_ABREAST) + 1)
        return max(ways, key=lambda across: _room(across, math.ceil(count / across), size)), size
    across = min(next((columns for most, columns in multiples.ABREAST.items() if count <= most), 6), count)
    share = theme.label / SCREEN.label
    if not theme.with_run:
        width = theme.width if look.inches is None else look.inches[0]
        across = min(across, max(round(width / (multiples.WIDTH * share)), 1))
    down = math.ceil(count / across)
    wide = max(multiples.WIDTH * across, 4.6) if theme.with_run or look.inches is not None else theme.width
    if theme.with_run:
        return across, look.sides(multiples.HEIGHT * down + 0.9, wide)
    wide = wide if look.inches is None else look.inches[0]
    return across, look.sides((multiples.HEIGHT * down + 0.5) * share, wide)


def _room(across: int, down: int, size: tuple[float, float], titled: bool = True) -> float:
    """Return how large letters may be, in points, in so many columns and rows of small pictures."""
    height = size[1] - (HEAD * size[1] if titled else 0.0)
    return LARGEST * SCREEN.label * min(size[0] / across / multiples.WIDTH, height / down / multiples.HEIGHT)


def _thinner(mark: Mark) -> Mark:
    """Return a mark for a small picture, without a name."""
    return replace(mark, width=1.6, name="") if isinstance(mark, Line) else mark


def _name_small(axes: Axes, panel: Panel, width: float, outer: tuple[bool, bool], look: Look, theme: Theme) -> None:
    """Write the name and the note of a small picture above it, and the names of outer axes."""
    name, _, note = panel.title.partition("\n")
    share = theme.label / SCREEN.label
    most = max(int(width * multiples.LETTERS / share), 12)
    upwards = max(int(multiples.HEIGHT * 0.7 * multiples.LETTERS), 12)
    small = style.text(0.76 * theme.label, theme.colour("vermillion") if panel.failed else theme.soft, theme)
    words = style.text(0.9 * theme.label, theme.ink, theme, fontweight="bold")
    axes.set_title(style.shown(name, int(0.85 * most)), loc="left", pad=(15 if note else 4) * share, **words)
    axes.annotate(style.shown(note, most), (0.0, 1.0), (0, 4 * share), "axes fraction", "offset points", **small)
    if panel.caption:
        axes.grid(False)
        caption = style.wrapped(panel.caption, int(width * 12.0 / share), 5)
        words = style.text(0.71 * theme.label, theme.soft, theme)
        axes.text(0.5, 0.5, caption, transform=axes.transAxes, ha="center", va="center", **words)
    x, y = look.x_label or panel.x.name, look.y_label or panel.y.name
    words = style.text(SMALLER * theme.label, theme.ink, theme)
    axes.set_xlabel(style.shown(x, most) if outer[0] else "", **words)
    axes.set_ylabel(style.shown(y, min(most, upwards)) if outer[1] else "", **words)


def _title(fit: Fitted) -> str:
    """Return the formula with its values; where there is none, or too long a one, the model and its few parameters."""
    if fit.fitted_formula and len(fit.fitted_formula) <= MOST_OF_TITLE:
        return fit.fitted_formula.replace("`", "")
    values = fit.mentioned(digits=4)
    name = str(fit.model).replace("`", "")
    return f"{name}:  {values}" if values and not values.endswith("...") else name
