"""A first step learned from a few groups that have ended: such sums at the start, such a way to the end.

Groups that begin at one start differ by their sums there. Of these numbers without units are made, z, and the ends of
the few are fitted by a quadratic in z. The step that it gives another group is a trial like any: it is taken only where
it lowers the loss, and what follows is the descent as ever. It saves what leads from afar to the bottom of the valley,
a third of all evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.many.arrays import Arrays, Values
from descend.many.sums import Sums
from descend.many.systems import Factor

Array = NDArray[np.float64]
FAR = 3.0
"""Numbers count up to so many times their spread, and ends further from the middle are left out."""
RIDGE = 1e-4
"""Added to the diagonal of the normal equations, as a share of the number of groups."""
EACH = 4
"""Groups to learn from for each coefficient; with fewer the quadratic has no products of two numbers."""
WORTH = 0.3
"""The share of the way that may be left, for nine of ten groups that were not learned from."""


@dataclass(frozen=True)
class FirstStep:
    """Where groups end, by their sums at the start.

    start: (q,). centre, spread: of the numbers, (k, 1). products: whether those of two different numbers count.
    coefficients: of the terms, (terms, q), in units of ``scale``, (q,).
    """

    start: Array
    centre: Array
    spread: Array
    products: bool
    coefficients: Array

    @classmethod
    def learned(cls, start: Array, at: Sums, scale: Array, ends: Array, arrays: Arrays) -> FirstStep | None:
        """Learn from the sums of some groups at their common start and their ends, (q, groups); None if in vain.

        Every third group is kept to try it on.
        """
        numbers = np.array([arrays.to_numpy(each) for each in _numbers(at, scale)])
        middle, reach = _spread(ends)
        usable = np.isfinite(numbers).all(axis=0) & (np.abs(ends - middle) <= FAR * reach).all(axis=0)
        if np.count_nonzero(usable) < EACH * EACH * len(numbers):
            return None
        numbers, ends = numbers[:, usable], ends[:, usable]
        centre, spread = _spread(numbers)
        kept_groups = np.arange(ends.shape[1]) % 3 == 0
        k = len(numbers)
        products = EACH * (1 + k + k * (k + 1) // 2) <= int(np.count_nonzero(~kept_groups))
        first_step = cls(start, centre, spread, products, np.empty((0, len(start))))
        terms, way = first_step._terms(numbers), ends - start[:, None]
        learned = terms[:, ~kept_groups]
        normal = learned @ learned.T + RIDGE * learned.shape[1] * np.eye(len(terms))
        coefficients = np.linalg.solve(normal, learned @ way[:, ~kept_groups].T)
        left = np.abs(coefficients.T @ terms[:, kept_groups] - way[:, kept_groups])
        if (np.quantile(left, 0.9, axis=1) > WORTH * np.quantile(np.abs(way[:, kept_groups]), 0.9, axis=1)).any():
            return None
        return cls(start, centre, spread, products, coefficients)

    def ends(self, at: Sums, scale: Values, arrays: Arrays) -> list[Values]:
        """Return where groups end by their sums at the start, (groups,) for each nonlinear parameter."""
        numbers = np.array([arrays.to_numpy(each) for each in _numbers(at, scale)])
        ends_of_groups = self.coefficients.T @ self._terms(numbers) + self.start[:, None]
        return [arrays.from_numpy(each) for each in ends_of_groups]

    def _terms(self, numbers: Array) -> Array:
        """Return 1, the numbers and their products, (terms, groups)."""
        numbers = np.clip((numbers - self.centre) / self.spread, -FAR, FAR)
        ones = np.ones((1, numbers.shape[1]))
        if not self.products:
            return np.concatenate([ones, numbers, numbers * numbers])
        return np.concatenate([ones, numbers, *(numbers[i:] * numbers[i] for i in range(len(numbers)))])


def _spread(values: Array) -> tuple[Array, Array]:
    """Return the median of each row, and how far most are from it, (rows, 1) each."""
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), axis=1)[:, :, None]
    return middle, np.where(high > low, high - low, 1.0)


def _numbers(at: Sums, scale: Values) -> list[Values]:
    """Return what tells groups apart by their sums at one point, without the unit of the response.

    They are the step of Gauss and Newton, the gradient and the diagonal of the curvature S by the size of the loss,
    the correlations in S, and the parameters that were solved for.
    """
    curvature, gradient = at.curvature, at.gradient
    step_numbers = list(Factor.of(curvature).solved(gradient))
    roots = [(row[-1] / scale) ** 0.5 for row in curvature]
    step_numbers += [slope / (root * scale) for slope, root in zip(gradient, roots, strict=True)]
    step_numbers += [root**0.25 for root in roots]
    for i, row in enumerate(curvature):
        step_numbers += [entry / (roots[i] * roots[j] * scale) for j, entry in enumerate(row[:-1])]
    return step_numbers + [solved / scale**0.5 for solved in at.solved]
