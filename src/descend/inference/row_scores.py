"""What each row has to say about the parameters: its score, and the derivatives of the score by the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from descend.descent.commenting import once
from descend.descent.solution import Solution
from descend.losses import Loss
from descend.starts.search import sampled

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredRows:
    """The rows of a fit, at its parameters. Rows of weight 0 are left out: they count for nothing.

    y, score, omega: (rows,) response, what the loss works on, and row weight (1 if there are none).
    jacobian: (rows, p) derivatives of the score. loss: that of these rows, whose own columns it knows.
    places: where they are among the rows that the fit keeps.
    """

    y: Array
    score: Array
    jacobian: Array
    omega: Array
    loss: Loss
    places: slice | NDArray[np.intp] = field(default_factory=lambda: slice(None))


def row_weights(solution: Solution) -> Array:
    """Return (rows,) the weight of each row in memory, 1 if there are none."""
    omega = solution.sample.omega
    return np.ones(solution.sample.count) if omega is None else omega


def weighted(solution: Solution) -> bool:
    """Whether the rows have weights."""
    return solution.sample.omega is not None


@once
def counted_rows(solution: Solution) -> ScoredRows:
    """Return the rows that count, and what each says about the parameters."""
    return rows_that_count(solution)


def rows_that_count(
    solution: Solution, most: int | None = None, together: int = 1, instead: Mapping[str, Array] | None = None
) -> ScoredRows:
    """Return the rows that count, at the parameters of a solution; a sample of ``most`` of more rows.

    together: how many neighbours are taken at a time, for what depends on the order of the rows. instead: other values
    of some columns.
    """
    columns, omega = solution.columns, row_weights(solution)
    places: slice | NDArray[np.intp] = slice(None)
    if instead:
        columns = {**columns, **instead}
    if most is not None and len(omega) > most:
        places = sampled(len(omega), most, together)
        omega, columns = omega[places], {name: column[places] for name, column in columns.items()}
    score, jacobian = solution.model.scores_and_jacobian(solution.theta, columns)
    y = solution.model.observed(columns)
    counting = omega > 0.0
    own = {name: columns[name][counting] for name in solution.loss_function.own_columns}
    loss = solution.loss_function.given(own, solution.parameters)
    if counting.all():
        return ScoredRows(y, score, jacobian, omega, loss, places)
    places = np.flatnonzero(counting) if isinstance(places, slice) else places[counting]
    return ScoredRows(y[counting], score[counting], jacobian[counting], omega[counting], loss, places)
