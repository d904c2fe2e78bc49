"""The film of a run: what stays in its pictures, and what moves from frame to frame, for any drawing library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from descend.errors import ConfigError
from descend.report import panels, surface
from descend.report.figures import Line, Mark, Panel, Points, drawable
from descend.report.view_of_fit import View, ended, view

if TYPE_CHECKING:
    from descend.descent.step import Step
    from descend.inference.fitted import Fitted

Moves = Callable[[int, "Step"], list[Mark]]

MOST_FRAMES = 120
"""Frames of a film: ten seconds at twelve a second."""
CURVE = 160
"""Points of the moving curve."""
WAITING = 0.3
"""Weight of the epochs against the way that the parameters go, when frames are chosen."""
DOTS = 300
"""Most dots that move, where the prediction is not a curve."""
TRAIL = 400
"""Most points of the path behind the moving dot; of longer paths, evenly spaced points."""

NOTHING = np.empty(0)
"""Coordinates of an empty mark, which only names in the legend what moves."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment. said: its description in words. marks: what moves, for each panel of the film."""

    epoch: int
    said: str
    marks: tuple[Sequence[Mark], ...]


@dataclass(frozen=True, eq=False)
class Film:
    """panels: what stays. frames: what moves in them."""

    title: str
    panels: tuple[Panel, ...]
    frames: tuple[Frame, ...]


def film(fit: Fitted) -> Film:
    """Prepare the film of a run: the data with the moving curve, and the path over J, or over the epochs.

    Raises ConfigError for a PyTorch module, and for a fit that was loaded from a file and so has no steps.
    """
    if fit.model.in_place:
        raise ConfigError(
            f"The steps of a {fit.model.kind} keep no parameters, so there is nothing to animate. "
            "Use fit.plot() or fit.report(), which draw its loss per epoch."
        )
    fit.loss_function.refuse_classes("no one curve to animate")
    if fit.solution is None or not fit.trace:
        raise ConfigError("This fit was loaded from a file, without its steps, so there is nothing to animate.")
    steps = [step for step in panels.kept(fit) if np.isfinite(step.theta).all()]
    (left, predicted), (right, path) = _prediction(view(fit), fit), _descent(fit)
    frames = tuple(
        Frame(step.epoch, _said(fit, step), (predicted(frame_number, step), path(frame_number, step)))
        for frame_number, step in ((frame_number, steps[frame_number]) for frame_number in chosen(steps))
    )
    return Film(str(fit.model), (left, right), frames)


def chosen(steps: Sequence[Step], most: int = MOST_FRAMES) -> list[int]:
    """Choose frames evenly by epochs and by the way gone, since most runs move most at their beginning."""
    if len(steps) <= most:
        return list(range(len(steps)))
    thetas = np.array([step.theta for step in steps], dtype=np.float64)
    size = np.ptp(thetas, axis=0)
    largest_moves = np.abs(np.diff(thetas / np.where(size > 0.0, size, 1.0), axis=0)).max(axis=1)
    way = np.concatenate([[0.0], np.cumsum(largest_moves)])
    pace = np.linspace(0.0, WAITING, len(steps)) + (way / way[-1] if way[-1] > 0.0 else 0.0)
    frame_numbers = np.searchsorted(pace, np.linspace(0.0, pace[-1], most))
    return sorted({0, len(steps) - 1, *np.minimum(frame_numbers, len(steps) - 1).tolist()})


def _said(fit: Fitted, step: Step) -> str:
    values = fit.model.parameters.mentioned(step.theta, digits=4).replace("  ", ", ")
    outcome = ended(fit) if step.outcome is not None else ""
    return " · ".join(
        caption for caption in (f"epoch {step.epoch:,}", f"loss {step.loss:.6g}", values, outcome) if caption
    )


def _prediction(fit_view: View, fit: Fitted) -> tuple[Panel, Moves]:
    """Return the picture of the data, and the marks of the prediction at a step."""
    if not fit_view.one:
        return _against_observed(fit_view, fit)
    still = panels.curve(fit_view)
    marks: list[Mark] = [mark for mark in still.marks if isinstance(mark, Points)] or [still.marks[0]]
    x = np.asarray(fit_view.x)[np.isfinite(fit_view.x)]
    grid, curve_drawn = fit_view.line(fit_view.x, np.linspace(x.min(), x.max(), CURVE) if len(x) else x, CURVE)

    def moves(place: int, step: Step) -> list[Mark]:
        return [Line(grid, drawable(curve_drawn.predict(fit.model, step.theta)), width=2.6)]

    named = Line(NOTHING, NOTHING, "model", width=2.6)
    return replace(still, title="Data and model", marks=[*marks, named]), moves


def _against_observed(fit_view: View, fit: Fitted) -> tuple[Panel, Moves]:
    """Return predicted against observed, whose dots move towards the diagonal."""
    still = panels.predicted(fit_view)
    few = np.linspace(0, len(fit_view.y) - 1, min(len(fit_view.y), DOTS)).astype(np.intp)
    observed, points_drawn = fit_view.y[few], fit_view.drawn(few)

    def moves(place: int, step: Step) -> list[Mark]:
        return [Points(observed, drawable(points_drawn.predict(fit.model, step.theta)))]

    caption = f"{len(few):,} of {fit.rows:,} rows drawn." if len(few) < fit.rows else ""
    marks: list[Mark] = [Points(NOTHING, NOTHING, "rows"), *(mark for mark in still.marks if isinstance(mark, Line))]
    return replace(still, title="Predicted and observed", marks=marks, caption=caption), moves


def _descent(fit: Fitted) -> tuple[Panel, Moves]:
    """Return the map of J, or the epochs where it has none, and the marks of the path up to a step."""
    still = surface.landscape(fit) or panels.loss(fit)
    way = next(mark for mark in reversed(still.marks) if isinstance(mark, Line))
    marks = [mark for mark in still.marks if mark is not way] or [replace(way, width=1.2, dashes=":", dots=False)]

    def moves(place: int, step: Step) -> list[Mark]:
        last = min(place, len(way.x) - 1) if step.outcome is None else len(way.x) - 1
        trail = np.unique(np.linspace(0, last, min(last + 1, TRAIL)).round().astype(np.intp))
        return [replace(way, x=way.x[trail], y=way.y[trail], name="", ends=True, dots=False)]

    return replace(still, key="path", marks=marks), moves
