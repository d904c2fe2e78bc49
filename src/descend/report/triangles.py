"""Open triangles in SVG: rows whose value lies above or below a limit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.report.figures import Points

Array = NDArray[np.float64]


def triangles(mark: Points, x: Array, y: Array) -> str:
    """Draw rows as open triangles that point up or down."""
    points_shown, side = np.isfinite(x) & np.isfinite(y), 3.6 * mark.size
    tip = -1.6 * side if mark.shape == "up" else 1.6 * side
    triangles_svg = "".join(
        f"M{a - side:.1f} {b - tip / 2:.1f}h{2 * side:.1f}l{-side:.1f} {tip:.1f}z"
        for a, b in zip(x[points_shown].tolist(), y[points_shown].tolist(), strict=True)
    )
    return f'<path d="{triangles_svg}" fill="none" stroke="var(--{mark.colour})" stroke-width="1.3"/>'
