"""Small problems with known answers, and the evaluations that drive an optimizer through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.optimizers import OPTIMIZERS, Array, Optimizer

Objective = Callable[[Array], tuple[float, Array, Array | None]]


@dataclass
class Evaluated:
    """J at theta, in the manner of `descend.optimizers.Evaluation`; counts how often J was asked for."""

    objective: Objective
    theta: Array
    order: int
    rate: float
    penalty: float
    count: list[int]

    def __post_init__(self) -> None:
        self.count[0] += 1
        self.proximal = self.has_l1 = self.penalty > 0.0
        self.l1 = np.full(len(self.theta), self.penalty) if self.has_l1 else None
        self.piecewise = self.sparing = False
        self.bounds = None
        with np.errstate(all="ignore"):
            smooth, self.gradient, curvature = self.objective(self.theta)
            self.loss = smooth + self.penalty * float(np.abs(self.theta).sum()) if self.has_l1 else smooth
        self.curvature = curvature if self.order >= 2 else None
        self.factor = None

    def at(self, theta: Array, order: int = 1) -> Evaluated:
        return type(self)(self.objective, theta, order, self.rate, self.penalty, self.count)

    def shrink(self, theta: Array, rate: float) -> Array:
        return np.sign(theta) * np.maximum(np.abs(theta) - rate * self.penalty, 0.0)


@dataclass
class Path:
    """A run: every theta, where it ended, the last state, and how often J was asked for."""

    thetas: list[Array]
    last: Evaluated
    state: Any
    evaluations: int


def start(objective: Objective, theta: Any, order: int = 2, rate: float = 1.0, l1: float = 0.0) -> Evaluated:
    return Evaluated(objective, np.asarray(theta, float), order, rate, l1, [0])


def run(
    optimizer: Optimizer | str,
    objective: Objective,
    theta: Any,
    rate: float = 1.0,
    steps: int = 50,
    l1: float = 0.0,
    state: Any = None,
) -> Path:
    """Take up to ``steps`` steps, fewer if the optimizer can go no further."""
    optimizer = OPTIMIZERS.build(optimizer) if isinstance(optimizer, str) else optimizer
    here = start(objective, theta, optimizer.needs, rate, l1)
    state = optimizer.init(here.theta) if state is None else state
    thetas = [here.theta]
    for _ in range(steps):
        theta, state = optimizer.step(here, state)
        if theta is here.theta:
            break
        thetas.append(theta)
        here = here.at(theta, optimizer.needs)
    return Path(thetas, here, state, here.count[0])


def quadratic(H: Any, minimum: Any) -> Objective:
    """J = (theta - minimum)' H (theta - minimum) / 2."""
    H, minimum = np.asarray(H, float), np.asarray(minimum, float)

    def objective(theta: Array) -> tuple[float, Array, Array | None]:
        gradient = H @ (theta - minimum)
        return float(gradient @ (theta - minimum)) / 2.0, gradient, H

    return objective


def least_squares(residuals: Callable[..., Array], jacobian: Callable[..., list[Array]]) -> Objective:
    """J = mean(r**2) with its Gauss-Newton curvature."""

    def objective(theta: Array) -> tuple[float, Array, Array | None]:
        r = residuals(*theta)
        columns = np.stack([np.broadcast_to(column, r.shape) for column in jacobian(*theta)])
        return float(np.mean(r * r)), 2.0 * columns @ r / r.size, 2.0 * columns @ columns.T / r.size

    return objective


def linear(X: Array, y: Array) -> Objective:
    """Least squares for y = X @ theta."""
    return least_squares(lambda *theta: X @ np.array(theta) - y, lambda *theta: list(X.T))


ROSENBROCK = least_squares(
    lambda a, b: np.array([10.0 * (b - a * a), 1.0 - a]),
    lambda a, b: [np.array([-20.0 * a, -1.0]), np.array([10.0, 0.0])],
)


def exponential(noise: float = 0.05, rows: int = 100) -> Objective:
    """y = 2.5*exp(-1.3*x) + 0.5 and noise, fitted by a*exp(-b*x) + c."""
    x = np.linspace(0.0, 4.0, rows)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + noise * np.random.default_rng(1).normal(size=rows)
    return least_squares(
        lambda a, b, c: a * np.exp(-b * x) + c - y,
        lambda a, b, c: [np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)],
    )
