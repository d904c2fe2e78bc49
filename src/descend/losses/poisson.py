"""The Poisson loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, Rates
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array


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
    aliases: ClassVar[str] = "counts count quasipoisson"
    modules: ClassVar[str] = "PoissonNLLLoss"
    value_text: ClassVar[str] = "prediction - y*log(prediction)"
    slope_text: ClassVar[str] = "1 - y/prediction"
    weight_text: ClassVar[str] = "1/prediction"
    response_domain: ClassVar[Domain] = Domain(0.0, math.inf, "counts, so 0 or more")
    prediction_domain: ClassVar[Domain] = POSITIVE
    convex_in_log: ClassVar[bool] = True
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "known"
    # The second derivative by the logarithm of the mean is the mean.
    curvature_left_text: ClassVar[str] = "exp(-moved)"
    normaliser_text: ClassVar[str] = "-omega*lgamma(max(y, 0) + 1)"
    variance_text: ClassVar[str] = "mean"
    kurtosis_text: ClassVar[str] = "1/(omega*mean)"
    log_below_text: ClassVar[str] = "gamma_tail(1, floor(max(y, 0)) + 1, prediction)"
    log_above_text: ClassVar[str] = "where(y > 0, gamma_tail(0, ceil(max(y, 1)), prediction), 0)"
    family: ClassVar[str] = "a Poisson distribution"
    wider: ClassVar[str] = "negative_binomial"
    counts: ClassVar[bool] = True
    saturated_text: ClassVar[str] = "y - y*log(where(y > 0, y, 1))"

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether every row is a single count: the scatter of weighted counts is not known."""
        return bool((omega == 1.0).all() and (y == np.floor(y)).all())

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        """Return those of counts; where rows have weights, of counts over as many units of time or space."""
        from scipy import stats

        return Rates(stats.poisson(omega * mean), omega)
