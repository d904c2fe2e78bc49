"""The t intervals of the parameters of many fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.inference.intervals import checked_level, quantile

if TYPE_CHECKING:
    from descend.many.fitted import FittedGroups

Array = NDArray[np.float64]


def t_intervals(fits: FittedGroups, level: float) -> dict[str, tuple[Array, Array]]:
    """Return estimate -+ quantile * standard error of each parameter over groups, by label."""
    reach = _reach(fits, checked_level(level))
    values, errors = fits.components(fits.parameters), fits.components(fits.standard_errors)
    return {
        label: (values[:, place] - reach * errors[:, place], values[:, place] + reach * errors[:, place])
        for place, label in enumerate(fits.labels)
    }


def _reach(fits: FittedGroups, level: float) -> Array:
    """Return the quantile of each group: of Student's t, or the normal distribution where the scale is known."""
    loss = fits.loss_function
    if loss.likelihood and not (loss.quadratic and fits.sigma is None):
        return np.full(len(fits), quantile(level, np.inf))
    spare = fits.rows - fits.model.parameters.size
    reaches = {count: quantile(level, float(count)) for count in np.unique(spare[spare > 0]).tolist()}
    return np.array([reaches.get(count, np.nan) for count in spare.tolist()])
