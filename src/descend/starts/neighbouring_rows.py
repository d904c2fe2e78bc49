"""Outliers and noise of rows along a column, judged by neighbouring rows alone, before anything is fitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from descend.formula.compile import over_rows
from descend.formula.formula import Formula
from descend.losses.contract import NORMAL
from descend.table.rows import Rows

Array = NDArray[np.float64]
BESIDE = 2
"""Neighbours on each side that a row is held against."""
WIDTH = 2 * BESIDE + 1
"""Rows of a neighbourhood."""
FEWEST = 8
"""Rows below which neighbours say nothing."""
FAR = 6.0
"""Multiple of the noise from which on a row may be an outlier."""
STEEP = 2.0
"""Multiple of the range of its neighbours, save the one most like it, by which an outlier lies off them."""


class Neighbours(NamedTuple):
    """noise: the standard deviation of normal noise. outliers: marks the rows that stand alone."""

    noise: float
    outliers: NDArray[np.bool_]


def neighbours(formula: Formula, rows: Rows) -> Neighbours | None:
    """Hold each row against those beside it along the only input; None if there are several inputs, or few rows.

    The noise is the median of pseudo-residuals, each the distance of a row from the line through its two neighbours
    over the standard deviation that it would have. Both count in units of each row's own sigma, if it has one.

    Source: Gasser, Sroka & Jennen-Steinmetz (1986), Biometrika 73, 625-633; Hampel (1974), J. Am. Stat. Assoc. 69.
    """
    if len(formula.inputs) != 1 or rows.count < FEWEST:
        return None
    along = rows.columns[formula.inputs[0]]
    order = np.argsort(along, kind="stable")
    x, y = along[order], over_rows(formula.response, rows.columns, rows.count)[order]
    root = np.ones(rows.count) if rows.omega is None else np.sqrt(rows.omega)[order]
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    apart = pseudo_residuals(x, y, root)
    noise = NORMAL * float(np.median(np.abs(apart[np.isfinite(apart)]))) if np.isfinite(apart).any() else 0.0
    outliers = np.zeros(rows.count, dtype=bool)
    first = np.clip(np.arange(rows.count) - BESIDE, 0, rows.count - WIDTH)
    outliers[order] = alone(y, noise / np.maximum(root, 1e-300), first)
    return Neighbours(noise, outliers)


def pseudo_residuals(x: Array, y: Array, root: Array) -> Array:
    """Return how far each row but the first and the last is from the line through its two neighbours.

    x ascends. Each distance is one of normal noise of standard deviation 1 / root.
    """
    with np.errstate(all="ignore"):
        share = np.nan_to_num((x[2:] - x[1:-1]) / (x[2:] - x[:-2]), nan=0.5)
        spread = np.sqrt(share**2 / root[:-2] ** 2 + (1.0 - share) ** 2 / root[2:] ** 2 + 1.0 / root[1:-1] ** 2)
        apart: Array = (share * y[:-2] + (1.0 - share) * y[2:] - y[1:-1]) / spread
    return apart


def alone(y: Array, noise: Array, first: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark the rows that lie far off the median of their neighbourhood, and farther than these differ.

    first: where the neighbourhood of each begins. Of a row so far off the median, three of the other four are as far or
    farther: only rows with one such among the first three of their neighbourhood are looked at any closer.
    """
    far = FAR * noise
    apart = np.abs(y[first] - y)
    for offset in range(1, BESIDE + 1):
        np.maximum(apart, np.abs(y[first + offset] - y), out=apart)
    lone_rows = apart > far
    suspects = np.flatnonzero(lone_rows)
    y_of, first_of = y[suspects], first[suspects]
    window = sliding_window_view(y, WIDTH)[first_of]
    middle = np.median(window, axis=1)
    suspect_offsets = suspects - first_of
    others = np.sort(np.where(np.arange(WIDTH) == suspect_offsets[:, None], np.nan, window), axis=1)[:, :-1]
    spread = np.where(y_of > middle, others[:, -2] - others[:, 0], others[:, -1] - others[:, 1])
    lone_rows[suspects] = np.abs(y_of - middle) > np.maximum(far[suspects], STEEP * spread)
    return np.asarray(lone_rows)


def without_outliers(formula: Formula, rows: Rows) -> Rows:
    """Return the rows that do not stand alone, so that a peak is not sought in one of them."""
    pairs = neighbours(formula, rows)
    return rows if pairs is None or not pairs.outliers.any() else rows.take(~pairs.outliers)
