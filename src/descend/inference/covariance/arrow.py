"""The covariance where very many parameters each belong to one group: of those of a group, and of what groups share.

It is kept as an arrow: the covariances of two different groups, which are full, follow from the rest (`among`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Layout
from descend.engines.arrow_triangle import ArrowTriangle
from descend.parameters import Constraints
from descend.problem.point import Array, Point

Mask = NDArray[np.bool_]
SINGULAR = 1e-26
"""The inverse of a largest variance, where every parameter alone has the variance 1: beyond, all is rounding."""
SINGULAR_SUMMED = 1e-14
"""The same where the curvature is all there is, in which digits are lost to squaring."""


def inverse_arrow(point: Point, free: Mask) -> Arrow | None:
    """Return the inverse of the free components' curvature, among zeros; None if it is singular to rounding."""
    arrow = point.curvature
    assert isinstance(arrow, Arrow)
    free_arrow, fine = arrow.of(free), isinstance(point.factor, ArrowTriangle)
    diagonal = free_arrow.diagonal()
    if not (free_arrow.finite and (diagonal > 0.0).all()):
        return None
    scale = np.sqrt(diagonal)
    if isinstance(point.factor, ArrowTriangle):
        factored = point.factor.of(free).scaled(scale).factored
    else:
        summed = free_arrow.scaled(scale).factored()
        if summed is None:
            return None
        factored = summed
    with np.errstate(all="ignore"):
        inverted = factored.inverse
        largest = float(inverted.diagonal().max(initial=0.0))
    if not largest * (SINGULAR if fine else SINGULAR_SUMMED) < 1.0:
        return None
    return inverted.scaled(scale).among(arrow.layout, free)


def among(covariance: Arrow, parameter: NDArray[np.intp]) -> Array:
    """Return the covariance matrix of a few components of theta, whichever groups they belong to.

    Of own parameters of two groups, with V their covariances with the shared ones s: V_gs V_ss^-1 V_sh.
    """
    layout, group = covariance.layout, _groups(covariance)
    item, number = np.zeros(len(covariance), dtype=np.intp), np.zeros(len(covariance), dtype=np.intp)
    item[layout.own] = np.arange(len(layout.own))[:, None]
    number[layout.shared] = np.arange(len(layout.shared))
    owned = group[parameter] >= 0
    covariances: Array = np.zeros((len(parameter), len(parameter)))
    if len(layout.shared):
        border = covariance.border[item[parameter], :, group[parameter]].T
        reach = np.where(owned, border, covariance.shared[:, number[parameter]])
        covariances = reach.T @ np.linalg.pinv(covariance.shared) @ reach
    same = owned & owned[:, None] & (group[parameter] == group[parameter][:, None])
    blocks = covariance.blocks[item[parameter][:, None], item[parameter], group[parameter][:, None]]
    return np.where(same, blocks, covariances)


def _groups(covariance: Arrow) -> NDArray[np.intp]:
    """Return the group that each component of theta belongs to, -1 if none."""
    group_numbers = np.full(len(covariance), -1)
    group_numbers[covariance.layout.own] = np.arange(covariance.layout.own.shape[1])
    return group_numbers


def variances_along(covariance: Arrow, along: Array, parameter_places: NDArray[np.intp]) -> Array:
    """Return f'V f for each row, (rows,), f having few components: ``along``, (rows, q), at ``parameter_places``.

    Those of a row are shared parameters and own ones of a single group.
    """
    group, shared = _groups(covariance), np.full(len(covariance), -1)
    shared[covariance.layout.shared] = np.arange(len(covariance.layout.shared))
    item = np.zeros(len(covariance), dtype=np.intp)
    item[covariance.layout.own] = np.arange(len(covariance.layout.own))[:, None]
    variances = np.zeros(len(along))
    for i in range(along.shape[1]):
        for j in range(along.shape[1]):
            one, second_place = parameter_places[:, i], parameter_places[:, j]
            mine, its = group[one] >= 0, group[second_place] >= 0
            cell = np.empty(len(along))
            both, none, first, last = mine & its, ~mine & ~its, mine & ~its, ~mine & its
            cell[both] = covariance.blocks[item[one[both]], item[second_place[both]], group[one[both]]]
            cell[none] = covariance.shared[shared[one[none]], shared[second_place[none]]]
            cell[first] = covariance.border[item[one[first]], shared[second_place[first]], group[one[first]]]
            cell[last] = covariance.border[item[second_place[last]], shared[one[last]], group[second_place[last]]]
            variances += along[:, i] * along[:, j] * cell
    return variances


def errors_of_arrow(constraints: Constraints, theta: Array, covariance: Arrow, unknown: Mask) -> Array:
    """Return the flat standard errors of all parameters; NaN for what is fixed, at a bound, or unknown.

    Those of tied parameters are by the delta method, over the few that they are tied to.
    """
    free, every = constraints.free, constraints.parameters
    still = unknown if constraints.bounds is None else unknown | constraints.bounds.held(theta)
    with np.errstate(all="ignore"):
        own_errors = np.where(still, np.nan, np.sqrt(covariance.diagonal()))
    errors = np.full(every.size, np.nan)
    for name, theta_slice in every.slices.items():
        if name in free.shapes:
            errors[theta_slice] = own_errors[free.slices[name]]
        elif name in constraints.tied:
            slopes = constraints.slopes(name, theta)
            some, along = list(slopes), np.array([*slopes.values()])
            if some and not still[some].any():
                errors[theta_slice.start] = math.sqrt(max(along @ among(covariance, np.array(some)) @ along, 0.0))
    return errors


def as_content(covariance: Arrow) -> dict[str, object]:
    """Return an arrow as plain lists, for the model file; see `restored`."""
    arrow_parts = {
        "own": covariance.layout.own,
        "shared": covariance.layout.shared,
        "blocks": covariance.blocks,
        "border": covariance.border,
        "of_shared": covariance.shared,
    }
    return {name: plain_lists(np.asarray(arrow_part, dtype=np.float64)) for name, arrow_part in arrow_parts.items()}


def plain_lists(array: Array) -> object:
    """Return an array as lists, with None for what is not finite."""
    objects = array.astype(object)
    objects[~np.isfinite(array)] = None
    return objects.tolist()


def restored(content: Mapping[str, object]) -> Arrow:
    """Return the arrow that a model file holds. Raises ValueError where its parts do not fit together."""
    own_places, shared = (np.array(content[name], dtype=np.intp) for name in ("own", "shared"))
    k, groups, s = *own_places.shape, len(shared)
    shapes = {"blocks": (k, k, groups), "border": (k, s, groups), "of_shared": (s, s)}
    arrow_parts = (np.array(content[name], dtype=np.float64).reshape(shape) for name, shape in shapes.items())
    return Arrow(Layout(own_places, shared, own_places.size + s), *arrow_parts)
