"""The exponential loss: waiting times of a constant rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, of_scipy
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array


@dataclass(frozen=True)
class Exponential(Loss):
    """Negative log-likelihood of exponential times whose mean is the prediction.

    With the mean m: y / m + log(m); slope (m - y) / m**2; weight 1 / m**2 (Fisher information). The rate is 1 / m. The
    dispersion is known to be 1, unlike that of the gamma loss, which has the same best parameters.

    `t ~ exp(a + b*x)` gives the coefficients of R's ``survreg(Surv(t, status) ~ x, dist = "exponential")``; with
    ``censored`` some times are known only to be longer. y must be above 0.
    Source: Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 2.

    >>> import numpy as np
    >>> Exponential().slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0.   , 0.125])
    """

    name = "exponential"
    aliases = "exp expon constant_hazard waiting_times"
    chinese = "指数时间"
    value_text = "y/prediction + log(prediction)"
    slope_text = "r/prediction^2"
    weight_text = "1/prediction^2"
    response_domain = Domain(0.0, words="times above 0", closed=False)
    prediction_domain = POSITIVE
    convex_in_log = True
    # The second derivative by the logarithm of the mean is y / mean.
    curvature_left_text = "exp(-moved)"
    dispersion = "known"
    observed_information = True
    variance_text = "mean^2"
    kurtosis_text = "6/omega"
    log_below_text = "log(-expm1(-y/prediction))"
    log_above_text = "-y/prediction"
    spread_text = "prediction"

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        return of_scipy("expon", scale=mean)
