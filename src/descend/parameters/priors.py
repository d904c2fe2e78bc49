"""Priors of the parameters of a model: what they add to J, and its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from descend.parameters.prior_distributions import Distribution

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expressed:
    """An expression q of some parameters. places: of these in theta; functions: q, and its derivatives by them."""

    places: NDArray[np.intp]
    functions: Sequence[Callable[..., float]]

    def at(self, theta: Array) -> tuple[float, Array]:
        """Return q and its (p,) gradient."""
        value, *slopes = (float(function(*theta[self.places])) for function in self.functions)
        gradient = np.zeros(theta.size)
        gradient[self.places] = slopes
        return float(value), gradient


@dataclass(frozen=True, eq=False)
class Prior:
    """One prior. text: as it was given; label: its left side. distribution: of each of the components at ``places``.

    expressed: what it is of, if that is no component but an expression; then there are no ``places``.
    """

    text: str
    label: str
    distribution: Distribution
    places: NDArray[np.intp]
    expressed: Expressed | None = None


@dataclass(frozen=True, eq=False)
class Pull:
    """What priors add at one theta: -log p, and its derivatives.

    value: from the mode of each prior. slope, bend: (p,), first and second derivative of those of components. along:
    for each prior of an expression q, the first and second derivative by q, and the (p,) gradient of q.
    """

    value: float
    slope: Array
    bend: Array
    along: tuple[tuple[float, float, Array], ...]

    @property
    def gradient(self) -> Array:
        return self.slope + sum((slope * gradient for slope, _, gradient in self.along), np.zeros(self.slope.size))


@dataclass(frozen=True, eq=False)
class Priors:
    """What is known of the parameters beforehand. labels: of the components of theta."""

    each: tuple[Prior, ...]
    labels: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(prior.text for prior in self.each)

    @cached_property
    def bell(self) -> bool:
        """Whether -log p is a parabola."""
        return all(prior.distribution.bell and prior.expressed is None for prior in self.each)

    @cached_property
    def expressed(self) -> bool:
        """Whether some prior is of an expression, so that it ties parameters together."""
        return any(prior.expressed is not None for prior in self.each)

    @cached_property
    def pulling(self) -> NDArray[np.bool_]:
        """Mark the components that some prior keeps from running away."""
        pulling_mask = np.zeros(len(self.labels), dtype=bool)
        for prior in self.each:
            pulling_mask[prior.places if prior.expressed is None else prior.expressed.places] = True
        return pulling_mask

    def at(self, theta: Array, exact: bool = False) -> Pull:
        """Return what they add at theta. exact: the second derivative itself, also where it is below 0."""
        value, slope, bend = 0.0, np.zeros(theta.size), np.zeros(theta.size)
        along = []
        with np.errstate(all="ignore"):
            for prior in self.each:
                distribution, q, gradient = prior.distribution, theta[prior.places], None
                if prior.expressed is not None:
                    single, gradient = prior.expressed.at(theta)
                    q = np.array([single])
                value += float(distribution.value(q).sum())
                first, second = distribution.slope(q), distribution.curvature(q) if exact else distribution.weight(q)
                if gradient is None:
                    slope[prior.places] += first
                    bend[prior.places] += second
                else:
                    along.append((float(first[0]), float(second[0]), gradient))
        return Pull(value, slope, bend, tuple(along))

    def start(self, theta: Array) -> Array:
        """Return theta with each component that has a prior at a likely value."""
        theta_started = theta.copy()
        for prior in self.each:
            theta_started[prior.places] = prior.distribution.start
        return theta_started


@dataclass(frozen=True, eq=False)
class WeighedPriors:
    """Priors on the scale of J.

    With u the unit of the loss (2 for squared, which is twice a negative log-likelihood), phi the dispersion (sigma**2
    for squared) and W the sum of the row weights, -log of the likelihood is W J / (u phi), but for a constant. So

        J + u phi / W * sum of -log p(theta)

    is least at the mode of the posterior. dispersion: phi; scale: u phi / W. alone: phi of a fit without the priors,
    where it had to be estimated.
    """

    priors: Priors
    dispersion: float
    scale: float
    alone: float | None = None

    def with_dispersion(self, dispersion: float) -> WeighedPriors:
        """Return the same for another phi."""
        return replace(self, dispersion=dispersion, scale=self.scale * (dispersion / self.dispersion))
