"""What gradient descent, with momentum or without, does on a parabola: in each eigenvector a recurrence of its own.

With c the learning rate times an eigenvalue of the curvature, what remains of the error there after k steps, as a share
of that at the start, follows E_k+1 = t E_k - d E_k-1, E_0 = 1, with momentum m

    t = 1 + m - c,       d = m,         E_1 = 1 - c             (momentum; gradient descent is m = 0)
    t = (1 + m)(1 - c),  d = m (1 - c), E_1 = 1 - (1 + m) c     (nesterov)

so that E_k = U_k E_1 - d U_k-1, with U_k = (r1**k - r2**k) / (r1 - r2) and r1, r2 the roots of r**2 - t r + d.
The steps so far add up to D_k = (1 - E_k) / c times the learning rate times the first gradient.

Where c is small that would lose digits of D_k. There the roots are kept as 1 - s1 and 1 - s2, from
s**2 - b s + c = 0 with b = 2 - t, and

    E_k = A (1 - s1)**k + (1 - A)(1 - s2)**k,   A = (s2 - c D_1) / (s2 - s1),
    D_k = A G_k / s2 + (D_1 - 1/s2) (1 - (1 - s2)**k) / (s2 - s1),   G_k = (1 - (1 - s1)**k) / s1,

by log1p and expm1: after 1e9 epochs as many digits are right as after ten.

Source: Lucas (1878), Amer. J. Math. 1, 184-240 (U_k); Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.
"""

from __future__ import annotations

import cmath
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ALIKE = 1e-7
"""Distance of two roots below which their difference is rounding."""


@dataclass(frozen=True)
class Recurrence:
    """The recurrence of momentum m, or of Nesterov's method; c: learning rate times eigenvalue.

    >>> plain, heavy, ahead = Recurrence(), Recurrence(0.9), Recurrence(0.9, nesterov=True)
    >>> [round(each.radius(3.0), 3) for each in (plain, heavy, ahead)]
    [2.0, 0.949, 4.226]
    """

    momentum: float = 0.0
    nesterov: bool = False

    @property
    def first(self) -> float:
        """D_1, the length of the first step."""
        return 1.0 + self.momentum if self.nesterov else 1.0

    @property
    def limit(self) -> float:
        """The c above which the error grows."""
        return 2.0 * (1.0 + self.momentum) / (1.0 + 2.0 * self.momentum if self.nesterov else 1.0)

    def apart(self, c: Array) -> Array:
        """Return b = 2 - t."""
        return 1.0 - self.momentum + ((1.0 + self.momentum) * c if self.nesterov else c)

    def product(self, c: Array) -> Array:
        """Return d."""
        return self.momentum * (1.0 - c if self.nesterov else np.ones_like(c))

    def roots(self, c: float) -> tuple[complex, complex]:
        """Return both roots, the larger first."""
        half, product = 1.0 - float(self.apart(np.array(c))) / 2.0, float(self.product(np.array(c)))
        width = cmath.sqrt(half * half - product)
        first = half + width if half >= 0.0 else half - width
        # The smaller follows from the product of both; as a difference of nearly equal numbers it would lose digits.
        return first, product / first if first else 0.0

    def radius(self, c: float) -> float:
        """Return the factor per epoch of the error in the long run."""
        return max(map(abs, self.roots(c)))

    def lead(self, c: float) -> float:
        """Return the limit of log(E_k / radius**k): how large the growing part already is at epoch 0."""
        first, second = self.roots(c)
        if abs(first - second) <= ALIKE:
            return 0.0
        share = abs(1.0 - c * self.first - second) / abs(first - second)
        return math.log(share) if share > 0.0 else -math.inf

    def modes(self, c: Array) -> Modes:
        """Return the closed form for some eigenvectors."""
        return Modes(c, self)


