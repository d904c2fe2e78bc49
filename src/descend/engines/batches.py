"""Batches of rows that stay in a database, to which no list of row numbers can be sent."""

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
    """Divide the rows of one epoch into batches of about ``size``, as determined by seed and epoch."""
    random = np.random.default_rng([seed, epoch])
    count = max(1, round(rows / size))
    # Near the golden ratio, whose multiples spread most evenly, but a different number in each epoch.
    multiplier = GOLDEN + random.uniform(-0.05, 0.05)
    return [Batch(multiplier, k / count, (k + 1) / count) for k in random.permutation(count).tolist()]
