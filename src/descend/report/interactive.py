"""Panels with Plotly, where one can zoom in and point at things: for the notebook and the web lab.

The figures are plain dictionaries, which Plotly, Dash and a browser all accept; only `plotly` imports the
library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from descend.errors import ConfigError
from descend.report import palette, style
from descend.report.figures import Axis, Band, Bars, Level, Line, Mark, Matrix, Panel, Points, Surface

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DASHES = {"-": "solid", "--": "dash", ":": "dot"}
Trace = dict[str, object]
"""A figure, or a part of one, in Plotly's form."""
CROWD = 500
"""From this many rows on, dots are small and faint."""


def plotly(panel: Panel, dark: bool = False) -> Figure:
    """Return a panel as a Plotly figure. Raises ConfigError if Plotly is not installed."""
    try:
        from plotly.graph_objects import Figure
    except ModuleNotFoundError:
        raise ConfigError("Interactive figures need Plotly, which is not installed: pip install plotly.") from None
    return Figure(figure(panel, dark))


def figure(panel: Panel, dark: bool = False) -> Trace:
    """Return a panel as the dictionary of a Plotly figure: ``data`` and ``layout``."""
    matrix = any(isinstance(mark, Matrix) for mark in panel.marks)
    shapes = [_level(mark, dark) for mark in panel.marks if isinstance(mark, Level)]
    traces = [trace for mark in panel.marks if not isinstance(mark, Level) for trace in _traces(mark, dark)]
    ink, paper, grid = (palette.PAGE[name][dark] for name in ("ink", "paper", "grid"))
    across, up = _axis(panel.x, grid), _axis(panel.y, grid)
    if matrix:
        across |= {"showgrid": False, "constrain": "domain"}
        up |= {"autorange": "reversed", "scaleanchor": "x", "showgrid": False}
    return {
        "data": traces,
        "layout": {
            "title": {"text": _plain(panel.title), "font": {"size": 15}, "x": 0.0, "xref": "paper"},
            "xaxis": across,
            "yaxis": up,
            "shapes": shapes,
            "font": {"color": ink, "size": 13},
            "paper_bgcolor": paper,
            "plot_bgcolor": paper,
            "showlegend": any(getattr(mark, "name", "") for mark in panel.marks),
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0.0, "traceorder": "normal"},
            "margin": {"l": 60, "r": 20, "t": 70, "b": 50},
            "hovermode": "closest",
        },
    }


def _traces(mark: Mark, dark: bool) -> list[Trace]:
    name = _plain(getattr(mark, "name", ""))
    common = {"name": name, "showlegend": bool(name)}
    if isinstance(mark, Points):
        many = len(mark.x) > CROWD
        dots = {
            "color": _colour(mark.colour, dark),
            "size": (4 if many else 7) * mark.size,
            "opacity": 0.45 if many else 0.8,
        }
        if mark.shape != "dot":
            dots["symbol"] = "circle-open" if mark.shape == "ring" else f"triangle-{mark.shape}-open"
        kind = "scattergl" if many else "scatter"
        return [common | {"type": kind, "mode": "markers", "x": _list(mark.x), "y": _list(mark.y), "marker": dots}]
    if isinstance(mark, Bars):
        x, y = map(_list, mark.segments)
        line_style = {"color": _colour(mark.colour, dark), "width": 1.3}
        segments = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line_style, "opacity": 0.6}
        return [segments | {"hoverinfo": "skip", "showlegend": False}]
    if isinstance(mark, Line):
        line_style = {"color": _colour(mark.colour, dark), "width": mark.width, "dash": DASHES[mark.dashes]}
        line = {"type": "scatter", "x": _list(mark.x), "y": _list(mark.y), "line": line_style}
        line["mode"] = "lines+markers" if mark.dots else "lines"
        return [common | line, *([_ends(mark, dark)] if mark.ends and len(mark.x) else [])]
    if isinstance(mark, Band):
        edge = {"type": "scatter", "mode": "lines", "x": _list(mark.x), "line": {"width": 0}, "hoverinfo": "skip"}
        low = edge | {"y": _list(mark.low), "showlegend": False}
        filled = {
            "y": _list(mark.high),
            "fill": "tonexty",
            "fillcolor": _faint(_colour(mark.colour, dark), mark.opacity),
        }
        return [low, common | edge | filled]
    if isinstance(mark, Surface):
        return [_contours(mark, dark)]
    assert isinstance(mark, Matrix)
    return [_heat(mark, dark)]


