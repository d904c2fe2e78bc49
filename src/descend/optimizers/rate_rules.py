"""Families of optimizers, by what the learning rate means to them, and how `--learning-rate auto` chooses it.

The curvature at the start says nothing about the curvature further on, so every rule takes a cautious share of what
a quadratic would allow, and halves it until the first step does not raise J. The shares of the adaptive methods are
those that, over some forty small fits, brought J furthest down in 1000 epochs.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, Optimizer
from descend.optimizers.curvature import damped_inverse, largest_curvature
from descend.optimizers.recurrence import Recurrence

OR_LESS = ", or less if such a step raises the loss"
HALVINGS = 60


class LinearMethod(Optimizer):
    """Steps that are linear in the gradients seen so far: what they do on a parabola is known for every epoch."""

    @property
    @abstractmethod
    def recurrence(self) -> Recurrence:
        """How an error along an eigenvector of the curvature shrinks or grows from epoch to epoch."""

    def suggested_rate(self, evaluation: Evaluation) -> float:
        return inverse_curvature(evaluation, self.recurrence.momentum)


class Adaptive(Optimizer):
    """Steps whose components are about as long as the learning rate, whatever the gradient.

    share: the rate that is chosen is 1/share of the largest change in a Gauss-Newton step.
    """

    share: ClassVar[int]

    @property
    def rate_rule(self) -> str:  # type: ignore[override]
        return f"1/{self.share} of the largest change in a Gauss-Newton step at the start" + OR_LESS

    @property
    def largest_rate(self) -> float:
        """The largest rate that makes sense, whatever the curvature."""
        return math.inf

    def suggested_rate(self, evaluation: Evaluation) -> float:
        return min(gauss_newton_share(evaluation, self.share), self.largest_rate)


class WholeSteps(Optimizer):
    """Steps over all rows at once that choose their own length and end by themselves: they need no learning rate."""

    stochastic: ClassVar[bool] = False
    thorough: ClassVar[bool] = True

    uses_rate = False

    def suggested_rate(self, evaluation: Evaluation) -> float:
        return 1.0


def inverse_curvature(evaluation: Evaluation, momentum: float = 0.0) -> float:
    """Return (1 - momentum)/L, L the largest eigenvalue of the curvature.

    Without momentum that is half of the largest stable rate. 2/(L + l), l the smallest eigenvalue, would be faster on
    a quadratic, but lies at the edge of divergence where l is small, as it mostly is. With momentum a gradient acts
    1/(1 - momentum) times, so that its whole effect is the same.
    Without a usable curvature, the rate makes the first step as long as theta, or of length 1 from theta = 0.
    """
    largest = largest_curvature(evaluation.curvature)
    if largest is not None:
        rate = 1.0 / largest
    else:
        length = float(np.linalg.norm(evaluation.gradient))
        rate = _size(evaluation.theta) / length if length > 0.0 else 1.0
    if not math.isfinite(rate):
        return 1.0
    return halved_until_it_descends(evaluation, (1.0 - momentum) * rate, evaluation.gradient)


def gauss_newton_share(evaluation: Evaluation, share: int) -> float:
    """Return 1/share of the largest component of the damped Gauss-Newton step, for methods whose step is about eta.

    Without a usable curvature: 1/share of the largest parameter, or of 1 from theta = 0.
    """
    inverse = damped_inverse(evaluation.curvature)
    reach = _size(evaluation.theta)
    if inverse is not None:
        newton = inverse @ evaluation.gradient if inverse.ndim == 2 else inverse * evaluation.gradient
        largest = float(np.abs(newton).max())
        if math.isfinite(largest) and largest > 0.0:
            reach = largest
    return halved_until_it_descends(evaluation, reach / share, np.sign(evaluation.gradient))


def halved_until_it_descends(evaluation: Evaluation, rate: float, direction: Array) -> float:
    """Return ``rate``, halved until a step against ``direction`` does not raise J; unchanged if none does."""
    trial = rate
    for _ in range(HALVINGS):
        theta = evaluation.shrink(evaluation.theta - trial * direction, trial)
        if evaluation.at(theta, order=0).loss <= evaluation.loss:
            return trial
        trial /= 2.0
    return rate


def _size(theta: Array) -> float:
    largest = float(np.abs(theta).max())
    return largest if largest > 0.0 else 1.0
