"""How the parameters of many fits spread: each over the groups, in order, so that the odd ones stand out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.report.figures import Axis, Level, Panel, Points
from descend.report.view_of_fit import MOST_POINTS

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

Array = NDArray[np.float64]
MOST = 6
"""Parameters that are drawn, at most."""
INSIDE = (0.005, 0.995)
"""Beyond these quantiles of many groups, values may be left outside of the picture."""
MANY = 50
FAR = 4.0
"""The picture shows what is not further outside these quantiles than this many times their distance."""


def spread(fits: FittedGroups) -> list[Panel | None]:
    """Prepare a picture for each of the first parameters: its value in each group that has a fit."""
    values_by_label = {label: values for label, (values, _) in fits.estimates().items()}
    if len(fits) < 2:
        return []
    across, name = _across(fits)
    fitted = np.array([not fits.cause(group) for group in range(len(fits))])
    if fitted.sum() < 2:
        return []
    groups = np.flatnonzero(fitted)
    if len(groups) > MOST_POINTS:
        groups = np.sort(np.random.default_rng(0).choice(groups, MOST_POINTS, replace=False))
    panels: list[Panel | None] = []
    for label, values in list(values_by_label.items())[:MOST]:
        drawn_finite, every = groups[np.isfinite(values[groups])], values[fitted & np.isfinite(values)]
        panels.append(
            _panel(label, across[drawn_finite], values[drawn_finite], every, name) if len(every) > 1 else None
        )
    return panels


def _across(fits: FittedGroups) -> tuple[Array, str]:
    """Return where each group stands: at its number, if there is one column of numbers, else in order."""
    first = [key[0] for key in fits.keys]
    if len(fits.by) == 1 and all(isinstance(value, int | float) for value in first):
        return np.array(first, dtype=np.float64), fits.by[0]
    return np.arange(1.0, len(fits) + 1.0), f"groups, in the order of {' and '.join(fits.by)}"


def _panel(label: str, across: Array, values: Array, every: Array, name: str) -> Panel:
    """Prepare one parameter."""
    median = float(np.median(every))
    low, high, left_out = None, None, ""
    if len(every) >= MANY:
        lowest_value, most = np.quantile(every, INSIDE)
        reach = FAR * (most - lowest_value)
        outside = int(np.count_nonzero((every < lowest_value - reach) | (every > most + reach)))
        if outside:
            low, high = float(lowest_value - 0.2 * reach), float(most + 0.2 * reach)
            left_out = f"{outside:,} far outside of the picture."
    return Panel(
        f"spread-{label}",
        f"{label} in each group, median {median:.4g}",
        Axis(name, integers=True),
        Axis(label, low=low, high=high),
        [Points(across, values), Level(median, "median")],
        left_out,
        f"The parameter {label} in each group that was fitted; its median is {median:.4g}.",
    )
