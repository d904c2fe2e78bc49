"""The inputs of a fit: the kinds of their columns, and their ranges in the data."""

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
