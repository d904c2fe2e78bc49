"""The absolute loss."""

from __future__ import annotations

from dataclasses import dataclass

from descend.losses.contract import Loss


@dataclass(frozen=True)
class Absolute(Loss):
    """The size of the residual: fits the median, so single outliers hardly matter.

    With r = prediction - y: |r|; slope sign(r), 0 where r = 0; weight 1 / |r|, that of the parabola which touches |r|
    from above (there is no second derivative to use), with |r| taken as at least 1e-8 (|prediction| + |y|); 0 where
    both are 0.

    Source: Boscovich (1757); the weight, Hunter & Lange (2000), J. Comput. Graph. Stat. 9, 60-77.

    >>> import numpy as np
    >>> Absolute().slope(prediction=np.array([0.5, -3.0]), y=np.zeros(2))
    array([ 1., -1.])
    """

    name = "absolute"
    aliases = "mae l1 lad median"
    chinese = "绝对误差"
    modules = "L1Loss"
    value_text = "abs(r)"
    slope_text = "where(r > 0, 1, where(r < 0, -1, 0))"
    weight_text = "where(abs(prediction) + abs(y) > 0, 1/max(abs(r), 1e-8*(abs(prediction) + abs(y)), 1e-300), 0)"
    kinked = True
    convex = True
