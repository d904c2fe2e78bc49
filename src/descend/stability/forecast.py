"""Where a descent on a parabola stands after any number of epochs, at once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.optimizers import Optimizer, Schedule
from descend.optimizers.gd import GradientDescent
from descend.optimizers.momentum import Momentum
from descend.optimizers.nesterov import Nesterov
from descend.optimizers.schedules import Constant

Array = NDArray[np.float64]
WORTH_IT = 10_000
"""Epochs up to which every step is taken: that takes a tenth of a second."""
SINGULAR = 1e-13
"""Singular value of the triangle with columns of length 1, as a share of the largest, that rounding may have made."""


class Trajectory:
    """The closed form of gradient descent, heavy ball or Nesterov's method on a J that is a parabola.

    In the eigenbasis of the curvature R'R = V diag(L) V', with g = V'dJ/dtheta at the start,

        theta_k = theta_0 - rate V (D_k g),   D_k of each eigenvalue from ``Modes``.

    point: where the descent begins, with its ``factor``. rate: the learning rate, the same at every epoch.
    """

    def __init__(self, point: Any, optimizer: Optimizer, rate: float) -> None:
        self.point, self.rate = point, rate
        upper, right = point.factor[:-1, :-1], point.factor[:-1, -1]
        left, singular, self.vectors = np.linalg.svd(upper)
        norms = np.sqrt(np.add.reduce(upper * upper))
        shares = np.linalg.svd(upper / np.where(norms > 0.0, norms, 1.0), compute_uv=False)
        if not shares[-1] > SINGULAR * shares[0]:
            singular = np.where(singular > SINGULAR * singular[0], singular, 0.0)
        self.gradient = singular * (left.T @ right)
        momentum = getattr(optimizer, "momentum", 0.0)
        self.modes = Modes(rate * singular**2, momentum, isinstance(optimizer, Nesterov))

    def theta(self, epoch: int) -> Array:
        """Return the parameters after so many epochs; not finite where they overflow."""
        if epoch == 0:
            start: Array = self.point.theta
            return start
        with np.errstate(all="ignore"):
            moves = np.where(self.gradient == 0.0, 0.0, self.modes.reach(epoch) * self.gradient)
            theta: Array = self.point.theta - self.rate * (moves @ self.vectors)
        return theta

    def epochs(self, last: int, bound: float) -> Iterator[int]:
        """Yield epochs to show: the first hundred, ninety round ones of each further power of ten, and the last two.

        The last is ``last``, or the first at which J is above ``bound``.
        """
        last = self.first_above(bound, last)
        epoch = 0
        while epoch < last - 1:
            yield epoch
            epoch += 10 ** max(0, len(str(epoch)) - 2)
        yield from range(max(0, last - 1), last + 1)

    def first_above(self, bound: float, last: int) -> int:
        """Return the first epoch at which J is above ``bound`` or not finite, ``last`` if it never is before.

        J is a sum of powers: once it is far above where it began, it only grows.
        """

        def below(epoch: int) -> bool:
            return bool(self.point.at(self.theta(epoch), 0).loss <= bound)

        low, high = 0, last
        if below(last):
            return last
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if below(middle) else (low, middle)
        return high


class Modes:
    """D_k, the sum of the first k steps on a parabola of curvature L, as multiples of rate times first gradient.

    With c = rate*L and momentum m, what remains of the error, E_k = 1 - c D_k, follows E_k+1 = t E_k - d E_k-1,

        t = 1 + m - c,       d = m,         D_1 = 1        (momentum; gradient descent is m = 0)
        t = (1 + m)(1 - c),  d = m (1 - c), D_1 = 1 + m    (nesterov)

    so that E_k = U_k E_1 - d U_k-1, with U_k = (r1**k - r2**k) / (r1 - r2) and r1, r2 the roots of r**2 - t r + d.
    Where c is small, that would cost the digits of D_k. There the roots are kept as 1 - s1 and 1 - s2, from
    s**2 - b s + c = 0 with b = 2 - t, and

        D_k = A G_k / s2 + (D_1 - 1/s2) (1 - r2**k) / (s2 - s1),   A = (s2 - c D_1) / (s2 - s1),

    G_k = (1 - (1 - s1)**k) / s1, by log1p and expm1: after 1e9 epochs as many digits are right as after ten.

    Source: Lucas (1878), Amer. J. Math. 1, 184-240 (U_k); Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.
    """

    def __init__(self, scaled: Array, momentum: float, nesterov: bool) -> None:
        m = momentum
        self.scaled, self.nesterov, self.momentum = scaled, nesterov, m
        self.first = 1.0 + m if nesterov else 1.0
        # Of the two values of c at which the roots are equal, the smaller.
        equal = ((1.0 - m) / (1.0 + m)) ** 2 if nesterov else (1.0 - math.sqrt(m)) ** 2
        slow = scaled < 0.5 * equal
        gap = self.sum(scaled) ** 2 - 4.0 * scaled
        parts = ((slow, Slow), (~slow & (gap >= 0.0), Real), (~slow & (gap < 0.0), Turning))
        self.parts = [(np.flatnonzero(which), kind(scaled[which], self)) for which, kind in parts if which.any()]

    def sum(self, c: Array) -> Array:
        """Return b."""
        return 1.0 - self.momentum + ((1.0 + self.momentum) * c if self.nesterov else c)

    def product(self, c: Array) -> Array:
        """Return d."""
        return self.momentum * (1.0 - c) if self.nesterov else np.full_like(c, self.momentum)

    def reach(self, epoch: int) -> Array:
        """Return D_k for epoch k >= 1."""
        reached = np.full_like(self.scaled, self.first)
        if epoch > 1:
            for places, part in self.parts:
                reached[places] = part.reach(epoch)
        return reached


class Slow:
    """D_k where c is small."""

    def __init__(self, c: Array, modes: Modes) -> None:
        b = modes.sum(c)
        large = 0.5 * (b + np.sqrt(b * b - 4.0 * c))
        self.small = c / large
        self.still = self.small == 0.0
        self.divisor = np.where(self.still, 1.0, self.small)
        self.logarithm, self.other = np.log1p(-self.small), 1.0 - large
        apart = large - self.small
        self.slow = (large - c * modes.first) / (apart * large)
        self.fast = (modes.first - 1.0 / large) / apart

    def reach(self, epoch: int) -> Array:
        """Return D_k."""
        powers = np.where(self.still, float(epoch), -np.expm1(epoch * self.logarithm) / self.divisor)
        reached: Array = self.slow * powers + self.fast * (1.0 - self.other**epoch)
        return reached


class Fast(ABC):
    """D_k from U_k."""

    def __init__(self, c: Array, modes: Modes) -> None:
        b = modes.sum(c)
        self.c, self.product = c, modes.product(c)
        self.second = 1.0 - c * modes.first
        self.half, self.width = 0.5 * (2.0 - b), 0.5 * np.sqrt(np.abs(b * b - 4.0 * c))

    def reach(self, epoch: int) -> Array:
        """Return D_k."""
        left = self.lucas(epoch) * self.second - self.product * self.lucas(epoch - 1)
        return (1.0 - left) / self.c

    @abstractmethod
    def lucas(self, k: int) -> Array:
        """Return U_k."""


class Turning(Fast):
    """Roots with an imaginary part: the component swings around its end."""

    def lucas(self, k: int) -> Array:
        angle = np.arctan2(self.width, self.half)
        swings: Array = np.sqrt(self.product) ** (k - 1) * np.sin(k * angle) / np.sin(angle)
        return swings


class Real(Fast):
    """Real roots, which may be equal."""

    def lucas(self, k: int) -> Array:
        width = np.copysign(self.width, self.half)
        largest = self.half + width
        none = largest == 0.0
        lost = np.where(none, 1.0, 2.0 * width / np.where(none, 1.0, largest))  # 1 - ratio of the roots
        powers = np.where(lost < 0.5, -np.expm1(k * np.log1p(-lost)), 1.0 - (1.0 - lost) ** k)
        equal = lost == 0.0
        sums: Array = largest ** (k - 1) * np.where(equal, float(k), powers / np.where(equal, 1.0, lost))
        return sums


def trajectory(point: Any, optimizer: Optimizer, rate: float, schedule: Schedule) -> Trajectory | None:
    """Return the closed form of a descent from ``point``, if it has one."""
    known = isinstance(optimizer, GradientDescent | Momentum | Nesterov) and isinstance(schedule, Constant)
    if not known or point.proximal or point.objective.engine.name != "moments":
        return None
    point = point.at(point.theta, 3)
    return None if point.factor is None or not np.isfinite(point.factor).all() else Trajectory(point, optimizer, rate)
