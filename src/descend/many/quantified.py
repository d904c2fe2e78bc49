"""What is known of a quantity in every group: arrays over groups, and why something is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from descend.inference.intervals import quantile
from descend.inference.quantities.estimate import Estimated

Array = NDArray[np.float64]
Places = NDArray[np.intp]
LEVEL, METHOD = 0.95, "t"


@dataclass
class Quantified:
    """What is known of one quantity in every group, as in `Estimated`: arrays over groups, and why something is not."""

    text: str
    value: Array
    standard_error: Array
    low: Array
    high: Array
    why: dict[int, str] = field(default_factory=dict)

    @classmethod
    def none(cls, text: str, groups: int) -> Quantified:
        """Return what is known before any group is fitted."""
        empty = np.full((4, groups), np.nan)
        return cls(text, empty[0], empty[1], empty[2], empty[3])

    @property
    def _arrays(self) -> tuple[Array, Array, Array, Array]:
        return self.value, self.standard_error, self.low, self.high

    def put(self, group: int, numbers: Sequence[float | None], why: str) -> None:
        """Keep the value, the error, and the ends of the interval in one group."""
        for array, number in zip(self._arrays, numbers, strict=True):
            array[group] = math.nan if number is None else number
        self.why.pop(group, None)
        if why:
            self.why[group] = why

    def take(self, groups: Places, other_quantities: Quantified) -> None:
        """Take over what is known of some groups, which others have in this order."""
        for mine, theirs in zip(self._arrays, other_quantities._arrays, strict=True):
            mine[groups] = theirs
        self.why |= {int(groups[group]): why for group, why in other_quantities.why.items()}

    def of(self, group: int, name: str) -> Estimated:
        """Return what is known in one group."""
        value, error, low, high = (float(array[group]) for array in self._arrays)
        return Estimated(name, self.text, value, error, (low, high), LEVEL, METHOD, self.why.get(group, ""))


def columns_of(quantities: Mapping[str, Quantified]) -> dict[str, Array | list[str]]:
    """Return the columns of a table: of each quantity value, error, interval, and, where one is missing, why."""
    table: dict[str, Array | list[str]] = {name: each.value for name, each in quantities.items()}
    table |= {f"{name} std. error": each.standard_error for name, each in quantities.items()}
    for name, each in quantities.items():
        table |= {f"{name} low": each.low, f"{name} high": each.high}
        if each.why:
            table[f"{name} why"] = [each.why.get(group, "") for group in range(len(each.value))]
    return table


def reach(degrees: Array, level: float) -> Array:
    """Return the quantile of Student's t for the degrees of freedom of each group; NaN where there are none.

    >>> reach(np.array([10.0, np.inf, 0.0]), 0.95).round(3)
    array([2.228, 1.96 ,   nan])
    """
    reaches = {each: quantile(level, each) for each in np.unique(degrees[degrees > 0.0]).tolist()}
    return np.array([reaches.get(each, np.nan) for each in degrees.tolist()])
