"""The Levenberg-Marquardt method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.families import WholeSteps
from descend.optimizers.line_search import NOISE
from descend.optimizers.second_derivatives import newton_step
from descend.optimizers.systems import LEAST, System, Units, system_of
from descend.registry import setting

ATTEMPTS = 60
"""Larger and larger dampings that are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
ROUGHLY = 1e-9
"""Decrease of J, as a share of it, below which squared numbers no longer serve."""
ILL = 1e-6
"""So little damping does not help a system that is too ill-conditioned for squared numbers."""
LEAST_DAMPING = 1e-30
"""So little that even a system of condition 1e15 is not damped any more."""
LAST = 64 * np.finfo(np.float64).eps
"""Relative size of a step that changes no digit worth having."""
UNEXPLAINED = 1e-20
"""Share of J that the parameters can still explain, at the end of steps that do not, from which second derivatives are
worth their gradients."""
FARTHEST = 10.0
"""Steps that hardly shrink are not extrapolated: they may lead to infinity."""
Known = tuple[Array, float, Array | None, Array | None]
"""The undamped step from where we stand, and |q| there; the step that led here, and the undamped one it came from."""


MOST_DIFFERENTIATED = 20
"""Parameters up to which all second derivatives are taken, of which each costs two gradients."""


@dataclass(frozen=True)
class LevenbergMarquardt(WholeSteps):
    """Gauss-Newton steps, damped so far that each lowers J.

    With C = R'R the Gauss-Newton (Fisher) curvature, g = R'q the gradient and D the largest column norms of R so far:
        (R'R + lambda D**2) d = -R'q,   theta <- theta + d
    lambda falls where the model of J held (by the ratio of actual to predicted decrease) and grows where it did not.
    The system is solved as it stands for as long as that is safe; where it is ill-conditioned, by QR of R, itself from
    QR of the Jacobian where the engine has it, so that no digits are lost to squaring. At last, where the decrease of J
    drowns in rounding, undamped steps are taken, extrapolated from the one before, for as long as they shorten q, the
    part of the residual that the parameters can still explain; where they do not, for the residuals are large, Newton
    steps with all second derivatives. Then no further digit can be had. The learning rate is not used.

    damping: the first lambda, above 0.

    Source: Levenberg (1944), Q. Appl. Math. 2, 164-168; Marquardt (1963), J. SIAM 11, 431-441; scaling, More (1978);
    update of lambda, Nielsen (1999), IMM-REP-1999-05; extrapolation, Anderson (1965), J. ACM 12, 547-560, of depth 1.
    """

    damping: float = setting(1e-3, above=0.0)

    name: ClassVar[str] = "levenberg_marquardt"
    aliases: ClassVar[str] = "lm leastsq gauss_newton gn lsq"
    needs: ClassVar[int] = 2
    bounded: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1, unused: the damping decides how far a step goes"

    def init(self, theta: Array) -> State:
        # Largest squared column norms so far, lambda, the factor lambda grows by next; whether to work on the triangle;
        # the step that led here; and, once only the last digits are left, what is known about the next step.
        return ([LEAST] * theta.size, self.damping, 2.0, False, None, None)

    def step(self, evaluation: Evaluation, state: State) -> tuple[Array, State]:
        assert evaluation.curvature is not None
        units, damping, growth, fine, taken, known = state
        if known is not None:
            theta, known = finished(evaluation, system_of(evaluation, fine), units, known)
            return theta, (units, damping, growth, fine, None, known)
        fine = fine or evaluation.bounds is not None
        if fine and not np.isfinite(evaluation.curvature).all():
            return evaluation.theta, state
        if taken is None and not finite(evaluation.gradient):
            return evaluation.theta, state
        system = system_of(evaluation, fine)(evaluation, units)
        units = system.units
        if damping < ILL and not system.safe():
            return self.step(evaluation, (units, damping, growth, True, taken, None))
        least = (NOISE if fine else ROUGHLY) * abs(evaluation.loss)
        for _ in range(ATTEMPTS):
            move, predicted = system.move(damping)
            if not predicted > least:
                break
            new = evaluation.at(ahead(evaluation, move), system.order)
            ratio = (evaluation.loss - new.loss) / predicted
            if ratio > WORTH_IT and finite(new.gradient):
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
                return new.theta, (units, max(damping, LEAST_DAMPING), 2.0, fine, move, None)
            damping *= growth
            growth *= 2.0
        if not system.safe():
            return self.step(evaluation, (units, damping, growth, True, taken, None))
        theta, known = finished(evaluation, type(system), units, (*system.newton(), taken, taken))
        return theta, (units, damping, growth, fine, None, known)


