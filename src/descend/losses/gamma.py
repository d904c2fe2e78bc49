"""The gamma loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, of_scipy
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array


@dataclass(frozen=True)
class Gamma(Loss):
    """Negative log-likelihood of positive numbers that scatter in proportion to their mean, which is the prediction.

    With the mean m: y / m + log(m); slope (m - y) / m**2; weight 1 / m**2 (Fisher information). The variance of a row
    is dispersion * m**2; the dispersion, the square of the coefficient of variation, is estimated as R does.

    Times, incomes, concentrations: `y ~ exp(a + b*x)`, or with the inverse as link `y ~ 1/(a + b*x)`; any other formula
    that is positive does as well. y must be above 0.
    Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 8.

    >>> import numpy as np
    >>> Gamma().slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0.   , 0.125])
    """

    name = "gamma"
    chinese = "伽马分布"
    value_text = "y/prediction + log(prediction)"
    slope_text = "r/prediction^2"
    weight_text = "1/prediction^2"
    response_domain = Domain(0.0, words="numbers above 0", closed=False)
    prediction_domain = POSITIVE
    convex_in_log = True
    # The second derivative by the logarithm of the mean is y / mean.
    curvature_left_text = "exp(-moved)"
    dispersion = "estimated"
    normaliser_text = (
        "omega/dispersion*log(omega/dispersion) - lgamma(omega/dispersion) + (omega/dispersion - 1)*log(y)"
    )
    variance_text = "mean^2"
    scale_name = "dispersion"
    minus_log_density_text = (
        "y/(scale*prediction) + log(scale*prediction)/scale + lgamma(1/scale) - (1/scale - 1)*log(y)"
    )
    log_below_text = "gamma_tail(0, 1/scale, y/(scale*prediction))"
    log_above_text = "gamma_tail(1, 1/scale, y/(scale*prediction))"
    location_information_text = "1/(scale*prediction^2)"
    scale_information_text = "(polygamma(1, 1/scale) - scale)/scale^4"
    spread_text = "sqrt(scale)*prediction"

    def scale_of(self, mean: Array, y: Array, omega: Array) -> float:
        """Return the dispersion that responses show about their means, roughly."""
        return super().scale_of(mean, y, omega) ** 2

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        return of_scipy("gamma", omega / dispersion, scale=mean * dispersion / omega)
