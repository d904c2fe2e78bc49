"""The film that the browser plays: figures in Plotly's form, and for each frame what moves in them.

A film is plain JSON. ``figures`` hold what stands still, drawn once by Plotly; the page itself draws ``moves`` over
them, many times a second. Each move has a ``colour``, a ``kind``, and where it is in frame k:

    path    x[k], y[k]: the path so far, and its last point       point   x[k], y[k]
    curve   over x, the values y[k], in units of a scale          dots    likewise, but not joined
    line    x, y: the same in every frame
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.lab import equations, rates
from descend.lab.descents import Descents
from descend.lab.frames import Frames, frames_of
from descend.lab.landscape import Landscape, landscape_of
from descend.lab.texts import Words, words
from descend.report import grouped, palette, panels
from descend.report.figures import Axis, Line, Mark, Panel, Points, reach
from descend.report.interactive import figure
from descend.report.surface import MOST_ROWS
from descend.report.units import with_unit
from descend.report.view import view
from descend.results import Fit

Array = NDArray[np.float64]
Plain = dict[str, Any]
"""An object of JSON: a figure in Plotly's form, or a move."""

COLOURS = ("vermillion", "green", "purple", "orange", "sky", "blue")
MOST_POINTS = 1_200
GRID = 72
"""Points of the moving curve."""
MOST_PREDICTED = 240
RUNAWAY = 6.0
"""The film begins at a frame in which some J is at most this many times its first value."""
MOST_STEPS = 400
"""Most steps in the line of J."""
FAR = 40.0
"""A path is cut off this many windows away."""


def film_of(runs: Descents, dark: bool) -> Plain:
    """Prepare the film of some descents."""
    frames = frames_of(runs.fits)
    landscape = landscape_of(runs)
    drawn = {
        "data": _data(runs, frames, dark),
        "surface": _surface(runs, frames, landscape, dark),
        "loss": _loss(runs, frames, dark),
    }
    return {
        "epochs": list(frames.epochs),
        "figures": {name: made[0] for name, made in drawn.items() if made is not None},
        "moves": {name: made[1] for name, made in drawn.items() if made is not None},
        "begin": _begin(frames),
        "equations": _equations(runs, frames),
        "losses": {name: [equations.number(float(step.loss)) for step in frames.steps[name]] for name in runs.fits},
        "axes": None if landscape is None else list(landscape.labels),
        "rate": runs.rate,
        "scale": list(rates.ends(runs)),
        "start": _start(runs),
        "link": runs.state.query,
        "group": runs.state.group,
    }


def _start(runs: Descents) -> str:
    """Return the start of the descents, in the form that the box for starting values takes."""
    labels = runs.lowest.model.parameters.labels
    values = runs.first.trace[0].theta
    return ", ".join(f"{label}={float(value):g}" for label, value in zip(labels, values, strict=True))


def _begin(frames: Frames) -> int:
    """Return the frame to begin with: the last, or if all descents ran away, the last in which one is still in view."""
    lasts = []
    for steps in frames.steps.values():
        near = [place for place, step in enumerate(steps) if step.loss <= RUNAWAY * abs(steps[0].loss)]
        lasts.append(near[-1] if near else 0)
    return max(lasts)


def captions(runs: Descents, say: Words) -> tuple[str, str]:
    """Say for which values the contours stand, and which rows are not drawn."""
    return _contours(landscape_of(runs), runs.rows.rows, say), _left_out(runs, say)


def _contours(landscape: Landscape | None, rows: int, say: Words) -> str:
    if landscape is None or landscape.surface is None:
        return ""
    low, high = (f"{float(landscape.surface.levels[place]):.4g}" for place in (0, -1))
    caption = say("deepest_more" if landscape.beyond else "deepest", low=low, high=high)
    if landscape.others:
        caption += f" {say('others_best')}"
    return f"{caption} {say('thinned', drawn=f'{MOST_ROWS:,}')}" if rows > MOST_ROWS else caption


def _left_out(runs: Descents, say: Words) -> str:
    seen = view(runs.first)
    most = MOST_POINTS if seen.one else MOST_PREDICTED
    rows = runs.first.rows
    return say("drawn", drawn=f"{most:,}", rows=f"{rows:,}") if rows > most else ""


def colour_name(place: int) -> str:
    """Return the name of the colour of the descent with this index."""
    return COLOURS[place % len(COLOURS)]


