"""The Tweedie loss: amounts that are exactly 0 in some rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.losses.contract import Loss
from descend.losses.distribution import Distribution
from descend.losses.domain import POSITIVE, Domain
from descend.losses.formulas import Array
from descend.registry import setting

NEGLIGIBLE = 37.0
"""Terms whose logarithm lies this far below that of the largest add nothing to a sum in double precision."""
MANY = 1e5
"""With so many jumps in a response, the saddlepoint approximation of its density is exact to 1e-6."""
AT_ONCE = 1 << 20
"""Terms of series that are computed at a time."""
HALVINGS = 60


@dataclass(frozen=True)
class Tweedie(Loss):
    """Negative log-likelihood of sums of a Poisson number of gamma jumps, which are 0 where there is no jump.

    With the mean m, the prediction, and the power p between 1 and 2:

        m**(2 - p) / (2 - p) - y m**(1 - p) / (1 - p);   slope (m - y) m**-p;   weight m**-p (Fisher information)

    The variance of a row is dispersion * m**p; the dispersion is estimated as R does. Rain of a day, claims of a
    policy, catches: `y ~ exp(a + b*x)`, or any other formula that is positive. y is 0 or more.

    power: above 1 (near Poisson) and below 2 (near gamma). It is not estimated: compare fits by their AIC.

    The density is that of the series of Dunn & Smyth (2005), Statistics and Computing 15, 267-280; for the distribution
    see Jorgensen (1987), J. R. Stat. Soc. B 49, 127-162.

    >>> Tweedie(power=1.5).slope(prediction=np.array([4.0, 4.0]), y=np.array([4.0, 0.0]))
    array([0. , 0.5])
    """

    power: float = setting(1.5, above=1, below=2)

    name = "tweedie"
    aliases = "compound_poisson"
    chinese = "Tweedie 分布"
    value_text = "prediction^(2 - power)/(2 - power) - y*prediction^(1 - power)/(1 - power)"
    slope_text = "r*prediction^(-power)"
    weight_text = "prediction^(-power)"
    response_domain = Domain(0.0, words="amounts, so 0 or more")
    prediction_domain = POSITIVE
    convex_in_log = True
    # By the logarithm of the mean the second derivative is (2 - p) m**(2 - p) + (p - 1) y m**(1 - p).
    curvature_left_text = "exp(-moved)"
    dispersion = "estimated"
    variance_text = "mean^power"
    saturated_text = "max(y, 0)^(2 - power)/((power - 1)*(2 - power))"

    def normaliser_terms(self, weighted: bool) -> tuple[tuple[Expr, Expr], ...] | None:
        """Return None: the normaliser is an infinite series."""
        return None

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return log(sum of W_j / y) over the numbers j = 1, 2, ... of jumps; 0 for a response of 0, which has none.

        log W_j = j log(z) - log(j!) - log(Gamma(-j alpha)), alpha = (2 - p) / (1 - p),
        z = (y / (p - 1))**-alpha / (phi**(1 - alpha) (2 - p)), phi = dispersion / omega.
        """
        density = np.zeros(len(y))
        positive = np.flatnonzero(y > 0.0)
        phi = dispersion / omega
        jumps = y[positive] ** (2.0 - self.power) / ((2.0 - self.power) * phi[positive])
        many = jumps > MANY
        far = positive[many]
        density[far] = self.saturated(y[far]) / phi[far] - 0.5 * np.log(2.0 * np.pi * phi[far] * y[far] ** self.power)
        for some, low, count in _blocks(jumps[~many], self._alpha):
            rows = positive[~many][some]
            density[rows] = self._series(y[rows], phi[rows], low, count)
        return density

    @property
    def _alpha(self) -> float:
        return (2.0 - self.power) / (1.0 - self.power)

    def _series(self, y: Array, phi: Array, low: Array, count: int) -> Array:
        from scipy.special import gammaln, logsumexp

        alpha = self._alpha
        z = -alpha * np.log(y / (self.power - 1.0)) - (1.0 - alpha) * np.log(phi) - np.log(2.0 - self.power)
        j = low[:, None] + np.arange(count)
        logarithms = j * z[:, None] - gammaln(j + 1.0) - gammaln(-alpha * j)
        log_series: Array = logsumexp(logarithms, axis=1) - np.log(y)
        return log_series

    def distribution(
        self, mean: Array, omega: Array, dispersion: float, parameters: Mapping[str, float]
    ) -> Distribution:
        phi = dispersion / omega
        return Jumps(
            mean ** (2.0 - self.power) / ((2.0 - self.power) * phi),
            -self._alpha,
            phi * (self.power - 1.0) * mean ** (self.power - 1.0),
        )


def _blocks(jumps: Array, alpha: float) -> Iterator[tuple[NDArray[np.intp], Array, int]]:
    """Yield rows whose series need about as many terms, the first term of each, and how many: all that count.

    About its largest term, at j = ``jumps``, the series falls as exp(-(1 - alpha) (j - jumps)**2 / (2 jumps)).
    """
    reach = np.sqrt(2.0 * NEGLIGIBLE * jumps / (1.0 - alpha)) + NEGLIGIBLE
    order = np.argsort(jumps)
    first = 0
    while first < len(order):
        last = min(len(order), first + max(1, int(AT_ONCE / (2.0 * reach[order[first]] + 2.0))))
        while last > first + 1 and (last - first) * (2.0 * reach[order[last - 1]] + 2.0) > 2 * AT_ONCE:
            last = first + (last - first) // 2
        some = order[first:last]
        low = np.maximum(1.0, np.floor(jumps[some] - reach[some]))
        yield some, low, int((np.ceil(jumps[some] + reach[some]) - low).max()) + 1
        first = last


@dataclass(frozen=True)
class Jumps:
    """Sums of a Poisson number of gamma jumps. number: its mean; shape and scale: those of a jump."""

    number: Array
    shape: float
    scale: Array

    def cdf(self, y: Array) -> Array:
        from scipy.special import gammainc, gammaln

        probability_below = np.where(y >= 0.0, np.exp(-self.number), 0.0)
        for some, low, count in _blocks(self.number, 0.0):
            j, number = low[:, None] + np.arange(count), self.number[some, None]
            chance = np.exp(j * np.log(number) - number - gammaln(j + 1.0))
            share = np.maximum(y[some], 0.0) / self.scale[some]
            probability_below[some] += (chance * gammainc(self.shape * j, share[:, None])).sum(axis=1)
        return probability_below

    def ppf(self, share: float) -> Array:
        low = np.zeros_like(self.number)
        none = np.exp(-self.number) >= share
        high = self.number * self.shape * self.scale
        while ((short := self.cdf(high) < share) & ~none).any():
            high = np.where(short, 2.0 * high, high)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            enough = self.cdf(middle) >= share
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return np.where(none, 0.0, high)
