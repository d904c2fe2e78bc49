"""Moments of rows that came batch by batch and are gone: what remains of each is merged by QR."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.engines.moments import Factors
from descend.engines.totals import Array, Engine, Totals
from descend.formula.factor import triangle
from descend.table.rows import Rows


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


class MergedEngine(Engine):
    """Sums from what remains of rows: as the engine of moments, which has the rows too (see ``MomentsEngine``).

    count, total: of all rows, and the sum of their weights. rows: some that stand for them in memory.
    """

    name = "moments"
    factors = True
    once = quadratic = True

    def __init__(self, factors: Factors, count: int, total: float, rows: Rows) -> None:
        self.of, self.count, self.total, self.rows = factors, count, total, rows
        self.curvature = 2.0 * factors.upper.T @ factors.upper

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        assert rows is None, "rows of batches are gone"
        upper, root = self.of.upper, self.of.root
        offset = upper @ (theta - self.of.centre) + self.of.right
        loss = float(offset @ offset) + root * root
        if order == 3:
            factor = np.zeros((theta.size + 1, theta.size + 1))
            factor[:-1, :-1], factor[:-1, -1], factor[-1, -1] = upper, offset, root
            return Totals(self.total, loss, None, None, math.sqrt(2.0) * factor)
        gradient = 2.0 * upper.T @ offset if order else None
        return Totals(self.total, loss, gradient, self.curvature if order == 2 else None)
