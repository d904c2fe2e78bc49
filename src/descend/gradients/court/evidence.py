"""What a gradient is compared with: the true one at well-chosen points, and how far rounding may move it from there.

No tolerance here is arbitrary. A computation in single precision is right if it is the exact result for inputs that
are off by rounding; so the true gradient is computed for many such inputs, and their spread is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from descend.gradients.court.rows import RowModel

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
SINGLE = float(np.finfo(np.float32).eps) / 2.0
"""The rounding of single precision, the lowest precision in which gradients are normally computed."""
DRAWS = 12
"""How many sets of rounded inputs are tried."""
SAFETY = 16.0
SAMPLE = 200_000
"""Numbers in the sample of rows that represents the conditioning of all rows."""
BLOCK = 16_384
POINTS = 4
SQUARED = 1e-3 * float(np.sqrt(np.finfo(np.float32).max))
"""Size up to which numbers, their squares and sums of these are finite in single precision, with room to spare."""
REACHES = (0.3, 0.1, 0.6, 0.2, 1.0, 0.05, 0.02, 0.4, 0.01, 2.0, 0.1, 0.01)
"""How far the points lie from the start, as shares of the change in each parameter that would matter."""


@dataclass(eq=False)
class Case:
    """A gradient to be judged.

    accused: (theta, rows) -> dJ/dtheta as the mean over those rows, or over all if None.
    weights: of the rows, or None. start: where a descent would start; points lie around it.
    lower, upper: bounds within which points must lie, or None. python: whether the gradient is a Python function,
        which may remember, and may compute in any precision. seen: parameters at which it was called before.
    """

    model: RowModel
    columns: Mapping[str, Array]
    accused: Callable[[Array, Rows | None], Array]
    start: Array
    weights: Array | None = None
    inside: Callable[[Array], bool] = lambda theta: True
    python: bool = False
    seen: list[Array] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def part(self, rows: Rows) -> Mapping[str, Array]:
        """Return the columns in some rows."""
        return {name: column[rows] for name, column in self.columns.items()}

    def call(self, theta: Array, rows: Rows | None = None) -> Array:
        """Evaluate the gradient under test; NaN where it fails."""
        with np.errstate(all="ignore"):
            return np.array(self.accused(theta.copy(), rows), dtype=np.float64)

    def single(self) -> bool:
        """Find out whether the accused gradient computes in single precision, as its results show."""
        if not self.python:
            return False
        self.seen.append(self.start)
        gradient_given = self.call(self.start)
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.array_equal(gradient_given.astype(np.float32), gradient_given, equal_nan=True))

    def within(self, theta: Array, most: float = SQUARED) -> bool:
        """Whether scores and residuals are smaller than ``most`` in every row."""
        with np.errstate(all="ignore"):
            score, y = self.model.score(theta, self.columns), self.model.response(self.columns)
            return bool(np.abs(score).max() < most and np.abs(score - y).max() < most)

    def contributions(
        self, theta: Array, scales: Array, columns: Mapping[str, Array] | None = None
    ) -> tuple[Array, Array]:
        """Return slope times jacobian, (n, p), and how far off each may be."""
        columns = self.columns if columns is None else columns
        with np.errstate(all="ignore"):
            slope = self.model.loss.slope(self.model.score(theta, columns), self.model.response(columns))
            jacobian, error = self.model.jacobian(theta, columns, scales)
            return slope[:, None] * jacobian, np.abs(slope)[:, None] * error

    def by_steps(self, theta: Array, stepped: Callable[[Array], Array | None]) -> Array | None:
        """Return the gradient by the derivatives of the scores that a complex step finds, None where there are none."""
        jacobian = stepped(theta)
        if jacobian is None:
            return None
        slope = self.model.loss.slope(self.model.score(theta, self.columns), self.model.response(self.columns))
        return self.mean(slope[:, None] * jacobian)

    def mean(self, contributions: Array, rows: Rows | None = None) -> Array:
        """Average contributions as J does."""
        if self.weights is None:
            mean: Array = contributions.mean(axis=0)
            return mean
        omega = self.weights if rows is None else self.weights[rows]
        weighted: Array = omega @ contributions / omega.sum()
        return weighted

    def truth(self, theta: Array, scales: Array) -> tuple[Array, Array, Array]:
        """Return the true gradient, its own uncertainty, and the mean size of the contributions it averages."""
        total = np.zeros((3, theta.size))
        for begin in range(0, self.rows, BLOCK):
            rows = np.arange(begin, min(begin + BLOCK, self.rows))
            contributions, error = self.contributions(theta, scales, self.part(rows) if self.rows > BLOCK else None)
            omega = np.ones(len(rows)) if self.weights is None else self.weights[rows]
            total += np.stack([omega @ contributions, omega @ error, omega @ np.abs(contributions)])
        total /= self.rows if self.weights is None else self.weights.sum()
        return total[0], total[1], total[2]

    def value(self, theta: Array) -> float:
        """Return J, less any penalty."""
        with np.errstate(all="ignore"):
            losses = self.model.loss.value(self.model.score(theta, self.columns), self.model.response(self.columns))
        return float(self.mean(losses[:, None])[0])


@dataclass(eq=False)
class Point:
    """The true gradient somewhere, with what rounding allows: all of shape (p,).

    sample: rows that stand for all; leeway: of their contributions, (m, p). size: mean size of the contributions.
    """

    theta: Array
    truth: Array
    allowed: Array
    sample: Rows
    leeway: Array
    given: Array = field(default_factory=lambda: np.empty(0))
    size: Array = field(default_factory=lambda: np.zeros(1))

    def slackened(self, slack: float) -> Point:
        """Return the point with so large a share of all contributions allowed."""
        return replace(self, allowed=self.allowed + slack * self.size, leeway=self.leeway + slack * self.size)

    def agrees(self, gradient_given: Array) -> NDArray[np.bool_]:
        """Say which components are right, to what rounding explains."""
        with np.errstate(invalid="ignore"):
            return np.abs(gradient_given - self.truth) <= self.allowed


def natural_scales(case: Case) -> Array:
    """Return the change of each parameter that would matter: sqrt(J / C_kk), C the curvature at the start."""
    rows = spread_rows(case)
    columns = case.part(rows)
    size = np.where(case.start != 0.0, np.abs(case.start), 1.0)
    with np.errstate(all="ignore"):
        jacobian, _ = case.model.jacobian(case.start, columns, size)
        score, y = case.model.score(case.start, columns), case.model.response(columns)
        weight = case.model.loss.weight(score, y)
        diagonal = (weight[:, None] * jacobian**2).mean(axis=0)
        value = abs(float(case.model.loss.value(score, y).mean()))
        scales: Array = np.sqrt(value / diagonal)
    usable = np.isfinite(scales) & (scales > 0.0)
    return np.where(usable, np.clip(scales, 1e-12 * size, np.where(case.start != 0.0, 10.0, 1e3) * size), size)


def spread_rows(case: Case) -> Rows:
    """Return a sample of rows, evenly spread."""
    most = max(16, min(2000, SAMPLE // max(1, case.start.size)))
    return np.unique(np.linspace(0, case.rows - 1, min(case.rows, most)).astype(np.intp))


def nearby(case: Case, scales: Array, number: int) -> Array:
    """Return the candidate point of that number, counted from 0: the start moved by shares of the scales.

    The shares follow the golden ratio, so that no two components move alike and no symmetry is kept.
    """
    turn = (np.arange(1, case.start.size + 1) * 0.6180339887498949 + 0.7548776662466927 * (number + 1)) % 1.0
    sign = np.where((np.arange(case.start.size) * 7 + number * 3) % 5 < 2, -1.0, 1.0)
    share = REACHES[number % len(REACHES)]
    # The last stay close, whatever the scales: some losses are flat but for a small region.
    size = np.abs(case.start) + 1e-3 if number >= len(REACHES) - 2 else np.maximum(scales, np.abs(case.start))
    nearby_theta: Array = case.start + sign * share * (0.5 + turn) * size
    return nearby_theta


def points(case: Case, scales: Array) -> list[Point]:
    """Return the most informative points at which everything is finite, at most POINTS of them.

    A component is more informative the less its rows cancel, and more still where it is zero in some rows only; each
    point is chosen for the components about which the earlier points said least.
    """
    thetas_apart: list[tuple[Array, Array]] = []
    beyond: list[tuple[Array, Array]] = []
    sample = spread_rows(case)
    extent_here = extent(case, case.start, sample)
    for number in range(len(REACHES)):
        theta = nearby(case, scales, number)
        if not case.inside(theta):
            continue
        contributions, error = case.contributions(theta, scales, case.part(sample))
        if np.isfinite(contributions).all() and np.isfinite(error).all() and np.isfinite(case.value(theta)):
            size = np.abs(contributions).mean(axis=0)
            share = np.abs(contributions.mean(axis=0)) / np.where(size > 0.0, size, 1.0)
            nonzero = (contributions != 0.0).mean(axis=0)
            tells = (share + 4.0 * nonzero * (1.0 - nonzero)) * (np.abs(contributions).max(axis=0) > 0.0)
            # Where J or its parts are many times larger, the contributions of other rows are lost in rounding.
            growth = float(np.max(extent(case, theta, sample) / extent_here))
            within = case.within(theta) and float(np.abs(contributions).max()) < SQUARED
            (thetas_apart if within else beyond).append((theta, tells / (1.0 + np.log10(max(1.0, growth)) ** 2)))
    if not thetas_apart and not case.single():
        thetas_apart = beyond
    court_points: list[Point] = []
    informed = np.zeros(case.start.size)
    while thetas_apart and len(court_points) < POINTS:
        worth = [float((tells / (0.1 + informed)).sum()) for _, tells in thetas_apart]
        theta, tells = thetas_apart.pop(int(np.argmax(worth)))
        point = weighed(case, theta, scales)
        if np.isfinite(point.truth).all() and np.isfinite(point.allowed).all():
            court_points.append(point)
            informed += tells
    return court_points


def extent(case: Case, theta: Array, rows: Rows) -> Array:
    """Return J, and the largest square of a residual in some rows; 1 for what is 0 or not finite."""
    columns = case.part(rows)
    with np.errstate(all="ignore"):
        largest = np.abs(case.model.score(theta, columns) - case.model.response(columns)).max()
        sizes = np.array([abs(case.value(theta)), largest**2])
    parameter_extent: Array = np.where(np.isfinite(sizes) & (sizes > 0.0), sizes, 1.0)
    return parameter_extent


def weighed(case: Case, theta: Array, scales: Array) -> Point:
    """Return the true gradient at theta, and how far rounding in single precision may carry one from it."""
    truth, error, size = case.truth(theta, scales)
    sample = spread_rows(case)
    leeway = _leeway(case, theta, scales, sample)
    spread = case.mean(leeway, sample)
    sums = (4.0 + np.sqrt(case.rows)) * SINGLE * size
    # Where branches make a component zero, what cancels is as large as it is elsewhere: about J over its scale.
    floor = 4.0 * SINGLE * abs(case.value(theta)) / scales
    allowed = SAFETY * (spread + sums) + 4.0 * error + floor
    return Point(theta, truth, allowed, sample, SAFETY * leeway, size=size)


def _leeway(case: Case, theta: Array, scales: Array, sample: Rows) -> Array:
    """Return how far each contribution moves when inputs are rounded to single precision; shape (m, p).

    What single precision holds exactly, such as 0, 1 and 2.5, is not moved, nor are columns that choose a branch.
    """
    rng = np.random.default_rng(20)
    columns = dict(case.part(sample))
    exact, error = case.contributions(theta, scales, columns)
    most = SINGLE * np.abs(exact) + error
    steady = case.model.steady()
    inexact_columns = [name for name, column in columns.items() if name not in steady and _inexact(column).any()]
    draws = DRAWS if case.model.exact or theta.size < 4 else DRAWS // 3
    for _ in range(draws):
        off = dict(columns)
        for name in inexact_columns:
            column = columns[name]
            off[name] = column * (1.0 + SINGLE * rng.choice([-1.0, 1.0], len(column)) * _inexact(column))
        moved_theta = theta * (1.0 + SINGLE * rng.choice([-1.0, 1.0], theta.size))
        if case.model.exact:  # and what is computed on the way is rounded as well
            off = {name: column if name in steady else _single(column) for name, column in off.items()}
            moved_theta = _single(moved_theta)
        other_contributions, _ = case.contributions(moved_theta, scales, off)
        with np.errstate(invalid="ignore"):
            moved_by = np.abs(other_contributions - exact)
            most = np.maximum(most, np.where(np.isfinite(moved_by), moved_by, 0.0))
    # A row that switches to another branch says nothing about rounding within a branch.
    typical = np.quantile(most, 0.9, axis=0)
    capped: Array = np.minimum(most, 100.0 * np.where(typical > 0.0, typical, most.max(axis=0)))
    return 2.0 * capped


def _single(numbers: Array) -> Array:
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32)


def _inexact(column: Array) -> NDArray[np.bool_]:
    with np.errstate(over="ignore"):
        return np.asarray(column.astype(np.float32).astype(np.float64) != column)


def jitter(case: Case, point: Point, calls: int = 7) -> Array:
    """Return the noise of the gradient under test, (p,): its departure from a parabola over tiny steps.

    A gradient computed in single precision throughout may be off by more, as formulas differ in what cancels.
    Source: the idea of Moré & Wild (2011), SIAM J. Sci. Comput. 33, 1292-1314.
    """
    steps = np.arange(calls) - calls // 2
    turn = np.where(np.arange(point.theta.size) % 2 == 0, 1.0, -0.7)
    values = np.stack([case.call(point.theta * (1.0 + 2.0**-19 * step * turn)) for step in steps])
    if not np.isfinite(values).all():
        return np.zeros(point.theta.size)
    powers = np.vander(steps / calls, 3)
    smooth = powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
    shaking: Array = 8.0 * np.abs(values - smooth).max(axis=0)
    if (values.astype(np.float32) == values).all():
        shaking += SAFETY * point.allowed
    return shaking


def given_at(case: Case, court_point: Point) -> Point:
    """Return the point with the accused gradient there."""
    case.seen.append(court_point.theta)
    return replace(court_point, given=case.call(court_point.theta))
