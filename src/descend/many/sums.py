"""What is summed over the rows of each group at one point, and what follows from these sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.many.arrays import Arrays, Values
from descend.many.batch_code import BatchCode
from descend.many.systems import Entries, Factor, Triangle

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass
class Band:
    """Groups of like size.

    data: what the code reads of them, (rows, groups) each. products: sums of it, (groups,) each. size: half the sum of
    the squares of the responses. sizes: the rows of each group, a number if it is the same for all. A smaller group
    repeats its last row, so that the last rows are the same, and what it repeats is subtracted from the sums; with row
    weights these are 0 there, and sizes is None.
    """

    code: BatchCode
    data: list[Array]
    products: list[Array]
    size: Array
    sizes: float | Array | None = None
    surplus: Array | None = None

    def __len__(self) -> int:
        return len(self.size)

    def take(self, group_places: Values, arrays: Arrays) -> Band:
        """Return some of the groups."""
        data, products = ([arrays.take(each, group_places) for each in some] for some in (self.data, self.products))
        size, sizes, surplus = arrays.take(self.size, group_places), self.sizes, self.surplus
        if surplus is not None:
            sizes, surplus = arrays.take(sizes, group_places), arrays.take(surplus, group_places)
        return Band(self.code, data, products, size, sizes, surplus)

    def evaluated(self, theta: Entries, arrays: Arrays, shallow: bool, brief: bool = False) -> tuple[Any, ...]:
        """Return what the code returns at nonlinear parameters, an array over groups each."""
        band_arguments = self.data, self.products, theta, self.sizes, _solve, *self.summing(arrays)
        band_sums: tuple[Any, ...] = self.code.evaluate(*band_arguments, shallow, brief)
        return band_sums

    def summing(self, arrays: Arrays) -> tuple[Callable[..., Values], Callable[..., Values]]:
        """Return what sums a product over the rows of each group, and what sums an array."""
        dot, total, surplus = arrays.dot, arrays.total, self.surplus
        if surplus is None:
            return dot, total
        return (
            lambda one, other: dot(one, other) - surplus * (one[-1] * other[-1]),
            lambda each: total(each) - surplus * each[-1],
        )

    def summed(self, theta: Entries, arrays: Arrays, brief: bool) -> list[Values]:
        """Return the sums over rows in the order of `Sums`, with D'D for the curvature and phi'D for L^-1 phi'D."""
        solved, loss, gradient, own_sums, across, factor = self.evaluated(theta, arrays, False, brief)
        values = [loss, *solved, *gradient, *(entry for row in own_sums for entry in row)]
        if solved:  # the pivots of the factors first, then what is below the diagonal
            below = [*factor.below, *zip(*across, strict=True)]
            values += [*factor.pivots, *(entry for row in below for entry in row)]
        return [each if getattr(each, "ndim", 0) else each + 0.0 * self.size for each in values]


class Block:
    """Groups that descend together, in bands: what is done with rows is done band by band, all else at once."""

    def __init__(self, bands: list[Band], arrays: Arrays) -> None:
        self.bands, self.arrays = bands, arrays
        self.ends = np.cumsum([0, *map(len, bands)]).tolist()
        self.size: Array = arrays.joined([band.size for band in bands])

    @property
    def code(self) -> BatchCode:
        """The code of a band; those of all have the same parameters."""
        return self.bands[0].code

    def take(self, group: Places) -> Block:
        """Return some of the groups, whose places ascend."""
        cuts = np.searchsorted(group, self.ends).tolist()
        some = zip(self.bands, self.ends, cuts, cuts[1:], strict=False)
        to_arrays = self.arrays.from_numpy
        bands_taken = [band.take(to_arrays(group[i:j] - begin), self.arrays) for band, begin, i, j in some if j > i]
        return Block(bands_taken, self.arrays)

    def summed(self, theta: Entries, brief: bool) -> list[Values]:
        """Return the sums over rows at nonlinear parameters, an array over groups each, band by band."""
        if len(self.bands) == 1:
            return self.bands[0].summed(theta, self.arrays, brief)
        sums_of_bands = [
            band.summed([value[begin:end] for value in theta], self.arrays, brief)
            for band, begin, end in zip(self.bands, self.ends, self.ends[1:], strict=False)
        ]
        return [self.arrays.joined(sums_of_band) for sums_of_band in zip(*sums_of_bands, strict=True)]

    def losses(self, theta: Array) -> Array:
        """Return the sum of the loss over the rows of each group at nonlinear parameters (q,)."""
        losses_of_bands = []
        for band in self.bands:
            ones = band.size * 0.0 + 1.0
            losses_of_bands.append(band.evaluated([value * ones for value in theta], self.arrays, True)[1] * ones)
        losses: Array = self.arrays.to_numpy(self.arrays.joined(losses_of_bands))
        return losses


