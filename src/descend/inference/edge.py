"""Best fits at the edge of what their loss allows: a mean of 0 for counts, a probability of 0 or 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.inference.row_scores import row_weights
from descend.problem.edge import AT
from descend.wording import using

if TYPE_CHECKING:
    from descend.results.fit import Fit

MOVES = 1e-6
"""Share of its derivatives in all rows that those of such a row must be: a mean of exp(...) only nears the edge."""
ALONE = 1e-6
"""Distance from what the rows at the edge determine, below which a parameter is determined by them alone."""


def edge_rows(fit: Fit) -> NDArray[np.intp]:
    """Return the places, among the rows that count, of those whose prediction lies at the edge, and could go beyond."""
    domain = fit.loss_function.prediction_domain
    none = np.empty(0, dtype=np.intp)
    if not domain.limited or fit.kept is None or fit.kept.whole is not None or fit.model.in_place:
        return none
    if fit.outcome is not Outcome.CONVERGED or fit.at_bound or fit.penalised:
        return none
    rows = fit.counted_rows
    distance = np.minimum(rows.score - domain.low, domain.high - rows.score)
    near = distance <= AT * float(distance.mean())
    if not near.any():
        return none
    usual = np.sqrt(np.square(rows.jacobian).mean(axis=0))
    moves = (np.abs(rows.jacobian) > MOVES * usual).any(axis=1)
    return np.flatnonzero(near & moves)


def held_at_edge(fit: Fit) -> NDArray[np.bool_]:
    """Mark the parameters that rows at the edge alone determine: they can go one way only, and have no error."""
    places = edge_rows(fit)
    if not places.size:
        return np.zeros(fit.theta.size, dtype=bool)
    _, values, ways = np.linalg.svd(fit.counted_rows.jacobian[places], full_matrices=False)
    ways = ways[values > ALONE * values[0]]
    return np.asarray(1.0 - np.square(ways).sum(axis=0) < ALONE)


def edge_note(fit: Fit) -> str | None:
    """Say that the best fit lies at the edge, in which row, and what follows."""
    places = edge_rows(fit)
    if not places.size or fit.kept is None or fit.model.in_place:
        return None
    rows = fit.counted_rows
    end = float(np.round(rows.score[places[0]], 6))
    place = int(np.flatnonzero(row_weights(fit) > 0.0)[places[0]])
    where = ", ".join(f"{name} = {fit.kept.columns[name][place]:g}" for name in fit.model.inputs)
    held = [label for label, at in zip(fit.model.parameters.labels, held_at_edge(fit), strict=True) if at]
    errors = f"{' and '.join(held)} has no standard error there, and those" if held else "standard errors"
    return (
        f"the prediction is {end:g} in row {place + 1}{f' ({where})' if where else ''}, at the edge of what the "
        f"{fit.loss_function.name} loss allows; {errors} of the others are with it held there. Keep parameters inside"
        f"{using('bounds')}, or use a formula that cannot reach the edge, such as "
        f"{'exp(a + b*x)' if math.isinf(fit.loss_function.prediction_domain.high) else 'sigmoid(a + b*x)'}"
    )
