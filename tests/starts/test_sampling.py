"""Starts of functions that can only be called: nobody has to give one."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.differences.calls import Calls
from descend.differences.linear import linear_places

RANDOM = np.random.default_rng(0)
X = np.linspace(0.0, 40.0, 80)


def real(function):
    """Return the function as one that takes one point of real numbers."""

    def only(x, a, b, c, d):
        return function(x, float(a), float(b), float(c), float(d))

    return only


def peak(x, a, b, c, d):
    return a * np.exp(-(((x - b) / c) ** 2)) + d


def saturation(x, a, b, c, d):
    return a + (b - a) / (1.0 + (x / c) ** d)


def decays(x, a, b, c, d):
    return a * np.exp(-b * x) + c * np.exp(-d * x)


@pytest.mark.parametrize("guise", [lambda function: function, real], ids=["together", "one by one"])
@pytest.mark.parametrize(
    ("function", "true"),
    [(peak, (50.0, 23.0, 3.0, 10.0)), (saturation, (2.0, 90.0, 12.0, 3.0)), (decays, (5.0, 0.9, 2.0, 0.08))],
    ids=["peak", "saturation", "decays"],
)
def test_a_start_is_found(function, true, guise):
    data = {"x": X, "y": function(X, *true) * (1.0 + 0.01 * RANDOM.normal(size=80))}
    given = dict(zip("abcd", true, strict=True))
    wanted = descend.fit(function, data, response="y", gradient="numeric", start=given)
    found = descend.fit(guise(function), data, response="y", gradient="numeric")
    assert found.loss == pytest.approx(wanted.loss, rel=1e-6)
    assert any("start found among" in note for note in found.notes)


def test_defaults_of_the_function_are_its_start():
    def line(x, a=2.0, b=1.0):
        return a * x + b

    fit = descend.fit(line, {"x": X, "y": 3.0 * X}, response="y", gradient="numeric")
    assert fit.parameters["a"] == pytest.approx(3.0) and not any("start found" in note for note in fit.notes)


class Plain:
    """A function of four numbers as `Calls` take it."""

    name = "plain"

    def __init__(self, function):
        self.function = function

    def one(self, theta):
        return self.function(X, *theta)

    def many(self, thetas):
        return self.function(X, *thetas.T[:, :, None])


@pytest.mark.parametrize(
    ("function", "linear"),
    [
        (peak, [0, 3]),
        (saturation, [0, 1]),
        (decays, [0, 2]),
        (lambda x, a, b, c, d: a * x + b * c + d, [0, 1, 3]),  # b and c are multiplied with each other
        (lambda x, a, b, c, d: np.abs(a) + b * x + c**2 + np.sin(d), [1]),
    ],
    ids=["peak", "saturation", "decays", "product", "none but one"],
)
def test_linear_parameters_are_found_by_calling(function, linear):
    calls = Calls(Plain(function), 4)
    bases = [np.array([-1.0, 2.0, 3.0, 0.3]), np.array([-0.4, 3.0, 1.5, 0.7])]
    calls.value(bases[0])
    assert linear_places(calls, bases, np.full(4, 2.0), range(4)) == linear


def test_a_start_that_leads_nowhere_is_followed_by_a_search():
    data = {"x": X, "y": peak(X, 50.0, 23.0, 3.0, 10.0)}
    fit = descend.fit(peak, data, response="y", gradient="numeric", start={"a": 1.0, "b": 1e4, "c": 0.1, "d": 0.0})
    assert fit.parameters["b"] == pytest.approx(23.0) and fit.from_start is not None


def test_of_very_many_rows_a_search_looks_at_few():
    rows = 40_000
    x = np.random.default_rng(1).uniform(0.0, 40.0, rows)
    sizes = []

    def called(x, a, b, c, d):
        sizes.append(len(x))
        return peak(x, a, b, c, d) if x[0] < np.inf else x

    data = {"x": x, "y": peak(x, 50.0, 23.0, 3.0, 10.0) + np.random.default_rng(2).normal(0.0, 1.0, rows)}
    fit = descend.fit(called, data, response="y", gradient="numeric")
    assert fit.parameters["b"] == pytest.approx(23.0, abs=0.05) and fit.outcome == "converged"
    assert any(note.endswith("4,096 of 40,000 rows were looked at") for note in fit.notes)
    assert sizes.count(4_096) > 3 * sizes.count(rows)
    assert list(descend.curve_fit(called, x, data["y"])[0]) == pytest.approx(list(fit.parameters.values()), rel=1e-6)


def test_a_function_that_looks_at_a_whole_column_is_given_all_rows():
    rows = 20_000
    x = np.random.default_rng(1).uniform(1.0, 5.0, rows)
    x[7] = 20.0

    def share(x, a, b):
        return a * np.exp(-b * x / x.max())

    fit = descend.fit(share, {"x": x, "y": share(x, 3.0, 7.0)}, response="y", gradient="numeric")
    assert fit.parameters == pytest.approx({"a": 3.0, "b": 7.0})
    assert not any("were looked at" in note for note in fit.notes)
