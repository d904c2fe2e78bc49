"""The Levenberg-Marquardt method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import SUFFICIENT_DECREASE, Array, Evaluation, State, System, Units
from descend.optimizers.costly_derivatives import sparing_step
from descend.optimizers.curvature import is_finite
from descend.optimizers.damped_systems import (
    ATTEMPTS,
    LEAST,
    ahead,
    extrapolated,
    finite,
    less_damped,
    moves,
    system_of,
)
from descend.optimizers.line_search import NOISE
from descend.optimizers.rate_rules import WholeSteps
from descend.optimizers.second_derivatives import newton_step
from descend.registry import setting

ROUGHLY = 1e-9
"""Below this relative decrease of J, squared numbers are no longer accurate enough."""
ILL = 1e-6
"""Damping below this does not help a system that is too ill-conditioned for squared numbers."""
LAST = 64 * np.finfo(np.float64).eps
"""Relative size of a step that changes no digit worth having."""
UNEXPLAINED = 1e-20
"""When undamped steps stop helping, second derivatives are worth their cost if the parameters can still explain at
least this share of J."""
SETTLED = 1e-23
"""Of more parameters than have all second derivatives taken, the last steps end where they can explain less than this
share of J: they shrink but slowly there, and what is left is far below the standard errors."""
OUTGROWN = 1e12
"""Where a squared column norm was once larger than it is by this factor, its parameter can no longer move: before a
descent is called finished, what is larger than here is forgotten."""
Known = tuple[Array, float, Array | None, Array | None]
"""The undamped step from theta and |q| there; the step that led to theta, and the undamped step it was made from."""


MOST_DIFFERENTIATED = 20
"""Up to this many parameters all second derivatives are taken, at two gradients per parameter."""


@dataclass(frozen=True)
class LevenbergMarquardt(WholeSteps):
    """Gauss-Newton steps, damped enough that each lowers J.

    With C = R'R the Gauss-Newton (Fisher) curvature, g = R'q the gradient and D the largest column norms of R so far:
        (R'R + lambda D**2) d = -R'q,   theta <- theta + d
    lambda falls where the model of J held (by the ratio of actual to predicted decrease) and grows where it did not.
    The system is solved as it stands while that is safe. Where it is ill-conditioned, R is used instead, taken from QR
    of the Jacobian if the engine has it, so that no digits are lost to squaring. At the end, when the decrease of J is
    lost in rounding, undamped steps extrapolated from the one before are taken while they shorten q, the part of the
    residual that the parameters can still explain. If they do not, because residuals are large, Newton steps with all
    second derivatives follow. Then no further digit can be gained. The learning rate is not used.

    damping: the first lambda, above 0.

    Source: Levenberg (1944), Q. Appl. Math. 2, 164-168; Marquardt (1963), J. SIAM 11, 431-441; scaling, More (1978);
    update of lambda, Nielsen (1999), IMM-REP-1999-05; extrapolation, Anderson (1965), J. ACM 12, 547-560, of depth 1.
    """

    damping: float = setting(1e-3, above=0.0)

    name: ClassVar[str] = "levenberg_marquardt"
    aliases: ClassVar[str] = "lm leastsq gauss_newton gn lsq"
    needs: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    proximal: ClassVar[bool] = True
    damps: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1, unused: the damping decides how far a step goes"

    def init(self, theta: Array) -> State:
        # Largest squared column norms so far, lambda, the factor by which lambda grows next; whether to work on the
        # triangle; the step that led here; and, once only the last digits remain, what is known about the next step.
        return ([LEAST] * theta.size, self.damping, 2.0, False, None, None)

    def damped(self, damped_state: State) -> float:
        """Return the damping of the next step."""
        return float(damped_state[1])

    def step(self, evaluation: Evaluation, damped_state: State) -> tuple[Array, State]:
        assert evaluation.curvature is not None
        units, damping, growth, fine, step_taken, step_known = damped_state
        if evaluation.sparing:
            return sparing_step(evaluation, damped_state)
        if step_known is not None:
            theta, step_known = finished(evaluation, system_of(evaluation, fine), units, step_known)
            return theta, (units, damping, growth, fine, None, step_known)
        fine = fine or evaluation.bounds is not None
        if fine and not is_finite(evaluation.curvature):
            return evaluation.theta, damped_state
        if step_taken is None and not finite(evaluation.gradient):
            return evaluation.theta, damped_state
        system = system_of(evaluation, fine)(evaluation, units)
        units = system.units
        if damping < ILL and not system.safe():
            return self.step(evaluation, (units, damping, growth, True, step_taken, None))
        least_gain = (NOISE if fine else ROUGHLY) * abs(evaluation.loss)
        for _ in range(ATTEMPTS):
            move, predicted = system.move(damping)
            if not predicted > least_gain:
                break
            new = evaluation.at(ahead(evaluation, move), system.order)
            ratio = (evaluation.loss - new.loss) / predicted
            if ratio > SUFFICIENT_DECREASE and finite(new.gradient):
                return new.theta, (units, less_damped(damping, ratio), 2.0, fine, move, None)
            damping *= growth
            growth *= 2.0
        if not system.safe():
            return self.step(evaluation, (units, damping, growth, True, step_taken, None))
        system_here = type(system)(evaluation, [LEAST] * evaluation.theta.size).units
        if any(unit > OUTGROWN * now for unit, now in zip(units, system_here, strict=True)):
            return self.step(evaluation, (system_here, damping, 2.0, fine, step_taken, None))
        theta, step_known = finished(evaluation, type(system), units, (*system.newton(), step_taken, step_taken))
        return theta, (units, damping, growth, fine, None, step_known)


def finished(evaluation: Evaluation, kind: type[System], units: Units, last_step: Known) -> tuple[Array, Known]:
    """Return the end of one of the last steps; the same theta if there is nothing left to gain.

    If undamped steps do not shorten what the parameters can still explain, the residuals are so large that the
    curvature misses much of the second derivatives, and a Newton step with all of them is taken.
    """
    offset = last_step[1]
    many = evaluation.theta.size > MOST_DIFFERENTIATED
    if many and kind.order < 3 and offset * offset < SETTLED * abs(evaluation.loss):
        return evaluation.theta, last_step
    theta, following = last_digits(evaluation, kind, units, last_step)
    if theta is not evaluation.theta or evaluation.bounds is not None or evaluation.proximal:
        return theta, following
    if many:
        return theta, following
    worth = UNEXPLAINED if kind.order < 3 else ROUGHLY
    if not worth * abs(evaluation.loss) < offset * offset < math.inf:
        return theta, following
    new = newton_step(evaluation)
    if new is None:
        return theta, following
    return new.theta, (*kind(new.at(new.theta, kind.order), units).newton(), None, None)


def last_digits(evaluation: Evaluation, kind: type[System], units: Units, last_step: Known) -> tuple[Array, Known]:
    """Return the end of an undamped step if it shortens q; otherwise the same theta, as nothing is left to gain."""
    move, offset, step_taken, before = last_step
    theta = evaluation.theta
    if not moves(theta, move, LAST):
        return theta, last_step
    tries = [move]
    if step_taken is not None and before is not None and evaluation.bounds is None:
        tries = extrapolated(move, step_taken, before, units)
    for step in tries:
        new = evaluation.at(ahead(evaluation, step), kind.order)
        if finite(new.gradient) and new.loss <= evaluation.loss + 1e-6 * abs(evaluation.loss) + 1e-300:
            following, left = kind(new, units).newton()
            if left < 0.9 * offset:
                return new.theta, (following, left, step, move)
    return theta, last_step
