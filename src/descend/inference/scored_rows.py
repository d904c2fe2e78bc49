"""The score of each row, and its derivatives by the parameters: the part of a row in inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import once
from descend.descent.solution import Solution
from descend.losses import Loss
from descend.starts.search import sampled
from descend.table.response_covariance import Whitening
from descend.table.rows import Rows

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredRows:
    """The rows of a fit, at its parameters. Rows of weight 0 are left out, since they do not count.

    Errors of a known covariance are whitened: all of this is L^-1 times what it is else, with weights of 1.

    y, score, omega: (rows,) response, score (the argument of the loss), and row weight (1 if there are no weights).
    jacobian: (rows, p) derivatives of the score. loss: the loss, given the values of its own columns in these rows.
    places: indices of these rows among all that the fit keeps. parts: where very many parameters each belong to one
    group, the derivatives by the few that a row depends on, and which these are; the jacobian then has no columns.
    """

    y: Array
    score: Array
    jacobian: Array
    omega: Array
    loss: Loss
    places: slice | NDArray[np.intp] = field(default_factory=lambda: slice(None))
    parts: tuple[Array, NDArray[np.intp]] | None = None


def row_weights(solution: Solution) -> Array:
    """Return the (rows,) weights of the rows in memory, 1 if there are none."""
    omega = solution.sample.omega
    return np.ones(solution.sample.count) if omega is None else omega  # in one piece: products sum it as a copy's


def weighted(solution: Solution) -> bool:
    """Whether the rows have weights."""
    return solution.sample.omega is not None


@once
def counted_rows(solution: Solution) -> ScoredRows:
    """Return all rows that count, scored."""
    return rows_that_count(solution)


@once
def rows_by_distance(solution: Solution) -> ScoredRows:
    """Return all rows that count; where inputs have errors, by their distances from the curve (see ``scored``)."""
    scored = solution.problem.code.scored(solution.theta, solution.sample)
    if scored is None:
        return counted_rows(solution)
    counting = row_weights(solution) > 0.0
    score, jacobian = scored
    rows_counting = slice(None) if counting.all() else np.flatnonzero(counting)
    score, jacobian = score[rows_counting], jacobian[rows_counting]
    return ScoredRows(np.zeros(len(score)), score, jacobian, np.ones(len(score)), solution.loss_function, rows_counting)


@once
def scored_rows(solution: Solution) -> ScoredRows:
    """Return the same without derivatives, which cost most, and may be missing from them."""
    if solution.sample.whitening is not None or solution.objective.arrow:
        return counted_rows(solution)
    columns, omega, model = solution.columns, row_weights(solution), solution.model
    score, y, counting = model.scores(solution.theta, columns), model.observed(columns), omega > 0.0
    rows: slice | NDArray[np.intp] = slice(None) if counting.all() else np.flatnonzero(counting)
    own_columns = {name: columns[name][rows] for name in solution.loss_function.own_columns}
    loss = solution.loss_function.given(own_columns, solution.parameters)
    return ScoredRows(y[rows], score[rows], np.empty((len(omega[rows]), 0)), omega[rows], loss, rows)


def rows_that_count(
    solution: Solution, most: int | None = None, together: int = 1, instead: Mapping[str, Array] | None = None
) -> ScoredRows:
    """Return the rows that count, scored at the parameters of a solution; a sample of ``most`` if there are more.

    together: how many neighbours a sample takes at a time, for what depends on the order. instead: values that replace
    those of some columns.
    """
    columns, omega = {**solution.columns, **(instead or {})}, row_weights(solution)
    if most is None or len(omega) <= most:
        return _scored(solution, columns, omega, solution.sample.whitening if most is None else None)
    rows_sampled = sampled(len(omega), most, together)
    columns = {name: column[rows_sampled] for name, column in columns.items()}
    scored = _scored(solution, columns, omega[rows_sampled])
    return replace(scored, places=rows_sampled[scored.places])


def score_block(solution: Solution, block: Rows) -> ScoredRows:
    """Return the rows that count of a block of those that stay where they are, scored."""
    return _scored(solution, block.columns, np.ones(block.count) if block.omega is None else block.omega)


def _scored(
    solution: Solution, columns: Mapping[str, Array], omega: Array, whitening: Whitening | None = None
) -> ScoredRows:
    model, parts = solution.model, None
    if solution.objective.arrow and model.symbolic is not None:
        score, along, components = model.symbolic.scores_and_parts(solution.theta, columns)
        jacobian, parts = np.empty((len(score), 0)), (along, components)
    else:
        score, jacobian = model.scores_and_jacobian(solution.theta, columns)
    y = model.observed(columns)
    if whitening is not None:
        root = np.sqrt(omega)
        whitened = whitening.of(np.column_stack([y, score, jacobian]) * root[:, None])
        y, score, jacobian, omega = whitened[:, 0], whitened[:, 1], whitened[:, 2:], np.ones(len(y))
    counting = omega > 0.0
    own_columns = {name: columns[name][counting] for name in solution.loss_function.own_columns}
    loss = solution.loss_function.given(own_columns, solution.parameters)
    if counting.all():
        return ScoredRows(y, score, jacobian, omega, loss, slice(None), parts)
    parts = None if parts is None else (parts[0][counting], parts[1][counting])
    places = np.flatnonzero(counting)
    return ScoredRows(y[counting], score[counting], jacobian[counting], omega[counting], loss, places, parts)
