"""The panels of the residuals: what is left should show no pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from descend.report import rows_as_marks
from descend.report.figures import Array, Axis, Level, Line, Mark, Panel, Points, drawable, reach
from descend.report.panels import on_axis, scale_of
from descend.report.picture_look import Look
from descend.report.view_of_fit import View


def residuals(view: View) -> Panel:
    """Prepare residuals against predicted: what is left should show no pattern."""
    name = f"{view.axis(view.response)}, predicted"
    return _residuals(view, lambda each: drawable(each.predicted), name, "residuals", "Residuals")


def residuals_below(view: View, look: Look) -> Panel:
    """Prepare the residuals for the panel below the curve, over the same horizontal axis."""
    name = view.inputs[0] if view.inputs else "row"
    across = on_axis(look, "x", view.x, name)
    panel = _residuals(view, lambda each: on_axis(look, "x", each.x, name), name, "residuals-below", "", raw=True)
    bars = rows_as_marks.bars(view, across, drawable(view.residuals))
    upright = [replace(each, left=None, right=None) for each in bars]
    return replace(panel, x=Axis(view.axis(name), look.scale("x")), y=Axis("residual"), marks=[*upright, *panel.marks])


def residuals_against(view: View, name: str) -> Panel:
    """Prepare residuals against one column."""
    key = f"residuals-{view.inputs.index(name) + 1}" if name in view.inputs else "residuals-0"
    panel = _residuals(view, lambda each: np.asarray(each.columns[name]), name, key, f"Residuals against {name}")
    return replace(panel, x=replace(panel.x, scale=scale_of(np.asarray(view.columns[name]))))


def _judged(view: View) -> tuple[Array, str]:
    """Return the residuals that should show no pattern, and what they are: whitened, where rows have a covariance."""
    whitened = view.whitened
    return (
        (view.residuals, view.in_unit("observed - predicted")) if whitened is None else (whitened, "whitened residual")
    )


def _residuals(
    view: View, across: Callable[[View], Array], name: str, key: str, title: str, raw: bool = False
) -> Panel:
    """Prepare residuals, also of rows held out. across: where rows stand; raw: whether they are not to be whitened."""
    values, words = (view.residuals, view.in_unit("observed - predicted")) if raw else _judged(view)
    left, held = drawable(values), view.held_out
    marks: list[Mark] = rows_as_marks.points(view.fit.loss_function, view.columns, across(view), left, "", ends=False)
    if held is not None:
        marks += rows_as_marks.held_out(held, across(held), drawable(held.residuals))
    return Panel(
        key,
        title,
        Axis(view.axis(name)),
        Axis(words),
        [*marks, Level(0.0)],
        view.sampled,
        f"Residuals, observed less predicted {view.response}, against {name}. "
        f"They lie between {np.nanmin(left):.4g} and {np.nanmax(left):.4g}.",
    )


def quantiles(view: View) -> Panel:
    """Prepare the ordered residuals against what a normal distribution would give (Q-Q).

    The i-th of n goes against the normal quantile of (i - 0.375) / (n + 0.25); the line has their mean and deviation.
    Source: Blom (1958), Statistical Estimates and Transformed Beta-Variables.
    """
    from scipy.special import ndtri

    values, words = _judged(view)
    left = np.sort(values[np.isfinite(values)])
    normal = ndtri((np.arange(1, len(left) + 1) - 0.375) / (len(left) + 0.25))
    ends = np.array(reach(normal))
    return Panel(
        "quantiles",
        "Are the residuals normal?",
        Axis("quantile of the normal distribution"),
        Axis(words),
        [Points(normal, left, "residuals"), Line(ends, left.mean() + left.std() * ends, "normal", width=1.8)],
        view.sampled,
        "Quantile-quantile plot of the residuals: normal residuals lie on the straight line.",
    )
