"""Many rows as few: blocks along a column, small where the response changes, so that no narrow peak is lost."""

from __future__ import annotations

import heapq
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from descend.formula.formula import Formula
from descend.formula.symbols import Column
from descend.table.rows import Rows

Array = NDArray[np.float64]
EVENLY = 4
"""Of so many blocks one comes from an even division of the rows, the others from where the response changes."""
MEDIAN_OF_CHI_SQUARED = 0.455
"""With one degree of freedom, as the gain of a split has where there is nothing but noise."""
FINEST = 1 << 16
"""Most blocks at the finest level."""
SORTED_AT_MOST = 1 << 18
"""Rows up to which they are sorted for this; of more, rows that are not yet in order are left as they are."""


def in_blocks(formula: Formula, rows: Rows, size: int, averaged: bool) -> Rows | None:
    """Return about ``size`` rows that stand for all along the only input; None where there is no such input.

    A row stands for each block, with the sum of its weights: their averages (``averaged``), which keep what all rows
    say about a curve that is smooth within the block, or else the one in the middle. Blocks are halved where halves
    differ at any level below: a split of n rows into halves with means u and v gains  n (u - v)**2 / 4.

    Source: Scargle (1998), Astrophys. J. 504, 405-418, for the idea; Breiman et al. (1984), Classification and
    Regression Trees, for the gain.
    """
    if len(formula.inputs) != 1 or not isinstance(formula.response, Column):
        return None
    x, y = rows.columns[formula.inputs[0]], rows.columns[formula.response.name]
    in_order = bool((x[1:] >= x[:-1]).all())
    if not (in_order or len(x) <= SORTED_AT_MOST) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    if not in_order:
        rows = rows.take(np.argsort(x, kind="stable"))
        x, y = rows.columns[formula.inputs[0]], rows.columns[formula.response.name]
    omega = np.ones(len(x)) if rows.omega is None else rows.omega
    edges = _edges(y, omega, size)
    weight = np.add.reduceat(omega, edges[:-1])
    if not averaged:
        middle = (edges[:-1] + edges[1:]) // 2
        middle_rows, middle_omega = rows.take(middle), omega[middle]
        share = np.divide(weight, middle_omega, out=np.zeros(len(middle_omega)), where=middle_omega > 0.0)
        return replace(middle_rows, omega=share if middle_rows.omega is None else share * middle_rows.omega)
    safe = np.where(weight > 0.0, weight, 1.0)
    means = [np.add.reduceat(omega * each, edges[:-1]) / safe for each in (x, y)]
    columns = {formula.inputs[0]: means[0], formula.response.name: means[1]}
    return replace(rows, columns=columns, omega=weight, observed=None)


def _edges(y: Array, omega: Array, size: int) -> NDArray[np.intp]:
    """Return where blocks begin, and the number of rows as the end of the last."""
    rows = len(y)
    levels = int(np.log2(min(rows, FINEST)))
    begins = (np.arange((1 << levels) + 1, dtype=np.intp) * rows) >> levels
    best = _gains(y, omega, begins, levels)
    top = max(0, levels - int(np.log2(max(1, size // EVENLY))))
    heap = [(-gain, -top, cut) for cut, gain in enumerate(best[top].tolist())]
    heapq.heapify(heap)
    leaves: list[int] = []
    while heap and len(heap) + len(leaves) < size:
        _, level, cut = heapq.heappop(heap)
        if level == 0:
            leaves.append(int(begins[cut]))
            continue
        for child in (2 * cut, 2 * cut + 1):
            heapq.heappush(heap, (-float(best[-level - 1][child]), level + 1, child))
    ends = sorted([*leaves, *(int(begins[cut << -level]) for _, level, cut in heap)])
    return np.array([*ends, rows], dtype=np.intp)


def _gains(y: Array, omega: Array, begins: NDArray[np.intp], levels: int) -> list[Array]:
    """Return the highest gain of a split in each block or below it, from the finest level up; 0 if it may be noise."""
    weight = np.add.reduceat(omega, begins[:-1])
    total = np.add.reduceat(omega * (y - float(omega @ y) / (float(omega.sum()) or 1.0)), begins[:-1])
    best, by_chance = [np.zeros(len(weight))], 0.0
    for level in range(levels):
        first_half, other, left, right = weight[::2], weight[1::2], total[::2], total[1::2]
        sound = (first_half > 0.0) & (other > 0.0)
        both = np.where(sound, first_half * other * (first_half + other), 1.0)
        gain = np.where(sound, (left * other - right * first_half) ** 2 / both, 0.0)
        if level == 0:
            by_chance = 2.0 * math.log(len(weight)) * float(np.median(gain)) / MEDIAN_OF_CHI_SQUARED
        best.append(np.maximum(gain - by_chance, np.maximum(best[-1][::2], best[-1][1::2])))
        weight, total = first_half + other, left + right
    return best
