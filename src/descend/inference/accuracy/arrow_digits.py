"""How far rounding and an early stop leave each parameter from the minimum, where the curvature is an arrow."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from descend.descent.solution import Named, Solution
from descend.engines.arrow import Arrow
from descend.identifiability.of_groups import step_of_arrow
from descend.inference.covariance.arrow import derivatives_by_part, inverse_arrow, of_all_parameters
from descend.inference.scored_rows import counted_rows
from descend.parameters import Constraints
from descend.problem.point import Array, Point

Mask = NDArray[np.bool_]


def measured_step(point: Point, free: Mask) -> tuple[Array, float]:
    """Return the step of the free components to where the parabola at a point is least, and its length by C."""
    step, arrow = step_of_arrow(point, free), point.curvature
    assert isinstance(arrow, Arrow)
    return step, math.sqrt(max(float(step @ (arrow @ step)), 0.0))


def floor_of_arrow(solution: Solution, point: Point, free: Mask, rounding: float) -> Array:
    """Return how far rounding in the evaluation of J may move the minimum, along each component; see ``digits``.

    A row moves the shared parameters and its own group; what it does to other groups, by way of the shared ones, is
    added to these as if the shared ones moved by their whole distance.
    """
    rows, arrow = counted_rows(solution), point.curvature
    assert isinstance(arrow, Arrow) and rows.parts is not None
    layout = arrow.layout
    inverse = inverse_arrow(point, free)
    if inverse is None:
        return np.full(point.theta.size, np.inf)
    inverse = inverse * (1.0 / float(rows.omega.sum()))  # the curvature of J is that of a mean
    along, parameter_places = rows.parts
    slope = rows.omega * rows.loss.slope(rows.score, rows.y)
    bend = rows.omega * rows.loss.weight(rows.score, rows.y)
    value = rows.score**2 + np.square(along * solution.theta[parameter_places]).sum(axis=1)
    noise = bend**2 * value + 2.0 * slope**2
    group, own_scores, shared = derivatives_by_part(layout, along, parameter_places)
    blocks, border = inverse.blocks[:, :, group], inverse.border[:, :, group]
    pull_own = np.einsum("ijr,jr->ir", blocks, own_scores) + np.einsum("isr,sr->ir", border, shared)
    pull_shared = np.einsum("isr,ir->sr", border, own_scores) + inverse.shared @ shared
    of_shared = np.sqrt(np.square(pull_shared) @ noise)
    groups = layout.own.shape[1]
    of_own = np.sqrt([np.bincount(group, each * each * noise, groups) for each in pull_own])
    with np.errstate(all="ignore"):
        errors = np.sqrt(inverse.shared.diagonal())
        along_shared = np.abs(inverse.border) / np.where(errors > 0.0, errors**2, np.inf)[:, None]
    of_own = of_own + np.einsum("isg,s->ig", along_shared, of_shared)
    return rounding * layout.vector(of_own, of_shared)


def of_all_digits(constraints: Constraints, theta: Array, digits: Array) -> Named:
    """Return the digits of all parameters: NaN for fixed ones; a tied one has those of the worst that it depends on."""

    def of_tied(components: NDArray[np.intp], slopes: Array) -> float:
        return float(digits[components].min()) if components.size else math.nan

    every, of_all = constraints.parameters, of_all_parameters(constraints, theta, digits, of_tied)
    of_all[[label in constraints.fixed for label in every.labels]] = np.nan
    return every.named(of_all)
