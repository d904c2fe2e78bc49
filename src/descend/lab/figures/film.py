"""The film that the browser plays: figures in Plotly's form, and for each frame what moves in them.

A film is plain JSON. ``figures`` hold what stands still, drawn once by Plotly; the page itself draws ``moves`` over
them, many times a second. Each move has a ``colour``, a ``kind``, and where it is in frame k:

    path    x[k], y[k]: the path so far, and its last point       point   x[k], y[k]
    curve   over x, heights of two bytes in units of a scale      dots    likewise, but not joined
    line    x, y: the same in every frame                         sides   probabilities over a plane, a byte each

``steps`` are the numbers of each step, which the page writes out and says in words.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from descend.lab.descents.runs import Descents
from descend.lab.figures import step_in_numbers as equations
from descend.lab.figures.data_figure import Scene, colour_name
from descend.lab.figures.frames import Frames, frames_of
from descend.lab.figures.loss_surface import Landscape, landscape_of
from descend.lab.figures.still_figures import Array, Plain, Still, as_json, brief, still, styled
from descend.lab.page import rate_scale as rates
from descend.lab.words.texts import Words, words
from descend.report import panels
from descend.report.figures import Axis, Line, Mark, Panel, reach
from descend.report.surface import MOST_ROWS

RUNAWAY = 6.0
"""The film begins at a frame in which some J is at most this many times its first value."""
RUNAWAY_HELD_OUT = 100.0
"""The loss of rows held out is drawn up to this multiple of the largest J shown."""
MOST_STEPS = 400
"""Most steps in the line of J."""
FAR = 40.0
"""A path is cut off this many windows away."""


def written(runs: Descents, dark: bool) -> tuple[bytes, Mapping[str, Still]]:
    """Write what moves as JSON, and the figures, each by itself."""
    stills = {name: still(key, make) for name, (key, make) in figures_of(runs, dark).items()}
    return as_json(moving(runs)), stills


def moving(runs: Descents) -> Plain:
    """Return what moves, frame by frame, and what is said of it."""
    frames, landscape = frames_of(runs.fits), landscape_of(runs)
    moves = {"data": Scene.of(runs).moves(frames), "loss": _losses(runs, frames)}
    if _shows(landscape):
        moves["surface"] = _paths(runs, frames, landscape)
    return {
        "epochs": list(frames.epochs),
        "moves": moves,
        "begin": _begin(frames),
        "steps": equations.numbers_of_steps(runs, frames),
        "losses": [brief(frames.losses(name)) for name in runs.fits],
        "held": None if runs.state.validation is None else [brief(frames.held_out(name)) for name in runs.fits],
        "axes": None if landscape is None else list(landscape.labels),
        "ends": None if landscape is None else [list(each) for each in landscape.ends],
        "rate": runs.rate,
        "scale": list(rates.ends(runs)),
        "start": _start(runs),
        "link": runs.state.query,
        "group": runs.state.group,
    }


def figures_of(runs: Descents, dark: bool) -> dict[str, tuple[Hashable, Callable[[], Plain]]]:
    """Return how to draw each figure, and what it depends on."""
    page_state, landscape = runs.state, landscape_of(runs)
    kind = (runs.rows.key, *page_state.model, page_state.lang, dark)
    figures_of_page: dict[str, tuple[Hashable, Callable[[], Plain]]] = {
        "data": (("data", *kind), lambda: styled(Scene.of(runs).panel(), dark)),
    }
    if _shows(landscape):
        figures_of_page["surface"] = (("surface", *kind, landscape.ends), lambda: styled(_surface(landscape), dark))
    loss = _loss(runs)
    figures_of_page["loss"] = (("loss", loss.x, loss.y, runs.lowest.loss, dark), lambda: styled(loss, dark))
    return figures_of_page


def _shows(landscape: Landscape | None) -> TypeGuard[Landscape]:
    return landscape is not None and (landscape.surface is not None or landscape.line is not None)


def _start(runs: Descents) -> str:
    """Return the start of the descents, in the form that the box for starting values takes."""
    labels = runs.lowest.model.parameters.labels
    values = runs.first.trace[0].theta
    return ", ".join(f"{label}={float(value):g}" for label, value in zip(labels, values, strict=True))


def _begin(frames: Frames) -> int:
    """Return the frame to begin with: the last, or if all descents ran away, the last in which one is still in view."""
    lasts = []
    for steps in frames.steps.values():
        near = [frame_number for frame_number, step in enumerate(steps) if step.loss <= RUNAWAY * abs(steps[0].loss)]
        lasts.append(near[-1] if near else 0)
    return max(lasts)


def captions(runs: Descents, say: Words) -> tuple[str, str]:
    """Say for which values the contours stand, and which rows are not drawn."""
    return _contours(landscape_of(runs), runs.rows.rows, say), _left_out(runs, say)


def _contours(landscape: Landscape | None, rows: int, say: Words) -> str:
    if landscape is None or landscape.surface is None:
        return ""
    low, high = (f"{float(landscape.surface.levels[side]):.4g}" for side in (0, -1))
    caption = say("deepest_more" if landscape.beyond else "deepest", low=low, high=high)
    if landscape.others:
        caption += f" {say('others_best')}"
    return f"{caption} {say('thinned', drawn=f'{MOST_ROWS:,}')}" if rows > MOST_ROWS else caption


def _left_out(runs: Descents, say: Words) -> str:
    most, rows = Scene.of(runs).most, runs.first.rows
    return say("drawn", drawn=f"{most:,}", rows=f"{rows:,}") if rows > most else ""


def _surface(landscape: Landscape) -> Panel:
    """Draw J as contours over two parameters, or as a curve over one."""
    marks: list[Mark] = []
    if landscape.surface is not None:
        marks.append(landscape.surface)
        up = Axis(landscape.labels[1], low=landscape.ends[1][0], high=landscape.ends[1][1])
    else:
        assert landscape.line is not None
        grid, heights = landscape.line
        marks.append(Line(grid, heights, "J", "blue", 2.4))
        low, high = reach(heights)
        up = Axis("J", low=min(0.0, low) - 0.05 * (high - low), high=high + 0.05 * (high - low))
    across = Axis(landscape.labels[0], low=landscape.ends[0][0], high=landscape.ends[0][1])
    return Panel("surface", "", across, up, marks)


def _paths(runs: Descents, frames: Frames, landscape: Landscape) -> list[Plain]:
    paths = [_path(runs, frames, name, landscape) for name in runs.fits]
    return [_way("path", path_number, path[:, 0], path[:, 1]) for path_number, path in enumerate(paths)]


def _losses(runs: Descents, frames: Frames) -> list[Plain]:
    """Return J per epoch, with a dot on each curve; dashed beside it the same of the rows held out."""
    moves: list[Plain] = []
    for run_number, (name, fit) in enumerate(runs.fits.items()):
        epochs, losses = panels.finite(fit)
        epochs_drawn = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_STEPS)).round().astype(int))
        moves.append(_way("line", run_number, epochs[epochs_drawn], losses[epochs_drawn]))
        ends = np.minimum(frames.epochs, fit.trace[-1].epoch)
        moves.append(_way("point", run_number, ends, frames.losses(name)))
        if runs.state.validation is not None:
            steps = [step for step in fit.trace if step.validation_loss is not None]
            some = [
                steps[k] for k in np.unique(np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int)).tolist()
            ]
            x, y = np.array([step.epoch for step in some]), np.array([step.validation_loss for step in some])
            moves.append(_way("line", run_number, x, y) | {"held": True})
            moves.append(_way("point", run_number, ends, frames.held_out(name)) | {"held": True})
    return moves


def _loss(runs: Descents) -> Panel:
    """Draw the level of the lowest J; the axes depend on where the descents begin and could end."""
    losses = [panels.finite(fit)[1] for fit in runs.fits.values()]
    last = runs.state.epochs
    across = Axis(words(runs.state.lang)("epoch"), low=-0.02 * last - 0.2, high=1.02 * last + 0.2)
    up = _heights(float(runs.first.trace[0].loss), runs.lowest.loss, losses)
    if runs.state.validation is not None:
        up = _with_held_out(up, np.concatenate([fit.trace.validation_losses for fit in runs.fits.values()]))
    level = np.full(2, runs.lowest.loss)
    best = Line(np.array([across.low, across.high], dtype=np.float64), level, "lowest J", "blue", 1.4, ":")
    return Panel("loss", "", across, up, [best])


def _heights(first: float, lowest: float, losses: list[Array]) -> Axis:
    """Return the axis of J: logarithmic from the lowest J to the first, and further if descents go further.

    One of several descents that diverges leaves the picture, for it would flatten all others.
    """
    everything = np.concatenate(losses) if losses else np.empty(0)
    lowest_height, most = float(everything.min(initial=first)), float(everything.max(initial=first))
    if not (first > 0.0 and lowest_height > 0.0 and lowest >= 0.0):
        room = 0.08 * (first - min(lowest_height, lowest)) or 1.0
        return Axis("J", low=min(lowest_height, lowest) - room, high=first + room)
    bottom = max(lowest, first * 1e-6)
    if lowest_height < 0.99 * bottom:
        bottom = 10.0 ** np.floor(np.log10(max(lowest_height, first * panels.DEEPEST)))
    top = most if len(losses) == 1 and most > 3.0 * first else first
    ratio = max(top / bottom, 1.5)
    return Axis("J", "log", float(bottom / ratio**0.06), float(top * ratio**0.08))


def _with_held_out(up: Axis, losses: Array) -> Axis:
    """Return the axis of J, further where the loss of the rows held out goes, but for one that runs away."""
    assert up.low is not None and up.high is not None
    logarithmic = up.scale == "log"
    seen = losses[np.isfinite(losses) & (losses < RUNAWAY_HELD_OUT * up.high) & ((losses > 0.0) | (not logarithmic))]
    if not len(seen):
        return up
    low, high = float(seen.min()), float(seen.max())
    return replace(up, low=min(up.low, 0.8 * low if logarithmic else low), high=max(up.high, 1.3 * high))


def _way(kind: str, run_number: int, x: Array, y: Array) -> Plain:
    return {"kind": kind, "colour": colour_name(run_number), "x": brief(x), "y": brief(y)}


def _path(runs: Descents, frames: Frames, name: str, landscape: Landscape) -> Array:
    """Return the (frames, 2) positions of a descent in the picture, cut off far outside."""
    ways = frames.theta(name)[:, list(landscape.places)]
    if landscape.surface is None:
        ways = np.column_stack([ways[:, 0], frames.losses(name)])
        low, high = reach(landscape.line[1]) if landscape.line is not None else (0.0, 1.0)
        ends = (*landscape.ends, (low, high))
    else:
        ends = landscape.ends
    for column, (low, high) in enumerate(ends):
        span = high - low
        ways[:, column] = np.clip(ways[:, column], low - FAR * span, high + FAR * span)
    return np.asarray(ways)
