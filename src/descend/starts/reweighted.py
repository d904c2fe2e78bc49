"""Regression by reweighted least squares: residuals of rows in memory, and the descent that robust starts share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from descend.models import Model
from descend.parameters import Bounds
from descend.problem.problem import Problem

Array = NDArray[np.float64]
Rule = Callable[[Array, float], Array]
"""(residuals, scale) -> a value for each row: its loss, or its weight."""
ROUNDS = 400
HALVINGS = 12
SETTLED = 1e-10
"""Relative change of the scale and of all residuals below which nothing changes any more."""


@dataclass(frozen=True, eq=False)
class Regression:
    """Rows in memory, and a model of them whose residuals count by their size.

    root: what each residual is multiplied by, to be of one size. omega: how often each row counts.
    """

    model: Model
    columns: Mapping[str, Array]
    y: Array
    root: Array
    omega: Array
    bounds: Bounds | None

    @classmethod
    def of(cls, problem: Problem, scaled: bool) -> Regression:
        """Return the rows of a problem that count; scaled: whether their weights scale residuals, as 1 / sigma**2."""
        rows = problem.rows.counting()
        ones = np.ones(rows.count)
        omega = ones if rows.omega is None else rows.omega
        root, often = (np.sqrt(omega), ones) if scaled else (ones, omega)
        return cls(problem.model, rows.columns, rows.y, root, often, problem.objective.bounds)

    def take(self, chosen: NDArray[np.intp]) -> Regression:
        """Return some of the rows."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return replace(self, columns=columns, y=self.y[chosen], root=self.root[chosen], omega=self.omega[chosen])

    def residuals(self, theta: Array) -> Array:
        """Return the scaled residuals, observed less predicted."""
        return self.root * (self.y - self.model.scores(theta, self.columns))

    def step(self, theta: Array, weights: Array) -> Array:
        """Return the Gauss-Newton step of least squares with these row weights."""
        score, jacobian = self.model.scores_and_jacobian(theta, self.columns)
        root = np.sqrt(weights * self.omega) * self.root
        design = jacobian * root[:, None]
        norms = np.sqrt(np.square(design).sum(axis=0))
        norms = np.where(norms > 0.0, norms, 1.0)
        newton_step: Array = np.linalg.lstsq(design / norms, (self.y - score) * root, rcond=1e-13)[0] / norms
        return newton_step

    def inside(self, theta: Array) -> Array:
        """Return parameters moved inside their bounds."""
        return theta if self.bounds is None else np.clip(theta, self.bounds.low, self.bounds.high)


@dataclass(frozen=True)
class Reweighted:
    """Where reweighted least squares ended, and the scale of the residuals there."""

    theta: Array
    scale: float


def reweighted(
    rows: Regression,
    theta: Array,
    loss: Rule,
    weight: Rule,
    scale_of: Callable[[Array], float],
    rounds: int = ROUNDS,
    settled: float = SETTLED,
) -> Reweighted | None:
    """Lower sum omega loss(r, s) by steps of weighted least squares, the scale s following the residuals r.

    weight: the slope of the loss over the residual. scale_of: the scale of residuals. None where a number is not
    finite. A step that does not lower the sum at the scale before it is halved.
    """
    residual = rows.residuals(theta)
    scale = scale_of(residual)
    if not np.isfinite(residual).all() or not np.isfinite(scale):
        return None
    for _ in range(rounds):
        if not scale > 0.0:
            break
        try:
            step = rows.step(theta, weight(residual, scale))
        except np.linalg.LinAlgError:
            return None
        before, share = float(rows.omega @ loss(residual, scale)), 1.0
        for _ in range(HALVINGS):
            ahead = rows.inside(theta + share * step)
            residuals = rows.residuals(ahead)
            if float(rows.omega @ loss(residuals, scale)) <= before:
                break
            share *= 0.5
        else:
            break
        residual_scale = scale_of(residuals)
        still = (
            abs(residual_scale - scale) <= settled * scale
            and float(np.abs(residuals - residual).max()) <= settled * scale
        )
        theta, residual, scale = ahead, residuals, residual_scale
        if still:
            break
    return Reweighted(theta, scale)
