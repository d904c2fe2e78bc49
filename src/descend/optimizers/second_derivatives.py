"""A Newton step with all second derivatives of J, for where the Gauss-Newton curvature leaves out too much."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import Array, Evaluation

APART = 1e-4
"""Distance between subtracted gradients, as a share of the parameter change that changes J by about its own size."""
LEAST = 1e-12
"""The distance is at least this share of the parameter."""
SHORTER = (1.0, 0.25, 1e-2, 1e-4)
"""Shares of a step that are tried."""
FLAT = 1e-10
"""Directions whose scaled eigenvalue is below this share of the largest are left out of the step."""
ROUNDING = 1e-13
"""Values of J that differ by less than this share count as equal."""


def newton_step(evaluation: Evaluation) -> Evaluation | None:
    """Return J at the end of a Newton step that lowers it, or, within rounding of J, halves its gradient; else None.

    Directions of negative curvature are treated as if they had the same curvature upwards, so each step leads down.

    Source: Nocedal & Wright (2006), Numerical Optimization, 3.4 and 8.1.
    """
    found = hessian_at(evaluation)
    if found is None:
        return None
    hessian, scale = found
    values, vectors = np.linalg.eigh(hessian)
    values = np.abs(values)
    curved_directions = values > FLAT * values.max()
    along = vectors[:, curved_directions].T @ (evaluation.gradient * scale)
    step = -scale * (vectors[:, curved_directions] @ (along / values[curved_directions]))
    length = float(np.linalg.norm(evaluation.gradient * scale))
    for share in SHORTER:
        new = evaluation.at(evaluation.theta + share * step, 2)
        if not (math.isfinite(new.loss) and np.isfinite(new.gradient).all()):
            continue
        if new.loss < evaluation.loss - ROUNDING * abs(evaluation.loss):
            return new
        same = new.loss <= evaluation.loss + ROUNDING * abs(evaluation.loss)
        if same and float(np.linalg.norm(new.gradient * scale)) < 0.5 * length:
            return new
    return None


def hessian_at(evaluation: Evaluation, size: float | None = None) -> tuple[Array, Array] | None:
    """Return S H S and S, the changes of the parameters that change J by about its own size; None if there are none.

    By central differences of 2 p gradients, unless one pass over the rows has all of them.

    evaluation: with its curvature. size: by how much J is to change instead.
    """
    curvature, theta = evaluation.curvature, evaluation.theta
    size = abs(evaluation.loss) if size is None else size
    if curvature is None or not (curvature.diagonal() > 0.0).all() or not size:
        return None
    scale = np.sqrt(size / curvature.diagonal())
    exact = evaluation.second_derivatives()
    if exact is not None and np.isfinite(exact).all():
        return exact * scale * scale[:, None], scale
    rows = []
    for component, step_apart in enumerate(np.maximum(APART * scale, LEAST * np.abs(theta))):
        up, down = theta.copy(), theta.copy()
        up[component] += step_apart
        down[component] -= step_apart
        change = evaluation.at(up, 1).gradient - evaluation.at(down, 1).gradient
        rows.append(change / (up[component] - down[component]) * scale[component] * scale)
    hessian = np.array(rows)
    return (0.5 * (hessian + hessian.T), scale) if np.isfinite(hessian).all() else None
