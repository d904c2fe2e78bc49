"""Steps by hand: where one stands, how J slopes there, and where gd would go from there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from descend.errors import ConfigError
from descend.lab.descents.runs import Descents
from descend.lab.figures.data_figure import Scene
from descend.lab.figures.loss_surface import Landscape, landscape_of
from descend.lab.figures.still_figures import Array, Plain
from descend.lab.state import OUT_OF_DATE

USUAL = 0.01
"""The rate of gd beside one's own steps, where nothing says which is stable."""


def stood(runs: Descents, hand_place: Sequence[object] | None) -> Plain:
    """Return what is known at a place on the surface: J, its slope, the curve, and the step that gd would take.

    hand_place: the parameters of the surface; None for the start. Other parameters stay at their best values.

    Raises ConfigError if there is no surface, or the place is not on it.
    """
    landscape = landscape_of(runs)
    if landscape is None or runs.first.solution is None:
        raise ConfigError("J has no surface here to descend on by hand.")
    theta_here = _theta(runs, landscape, hand_place)
    objective, axis_places = runs.first.solution.objective, list(landscape.places)
    with np.errstate(all="ignore"):
        point = objective(theta_here, 1)
        slope = np.asarray(point.gradient)[axis_places]
        rate = _rate(runs)
        theta_there = theta_here.copy()
        theta_there[axis_places] -= rate * slope
        beyond = float(objective(theta_there, 0).loss)
    return {
        "labels": landscape.labels,
        "ends": landscape.ends,
        "place": theta_here[axis_places],
        "loss": float(point.loss),
        "slope": slope,
        "lowest": runs.lowest.loss,
        "move": Scene.of(runs).move_at(theta_here),
        "gd": {"rate": rate, "place": theta_there[axis_places], "loss": beyond},
    }


def _theta(runs: Descents, landscape: Landscape, hand_place: Sequence[object] | None) -> Array:
    """Return all parameters at a place of the surface."""
    start = np.asarray(runs.first.trace[0].theta, dtype=np.float64)
    axis_places = list(landscape.places)
    theta_here = np.array(runs.lowest.theta if landscape.others else start, dtype=np.float64)
    if hand_place is None:
        theta_here[axis_places] = start[axis_places]
        return theta_here
    numbers = [float(each) for each in hand_place if isinstance(each, int | float)]
    if len(numbers) != len(axis_places) or not all(map(math.isfinite, numbers)):
        raise ConfigError(OUT_OF_DATE)
    theta_here[axis_places] = numbers
    return theta_here


def _rate(runs: Descents) -> float:
    """Return the rate of gd: that of the page, or else half of the largest stable one."""
    if runs.state.rate is not None:
        return runs.state.rate
    if runs.spectrum is not None and runs.spectrum.largest > 0.0:
        return 1.0 / runs.spectrum.largest
    return USUAL
