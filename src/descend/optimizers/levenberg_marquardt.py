"""The Levenberg-Marquardt method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.bounded import bounded_least_squares
from descend.optimizers.contract import Array, Evaluation, Optimizer, State
from descend.optimizers.line_search import NOISE
from descend.settings import setting

ATTEMPTS = 60
"""Larger and larger dampings that are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""
ROUGHLY = 1e-9
"""Decrease of J, as a share of it, below which squared numbers no longer serve."""
ILL = 1e-6
"""So little damping does not help a system that is too ill-conditioned for squared numbers."""
WELL = 1e-9
"""Smallest eigenvalue of the scaled curvature above which squared numbers cost no digit of the answer."""
LEAST_DAMPING = 1e-30
"""So little that even a system of condition 1e15 is not damped any more."""
LAST = 64 * np.finfo(np.float64).eps
"""Relative size of a step that changes no digit worth having."""
FARTHEST = 10.0
"""Steps that hardly shrink are not extrapolated: they may lead to infinity."""
LEAST_NORM = 1e-150
"""Taken for the norm of a column of zeros: its square can still be divided by."""
Known = tuple[Array, float, Array | None, Array | None]
"""The undamped step from where we stand, and |q| there; the step that led here, and the undamped one it came from."""


@dataclass(frozen=True)
class LevenbergMarquardt(Optimizer):
    """Gauss-Newton steps, damped so far that each lowers J.

    With C = R'R the Gauss-Newton (Fisher) curvature, g = R'q the gradient and D the largest column norms of R so far:
        (R'R + lambda D**2) d = -R'q,   theta <- theta + d
    lambda falls where the model of J held (by the ratio of actual to predicted decrease) and grows where it did not.
    The system is solved as it stands for as long as that is safe; where it is ill-conditioned, by QR of R, itself from
    QR of the Jacobian where the engine has it, so that no digits are lost to squaring. At last, where the decrease of J
    drowns in rounding, undamped steps are taken for as long as they shorten q, the part of the residual that the
    parameters can still explain. Then no further digit can be had. The learning rate is not used.

    damping: the first lambda, above 0.

    Source: Levenberg (1944), Q. Appl. Math. 2, 164-168; Marquardt (1963), J. SIAM 11, 431-441; scaling, More (1978);
    update of lambda, Nielsen (1999), IMM-REP-1999-05.
    """

    damping: float = setting(1e-3, above=0.0)

    name: ClassVar[str] = "levenberg_marquardt"
    needs: ClassVar[int] = 2
    stochastic: ClassVar[bool] = False
    thorough: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1, unused: the damping decides how far a step goes"

    @property
    def uses_rate(self) -> bool:
        return False

    def init(self, theta: Array) -> State:
        # Largest column norms so far, lambda, the factor lambda grows by next; whether to work on the triangle; the
        # step that led here; and, once only the last digits are left, what is known about the next step.
        return (np.full(theta.size, LEAST_NORM), self.damping, 2.0, False, None, None)

    def step(self, evaluation: Evaluation, state: State) -> tuple[Array, State]:
        norms, damping, growth, fine, taken, known = state
        if known is not None:
            theta, known = last_digits(evaluation, system_of(evaluation, fine), norms, known)
            return theta, (norms, damping, growth, fine, None, known)
        fine = fine or evaluation.bounds is not None
        system = system_of(evaluation, fine)(evaluation)
        scale = np.maximum(norms, system.norms)
        if not (finite(evaluation.gradient) and finite(scale)):
            return evaluation.theta, state
        if damping < ILL and not system.safe(scale):
            return self.step(evaluation, (scale, damping, growth, True, taken, None))
        least = (NOISE if fine else ROUGHLY) * abs(evaluation.loss)
        for _ in range(ATTEMPTS):
            move, predicted = system.move(damping, scale)
            if not predicted > least:
                break
            new = evaluation.at(ahead(evaluation, move), system.order)
            ratio = (evaluation.loss - new.loss) / predicted
            if ratio > WORTH_IT and finite(new.gradient):
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
                return new.theta, (scale, max(damping, LEAST_DAMPING), 2.0, fine, move, None)
            damping *= growth
            growth *= 2.0
        if not system.safe(scale):
            return self.step(evaluation, (scale, damping, growth, True, taken, None))
        theta, known = last_digits(evaluation, type(system), scale, (*system.newton(scale), taken, taken))
        return theta, (scale, damping, growth, fine, None, known)

    def largest_stable_rate(self, curvature_max: float) -> float | None:
        return None

    def suggested_rate(self, evaluation: Evaluation) -> float:
        return 1.0


