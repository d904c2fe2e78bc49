"""The pinball loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.registry import setting


@dataclass(frozen=True)
class Pinball(Loss):
    """The loss whose minimum is a quantile: quantile=0.9 fits the curve that 90% of the rows lie below.

    With r = prediction - y:   (1 - quantile) * r   if r > 0
                               -quantile * r        otherwise

    quantile: float strictly between 0 and 1.

    Raises ConfigError if quantile is outside (0, 1).
    Source: Koenker & Bassett (1978), Econometrica 46, 33-50.

    >>> import numpy as np
    >>> Pinball(quantile=0.9).slope(prediction=np.array([0.5, -3.0]), y=np.zeros(2))
    array([ 0.1, -0.9])
    """

    quantile: float = setting(0.5, above=0.0, below=1.0)

    name = "pinball"
    aliases = "quantile check"
    chinese = "分位数损失"
    value_text = "max((1 - quantile)*r, -quantile*r)"
    slope_text = "where(r > 0, 1 - quantile, where(r < 0, -quantile, 1/2 - quantile))"
    weight_text = "where(abs(prediction) + abs(y) > 0, 1/(2*max(abs(r), 1e-8*(abs(prediction) + abs(y)), 1e-300)), 0)"
    kinked = True
    convex = True