def _data(runs: Descents, frames: Frames, dark: bool) -> tuple[Plain, list[Plain]]:
    """Draw the rows with the curve of each descent, or, for several inputs, predicted against observed."""
    seen, say = view(runs.first), words(runs.state.lang)
    chosen = _some(len(seen.y), MOST_POINTS if seen.one else MOST_PREDICTED)
    marks: list[Mark] = []
    moves: list[Plain] = []
    by_group = grouped.together(seen)
    if not (seen.one or by_group):
        y = seen.y[chosen]
        low, high = reach(y)
        ends = np.array([low, high])
        marks.append(Line(ends, ends, "predicted = observed", "blue", 1.4, "--"))
        columns = {name: np.asarray(values)[chosen] for name, values in seen.columns.items()}
        for place, (name, fit) in enumerate(runs.fits.items()):
            curves = _curves(fit, frames.theta(name), columns)
            moves.append(_curve("dots", place, y, curves, low, high))
        edge, room = 0.05 * (high - low), 0.35 * (high - low)
        across = Axis(say("observed", name=seen.response), low=low - edge, high=high + edge)
        up = Axis(say("predicted", name=seen.response))
        drawn = Panel("curve", "", across, Axis(up.name, low=low - room, high=high + room), marks)
        return _styled(figure(drawn, dark), dark), moves
    low, high = reach(seen.y)
    key = seen.inputs[0] if seen.inputs else ""
    if by_group:
        marks, inputs = grouped.beside(seen, GRID)
    else:
        marks, inputs = [Points(seen.x[chosen], seen.y[chosen], "data")], {key: _grid(seen.x)}
    grid = inputs[key]
    if np.isfinite(runs.lowest.theta).all():
        best = _predicted(runs.lowest, runs.lowest.theta, inputs)
        marks.append(
            Line(grid, np.clip(best, low - 1e3 * (high - low), high + 1e3 * (high - low)), "lowest J", "blue", 1.4, ":")
        )
    for place, (name, fit) in enumerate(runs.fits.items()):
        curves = _curves(fit, frames.theta(name), inputs)
        moves.append(_curve("curve", place, grid, curves, low, high))
    room = 0.12 * (high - low)
    up = Axis(with_unit(seen.fit, seen.response), low=low - room, high=high + room)
    across = Axis(with_unit(seen.fit, key) if key else "row")
    return _styled(figure(Panel("curve", "", across, up, marks), dark), dark), moves


def _surface(
    runs: Descents, frames: Frames, landscape: Landscape | None, dark: bool
) -> tuple[Plain, list[Plain]] | None:
    """Draw J with the paths on it: as contours over two parameters, or as a curve over one."""
    if landscape is None or (landscape.surface is None and landscape.line is None):
        return None
    marks: list[Mark] = []
    paths = [_path(runs, frames, name, landscape) for name in runs.fits]
    if landscape.surface is not None:
        marks.append(landscape.surface)
        up = Axis(landscape.labels[1], low=landscape.ends[1][0], high=landscape.ends[1][1])
    else:
        assert landscape.line is not None
        grid, heights = landscape.line
        marks.append(Line(grid, heights, "J", "blue", 2.4))
        low, high = reach(heights)
        up = Axis("J", low=min(0.0, low) - 0.05 * (high - low), high=high + 0.05 * (high - low))
    moves = [_way("path", place, path[:, 0], path[:, 1]) for place, path in enumerate(paths)]
    across = Axis(landscape.labels[0], low=landscape.ends[0][0], high=landscape.ends[0][1])
    return _styled(figure(Panel("surface", "", across, up, marks), dark), dark), moves


def _loss(runs: Descents, frames: Frames, dark: bool) -> tuple[Plain, list[Plain]]:
    """Draw J per epoch, with a dot on each curve; the axes depend on where the descents begin and could end."""
    moves: list[Plain] = []
    ways = [panels.finite(fit) for fit in runs.fits.values()]
    for place, ((epochs, losses), name) in enumerate(zip(ways, runs.fits, strict=True)):
        chosen = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), MOST_STEPS)).round().astype(int))
        moves.append(_way("line", place, epochs[chosen], losses[chosen]))
        seen = np.array([(step.epoch, step.loss) for step in frames.steps[name]], dtype=np.float64)
        moves.append(_way("point", place, seen[:, 0], seen[:, 1]))
    last = runs.state.epochs
    across = Axis(words(runs.state.lang)("epoch"), low=-0.02 * last - 0.2, high=1.02 * last + 0.2)
    up = _heights(float(runs.first.trace[0].loss), runs.lowest.loss, [losses for _, losses in ways])
    level = np.full(2, runs.lowest.loss)
    best = Line(np.array([across.low, across.high], dtype=np.float64), level, "lowest J", "blue", 1.4, ":")
    return _styled(figure(Panel("loss", "", across, up, [best]), dark), dark), moves


def _heights(first: float, lowest: float, losses: list[Array]) -> Axis:
    """Return the axis of J: logarithmic from the lowest J to the first, and further if descents go further.

    One of several descents that diverges leaves the picture, for it would flatten all others.
    """
    everything = np.concatenate(losses) if losses else np.empty(0)
    least, most = float(everything.min(initial=first)), float(everything.max(initial=first))
    if not (first > 0.0 and least > 0.0 and lowest >= 0.0):
        room = 0.08 * (first - min(least, lowest)) or 1.0
        return Axis("J", low=min(least, lowest) - room, high=first + room)
    bottom = max(lowest, first * 1e-6)
    if least < 0.99 * bottom:
        bottom = 10.0 ** np.floor(np.log10(max(least, first * panels.DEEPEST)))
    top = most if len(losses) == 1 and most > 3.0 * first else first
    ratio = max(top / bottom, 1.5)
    return Axis("J", "log", float(bottom / ratio**0.06), float(top * ratio**0.08))


