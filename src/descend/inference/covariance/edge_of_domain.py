"""Best fits at the edge of what their loss allows: a mean of 0 for counts, a probability of 0 or 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.inference.determined import at_bound
from descend.inference.scored_rows import counted_rows, row_weights, scored_rows
from descend.problem.edge_of_domain import AT
from descend.wording import using

MOVES = 1e-6
"""A row at the edge counts if a derivative exceeds this share of the usual one; exp(...) only approaches the edge."""
ALONE = 1e-6
"""How nearly a parameter must lie in the space of the rows at the edge to be determined by them alone."""


def edge_rows(solution: Solution) -> NDArray[np.intp]:
    """Return where, among the rows that count, the prediction lies at the edge and could go beyond it."""
    domain = solution.loss_function.prediction_domain
    none = np.empty(0, dtype=np.intp)
    if not domain.limited or solution.all_rows is not None or solution.model.in_place or solution.objective.arrow:
        return none
    if solution.outcome is not Outcome.CONVERGED or at_bound(solution) or solution.penalised:
        return none
    score = scored_rows(solution).score
    distance = np.minimum(score - domain.low, domain.high - score)
    near = distance <= AT * float(distance.mean())
    if not near.any():
        return none
    rows = counted_rows(solution)
    usual = np.sqrt(np.square(rows.jacobian).mean(axis=0))
    moves = (np.abs(rows.jacobian) > MOVES * usual).any(axis=1)
    return np.flatnonzero(near & moves)


def held_at_edge(solution: Solution) -> NDArray[np.bool_]:
    """Mark the parameters that rows at the edge alone determine: they can move one way only, so they have no error."""
    edge_places = edge_rows(solution)
    if not edge_places.size:
        return np.zeros(solution.theta.size, dtype=bool)
    _, values, ways = np.linalg.svd(counted_rows(solution).jacobian[edge_places], full_matrices=False)
    ways = ways[values > ALONE * values[0]]
    return np.asarray(1.0 - np.square(ways).sum(axis=0) < ALONE)


def edge_note(solution: Solution) -> str | None:
    """Say that the best fit lies at the edge, in which row, and what follows; None if it does not."""
    edge_places = edge_rows(solution)
    if not edge_places.size:
        return None
    rows, loss = counted_rows(solution), solution.loss_function
    end = float(np.round(rows.score[edge_places[0]], 6))
    edge_row = int(np.flatnonzero(row_weights(solution) > 0.0)[edge_places[0]])
    where = solution.model.at_row(solution.columns, edge_row)
    labels = [label for label, at in zip(solution.model.parameters.labels, held_at_edge(solution), strict=True) if at]
    errors = f"{' and '.join(labels)} has no standard error there, and those" if labels else "standard errors"
    return (
        f"the prediction is {end:g} in row {edge_row + 1}{f' ({where})' if where else ''}, at the edge of what the "
        f"{loss.name} loss allows; {errors} of the others are with it held there. Keep parameters inside"
        f"{using('bounds')}, or use a formula that cannot reach the edge, such as "
        f"{'exp(a + b*x)' if math.isinf(loss.prediction_domain.high) else 'sigmoid(a + b*x)'}"
    )
