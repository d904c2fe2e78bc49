"""Batches of rows in memory, by their numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]
"""Numbers of rows, from 0."""


def shuffled(rows: int, size: int, seed: int, epoch: int, omega: Array | None = None) -> list[Places]:
    """Cut the rows of one epoch into batches, in an order that depends on seed and epoch alone.

    omega: their weights. Rows of weight 0 do not count, and a batch that has only such rows is left out.
    """
    if omega is not None:
        counting = np.flatnonzero(omega)
        return [counting[rows_of_batch] for rows_of_batch in shuffled(len(counting), size, seed, epoch)]
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return [order[begin : begin + size] for begin in range(0, rows, size)]
