"""The covariance where very many parameters each belong to one group: of those of a group, and of what groups share.

It is kept as an arrow: the covariances of two different groups, which are full, follow from the rest (`among`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from descend.engines.arrow import Arrow, Layout
from descend.engines.arrow_triangle import ArrowTriangle
from descend.parameters import Constraints
from descend.problem.point import Array, Point

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
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


def among(covariance: Arrow, parameter: Places) -> Array:
    """Return the covariance matrix of a few components of theta, whichever groups they belong to.

    Of own parameters of two groups, with V their covariances with the shared ones s: V_gs V_ss^-1 V_sh.
    """
    group, item, number = (numbers[parameter] for numbers in _numbers(covariance.layout))
    owned = group >= 0
    covariances: Array = np.zeros((len(parameter), len(parameter)))
    if len(covariance.shared):
        reach = np.where(owned, covariance.border[item, :, group].T, covariance.shared[:, number])
        covariances = reach.T @ np.linalg.pinv(covariance.shared) @ reach
    same = owned & owned[:, None] & (group == group[:, None])
    return np.where(same, covariance.blocks[item[:, None], item, group[:, None]], covariances)


def _numbers(layout: Layout) -> tuple[Places, Places, Places]:
    """Return each component's group, its number among the own parameters, and that among shared ones; -1 for none."""
    group, item, number = (np.full(layout.size, -1) for _ in range(3))
    group[layout.own] = np.arange(layout.own.shape[1])
    item[layout.own] = np.arange(len(layout.own))[:, None]
    number[layout.shared] = np.arange(len(layout.shared))
    return group, item, number


def derivatives_by_part(layout: Layout, along: Array, parameter_places: Places) -> tuple[Places, Array, Array]:
    """Return the group of each row, and its derivatives by own, (k, rows), and by shared parameters, (s, rows).

    along, parameter_places: those by the few components that a row depends on, as in ``ScoredRows.parts``.
    """
    group, item, number = _numbers(layout)
    rows = np.arange(len(along))
    by_own, by_shared = np.zeros((len(layout.own), len(along))), np.zeros((len(layout.shared), len(along)))
    for derivative, component in zip(along.T, parameter_places.T, strict=True):
        owned = item[component] >= 0
        by_own[item[component[owned]], rows[owned]] += derivative[owned]
        by_shared[number[component[~owned]], rows[~owned]] += derivative[~owned]
    return group[parameter_places].max(axis=1), by_own, by_shared


def variances_along(covariance: Arrow, along: Array, parameter_places: Places) -> Array:
    """Return f'V f for each row, (rows,), f having few components: ``along``, (rows, q), at ``parameter_places``.

    Those of a row are shared parameters and own ones of a single group.
    """
    group, item, number = _numbers(covariance.layout)
    variances = np.zeros(len(along))
    for i, j in itertools.product(range(along.shape[1]), repeat=2):
        one, other = parameter_places[:, i], parameter_places[:, j]
        own, other_own, cell = group[one] >= 0, group[other] >= 0, np.empty(len(along))
        both, none, first, last = own & other_own, ~own & ~other_own, own & ~other_own, ~own & other_own
        cell[both] = covariance.blocks[item[one[both]], item[other[both]], group[one[both]]]
        cell[none] = covariance.shared[number[one[none]], number[other[none]]]
        cell[first] = covariance.border[item[one[first]], number[other[first]], group[one[first]]]
        cell[last] = covariance.border[item[other[last]], number[one[last]], group[other[last]]]
        variances += along[:, i] * along[:, j] * cell
    return variances


def of_all_parameters(
    constraints: Constraints, theta: Array, of_free: Array, of_tied: Callable[[Places, Array], float]
) -> Array:
    """Return a number for each component of all parameters, from those of the free ones; NaN for fixed ones.

    of_tied: gives that of a tied parameter, from the components that it is tied to and its derivatives by them.
    """
    free, every = constraints.free, constraints.parameters
    numbers = np.full(every.size, np.nan)
    for name, theta_slice in every.slices.items():
        if name in free.shapes:
            numbers[theta_slice] = of_free[free.slices[name]]
        elif name in constraints.tied:
            slopes = constraints.slopes(name, theta)
            numbers[theta_slice.start] = of_tied(np.array([*slopes], dtype=np.intp), np.array([*slopes.values()]))
    return numbers


def errors_of_arrow(constraints: Constraints, theta: Array, covariance: Arrow, unknown: Mask) -> Array:
    """Return the flat standard errors of all parameters; NaN for what is fixed, at a bound, or unknown."""
    still = unknown if constraints.bounds is None else unknown | constraints.bounds.held(theta)

    def by_delta_method(components: Places, slopes: Array) -> float:
        if not components.size or still[components].any():
            return math.nan
        return math.sqrt(max(float(slopes @ among(covariance, components) @ slopes), 0.0))

    with np.errstate(all="ignore"):
        own_errors = np.where(still, np.nan, np.sqrt(covariance.diagonal()))
    return of_all_parameters(constraints, theta, own_errors, by_delta_method)


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
