"""Holds a traced expression against the function it came from, row by row, at several parameter points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Evaluate = Callable[[Array, Mapping[str, Array]], Array]
"""(theta, columns) -> one number for each row."""
POINTS, CANDIDATES = 3, 24
BLOCK = 16_384
"""Rows that are looked at together; a function that was traced treats each row by itself, so it can be given any."""
RELATIVE, OF_LARGEST = 1e-9, 1e-13
"""How far rounding may part the two, relative to the number itself, and to the largest in all rows."""
ROUNDED = 1e4
"""How many times what a change of the last digit of each input changes in the result."""


def disagreement(
    function: Evaluate, expression: Evaluate, start: Array, columns: Mapping[str, Array], points: int = POINTS
) -> str | None:
    """Say where a function and the expression traced from it differ; None if they agree to rounding in every row.

    start: the parameter point to look at first; others are spread around it. Points at which the function has no value
    in most rows do not count. points: at how many they have to agree.
    """
    rows = len(next(iter(columns.values())))
    blocks = [slice(begin, begin + BLOCK) for begin in range(0, rows, BLOCK)]
    proved = 0
    for theta in _points(start):
        informative = 0
        for number, block in enumerate(blocks):
            if proved and number % POINTS != proved and len(blocks) > POINTS:
                continue
            part = columns if rows <= BLOCK else {name: column[block] for name, column in columns.items()}
            try:
                given = function(theta, part)
            except Exception as error:
                if proved or number:
                    return f"it raised {type(error).__name__} for some parameters"
                break
            with np.errstate(all="ignore"):
                read = expression(theta, part)
            if _same(given, read):
                informative += len(given)
                continue
            finite = np.isfinite(given)
            informative += int(finite.sum())
            if not _agree(given, read, finite) and not _within_rounding(expression, theta, part, given, read, finite):
                return "the function and the formula traced from it differ"
        proved += 2 * informative > rows / (POINTS if proved and len(blocks) > POINTS else 1)
        if proved == points:
            return None
    return "no parameters were found at which it has values to compare" if not proved else None


def _points(start: Array) -> Iterator[Array]:
    """Yield parameter points: the start, and others spread around it and around 1."""
    yield start
    rng = np.random.default_rng(0)
    for number in range(CANDIDATES):
        size = np.where(start == 0.0, 1.0, np.abs(start)) if number % 3 < 2 else np.ones(len(start))
        sign = np.where(start < 0.0, -1.0, 1.0) if number % 2 == 0 else rng.choice((-1.0, 1.0), len(start))
        yield sign * size * np.exp(rng.uniform(-0.7, 0.7, len(start)))


def _same(given: Array, read: Array) -> bool:
    """Whether all rows together are no further apart than a single one may be, which is quickly told.

    The largest value is no less than the root mean square.
    """
    if given.shape != read.shape:
        return False
    apart = given - read
    return bool(len(given) * apart.dot(apart) <= OF_LARGEST**2 * given.dot(given))


def _agree(given: Array, read: Array, finite: NDArray[np.bool_]) -> bool:
    if finite.all():
        largest = float(np.max(np.abs(given), initial=0.0))
        return bool((np.abs(given - read) <= RELATIVE * np.abs(given) + OF_LARGEST * largest).all())
    if not finite.any():
        return True
    every = np.ones(int(finite.sum()), dtype=bool)
    return _agree(given[finite], read[finite], every)


def _within_rounding(
    expression: Evaluate,
    theta: Array,
    columns: Mapping[str, Array],
    given: Array,
    read: Array,
    finite: NDArray[np.bool_],
) -> bool:
    """Whether rounding of the inputs explains how two results differ, as where nearly equal numbers cancel."""
    apart = np.abs(given - read)
    allowed = np.zeros(len(given))
    with np.errstate(all="ignore"):
        for direction in (-1.0, 1.0):
            for name in columns:
                moved = dict(columns) | {name: np.nextafter(columns[name], direction * np.inf)}
                allowed = np.fmax(allowed, np.abs(expression(theta, moved) - read))
            for place in range(len(theta)):
                other = theta.copy()
                other[place] = np.nextafter(theta[place], direction * np.inf)
                allowed = np.fmax(allowed, np.abs(expression(other, columns) - read))
        return bool((apart[finite] <= ROUNDED * allowed[finite]).all())
