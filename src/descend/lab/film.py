"""What the browser plays: figures as Plotly takes them, and for each frame what moves in them.

A film is plain JSON. ``figures`` are drawn once; ``moves`` say which of their traces move, and where to: for each, the
points of every frame, or the points up to that frame (``path``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.fit import Fit
from descend.lab import equations
from descend.lab.descents import Descents
from descend.lab.frames import Frames, frames_of
from descend.lab.ground import Ground, ground_of
from descend.models import FormulaModel
from descend.report import panels, style
from descend.report.figures import Axis, Line, Mark, Panel, Points, reach
from descend.report.interactive import figure
from descend.report.view import view

Array = NDArray[np.float64]

COLOURS = ("vermillion", "green", "purple", "orange", "sky", "blue")
MOST_POINTS = 1_200
GRID = 72
"""Points of the moving curve."""
MOST_PREDICTED = 240
RUNAWAY = 20.0
"""How many times its first value J may be where a film begins."""
FAR = 40.0
"""How many windows away a path is cut off."""


def film_of(found: Descents, dark: bool) -> dict[str, Any]:
    """Prepare the film of some descents."""
    frames = frames_of(found.fits)
    ground = ground_of(found)
    begin = _begin(frames)
    drawn = {
        "data": _data(found, frames, begin, dark),
        "surface": _surface(found, frames, ground, begin, dark),
        "loss": _loss(found, frames, begin, dark),
    }
    return {
        "epochs": list(frames.epochs),
        "figures": {name: made[0] for name, made in drawn.items() if made is not None},
        "moves": {name: made[1] for name, made in drawn.items() if made is not None},
        "begin": begin,
        "equations": _equations(found, frames),
        "losses": {name: [equations.number(float(step.loss)) for step in frames.steps[name]] for name in found.fits},
        "axes": None if ground is None else list(ground.labels),
        "link": found.state.query,
        "captions": ("" if ground is None else ground.caption, _left_out(found)),
    }


def _begin(frames: Frames) -> int:
    """Return the frame to begin with: the last, or if all ran away the last in which one is still to be seen."""
    lasts = []
    for steps in frames.steps.values():
        near = [place for place, step in enumerate(steps) if step.loss <= RUNAWAY * abs(steps[0].loss)]
        lasts.append(near[-1] if near else 0)
    return max(lasts)


def _left_out(found: Descents) -> str:
    """Say which rows are not drawn, if any."""
    seen = view(found.first)
    most = MOST_POINTS if seen.one else MOST_PREDICTED
    rows = found.first.rows
    return f"{most:,} of {rows:,} rows drawn, chosen at random." if rows > most else ""


def colour_of(place: int, dark: bool) -> str:
    """Return the colour of the descent in this place."""
    return style.PALETTE[COLOURS[place % len(COLOURS)]][dark]


def _data(found: Descents, frames: Frames, begin: int, dark: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Draw the rows, with the curve of each descent; of several inputs predicted against observed."""
    seen = view(found.first)
    chosen = _some(len(seen.y), MOST_POINTS if seen.one else MOST_PREDICTED)
    marks: list[Mark] = []
    moves: list[dict[str, Any]] = []
    if not seen.one:
        y = seen.y[chosen]
        low, high = reach(y)
        ends = np.array([low, high])
        marks.append(Line(ends, ends, "predicted = observed", "blue", 1.4, "--"))
        columns = {name: np.asarray(values)[chosen] for name, values in seen.columns.items()}
        for place, (name, fit) in enumerate(found.fits.items()):
            curves = _curves(fit, frames.theta(name), columns)
            marks.append(Points(y, curves[begin], name, COLOURS[place % len(COLOURS)]))
            moves.append({"trace": len(marks) - 1, "y": _rows(curves, low, high), "scale": scale_of(low, high)})
        across, up = Axis(f"{seen.response}, observed"), Axis(f"{seen.response}, predicted")
        room = 0.35 * (high - low)
        drawn = Panel("curve", "", across, Axis(up.name, low=low - room, high=high + room), marks)
        return _styled(figure(drawn, dark), dark), moves
    low, high = reach(seen.y)
    grid = _grid(seen.x)
    key = seen.inputs[0] if seen.inputs else ""
    marks.append(Points(seen.x[chosen], seen.y[chosen], "data"))
    if np.isfinite(found.lowest.theta).all():
        best = _predicted(found.lowest, found.lowest.theta, {key: grid})
        marks.append(Line(grid, np.clip(best, low - 1e3 * (high - low), high + 1e3 * (high - low)), "lowest J", "blue",
                          1.4, ":"))  # fmt: skip
    for place, (name, fit) in enumerate(found.fits.items()):
        curves = _curves(fit, frames.theta(name), {key: grid})
        marks.append(Line(grid, curves[begin], name, COLOURS[place % len(COLOURS)], 2.6))
        moves.append({"trace": len(marks) - 1, "y": _rows(curves, low, high), "scale": scale_of(low, high)})
    room = 0.12 * (high - low)
    up = Axis(seen.response, low=low - room, high=high + room)
    return _styled(figure(Panel("curve", "", Axis(key or "row"), up, marks), dark), dark), moves


