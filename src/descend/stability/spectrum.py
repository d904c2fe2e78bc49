"""How curved J is, and what follows for gd, momentum and nesterov: before the first step, and during the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.problem.posing import Problem
from descend.problem.standardized import entering, standard_units
from descend.stability.lanczos import lanczos
from descend.stability.recurrence import errors, lead, momentum_of, radius

Array = NDArray[np.float64]
DENSE = 300
"""Parameters up to which all eigenvalues are found; beyond, those that the gradient sees."""
NOTHING = 1e-15
"""Share of the largest eigenvalue below which, times the number of parameters, one is rounding."""
MOST_EPOCHS = 10**12
"""Epochs beyond which none are predicted."""
ONE_BY_ONE = 2048
"""Epochs that are looked at one by one; further on steps of a thousandth will do."""
CHUNK = 2**20
"""Numbers that are worked on together."""
BLAMED = 100.0
"""Condition from which on a column may be to blame, ..."""
GAIN = 10.0
"""... and how many times smaller standardising must make it."""
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
LARGEST = {"float32": float(np.finfo(np.float32).max), "float64": float(np.finfo(np.float64).max)}


@dataclass(frozen=True)
class Culprit:
    """The parameter whose column makes J hard to descend.

    kind: ``"scale"``, its values are of another size than the others; ``"offset"``, they lie far from 0 beside their
        spread, so that the column resembles the intercept.
    column: its text, empty if the parameter does not enter linearly. size, mean, spread: root mean square of its
    values, None if not known, and for an offset their mean and standard deviation. ratio: its curvature over that of
    the others (scale), or (mean / spread)**2 (offset).
    """

    kind: str
    label: str
    column: str
    ratio: float
    size: float | None = None
    mean: float | None = None
    spread: float | None = None

    def __str__(self) -> str:
        if self.mean is not None and self.spread is not None:
            mean, spread = _rounded(self.mean), _rounded(self.spread)
            return f"`{self.column}` has a mean of {mean} and a spread of {spread}, so it resembles the intercept"
        values = "" if self.size is None else f" has values around {_rounded(self.size)}"
        return f"`{self.column or self.label}`{values}: its curvature is {self.ratio:.2g} times that of the others"


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The curvature of J at a point, in its eigenvectors.

    The curvature is that of Gauss and Newton, J'WJ (plus that of an l2 penalty): for a squared loss of a model that
    is linear in its parameters the Hessian itself, and J is then exactly the parabola that it describes.

    values: (m,) eigenvalues, ascending. vectors: (p, m), their eigenvectors. slopes: (m,) the gradient along each.
    complete: whether these are all, m = p; otherwise they are Ritz values of Lanczos' iteration from the gradient.
    theta, loss: the point, and J there. exact: whether J is a parabola, so that predictions are exact to rounding.
    curvature: (p, p) if it was at hand. labels: of the parameters. columns: the text of what each linear one
    multiplies, else empty. intercept: the place of a parameter that is merely added. scale: see ``Plan.scale``.
    """

    values: Array
    vectors: Array
    slopes: Array
    complete: bool
    theta: Array
    loss: float
    exact: bool = False
    curvature: Array | None = None
    labels: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    intercept: int | None = None
    scale: float = 0.0
    rows_only: Array | None = None
    """The curvature less that of penalties, if there are any."""

    @property
    def largest(self) -> float:
        """The largest eigenvalue, lambda_max."""
        return float(self.values[-1])

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue above rounding, lambda_min."""
        return float(self.values[self._rounding :][0])

    @property
    def _rounding(self) -> int:
        """How many eigenvalues are nothing but rounding."""
        return int((self.values <= NOTHING * max(self.theta.size, 1) * self.largest).sum())

    @property
    def condition(self) -> float:
        """lambda_max / lambda_min; a lower bound if not ``complete``."""
        return self.largest / self.smallest

    @property
    def direction(self) -> Array:
        """(p,) the eigenvector of the largest eigenvalue."""
        return np.asarray(self.vectors[:, -1])

    def stable_limit(self, optimizer: Any) -> float | None:
        """Return the largest stable learning rate; None for optimizers of which none is known."""
        limit: float | None = optimizer.largest_stable_rate(self.largest)
        return limit

    def best_rate(self, optimizer: Any) -> float | None:
        """Return the rate of fastest descent in the long run: 2/(lambda_max + lambda_min) for gd.

        With momentum the least rate at which the slower of both ends is fastest. None for other optimizers.
        """
        momentum = momentum_of(optimizer)
        limit = self.stable_limit(optimizer)
        if momentum is None or limit is None:
            return None
        if momentum == 0.0:
            return 2.0 / (self.largest + self.smallest)

        def slower(rate: float) -> float:
            return max(radius(optimizer, rate * self.smallest), radius(optimizer, rate * self.largest))

        # Each end is faster and faster up to a rate of its own and slower beyond, so the slower of both is too.
        low, high = 0.0, limit
        for _ in range(100):
            one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            low, high = (low, other) if slower(one) <= slower(other) else (one, high)
        return (low + high) / 2.0

    def growth(self, rate: float, optimizer: Any) -> float | None:
        """Return the factor per epoch of the error in the long run: above 1 it grows. J changes by its square.

        None for optimizers other than gd, momentum and nesterov.
        """
        if momentum_of(optimizer) is None:
            return None
        kept = self.values[self._rounding :]
        return max(radius(optimizer, rate * float(value)) for value in (kept[0], kept[-1]))

    def epochs_to(
        self, tolerance: float, rate: float, optimizer: Any, scales: Array | None = None, most: int = MOST_EPOCHS
    ) -> int | None:
        """Return the first epoch at which what remains of the gradient (``Point.remaining``) is within ``tolerance``.

        Each eigenvector's part of the start is followed by its own recurrence. scales: as ``Plan.scales``; from J and
        the curvature if not given. None if that takes more than ``most`` epochs, or never happens.
        """
        if momentum_of(optimizer) is None:
            return None
        if (self.growth(rate, optimizer) or 0.0) >= 1.0:
            return 0 if bool(self._remaining(np.zeros(1), rate, optimizer, scales)[0] <= tolerance) else None
        seen = -1.0
        for epochs in _looked_at(most, CHUNK // self.vectors.size):
            within = self._remaining(epochs, rate, optimizer, scales) <= tolerance
            if within.any():
                last = int(within.argmax())
                before = float(epochs[last - 1]) if last else seen
                if 1.0 < epochs[last] - before < CHUNK / self.vectors.size:
                    epochs = np.arange(before + 1.0, epochs[last] + 1.0)
                    last = int((self._remaining(epochs, rate, optimizer, scales) <= tolerance).argmax())
                return int(epochs[last])
            seen = float(epochs[-1])
        return None

    def _remaining(self, epochs: Array, rate: float, optimizer: Any, scales: Array | None) -> Array:
        """Return what remains of the gradient after each of some epochs."""
        place = self._rounding
        values, vectors, slopes = self.values[place:], self.vectors[:, place:], self.slopes[place:]
        if scales is None:
            scales = self._scales
        left = errors(optimizer, rate * values, epochs)
        start = slopes / values
        gradient = (left * slopes) @ vectors.T
        theta = self.theta + ((left - 1.0) * start) @ vectors.T
        floor = self.loss - 0.5 * float(slopes @ start)
        floor = max(floor, 0.0) if self.loss >= 0.0 else floor
        loss = floor + 0.5 * (left**2) @ (slopes * start)
        reference = np.maximum(np.abs(loss), np.maximum(np.abs(self.loss - loss) * 1e-3, self.scale * 1e-8))
        largest = (np.abs(gradient) * np.maximum(np.abs(theta), scales)).max(axis=1)
        return np.asarray(np.where(reference > 0.0, largest / np.where(reference > 0.0, reference, 1.0), largest))

    @cached_property
    def _scales(self) -> Array:
        if self.curvature is None:
            return np.ones(1)
        diagonal = self.curvature.diagonal()
        usable = diagonal > 0.0
        return np.where(usable, np.sqrt(abs(self.loss) / np.where(usable, diagonal, 1.0)), 1.0)

    def overflow_epoch(self, rate: float, optimizer: Any, dtype: str = "float64") -> int | None:
        """Return the epoch at which J passes the largest number of ``dtype``; None if the rate is stable.

        J = sum lambda c**2 / 2 over the eigenvectors, and c grows by ``growth`` each epoch.
        """
        return self.epoch_of_loss(LARGEST[dtype], rate, optimizer)

    def epoch_of_loss(self, loss: float, rate: float, optimizer: Any) -> int | None:
        """Return the epoch at which J has grown beyond ``loss``; None if the rate is stable."""
        if momentum_of(optimizer) is None or self.loss > loss:
            return None if momentum_of(optimizer) is None else 0
        firsts = []
        for value, slope in zip(self.values.tolist(), self.slopes.tolist(), strict=True):
            factor = radius(optimizer, rate * value) if value > 0.0 else 0.0
            if factor > 1.0 and slope != 0.0:
                begun = math.log(0.5 / value) + 2.0 * math.log(abs(slope)) + 2.0 * lead(optimizer, rate * value)
                firsts.append((math.log(loss) - begun) / (2.0 * math.log(factor)))
        return max(0, math.ceil(min(firsts))) if firsts and math.isfinite(min(firsts)) else None

    @cached_property
    def standardized(self) -> Spectrum | None:
        """The same in standardised columns (see ``descent.standardize``); None where no curvature matrix is at hand."""
        data = self.curvature if self.rows_only is None else self.rows_only
        if data is None or self.curvature is None or not (data.diagonal() > 0.0).all():
            return None
        # Only products of the units matter here: moments of any multiple give the same eigenvectors.
        share = 2.0 if self.intercept is None else data[self.intercept, self.intercept]
        units = standard_units(data / share, self._linear, self.intercept)
        gradient = units.gradient(self.vectors @ self.slopes)
        curvature = units.curvature(self.curvature)
        values, vectors = _eigen(curvature, gradient)
        return replace(
            self, values=values, vectors=vectors, slopes=vectors.T @ gradient, theta=units.u(self.theta),
            curvature=curvature, columns=(), intercept=None, rows_only=None,
        )  # fmt: skip

    @property
    def condition_standardized(self) -> float | None:
        """What the condition would be in standardised columns; None where no curvature matrix is at hand."""
        return None if self.standardized is None else self.standardized.condition

    @property
    def _linear(self) -> NDArray[np.bool_]:
        return np.array([bool(column) for column in self.columns] or [False] * self.theta.size)

    @cached_property
    def culprit(self) -> Culprit | None:
        """The column to blame for a high condition, if standardising would help a lot; None otherwise."""
        data = self.curvature if self.rows_only is None else self.rows_only
        after = self.condition_standardized
        if data is None or after is None or self.condition < BLAMED or self.condition < GAIN * after:
            return None
        diagonal = data.diagonal()
        others = [place for place in range(len(diagonal)) if place != self.intercept]
        scale = 1.0 / np.sqrt(diagonal)
        values = _eigen(data * scale * scale[:, None], np.ones(len(scale)))[0]
        kept = values[values > NOTHING * len(values) * values[-1]]
        labels = self.labels or tuple(str(place) for place in range(len(diagonal)))
        columns = self.columns or ("",) * len(diagonal)
        if self.intercept is not None and self.condition < GAIN * kept[-1] / kept[0]:
            units = standard_units(data / data[self.intercept, self.intercept], self._linear, self.intercept)
            place = int(np.abs(units.shift).argmax())
            shift, scale_of = float(units.shift[place]), float(units.scale[place])
            return Culprit(
                "offset", labels[place], columns[place], shift**2, mean=shift / scale_of, spread=1.0 / scale_of
            )
        logs = np.log(diagonal)
        ratios = {k: float(logs[k] - np.median(np.delete(logs, k))) for k in others}
        # Of two columns either stands out as much: the one whose size is less like 1 is meant.
        place = max(ratios, key=lambda k: (round(abs(ratios[k]), 6), abs(float(logs[k]))))
        size = None
        if columns[place] and self.intercept is not None:
            size = math.sqrt(diagonal[place] / diagonal[self.intercept])
        elif columns[place] and self.exact:
            size = math.sqrt(diagonal[place] / 2.0)
        return Culprit("scale", labels[place], columns[place], math.exp(ratios[place]), size)


def spectrum_of(where: Any, labels: Sequence[str] = (), scale: float = 0.0, exact: bool = False) -> Spectrum | None:
    """Return the spectrum of J at the start of a ``Problem``, or at a ``Point``.

    labels, scale, exact: as for `Spectrum`; a problem brings its own. None where J has no usable curvature: it is
    missing, not finite, or nowhere positive, or the loss has kinks.

    >>> from descend.problem.posing import pose
    >>> from descend.options.request import Request
    >>> from descend.optimizers import OPTIMIZERS
    >>> x = np.arange(0.0, 10.0)
    >>> found = spectrum_of(pose("y ~ w*x", {"x": x, "y": 2 * x}, Request()))
    >>> gd = OPTIMIZERS.build("gd")
    >>> f"{found.largest:.4g} {found.stable_limit(gd):.3g} {found.growth(0.05, gd):.4g}"
    '57 0.0351 1.85'
    >>> found.epochs_to(1e-9, 0.017, gd)
    9
    """
    if isinstance(where, Problem):
        point, model = where.first, where.model
        if model.loss.kinked:
            return None
        penalty = where.objective.penalty
        rows = None if penalty is None or point.curvature is None else point.curvature - np.diag(2.0 * penalty.l2)
        exact = is_whole_parabola(where)
        columns, intercept = entering(model)
        more = (where.scale, rows, tuple(model.parameters.labels), columns, intercept)
    else:
        point, more = where, (scale, None, tuple(labels), (), None)
    if hasattr(point, "hessian"):
        return _of_module(point)
    curvature = point.curvature
    if curvature is None or not np.isfinite(curvature).all() or not (curvature.diagonal() > 0.0).any():
        return None
    gradient = np.asarray(point.gradient, dtype=np.float64)
    values, vectors = _eigen(curvature, gradient)
    if not values[-1] > 0.0:
        return None
    scale, rows, names, columns, intercept = more
    return Spectrum(
        values, vectors, vectors.T @ gradient, len(values) == len(curvature), point.theta, float(point.loss), exact,
        curvature, names, columns, intercept, scale, rows,
    )  # fmt: skip


def _of_module(point: Any) -> Spectrum | None:
    """Return the spectrum of the Hessian of J of a PyTorch module, over a sample of rows."""
    found = point.hessian()
    if found is None or not found.values[-1] > 0.0:
        return None
    slopes = found.vectors.T @ found.gradient
    return Spectrum(found.values, found.vectors, slopes, len(slopes) == len(found.theta), found.theta, point.loss)


def is_parabola(problem: Problem) -> bool:
    """Whether J, but for an l1 penalty, is a parabola: the curvature is the same everywhere."""
    return bool(getattr(problem.model, "linear", False)) and problem.model.loss.quadratic


def is_whole_parabola(problem: Problem) -> bool:
    """Whether J is a parabola with nothing added or cut off: what holds at the start holds everywhere."""
    return is_parabola(problem) and not problem.objective.has_l1 and problem.objective.bounds is None


def _eigen(matrix: Array, gradient: Array) -> tuple[Array, Array]:
    """Return all eigenvalues and eigenvectors, or for a large matrix those that a descent along the gradient meets."""
    if len(matrix) <= DENSE:
        values, vectors = np.linalg.eigh(matrix)
        return values, vectors
    return lanczos(lambda vector: np.asarray(matrix @ vector), gradient)


def _looked_at(most: int, together: int) -> Iterator[Array]:
    """Yield epochs in growing order, in chunks that grow too: one by one at first, then pairs a thousandth apart."""
    begin, size = 0, 16
    while begin < min(most + 1, ONE_BY_ONE):
        end = min(begin + size, most + 1, ONE_BY_ONE)
        yield np.arange(begin, end, dtype=np.float64)
        begin, size = end, min(2 * size, max(together, 1))
    further = float(ONE_BY_ONE)
    while further <= most:
        leads = np.floor(further * (1.0 + 1.0 / 1024.0) ** np.arange(max(size // 2, 4)))
        # The sign of a part may change from each epoch to the next, so two neighbours are looked at.
        chunk = np.unique(np.concatenate([leads, leads + 1.0]))
        yield chunk[chunk <= most] if chunk[-1] > most else chunk
        further = float(chunk[-1]) + 1.0


def _rounded(size: float) -> str:
    return f"{float(f'{size:.2g}'):,.10g}"


def fold_of(growth: float) -> str:
    """Say in words how many times larger J becomes.

    >>> fold_of(1.0036), fold_of(5.558)
    ('by 0.36%', '5.6-fold')
    """
    return f"{growth:.2g}-fold" if growth >= 1.095 else f"by {100.0 * (growth - 1.0):.2g}%"