def _equations(runs: Descents, frames: Frames) -> list[list[str]]:
    fit = runs.first
    last = fit.trace[-1].epoch
    size = runs.state.batch
    batched = size is not None and size < fit.rows
    return [equations.step_lines(fit, max(min(epoch, last - 1), 0), batched) for epoch in frames.epochs]


def _way(kind: str, place: int, x: Array, y: Array) -> Plain:
    return {"kind": kind, "colour": colour_name(place), "x": _listed(x), "y": _listed(y)}


def _curve(kind: str, place: int, x: Array, curves: Array, low: float, high: float) -> Plain:
    """Return a curve for every frame, in whole ten-thousandths of the picture, which JSON writes fastest."""
    begin, unit = low, (high - low) / 1e4
    places = np.round(np.clip((curves - begin) / unit, -3e4, 3e4))
    known = np.isfinite(places)
    integers = np.where(known, places, 0.0).astype(np.int64).astype(object)
    integers[~known] = None
    colour = colour_name(place)
    return {"kind": kind, "colour": colour, "x": _listed(x), "y": integers.tolist(), "scale": [begin, unit]}


def _path(runs: Descents, frames: Frames, name: str, landscape: Landscape) -> Array:
    """Return the (frames, 2) positions of a descent in the picture, cut off far outside."""
    ways = frames.theta(name)[:, list(landscape.places)]
    if landscape.surface is None:
        heights = np.array([step.loss for step in frames.steps[name]], dtype=np.float64)
        ways = np.column_stack([ways[:, 0], heights])
        low, high = reach(landscape.line[1]) if landscape.line is not None else (0.0, 1.0)
        ends = (*landscape.ends, (low, high))
    else:
        ends = landscape.ends
    for column, (low, high) in enumerate(ends):
        span = high - low
        ways[:, column] = np.clip(ways[:, column], low - FAR * span, high + FAR * span)
    return np.asarray(ways)


def _curves(fit: Fit, ways: Array, columns: Mapping[str, Array]) -> Array:
    """Return the (frames, rows) predictions."""
    formula = fit.model.formula if fit.model.formula is not None else None
    if formula is None or formula.terms:
        return np.array([_predicted(fit, theta, columns) for theta in ways])
    # The rows of all frames are put side by side, each with the parameters of its frame: one call instead of many.
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
    """Choose at most ``most`` rows at random, but always the same ones."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def _listed(values: Array) -> list[float | None]:
    """Return numbers for JSON, with six digits: nobody sees more, and each costs time to send."""
    short = shortened(values, 6)
    known = np.isfinite(short)
    listed: list[float | None] = (
        short.tolist()
        if known.all()
        else [value if seen else None for value, seen in zip(short.tolist(), known.tolist(), strict=True)]
    )
    return listed


def shortened(values: Array, digits: int) -> Array:
    """Round numbers to this many significant digits."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        places = digits - 1 - np.floor(np.log10(np.abs(values)))
        usable = np.isfinite(places) & (np.abs(places) < 300.0)
        unit = np.power(10.0, np.where(usable, np.abs(places), 0.0))
        rounded = np.where(places >= 0.0, np.round(values * unit) / unit, np.round(values / unit) * unit)
    return np.where(usable, rounded, values)


def _styled(made: Plain, dark: bool) -> Plain:
    """Style a figure for the page, which writes title and legend itself."""
    layout = made["layout"]
    layout["title"] = {"text": ""}
    layout |= {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 12, "t": 8, "b": 44},
        "showlegend": False,
        "autosize": True,
        "dragmode": False,
        "font": {"color": palette.PAGE["soft"][dark], "size": 12, "family": FONT},
        "hoverlabel": {"font": {"family": FONT}},
    }
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"automargin": False, "fixedrange": True}
        layout[axis]["title"]["standoff"] = 8
        if layout[axis].get("type") == "log":
            layout[axis]["dtick"] = _decades(made["data"], axis[0], layout[axis])
            low, high = layout[axis].get("range", (-9.0, 9.0))
            if low > -4.5 and high < 4.5:
                layout[axis]["exponentformat"] = "none"
            else:
                layout[axis]["tickfont"] = {"size": 10}  # Plotly draws powers a quarter larger
    for trace in made["data"]:
        if trace["type"] == "scattergl":
            trace["type"] = "scatter"
        if trace["type"] == "contour":
            trace["z"] = np.round(trace["z"], 2).tolist()
            trace["customdata"] = shortened(np.array(trace["customdata"]), 4).tolist()
    return made


def _decades(traces: list[Plain], axis: str, drawn: Plain) -> str | int:
    """Return the spacing of a logarithmic axis: every few powers of ten, or within them if it spans few."""
    if "range" in drawn:
        low, high = drawn["range"]
    else:
        values = [value for trace in traces for value in trace[axis] if value is not None and value > 0.0]
        low, high = (np.log10(min(values)), np.log10(max(values))) if values else (0.0, 1.0)
    return "D2" if high - low < 1.2 else int(max(1, np.ceil((high - low) / 6.0)))


FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif'
