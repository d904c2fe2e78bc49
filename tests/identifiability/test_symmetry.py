"""Like terms that ended in another order than they began in."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.identifiability.symmetry import changed_places, upright

X = np.linspace(0.0, 5.0, 60)
Y = 3 * np.exp(-0.4 * X) + 2 * np.exp(-2 * X) + 0.01 * np.random.default_rng(0).normal(size=60)
TWO = "y ~ a*exp(-b*x) + c*exp(-d*x)"


def model(formula):
    return descend.fit(formula, {"x": X, "y": Y}).model


def test_terms_that_changed_places():
    start, end = np.array([3.0, 0.5, 2.0, 1.0]), np.array([2.0, 2.0, 3.0, 0.4])
    assert changed_places(model(TWO), "abcd", start, end) == (
        "like terms changed places: (a, b) and (c, d) can stand for each other, and where the start had b < d, the fit "
        "has d < b"
    )


@pytest.mark.parametrize(
    ("formula", "given", "start", "end"),
    [
        (TWO, "abcd", [3, 0.5, 2, 1], [3, 0.4, 2, 2]),  # they did not
        (TWO, "abc", [3, 0.5, 2, 1], [2, 2, 3, 0.4]),  # d was searched for
        (TWO, "", [3, 0.5, 2, 1], [2, 2, 3, 0.4]),
        (TWO, "abcd", [3, 1, 2, 1], [2, 2, 3, 0.4]),  # they were alike
        ("y ~ a*exp(-b*x) + c*x", "abc", [1, 2, 3], [3, 2, 1]),  # unlike terms
    ],
)
def test_where_nothing_is_to_be_said(formula, given, start, end):
    assert changed_places(model(formula), given, np.array(start, float), np.array(end, float)) is None


@pytest.mark.parametrize(("b", "d"), [(0.5, 0.6), (0.6, 0.5), (3.0, 0.1), (0.1, 3.0), (1.0, 1.2)])
def test_a_fit_tells(b, d):
    fitted = descend.fit(TWO, {"x": X, "y": Y}, start={"a": 1.0, "b": b, "c": 4.0, "d": d})
    told = any("changed places" in note for note in fitted.notes)
    assert told == ((b < d) != (fitted.parameters["b"] < fitted.parameters["d"]))


@pytest.mark.parametrize(
    ("formula", "down", "up"),
    [
        (
            "y ~ c + (d - c)/(1 + (x/m)^b)",
            {"c": 5.0, "d": 1.0, "m": 3.0, "b": -2.5},
            {"c": 1.0, "d": 5.0, "m": 3.0, "b": 2.5},
        ),
        (
            "y ~ a + h/(1 + exp(-(x - m)/s))",
            {"a": 4.0, "h": -3.0, "m": 2.0, "s": -1.0},
            {"a": 1.0, "h": 3.0, "m": 2.0, "s": 1.0},
        ),
        ("y ~ a*exp(-b*x) + c", {"a": 1.0, "b": -0.5, "c": 0.0}, {"a": 1.0, "b": -0.5, "c": 0.0}),  # another curve
    ],
)
def test_a_steepness_whose_sign_changes_nothing_is_positive(formula, down, up):
    read, x = model(formula), {"x": X[1:]}
    theta = read.parameters.start(down, 0.0)
    turned = upright(read, theta, x, ())
    np.testing.assert_allclose(read.predict(turned, x), read.predict(theta, x), rtol=1e-12)
    assert read.parameters.named(turned) == pytest.approx(up)
    assert upright(read, theta, x, down) is theta  # the user's own start keeps its signs
