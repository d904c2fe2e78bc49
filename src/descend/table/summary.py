"""What is known of a column of rows that stay where they are."""

from __future__ import annotations

import numpy as np

from descend.table.rows import Fault


class Summary:
    """What is known of a column: how many cells are missing or infinite, and the least and largest of the others."""

    __slots__ = ("high", "infinite", "low", "missing")

    def __init__(self, missing: int, infinite: int, low: float | None, high: float | None) -> None:
        self.missing, self.infinite = missing, infinite
        self.low = np.nan if low is None else float(low)
        self.high = np.nan if high is None else float(high)

    def outside(self, low: float, high: float) -> Fault | None:
        """Return the end of the column that is not in [low, high], if one is not."""
        worst = self.low if self.low < low else self.high if self.high > high else None
        return None if worst is None else Fault(worst, "some row")
