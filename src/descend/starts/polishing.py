"""A short descent from a trial point, to see how low it leads."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.problem.point import Objective

Array = NDArray[np.float64]


def descended(objective: Objective, theta: Array, epochs: int) -> tuple[float, Array]:
    """Descend a little way; returns the last finite J and where it is, or infinity where there is none."""
    plan, found = Plan(epochs, asked=False, rate=1.0), (math.inf, theta)
    for step in descend(objective, LevenbergMarquardt(), theta, plan):
        if math.isfinite(step.loss):
            found = step.loss, step.theta
    return found
