"""AdamW."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.adam import adam_direction
from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import Adaptive
from descend.registry import setting


@dataclass(frozen=True)
class AdamW(Adaptive):
    """Adam with every parameter drawn towards 0 beside the gradient, as torch.optim.AdamW.

    theta <- (1 - eta*weight_decay)*theta, then a step of Adam with the gradient at the old theta

    The decay is not part of J: the run comes to rest where Adam's step and the decay cancel, near the minimum of J
    and not at it, and no parameter gets far beyond 1/weight_decay in size. For an exact l2 penalty, add one to J and
    use `adam`.

    beta1, beta2, epsilon: as in Adam.
    weight_decay: at least 0; 0 is Adam.

    Source: Loshchilov & Hutter (2019), ICLR, arXiv:1711.05101.

    Where the gradient is 0, only the decay acts:

    >>> from types import SimpleNamespace
    >>> evaluation = SimpleNamespace(theta=np.array([1.0]), gradient=np.array([0.0]), rate=0.1)
    >>> AdamW().step(evaluation, AdamW().init(evaluation.theta))[0]
    array([0.999])
    """

    beta1: float = setting(0.9, at_least=0, below=1)
    beta2: float = setting(0.999, at_least=0, below=1)
    epsilon: float = setting(1e-8, above=0)
    weight_decay: float = setting(0.01, at_least=0)

    name: ClassVar[str] = "adamw"
    share: ClassVar[int] = 10

    def init(self, theta: Array) -> State:
        return 0, np.zeros_like(theta), np.zeros_like(theta)

    def step(self, evaluation: Evaluation, adam_state: State) -> tuple[Array, State]:
        direction, adam_state = adam_direction(evaluation.gradient, adam_state, self.beta1, self.beta2, self.epsilon)
        weight_left = 1.0 - evaluation.rate * self.weight_decay
        return weight_left * evaluation.theta - evaluation.rate * direction, adam_state

    @property
    def largest_rate(self) -> float:
        # Parameters end up within 1/weight_decay, and a rate above it would fling them past 0 at every step.
        return 1.0 / (self.share * self.weight_decay) if self.weight_decay > 0.0 else math.inf
