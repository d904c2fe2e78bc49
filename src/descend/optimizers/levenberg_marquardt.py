"""The Levenberg-Marquardt method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, Optimizer, State
from descend.optimizers.line_search import NOISE
from descend.settings import setting

ATTEMPTS = 60
"""Larger and larger dampings that are tried before giving up."""
WORTH_IT = 1e-4
"""Share of the predicted decrease of J that a step must achieve."""


@dataclass(frozen=True)
class LevenbergMarquardt(Optimizer):
    """Gauss-Newton steps, damped so far that each lowers J.

    With C = R'R the Gauss-Newton (Fisher) curvature, g = R'q the gradient and D the largest column norms of R so far:
        (R'R + lambda D**2) d = -R'q,   theta <- theta + d
    lambda falls where the model of J held (by the ratio of actual to predicted decrease) and grows where it did not.
    The system is solved by QR of R, itself from QR of the Jacobian where the engine has it, so no digits are lost to
    squaring. Near the minimum, where the decrease of J drowns in rounding, undamped steps are taken for as long as
    they halve |q|, the part of the residual that the parameters can still explain. Then no further digit can be had.
    The learning rate is not used.

    damping: the first lambda, above 0.

    Source: Levenberg (1944), Q. Appl. Math. 2, 164-168; Marquardt (1963), J. SIAM 11, 431-441; scaling, More (1978);
    update of lambda, Nielsen (1999), IMM-REP-1999-05.
    """

    damping: float = setting(1e-3, above=0.0)

    name: ClassVar[str] = "levenberg_marquardt"
    needs: ClassVar[int] = 3
    stochastic: ClassVar[bool] = False
    thorough: ClassVar[bool] = True
    rate_rule: ClassVar[str] = "1, unused: the damping decides how far a step goes"

    @property
    def uses_rate(self) -> bool:
        return False

    def init(self, theta: Array) -> State:
        # Largest column norms so far, lambda, and the factor lambda grows by next.
        return (np.zeros(theta.size), self.damping, 2.0)

    def step(self, evaluation: Evaluation, state: State) -> tuple[Array, State]:
        norms, damping, growth = state
        upper, right = system(evaluation)
        if not np.isfinite(upper).all() or not np.isfinite(right).all():
            return evaluation.theta, state
        norms = np.maximum(norms, np.sqrt(np.add.reduce(upper * upper)))
        scale = np.where(norms > 0.0, norms, 1.0)
        for _ in range(ATTEMPTS):
            move = damped(upper / scale, right, damping) / scale
            change = upper @ move
            predicted = -float(change @ (right + 0.5 * change))
            if not predicted > NOISE * abs(evaluation.loss):
                return self._last_digits(evaluation, upper / scale, right, scale), (norms, damping, growth)
            new = evaluation.at(evaluation.theta + move, 3)
            ratio = (evaluation.loss - new.loss) / predicted
            if ratio > WORTH_IT and np.isfinite(new.gradient).all():
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3)
                return new.theta, (norms, max(damping, 1e-15), 2.0)
            damping *= growth
            growth *= 2.0
        return evaluation.theta, state

    @staticmethod
    def _last_digits(evaluation: Evaluation, scaled: Array, right: Array, scale: Array) -> Array:
        move = np.linalg.lstsq(scaled, -right, rcond=1e-14)[0] / scale
        new = evaluation.at(evaluation.theta + move, 3)
        if not np.isfinite(new.gradient).all() or new.loss > evaluation.loss * (1.0 + 1e-10) + 1e-300:
            return evaluation.theta
        left = np.linalg.norm(system(new)[1])
        return new.theta if left < 0.9 * np.linalg.norm(right) else evaluation.theta

    def largest_stable_rate(self, curvature_max: float) -> float | None:
        return None

    def suggested_rate(self, evaluation: Evaluation) -> float:
        return 1.0


def system(evaluation: Evaluation) -> tuple[Array, Array]:
    """Return R and q with curvature = R'R and gradient = R'q: the engine's own, or from the curvature."""
    if evaluation.factor is not None:
        return evaluation.factor[:-1, :-1], evaluation.factor[:-1, -1]
    curvature = evaluation.curvature
    assert curvature is not None
    if not np.isfinite(curvature).all():
        return curvature, evaluation.gradient
    diagonal = curvature.diagonal()
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(curvature / scale / scale[:, None])
    kept = values > 1e-15 * values[-1]
    roots = np.sqrt(np.where(kept, values, 0.0))
    right = (vectors.T @ (evaluation.gradient / scale)) * np.where(kept, 1.0 / np.where(kept, roots, 1.0), 0.0)
    return (vectors * roots).T * scale, right


def damped(upper: Array, right: Array, damping: float) -> Array:
    """Return the d that minimizes |R d + q|**2 + damping |d|**2."""
    size = len(right)
    whole = np.zeros((2 * size, size + 1))
    whole[:size, :size] = upper
    whole[:size, size] = right
    whole[range(size, 2 * size), range(size)] = np.sqrt(damping)
    triangle = np.asarray(np.linalg.qr(whole, mode="r"))
    move: Array = -np.linalg.solve(triangle[:size, :size], triangle[:size, size])
    return move
