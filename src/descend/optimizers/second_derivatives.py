"""A Newton step with all second derivatives of J, for where the Gauss-Newton curvature leaves out too much."""

from __future__ import annotations

import math

import numpy as np

from descend.optimizers.contract import Array, Evaluation

APART = 1e-4
"""Distance of the gradients that are subtracted, in changes of a parameter that change J by itself."""
LEAST = 1e-12
"""The same as a share of the parameter, at least."""
SHORTER = (1.0, 0.25, 1e-2, 1e-4)
"""Shares of a step that are tried."""
FLAT = 1e-10
"""Of the largest eigenvalue, scaled: a direction that is curved less is not gone along."""
ROUNDING = 1e-13
"""Share of J within which it is the same."""


def newton_step(evaluation: Evaluation) -> Evaluation | None:
    """Return J at the end of a Newton step that lowers it, or, within rounding of J, halves its gradient; else None.

    The Hessian is that of central differences of gradients, 2 p of them. Directions in which it is curved downwards are
    gone along as if they were curved upwards as much, so that each step leads down.

    Source: Nocedal & Wright (2006), Numerical Optimization, 3.4 and 8.1.
    """
    found = hessian_at(evaluation)
    if found is None:
        return None
    hessian, scale = found
    values, vectors = np.linalg.eigh(hessian)
    values = np.abs(values)
    kept = values > FLAT * values.max()
    along = vectors[:, kept].T @ (evaluation.gradient * scale)
    step = -scale * (vectors[:, kept] @ (along / values[kept]))
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


def hessian_at(evaluation: Evaluation) -> tuple[Array, Array] | None:
    """Return S H S and S, the changes of the parameters that change J by itself; None where there are none.

    evaluation: with its curvature.
    """
    curvature, theta = evaluation.curvature, evaluation.theta
    if curvature is None or not (curvature.diagonal() > 0.0).all() or not evaluation.loss:
        return None
    scale = np.sqrt(abs(evaluation.loss) / curvature.diagonal())
    rows = []
    for place, apart in enumerate(np.maximum(APART * scale, LEAST * np.abs(theta))):
        up, down = theta.copy(), theta.copy()
        up[place] += apart
        down[place] -= apart
        change = evaluation.at(up, 1).gradient - evaluation.at(down, 1).gradient
        rows.append(change / (up[place] - down[place]) * scale[place] * scale)
    hessian = np.array(rows)
    return (0.5 * (hessian + hessian.T), scale) if np.isfinite(hessian).all() else None