def ahead(evaluation: Evaluation, move: Array) -> Array:
    """Return where a step leads: exactly at a bound, not beside it by rounding."""
    bounds = evaluation.bounds
    return evaluation.theta + move if bounds is None else bounds.moved(evaluation.theta, move)


def finished(evaluation: Evaluation, kind: type[System], units: Units, known: Known) -> tuple[Array, Known]:
    """Return the end of one of the last steps; where we stand if there is nothing left to gain.

    Where undamped steps do not shorten what the parameters can still explain, residuals are so large that the curvature
    lacks much of the second derivatives: then it takes all of them.
    """
    theta, following = last_digits(evaluation, kind, units, known)
    offset = known[1]
    if theta is not evaluation.theta or evaluation.bounds is not None or evaluation.proximal:
        return theta, following
    if theta.size > MOST_DIFFERENTIATED:
        return theta, following
    worth = UNEXPLAINED if kind.order < 3 else ROUGHLY
    if not worth * abs(evaluation.loss) < offset * offset < math.inf:
        return theta, following
    new = newton_step(evaluation)
    if new is None:
        return theta, following
    return new.theta, (*kind(new.at(new.theta, kind.order), units).newton(), None, None)


def last_digits(evaluation: Evaluation, kind: type[System], units: Units, known: Known) -> tuple[Array, Known]:
    """Return the end of an undamped step if it shortens q, or else where we stand: there is nothing left to gain."""
    move, offset, taken, before = known
    theta = evaluation.theta
    if not moves(theta, move):
        return theta, known
    tries = [move]
    if taken is not None and before is not None and evaluation.bounds is None:
        tries = extrapolated(move, taken, before, units)
    for step in tries:
        new = evaluation.at(ahead(evaluation, step), kind.order)
        if finite(new.gradient) and new.loss <= evaluation.loss + 1e-6 * abs(evaluation.loss) + 1e-300:
            following, left = kind(new, units).newton()
            if left < 0.9 * offset:
                return new.theta, (following, left, step, move)
    return theta, known


def moves(theta: Array, move: Array) -> bool:
    """Whether a step changes a digit worth having of any parameter."""
    return any(not abs(part) <= LAST * abs(whole) for whole, part in zip(theta.tolist(), move.tolist(), strict=True))


def extrapolated(move: Array, taken: Array, before: Array, units: Units) -> list[Array]:
    """Return steps to try instead of the Gauss-Newton step ``move``, the longest first.

    Gauss-Newton steps shrink by a constant factor each, along the direction in which the curvature that it leaves out
    matters most. Where ``before`` was asked for and ``taken`` was gone, the secant through the two zeroes that factor:
        move - share (taken + move - before),   share = <move - before, move> / |move - before|**2
    """
    change = move - before
    weighed = change * units
    length = float(change.dot(weighed))
    share = float(move.dot(weighed)) / length if length > 0.0 else 0.0
    if abs(share) > FARTHEST:
        return [move]
    secant = move - share * (taken + change)
    return [secant, move] if abs(share) > 0.1 else [secant]


def finite(vector: Array) -> bool:
    """Whether no component is infinite or nan."""
    return math.isfinite(vector.dot(vector)) or bool(np.isfinite(vector).all())
