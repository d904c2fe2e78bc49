"""Outliers and noise of the rows of many groups, as `descend.starts.neighbouring_rows` judges those of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.losses.contract import NORMAL
from descend.many.rows_in_bands import GroupedRows
from descend.starts.neighbouring_rows import BESIDE, FEWEST, WIDTH, alone, pseudo_residuals

Array = NDArray[np.float64]


class NeighboursOfGroups(NamedTuple):
    """noise: that of each group, NaN where its rows are few. outliers: marks the rows of all that stand alone."""

    noise: Array
    outliers: NDArray[np.bool_]


def neighbours_of_groups(rows: GroupedRows, along: str) -> NeighboursOfGroups:
    """Hold each row against those beside it in its group, as `neighbours` does for one group, along a column."""
    groups, omega = rows.groups, rows.omega
    number = np.repeat(np.arange(len(groups)), groups.sizes)
    used = np.flatnonzero((rows.counting >= FEWEST)[number] & (True if omega is None else omega > 0.0))
    order = used[np.lexsort((rows.columns[along][used], number[used]))]
    noise, outliers = np.full(len(groups), np.nan), np.zeros(len(number), dtype=bool)
    if not len(order):
        return NeighboursOfGroups(noise, outliers)
    number, x, y = number[order], rows.columns[along][order], rows.y[order]
    root = np.ones(len(x)) if omega is None else np.sqrt(omega[order])
    noise = _noise(number, np.abs(pseudo_residuals(x, y, root)), len(groups))
    counts = np.bincount(number, minlength=len(groups))
    ends = np.cumsum(counts)
    first = np.clip(np.arange(len(number)) - BESIDE, (ends - counts)[number], ends[number] - WIDTH)
    outliers[order] = alone(y, noise[number] / np.maximum(root, 1e-300), first)
    return NeighboursOfGroups(noise, outliers)


def _noise(number: NDArray[np.intp], residuals_of_group: Array, groups: int) -> Array:
    """Return the noise of each group, by the median of the pseudo-residuals within it."""
    within = (number[2:] == number[:-2]) & np.isfinite(residuals_of_group)
    number, residuals_of_group = number[2:][within], residuals_of_group[within]
    residuals_of_group = residuals_of_group[np.lexsort((residuals_of_group, number))]
    counts = np.bincount(number, minlength=groups)
    begins, some = np.cumsum(counts) - counts, counts > 0
    low, high = ((begins + each)[some] for each in ((counts - 1) // 2, counts // 2))
    noise_of_groups = np.full(groups, np.nan)
    noise_of_groups[some] = NORMAL * 0.5 * (residuals_of_group[low] + residuals_of_group[high])
    return noise_of_groups
