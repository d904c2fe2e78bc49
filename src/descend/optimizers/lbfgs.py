"""Limited-memory BFGS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.optimizers.contract import Array, Evaluation, State
from descend.optimizers.curvature import DAMPING, damped_inverse
from descend.optimizers.line_search import NOISE, search
from descend.optimizers.rate_rules import WholeSteps
from descend.registry import setting

# A curvature matrix of more parameters costs more to sum and to invert than it saves.
MOST_PARAMETERS_WITH_CURVATURE = 1000
# Share of the unit diagonal. If Newton steps fail, this gives steepest descent in units where all curvatures are 1.
HEAVY_DAMPING = 100.0


@dataclass(frozen=True)
class LBFGS(WholeSteps):
    """Quasi-Newton steps from the last few changes of parameters and gradient.

    theta <- theta - alpha*H*g,   H = H0 corrected by the pairs s = theta' - theta, y = g' - g so that H*y = s

    line_search="wolfe": alpha meets the strong Wolfe conditions, and H0 is the damped inverse of the Gauss-Newton
    curvature, taken at the start and again wherever progress is poor, so that units do not matter and a linear
    least-squares problem takes a step or two. The learning rate is not used.

    line_search="none": alpha is the learning rate, times min(1, 1/sum|g|) at the first step, and H0 = s'y/y'y, as
    torch.optim.LBFGS(max_iter=1) with its tolerances at 0. Like it, it learns nothing from a pair with s'y <= 1e-10.

    history: how many pairs are kept, at least 1.

    Source: Liu & Nocedal (1989), Math. Program. 45, 503-528.

    Curvatures that differ by 10**18 are no obstacle to the first step:

    >>> from types import SimpleNamespace
    >>> def evaluate(theta, order=1):
    ...     H = np.diag([1e12, 1e-6])
    ...     gradient = H @ (theta - 1.0)
    ...     loss = float(gradient @ (theta - 1.0)) / 2.0
    ...     return SimpleNamespace(theta=theta, loss=loss, gradient=gradient, curvature=H, at=evaluate)
    >>> start = evaluate(np.zeros(2))
    >>> LBFGS().step(start, LBFGS().init(start.theta))[0].round(6)
    array([1., 1.])
    """

    history: int = setting(10, at_least=1)
    line_search: str = setting("wolfe", choices=("wolfe", "none"))

    name: ClassVar[str] = "lbfgs"
    aliases: ClassVar[str] = "bfgs l_bfgs l_bfgs_b quasi_newton"
    rate_rule: ClassVar[str] = "1, the length of a whole quasi-Newton step"

    @property
    def uses_rate(self) -> bool:  # type: ignore[override]
        return self.line_search == "none"

    def init(self, theta: Array) -> State:
        # wolfe: H0 is out of date, H0, its damping, pairs s, y.  none: last change of theta, last gradient, pairs s, y.
        return (True, None, DAMPING, [], []) if self.line_search == "wolfe" else (None, None, [], [])

    # A trial step that overflows is shortened; a NumPy warning would mean nothing to the user.
    @np.errstate(all="ignore")
    def step(self, evaluation: Evaluation, lbfgs_state: State) -> tuple[Array, State]:
        gradient = evaluation.gradient
        if not (np.isfinite(gradient).all() and gradient.any()):
            return evaluation.theta, lbfgs_state
        return (self._searched if self.line_search == "wolfe" else self._fixed)(evaluation, lbfgs_state)

    def _searched(self, evaluation: Evaluation, lbfgs_state: State) -> tuple[Array, State]:
        gradient = evaluation.gradient
        for inverse, damping, steps, changes in _bases(evaluation, lbfgs_state):
            direction = -_times_inverse(gradient, inverse, steps, changes)
            slope = float(gradient @ direction)
            if not (np.isfinite(direction).all() and slope < 0.0):
                continue
            noise = NOISE * abs(evaluation.loss)
            if -slope <= noise:
                # What is left to gain is lost in the rounding of J; only the gradient can still show it.
                new, easy = evaluation.at(evaluation.theta + direction), True
                left = float(new.gradient @ _times_inverse(new.gradient, inverse, steps, changes))
                if not (left <= -slope / 4.0 and new.loss <= evaluation.loss + noise):
                    continue
            else:
                full = 1.0 if inverse is not None or steps else _first_length(gradient)
                line_step = search(evaluation, direction, full)
                if line_step is None:
                    continue
                new = line_step.evaluation
                easy = line_step.evaluations == 1 and abs(float(new.gradient @ direction)) <= -slope / 2.0
                damping = max(damping / 10.0, DAMPING) if line_step.alpha >= full / 2.0 else max(damping * 10.0, 1e-3)
            pairs = self._remember(steps, changes, new.theta - evaluation.theta, new.gradient - gradient, 0.0)
            return new.theta, (not easy, inverse, damping, *pairs)
        return evaluation.theta, lbfgs_state

    def _fixed(self, evaluation: Evaluation, lbfgs_state: State) -> tuple[Array, State]:
        last_move, before, steps, changes = lbfgs_state
        gradient = evaluation.gradient
        length = evaluation.rate
        if before is None:
            length *= _first_length(gradient)
        else:
            steps, changes = self._remember(steps, changes, last_move, gradient - before, 1e-10)
        last_move = -length * _times_inverse(gradient, None, steps, changes)
        return evaluation.theta + last_move, (last_move, gradient, steps, changes)

    def _remember(
        self, steps: list[Array], changes: list[Array], step: Array, change: Array, least_curvature: float
    ) -> tuple[list[Array], list[Array]]:
        """Add a pair to the memory, unless J did not curve upwards along it, which would spoil H."""
        if not (float(change @ step) > least_curvature and float(change @ change) > 0.0):
            return steps, changes
        return [*steps, step][-self.history :], [*changes, change][-self.history :]


def _bases(evaluation: Evaluation, lbfgs: State) -> Iterator[tuple[Array | None, float, list[Array], list[Array]]]:
    """Yield H0, damping and pairs to try: those remembered, then H0 from the curvature here, then steepest descent."""
    stale, inverse, damping, steps, changes = lbfgs
    if not stale:
        yield inverse, damping, steps, changes
    curvature = evaluation.curvature
    if curvature is None and evaluation.theta.size <= MOST_PARAMETERS_WITH_CURVATURE:
        curvature = evaluation.at(evaluation.theta, order=2).curvature
    fresh = damped_inverse(curvature, damping)
    if fresh is not None:
        yield fresh, damping, [], []
        yield damped_inverse(curvature, HEAVY_DAMPING), HEAVY_DAMPING, [], []
    elif stale:
        yield inverse, damping, steps, changes
    yield None, damping, [], []


def _times_inverse(gradient: Array, inverse: Array | None, steps: list[Array], changes: list[Array]) -> Array:
    """Return H*gradient by the two-loop recursion; without H0 it is s'y/y'y of the last pair, or 1."""
    direction = gradient.copy()
    weights = []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        weight = float(step @ direction) / float(change @ step)
        direction -= weight * change
        weights.append(weight)
    if inverse is not None:
        direction = inverse @ direction if inverse.ndim == 2 else inverse * direction
    elif steps:
        direction *= float(changes[-1] @ steps[-1]) / float(changes[-1] @ changes[-1])
    for step, change, weight in zip(steps, changes, reversed(weights), strict=True):
        direction += (weight - float(change @ direction) / float(change @ step)) * step
    return direction


def _first_length(gradient: Array) -> float:
    return min(1.0, 1.0 / float(np.abs(gradient).sum()))
