"""Adagrad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import Adaptive
from descend.registry import setting


@dataclass(frozen=True)
class Adagrad(Adaptive):
    """Per parameter, divide by the root of the sum of all squared gradients, as torch.optim.Adagrad.

    s <- s + g**2
    theta <- theta - eta*g/(sqrt(s) + epsilon)

    epsilon: above 0; keeps the division finite where the gradient is 0.

    Source: Duchi, Hazan & Singer (2011), J. Mach. Learn. Res. 12, 2121-2159.

    Under a gradient that stays the same, steps shrink as 1/sqrt(t):

    >>> from types import SimpleNamespace
    >>> theta, state = np.zeros(1), np.zeros(1)
    >>> for _ in range(4):
    ...     before = theta
    ...     evaluation = SimpleNamespace(theta=theta, gradient=np.array([7.0]), rate=1.0)
    ...     theta, state = Adagrad().step(evaluation, state)
    ...     print((theta - before).round(3))
    [-1.]
    [-0.707]
    [-0.577]
    [-0.5]
    """

    epsilon: float = setting(1e-10, above=0)

    name: ClassVar[str] = "adagrad"
    share: ClassVar[int] = 2

    def init(self, theta: Array) -> State:
        return np.zeros_like(theta)

    def step(self, evaluation: Evaluation, squares_state: State) -> tuple[Array, State]:
        gradient = evaluation.gradient
        squares = squares_state + gradient * gradient
        return evaluation.theta - evaluation.rate * (gradient / (np.sqrt(squares) + self.epsilon)), squares
