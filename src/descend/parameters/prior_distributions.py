"""What may be known of a parameter before the fit: distributions, as minus the logarithm of their density.

Each is measured from its mode, -log(p(x)/p(mode)), so that it is 0 there and never below. A new one is a class, and its
name in `PRIORS`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.registry import Part, Registry, setting

Array = NDArray[np.float64]
Support = tuple[float, float, bool]
"""The least and the largest value, and whether these are themselves excluded."""


@dataclass(frozen=True)
class Distribution(Part):
    """A distribution of one number.

    kind, name: as in messages. start: a value that is likely. centre, spread: where most of it lies, for comparison
    with the data. logarithm: whether these are of log(x).
    """

    kind: ClassVar[str] = "prior"
    logarithm: ClassVar[bool] = False
    bell: ClassVar[bool] = False
    """Whether -log p is a parabola."""

    @abstractmethod
    def value(self, x: Array) -> Array:
        """Return -log(p(x)/p(mode))."""

    @abstractmethod
    def slope(self, x: Array) -> Array:
        """Return the first derivative of ``value``."""

    @abstractmethod
    def curvature(self, x: Array) -> Array:
        """Return the second derivative of ``value``."""

    def weight(self, x: Array) -> Array:
        """Return a curvature for a descent: never below 0."""
        return np.maximum(self.curvature(x), 0.0)

    @property
    def support(self) -> Support:
        return -math.inf, math.inf, False

    @property
    @abstractmethod
    def centre(self) -> float: ...

    @property
    @abstractmethod
    def spread(self) -> float: ...

    @property
    def start(self) -> float:
        return self.centre

    def tail(self, x: Array, variance: Array) -> Array:
        """Return how probable it is that a number from here, plus a normal error, is as far out as x, on both sides."""
        with np.errstate(all="ignore"):
            if self.logarithm:
                variance, x = variance / x**2, np.log(np.where(x > 0.0, x, np.nan))
            away = np.abs(x - self.centre) / np.sqrt(self.spread**2 + variance)
            return np.where(np.isnan(away), 0.0, self.tail_of(away))

    def tail_of(self, away: Array) -> Array:
        """Return the probability of both tails beyond so many spreads."""
        from scipy import special

        return np.asarray(special.erfc(away / math.sqrt(2.0)))


class Placed(Distribution):
    """A distribution with a location, where most of it lies, and a scale, over which it spreads."""

    location: float
    scale: float

    @property
    def centre(self) -> float:
        return self.location

    @property
    def spread(self) -> float:
        return self.scale

    def _away(self, x: Array) -> Array:
        return np.asarray((x - self.location) / self.scale)


@dataclass(frozen=True)
class Normal(Placed):
    """((x - location)/scale)**2 / 2"""

    location: float = setting(0.0)
    scale: float = setting(1.0, above=0)
    name = "normal"
    aliases = "gaussian norm n"
    bell = True

    def value(self, x: Array) -> Array:
        return 0.5 * self._away(x) ** 2

    def slope(self, x: Array) -> Array:
        return (x - self.location) / self.scale**2

    def curvature(self, x: Array) -> Array:
        return np.full(np.shape(x), self.scale**-2.0)


@dataclass(frozen=True)
class HalfNormal(Normal):
    """(x/scale)**2 / 2 for x >= 0; the scale is that of the normal distribution it is a half of."""

    location: float = 0.0
    scale: float = setting(1.0, above=0)
    name = "half_normal"
    aliases = "halfnormal halfnorm"

    @property
    def support(self) -> Support:
        return 0.0, math.inf, False

    @property
    def start(self) -> float:
        return 0.67 * self.scale


@dataclass(frozen=True)
class Lognormal(Placed):
    """Log(x) is normal: (log(x) - location)**2 / (2 scale**2) + log(x), for x > 0; location and scale are of log(x).

    Its median is exp(location), its mode exp(location - scale**2).
    """

    location: float = setting(0.0)
    scale: float = setting(1.0, above=0)
    name = "lognormal"
    aliases = "log_normal lnorm lognorm"
    logarithm = True

    def value(self, x: Array) -> Array:
        return 0.5 * (self._away(np.log(x)) + self.scale) ** 2

    def slope(self, x: Array) -> Array:
        return (self._away(np.log(x)) / self.scale + 1.0) / x

    def curvature(self, x: Array) -> Array:
        away = self._away(np.log(x))
        return np.asarray((self.scale**-2.0 - away / self.scale - 1.0) / x**2)

    def weight(self, x: Array) -> Array:
        """Return the curvature, or where that is not above 0 the one of log(x)."""
        exact = self.curvature(x)
        return np.where(exact > 0.0, exact, (self.scale * x) ** -2.0)

    @property
    def support(self) -> Support:
        return 0.0, math.inf, True

    @property
    def start(self) -> float:
        return math.exp(self.location)


@dataclass(frozen=True)
class StudentT(Placed):
    """(df + 1)/2 log(1 + u**2/df) with u = (x - location)/scale: far from it, it hardly pulls."""

    df: float = setting(4.0, above=0)
    location: float = setting(0.0)
    scale: float = setting(1.0, above=0)
    name = "student_t"
    aliases = "t student studentt"

    def value(self, x: Array) -> Array:
        return 0.5 * (self.df + 1.0) * np.log1p(self._away(x) ** 2 / self.df)

    def slope(self, x: Array) -> Array:
        away = self._away(x)
        return (self.df + 1.0) * away / (self.df + away**2) / self.scale

    def curvature(self, x: Array) -> Array:
        squared = self._away(x) ** 2
        return (self.df + 1.0) * (self.df - squared) / (self.df + squared) ** 2 / self.scale**2

    def weight(self, x: Array) -> Array:
        """Return the curvature, or where that is not above 0 the slope over the distance: a parabola above it."""
        exact = self.curvature(x)
        return np.where(exact > 0.0, exact, (self.df + 1.0) / (self.df + self._away(x) ** 2) / self.scale**2)

    def tail_of(self, away: Array) -> Array:
        """Return the probability of both tails of Student's t."""
        from scipy import special

        return np.asarray(2.0 * special.stdtr(self.df, -away))


