"""How much single rows weigh in a fit, on its page: residuals against leverage, and the rows that weigh most."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import attempt
from descend.errors import ConfigError
from descend.inference.fitted import Fitted
from descend.inference.rows.influence import Influence, influence_of
from descend.report.cells import heads, minus, table
from descend.report.document import figure
from descend.report.figures import Axis, Level, Line, Mark, Panel, Points
from descend.report.view_of_fit import MOST_POINTS

MOST_ROWS = 200_000
"""With more rows than this, no single one weighs much, and finding out takes as long as the page."""
CONTOURS = (0.5, 1.0)
"""Cook's distances whose contours are drawn."""
TITLES = ("row", "leverage", "studentised residual", "Cook's distance")


def section(fit: Fitted) -> str:
    """Return the picture and the table; nothing for a fit of which the weight of rows is not known."""
    solution = fit.solution
    if solution is None or fit.rows > MOST_ROWS:
        return ""
    influences: list[Influence] = []
    try:
        with attempt("how much single rows weigh", fit.failures):
            influences.append(influence_of(solution))
    except ConfigError:
        return ""
    if not influences or not np.isfinite(influences[0].standardized).any():
        return ""
    return f'<div class="figures pairs">{figure(panel(influences[0]))}<div>{listed(influences[0])}</div></div>'


def listed(influence: Influence) -> str:
    """Return the table of the rows that weigh most."""
    lines = [
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f'<td class="number">{minus(cell)}</td>' for cell in cells)
        + "</tr>"
        for name, *cells in influence.cells()
    ]
    return table(heads(TITLES, range(1, len(TITLES))), lines, "The rows that weigh most")


def panel(influence: Influence) -> Panel:
    """Prepare standardised residuals against leverage, with contours of Cook's distance; the largest are marked."""
    leverage, residual = influence.leverage, influence.standardized
    most = influence.most()
    rows_drawn = _drawn(influence)
    high = min(1.0, 1.08 * float(np.nanmax(leverage)))
    low, top = float(np.nanmin(residual)), float(np.nanmax(residual))
    across = np.linspace(high / 200.0, high * (1.0 - 1e-9), 200)
    size = float(np.nansum(leverage))
    marks: list[Mark] = [
        Points(leverage[rows_drawn], residual[rows_drawn], "rows"),
        Points(leverage[most], residual[most], "weigh most", "vermillion"),
        Level(0.0),
    ]
    ends = (min(low, -1.0) * 1.15, max(top, 1.0) * 1.15)
    for distance, dashes in zip(CONTOURS, (":", "--"), strict=True):
        height = np.sqrt(distance * size * (1.0 - across) / across)
        for sign, end in ((1.0, ends[1]), (-1.0, -ends[0])):
            within_limits = height <= end
            if within_limits.any():
                name = f"Cook's distance {distance:g}" if sign > 0 or not (height <= ends[1]).any() else ""
                marks.append(Line(across[within_limits], sign * height[within_limits], name, "purple", 1.4, dashes))
    return Panel(
        "influence",
        "Which rows weigh most?",
        Axis("leverage", low=0.0, high=high),
        Axis("standardised residual", low=ends[0], high=ends[1]),
        marks,
        "A row far to the right determines its own prediction; beyond a contour it moves the fit by itself.",
        f"Standardised residuals between {low:.3g} and {top:.3g} against leverages up to {np.nanmax(leverage):.3g}.",
    )


def _drawn(influence: Influence) -> NDArray[np.intp]:
    """Return the places of the rows to draw: of many, evenly spaced ones."""
    count = len(influence.leverage)
    rows_drawn: NDArray[np.intp] = np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(np.intp)
    return rows_drawn
