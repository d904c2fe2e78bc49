"""Calls of a function of p numbers that has a value in each row: remembered, counted, many points at once."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = NDArray[Any]
"""Real or complex numbers."""
REMEMBERED = 4
"""Points whose values are kept."""
MOST = 1 << 22
"""Numbers that a call for many points may return."""
COMPLEX = "complex", "imaginary", "not supported for the input types", "real number"
"""What is said where a function does not take complex numbers."""
TOLD_APART = 1e-6
"""Values that differ by more than this share of the largest are not the same by chance."""
ALIKE = 1e-12
"""Values of a row computed in two ways may differ by this share of the largest."""


SPREAD = (0.05, 0.3, 0.003)
"""How far apart the points are at which calls for many points are held against calls for one, tried in turn."""


class RowFunction(Protocol):
    """A function of p numbers with one value in each of n rows. name: for messages."""

    @property
    def name(self) -> str: ...

    def one(self, theta: Values) -> Values:
        """Return the (n,) values at a point, which may be complex. Raises an error where it has none."""
        ...

    def many(self, thetas: Values) -> Values:
        """Return the (k, n) values at k points, (k, p), from one call. Raises an error where that cannot be."""
        ...


class Calls:
    """A function as the derivatives see it.

    count: how often it was called. failures: at how many points it raised an error, and the last one: once it had a
    value somewhere, such a point counts as one without values, NaN. together: whether one call takes many points, which
    is verified against calls for one; None before the first attempt.
    """

    def __init__(self, function: RowFunction, size: int) -> None:
        self.function, self.size = function, size
        self.count = self.failures = 0
        self.last_error: Exception | None = None
        self.together: bool | None = None
        self.rows = 0
        self.refused_complex = False
        """Whether a complex call was refused for being complex, rather than for the points of it."""
        self._remembered: deque[tuple[bytes, Array]] = deque(maxlen=REMEMBERED)

    def remembered(self, theta: Array) -> Array | None:
        """Return the values at a point, if they are remembered."""
        key = theta.tobytes()
        return next((values for theta_before, values in self._remembered if theta_before == key), None)

    def keep(self, theta: Array, values: Array) -> None:
        """Remember the values at a point."""
        if self.remembered(theta) is None:
            self._remembered.append((theta.tobytes(), values))

    def value(self, theta: Array) -> Array:
        """Return the (n,) values at a point: NaN where the function raises an error, unless it is the first point."""
        values_before = self.remembered(theta)
        if values_before is None:
            values_before = self._called(theta)
            self.keep(theta, values_before)
        return values_before

    def _called(self, theta: Array) -> Array:
        self.count += 1
        try:
            values = self.function.one(theta)
        except Exception as error:  # whatever a user's function raises
            if not self.rows:
                raise
            self.failures, self.last_error = self.failures + 1, error
            values = np.full(self.rows, np.nan)
        self.rows = len(values)
        return values

    def again(self, theta: Array) -> Array:
        """Return the values at a point, called anew."""
        self.count += 1
        return self.function.one(theta)

    def values(self, thetas: Array) -> Array:
        """Return the (k, n) values at k points, the first of which is remembered: in one call, if that is possible."""
        if self.rows and len(thetas) * self.rows <= MOST and self.learn(thetas[0]):
            values_of_thetas = self._at_once(thetas)
            if values_of_thetas is not None:
                return values_of_thetas
            self.together = False
        return np.array([self.value(thetas[0]), *map(self._once, thetas[1:])])

    def _once(self, theta: Array) -> Array:
        values_before = self.remembered(theta)
        return self._called(theta) if values_before is None else values_before

    def learn(self, theta: Array) -> bool:
        """Find out whether one call takes several points, if that is not known.

        A function that sets rows against each other, as in ``y / y[0]`` or ``y - y.min()``, may seem to by chance
        where points differ in one parameter, or where all values are 0. So three points that differ in every
        parameter, and in their values, are held against a call for each.
        """
        if self.together is None:
            self.together = self._takes_many(theta)
        return self.together

    def _takes_many(self, theta: Array) -> bool:
        base = np.where(theta == 0.0, 1.0, theta)  # where a parameter is 0, another may have no influence
        weight = np.arange(1.0, theta.size + 1.0) / theta.size
        for share in SPREAD:
            points = np.array([base, base * (1.0 + share * weight), base * (1.0 - share * weight[::-1])])
            values_at_once = self._at_once(points)
            if values_at_once is None:
                return False
            alone = [self.value(base), *map(self._once, points[1:])]
            if all(_apart(alone[point], alone[second_point]) for point, second_point in ((0, 1), (0, 2), (1, 2))):
                return all(map(alike, values_at_once, alone))
        return False

    def _at_once(self, thetas: Array) -> Array | None:
        self.count += 1
        try:
            values_at_once = self.function.many(thetas)
        except Exception:  # whatever it is that such a call leads to
            return None
        values_before = self.remembered(thetas[0])
        return values_at_once if values_before is None or alike(values_at_once[0], values_before) else None

    def complex_values(self, thetas: Values, together: bool) -> Values | None:
        """Return the (k, n) complex values at k complex points; None where the function takes no complex numbers.

        together: in one call.
        """
        with REAL_ONLY.refused():
            try:
                if together:
                    self.count += 1
                    return self.function.many(thetas)
                complex_values_found = []
                for theta in thetas:
                    self.count += 1
                    complex_values_found.append(self.function.one(theta))
                return np.array(complex_values_found)
            except Exception as error:  # whatever it is that such a call leads to
                self.refused_complex = not together or _about_complex(error)
                return None


def _about_complex(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is about complex numbers, as far as its words tell."""
    while error is not None:
        if isinstance(error, np.exceptions.ComplexWarning) or any(word in str(error).lower() for word in COMPLEX):
            return True
        error = error.__cause__
    return False


class _RealOnly:
    """Turns the warning that an imaginary part is discarded into an error.

    All threads share the filters of warnings: the first that comes changes them, the last that goes restores them.
    """

    def __init__(self) -> None:
        self.lock, self.inside, self.before = threading.Lock(), 0, warnings.catch_warnings()

    @contextmanager
    def refused(self) -> Iterator[None]:
        with self.lock:
            if not self.inside:
                self.before = warnings.catch_warnings()
                self.before.__enter__()
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
            self.inside += 1
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                if not self.inside:
                    self.before.__exit__(None, None, None)


REAL_ONLY = _RealOnly()


def alike(first_values: Array, second_values: Array) -> bool:
    """Whether two ways to compute the same values agree, to rounding and in where there is no value."""
    finite_values = np.isfinite(second_values)
    if not np.array_equal(np.isfinite(first_values), finite_values):
        return False
    size = float(np.abs(second_values[finite_values]).max(initial=0.0))
    return bool((np.abs(first_values[finite_values] - second_values[finite_values]) <= ALIKE * size).all())


def _apart(first_values: Array, second_values: Array) -> bool:
    """Whether values at two points can be told apart."""
    finite_values = np.isfinite(first_values) & np.isfinite(second_values)
    size = float(np.abs(second_values[finite_values]).max(initial=0.0))
    return bool((np.abs(first_values[finite_values] - second_values[finite_values]) > TOLD_APART * size).any())