@dataclass(frozen=True)
class Cauchy(StudentT):
    """Student's t with 1 degree of freedom."""

    df: float = 1.0
    location: float = setting(0.0)
    scale: float = setting(1.0, above=0)
    name = "cauchy"
    aliases = "lorentz"


@dataclass(frozen=True)
class Gamma(Distribution):
    """rate x - (shape - 1) log(x), for x > 0; the mean is shape/rate. shape: 1 (exponential) or more."""

    shape: float = setting(1.0, at_least=1)
    rate: float = setting(1.0, above=0)
    name = "gamma"

    def value(self, x: Array) -> Array:
        exponent = self.shape - 1.0
        if exponent == 0.0:
            return self.rate * x
        ratio = self.rate * x / exponent
        return exponent * (ratio - 1.0 - np.log(ratio))

    def slope(self, x: Array) -> Array:
        return self.rate - (self.shape - 1.0) / x

    def curvature(self, x: Array) -> Array:
        return (self.shape - 1.0) / x**2

    @property
    def support(self) -> Support:
        return 0.0, math.inf, self.shape > 1.0

    @property
    def centre(self) -> float:
        return self.shape / self.rate

    @property
    def spread(self) -> float:
        return math.sqrt(self.shape) / self.rate


@dataclass(frozen=True)
class Beta(Distribution):
    """-(a - 1) log(x) - (b - 1) log(1 - x), between 0 and 1. a, b: 1 or more."""

    a: float = setting(1.0, at_least=1)
    b: float = setting(1.0, at_least=1)
    name = "beta"

    def value(self, x: Array) -> Array:
        total = self.a + self.b - 2.0
        mode = (self.a - 1.0) / total if total else 0.5
        beta_parts = ((self.a - 1.0, x, mode), (self.b - 1.0, 1.0 - x, 1.0 - mode))
        log_terms = [-power * np.log(share / best) for power, share, best in beta_parts if power]
        return np.asarray(sum(log_terms, 0.0 * x))

    def slope(self, x: Array) -> Array:
        return (self.b - 1.0) / (1.0 - x) - (self.a - 1.0) / x

    def curvature(self, x: Array) -> Array:
        return (self.b - 1.0) / (1.0 - x) ** 2 + (self.a - 1.0) / x**2

    @property
    def support(self) -> Support:
        return 0.0, 1.0, True

    @property
    def centre(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def spread(self) -> float:
        total = self.a + self.b
        return math.sqrt(self.a * self.b / (total + 1.0)) / total


@dataclass(frozen=True)
class Uniform(Distribution):
    """0 between two ends, and no value outside: a bound."""

    low: float = setting(0.0)
    high: float = setting(1.0)
    name = "uniform"
    aliases = "flat unif"
    bell = True

    def value(self, x: Array) -> Array:
        return np.zeros(np.shape(x))

    def slope(self, x: Array) -> Array:
        return np.zeros(np.shape(x))

    def curvature(self, x: Array) -> Array:
        return np.zeros(np.shape(x))

    @property
    def support(self) -> Support:
        return self.low, self.high, False

    @property
    def centre(self) -> float:
        return 0.5 * (self.low + self.high)

    @property
    def spread(self) -> float:
        return (self.high - self.low) / math.sqrt(12.0)

    def tail(self, x: Array, variance: Array) -> Array:
        """Return 1: its ends are bounds, which the table tells of."""
        return np.ones(np.shape(x))


PRIORS = Registry(Normal, HalfNormal, Lognormal, StudentT, Cauchy, Gamma, Beta, Uniform)
