"""Adam."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import Adaptive
from descend.registry import setting


@dataclass(frozen=True)
class Adam(Adaptive):
    """Per parameter, a running mean of the gradient over its running root mean square, as torch.optim.Adam.

    m <- beta1*m + (1 - beta1)*g
    v <- beta2*v + (1 - beta2)*g**2
    theta <- theta - eta * m/(1 - beta1**t) / (sqrt(v/(1 - beta2**t)) + epsilon)      at step t = 1, 2, ...

    beta1, beta2: at least 0 and below 1; how slowly the mean and the mean square forget.
    epsilon: above 0; keeps the division finite where the gradient is 0.

    Source: Kingma & Ba (2015), ICLR, arXiv:1412.6980.

    The first step is as long as the rate, whatever the gradient:

    >>> from types import SimpleNamespace
    >>> evaluation = SimpleNamespace(theta=np.zeros(2), gradient=np.array([1e-3, 1e3]), rate=0.1)
    >>> Adam().step(evaluation, Adam().init(evaluation.theta))[0].round(4)
    array([-0.1, -0.1])
    """

    beta1: float = setting(0.9, at_least=0, below=1)
    beta2: float = setting(0.999, at_least=0, below=1)
    epsilon: float = setting(1e-8, above=0)

    name: ClassVar[str] = "adam"
    share: ClassVar[int] = 10

    def init(self, theta: Array) -> State:
        return 0, np.zeros_like(theta), np.zeros_like(theta)

    def step(self, evaluation: Evaluation, adam_state: State) -> tuple[Array, State]:
        direction, adam_state = adam_direction(evaluation.gradient, adam_state, self.beta1, self.beta2, self.epsilon)
        return evaluation.theta - evaluation.rate * direction, adam_state


def adam_direction(gradient: Array, adam: State, beta1: float, beta2: float, epsilon: float) -> tuple[Array, State]:
    """Return what Adam multiplies by the learning rate, and its next state (t, m, v)."""
    count, mean, squares = adam
    count += 1
    mean = mean + (1.0 - beta1) * (gradient - mean)
    squares = beta2 * squares + (1.0 - beta2) * (gradient * gradient)
    root = np.sqrt(squares) / math.sqrt(1.0 - beta2**count) + epsilon
    return mean / ((1.0 - beta1**count) * root), (count, mean, squares)
