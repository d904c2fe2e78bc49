"""Gradient descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import OR_LESS, LinearMethod
from descend.optimizers.recurrence import Recurrence
from descend.registry import setting


@dataclass(frozen=True)
class Momentum(LinearMethod):
    """Gradient descent that keeps part of its last velocity (heavy ball), as torch.optim.SGD(momentum=m).

    v <- m*v + g
    theta <- theta - eta*v

    With an l1 penalty or bounds:   theta' = shrink(theta - eta*(m*v + g), eta);   v <- (theta - theta')/eta

    momentum: m, at least 0 and below 1; 0 is gradient descent.

    It converges on a quadratic of largest curvature L if eta < 2*(1 + m)/L.

    Source: Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.

    Under a gradient that stays the same, steps grow towards 1/(1 - m) times those of gradient descent:

    >>> from types import SimpleNamespace
    >>> theta, state = np.zeros(1), np.zeros(1)
    >>> for _ in range(3):
    ...     evaluation = SimpleNamespace(theta=theta, gradient=np.ones(1), rate=1.0, proximal=False)
    ...     theta, state = Momentum(momentum=0.5).step(evaluation, state)
    ...     print(theta)
    [-1.]
    [-2.5]
    [-4.25]
    """

    momentum: float = setting(0.9, at_least=0, below=1)

    name: ClassVar[str] = "momentum"
    aliases: ClassVar[str] = "heavy_ball polyak"
    proximal: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "(1 - momentum) / (largest curvature at the start)" + OR_LESS

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.momentum)

    def init(self, theta: Array) -> State:
        return np.zeros_like(theta)

    def step(self, evaluation: Evaluation, velocity_state: State) -> tuple[Array, State]:
        velocity = self.momentum * velocity_state + evaluation.gradient
        rate = evaluation.rate
        theta = evaluation.theta - rate * velocity
        if evaluation.proximal:
            theta = evaluation.shrink(theta, rate)
            # A schedule may end at rate 0, where nothing moves and the velocity is what it was.
            velocity = (evaluation.theta - theta) / rate if rate > 0.0 else velocity_state
        return theta, velocity
