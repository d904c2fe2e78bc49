"""Functions of NumPy and Python that few models call: traced, or told why not, and the same as what they are."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from tests.tracing.tracing_checks import assert_traced

import descend
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace


def appended(x, a, b):
    low, high = np.append(np.array([a]), b)
    return low + high * x


def tiled(x, a, b):
    return np.tile(np.array([a, b]), 2)[2] * x + np.repeat(np.array([a, b]), 2)[3]


def flipped(x, a, b):
    coefficients = np.roll(np.flip(np.array([a, b])), 1)
    return coefficients[0] * x + coefficients[1] + np.size(coefficients)


def moved(x, a, b):
    grid = np.expand_dims(np.array([a, b]), 1)
    return np.swapaxes(grid, 0, 1)[0, 0] * x + np.moveaxis(grid, 0, -1)[0, 1]


def real(x, a, b):
    assert np.isrealobj(x) and not np.iscomplexobj(x)
    assert np.result_type(x, 1.0) == np.float64
    return a * np.real(x) + b + np.imag(x)


def filled(x, a, b):
    y = np.zeros_like(x)
    y.fill(b)
    return a * x + y + np.array([a]).item()


def multiplied(x, a, b):
    return math.prod([a, b, 2.0]) * x + math.dist([a, b], [0.0, 1.0]) + math.erf(a)


def copied(x, a, b):
    y = copy.deepcopy(x)
    y *= a
    return y + b * x


def cumulated(x, a, b):
    return np.cumsum([a, b, a])[2] * x + np.cumprod([a, b])[1] + np.max(np.array([a, b])) - np.min(np.array([a, b]))


def either(x, a, b):
    return np.where(np.any(np.array([a > 3.0, b > 3.0])), x, a * x) + np.where(
        np.all(np.array([a < 3.0, b < 3.0])), b, x
    )


FUNCTIONS = (appended, tiled, flipped, moved, real, filled, multiplied, copied, cumulated, either)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_it_is_traced(function):
    assert_traced(function, high=1.2)


def test_what_changes_some_cells_in_place_is_told():
    def added(x, a):
        y = a * x
        np.add.at(y, [0], a)
        return y

    with pytest.raises(UntraceableError, match=r"calls np\.add\.at"):
        trace(added, ["x"], ["a"])


def test_a_difference_from_0_is_written_as_the_negative():
    assert trace(lambda x, a: 0 - a * x, ["x"], ["a"]) == "-(a*x)"


@pytest.mark.parametrize("function", [lambda x, z, a: a * x, lambda x, z, a: a + 0 * x], ids=["one", "two"])
def test_a_column_that_is_not_used_is_no_obstacle(function):
    data = {"x": np.arange(1.0, 9.0), "z": np.ones(8), "y": 2.0 * np.arange(1.0, 9.0)}
    fit = descend.fit(function, data, response="y")
    assert fit.model.formula is not None and not any("is no formula" in note for note in fit.notes)
