"""RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import Adaptive
from descend.registry import setting


@dataclass(frozen=True)
class RMSprop(Adaptive):
    """Per parameter, divide by a running root mean square of the gradient, as torch.optim.RMSprop.

    s <- decay*s + (1 - decay)*g**2
    theta <- theta - eta*g/(sqrt(s) + epsilon)

    decay: at least 0 and below 1; how slowly old gradients are forgotten.
    epsilon: above 0; keeps the division finite where the gradient is 0.

    Source: Tieleman & Hinton (2012), Coursera, Neural Networks for Machine Learning, lecture 6.5.

    The first step is 1/sqrt(1 - decay) times the rate, whatever the gradient:

    >>> from types import SimpleNamespace
    >>> evaluation = SimpleNamespace(theta=np.zeros(2), gradient=np.array([1e-3, 1e3]), rate=0.01)
    >>> RMSprop().step(evaluation, np.zeros(2))[0].round(4)
    array([-0.1, -0.1])
    """

    decay: float = setting(0.99, at_least=0, below=1)
    epsilon: float = setting(1e-8, above=0)

    name: ClassVar[str] = "rmsprop"
    share: ClassVar[int] = 100

    def init(self, theta: Array) -> State:
        return np.zeros_like(theta)

    def step(self, evaluation: Evaluation, squares_state: State) -> tuple[Array, State]:
        gradient = evaluation.gradient
        squares = self.decay * squares_state + (1.0 - self.decay) * (gradient * gradient)
        return evaluation.theta - evaluation.rate * (gradient / (np.sqrt(squares) + self.epsilon)), squares
