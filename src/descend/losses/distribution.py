"""The distribution of single responses about their means, for the interval in which one more of them is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDING = 1e-6
"""A number of counts this close to a whole one is that."""
MOST_STEPS = 60
EXACT = 1e-10
"""An interval of quantiles this short, as a share of their size, is a point; so is a share of 1."""


class Distribution(Protocol):
    """Distributions of responses, one a row; SciPy's are such."""

    def cdf(self, y: Array) -> Array:
        """Return the probability of a response of y or less in each row."""

    def ppf(self, share: float) -> Array:
        """Return the least response whose ``cdf`` is at least a share, in each row."""


def of_scipy(name: str, *shapes: Array | float, **location_and_scale: Array | float) -> Distribution:
    """Return distributions that SciPy knows by this name, one a row."""
    from scipy import stats

    distributions: Distribution = getattr(stats, name)(*shapes, **location_and_scale)
    return distributions


@dataclass(frozen=True)
class Rates:
    """Counts divided by a number for each row, such as the trials that a share is of.

    >>> from scipy import stats
    >>> Rates(stats.binom(np.array([4]), 0.5), np.array([4.0])).ppf(0.5)
    array([0.5])
    """

    counts: Distribution
    per: Array

    def cdf(self, y: Array) -> Array:
        return self.counts.cdf(np.floor(y * self.per + ROUNDING))

    def ppf(self, share: float) -> Array:
        return self.counts.ppf(share) / self.per


@dataclass(frozen=True)
class SplitNormal:
    """Normal to both sides of a mode, with a standard deviation each.

    >>> found = SplitNormal(np.zeros(1), below=np.ones(1), above=3 * np.ones(1))
    >>> found.cdf(np.zeros(1)), found.ppf(0.25).round(6)
    (array([0.25]), array([0.]))
    """

    mode: Array
    below: Array
    above: Array

    def cdf(self, y: Array) -> Array:
        from scipy.special import ndtr

        share, away = 2.0 * self.below / (self.below + self.above), y - self.mode
        probability_below: Array = np.where(
            away < 0.0, share * ndtr(away / self.below), 1.0 - (2.0 - share) * ndtr(-away / self.above)
        )
        return probability_below

    def ppf(self, share: float) -> Array:
        from scipy.special import ndtri

        under = 2.0 * self.below / (self.below + self.above)
        low = self.below * ndtri(np.minimum(share / under, 0.5))
        high = -self.above * ndtri(np.minimum((1.0 - share) / (2.0 - under), 0.5))
        quantile: Array = self.mode + np.where(share < 0.5 * under, low, high)
        return quantile


def mixed_quantile(distributions: Sequence[Distribution], shares: Sequence[float], below: float) -> Array:
    """Return the quantile of a mixture of distributions in each row: the least y with sum shares * cdf(y) >= below.

    >>> from scipy import stats
    >>> mixed_quantile([stats.norm(np.zeros(1), 1.0), stats.norm(np.ones(1), 1.0)], [0.5, 0.5], 0.5).round(6)
    array([0.5])
    """
    per = distributions[0].per if isinstance(distributions[0], Rates) else None
    ends = np.array([distribution.ppf(below) for distribution in distributions])
    low, high = ends.min(axis=0), ends.max(axis=0)

    def reached(y: Array) -> NDArray[np.bool_]:
        total = np.zeros(len(y))
        for distribution, share in zip(distributions, shares, strict=True):
            total += share * distribution.cdf(y)
        enough: NDArray[np.bool_] = total >= below - EXACT
        return enough

    lowest_quantile, at_least = low, reached(low)
    for _ in range(MOST_STEPS):
        gap = high - low
        if (gap <= EXACT * np.abs(high) if per is None else gap * per < 1.0 + ROUNDING).all():
            break
        middle = low + 0.5 * gap
        if per is not None:
            middle = np.floor(middle * per + ROUNDING) / per
        enough = reached(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    quantile: Array = np.where(at_least, lowest_quantile, high)
    return quantile
