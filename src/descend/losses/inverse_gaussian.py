"""The inverse Gaussian loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, of_scipy
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array


@dataclass(frozen=True)
class InverseGaussian(Loss):
    """Negative log-likelihood of positive numbers with a long tail, whose variance grows as the cube of their mean.

    With the mean m, the prediction: (y - m)**2 / (2 y m**2), half the deviance; slope (m - y) / m**3; weight 1 / m**3
    (Fisher information). The variance of a row is dispersion * m**3; the dispersion is estimated as R does. It is the
    distribution of the time at which a random walk with drift first reaches a point: `y ~ exp(a + b*x)`, or with R's
    link `y ~ 1/sqrt(a + b*x)`. y must be above 0.
    Source: Tweedie (1957), Ann. Math. Statist. 28, 362-377; McCullagh & Nelder (1989), ch. 8.

    >>> import numpy as np
    >>> InverseGaussian().slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0.     , 0.03125])
    """

    name = "inverse_gaussian"
    aliases = "inverse.gaussian invgauss inversegaussian wald"
    chinese = "逆高斯分布"
    value_text = "r^2/(2*y*prediction^2)"
    slope_text = "r/prediction^3"
    weight_text = "1/prediction^3"
    response_domain = Domain(0.0, words="numbers above 0", closed=False)
    prediction_domain = POSITIVE
    dispersion = "estimated"
    normaliser_text = "(log(omega) - log(dispersion) - log(2*pi) - 3*log(y))/2"
    variance_text = "mean^3"
    kurtosis_text = "15*mean/omega"

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        return of_scipy("invgauss", mu=mean * dispersion / omega, scale=omega / dispersion)
