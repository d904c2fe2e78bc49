"""Lambert's W, the inverse of w exp(w), on its principal real branch, also near its end at -1/e, where it is steep.

Source: Corless et al. (1996), Adv. Comput. Math. 5, 329-359, section 4.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from scipy import special  # noqa: TID253 - this module is loaded when it is used

Array = NDArray[np.float64]
END, END_ROUNDED_OFF = 0.36787944117144233, -1.2428753672788363e-17
"""1/e, and what its rounding lost."""
NEAR = -0.36
"""Below this, the series in p = sqrt(2 (e x + 1)) is used."""


def _series() -> tuple[float, ...]:
    """Return the coefficients of (1 + W)/p, lowest powers first."""
    mu, alpha = [-1.0, 1.0], [2.0, -1.0]
    for k in range(2, 22):
        alpha.append(sum(mu[j] * mu[k + 1 - j] for j in range(2, k)))
        mu.append((k - 1) / (k + 1) * (mu[k - 2] / 2 + alpha[k - 2] / 4) - alpha[k] / 2 - mu[k - 1] / (k + 1))
    return tuple(mu[1:])


SERIES = _series()


def lambertw(x: npt.ArrayLike) -> Array:
    """Return the real w >= -1 with w exp(w) = x; nan below -1/e.

    >>> float(lambertw(np.e)), float(lambertw(-1.0))
    (1.0, nan)
    """
    x = np.asarray(x, dtype=np.float64)
    return np.where(x < NEAR, _from_end(x) - 1.0, special.lambertw(np.maximum(x, NEAR)).real)


def lambertw_slope(x: npt.ArrayLike) -> Array:
    """Return the derivative of `lambertw`, 1/(x + exp(w)), or exp(-w)/(1 + w)."""
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = _from_end(x)
        return np.where(x < NEAR, np.exp(1.0 - above) / above, 1.0 / (x + np.exp(lambertw(x))))


def _from_end(x: Array) -> Array:
    """Return 1 + W for an x below ``NEAR``."""
    with np.errstate(invalid="ignore"):
        x = np.minimum(x, NEAR)
        beyond = np.where(x < -END, np.nan, np.maximum((x + END) + END_ROUNDED_OFF, 0.0))
        p = np.sqrt(2.0 * math.e * beyond)
    return np.asarray(p * np.polyval(SERIES[::-1], p))
