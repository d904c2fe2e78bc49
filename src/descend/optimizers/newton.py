"""Newton's method, with the expected curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import SUFFICIENT_DECREASE, Array, Evaluation, State, System
from descend.optimizers.curvature import is_finite
from descend.optimizers.damped_systems import LEAST, system_of
from descend.optimizers.levenberg_marquardt import ROUGHLY, last_digits
from descend.optimizers.rate_rules import WholeSteps

HALVINGS = 50


@dataclass(frozen=True)
class Newton(WholeSteps):
    """Steps to the minimum of the parabola whose curvature is the Fisher information, halved until J falls.

    With C = R'R the curvature and g the gradient:   C d = -g,   theta <- theta + 2**-k d
    with the least k at which J falls by at least 1e-4 of what the slope predicts. For the poisson and logistic losses
    this is Fisher scoring, that is iteratively reweighted least squares; for the squared loss it is Gauss-Newton.
    Close to the minimum it takes the last steps of ``levenberg_marquardt``, which is safer far from it.
    The learning rate is not used.

    Source: Fisher (1935), in Bliss, Ann. Appl. Biol. 22, 164-165; Nelder & Wedderburn (1972), J. R. Stat. Soc. A 135,
    370-384; halving, Armijo (1966), Pac. J. Math. 16, 1-3.
    """

    name: ClassVar[str] = "newton"
    aliases: ClassVar[str] = "irls fisher fisher_scoring"
    needs: ClassVar[int] = 2
    rate_rule: ClassVar[str] = "1, unused: each step is halved until J falls"

    def init(self, theta: Array) -> State:
        return False  # whether only the last digits are left

    def step(self, evaluation: Evaluation, newton_state: State) -> tuple[Array, State]:
        assert evaluation.curvature is not None
        if not (np.isfinite(evaluation.gradient).all() and is_finite(evaluation.curvature)):
            return evaluation.theta, newton_state
        system: System = system_of(evaluation, fine=False)(evaluation, [LEAST] * evaluation.theta.size)
        if not system.safe():
            system = system_of(evaluation, fine=True)(evaluation, system.units)
        move, offset = system.newton()
        slope = float(evaluation.gradient @ move)
        if newton_state or not -slope > ROUGHLY * abs(evaluation.loss):
            return last_digits(evaluation, type(system), system.units, (move, offset, None, None))[0], True
        share = 1.0
        for _ in range(HALVINGS):
            new = evaluation.at(evaluation.theta + share * move, system.order)
            if new.loss <= evaluation.loss + SUFFICIENT_DECREASE * share * slope and np.isfinite(new.gradient).all():
                return new.theta, False
            share /= 2.0
        return evaluation.theta, newton_state
