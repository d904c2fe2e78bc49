"""Figures as they stand still, in Plotly's form and in the style of the page, and how they are written as JSON.

A figure that does not change is written once, kept, and sent only to pages that do not have it: moving a slider moves
what lies over the figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.lab.cache import Cache
from descend.report import palette
from descend.report.figures import Panel
from descend.report.interactive import figure

Array = NDArray[np.float64]
Plain = dict[str, Any]
"""An object of JSON: a figure in Plotly's form, or a move."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", sans-serif'


@dataclass(frozen=True)
class Still:
    """A figure as JSON. mark: tells it from other figures."""

    mark: str
    text: bytes


STILLS: Cache[Still] = Cache(256)


def still(key: Hashable, make: Callable[[], Plain]) -> Still:
    """Return a figure as JSON; ``make`` is called unless it is kept under ``key``."""

    def made() -> Still:
        text = as_json(make())
        return Still(hashlib.blake2b(text, digest_size=8).hexdigest(), text)

    return STILLS(key, made)


def as_json(content: object) -> bytes:
    """Write an object of JSON; arrays are lists, and a number that JSON does not have is null."""
    import orjson

    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def styled(panel: Panel, dark: bool) -> Plain:
    """Return a panel as a figure in the style of the page, which writes title and legend itself."""
    plotly_figure: Plain = figure(panel, dark)
    layout = plotly_figure["layout"]
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
            layout[axis]["dtick"] = _decades(plotly_figure["data"], axis[0], layout[axis])
            low, high = layout[axis].get("range", (-9.0, 9.0))
            if low > -4.5 and high < 4.5:
                layout[axis]["exponentformat"] = "none"
            else:
                layout[axis]["tickfont"] = {"size": 10}  # Plotly draws powers a quarter larger
    for trace in plotly_figure["data"]:
        if trace["type"] == "scattergl":
            trace["type"] = "scatter"
        if trace["type"] == "contour":
            trace["z"] = np.round(trace["z"], 2).tolist()
            trace["customdata"] = shortened(np.array(trace["customdata"]), 4).tolist()
    return plotly_figure


def brief(values: Array) -> NDArray[np.float32]:
    """Return numbers in single precision, of which JSON has seven digits at most, and null where there is none."""
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def shortened(values: Array, digits: int) -> Array:
    """Round numbers to this many significant digits."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        decimal_places = digits - 1 - np.floor(np.log10(np.abs(values)))
        usable = np.isfinite(decimal_places) & (np.abs(decimal_places) < 300.0)
        unit = np.power(10.0, np.where(usable, np.abs(decimal_places), 0.0))
        rounded = np.where(decimal_places >= 0.0, np.round(values * unit) / unit, np.round(values / unit) * unit)
    return np.where(usable, rounded, values)


def _decades(traces: list[Plain], axis: str, axis_style: Plain) -> str | int:
    """Return the spacing of a logarithmic axis: every few powers of ten, or within them if it spans few."""
    if "range" in axis_style:
        low, high = axis_style["range"]
    else:
        values = [value for trace in traces for value in trace[axis] if value is not None and value > 0.0]
        low, high = (np.log10(min(values)), np.log10(max(values))) if values else (0.0, 1.0)
    return "D2" if high - low < 1.2 else int(max(1, np.ceil((high - low) / 6.0)))
