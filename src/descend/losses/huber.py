"""The Huber loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.losses.contract import Array, Loss
from descend.settings import setting


@dataclass(frozen=True)
class Huber(Loss):
    """Squared error near zero, absolute error in the tails.

    With r = prediction - y:   r**2 / 2                if |r| <= delta
                               delta * (|r| - delta/2) otherwise

    delta: float > 0, in the unit of y. Larger residuals count as outliers. Or "auto": 1.345 times the noise.

    Raises ConfigError if delta is not finite and positive.
    Source: Huber (1964), Ann. Math. Statist. 35, 73-101.

    >>> Huber(delta=1.0).slope(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
    array([0.5, 1. ])
    """

    delta: float = setting(1.0, above=0.0, auto=True)

    name: ClassVar[str] = "huber"
    efficient: ClassVar[float | None] = 1.345
    convex: ClassVar[bool] = True
    value_text: ClassVar[str] = "where(abs(r) <= delta, r^2/2, delta*(abs(r) - delta/2))"
    slope_text: ClassVar[str] = "min(max(r, -delta), delta)"
    weight_text: ClassVar[str] = "where(abs(r) <= delta, 1, delta/max(abs(r), delta))"

    def curvature_left(self, residual: Array, moved: Array) -> Array:
        """Return 1 where the residual stays below delta, 0 elsewhere."""
        return (np.abs(residual) + moved < float(self.delta)).astype(np.float64)
