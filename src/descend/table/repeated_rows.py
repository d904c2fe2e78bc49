"""Rows that repeat other rows exactly, as where a file was joined twice: they count as if they were measured again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FEWEST = 8
"""Fewest different rows with which repeats can be told from chance."""
DIFFERENT = 0.9
"""Share of them that must have a response of their own; a response with few values repeats by chance."""
SHARE = 0.1
"""Share of all rows that must be repeats."""
AT_ONCE = 1_000
"""Up to this many rows, every fit looks for repeats."""


MANY = 100_000
"""Above this many rows, a part of the values is examined first to see whether any repeat."""


def repeated_rows(columns: Mapping[str, Array], names: Sequence[str], response: Array) -> str | None:
    """Say so if rows repeat others, in the response and all columns of these names, too often for chance.

    Either the response has so many values that two rows can hardly share one as well as all inputs; or every row
    occurs equally often, or a multiple of that.
    """
    rows = response.size
    if rows < 2 * FEWEST or not _repeat(response):
        return None
    fewest = (1.0 - SHARE) * rows  # rows differ at least as often as the values of a column do
    if any(len(set(columns[name].tolist())) > fewest for name in names):
        return None
    table = np.column_stack([*(columns[name] for name in names), response])
    unique, counts = np.unique(table, axis=0, return_counts=True)
    repeats, together = rows - len(counts), math.gcd(*counts.tolist())
    if len(counts) < FEWEST or repeats < SHARE * rows:
        return None
    own = np.unique(unique[:, -1]).size >= DIFFERENT * len(counts)
    if together > 1:
        return (
            f"every row is there {together} times, with the same response: if they are copies, standard errors are "
            f"{math.sqrt(together):.2g} times too small; use each once"
        )
    if not own:
        return None
    return (
        f"{repeats:,} of {rows:,} rows repeat others, with the same response: if they are copies, standard errors "
        "are too small; use each once"
    )


def _repeat(response: Array) -> bool:
    """Whether values repeat. Of many, one in 64 is examined first, picked by hash to keep equal values together."""
    if response.size > MANY:
        hashed = np.ascontiguousarray(response).view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        subset = response[hashed >> np.uint64(58) == 0]
        if np.unique(subset).size > (1.0 - SHARE / 2.0) * subset.size:
            return False
    return len(set(response.tolist())) < response.size
