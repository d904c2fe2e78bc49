"""Whether a descent ended in a valley that is not the deepest, judged by the lowest known J."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from descend import api
from descend.descent import Outcome
from descend.errors import DescendError
from descend.lab.cache import Cache
from descend.lab.descents.runs import Descents, Start
from descend.results import Fit

EPOCHS, SECONDS = 200, 0.3
"""Epochs and seconds that a descent to a floor may take; if it is not there by then, nothing is said."""
HIGHER = 0.05
"""The floor of another valley has to lie above the lowest J by this share of it."""
REACHED = 1e-3
"""A descent reaches the lowest J if it ends above it by no more than this share of it."""

LOOKS: Cache[float] = Cache(256)


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
    fit, lowest, page_state = runs.fits[name], runs.lowest, runs.state
    first = abs(float(fit.trace[0].loss))
    if lowest.model.linear or fit.outcome is Outcome.DIVERGED or not math.isfinite(fit.loss):
        return None
    level = lowest.loss + max(HIGHER * abs(lowest.loss), 1e-6 * first)
    if not fit.loss > level:
        return None

    def look(start: Start) -> float:
        """Return the J that the default optimizer comes down to; NaN if it does not arrive at a minimum."""
        bottom = _down(runs, start)
        return math.nan if bottom is None else bottom.loss

    key = (runs.rows.key, *page_state.model)
    floor = LOOKS((*key, fit.theta.tobytes()), lambda: look(fit.parameters))
    if not floor > level:
        return None
    again = LOOKS((*key, repr(runs.start)), lambda: look(runs.start))
    same_start = again <= lowest.loss + max(REACHED * abs(lowest.loss), 1e-9 * first)
    labelled = dict(zip(lowest.model.parameters.labels, map(float, lowest.theta), strict=True))
    return Valley(floor, lowest.loss, labelled, same_start, lowest.optimizer)


def _down(runs: Descents, start: Start) -> Fit | None:
    """Descend with the default optimizer, which is named so that it looks nowhere else; None if it does not arrive."""
    rows, page_state = runs.rows, runs.state
    try:
        fit = api.fit(
            page_state.formula,
            rows.table,
            start=dict(start),
            optimizer=runs.lowest.optimizer,
            **page_state.kind,
            missing=rows.missing,
            epochs=EPOCHS,
            time_limit=SECONDS,
        )
    except DescendError:
        return None
    return fit if fit.outcome in (Outcome.CONVERGED, Outcome.STALLED) else None
