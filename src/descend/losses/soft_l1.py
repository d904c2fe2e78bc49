"""The soft-l1 loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.registry import setting


@dataclass(frozen=True)
class SoftL1(Loss):
    """A smooth Huber loss: squared error near zero, absolute error in the tails.

    With r = prediction - y:   scale**2 * (sqrt(1 + (r/scale)**2) - 1)
    slope r / sqrt(1 + (r/scale)**2); weight 1 / sqrt(1 + (r/scale)**2), that of reweighted least squares.

    scale: float > 0, in the unit of y: where squared turns into absolute; or "auto", 1.287 times the noise.

    Raises ConfigError if scale is not finite and positive.
    Source: Charbonnier et al. (1997), IEEE Trans. Image Process. 6, 298-311.

    >>> import numpy as np
    >>> SoftL1(scale=1.0).slope(prediction=np.array([0.75, 100.0]), y=np.zeros(2)).round(4)
    array([0.6, 1. ])
    """

    scale: float = setting(1.0, above=0.0, auto=True)

    name = "soft_l1"
    chinese = "光滑绝对误差"
    efficient = 1.287
    convex = True
    value_text = "max(r^2/(sqrt(1 + (r/scale)^2) + 1), scale*(abs(r) - scale))"
    slope_text = "r/sqrt(1 + (r/scale)^2)"
    weight_text = "1/sqrt(1 + (r/scale)^2)"
