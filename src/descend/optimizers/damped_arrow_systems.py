"""The linear system of a damped Gauss-Newton step where the curvature is an arrow; see ``damped_systems``."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Factored
from descend.engines.arrow_triangle import ArrowTriangle
from descend.optimizers.contract import RANK, WELL, Array, Evaluation, System, Units

LEAST_DAMPING = 1e-13
"""Damping, as a share of the unit diagonal, that makes a singular system solvable and costs few digits of others."""
ROUNDS = 60
"""Active sets that are tried before a step within bounds is cut short instead."""
Mask = NDArray[np.bool_]


class ScaledArrow(System):
    """The curvature, an arrow, and the gradient in units in which D is 1."""

    order: ClassVar[int] = 2

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        curvature = evaluation.curvature
        assert isinstance(curvature, Arrow)
        self.units = np.maximum(units, curvature.diagonal())
        self.scale = np.sqrt(self.units)
        self.curvature = curvature.scaled(self.scale)
        self.gradient = evaluation.gradient / self.scale
        self.sound = self.curvature.finite and math.isfinite(np.add.reduce(self.units))


class ArrowNormal(ScaledArrow):
    """(C + lambda D**2) d = -g, solved group by group for D d; see ``damped_systems.Normal``."""

    def move(self, damping: float) -> tuple[Array, float]:
        factored = self.curvature.factored(damping) if self.sound else None
        if factored is None:
            return np.zeros_like(self.scale), 0.0
        move = factored.solve(-self.gradient)
        return move / self.scale, 0.5 * float(damping * move.dot(move) - move.dot(self.gradient))

    def newton(self) -> tuple[Array, float]:
        factored = self.curvature.factored() if self.sound else None
        if factored is None:
            return np.zeros_like(self.scale), math.inf
        move = factored.solve(-self.gradient)
        return move / self.scale, math.sqrt(max(-float(move.dot(self.gradient)), 0.0))

    def safe(self) -> bool:
        factored = self.curvature.factored() if self.sound else None
        return factored is not None and well(factored)


class ArrowRegular(ArrowNormal):
    """The same, where there is no triangle of the Jacobian: what is singular is solved with the least damping."""

    def newton(self) -> tuple[Array, float]:
        move, offset = super().newton()
        if math.isfinite(offset) or not self.sound:
            return move, offset
        move, gain = self.move(LEAST_DAMPING)
        return move, math.sqrt(max(2.0 * gain, 0.0))

    def safe(self) -> bool:
        return True  # there is nothing better


class ArrowFine(System):
    """The same system as a least-squares problem, by a QR of each group; see ``damped_systems.Triangle``."""

    order: ClassVar[int] = 3

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        triangle = evaluation.at(evaluation.theta, 3).factor
        assert isinstance(triangle, ArrowTriangle)
        self.units = np.maximum(units, np.square(triangle.norms()))
        self.scale = np.sqrt(self.units)
        self.triangle = triangle.scaled(self.scale)

    def move(self, damping: float) -> tuple[Array, float]:
        damped = damping >= RANK**2  # less does not keep the rounding of R from being inverted
        move = self.triangle.damped(math.sqrt(damping)).least() if damped else self.newton()[0] * self.scale
        return move / self.scale, self.triangle.predicted(move)

    def newton(self) -> tuple[Array, float]:
        if not self.triangle.finite:
            return np.zeros_like(self.scale), math.inf
        return self.triangle.least(RANK) / self.scale, self.triangle.explained


class ArrowBounded(ScaledArrow):
    """The same system within bounds: minimize g'd + d'(C + lambda D**2) d / 2 over low <= theta + d <= high.

    An active-set method: which components are held at a bound, and which are free, is changed for all groups at once,
    until the free ones lie within their bounds and the held ones are pushed against theirs. Should the sets go round in
    a circle, the last step is cut short at the first bounds it meets.

    Source: Hintermueller, Ito & Kunisch (2002), SIAM J. Optim. 13, 865-888.
    """

    def __init__(self, evaluation: Evaluation, units: Units) -> None:
        super().__init__(evaluation, units)
        assert evaluation.bounds is not None
        low, high = evaluation.bounds.room(evaluation.theta)
        self.low, self.high = low * self.scale, high * self.scale
        self.free = ~evaluation.bounds.blocked(evaluation.theta, evaluation.gradient)

    def move(self, damping: float) -> tuple[Array, float]:
        move = self._within(damping) if self.sound else np.zeros_like(self.scale)
        return move / self.scale, -float(move @ (self.gradient + 0.5 * (self.curvature @ move)))

    def newton(self) -> tuple[Array, float]:
        """Return the undamped d, and the length of that part of q which parameters that may still move can explain."""
        if not self.sound:
            return np.zeros_like(self.scale), math.inf
        move = self._within(LEAST_DAMPING)
        left = self._solved(self.free, np.zeros_like(move), LEAST_DAMPING)
        return move / self.scale, math.sqrt(max(-float(left @ self.gradient), 0.0))

    def _within(self, damping: float) -> Array:
        held_low, held_high = (self.low >= 0.0) & ~self.free, (self.high <= 0.0) & ~self.free
        move = np.zeros_like(self.scale)
        for _ in range(ROUNDS):
            held_at_bounds = held_low | held_high
            fixed = np.where(held_low, self.low, np.where(held_high, self.high, 0.0))
            move = self._solved(~held_at_bounds, fixed, damping)
            pull = -(self.gradient + self.curvature @ move + damping * move)
            low = np.where(held_low, pull <= 0.0, move < self.low)
            high = np.where(held_high, pull >= 0.0, move > self.high)
            if (low == held_low).all() and (high == held_high).all():
                return np.minimum(np.maximum(move, self.low), self.high)
            held_low, held_high = low & (self.low <= self.high), high & ~low
        with np.errstate(all="ignore"):
            shares = np.where(move > self.high, self.high / move, np.where(move < self.low, self.low / move, 1.0))
        return np.minimum(np.maximum(move * min(1.0, float(shares.min(initial=1.0))), self.low), self.high)

    def _solved(self, free: Mask, fixed: Array, damping: float) -> Array:
        """Return the least point where some components are free and the others fixed."""
        move = np.where(free, 0.0, fixed)
        if free.any():
            right = -(self.gradient + self.curvature @ move)[free]
            free_curvature = self.curvature.of(free)
            factored = free_curvature.factored(damping) or free_curvature.factored(max(damping, LEAST_DAMPING * 100.0))
            move[free] = 0.0 if factored is None else factored.solve(right)
        return move


def arrow_system(evaluation: Evaluation, fine: bool) -> type[System]:
    """Return what to solve: the curvature, or if ``fine`` the triangle of the Jacobian, within bounds if any."""
    if evaluation.bounds is not None:
        return ArrowBounded
    if not fine:
        return ArrowNormal
    return ArrowRegular if evaluation.at(evaluation.theta, 3).factor is None else ArrowFine


def well(factored: Factored) -> bool:
    """Whether the smallest eigenvalue of a scaled arrow surely is large enough to work with squared numbers."""
    return factored.largest_inverse * WELL < 1.0


def promised(evaluation: Evaluation, curvature: Arrow, blocked: Mask | None) -> float:
    """Return the decrease of J that a Gauss-Newton step promises; of the components that no bound blocks."""
    free = np.ones(len(curvature), dtype=bool) if blocked is None else ~blocked
    free_curvature, gradient = curvature.of(free), evaluation.gradient[free]
    diagonal = free_curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = free_curvature.scaled(scale)
    factored = scaled.factored()
    if factored is not None and well(factored):
        return 0.5 * float(gradient / scale @ factored.solve(gradient / scale))
    factor = evaluation.at(evaluation.theta, 3).factor
    if isinstance(factor, ArrowTriangle):
        triangle = factor.of(free).scaled(scale)
        return triangle.predicted(triangle.least(RANK))
    factored = scaled.factored(LEAST_DAMPING)
    return math.inf if factored is None else 0.5 * float(gradient / scale @ factored.solve(gradient / scale))
