"""Penalties on the size of parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Penalty:
    """l2 * theta**2 + l1 * |theta|, summed over the parameters; one factor per component."""

    l1: Array
    l2: Array

    @property
    def has_l1(self) -> bool:
        return bool(self.l1.any())
