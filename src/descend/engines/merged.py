"""Moments of rows that came batch by batch and are gone: what remains of each is merged by QR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.engines.moments import Factors, FactorsEngine
from descend.engines.totals import Array, Totals
from descend.formula.factor import triangle


def merged(first: Factors, second: Factors) -> Factors:
    """Return what remains of the rows of both.

    With c the first theta0, the residuals of the second are R2 (theta - c) + R2 (c - c2) + q2, so that the triangle is

        QR [R1  q1; 0  rho1; R2  R2 (c - c2) + q2; 0  rho2].

    No square is formed: the digits are those of one QR of all rows.

    >>> one = Factors(np.array([2.0]), np.array([[3.0]]), np.zeros(1), 4.0, True)
    >>> both = merged(one, one)
    >>> both.upper.round(6).tolist(), both.right.tolist(), round(both.root**2, 6)
    ([[-4.242641]], [0.0], 32.0)
    """
    size = len(first.centre)
    rows = np.zeros((2 * size + 2, size + 1))
    rows[:size, :size], rows[:size, size], rows[size, size] = first.upper, first.right, first.root
    below = rows[size + 1 :]
    below[:size, :size], below[size, size] = second.upper, second.root
    below[:size, size] = second.upper @ (first.centre - second.centre) + second.right
    both = triangle(rows)
    return Factors(first.centre, both[:size, :size], both[:size, size], abs(float(both[size, size])), False)


class MergedEngine(FactorsEngine):
    """Sums from what remains of rows that are gone."""

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        assert rows is None, "rows of batches are gone"
        return self._sums(theta, order)
