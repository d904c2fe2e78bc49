"""Steps by hand: where one stands, how J slopes there, and where gd would go."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from descend.errors import ConfigError
from descend.lab.data.rows import Library
from descend.lab.descents.runs import Descents, descents
from descend.lab.figures.steps_by_hand import stood
from descend.lab.state import usual_of


def runs(problem: str, **changes: object) -> Descents:
    state = dataclasses.replace(usual_of(problem), **changes)
    rows = Library().rows(state, None)
    assert rows is not None
    return descents(state, rows)


def mean_square(found: Descents, w: float, b: float) -> float:
    x, y = found.rows.columns["x"], found.rows.columns["y"]
    return float(np.mean((w * x + b - y) ** 2))


def test_one_begins_at_the_start_and_gd_goes_down_the_slope():
    found = runs("valley")
    here = stood(found, None)
    assert here["labels"] == ("w", "b") and here["place"].tolist() == [4.0, -3.0]
    assert here["loss"] == pytest.approx(mean_square(found, 4.0, -3.0))
    w, b = here["place"] - 0.07 * here["slope"]
    assert here["gd"]["place"].tolist() == [w, b] and here["gd"]["loss"] == pytest.approx(mean_square(found, w, b))


def test_elsewhere_j_is_that_of_the_place():
    found = runs("valley")
    here = stood(found, [2.0, 1.0])
    assert here["place"].tolist() == [2.0, 1.0] and here["loss"] == pytest.approx(mean_square(found, 2.0, 1.0))
    assert here["lowest"] == found.lowest.loss < here["loss"]


def test_without_a_rate_gd_takes_half_of_the_largest_stable_one():
    found = runs("valley", rate=None)
    assert found.limit is not None
    assert stood(found, None)["gd"]["rate"] == pytest.approx(found.limit / 2.0)


@pytest.mark.parametrize("place", [[1.0], [1.0, 2.0, 3.0], [1.0, "two"], [1.0, float("nan")]])
def test_a_place_that_is_none_of_the_surface_is_refused(place):
    with pytest.raises(ConfigError, match="out of date"):
        stood(runs("valley"), place)
