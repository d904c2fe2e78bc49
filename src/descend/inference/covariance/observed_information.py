"""J with its observed information for its curvature: all second derivatives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from descend.models import Model
from descend.optimizers.second_derivatives import APART, hessian_at
from descend.problem.point import Point


def observed_information(point: Point, dispersion: float = 1.0) -> Point:
    """Return J at the same parameters with all its second derivatives as its curvature.

    dispersion: about how much J of a row changes within a standard deviation of its response.
    """
    hessian_and_scale = hessian_at(point, dispersion)
    if hessian_and_scale is None:
        return point
    hessian, scale = hessian_and_scale
    return replace(point, curvature=hessian / scale / scale[:, None], factor=None)


def own_observed_information(point: Point, model: Model) -> Point:
    """Return J at the same parameters with its second derivatives by the loss's own ones, by differences of gradients.

    They do not interact with those of the formula: on average, where the data have the distribution of the loss.
    """
    own_places = [model.parameters.slices[name].start for name in model.loss.own_parameters]
    if not own_places or not isinstance(point.curvature, np.ndarray):
        return point
    curvature, theta = point.curvature.copy(), point.theta
    for own_place in own_places:
        step = np.zeros(theta.size)
        step[own_place] = APART / math.sqrt(curvature[own_place, own_place])
        change = point.at(theta + step, 1).gradient - point.at(theta - step, 1).gradient
        curvature[own_place, own_places] = change[own_places] / (2.0 * step[own_place])
    return replace(point, curvature=curvature, factor=None)
