"""The Weibull loss: times whose rate rises or falls with a power of the time."""

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

LOG_SPREAD = math.pi / math.sqrt(6.0)
"""Standard deviation of the logarithm of a Weibull time of shape 1."""


@dataclass(frozen=True)
class Weibull(Scaled):
    """Negative log-likelihood of Weibull times; the prediction is the scale, the time by which 63.2% have ended.

    With the scale m, the prediction, and the shape k, a parameter `shape` of the loss's own:

        P(t > y) = exp(-(y/m)**k),   mean m Gamma(1 + 1/k),   median m log(2)**(1/k)

    The rate rises with time where k > 1, falls where k < 1, and k = 1 is the exponential distribution.

    `t ~ exp(a + b*x)` gives the coefficients of R's ``survreg(Surv(t, status) ~ x, dist = "weibull")``, whose scale is
    1 / k; with ``censored`` some times are known only to be longer. y must be above 0.
    Source: Kalbfleisch & Prentice (2002), The Statistical Analysis of Failure Time Data, ch. 2.

    >>> loss = Weibull().given({}, {"shape": 2.0})
    >>> loss.value(prediction=np.array([1.0]), y=np.array([1.0])).round(4)  # 1 - log(2)
    array([0.3069])
    """

    name = "weibull"
    aliases = "survival survreg weibull_aft"
    chinese = "威布尔时间"
    predicts = "scale"
    response_domain = Domain(0.0, words="times above 0", closed=False)
    prediction_domain = POSITIVE
    scale_name = "shape"
    minus_log_density_text = (
        "exp(scale*(log(y) - log(prediction))) - scale*(log(y) - log(prediction)) - log(scale) + log(y)"
    )
    log_below_text = "log(-expm1(-exp(scale*(log(y) - log(prediction)))))"
    log_above_text = "-exp(scale*(log(y) - log(prediction)))"
    location_information_text = "scale^2/prediction^2"
    mixed_information_text = "-0.42278433509846713/prediction"  # Euler's constant less 1
    scale_information_text = "1.8236806608528794/scale^2"  # (1 - Euler's constant)**2 + pi**2/6
    spread_text = "1.2825498301618641*prediction/scale"

    @property
    def exact(self) -> Exponential:
        """The exponential loss, whose fit is a start."""
        return Exponential()

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the shape from how much log(y / m) scatters; 0 if it does not."""
        away = np.log(y / mean)
        away = away - omega @ away / omega.sum()
        spread = math.sqrt(float(omega @ away**2 / omega.sum()))
        return LOG_SPREAD / spread if spread > 0.0 else 0.0

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        return of_scipy("weibull_min", self.scale_in(dispersion, parameters), scale=mean)
