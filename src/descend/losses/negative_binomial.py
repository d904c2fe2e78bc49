"""The negative binomial loss: counts that scatter more than those of a Poisson distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sympy import Expr, Integer

from descend.errors import DataError
from descend.losses.contract import Loss
from descend.losses.distribution import Distribution, Rates, of_scipy
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array
from descend.losses.poisson import Poisson
from descend.registry import setting

MEAN = "theta*log1p(prediction/theta) + y*log1p(theta/prediction)"
"""What of the loss depends on the mean; it has no value unless both mean and theta are positive."""
LEAST = "theta*log1p(max(y, 0)/theta) + y*log1p(theta/where(y > 0, y, 1))"
"""The least value of that, at a mean of y."""


@dataclass(frozen=True)
class NegativeBinomial(Loss):
    """Negative log-likelihood of counts whose variance is m + m**2 / theta, with the mean m, the prediction.

    theta log(1 + m / theta) + y log(1 + theta / m), and of theta log Gamma(theta) - log Gamma(y + theta);
    slope by m (m - y) / (m + m**2 / theta); weight 1 / (m + m**2 / theta) (Fisher information, by which m and theta do
    not interact).

    theta: above 0, the smaller the more the counts scatter; 0, the default, stands for a parameter `theta` of the
    loss's own, estimated by maximum likelihood together with those of the formula. Its standard error is that of the
    observed information, as in R's `MASS::glm.nb`; theta = 1 / alpha of other programs.

    The prediction must be positive, as in `y ~ exp(a + b*x)`. Counts that scatter no more than those of a Poisson
    distribution have no finite theta, and are refused.
    Source: Lawless (1987), Can. J. Stat. 15, 209-225; Venables & Ripley (2002), Modern Applied Statistics with S, 7.4.

    >>> NegativeBinomial(theta=2.0).slope(prediction=np.array([2.0, 4.0]), y=np.array([2.0, 2.0]))
    array([0.        , 0.16666667])
    """

    theta: float = setting(0.0, at_least=0, fitted=1.0)

    name = "negative_binomial"
    aliases = "negbin nb nb2 nbinom glm.nb negativebinomial"
    chinese = "负二项计数"
    slope_text = "r/(prediction + prediction^2/theta)"
    weight_text = "1/(prediction + prediction^2/theta)"
    response_domain = Domain(0.0, words="counts, so 0 or more")
    prediction_domain = POSITIVE
    dispersion = "known"
    variance_text = "mean + mean^2/theta"
    kurtosis_text = "(6/theta + 1/(mean + mean^2/theta))/omega"
    family = "this negative binomial distribution"
    counts = True
    own_observed = True

    @property
    def convex_in_log(self) -> bool:  # type: ignore[override]
        """Whether theta is given; J is not convex in the means and theta together."""
        return bool(self.theta)

    @property
    def curvature_left_text(self) -> str:  # type: ignore[override]
        """Of a given theta: the second derivative by the logarithm of m is (y + theta) theta m / (m + theta)**2."""
        return "exp(-moved)" if self.theta else ""

    @property
    def value_text(self) -> str:  # type: ignore[override]
        return MEAN if self.theta else f"{MEAN} - lgamma(y + theta) + lgamma(theta)"

    @property
    def saturated_text(self) -> str:  # type: ignore[override]
        return LEAST if self.theta else f"{LEAST} - lgamma(max(y, 0) + theta) + lgamma(theta)"

    @property
    def normaliser_text(self) -> str:  # type: ignore[override]
        ways = "lgamma(max(y, 0) + 1)"
        return f"omega*(lgamma(max(y, 0) + theta) - lgamma(theta) - {ways})" if self.theta else f"-omega*{ways}"

    @cached_property
    def weights(self) -> tuple[Expr, ...]:
        """Fisher information; of theta the square of the slope, which is that on average and never negative."""
        if self.theta:
            return super().weights
        return self.expressions[2], Integer(0), self.slopes[1] ** 2

    @property
    def wider(self) -> str:  # type: ignore[override]
        """The same with theta estimated, where it is given."""
        return self.name if self.theta else ""

    @property
    def endless(self) -> bool:
        return True

    @property
    def exact(self) -> Loss | None:
        """The Poisson loss, whose fit is a start where theta is to be estimated."""
        return None if self.theta else Poisson()

    def started(self, mean: Array, y: Array, omega: Array) -> dict[str, float]:
        """Return theta by moments: omega (y - m)**2 - y sums to the variance beyond a Poisson distribution's.

        Where that is not positive at the fit of a Poisson distribution, the likelihood is largest at theta = infinity.
        """
        beyond = float(omega @ (np.square(y - mean) - y))
        if not beyond > 0.0:
            ratio = float(omega @ (np.square(y - mean) / mean) / omega.sum())
            raise DataError(
                f"The counts scatter no more than those of a Poisson distribution: their variance is {ratio:.3g} times "
                "their mean. The theta of a negative_binomial loss would be infinite. Use the poisson loss."
            )
        return {"theta": float(omega @ np.square(mean)) / beyond}

    @property
    def known_by(self) -> str:
        return "the setting of the loss, as in negative_binomial(theta=2)"

    def floor(self, y: Array, omega: Array | None) -> float:
        """Return the least mean loss: where theta is estimated, that of counts each of which is certain."""
        if self.theta:
            return super().floor(y, omega)
        from scipy.special import gammaln

        ways = -gammaln(y + 1.0)
        return float(ways.mean() if omega is None else omega @ ways / omega.sum())

    def repeats(self, y: Array, omega: Array) -> bool:
        """Whether every row is a single count: the scatter of weighted counts is not known."""
        return bool((omega == 1.0).all() and (y == np.floor(y)).all())

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        theta = self.theta or float(parameters["theta"])
        return Rates(of_scipy("nbinom", theta, theta / (theta + mean)), np.ones(len(mean)))
