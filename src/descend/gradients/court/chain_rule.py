"""Mistakes in the chain rule: finds a missing or extra factor in each row's contribution to a gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.gradients.court.evidence import Case, Point
from descend.gradients.court.rows import Factor
from descend.gradients.court.wording import Mistake, off_by

Array = NDArray[np.float64]
ROWS = 12
"""How many rows are evaluated one by one."""
MOST_PAIRED = 32
"""Products and quotients of two expressions are tried for at most this many expressions."""
CONSTANTS = (1.0, -1.0, 2.0, 0.5, -2.0, -0.5)


class ChainRule:
    """Compares a gradient under test with the true one, row by row.

    gradient_given, allowed: (points, p) what it gave, and how far that may be off. same: whether two sets of numbers at
    the points agree for a component, within rounding.
    """

    def __init__(
        self,
        case: Case,
        scales: Array,
        points: Sequence[Point],
        gradient_given: Array,
        allowed: Array,
        same: Callable[[Array, Array, int], bool],
    ) -> None:
        self.case, self.scales, self.points = case, scales, points
        self.given, self.allowed, self.same = gradient_given, allowed, same
        self.single: list[tuple[Point, NDArray[np.intp]]] = []
        self.row_factors: dict[int, list[tuple[str, Array]]] = {}

    def mistake(self, k: int, constants: Sequence[float]) -> Mistake | None:
        """Look for an expression that, times one of some constants, is the ratio of given over right in every row."""
        right, gradient_given, allowed, together = self.contributions(k)
        options = self._options(k, together)
        if not options:
            return None
        if not together and (np.abs(gradient_given - right) <= allowed).all():
            return Mistake("wrong", self._not_together(k))
        return factor_between(options, right, gradient_given, allowed, constants, together)

    def _options(self, k: int, together: bool) -> list[tuple[str, Array]]:
        """Return the expressions that are tried as factors of component k, with their values."""
        if k not in self.row_factors:
            factors = self.case.model.factors(k, tuple(self.case.columns))
            values = [self._values(factor, together) for factor in factors]
            self.row_factors[k] = [
                (factor.text, value) for factor, value in zip(factors, values, strict=True) if usable(value)
            ]
        return self.row_factors[k]

    def _not_together(self, k: int) -> str:
        """Say what is wrong with a gradient that is right for each row alone, but not for all."""
        for end_of_rows, which in ((-1, "last"), (0, "first")):
            alone = np.stack([self.case.contributions(p.theta, self.scales)[0][end_of_rows] for p in self.points])
            if self.same(self.given[:, k], alone[:, k], k):
                return f"it is that of the {which} row only. Sum over all rows: `+=` where it says `=`, then divide."
        if self.case.weights is not None and not self.case.python:
            return (
                "it is right for each row alone, but not for all together: `mean` and `sum` weigh the rows already. "
                "Leave the weights out of it."
            )
        return (
            "it is right for each row alone, but not for all together. If it is a product of means, multiply first, "
            "then take the mean."
        )

    def contributions(self, k: int) -> tuple[Array, Array, Array, bool]:
        """Return contributions of single rows: right, given, allowed; or, where the gradient of a single row cannot
        be asked for, those of all rows and the given means: then the last is true."""
        if self.alone is None:
            parts = np.stack([self.case.contributions(p.theta, self.scales)[0] for p in self.points])
            return parts[:, :, k], self.given[:, k], self.allowed[:, k], True
        right, gradient_given, allowed = self.alone
        return right[:, k], gradient_given[:, k], allowed[:, k], False

    @cached_property
    def alone(self) -> tuple[Array, Array, Array] | None:
        """What single rows contribute, (rows, p): right, given and allowed; None where no single row can be asked."""
        right, gradient_given, allowed = [], [], []
        for point in self.points[:3]:
            contributions, _ = self.case.contributions(point.theta, self.scales, self.case.part(point.sample))
            usable = np.flatnonzero(np.isfinite(contributions).all(axis=1) & (np.abs(contributions).max(axis=1) > 0.0))
            chosen = usable[np.unique(np.linspace(0, len(usable) - 1, ROWS).astype(int))] if len(usable) else usable
            if not len(chosen):
                return None
            try:
                rows = [self.case.call(point.theta, point.sample[[row_chosen]]) for row_chosen in chosen]
            except Exception:
                return None  # it cannot be called with a single row
            if all(np.allclose(row, point.given, rtol=1e-9, atol=0.0) for row in rows) and len(rows) > 1:
                return None  # it uses all rows, whichever it is given
            right.append(contributions[chosen])
            gradient_given.append(np.stack(rows))
            allowed.append(2.0 * point.leeway[chosen] + 1e-6 * np.abs(contributions[chosen]))
            self.single.append((point, point.sample[chosen]))
        return np.concatenate(right), np.concatenate(gradient_given), np.concatenate(allowed)

    def _values(self, factor: Factor, together: bool) -> Array:
        with np.errstate(all="ignore"):
            if together:
                return np.stack([factor.of(point.theta, self.case.columns) for point in self.points])
            return np.concatenate([factor.of(point.theta, self.case.part(rows)) for point, rows in self.single])


def factor_between(
    options: Sequence[tuple[str, Array]],
    right: Array,
    gradient_given: Array,
    allowed: Array,
    constants: Sequence[float],
    together: bool = False,
    where: str = " inside the mean",
) -> Mistake | None:
    """Return the factor by which given differs from right in every row: one or two expressions, times a constant.

    options: texts of expressions, likely ones first, with their values. together: whether given are means over rows.
    where: a missing factor is to be multiplied.
    """
    no_factor = np.ones(1)
    for constant in constants:
        for text, value in options:
            if _explains(gradient_given, constant * right, no_factor, value, allowed, together):
                return off_by(constant, [(text, -1)], where)
            if _explains(gradient_given, constant * right, value, no_factor, allowed, together):
                return off_by(constant, [(text, 1)], where)
    pairs = list(itertools.combinations(options[:MOST_PAIRED], 2))
    for constant in [each for each in constants if each in CONSTANTS[:4]]:
        for (text, value), (other_factor, second) in pairs:
            for above, below, factor_texts in (
                (no_factor, value * second, [(text, -1), (other_factor, -1)]),
                (value, second, [(text, 1), (other_factor, -1)]),
                (second, value, [(text, -1), (other_factor, 1)]),
                (value * second, no_factor, [(text, 1), (other_factor, 1)]),
            ):
                if _explains(gradient_given, constant * right, above, below, allowed, together):
                    return off_by(constant, factor_texts, where)
    return None


def usable(value: Array) -> bool:
    """Whether a factor is a number in every row, and neither 0 nor 1 throughout."""
    return bool(np.isfinite(value).all() and (value != 0.0).any() and np.abs(value - 1.0).max() > 1e-9)


def _explains(gradient_given: Array, right: Array, above: Array, below: Array, allowed: Array, together: bool) -> bool:
    """Whether given is right times above / below: compared as given * below, for a factor may be 0 in some rows."""
    with np.errstate(all="ignore"):
        if together:
            value = above / below
            right, above, below = (value * right).mean(axis=1), np.ones(1), np.ones(1)
            allowed = allowed * np.maximum(1.0, np.abs(value).max(axis=-1))
        left, other_side = gradient_given * below, right * above
        fits = np.abs(left - other_side) <= 4.0 * allowed * (np.abs(below) + np.abs(above))
        telling = np.abs(other_side) > 16.0 * allowed * (np.abs(below) + np.abs(above))
        return bool(fits.all() and 4 * telling.sum() >= telling.size)
