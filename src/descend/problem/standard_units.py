"""The units in which columns have mean 0 and spread 1, as an affine change of the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature, Factor
from descend.formula.factor import triangle

Array = NDArray[np.float64]
VARIES = 1e-14
"""A column varies if its variance is above this share of its mean square; below, it is rounding."""


@dataclass(frozen=True, eq=False)
class Units:
    """theta = T u with T = diag(scale) - e_b shift', e_b the unit vector of the intercept, whose row absorbs the means.

    >>> units = standard_units(np.array([[5.0, 2.0], [2.0, 1.0]]), np.array([True, True]), 1)
    >>> units.theta(np.array([1.0, 0.0]))  # a column of mean 2 and spread 1
    array([ 1., -2.])
    """

    scale: Array
    shift: Array
    intercept: int | None

    def theta(self, u: Array) -> Array:
        """Return the parameters in the user's units."""
        theta = self.scale * u
        if self.intercept is not None:
            theta[self.intercept] -= self.shift @ u
        return theta

    def u(self, theta: Array) -> Array:
        """Return the parameters of the standardised columns."""
        u = theta / self.scale
        if self.intercept is not None:
            u[self.intercept] += self.shift @ u
        return u

    def gradient(self, gradient: Array) -> Array:
        """Return T'g, dJ/du."""
        moved = self.scale * gradient
        return moved if self.intercept is None else moved - self.shift * gradient[self.intercept]

    def columns(self, matrix: Array) -> Array:
        """Return M T for a matrix whose columns belong to the parameters."""
        moved = matrix * self.scale
        return moved if self.intercept is None else moved - np.outer(matrix[:, self.intercept], self.shift)

    def curvature(self, curvature: Curvature) -> Curvature:
        """Return T'CT."""
        if isinstance(curvature, np.ndarray):
            return self.columns(self.columns(curvature).T)
        return curvature.scaled(1.0 / self.scale)  # of an arrow no column is centred

    def factor(self, factor: Factor) -> Factor:
        """Return the triangle R of T'CT."""
        if isinstance(factor, np.ndarray):
            return triangle(np.column_stack([self.columns(factor[:, :-1]), factor[:, -1]]))
        return factor.scaled(1.0 / self.scale)


def standard_units(moments: Curvature, linear: NDArray[np.bool_], intercept: int | None) -> Units:
    """Return the units in which columns have spread 1, and with an intercept mean 0.

    moments: (p, p) mean of d_k d_l over rows, d_k the derivative of the model's score by parameter k: for a linear one
    the column that it multiplies; of an arrow only the diagonal counts. linear: which are; others are only scaled, to
    mean square 1 where they start.
    Without an intercept nothing can take up the means, so columns are scaled to mean square 1, not centred.
    """
    square = moments.diagonal().copy()
    mean = np.zeros(len(square))
    if intercept is not None and isinstance(moments, np.ndarray):
        mean = np.where(linear, moments[intercept] / moments[intercept, intercept], 0.0)
        mean[intercept] = 0.0
    variance = square - mean**2
    spread = np.sqrt(np.where(variance > VARIES * square, variance, square))
    usable = np.isfinite(spread) & (spread > 0.0)
    scale = np.where(usable, 1.0 / np.where(usable, spread, 1.0), 1.0)
    if intercept is not None:
        scale[intercept] = 1.0
    return Units(scale, mean * scale, intercept)
