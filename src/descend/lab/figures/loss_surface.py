"""The landscape below the paths: J over two parameters or one, in a window that does not depend on the rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.lab.cache import Cache
from descend.lab.descents.runs import Descents
from descend.report.figures import Surface
from descend.report.surface import losses_over, objective_of, places_of, relief
from descend.results import Fit

Array = NDArray[np.float64]

GRID = 40
FINE = 161
MARGIN = 0.35
"""Margin around start and minimum, as a share of their distance."""
ERRORS = 4.0

PASSED: Cache[Array] = Cache(128)
LANDSCAPES: Cache[Landscape] = Cache(128)


@dataclass(frozen=True, eq=False)
class Landscape:
    """J over a window of two parameters, or of the only one.

    labels: of these parameters; places: their indices in theta. ends: of the window, for each. surface: J over two;
    None if there is one parameter, or J is flat. line: x and J over one. others: whether there are further parameters,
    which stay at their best values. beyond: whether J goes on rising above the last contour.
    """

    labels: tuple[str, ...]
    places: tuple[int, ...]
    ends: tuple[tuple[float, float], ...]
    surface: Surface | None
    line: tuple[Array, Array] | None
    others: bool = False
    beyond: bool = False


def landscape_of(runs: Descents) -> Landscape | None:
    """Compute J around the start and the minimum; None if there is nothing to show."""
    lowest = runs.lowest
    if lowest.solution is None:
        return None
    labels = lowest.model.parameters.labels
    axis = (0,) if len(labels) == 1 else places_of(lowest, _usual_pair(runs, labels))
    ends = tuple(_window(runs, lowest, axis_place) for axis_place in axis)
    key = (runs.rows.key, *runs.state.model, ends)
    return LANDSCAPES(key, lambda: _computed(lowest, tuple(labels[axis_place] for axis_place in axis), axis, ends))


def _usual_pair(runs: Descents, labels: Sequence[str]) -> tuple[str, str] | None:
    recipe = runs.state.built_in
    named = tuple(recipe.window) if recipe is not None else ()
    return (named[0], named[1]) if len(named) == 2 and set(named) <= set(labels) else None


def _computed(
    lowest: Fit, labels: tuple[str, ...], axis_places: tuple[int, ...], ends: tuple[tuple[float, float], ...]
) -> Landscape:
    evaluate, _ = objective_of(lowest)
    if len(axis_places) == 1:
        x = np.linspace(*ends[0], FINE)
        with np.errstate(all="ignore"):
            y = np.array([evaluate(np.array([value])) for value in x.tolist()])
        return Landscape(labels, axis_places, ends, None, (x, np.where(np.isfinite(y), y, np.nan)))
    x, y = (np.linspace(*end, GRID) for end in ends)
    z = losses_over(evaluate, lowest.theta, (axis_places[0], axis_places[1]), x, y)
    surface = relief(x, y, z)
    beyond = surface is not None and bool((z[np.isfinite(z)] > surface.levels[-1]).any())
    return Landscape(labels, axis_places, ends, surface, None, lowest.theta.size > 2, beyond)


def _range_passed(runs: Descents) -> Array:
    """Return (p, 2), the range that a descent on a parabola covers from the usual start, at any rate to 1/lambda_max.

    Along each eigenvector of the curvature, a step goes a share of what is left, so the path stays between start and
    minimum there. Where J is not a parabola, the range adds nothing.
    """
    lowest = runs.lowest
    width = lowest.theta.size

    def way() -> Array:
        nowhere = np.full((width, 2), np.nan)
        if not lowest.model.linear or not lowest.loss_function.quadratic or lowest.solution is None:
            return nowhere
        curvature = lowest.solution.objective(lowest.theta, 2).matrix
        if curvature is None or not np.isfinite(curvature).all():
            return nowhere
        vectors = np.linalg.eigh(curvature)[1]
        parts = vectors * (vectors.T @ (0.0 - lowest.theta))
        ends = lowest.theta + np.array([np.minimum(parts, 0.0).sum(axis=1), np.maximum(parts, 0.0).sum(axis=1)])
        return np.asarray(ends.T)

    return PASSED((runs.rows.key, *runs.state.model), way)


def _window(runs: Descents, lowest: Fit, axis_place: int) -> tuple[float, float]:
    """Return the range of one parameter to show: the recipe's, or around usual start and minimum; with the start."""
    label = lowest.model.parameters.labels[axis_place]
    recipe, page_state = runs.state.built_in, runs.state
    start = float(runs.first.trace[0].theta[axis_place])
    if recipe is not None and label in recipe.window and page_state.formula == recipe.formula:
        low, high = recipe.window[label]
    else:
        usual = 0.0 if lowest.model.linear else 1.0
        if recipe is not None:
            usual = float(recipe.start.get(label, usual))
        ends = np.array([usual, float(lowest.theta[axis_place]), *_range_passed(runs)[axis_place]])
        covariance = lowest.covariance
        if covariance is not None and np.isfinite(covariance.diagonal()[axis_place]):
            error = ERRORS * float(np.sqrt(max(covariance.diagonal()[axis_place], 0.0)))
            ends = np.array([*ends, ends[1] - error, ends[1] + error])
        ends = ends[np.isfinite(ends) & (np.abs(ends) < 1e100)]
        low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
        low, high = (low - 1.0, high + 1.0) if low == high else (low, high)
        low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    room = 0.08 * (high - low)
    return min(low, start - room), max(high, start + room)