class Normal:
    """The system (C + lambda D**2) d = -g, from curvature and gradient."""

    order = 2

    def __init__(self, evaluation: Evaluation) -> None:
        assert evaluation.curvature is not None
        self.curvature, self.gradient = evaluation.curvature, evaluation.gradient
        self.norms = np.sqrt(self.curvature.diagonal())

    def move(self, damping: float, scale: Array) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts; no decrease if the system is singular.

        With z = D d the decrease -g'd - d'C d/2 is (lambda z'z - z'D^-1 g)/2.
        """
        matrix, gradient = self.curvature / (scale * scale[:, None]), self.gradient / scale
        matrix.flat[:: scale.size + 1] += damping
        try:
            move = np.linalg.solve(matrix, -gradient)
        except np.linalg.LinAlgError:
            return np.zeros_like(scale), 0.0
        return move / scale, 0.5 * float(damping * move.dot(move) - move.dot(gradient))

    def newton(self, scale: Array) -> tuple[Array, float]:
        """Return the undamped d, and |q|; no d, and an endless q, if the system is singular."""
        gradient = self.gradient / scale
        try:
            move = np.linalg.solve(self.curvature / (scale * scale[:, None]), -gradient)
        except np.linalg.LinAlgError:
            return np.zeros_like(scale), math.inf
        return move / scale, math.sqrt(max(-float(gradient.dot(move)), 0.0))

    def safe(self, scale: Array) -> bool:
        """Whether its undamped step can be trusted."""
        return bool(np.linalg.eigvalsh(self.curvature / (scale * scale[:, None]))[0] > WELL)


class Triangle:
    """The same system as a least-squares problem: minimize |R d + q|**2 + lambda |D d|**2."""

    order = 3

    def __init__(self, evaluation: Evaluation) -> None:
        self.upper, self.right = triangle(evaluation.at(evaluation.theta, 3))
        self.norms = np.sqrt(np.add.reduce(self.upper * self.upper))

    def move(self, damping: float, scale: Array) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts."""
        size = scale.size
        whole = np.zeros((2 * size, size + 1))
        whole[:size, :size] = self.upper / scale
        whole[:size, size] = self.right
        whole[range(size, 2 * size), range(size)] = np.sqrt(damping)
        solved = np.asarray(np.linalg.qr(whole, mode="r"))
        move = -np.linalg.solve(solved[:size, :size], solved[:size, size]) / scale
        change = self.upper @ move
        return move, -float(change @ (self.right + 0.5 * change))

    def newton(self, scale: Array) -> tuple[Array, float]:
        """Return the undamped d, and |q|."""
        move = np.linalg.lstsq(self.upper / scale, -self.right, rcond=1e-14)[0] / scale
        return move, float(np.linalg.norm(self.right))

    def safe(self, scale: Array) -> bool:
        """Whether its undamped step can be trusted: there is nothing better."""
        return True


