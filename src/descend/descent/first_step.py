"""Before the first step: where to start, in what units to measure, how large a step to take."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.optimizers import Optimizer
from descend.options.checks import as_rate
from descend.problem.point import Point

Array = NDArray[np.float64]


def scales(point: Point) -> Array:
    """Return the change of each parameter that would matter, C the curvature there; 1 without.

    It is sqrt((J - F) / C_kk), with F the floor of J: see ``Point.excess``.
    """
    if point.curvature is None:
        return np.ones(np.size(point.theta))
    size, parts = point.excess, point.curvature.diagonal().tolist()
    return np.array([math.sqrt(size / part) if 0.0 < part < math.inf else 1.0 for part in parts])


def learning_rate(given: float | str | None, optimizer: Optimizer, point: Point) -> tuple[float, str | None]:
    """Return the learning rate, and a sentence if it was chosen here.

    given: a number; "auto" or None: from the curvature at the start, by the optimizer's own rule.
    Raises ConfigError unless it is positive and finite.
    """
    if given is None or given == "auto":
        rate = optimizer.suggested_rate(point)
        return rate, f"learning rate {rate:.4g}, chosen as {optimizer.rate_rule}"
    return as_rate(given), None
