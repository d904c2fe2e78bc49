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
    part, fine = arrow.of(free), isinstance(point.factor, ArrowTriangle)
    diagonal = part.diagonal()
    if not (part.finite and (diagonal > 0.0).all()):
        return None
    scale = np.sqrt(diagonal)
    if isinstance(point.factor, ArrowTriangle):
        factored = point.factor.of(free).scaled(scale).factored
    else:
        summed = part.scaled(scale).factored()
        if summed is None:
            return None
        factored = summed
    with np.errstate(all="ignore"):
        inverted = factored.inverse
        largest = float(inverted.diagonal().max(initial=0.0))
    if not largest * (SINGULAR if fine else SINGULAR_SUMMED) < 1.0:
        return None
    return inverted.scaled(scale).among(arrow.layout, free)


def among(covariance: Arrow, places: NDArray[np.intp]) -> Array:
    """Return the covariance matrix of a few components of theta, whichever groups they belong to.

    Of own parameters of two groups, with V their covariances with the shared ones s: V_gs V_ss^-1 V_sh.
    """
    layout, group = covariance.layout, _groups(covariance)
    item, number = np.zeros(len(covariance), dtype=np.intp), np.zeros(len(covariance), dtype=np.intp)
    item[layout.own] = np.arange(len(layout.own))[:, None]
    number[layout.shared] = np.arange(len(layout.shared))
    owned = group[places] >= 0
    found: Array = np.zeros((len(places), len(places)))
    if len(layout.shared):
        border = covariance.border[item[places], :, group[places]].T
        reach = np.where(owned, border, covariance.shared[:, number[places]])
        found = reach.T @ np.linalg.pinv(covariance.shared) @ reach
    same = owned & owned[:, None] & (group[places] == group[places][:, None])
    blocks = covariance.blocks[item[places][:, None], item[places], group[places][:, None]]
    return np.where(same, blocks, found)


def _groups(covariance: Arrow) -> NDArray[np.intp]:
    """Return the group that each component of theta belongs to, -1 if none."""
    found = np.full(len(covariance), -1)
    found[covariance.layout.own] = np.arange(covariance.layout.own.shape[1])
    return found


def variances_along(covariance: Arrow, along: Array, places: NDArray[np.intp]) -> Array:
    """Return f'V f for each row, (rows,), f having few components: ``along``, (rows, q), at ``places`` of theta.

    Those of a row are shared parameters and own ones of a single group.
    """
    group, shared = _groups(covariance), np.full(len(covariance), -1)
    shared[covariance.layout.shared] = np.arange(len(covariance.layout.shared))
    item = np.zeros(len(covariance), dtype=np.intp)
    item[covariance.layout.own] = np.arange(len(covariance.layout.own))[:, None]
    found = np.zeros(len(along))
    for i in range(along.shape[1]):
        for j in range(along.shape[1]):
            one, other = places[:, i], places[:, j]
            mine, its = group[one] >= 0, group[other] >= 0
            cell = np.empty(len(along))
            both, none, first, last = mine & its, ~mine & ~its, mine & ~its, ~mine & its
            cell[both] = covariance.blocks[item[one[both]], item[other[both]], group[one[both]]]
            cell[none] = covariance.shared[shared[one[none]], shared[other[none]]]
            cell[first] = covariance.border[item[one[first]], shared[other[first]], group[one[first]]]
            cell[last] = covariance.border[item[other[last]], shared[one[last]], group[other[last]]]
            found += along[:, i] * along[:, j] * cell
    return found


def errors_of_arrow(held: Constraints, theta: Array, covariance: Arrow, unknown: Mask) -> Array:
    """Return the flat standard errors of all parameters; NaN for what is fixed, at a bound, or unknown.

    Those of tied parameters are by the delta method, over the few that they are tied to.
    """
    free, every = held.free, held.parameters
    still = unknown if held.bounds is None else unknown | held.bounds.held(theta)
    with np.errstate(all="ignore"):
        own = np.where(still, np.nan, np.sqrt(covariance.diagonal()))
    errors = np.full(every.size, np.nan)
    for name, place in every.slices.items():
        if name in free.shapes:
            errors[place] = own[free.slices[name]]
        elif name in held.tied:
            slopes = held.slopes(name, theta)
            some, along = list(slopes), np.array([*slopes.values()])
            if some and not still[some].any():
                errors[place.start] = math.sqrt(max(along @ among(covariance, np.array(some)) @ along, 0.0))
    return errors


def as_content(covariance: Arrow) -> dict[str, object]:
    """Return an arrow as plain lists, for the model file; see `restored`."""
    parts = {
        "own": covariance.layout.own,
        "shared": covariance.layout.shared,
        "blocks": covariance.blocks,
        "border": covariance.border,
        "of_shared": covariance.shared,
    }
    return {name: plain_lists(np.asarray(part, dtype=np.float64)) for name, part in parts.items()}


def plain_lists(part: Array) -> object:
    """Return an array as lists, with None for what is not finite."""
    objects = part.astype(object)
    objects[~np.isfinite(part)] = None
    return objects.tolist()


def restored(content: Mapping[str, object]) -> Arrow:
    """Return the arrow that a model file holds. Raises ValueError where its parts do not fit together."""
    own, shared = (np.array(content[name], dtype=np.intp) for name in ("own", "shared"))
    k, groups, s = *own.shape, len(shared)
    shapes = {"blocks": (k, k, groups), "border": (k, s, groups), "of_shared": (s, s)}
    parts = (np.array(content[name], dtype=np.float64).reshape(shape) for name, shape in shapes.items())
    return Arrow(Layout(own, shared, own.size + s), *parts)
