"""The squared loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from descend.losses.contract import Array, Loss


@dataclass(frozen=True)
class Squared(Loss):
    """The square of the residual; its mean is the mean squared error.

    With r = prediction - y: r**2; slope 2 r; weight 2.

    Source: Legendre (1805); Gauss (1809).

    >>> Squared().slope(prediction=np.array([0.5, 3.0]), y=np.zeros(2))
    array([1., 6.])
    """

    name: ClassVar[str] = "squared"
    elsewhere: ClassVar[str] = "mse l2 sse rmse ols least_squares quadratic gaussian normal"
    value_text: ClassVar[str] = "r^2"
    slope_text: ClassVar[str] = "2*r"
    weight_text: ClassVar[str] = "2"
    convex: ClassVar[bool] = True
    dispersion: ClassVar[Literal["known", "estimated"] | None] = "estimated"
    unit: ClassVar[float] = 2.0

    def curvature_left(self, residual: Array, moved: Array) -> Array:
        """Return 1: the second derivative is the same everywhere."""
        return np.ones(np.shape(residual))

    def variance(self, mean: Array) -> Array:
        """Return 1: the dispersion is the variance."""
        return np.ones(np.shape(mean))

    def log_normaliser(self, y: Array, omega: Array, dispersion: float = 1.0) -> Array:
        """Return log(omega / (2 pi dispersion)) / 2."""
        return 0.5 * np.log(omega / (2.0 * np.pi * dispersion))