def _surface(
    found: Descents, frames: Frames, ground: Ground | None, begin: int, dark: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """Draw J with the paths on it: over two parameters contours, over one a curve."""
    if ground is None or (ground.surface is None and ground.line is None):
        return None
    marks: list[Mark] = []
    paths = [_path(found, frames, name, ground) for name in found.fits]
    if ground.surface is not None:
        marks.append(ground.surface)
        up = Axis(ground.labels[1], low=ground.ends[1][0], high=ground.ends[1][1])
    else:
        assert ground.line is not None
        grid, heights = ground.line
        marks.append(Line(grid, heights, "J", "blue", 2.4))
        low, high = reach(heights)
        up = Axis("J", low=min(0.0, low) - 0.05 * (high - low), high=high + 0.05 * (high - low))
    moves: list[dict[str, Any]] = []
    for place, (name, path) in enumerate(zip(found.fits, paths, strict=True)):
        colour = COLOURS[place % len(COLOURS)]
        few = len(found.fits[name].trace) <= 120
        marks.append(Line(path[: begin + 1, 0], path[: begin + 1, 1], name, colour, 2.2, dots=few))
        marks.append(Points(path[[begin], 0], path[[begin], 1], "", colour))
        x, y = _listed(path[:, 0]), _listed(path[:, 1])
        moves.append({"trace": len(marks) - 2, "path": [x, y]})
        moves.append({"trace": len(marks) - 1, "point": [x, y]})
    across = Axis(ground.labels[0], low=ground.ends[0][0], high=ground.ends[0][1])
    made = _styled(figure(Panel("surface", "", across, up, marks), dark), dark)
    for move in moves:
        _as_head(made["data"][move["trace"]], dark, "point" in move)
    return made, moves


def _loss(found: Descents, frames: Frames, begin: int, dark: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Draw J per epoch, with a dot on each curve."""
    panel = panels.comparison(found.fits)
    marks: list[Mark] = []
    moves: list[dict[str, Any]] = []
    lowest = found.lowest
    for place, (mark, name) in enumerate(zip(panel.marks, found.fits, strict=True)):
        assert isinstance(mark, Line)
        colour = COLOURS[place % len(COLOURS)]
        marks.append(Line(mark.x, shortened(mark.y, 6), name, colour, 2.0))
    for place, name in enumerate(found.fits):
        steps = frames.steps[name]
        x = np.array([step.epoch for step in steps], dtype=np.float64)
        y = np.array([step.loss for step in steps], dtype=np.float64)
        marks.append(Points(x[[begin]], y[[begin]], "", COLOURS[place % len(COLOURS)]))
        moves.append({"trace": len(marks) - 1, "point": [_listed(x), _listed(y)]})
    across = Axis("epoch", low=-0.02 * frames.epochs[-1] - 0.2, high=1.02 * frames.epochs[-1] + 0.2)
    up = Axis("J", panel.y.scale, panel.y.low, panel.y.high)
    if len(found.fits) == 1 and up.scale == "log" and up.low is not None:  # nothing that a steep rise could flatten
        top = float(np.max(panel.marks[0].y, initial=up.high or 1.0))  # type: ignore[union-attr]
        up = replace(up, high=max(up.high or 1.0, 3.0 * top))
    if lowest.loss > 0.0 and up.scale == "log":
        ends = np.array([across.low or 0.0, across.high or 0.0])
        marks.append(Line(ends, np.array([lowest.loss, lowest.loss]), "lowest J", "blue", 1.4, ":"))
    made = _styled(figure(Panel("loss", "", across, up, marks), dark), dark)
    for move in moves:
        _as_head(made["data"][move["trace"]], dark, True)
    return made, moves


def _equations(found: Descents, frames: Frames) -> list[list[str]]:
    fit = found.first
    last = fit.trace[-1].epoch
    size = found.state.batch
    batched = size is not None and size < fit.rows
    return [equations.step_lines(fit, min(epoch, last - 1), batched) for epoch in frames.epochs]


def _path(found: Descents, frames: Frames, name: str, ground: Ground) -> Array:
    """Return (frames, 2) where a descent stands in the picture, cut off where it is far outside."""
    ways = frames.theta(name)[:, list(ground.places)]
    if ground.surface is None:
        heights = np.array([step.loss for step in frames.steps[name]], dtype=np.float64)
        ways = np.column_stack([ways[:, 0], heights])
        low, high = reach(ground.line[1]) if ground.line is not None else (0.0, 1.0)
        ends = (*ground.ends, (low, high))
    else:
        ends = ground.ends
    for column, (low, high) in enumerate(ends):
        span = high - low
        ways[:, column] = np.clip(ways[:, column], low - FAR * span, high + FAR * span)
    return np.asarray(ways)


def _curves(fit: Fit, ways: Array, columns: Mapping[str, Array]) -> Array:
    """Return (frames, rows) the prediction of each frame."""
    formula = fit.model.formula if isinstance(fit.model, FormulaModel) else None
    if formula is None or formula.terms:
        return np.array([_predicted(fit, theta, columns) for theta in ways])
    # Each frame has its rows beside those of the others, and its parameters beside them: one call instead of many.
    rows = len(next(iter(columns.values())))
    beside = {name: np.tile(values, len(ways)) for name, values in columns.items()}
    return _predicted(fit, np.repeat(ways.T, rows, axis=1), beside).reshape(len(ways), rows)


def _predicted(fit: Fit, theta: Any, columns: Any) -> Array:
    with np.errstate(all="ignore"):
        values = fit.model.predict(np.asarray(theta, dtype=np.float64), columns)
    return np.asarray(values, dtype=np.float64)


def _grid(x: Array) -> Array:
    low, high = reach(x)
    return np.linspace(low, high, GRID)


def _some(count: int, most: int) -> NDArray[np.intp]:
    """Choose at most so many rows, at random but always the same."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _rows(curves: Array, low: float, high: float) -> list[list[int | None]]:
    """Return curves in whole ten-thousandths of the picture, cut off far outside: JSON is quickest with those."""
    begin, unit = scale_of(low, high)
    places = np.round(np.clip((curves - begin) / unit, -3e4, 3e4))
    known = np.isfinite(places)
    whole = np.where(known, places, 0.0).astype(np.int64).astype(object)
    whole[~known] = None
    listed: list[list[int | None]] = whole.tolist()
    return listed


def scale_of(low: float, high: float) -> tuple[float, float]:
    """Return where the picture of some values begins, and a ten-thousandth of it."""
    return low, (high - low) / 1e4


def _listed(values: Array) -> list[float | None]:
    """Return numbers as JSON, to six digits: nobody sees more, and each costs time on the way."""
    short = shortened(values, 6)
    known = np.isfinite(short)
    listed: list[float | None] = (
        short.tolist()
        if known.all()
        else [value if seen else None for value, seen in zip(short.tolist(), known.tolist(), strict=True)]
    )
    return listed


def shortened(values: Array, digits: int) -> Array:
    """Return numbers to so many digits."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        places = digits - 1 - np.floor(np.log10(np.abs(values)))
        usable = np.isfinite(places) & (np.abs(places) < 300.0)
        unit = np.power(10.0, np.where(usable, np.abs(places), 0.0))
        whole = np.where(places >= 0.0, np.round(values * unit) / unit, np.round(values / unit) * unit)
    return np.where(usable, whole, values)


def _as_head(trace: dict[str, Any], dark: bool, head: bool) -> None:
    """Draw where a descent stands as a dot with a rim, and its path with small dots."""
    if head:
        trace["marker"] |= {"size": 12, "opacity": 1.0, "line": {"color": style.PAGE["paper"][dark], "width": 2}}
        trace["hoverinfo"] = "skip"
    elif "markers" in trace["mode"]:
        trace["marker"] = {"size": 4.5}
    trace["cliponaxis"] = True


def _styled(made: dict[str, Any], dark: bool) -> dict[str, Any]:
    """Let the page's own words stand around the picture."""
    layout = made["layout"]
    layout["title"] = {"text": ""}
    layout |= {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 12, "t": 8, "b": 44},
        "showlegend": False,
        "autosize": True,
        "dragmode": False,
        "font": {"color": style.PAGE["soft"][dark], "size": 12, "family": FONT},
        "hoverlabel": {"font": {"family": FONT}},
    }
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"automargin": False, "fixedrange": True}
        layout[axis]["title"]["standoff"] = 8
        if layout[axis].get("type") == "log":
            layout[axis]["dtick"] = _decades(made["data"], axis[0], layout[axis])
    for trace in made["data"]:
        if trace["type"] == "scattergl":
            trace["type"] = "scatter"
        if trace["type"] == "contour":
            trace["z"] = np.round(trace["z"], 2).tolist()
            trace["customdata"] = shortened(np.array(trace["customdata"]), 4).tolist()
    return made


def _decades(traces: list[dict[str, Any]], axis: str, drawn: dict[str, Any]) -> str | int:
    """Space the numbers of a logarithmic axis: at every few decades, or within them where it spans few."""
    if "range" in drawn:
        low, high = drawn["range"]
    else:
        values = [value for trace in traces for value in trace[axis] if value is not None and value > 0.0]
        low, high = (np.log10(min(values)), np.log10(max(values))) if values else (0.0, 1.0)
    return "D2" if high - low < 1.2 else int(max(1, np.ceil((high - low) / 6.0)))


FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif'
