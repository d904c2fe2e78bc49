"""What a table of coverage is made of: cases, each with names, and methods whose intervals hold a true value or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Held = dict[str, dict[str, list[float]]]
"""By method and name, for each data set: 1 where an interval held the truth, 0 where not, nan where none is."""
Range = tuple[float, float]
TARGET: Range = (0.93, 0.97)


@dataclass(frozen=True)
class Case:
    """Data sets of one kind, and what is asked of their fits.

    title: a line about it. held: counts over the data sets of these seeds; a function that a process can be sent.
    targets: the share of them that a method is to reach; a method without a target is measured and not judged, and so
    are the names in ``shown``.
    """

    title: str
    held: Callable[[range], Held]
    targets: Mapping[str, Range] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


def holds(interval: tuple[float, float], truth: float) -> float:
    """Return whether an interval holds the true value, as a number; nan for one without ends.

    >>> holds((0.0, 2.0), 1.0), holds((0.0, 2.0), 3.0)
    (1.0, 0.0)
    """
    low, high = interval
    return float("nan") if np.isnan(low) or np.isnan(high) else float(low <= truth <= high)


def gathered(parts: Iterable[Held]) -> Held:
    """Return the counts of several shares of the data sets as one.

    >>> gathered([{"t": {"a": [1.0]}}, {"t": {"a": [0.0]}}])
    {'t': {'a': [1.0, 0.0]}}
    """
    found: Held = {}
    for part in parts:
        for method, names in part.items():
            for name, held in names.items():
                found.setdefault(method, {}).setdefault(name, []).extend(held)
    return found
