"""A loss that is a parabola in theta: known everywhere once it is known at one point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from descend.engines.totals import Array, Totals
from descend.engines.triangles import well_conditioned


class Parabola(NamedTuple):
    """total = least + (theta - lowest)' C (theta - lowest) / 2, whose gradient is C (theta - lowest).

    rows: their number, or the sum of their weights. least: what is left at ``lowest``, the minimum.

    >>> about = Totals(4.0, 3.0, np.array([2.0]), np.array([[2.0]]))
    >>> parabola = through(np.array([5.0]), about)
    >>> parabola.lowest, parabola.least, parabola.totals(np.array([5.0]), order=1).loss
    (array([4.]), 2.0, 3.0)
    """

    rows: float
    lowest: Array
    least: float
    curvature: Array

    def totals(self, theta: Array, order: int) -> Totals:
        """Return the sums at theta, of order 0, 1 or 2."""
        away = theta - self.lowest
        gradient = self.curvature.dot(away)
        loss = 0.5 * float(away.dot(gradient)) + self.least
        return Totals(self.rows, loss, gradient if order else None, self.curvature if order == 2 else None)


def through(theta: Array, totals: Totals) -> Parabola | None:
    """Return the parabola with these sums (order 2) at theta; None where its columns depend on each other too much.

    theta: near the minimum, so that hardly any digits are lost in the fall of the loss from there.
    """
    gradient, curvature = totals.gradient, totals.curvature
    if (
        gradient is None
        or not isinstance(curvature, np.ndarray)
        or not (np.isfinite(totals.loss) and well_conditioned(curvature))
    ):
        return None
    move = np.linalg.solve(curvature, -gradient)
    gained = -0.5 * float(gradient.dot(move))
    if not gained <= 0.5 * totals.loss:
        return None
    return Parabola(totals.rows, theta + move, totals.loss - gained, curvature)
