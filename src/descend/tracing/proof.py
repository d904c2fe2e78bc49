"""Holds a traced expression against the function it came from, row by row, at several parameter points.

Before a fit that is done on at most `BLOCK` of its rows, at points around the start; after it on all rows at the
solution. Where the function has no value, the expression may have one, but not at the solution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Columns = Mapping[str, Array]
Evaluate = Callable[[Array, Columns], Array]
"""(theta, columns) -> one number for each row."""
Conditions = Callable[[Array, Columns], Sequence[Mask]]
"""(theta, columns) -> which of the conditions in an expression hold in each row."""
POINTS, CANDIDATES = 2, 24
BLOCK = 8_192
"""Rows that are looked at together: the cache of a processor holds them, and BLAS wakes no threads for so few."""
RELATIVE, OF_LARGEST = 1e-13, 1e-14
"""How far rounding always may part the two, relative to the number itself, and to the largest in all rows."""
ROUNDED = 1e4
"""How many times what a change of the last digit of each input changes in the result."""
MANY = 1 << 17
"""Rows above which no value that is computed once more is looked at by itself if their sum of squares is the same."""
PART = 1 << 15
"""Rows of so many that a function is called with at a time."""
SUMMED = 1e-12
"""Share of a sum of squares that rounding may change."""
PROVED: dict[tuple[CodeType, str] | None, None] = {}
"""The code of functions, and formulas that were found to compute the same."""
MOST_PROVED = 512
DIFFERS = "is not what a formula makes of it: their values differ"


@dataclass(frozen=True, eq=False)
class Left:
    """What an expression leaves of a response: the sum of squares, weighted by omega if rows are."""

    response: Array
    omega: Array | None
    squares: float


@dataclass(frozen=True)
class Pair:
    """A function, and the expression that was traced from it.

    conditions: those in the expression that depend on parameters, each of which should be seen both true and false.
    low, high: between which the parameters may lie. known: what tells the function and the expression from others:
    where they were found to be the same before, one point is enough.
    """

    function: Evaluate
    expression: Evaluate
    conditions: Conditions | None = None
    low: Array | None = None
    high: Array | None = None
    known: tuple[CodeType, str] | None = None

    def difference(self, start: Array, columns: Columns) -> str | None:
        """Say why the expression is not what the function computes, in words that follow "it"; None if it seems to be.

        start: the parameter point to look at first; others are spread around it, as large as it is and as the columns
        are. Points at which the function has no value in most rows do not count.
        """
        sample = some_rows(columns)
        # A function of a row by itself has the same value there when it is given fewer rows.
        first_half = {name: column[: (_count(sample) + 1) // 2] for name, column in sample.items()}
        needed, proved, refusal = 1 if self.known in PROVED else POINTS, 0, None
        conditions_seen: set[tuple[int, bool]] = set()
        with np.errstate(all="ignore"):
            for number, theta in enumerate(_points(start, sample, self.low, self.high)):
                new = self._conditions_at(theta, sample) - conditions_seen
                if proved >= needed and not new:
                    continue
                sample_columns = sample if number else first_half
                try:
                    function_values = called(self.function, theta, sample_columns)
                except Exception as error:
                    refusal = error
                    continue
                finite = np.isfinite(function_values)
                reason = self._apart(theta, sample_columns, function_values, finite)
                if reason is not None:
                    return reason
                if 2 * np.count_nonzero(finite) > len(function_values):
                    proved += 1
                    conditions_seen |= new
                if proved >= needed and self.conditions is None:
                    break
        if proved:
            if self.known is not None:
                PROVED[self.known] = None
                for oldest in list(PROVED)[:-MOST_PROVED]:
                    PROVED.pop(oldest, None)
            return None
        if refusal is not None:
            return f"raises {type(refusal.__cause__ or refusal).__name__} whatever its parameters"
        return "has no value in most rows, whatever its parameters"

    def difference_after(
        self, theta: Array, before: Sequence[Array], columns: Columns, left: Left | None = None
    ) -> str | None:
        """Say why the expression is not what the function computes at the solution, in any row; None if it is.

        before: points that the descent came by, at which some rows are looked at.
        left: what the expression leaves of the response at the solution. Of very many rows some are then looked at one
            by one; if all of them together leave the same of it by the function, none is another.
        """
        sample, count = some_rows(columns), _count(columns)
        with np.errstate(all="ignore"):
            for point in before:
                with suppress(Exception):  # a descent may come by where the function refuses its parameters
                    function_values = called(self.function, point, sample)
                    if self._apart(point, sample, function_values, np.isfinite(function_values)) is not None:
                        return DIFFERS
            if left is not None and count > MANY and self._leaves_as_much(theta, columns, left):
                return self._difference_at(theta, sample)
            for sample_columns, _ in _parts(columns, count):
                reason = self._difference_at(theta, sample_columns)
                if reason is not None:
                    return reason
        return None

    def _leaves_as_much(self, theta: Array, columns: Columns, left: Left) -> bool:
        """Whether the function leaves as large a sum of squares of the response as the expression does."""
        squares = 0.0
        with suppress(Exception):
            for sample_columns, sample_slice in _parts(columns, len(left.response)):
                residuals = called(self.function, theta, sample_columns) - left.response[sample_slice]
                residuals *= residuals
                if left.omega is not None:
                    residuals *= left.omega[sample_slice]
                squares += float(np.add.reduce(residuals))  # an inner product would wake threads
            return abs(squares - left.squares) <= SUMMED * left.squares
        return False

    def accepts(self, theta: Array, columns: Columns) -> bool:
        """Whether the function has a value at a point, in every row."""
        with suppress(Exception), np.errstate(all="ignore"):
            return bool(np.isfinite(called(self.function, theta, columns)).all())
        return False

    def accepted(self, points: Sequence[Array], columns: Columns) -> Array | None:
        """Return the first of some points, or else of others around them, at which the function has a value, if any."""
        sample = some_rows(columns)
        around = _points(points[0], sample, self.low, self.high)
        return next((theta for theta in (*points, *around) if self.accepts(theta, sample)), None)

    def _difference_at(self, theta: Array, columns: Columns) -> str | None:
        """Say why a solution of the expression is none of the function; None if it is, as far as these rows say."""
        try:
            function_values = called(self.function, theta, columns)
        except Exception as error:
            return f"raises {type(error.__cause__ or error).__name__} where the fit ended"
        finite = np.isfinite(function_values)
        reason = self._apart(theta, columns, function_values, finite)
        if reason is None and not finite.all() and (np.isfinite(self.expression(theta, columns)) & ~finite).any():
            return "has no value where the fit ended"
        return reason

    def _conditions_at(self, theta: Array, columns: Columns) -> set[tuple[int, bool]]:
        if self.conditions is None:
            return set()
        met = enumerate(self.conditions(theta, columns))
        return {(number, answer) for number, mask in met for answer in (True, False) if (mask == answer).any()}

    def _apart(self, theta: Array, columns: Columns, function_values: Array, finite: Mask) -> str | None:
        """Say how what the function gave is apart from the expression in the rows where it has a value."""
        formula_values = self.expression(theta, columns)
        if (
            same(function_values, formula_values)
            or _agree(function_values, formula_values, finite)
            or self._within_rounding(theta, columns, function_values, formula_values, finite)
        ):
            return None
        again = called(self.function, theta, columns)
        if not np.array_equal(again, function_values, equal_nan=True):
            return "returns something else each time it is called"
        return DIFFERS

    def _within_rounding(
        self, theta: Array, columns: Columns, function_values: Array, formula_values: Array, finite: Mask
    ) -> bool:
        """Whether rounding of the inputs explains how two results differ, as where nearly equal numbers cancel."""
        values_apart = np.abs(function_values - formula_values)
        doubtful = np.flatnonzero(finite & ~(values_apart <= RELATIVE * np.abs(function_values)))
        part = {name: column[doubtful] for name, column in columns.items()}
        allowed = np.zeros(len(doubtful))
        for direction in (-np.inf, np.inf):
            for name in part:
                nudged_columns = dict(part) | {name: np.nextafter(part[name], direction)}
                allowed = np.fmax(allowed, np.abs(self.expression(theta, nudged_columns) - formula_values[doubtful]))
            for component in range(len(theta)):
                nudged_theta = theta.copy()
                nudged_theta[component] = np.nextafter(theta[component], direction)
                allowed = np.fmax(allowed, np.abs(self.expression(nudged_theta, part) - formula_values[doubtful]))
        return bool((values_apart[doubtful] <= ROUNDED * allowed).all())


def called(function: Evaluate, theta: Array, columns: Columns) -> Array:
    """Return what a function gives for columns that it cannot change: if it tries, it gets copies."""
    views = {}
    for name, column in columns.items():
        views[name] = view = column.view()
        view.setflags(write=False)
    try:
        return function(theta.copy(), views)
    except Exception as error:
        if "read-only" not in f"{error} {error.__cause__}":
            raise
    return function(theta.copy(), {name: column.copy() for name, column in columns.items()})


def some_rows(columns: Columns) -> Columns:
    """Return the rows themselves, or at most `BLOCK` of many, evenly spaced."""
    count = _count(columns)
    if count <= BLOCK:
        return columns
    sampled_rows = np.linspace(0, count - 1, BLOCK).astype(np.intp)
    return {name: column[sampled_rows] for name, column in columns.items()}


def _parts(columns: Columns, count: int) -> Iterator[tuple[Columns, slice]]:
    """Yield the columns in parts, with their places."""
    size = PART if count > MANY else BLOCK
    for begin in range(0, count, size):
        sample = slice(begin, begin + size)
        yield (columns if count <= size else {name: column[sample] for name, column in columns.items()}), sample


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def _points(start: Array, columns: Columns, low: Array | None, high: Array | None) -> Iterator[Array]:
    """Yield parameter points: the start, one near it, and then ever more mixed ones.

    Of these a parameter is, by chance, about as it was at the start, of the other sign, or a number out of some column.
    """
    size = np.where(start == 0.0, 1.0, start)
    yield start
    for number, (factors, kinds, picks) in enumerate(_draws(len(start))):
        theta = size * factors
        if number:
            cells = np.concatenate([column[[0, len(column) // 2, -1]] for column in columns.values()])
            theta = np.where(kinds == 1, -theta, np.where(kinds == 2, cells[picks % len(cells)], theta))
        yield theta if low is None else np.clip(theta, low, high)


@lru_cache(maxsize=16)
def _draws(parameters: int) -> list[tuple[Array, NDArray[np.int_], NDArray[np.int_]]]:
    """Return the random numbers that points are made of: factors, which kind each parameter is of, and which cell."""
    rng = np.random.default_rng(0)
    return [
        (
            np.exp(rng.uniform(-0.7, 0.7, parameters)),
            rng.integers(0, 3, parameters),
            rng.integers(0, 1 << 30, parameters),
        )
        for _ in range(CANDIDATES)
    ]


def same(function: Array, formula_values: Array) -> bool:
    """Whether all rows together are no further apart than a single one may be, which is quickly told.

    The largest value is no less than the root mean square.
    """
    values_apart = function - formula_values
    return bool(len(function) * values_apart.dot(values_apart) <= OF_LARGEST**2 * function.dot(function))


def _agree(function_values: Array, formula_values: Array, finite: Mask) -> bool:
    values_apart, size = np.abs(function_values - formula_values), np.abs(function_values)
    if not finite.all():
        values_apart, size = values_apart[finite], size[finite]
    return bool((values_apart <= RELATIVE * size + OF_LARGEST * size.max(initial=0.0)).all())
