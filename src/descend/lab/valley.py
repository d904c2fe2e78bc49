"""Whether a descent ended in a valley that is not the deepest, judged by the lowest known J."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from descend import api
from descend.descent import Outcome
from descend.errors import DescendError
from descend.lab.cache import Cache
from descend.lab.descents import Descents, Start
from descend.results import Fit

SECONDS = 0.3
"""Seconds that the search may take; if it is not done by then, nothing is said."""
HIGHER = 0.05
"""The floor of another valley has to lie above the lowest J by this share of it."""
REACHED = 1e-3
"""A descent reaches the lowest J if it ends above it by no more than this share of it."""

LOOKS: Cache[tuple[float, bool]] = Cache(256)


@dataclass(frozen=True)
class Valley:
    """Another valley. floor: the lowest J in it. lowest: J in the deepest known one, at ``parameters``.

    same_start: whether the default optimizer gets there from the same start.
    """

    floor: float
    lowest: float
    parameters: Mapping[str, float]
    same_start: bool
    optimizer: str


def other_valley(runs: Descents, name: str) -> Valley | None:
    """Find the floor of the valley in which a descent ended; None if it is the deepest known, or cannot be told."""
    fit, lowest = runs.fits[name], runs.lowest
    first = abs(float(fit.trace[0].loss))
    if lowest.model.linear or fit.outcome is Outcome.DIVERGED or not math.isfinite(fit.loss):
        return None
    level = lowest.loss + max(HIGHER * abs(lowest.loss), 1e-6 * first)
    if not fit.loss > level:
        return None

    def look() -> tuple[float, bool]:
        bottom = _down(runs, fit.parameters)
        if bottom is None or not bottom.loss > level:
            return math.nan, False
        again = _down(runs, runs.start)
        return bottom.loss, again is not None and again.loss <= lowest.loss + max(
            REACHED * abs(lowest.loss), 1e-9 * first
        )

    key = (runs.rows.key, runs.state.formula, runs.state.loss, fit.theta.tobytes(), repr(runs.start))
    floor, same_start = LOOKS(key, look)
    if math.isnan(floor):
        return None
    labelled = dict(zip(lowest.model.parameters.labels, map(float, lowest.theta), strict=True))
    return Valley(floor, lowest.loss, labelled, same_start, lowest.optimizer)


def _down(runs: Descents, start: Start) -> Fit | None:
    """Descend with the default optimizer; None if it does not arrive at a minimum."""
    rows, state = runs.rows, runs.state
    try:
        fit = api.fit(
            state.formula,
            rows.table,
            start=dict(start),
            loss=state.loss,
            missing=rows.missing,
            time_limit=SECONDS,
        )
    except DescendError:
        return None
    return fit if fit.outcome in (Outcome.CONVERGED, Outcome.STALLED) else None