class Modes:
    """E_k and D_k of some eigenvectors; c: (modes,) learning rate times eigenvalue."""

    def __init__(self, c: Array, recurrence: Recurrence) -> None:
        self.c, self.first = c, recurrence.first
        m = recurrence.momentum
        # Of the two values of c at which the roots are equal, the smaller.
        equal = ((1.0 - m) / (1.0 + m)) ** 2 if recurrence.nesterov else (1.0 - math.sqrt(m)) ** 2
        slow = c < 0.5 * equal
        gap = recurrence.apart(c) ** 2 - 4.0 * c
        mode_kinds = ((slow, Slow), (~slow & (gap >= 0.0), Real), (~slow & (gap < 0.0), Turning))
        self.parts = [(np.flatnonzero(which), kind(c[which], recurrence)) for which, kind in mode_kinds if which.any()]

    def reach(self, epoch: int) -> Array:
        """Return D_k for epoch k >= 1."""
        reached = np.full_like(self.c, self.first)
        if epoch > 1:
            with np.errstate(all="ignore"):
                for mode_places, mode in self.parts:
                    reached[mode_places] = mode.reach(epoch)
        return reached

    def left(self, epochs: Array) -> Array:
        """Return (epochs, modes) E_k for each of some epochs k >= 0."""
        k = np.asarray(epochs, dtype=np.float64)[:, None]
        share = np.where(k > 0.0, 1.0 - self.c * self.first, 1.0)
        with np.errstate(all="ignore"):
            for mode_places, mode in self.parts:
                share[:, mode_places] = np.where(k > 1.0, mode.left(np.maximum(k, 2.0)), share[:, mode_places])
        return share


class Part(ABC):
    """E_k and D_k of eigenvectors whose roots are of one kind; k is a number, or an array of (epochs, 1)."""

    @abstractmethod
    def left(self, k: Array | int) -> Array:
        """Return E_k."""

    @abstractmethod
    def reach(self, k: int) -> Array:
        """Return D_k."""


class Slow(Part):
    """Modes with small c."""

    def __init__(self, c: Array, recurrence: Recurrence) -> None:
        b = recurrence.apart(c)
        large = 0.5 * (b + np.sqrt(b * b - 4.0 * c))
        self.small = c / large
        self.still = self.small == 0.0
        self.divisor = np.where(self.still, 1.0, self.small)
        self.logarithm, self.other = np.log1p(-self.small), 1.0 - large
        gap_of_factors = large - self.small
        self.share = (large - c * recurrence.first) / gap_of_factors
        self.beside = (c * recurrence.first - self.small) / gap_of_factors
        self.slow = (large - c * recurrence.first) / (gap_of_factors * large)
        self.fast = (recurrence.first - 1.0 / large) / gap_of_factors

    def left(self, k: Array | int) -> Array:
        share_left: Array = self.share * np.exp(k * self.logarithm) + self.beside * self.other**k
        return share_left

    def reach(self, k: int) -> Array:
        powers = np.where(self.still, float(k), -np.expm1(k * self.logarithm) / self.divisor)
        reach_of_mode: Array = self.slow * powers + self.fast * (1.0 - self.other**k)
        return reach_of_mode


class Fast(Part):
    """Modes that are computed from U_k."""

    def __init__(self, c: Array, recurrence: Recurrence) -> None:
        b = recurrence.apart(c)
        self.c, self.product = c, recurrence.product(c)
        self.second = 1.0 - c * recurrence.first
        self.half, self.width = 0.5 * (2.0 - b), 0.5 * np.sqrt(np.abs(b * b - 4.0 * c))

    def left(self, k: Array | int) -> Array:
        return self.lucas(k) * self.second - self.product * self.lucas(k - 1)

    def reach(self, k: int) -> Array:
        return (1.0 - self.left(k)) / self.c

    @abstractmethod
    def lucas(self, k: Array | int) -> Array:
        """Return U_k."""


class Turning(Fast):
    """Complex roots: the component oscillates around its limit."""

    def lucas(self, k: Array | int) -> Array:
        angle = np.arctan2(self.width, self.half)
        swings: Array = np.sqrt(self.product) ** (k - 1) * np.sin(k * angle) / np.sin(angle)
        return swings


class Real(Fast):
    """Real roots, which may be equal."""

    def lucas(self, k: Array | int) -> Array:
        width = np.copysign(self.width, self.half)
        largest = self.half + width
        none = largest == 0.0
        gap = np.where(none, 1.0, 2.0 * width / np.where(none, 1.0, largest))  # 1 - ratio of the roots
        powers = np.where(gap < 0.5, -np.expm1(k * np.log1p(-gap)), 1.0 - (1.0 - gap) ** k)
        equal = gap == 0.0
        sums: Array = largest ** (k - 1) * np.where(equal, k, powers / np.where(equal, 1.0, gap))
        return sums