def _ends(mark: Line, dark: bool) -> Trace:
    """Return the ring at which a path begins and the dot at which it ends."""
    colour = _colour(mark.colour, dark)
    dots = {"color": [palette.PAGE["paper"][dark], colour], "size": 11, "line": {"color": colour, "width": 2}}
    x, y = mark.x[[0, -1]], mark.y[[0, -1]]
    return {"type": "scatter", "mode": "markers", "x": _list(x), "y": _list(y), "marker": dots, "showlegend": False}


def _contours(mark: Surface, dark: bool) -> Trace:
    """Return filled contours. Plotly spaces levels evenly, so each value is replaced by the number of its level."""
    colour_stops = np.interp(mark.z, mark.levels, np.arange(len(mark.levels), dtype=np.float64))
    last = len(mark.levels) - 1
    colours = style.contours(last, dark)
    return {
        "type": "contour",
        "x": _list(mark.x),
        "y": _list(mark.y),
        "z": colour_stops.tolist(),
        "showscale": False,
        "customdata": mark.z.tolist(),
        "hovertemplate": "%{x:.4g}, %{y:.4g}: J = %{customdata:.4g}<extra></extra>",
        "contours": {"start": 1, "end": last - 1, "size": 1},
        "line": {"width": 0},
        "autocontour": False,
        "colorscale": [[colour_number / max(last - 1, 1), colour] for colour_number, colour in enumerate(colours)],
        "zmin": 0.5,
        "zmax": last - 0.5,
    }


def _heat(mark: Matrix, dark: bool) -> Trace:
    labels = [_plain(label) for label in mark.labels]
    scale = [[0.0, _colour("vermillion", dark)], [0.5, palette.PAGE["paper"][dark]], [1.0, _colour("blue", dark)]]
    return {
        "type": "heatmap",
        "x": labels,
        "y": labels,
        "z": mark.values.tolist(),
        "zmin": -1.0,
        "zmax": 1.0,
        "colorscale": scale,
        "opacity": 0.65,
        "showscale": False,
        "texttemplate": "%{z:.2f}",
        "textfont": {"color": palette.PAGE["ink"][dark]},
        "hoverinfo": "skip",
    }


def _level(mark: Level, dark: bool) -> Trace:
    line = {"color": _colour(mark.colour, dark), "width": 2}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": mark.y, "y1": mark.y, "line": line}


def _axis(axis: Axis, grid: str) -> Trace:
    axis_style: Trace = {"title": {"text": _plain(axis.name)}, "gridcolor": grid, "zeroline": False}
    if axis.scale == "log":
        axis_style |= {"type": "log", "exponentformat": "power", "dtick": None}
    if axis.low is not None and axis.high is not None and axis.scale != "symlog":
        ends = np.array([axis.low, axis.high])
        axis_style["range"] = (np.log10(ends) if axis.scale == "log" else ends).tolist()
    return axis_style


def _list(values: ArrayLike) -> list[float | None]:
    """Return numbers for JSON; what is not finite becomes a gap."""
    array = np.asarray(values, dtype=np.float64)
    cells = np.isfinite(array)
    json_numbers: list[float | None] = (
        array.tolist()
        if cells.all()
        else [value if is_finite else None for value, is_finite in zip(array.tolist(), cells.tolist(), strict=True)]
    )
    return json_numbers


def _colour(name: str, dark: bool) -> str:
    return palette.PALETTE[name][dark]


def _faint(colour: str, opacity: float) -> str:
    rgb = ", ".join(str(int(colour[digit : digit + 2], 16)) for digit in (1, 3, 5))
    return f"rgba({rgb}, {opacity:g})"


def _plain(text: str) -> str:
    """Return text escaped for Plotly, which would read some tags as markup, and $ as LaTeX."""
    line = style.one_line(text, 80)
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
