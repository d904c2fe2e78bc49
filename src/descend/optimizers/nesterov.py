"""Nesterov's accelerated gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import OR_LESS, LinearMethod
from descend.optimizers.recurrence import Recurrence
from descend.registry import setting


@dataclass(frozen=True)
class Nesterov(LinearMethod):
    """Momentum that looks one step ahead, as torch.optim.SGD(momentum=m, nesterov=True).

    v <- m*v + g
    theta <- theta - eta*(g + m*v)

    momentum: m, at least 0 and below 1; 0 is gradient descent.

    It converges on a quadratic of largest curvature L if eta < 2*(1 + m)/((1 + 2*m)*L).

    Source: Nesterov (1983), Soviet Math. Dokl. 27, 372-376, in the form of Sutskever et al. (2013), ICML.

    Under a gradient that stays the same, steps grow towards 1/(1 - m) times those of gradient descent, sooner than with
    `momentum`:

    >>> from types import SimpleNamespace
    >>> theta, state = np.zeros(1), np.zeros(1)
    >>> for _ in range(3):
    ...     evaluation = SimpleNamespace(theta=theta, gradient=np.ones(1), rate=1.0)
    ...     theta, state = Nesterov(momentum=0.5).step(evaluation, state)
    ...     print(theta)
    [-1.5]
    [-3.25]
    [-5.125]
    """

    momentum: float = setting(0.9, at_least=0, below=1)

    name: ClassVar[str] = "nesterov"
    aliases: ClassVar[str] = "nag"
    rate_rule: ClassVar[str] = "(1 - momentum) / (largest curvature at the start)" + OR_LESS

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(self.momentum, nesterov=True)

    def init(self, theta: Array) -> State:
        return np.zeros_like(theta)

    def step(self, evaluation: Evaluation, velocity_state: State) -> tuple[Array, State]:
        velocity = self.momentum * velocity_state + evaluation.gradient
        theta = evaluation.theta - evaluation.rate * (evaluation.gradient + self.momentum * velocity)
        return theta, velocity
