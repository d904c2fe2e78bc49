"""How many standard errors t intervals of many fits reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.inference.intervals import checked_level, quantile
from descend.losses import Loss

Array = NDArray[np.float64]


def reach(loss: Loss, sigma: bool, spare: NDArray[np.integer], level: float) -> Array:
    """Return the quantile of each group: of Student's t, or the normal distribution where the scale is known.

    sigma: whether the standard deviations are known. spare: how many more rows than parameters each group has.
    """
    checked_level(level)
    if loss.likelihood and (sigma or not loss.quadratic):
        return np.full(len(spare), quantile(level, np.inf))
    reaches = {count: quantile(level, float(count)) for count in np.unique(spare[spare > 0]).tolist()}
    return np.array([reaches.get(count, np.nan) for count in spare.tolist()])
