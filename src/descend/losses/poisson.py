"""The Poisson loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, Rates, of_scipy
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

    name = "poisson"
    aliases = "counts count quasipoisson"
    chinese = "泊松计数"
    modules = "PoissonNLLLoss"
    value_text = "prediction - y*log(prediction)"
    slope_text = "1 - y/prediction"
    weight_text = "1/prediction"
    response_domain = Domain(0.0, words="counts, so 0 or more")
    prediction_domain = POSITIVE
    convex_in_log = True
    dispersion = "known"
    # The second derivative by the logarithm of the mean is the mean.
    curvature_left_text = "exp(-moved)"
    normaliser_text = "-omega*lgamma(max(y, 0) + 1)"
    variance_text = "mean"
    kurtosis_text = "1/(omega*mean)"
    log_below_text = "gamma_tail(1, floor(max(y, 0)) + 1, prediction)"
    log_above_text = "where(y > 0, gamma_tail(0, ceil(max(y, 1)), prediction), 0)"
    family = "a Poisson distribution"
    wider = "negative_binomial"
    counts = True
    saturated_text = "y - y*log(where(y > 0, y, 1))"

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether every row is a single count: the scatter of weighted counts is not known."""
        return bool((omega == 1.0).all() and (y == np.floor(y)).all())

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        """Return those of counts; where rows have weights, of counts over as many units of time or space."""
        return Rates(of_scipy("poisson", omega * mean), omega)
