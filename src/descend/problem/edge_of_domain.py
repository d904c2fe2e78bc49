"""Minima at the edge of what a loss allows: where a mean of counts is 0, or a probability 0 or 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.models import Model
from descend.problem.point import Point
from descend.table.rows import Rows

Array = NDArray[np.float64]
AT = 1e-8
"""A prediction closer to the edge than this share of the mean distance of all rows counts as lying at the edge."""
INSIDE = 1e-13
"""Rows at the edge are held this far inside it, as a share of the mean prediction."""
LEFT = 1e-6
"""Share of the gradient that may remain once the rows at the edge have balanced what they can."""


class Edge:
    """The rows of a model whose loss keeps predictions m in a range, such as m > 0.

    Where rows E lie at the edge, J is at its least if its gradient is a combination of theirs:

        dJ/dtheta = sum over E of lambda_i s_i dm_i/dtheta,   lambda_i >= 0,

    with s_i = 1 at the lower end of the range and -1 at the upper one (Karush, Kuhn and Tucker).

    Near the edge the curvature grows without bound, so a descent stops before it reaches the least J along the edge.
    From there it takes Newton steps that leave out the rows E, in directions that keep those rows where they are.
    """

    def __init__(self, model: Model, rows: Rows) -> None:
        self.model, self.rows = model, rows

    def onwards(self, point: Point) -> Array:
        """Return a theta further along the edge at which J is lower; the same theta if there is none."""
        here: Array = point.theta
        edge_rows = self._rows(here)
        if edge_rows is None:
            return here
        predicted, jacobian, ways, others = edge_rows
        along = np.linalg.svd(ways)[2][np.linalg.matrix_rank(ways) :].T
        if not along.size:
            return here
        omega = np.ones(len(predicted)) if self.rows.omega is None else self.rows.omega
        weight = self.model.loss.weight(predicted, self.rows.y) * omega
        left_out = jacobian[others] @ along
        curvature = (left_out * weight[others, None]).T @ left_out / omega.sum()
        step = -along @ np.linalg.lstsq(curvature, along.T @ point.slope, rcond=None)[0]
        # Aim slightly inwards, so that rounding cannot carry rows across the edge.
        inside = np.linalg.lstsq(ways, np.full(len(ways), INSIDE * float(np.mean(predicted))), rcond=None)[0]
        for share in (1.0, 0.5, 0.25, 0.125):
            theta = np.asarray(here + share * step + inside)
            if point.at(theta, 0).loss < point.loss:
                return theta
        return here

    def holds(self, theta: Array, gradient: Array) -> bool:
        """Whether rows at the edge, and nothing else, keep J from falling further."""
        from scipy.optimize import nnls

        edge_rows = self._rows(theta)
        if edge_rows is None or not np.isfinite(gradient).all():
            return False
        _, jacobian, ways, _ = edge_rows
        scale = np.abs(jacobian).max(axis=0)
        scale[scale == 0.0] = 1.0
        _, left = nnls((ways / scale).T, gradient / scale)
        return bool(left <= LEFT * float(np.linalg.norm(gradient / scale)))

    def _rows(self, theta: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]] | None:
        """Return predictions, derivatives, inward derivatives at the edge, and the rows not there; None if none are."""
        low, high = self.model.loss.prediction_domain.low, self.model.loss.prediction_domain.high
        predicted = self.model.scores(theta, self.rows.columns)
        distance = np.minimum(predicted - low, high - predicted)
        there = distance <= AT * float(distance.mean())
        if not there.any():
            return None
        jacobian = self.model.scores_and_jacobian(theta, self.rows.columns)[1]
        if not np.isfinite(jacobian).all():
            return None
        upper = predicted[there] - low > high - predicted[there]
        return predicted, jacobian, np.unique(np.where(upper, -1.0, 1.0)[:, None] * jacobian[there], axis=0), ~there
