"""The Poisson loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from descend.losses.contract import POSITIVE, Array, Domain, Loss, log_gamma


@dataclass(frozen=True)
class Poisson(Loss):
    """Negative log-likelihood of counts whose mean is the prediction, up to a constant.

    prediction - y log(prediction); slope 1 - y / prediction; weight 1 / prediction (Fisher information).

    The prediction must be positive: write `y ~ exp(a + b*x)` for a log-linear model. y is a count, 0 or more.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 6.

    >>> Poisson().slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0. , 0.5])
    """

    name: ClassVar[str] = "poisson"
    elsewhere: ClassVar[str] = "counts count"
    value_text: ClassVar[str] = "prediction - y*log(prediction)"
    slope_text: ClassVar[str] = "1 - y/prediction"
    weight_text: ClassVar[str] = "1/prediction"
    response_domain: ClassVar[Domain] = Domain(0.0, math.inf, "counts, so 0 or more")
    prediction_domain: ClassVar[Domain] = POSITIVE
    convex_in_log: ClassVar[bool] = True
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "known"

    def curvature_left(self, residual: Array, moved: Array) -> Array:
        """Return exp(-moved): the second derivative by the logarithm of the mean is the mean."""
        return np.exp(-moved)

    def saturated(self, y: Array) -> Array:
        """Return y - y log(y), the loss of a mean that is the count."""
        return y - y * np.log(np.where(y > 0.0, y, 1.0))

    def variance(self, mean: Array) -> Array:
        """Return the mean, which is the variance of a count."""
        return mean

    def kurtosis(self, mean: Array, omega: Array) -> Array:
        """Return 1 / mean, the excess kurtosis of a count."""
        return 1.0 / (omega * mean)

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether rows are counts, each by itself: the scatter of weighed ones is not known."""
        return bool((omega == 1.0).all() and (y == np.floor(y)).all())

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return -omega log(y!)."""
        return -omega * log_gamma(y + 1.0)
