"""Where a descent may begin, of what the user gave no value: near the logarithms of the response, within the bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.engines.triangles import well_conditioned
from descend.errors import ConfigError
from descend.models import Model
from descend.parameters import Bounds
from descend.problem.objective import VectorObjective
from descend.problem.point import Array
from descend.table.rows import Rows

BESIDE = 1e-3
"""Share of the way from a bound to the start at which J is looked at again."""
ROWS_FOR_START = 10_000
"""Rows whose logarithms give a model of a positive response its start."""


def of_logarithms(model: Model, rows: Rows, theta: Array) -> Array:
    """Return the least-squares fit of log(y), for a positive response: a mean of exp(0) may be far from all values.

    From a mean that is much too small, a step by Fisher information overshoots by as much as the response is large.
    """
    some = (
        rows
        if rows.count <= ROWS_FOR_START
        else rows.take(np.linspace(0, rows.count - 1, ROWS_FOR_START).astype(np.intp))
    )
    score, jacobian = model.scores_and_jacobian(theta, some.columns)
    omega = np.ones(some.count) if some.omega is None else some.omega
    root = np.where(some.y > 0.0, np.sqrt(omega), 0.0)
    design, right = jacobian / score[:, None], np.log(np.where(some.y > 0.0, some.y / score, 1.0))
    if not np.isfinite(design).all():
        return theta
    design, right = design * root[:, None], right * root
    moments = design.T.dot(design)
    if well_conditioned(moments):  # ten times as fast, and a start need not be exact
        return np.asarray(theta + np.linalg.solve(moments, right.dot(design)))
    return np.asarray(theta + np.linalg.lstsq(design, right, rcond=None)[0])


def within(
    bounds: Bounds, model: Model, theta: Array, given: Mapping[str, Any], requested: Any, objective: VectorObjective
) -> tuple[Array, Bounds]:
    """Move starts that were not given inside their bounds, and find out at which bounds J is not finite.

    An earlier fit may have ended at a strict bound, and this one may begin there. Raises ConfigError for a start that
    was ``requested`` outside its bounds.
    """
    fixed = ~np.isnan(model.parameters.start(dict.fromkeys(given, 0.0), math.nan)) & ~bounds.pinned
    own = ~np.isnan(model.parameters.start(dict.fromkeys(given.keys() & set(requested or ()), 0.0), math.nan))
    inside = bounds.contains(theta) | (~own & ((theta == bounds.low) | (theta == bounds.high)))
    for j in np.flatnonzero(fixed & ~inside).tolist():
        raise ConfigError(
            f"The start of `{bounds.labels[j]}` is {theta[j]:g}, outside its bounds {bounds.text(j)}. "
            "Give a start inside them, or leave it out to have one chosen."
        )
    theta = np.where(fixed, theta, bounds.interior(theta))

    def passable(corner: Array) -> NDArray[np.bool_]:
        with np.errstate(all="ignore"):
            point = objective(corner, 2)
        if not (math.isfinite(point.loss) and np.isfinite(point.gradient).all()):
            return np.zeros(corner.size, dtype=bool)
        still = np.zeros(corner.size, dtype=bool)
        if point.curvature is not None:
            still = (point.curvature.diagonal() == 0.0) & (corner != theta)
        for j in np.flatnonzero(still).tolist():  # stationary, or with no influence anywhere near
            beside = corner.copy()
            beside[j] += BESIDE * (theta[j] - corner[j])
            still[j] = objective(beside, 2).loss != point.loss
        return ~still

    return theta, bounds.barred_where(passable, theta)
