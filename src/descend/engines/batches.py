"""Batches of rows that stay in a database, where no list of their numbers can go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from descend.table.lazy import GOLDEN


class Batch(NamedTuple):
    """Some rows of a database: those whose number, times ``multiplier``, has a fractional part in [low, high)."""

    multiplier: float
    low: float
    high: float


def batches(rows: int, size: int, seed: int, epoch: int) -> list[Batch]:
    """Share out the rows of one epoch, about ``size`` to each batch, by what seed and epoch fix."""
    random = np.random.default_rng([seed, epoch])
    count = max(1, round(rows / size))
    # Near the golden ratio, whose multiples are spread most evenly, but another number in each epoch.
    multiplier = GOLDEN + random.uniform(-0.05, 0.05)
    return [Batch(multiplier, k / count, (k + 1) / count) for k in random.permutation(count).tolist()]
