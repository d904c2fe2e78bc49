"""The log-normal loss: positive numbers whose logarithms are normal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from descend.losses.distribution import Distribution, of_scipy
from descend.losses.domain import POSITIVE, Domain
from descend.losses.exponential import Exponential
from descend.losses.formulas import Array
from descend.losses.scaled import Scaled


@dataclass(frozen=True)
class LogNormal(Scaled):
    """Negative log-likelihood of positive numbers whose logarithms are normal; the prediction is the median.

    With the median m, the prediction, and the standard deviation `sigma` of log(y), a parameter of the loss's own:

        log(y) ~ normal(log(m), sigma),   mean m exp(sigma**2 / 2)

    `t ~ exp(a + b*x)` gives the coefficients and the scale of R's ``survreg(Surv(t, status) ~ x, dist = "lognormal")``;
    with ``censored`` some are known only to be longer. Without, it is least squares of `log(t) ~ a + b*x`, with the
    likelihood of t itself, which can be compared with that of other distributions. y must be above 0.
    Source: Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 2.

    >>> loss = LogNormal().given({}, {"sigma": 1.0})
    >>> loss.value(prediction=np.array([1.0]), y=np.array([1.0])).round(4)  # log(2 pi)/2
    array([0.9189])
    """

    name = "lognormal"
    aliases = "log_normal lognorm galton"
    chinese = "对数正态时间"
    predicts = "median"
    response_domain = Domain(0.0, words="numbers above 0", closed=False)
    prediction_domain = POSITIVE
    scale_name = "sigma"
    minus_log_density_text = (
        "(log(y) - log(prediction))^2/(2*scale^2) + log(scale) + log(y) + 0.9189385332046727"  # log(2 pi)/2
    )
    log_below_text = "log_ndtr(min((log(y) - log(prediction))/scale, 30))"
    log_above_text = "log_ndtr(min((log(prediction) - log(y))/scale, 30))"
    location_information_text = "1/(scale^2*prediction^2)"
    scale_information_text = "2/scale^2"
    spread_text = "scale*prediction"

    @property
    def exact(self) -> Exponential:
        """The exponential loss, whose fit is a start."""
        return Exponential()

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the standard deviation of log(y / m)."""
        return math.sqrt(float(omega @ np.log(y / mean) ** 2 / omega.sum()))

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        return of_scipy("lognorm", self.scale_in(dispersion, parameters), scale=mean)
