"""The curvature of J, and what it means for gd, momentum and nesterov, before the first step and during a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.totals import Curvature
from descend.optimizers import Optimizer
from descend.optimizers.curvature import is_finite, matrix_of
from descend.optimizers.recurrence import Modes
from descend.problem.point import Point
from descend.problem.problem import Problem
from descend.problem.standardized import entering
from descend.stability.lanczos import lanczos

Array = NDArray[np.float64]
DENSE = 300
"""Up to this many parameters all eigenvalues are computed; beyond, only those that matter to the gradient."""
NOTHING = 1e-15
"""An eigenvalue below this share of the largest, times the number of parameters, is rounding."""
MOST_EPOCHS = 10**12
"""Nothing is predicted beyond this many epochs."""
ONE_BY_ONE = 2048
"""The first this many epochs are examined one by one; beyond, steps of a thousandth are enough."""
CHUNK = 2**20
"""How many numbers are processed at a time."""
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
ROUNDING = 1e-12
"""Relative difference below which two factors per epoch are the same."""
LARGEST = {"float32": float(np.finfo(np.float32).max), "float64": float(np.finfo(np.float64).max)}


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

    def stable_limit(self, optimizer: Optimizer) -> float | None:
        """Return the largest stable learning rate; None for optimizers of which none is known."""
        return optimizer.largest_stable_rate(self.largest)

    def best_rate(self, optimizer: Optimizer) -> float | None:
        """Return the rate of fastest descent in the long run: 2/(lambda_max + lambda_min) for gd.

        With momentum many rates make the slower of both extreme modes as fast as it can be: the geometric mean of the
        least and the largest of them. None for other optimizers.
        """
        recurrence, limit = optimizer.recurrence, self.stable_limit(optimizer)
        if recurrence is None or limit is None:
            return None
        if recurrence.momentum == 0.0:
            return 2.0 / (self.largest + self.smallest)

        def slower(rate: float) -> float:
            return max(recurrence.radius(rate * self.smallest), recurrence.radius(rate * self.largest))

        def end(tie: float) -> float:
            # Each extreme mode speeds up to a rate of its own and slows down beyond it, and so does the slower of both.
            low, high = 0.0, limit
            for _ in range(100):
                one, other = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
                low, high = (low, other) if slower(one) <= slower(other) * tie else (one, high)
            return (low + high) / 2.0

        return math.sqrt(end(1.0 + ROUNDING) * end(1.0 - ROUNDING))

    def growth(self, rate: float, optimizer: Optimizer) -> float | None:
        """Return the factor per epoch of the error in the long run: above 1 it grows. J changes by its square.

        None for optimizers other than gd, momentum and nesterov.
        """
        recurrence = optimizer.recurrence
        return (
            None if recurrence is None else max(recurrence.radius(rate * end) for end in (self.smallest, self.largest))
        )

    def epochs_to(
        self, tolerance: float, rate: float, optimizer: Optimizer, scales: Array | None = None, most: int = MOST_EPOCHS
    ) -> int | None:
        """Return the first epoch at which what remains of the gradient (``Point.remaining``) is within ``tolerance``.

        Each eigenvector's part of the start is followed by its own recurrence. scales: as ``Plan.scales``; from J and
        the curvature if not given. None if that takes more than ``most`` epochs, or never happens.
        """
        if optimizer.recurrence is None:
            return None
        modes = optimizer.recurrence.modes(rate * self.values[self._rounding :])
        if (self.growth(rate, optimizer) or 0.0) >= 1.0:
            return 0 if bool(self._remaining(np.zeros(1), modes, scales)[0] <= tolerance) else None
        last_epoch = -1.0
        for epochs in _looked_at(most, CHUNK // self.vectors.size):
            within = self._remaining(epochs, modes, scales) <= tolerance
            if within.any():
                last = int(within.argmax())
                before = float(epochs[last - 1]) if last else last_epoch
                if 1.0 < epochs[last] - before < CHUNK / self.vectors.size:
                    epochs = np.arange(before + 1.0, epochs[last] + 1.0)
                    last = int((self._remaining(epochs, modes, scales) <= tolerance).argmax())
                return int(epochs[last])
            last_epoch = float(epochs[-1])
        return None

    def _remaining(self, epochs: Array, modes: Modes, scales: Array | None) -> Array:
        place = self._rounding
        values, vectors, slopes = self.values[place:], self.vectors[:, place:], self.slopes[place:]
        if scales is None:
            scales = self._scales
        left = modes.left(epochs)
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

    def overflow_epoch(self, rate: float, optimizer: Optimizer, dtype: str = "float64") -> int | None:
        """Return the epoch at which J passes the largest number of ``dtype``; None if the rate is stable.

        J = sum lambda c**2 / 2 over the eigenvectors, and c grows by ``growth`` each epoch.
        """
        return self.epoch_of_loss(LARGEST[dtype], rate, optimizer)

    def epoch_of_loss(self, loss: float, rate: float, optimizer: Optimizer) -> int | None:
        """Return the epoch at which J has grown beyond ``loss``; None if the rate is stable."""
        recurrence = optimizer.recurrence
        if recurrence is None or self.loss > loss:
            return None if recurrence is None else 0
        firsts = []
        for value, slope in zip(self.values.tolist(), self.slopes.tolist(), strict=True):
            factor = recurrence.radius(rate * value) if value > 0.0 else 0.0
            if factor > 1.0 and slope != 0.0:
                begun = math.log(0.5 / value) + 2.0 * math.log(abs(slope)) + 2.0 * recurrence.lead(rate * value)
                firsts.append((math.log(loss) - begun) / (2.0 * math.log(factor)))
        return max(0, math.ceil(min(firsts))) if firsts and math.isfinite(min(firsts)) else None

    @property
    def linear(self) -> NDArray[np.bool_]:
        """Mark the parameters that multiply a column."""
        return np.array([bool(column) for column in self.columns] or [False] * self.theta.size)


def spectrum_of(problem: Problem, point: Point) -> Spectrum | None:
    """Return the spectrum of J of a problem at a point.

    None where J has no usable curvature: it is missing, not finite, or nowhere positive, or the loss has kinks.

    >>> from descend.problem.posing import pose
    >>> from descend.options.request import Request
    >>> from descend.optimizers import OPTIMIZERS
    >>> from descend.table import open_table
    >>> x = np.arange(0.0, 10.0)
    >>> problem = pose(Request(model="y ~ w*x"), open_table({"x": x, "y": 2 * x}))
    >>> found = spectrum_of(problem, problem.objective(problem.start, 2))
    >>> gd = OPTIMIZERS.build("gd")
    >>> f"{found.largest:.4g} {found.stable_limit(gd):.3g} {found.growth(0.05, gd):.4g}"
    '57 0.0351 1.85'
    >>> found.epochs_to(1e-9, 0.017, gd)
    9
    """
    model, penalty = problem.model, problem.objective.penalty
    if model.loss.kinked:
        return None
    if model.in_place:
        return _of_module(point)
    spectrum = spectrum_at(point, model.parameters.labels, problem.scale, problem.everywhere_parabola)
    if spectrum is None or spectrum.curvature is None:
        return spectrum
    columns, intercept = entering(model)
    rows_only = None if penalty is None else spectrum.curvature - np.diag(2.0 * penalty.l2)
    if (priors := problem.objective.priors) is not None:
        from descend.problem.with_priors import bent

        of_priors = matrix_of(bent(np.zeros_like(spectrum.curvature), priors.priors.at(point.theta), priors.scale))
        rows_only = None if of_priors is None else spectrum.curvature - of_priors
    return replace(spectrum, columns=columns, intercept=intercept, rows_only=rows_only)


def spectrum_at(point: Point, labels: Sequence[str], scale: float = 0.0, exact: bool = False) -> Spectrum | None:
    """Return the spectrum at a point in any parameters; labels, scale, exact: as for `Spectrum`."""
    curvature = point.curvature
    if curvature is None or not is_finite(curvature) or not (curvature.diagonal() > 0.0).any():
        return None
    gradient = np.asarray(point.gradient, dtype=np.float64)
    values, vectors, matrix = *eigen(curvature, gradient), matrix_of(curvature)
    if not values[-1] > 0.0:
        return None
    complete, slopes, loss = len(values) == len(curvature), vectors.T @ gradient, float(point.loss)
    return Spectrum(values, vectors, slopes, complete, point.theta, loss, exact, matrix, tuple(labels), scale=scale)


def _of_module(point: Any) -> Spectrum | None:
    """Return the spectrum of the Hessian of J of a PyTorch module, over a sample of rows."""
    hessian = point.hessian()
    if hessian is None or not hessian.values[-1] > 0.0:
        return None
    slopes = hessian.vectors.T @ hessian.gradient
    return Spectrum(
        hessian.values, hessian.vectors, slopes, len(slopes) == len(hessian.theta), hessian.theta, point.loss
    )


def eigen(matrix: Curvature, gradient: Array) -> tuple[Array, Array]:
    """Return all eigenvalues and eigenvectors; for a large matrix, only those that matter to a descent from here."""
    if isinstance(matrix, np.ndarray) and len(matrix) <= DENSE:
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


def fold_of(growth: float) -> str:
    """Say in words how many times larger J becomes.

    >>> fold_of(1.0036), fold_of(5.558)
    ('by 0.36%', '5.6-fold')
    """
    return f"{growth:.2g}-fold" if growth >= 1.095 else f"by {100.0 * (growth - 1.0):.2g}%"
