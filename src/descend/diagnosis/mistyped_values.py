"""Values that are not measurements, such as placeholders and slipped decimal points, told from a heavy tail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.weighted_median import median
from descend.losses.contract import NORMAL

Array = NDArray[np.float64]
FAR, GAP = 15.0, 4.0
"""A value may not be a measurement if it lies this many robust standard deviations from the median, and this many times
further away than the next value on its side: ..."""
PLACED_FAR, PLACED_GAP = 5.0, 2.0
"""... less of both if its digits look like a placeholder, ..."""
REPEATED_FAR, OFTEN = 8.0, 2.0
"""... and a smaller distance if it occurs several times, that much more often than values usually do."""
CHANCE = 1e-3
"""The gap counts only if the column's own tail would produce it with a probability below this, ..."""
CERTAIN_GAP, CERTAIN_CHANCE = 1e4, 1e-4
"""... and no tail can explain it if it is this wide and its probability this small."""
UNIT, UNIT_GAP, UNIT_CHANCE = 1000.0, 200.0, 1e-6
"""Values that would lie among the others if divided by this factor are in another unit, as mg for g, if the gap is this
wide and its probability this small."""
CLUSTER, CLUSTER_GAP = 2, 100.0
"""More than this many different values may be a genuine burst, so they need a gap this wide."""
FEW, SENTINELS = 0.1, 0.3
"""Share of the rows that may be bad; more where all of them hold the same value, a placeholder."""
TAIL, LIGHTEST = 0.25, 8.0
"""The outermost share of the other values, from which the tail index is estimated, and the largest index allowed."""
SCREENED = 20_000
"""Middle and spread of a longer column are estimated from this many evenly spaced values."""
MOST = 10_000
"""Values that may stand apart, at most."""
FILLS = frozenset((32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0, -999.25))


@dataclass(frozen=True)
class Suspects:
    """Rows (from 0) in which a column is far beyond its other values, and its distance in standard deviations.

    certain: whether no genuine tail can explain it.
    """

    column: str
    rows: NDArray[np.intp]
    values: Array
    distance: float
    certain: bool = False


def suspects(name: str, values: Array) -> Suspects | None:
    """Return the rows of a column that stand apart from the others: far away, across a gap, and few.

    Distances are from the median, in robust standard deviations, on one side of it at a time. What is beyond the gap is
    held against a Pareto tail fitted to all other values (Hill's estimate of its index alpha): that k of them lie
    beyond a gap of ratio r has a probability of r**(-k alpha). A column of two values has no suspects.

    Source: Hill (1975), Ann. Statist. 3, 1163-1174.

    >>> suspects("x", np.array([3.1, 2.7, -999.0, 3.4, 2.9, 3.3, -999.0, 2.8])).rows
    array([2, 6])
    """
    sample = values[:: max(1, len(values) // SCREENED)]
    middle = median(sample)
    spread, low, high = _spread(sample, middle), float(values.min()), float(values.max())
    if not max(high - middle, middle - low) >= PLACED_FAR * spread or ((values == low) | (values == high)).all():
        return None
    away = (values - middle) / spread
    suspect = [each for side in (-1.0, 1.0) if (each := _beyond(name, values, side * away)) is not None]
    rows = np.unique(np.concatenate([each.rows for each in suspect])) if suspect else np.empty(0, dtype=np.intp)
    if not 0 < len(rows) <= SENTINELS * len(values):
        return None
    distance, certain = max(each.distance for each in suspect), any(each.certain for each in suspect)
    return Suspects(name, rows, values[rows], distance, certain)


def placeholder(value: float) -> bool:
    """Say whether a number looks like one that stands for a missing one.

    >>> [placeholder(value) for value in (-9999.0, 99.9, 1e30, 3.4028234663852886e38, 65535.0, 42.0, 9.0)]
    [True, True, True, True, True, False, False]
    """
    digits = f"{abs(value):.12g}".replace(".", "")
    return abs(value) >= 1e19 or value in FILLS or (len(digits) > 1 and set(digits) == {"9"})


def _spread(values: Array, middle: float) -> float:
    spread = NORMAL * median(np.abs(values - middle))
    if spread <= 0.0:
        low, high = np.quantile(values, (0.05, 0.95))
        spread = float(high - low) / 3.29 or max(abs(middle), 1.0)
    return max(spread, 1.0) if np.array_equal(values, np.round(values)) else spread  # counts differ by 1 at least


def _beyond(name: str, values: Array, distance: Array) -> Suspects | None:
    """Look for gaps on the side where the distance is positive, those with most values beyond them first."""
    out = np.flatnonzero(distance >= PLACED_FAR)
    most = min(int(SENTINELS * len(values)), MOST, len(out))
    if most == 0:
        return None
    order = out[np.argsort(-distance[out], kind="stable")]
    far = distance[order]
    within = distance[distance < PLACED_FAR]
    following = np.maximum(np.append(far, within.max(initial=0.0))[1:], 1.0)
    for size in (np.flatnonzero(far[:most] >= PLACED_GAP * following[:most])[::-1] + 1).tolist():
        certain = _no_measurement(values, order[:size], far[:size], float(following[size - 1]), distance)
        if certain is not None:
            rows = np.sort(order[:size])
            return Suspects(name, rows, values[rows], float(far[0]), certain)
    return None


def _no_measurement(
    values: Array, rows: NDArray[np.intp], far: Array, following: float, distance: Array
) -> bool | None:
    """Whether values that stand apart are certainly not measurements; None if they may well be."""
    suspect = values[rows]
    if all(placeholder(value) for value in set(suspect.tolist())):
        return True
    size, ratio = len(suspect), float(far[-1]) / following
    same = size > 1 and bool(suspect.min() == suspect.max()) and size * len(np.unique(values)) >= OFTEN * len(values)
    few = size <= max(1, int(FEW * len(distance)))
    if far[-1] < (REPEATED_FAR if same else FAR) or ratio < GAP or not (few or same):
        return None
    chance = ratio ** -(_tail_index(np.sort(np.abs(distance))[::-1][size:]) * (1 if same else size))
    if chance > CHANCE or (size > CLUSTER and not same and ratio < CLUSTER_GAP):
        return None
    if same and suspect[0] != 0.0:  # a repeated 0 may be a measurement
        return True
    if ratio >= CERTAIN_GAP and chance <= CERTAIN_CHANCE:
        return True
    remaining = np.delete(values, rows)
    among = bool(((suspect / UNIT >= remaining.min()) & (suspect / UNIT <= remaining.max())).all())
    return among and ratio >= UNIT_GAP and chance <= UNIT_CHANCE


def _tail_index(distances: Array) -> float:
    """Return Hill's estimate of the tail index from distances in falling order, less half its standard error."""
    count = max(5, int(TAIL * len(distances)))
    tail = distances[: count + 1]
    if len(tail) < 3 or tail[-1] <= 0.0:
        return 1.0
    mean = float(np.log(tail[:-1] / tail[-1]).mean())
    caution = 1.0 - 0.5 / math.sqrt(len(tail) - 1)
    return caution * (min(LIGHTEST, 1.0 / mean) if mean > 0.0 else LIGHTEST)
