"""The shortest of equally good answers to a linear least-squares problem that the rows leave open."""

from __future__ import annotations

import numpy as np

from descend.engines.triangles import condition_bound, norms
from descend.identifiability.verdict import EXACT, EXACT_SUMMED, SINGULAR
from descend.models import Model
from descend.optimizers.curvature import triangle
from descend.problem.penalty import penalty_of
from descend.problem.point import Array, Objective, Point


def shortest(model: Model, objective: Objective, point: Point) -> Array | None:
    """Return the least-squares answer of least length, (p,); None where there is but one, or none by linear algebra.

    With R the triangle of the Jacobian at theta, R'q the gradient, D the column norms of R and R D^-1 = U S V', the
    answers are

        theta - D^-1 V S^+ U'q + N c,   N = D^-1 times the rows of V' whose singular value is 0 to rounding,

    for any c, and that of least length is the limit of an l2 penalty that goes to 0: parameters that are merely added
    to the prediction do not count. Without such a one it is the answer of LAPACK's least squares.
    """
    linear = model.linear and model.loss.quadratic and not objective.arrow
    if not linear or objective.penalty is not None or objective.priors is not None or objective.bounds is not None:
        return None
    curvature = point.matrix
    if curvature is None or point.theta.size < 2 or not np.isfinite(curvature).all() or not curvature.any():
        return None
    sizes = np.sqrt(curvature.diagonal())
    if sizes.all() and SINGULAR * condition_bound(curvature / (sizes * sizes[:, None])) < 1.0:
        return None
    point = point.at(point.theta, 3)
    upper, right = triangle(point)
    scale = norms(upper)
    scale[scale == 0.0] = 1.0
    left, singular, turned = np.linalg.svd(upper / scale)
    estimable = singular > (EXACT if point.factor is not None else EXACT_SUMMED) * singular[0]
    if estimable.all():
        return None
    move = turned[estimable].T @ ((left.T @ right)[estimable] / singular[estimable])
    theta = point.theta - move / scale
    free = turned[~estimable].T / scale[:, None]
    counted = penalty_of(model, 0.0, 1.0).l2
    surplus = np.linalg.lstsq(free * counted[:, None], theta * counted, rcond=None)[0]
    return np.asarray(theta - free @ surplus)
