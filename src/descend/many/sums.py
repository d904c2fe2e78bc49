"""What is summed over the rows of each group at one point, and what follows from these sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.many.arrays import Arrays, Values
from descend.many.code import BatchCode
from descend.many.systems import Entries, Factor, Triangle

Array = NDArray[np.float64]


@dataclass
class Block:
    """Some groups. data: what the code reads of them, (rows, groups) each; products: sums of it, (groups,) each.

    count: the rows of each group, where it is the same for all. size: half the sum of the squares of the responses.
    """

    data: list[Array]
    products: list[Array]
    count: float
    size: Array

    def take(self, places: Values, arrays: Arrays) -> Block:
        """Return some of the groups."""
        data, products = ([arrays.take(each, places) for each in some] for some in (self.data, self.products))
        return Block(data, products, self.count, arrays.take(self.size, places))


class Sums:
    """What is summed over the rows of each group at one point, and follows from it, as a list of arrays over groups.

    They are the loss; the parameters c that were solved for; the gradient and the lower triangle of the curvature of
    the projected loss; and for standard errors the factors of phi'phi = L D L', and the columns of L^-1 phi'D.
    """

    def __init__(self, code: BatchCode, values: list[Values]) -> None:
        self.code, self.values = code, values

    @classmethod
    def at(cls, code: BatchCode, theta: Entries, block: Block, arrays: Arrays) -> Sums:
        """Sum a block at nonlinear parameters, an array over groups each."""
        given = block.data, block.products, theta, block.count, _solve, arrays.dot, arrays.total
        solved, loss, gradient, own, across, factor = code.evaluate(*given, False)
        curvature, values = own, [loss, *solved, *gradient]
        inner: list[Values] = []
        if solved:  # the pivots of the factors first, then what is below the diagonal
            inner = [factor.forward(column) for column in zip(*across, strict=True)]
            scaled = [factor.scaled(column) for column in inner]
            curvature = [
                [_less(entry, inner[i], scaled[j]) for j, entry in enumerate(row)] for i, row in enumerate(own)
            ]
            inner = [*factor.pivots, *(entry for row in (*factor.below, *inner) for entry in row)]
        values += [entry for row in curvature for entry in row] + inner
        return cls(code, [each if getattr(each, "ndim", 0) else each + 0.0 * block.size for each in values])

    def _part(self, number: int) -> list[Values]:
        begin, end = self.code.parts[number : number + 2]
        return self.values[begin:end]

    @property
    def loss(self) -> Array:
        found: Array = self.values[0]
        return found

    @cached_property
    def solved(self) -> Entries:
        """c, one after the other."""
        return self._part(1)

    @cached_property
    def gradient(self) -> Entries:
        return self._part(2)

    @cached_property
    def curvature(self) -> Triangle:
        return rows_of_triangle(self._part(3), 1)

    @property
    def factor(self) -> Factor:
        """The factors of phi'phi."""
        return Factor(rows_of_triangle(self._part(5), 0), self._part(4))

    @property
    def inner(self) -> list[Entries]:
        """The columns of L^-1 phi'D, one for each nonlinear parameter."""
        linear, entries = len(self.code.linear), self._part(6)
        return [entries[begin : begin + linear] for begin in range(0, len(entries), linear)] if linear else []

    def take(self, places: Values, arrays: Arrays) -> Sums:
        """Return those of some groups."""
        return Sums(self.code, [arrays.take(each, places) for each in self.values])

    def theta(self, nonlinear: Entries, step: Entries | None = None) -> list[Values]:
        """Return all parameters by their places; after a last step, which c follows to first order."""
        solved = list(self.solved)
        if step is not None:
            factor = self.factor
            for column, own in zip(self.inner, step, strict=False):
                moved = factor.backward(factor.scaled(column))
                solved = [value + entry * own for value, entry in zip(solved, moved, strict=True)]
            nonlinear = [value - own for value, own in zip(nonlinear, step, strict=True)]
        found = dict(zip((*self.code.nonlinear, *self.code.linear), (*nonlinear, *solved), strict=True))
        return [found[place] for place in range(self.code.size)]

    def variances(self) -> tuple[list[Values], list[Values]]:
        """Return the diagonals of the inverse of the curvature in all parameters, and of itself, by their places."""
        lower, factor, inner = Factor.of(self.curvature), self.factor, self.inner
        inverse = dict(zip(self.code.nonlinear, lower.inverse_diagonal(), strict=True))
        direct = {place: row[-1] for place, row in zip(self.code.nonlinear, self.curvature, strict=True)}
        for place, column in zip(self.code.nonlinear, inner, strict=False):
            direct[place] = sum(
                (one * two for one, two in zip(column, factor.scaled(column), strict=True)), direct[place]
            )
        moved = [factor.backward(factor.scaled(column)) for column in inner]
        for k, (place, own) in enumerate(zip(self.code.linear, factor.inverse_diagonal(), strict=True)):
            inverse[place] = own + lower.square([column[k] for column in moved])
            above = zip(factor.below[k], factor.pivots, strict=False)
            direct[place] = sum((entry * entry * pivot for entry, pivot in above), factor.pivots[k])
        places = range(self.code.size)
        return [inverse[place] for place in places], [direct[place] for place in places]


def _solve(gram: Triangle, right: Entries) -> tuple[Entries, Factor]:
    factor = Factor.of(gram)
    return factor.solved(right), factor


def _less(entry: Values, one: Entries, other: Entries) -> Values:
    for left, right in zip(one, other, strict=True):
        entry = entry - left * right
    return entry


def rows_of_triangle(entries: list[Values], first: int) -> Triangle:
    """Return the rows of a lower triangle, of which the first has so many entries, and each one more than the last."""
    rows: list[Entries] = []
    begin = 0
    while begin < len(entries) or (not rows and not first):
        rows.append(entries[begin : begin + first + len(rows)])
        begin += first + len(rows) - 1
    return rows


def losses(code: BatchCode, theta: Entries, block: Block, arrays: Arrays) -> Array:
    """Return the sum of the loss over the rows of each group at nonlinear parameters (q,)."""
    ones = block.size * 0.0 + 1.0
    given = block.data, block.products, [value * ones for value in theta], block.count, _solve
    found: Array = arrays.returned(code.evaluate(*given, arrays.dot, arrays.total, True)[1] * ones)
    return found
