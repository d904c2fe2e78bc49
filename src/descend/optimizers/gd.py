"""Gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.rate_rules import OR_LESS, LinearMethod
from descend.optimizers.recurrence import Recurrence

WITHOUT_MOMENTUM = Recurrence()
"""What gradient descent does on a parabola."""


@dataclass(frozen=True)
class GradientDescent(LinearMethod):
    """Step against the gradient.

    With g = dJ/dtheta and learning rate eta:   theta <- theta - eta*g

    With an l1 penalty or bounds it is the proximal gradient method:   theta <- shrink(theta - eta*g, eta)

    It has no settings. It converges on a quadratic of largest curvature L if eta < 2/L.

    Source: Cauchy (1847), C. R. Acad. Sci. Paris 25, 536-538; proximal: Beck & Teboulle (2009), SIAM J. Imaging Sci.
    2, 183-202.

    On J = 2*theta**2, whose curvature is 4, a rate of 1/4 arrives in one step and 2/4 is the edge of divergence:

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> evaluation = SimpleNamespace(theta=np.array([3.0]), gradient=np.array([12.0]), rate=0.25, proximal=False)
    >>> GradientDescent().step(evaluation, ())[0]
    array([0.])
    >>> GradientDescent().largest_stable_rate(curvature_max=4.0)
    0.5
    """

    name: ClassVar[str] = "gd"
    aliases: ClassVar[str] = "sgd gradient_descent steepest_descent"
    proximal: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1 / (largest curvature at the start)" + OR_LESS

    @property
    def recurrence(self) -> Recurrence:
        return WITHOUT_MOMENTUM

    def init(self, theta: Array) -> State:
        return ()

    def step(self, evaluation: Evaluation, optimizer_state: State) -> tuple[Array, State]:
        theta = evaluation.theta - evaluation.rate * evaluation.gradient
        if evaluation.proximal:
            theta = evaluation.shrink(theta, evaluation.rate)
        return theta, optimizer_state