class Bounded:
    """The same problem, solved within bounds: minimize |R d + q|**2 + lambda |D d|**2 over low <= theta + d <= high."""

    order = 3

    def __init__(self, evaluation: Evaluation) -> None:
        assert evaluation.bounds is not None
        self.upper, self.right = triangle(evaluation.at(evaluation.theta, 3))
        self.norms = np.sqrt(np.add.reduce(self.upper * self.upper))
        self.least, self.most = evaluation.bounds.room(evaluation.theta)
        self.free = ~evaluation.bounds.blocked(evaluation.theta, evaluation.gradient)

    def move(self, damping: float, scale: Array) -> tuple[Array, float]:
        """Return d and the decrease of J that the model predicts."""
        whole = np.vstack([self.upper / scale, np.sqrt(damping) * np.eye(scale.size)])
        right = np.append(self.right, np.zeros(scale.size))
        move = bounded_least_squares(whole, right, self.least * scale, self.most * scale) / scale
        change = self.upper @ move
        return move, -float(change @ (self.right + 0.5 * change))

    def newton(self, scale: Array) -> tuple[Array, float]:
        """Return the undamped d, and the length of that part of q which parameters that may still move can explain."""
        move = bounded_least_squares(self.upper / scale, self.right, self.least * scale, self.most * scale) / scale
        if not self.free.any():
            return move, 0.0
        basis = np.linalg.qr(self.upper[:, self.free])[0]
        return move, float(np.linalg.norm(basis.T @ self.right))

    def safe(self, scale: Array) -> bool:
        """Whether its undamped step can be trusted: there is nothing better."""
        return True


System = Normal | Triangle | Bounded


def system_of(evaluation: Evaluation, fine: bool) -> type[System]:
    """Return what to solve: the curvature, or if ``fine`` the triangle of the Jacobian, within bounds if there are any."""
    if not fine:
        return Normal
    return Triangle if evaluation.bounds is None else Bounded


def ahead(evaluation: Evaluation, move: Array) -> Array:
    """Return where a step leads: exactly at a bound, not beside it by rounding."""
    bounds = evaluation.bounds
    return evaluation.theta + move if bounds is None else bounds.moved(evaluation.theta, move)


def triangle(evaluation: Evaluation) -> tuple[Array, Array]:
    """Return R and q with curvature = R'R and gradient = R'q: the engine's own, or from the curvature."""
    if evaluation.factor is not None:
        return evaluation.factor[:-1, :-1], evaluation.factor[:-1, -1]
    curvature = evaluation.curvature
    assert curvature is not None
    diagonal = curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / scale / scale[:, None])
    kept = values > 1e-15 * values[-1]
    roots = np.sqrt(np.where(kept, values, 0.0))
    right = (vectors.T @ (evaluation.gradient / scale)) * np.where(kept, 1.0 / np.where(kept, roots, 1.0), 0.0)
    return (vectors * roots).T * scale, right


def last_digits(evaluation: Evaluation, kind: type[System], scale: Array, known: Known) -> tuple[Array, Known]:
    """Return the end of an undamped step if it shortens q, or else where we stand: there is nothing left to gain."""
    move, offset, taken, before = known
    theta = evaluation.theta
    if (np.abs(move) <= LAST * np.abs(theta)).all():
        return theta, known
    tries = [move]
    if taken is not None and before is not None and evaluation.bounds is None:
        tries = extrapolated(move, taken, before, scale)
    for step in tries:
        new = evaluation.at(ahead(evaluation, step), kind.order)
        if finite(new.gradient) and new.loss <= evaluation.loss + 1e-10 * abs(evaluation.loss) + 1e-300:
            following, left = kind(new).newton(scale)
            if left < 0.9 * offset:
                return new.theta, (following, left, step, move)
    return theta, known


def extrapolated(move: Array, taken: Array, before: Array, scale: Array) -> list[Array]:
    """Return steps to try instead of the Gauss-Newton step ``move``, the longest first.

    Gauss-Newton steps shrink by a constant factor each, along the direction in which the curvature that it leaves out
    matters most. Where ``before`` was asked for and ``taken`` was gone, the secant through the two zeroes that factor:
        move - share (taken + move - before),   share = <move - before, move> / |move - before|**2

    Source: Anderson (1965), J. ACM 12, 547-560, of depth 1; Walker & Ni (2011), SIAM J. Numer. Anal. 49, 1715-1735.
    """
    change = (move - before) * scale
    length = float(change.dot(change))
    share = float(change.dot(move * scale)) / length if length > 0.0 else 0.0
    if abs(share) > FARTHEST:
        return [move]
    secant = move - share * (taken + move - before)
    return [secant, move] if abs(share) > 0.5 else [secant]


def finite(vector: Array) -> bool:
    """Whether no component is infinite or nan, nor so large that its square is infinite."""
    return math.isfinite(vector.dot(vector))
