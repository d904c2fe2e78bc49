"""The median of weighted numbers."""

from __future__ import annotations

import math

import numpy as np

from descend.engines.totals import Array

ROUNDING = 1e-12
"""Share of a sum of weights that is rounding."""


def median(sizes: Array, omega: Array | None = None) -> float:
    """Return the median; with weights, half of their sum lies on either side: a row of weight 2 counts as two rows.

    >>> median(np.array([5.0, 1.0, 9.0]), np.array([1.0, 0.0, 3.0])), median(np.array([4.0, 2.0]))
    (9.0, 3.0)
    """
    if omega is not None:
        return middle(sizes, omega, 0.0, float(omega.sum()))
    if not sizes.size:
        return math.nan
    half = sizes.size // 2
    ordered = np.partition(sizes, (half - 1, half, -1))  # np.median does the same, but imports masked arrays first
    if np.isnan(ordered[-1]):
        return math.nan
    return float(ordered[half] if sizes.size % 2 else (ordered[half - 1] + ordered[half]) / 2.0)


def middle(sizes: Array, omega: Array, below: float, total: float) -> float:
    """Return the median of the sizes that lie above weights summing to ``below`` of ``total``."""
    order = np.argsort(sizes, kind="stable")
    order = order[omega[order] > 0.0]
    upto = below + np.cumsum(omega[order])
    half = 0.5 * total
    median_rows = np.searchsorted(upto, [half - ROUNDING * total, half + ROUNDING * total])
    return float(sizes[order][np.minimum(median_rows, len(order) - 1)].mean())
