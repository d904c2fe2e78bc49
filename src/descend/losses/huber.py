"""The Huber loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.registry import setting


@dataclass(frozen=True)
class Huber(Loss):
    """Squared error near zero, absolute error in the tails.

    With r = prediction - y:   r**2 / 2                if |r| <= delta
                               delta * (|r| - delta/2) otherwise

    delta: float > 0, in the unit of y. Larger residuals count as outliers. Or "auto": 1.345 times the noise.

    Raises ConfigError if delta is not finite and positive.
    Source: Huber (1964), Ann. Math. Statist. 35, 73-101.

    >>> import numpy as np
    >>> Huber(delta=1.0).slope(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
    array([0.5, 1. ])
    """

    delta: float = setting(1.0, above=0.0, auto=True)

    name = "huber"
    chinese = "Huber 损失"
    modules = "HuberLoss SmoothL1Loss"
    efficient = 1.345
    convex = True
    value_text = "where(abs(r) <= delta, r^2/2, delta*(abs(r) - delta/2))"
    slope_text = "min(max(r, -delta), delta)"
    weight_text = "where(abs(r) <= delta, 1, delta/max(abs(r), delta))"
    curvature_left_text = "where(abs(r) + moved < delta, 1, 0)"
