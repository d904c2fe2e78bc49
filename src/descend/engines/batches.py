"""Batches of rows: in memory by their numbers, in a database, to which no list of numbers can be sent, by a share."""

from __future__ import annotations

from typing import NamedTuple

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


class Batch(NamedTuple):
    """Some rows of a database: those whose number, times ``multiplier``, has a fractional part in [low, high)."""

    multiplier: float
    low: float
    high: float


def batches_of_database(rows: int, size: int, seed: int, epoch: int) -> list[Batch]:
    """Divide the rows of one epoch into batches of about ``size``, as determined by seed and epoch."""
    from descend.table.lazy import GOLDEN

    random = np.random.default_rng([seed, epoch])
    count = max(1, round(rows / size))
    # Near the golden ratio, whose multiples spread most evenly, but a different number in each epoch.
    multiplier = GOLDEN + random.uniform(-0.05, 0.05)
    return [Batch(multiplier, k / count, (k + 1) / count) for k in random.permutation(count).tolist()]
