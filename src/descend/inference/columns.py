"""The columns of a fit: their kinds and ranges, true inputs, censored responses, and words that count as numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.descent.comments_on_solution import once
from descend.descent.solution import Solution

Array = NDArray[np.float64]


@once
def column_types(solution: Solution) -> dict[str, str]:
    """Return the columns that a model reads, with their kinds."""
    model, table = solution.model, solution.table
    assert table is not None
    types = table.types
    return {name: types[name] for name in model.columns}


@once
def ranges(solution: Solution) -> dict[str, tuple[float, float]]:
    """Return the least and the largest value of each input in the rows, or in the sample of them that is known."""
    columns, model = solution.columns, solution.model
    named = [] if model.in_place else [name for name in model.inputs if name in columns and columns[name].size]
    return {name: (float(columns[name].min()), float(columns[name].max())) for name in named}


@once
def delta(solution: Solution) -> dict[str, Array]:
    """Return how far the true value of each input that has errors lies from the measured one, (rows,).

    It is searched for anew, row by row, in a few passes over those in memory.
    """
    return solution.problem.code.deltas(solution.theta, solution.sample)


def censored(solution: Solution) -> dict[str, int]:
    """Return how many responses are censored on each side; empty if none can be, or the rows are not in memory."""
    return {} if solution.all_rows is not None else solution.loss_function.censored(solution.columns)


def response_levels(solution: Solution) -> dict[str, float]:
    """Return what each word of the response counted as; empty for a response of numbers."""
    table = solution.table
    return {} if table is None else dict(table.counted.get(solution.model.response, {}))
