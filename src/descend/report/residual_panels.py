"""The panels of the residuals: what is left should show no pattern."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from descend.report import spread
from descend.report.figures import Array, Axis, Level, Line, Panel, Points, drawable, reach
from descend.report.panels import on_axis
from descend.report.picture_look import Look
from descend.report.rows_drawn import points
from descend.report.view_of_fit import View


def residuals(view: View) -> Panel:
    """Prepare residuals against predicted: what is left should show no pattern."""
    return _residuals(
        view, drawable(view.predicted), f"{view.axis(view.response)}, predicted", "residuals", "Residuals"
    )


def residuals_below(view: View, look: Look) -> Panel:
    """Prepare the residuals for the panel below the curve, over the same horizontal axis."""
    name = view.inputs[0] if view.inputs else "row"
    across = on_axis(look, "x", view.x, name)
    panel = _residuals(view, across, name, "residuals-below", "", view.residuals)
    upright = [replace(each, left=None, right=None) for each in spread.bars(view, across, drawable(view.residuals))]
    return replace(panel, x=Axis(view.axis(name), look.scale("x")), y=Axis("residual"), marks=[*upright, *panel.marks])


def residuals_against(view: View, name: str) -> Panel:
    """Prepare residuals against one column."""
    key = f"residuals-{view.inputs.index(name) + 1}" if name in view.inputs else "residuals-0"
    return _residuals(view, np.asarray(view.columns[name]), name, key, f"Residuals against {name}")


def _judged(view: View) -> tuple[Array, str]:
    """Return the residuals that should show no pattern, and what they are: whitened, where rows have a covariance."""
    whitened = view.whitened
    return (
        (view.residuals, view.in_unit("observed - predicted")) if whitened is None else (whitened, "whitened residual")
    )


def _residuals(view: View, x: Array, name: str, key: str, title: str, raw: Array | None = None) -> Panel:
    values, words = _judged(view) if raw is None else (raw, view.in_unit("observed - predicted"))
    left = drawable(values)
    return Panel(
        key,
        title,
        Axis(view.axis(name)),
        Axis(words),
        [*points(view.fit.loss_function, view.columns, x, left, "", ends=False), Level(0.0)],
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