class Sums:
    """What is summed over the rows of each group at one point, and follows from it, as a list of arrays over groups.

    They are the loss; the parameters c that were solved for; the gradient and the lower triangle of the curvature of
    the projected loss; and for standard errors the factors of phi'phi = L D L', and the columns of L^-1 phi'D.
    """

    def __init__(self, code: BatchCode, values: list[Values]) -> None:
        self.code, self.values = code, values

    @classmethod
    def at(cls, theta: Entries, block: Block, brief: bool = False) -> Sums:
        """Sum a block at nonlinear parameters, an array over groups each. brief: see `BatchCode`."""
        raw = cls(block.code, block.summed(theta, brief))
        if not raw.solved:
            return raw
        factor, (begin, end), last = raw.factor, block.code.parts[3:5], block.code.parts[6]
        inner = [factor.forward(column) for column in raw.inner]
        scaled = [factor.scaled(column) for column in inner]
        rows = enumerate(raw.curvature)
        curvature = [_less(entry, inner[i], scaled[j]) for i, row in rows for j, entry in enumerate(row)]
        curvature_sums = [
            *raw.values[:begin],
            *curvature,
            *raw.values[end:last],
            *(each for inner_row in inner for each in inner_row),
        ]
        return cls(block.code, curvature_sums)

    def _part(self, number: int) -> list[Values]:
        begin, end = self.code.parts[number : number + 2]
        return self.values[begin:end]

    @property
    def loss(self) -> Array:
        losses: Array = self.values[0]
        return losses

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

    def held(self, still: Entries, arrays: Arrays) -> Sums:
        """Return those of a descent in which some nonlinear parameters stay where they are; nothing is solved for."""
        where = arrays.library.where
        gradient = [where(held, 0.0, slope) for held, slope in zip(still, self.gradient, strict=True)]
        curvature = [
            where(parameter | two, float(parameter is two), entry)
            for parameter, row in zip(still, self.curvature, strict=True)
            for two, entry in zip(still, row, strict=False)
        ]
        return Sums(self.code, [self.loss, *gradient, *curvature])

    def take(self, group_places: Values, arrays: Arrays) -> Sums:
        """Return those of some groups."""
        return Sums(self.code, [arrays.take(each, group_places) for each in self.values])

    def theta(self, nonlinear: Entries, step: Entries | None = None) -> list[Values]:
        """Return all parameters by their places; after a last step, which c follows to first order."""
        solved = list(self.solved)
        if step is not None:
            factor = self.factor
            for column, own in zip(self.inner, step, strict=False):
                back_substituted = factor.backward(factor.scaled(column))
                solved = [value + entry * own for value, entry in zip(solved, back_substituted, strict=True)]
            nonlinear = [value - own for value, own in zip(nonlinear, step, strict=True)]
        theta_by_symbol = dict(zip((*self.code.nonlinear, *self.code.linear), (*nonlinear, *solved), strict=True))
        return [theta_by_symbol[component] for component in range(self.code.size)]

    def variances(self) -> tuple[list[Values], list[Values]]:
        """Return the diagonals of the inverse of the curvature in all parameters, and of itself, by their places."""
        factor, inner = self.factor, self.inner
        direct = {component: row[-1] for component, row in zip(self.code.nonlinear, self.curvature, strict=True)}
        for component, column in zip(self.code.nonlinear, inner, strict=False):
            scaled = zip(column, factor.scaled(column), strict=True)
            direct[component] = sum((one * two for one, two in scaled), direct[component])
        for component, below, pivot in zip(self.code.linear, factor.below, factor.pivots, strict=False):
            above = zip(below, factor.pivots, strict=False)
            direct[component] = sum((entry * entry * size for entry, size in above), pivot)
        inverse = [sum(entry * entry for entry in row) for row in self.root()]
        return inverse, [direct[component] for component in range(self.code.size)]

    def root(self) -> list[list[Values]]:
        """Return the rows of R, with R R' = C^-1 of the curvature C in all parameters, by their places."""
        lower, factor, size = Factor.of(self.curvature), self.factor, self.code.size
        followed = [factor.backward(factor.scaled(column)) for column in self.inner]
        rows = {
            component: [*lower.rooted(_unit(number, len(self.code.nonlinear))), *[0.0] * len(self.code.linear)]
            for number, component in enumerate(self.code.nonlinear)
        }
        for number, component in enumerate(self.code.linear):  # what is solved for follows the others
            own = [-column[number] for column in followed]
            rows[component] = [*lower.rooted(own), *factor.rooted(_unit(number, len(self.code.linear)))]
        return [rows[component] for component in range(size)]


def _solve(gram: Triangle, right: Entries) -> tuple[Entries, Factor]:
    factor = Factor.of(gram)
    return factor.solved(right), factor


def _unit(place: int, size: int) -> list[float]:
    return [float(number == place) for number in range(size)]


def _less(entry: Values, left_entries: Entries, right_entries: Entries) -> Values:
    for left, right in zip(left_entries, right_entries, strict=True):
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
