"""How near a point is to a minimum, as its curvature tells; of a module, which has none, nothing is told."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import RANK
from descend.optimizers.curvature import is_finite, predicted, pulling, triangle, well
from descend.problem.point import Point

EPS = float(np.finfo(np.float64).eps)
ROUNDINGS = 8.0
"""How many roundings a gradient may be made up of and still count as zero."""
NOISE = 3.0
"""How many standard deviations of noise count as zero, where derivatives are numeric."""


def promise(point: Point) -> float:
    """Return the decrease of J that a Gauss-Newton step promises, g'C^-1 g / 2, as a share of ``excess``.

    Unlike ``remaining`` it does not grow where a parameter is known to many digits, such as a date in seconds.
    """
    curvature = point.curved()
    if curvature is None:
        return point.promised
    if point.has_l1 or point.piecewise or not point.excess:
        return math.inf
    if not is_finite(curvature):
        return math.inf
    # A component that a bound holds back cannot lower J.
    if not isinstance(curvature, np.ndarray):
        from descend.optimizers.damped_arrow_systems import promised

        blocked = None if point.bounds is None else point.bounds.blocked(point.theta, point.gradient)
        return promised(point, curvature, blocked) / point.excess
    free = slice(None) if point.bounds is None else ~point.bounds.blocked(point.theta, point.gradient)
    curvature = curvature[free][:, free]
    scale = np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
    gradient, scaled = point.slope[free] / scale, curvature / (scale * scale[:, None])
    if well(scaled):
        return float(gradient @ np.linalg.solve(scaled, gradient)) / (2.0 * point.excess)
    # In squared numbers, directions in which much is left to gain can be lost to rounding.
    # Those of the derived triangle count even where the gradient is by hand; a choice of parameters has its own.
    derived = point.objective.triangle(point.theta)
    if derived is None or not isinstance(derived.factor, np.ndarray):
        upper, right = triangle(point.at(point.theta, 3))
    else:
        upper, right = derived.factor[:-1, :-1], derived.factor[:-1, -1]
    if point.subgradient is not None:
        right = pulling(upper, point.subgradient)
    upper = upper[:, free]
    step = np.linalg.lstsq(upper / scale, -right, rcond=RANK)[0] / scale
    return predicted(upper, right, step) / point.excess


def bottom(point: Point) -> Point | None:
    """Return the minimum of the parabola with J, gradient and curvature of here; None where J is none nearby.

    theta - C^-1 g,   J - g'C^-1 g / 2,   with the curvature C of here
    """
    objective, curvature = point.objective, point.curvature
    bent = not objective.smooth or objective.kinks is not None or objective.edge is not None
    if bent or point.rows is not None or not isinstance(curvature, np.ndarray) or not is_finite(curvature):
        return None
    scale = np.sqrt(np.where(curvature.diagonal() > 0.0, curvature.diagonal(), 1.0))
    scaled = curvature / (scale * scale[:, None])
    if not well(scaled):
        return None
    step = -np.linalg.solve(scaled, point.gradient / scale) / scale
    loss = point.loss + 0.5 * float(point.gradient @ step)
    return objective.noted(
        Point(point.theta + step, loss, point.gradient + curvature @ step, curvature, None, objective)
    )


def rounded(point: Point, squares: float) -> bool:
    """Whether what is left of the gradient is no more than the rounding of residuals and parameters.

    squares: the mean square of the response. With C the curvature, of rows whose second derivative is 2 at most:

        |dJ/dtheta_k| <= 8 eps (sqrt(2 C_kk squares) + sum_j |C_kj theta_j|)
    """
    curvature = point.curved()
    if curvature is None or not squares > 0.0 or not is_finite(curvature):
        return False
    noise = np.sqrt(2.0 * squares * curvature.diagonal()) + abs(curvature) @ np.abs(point.theta)
    return bool((np.abs(point.slope) <= ROUNDINGS * EPS * noise).all())


def in_noise(point: Point) -> bool:
    """Whether the gradient is no more than its noise, or promises less than the noise of J, where these are numeric."""
    noise, of_loss = point.objective.noise(), point.objective.loss_noise()
    if noise is None:
        return False
    return bool((np.abs(point.slope) <= NOISE * noise).all()) or promise(point) * point.excess <= NOISE * of_loss
