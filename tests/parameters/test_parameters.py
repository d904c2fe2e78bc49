"""Names and shapes, the flat vector, and the messages of bad starts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.errors import ConfigError
from descend.parameters import Parameters

MIXED = Parameters({"a": None, "w": ("x1", "x2", "`unit price`"), "b": None})


def test_places_labels_and_size():
    assert MIXED.size == 5
    assert MIXED.slices == {"a": slice(0, 1), "w": slice(1, 4), "b": slice(4, 5)}
    assert MIXED.labels == ("a", "w[x1]", "w[x2]", "w[`unit price`]", "b")


@given(st.lists(st.floats(allow_nan=False), min_size=5, max_size=5))
def test_flat_and_named_undo_each_other(values):
    theta = np.array(values)
    named = MIXED.named(theta)
    assert isinstance(named["a"], float)
    assert named["w"].shape == (3,)
    np.testing.assert_array_equal(MIXED.flat(named), theta)


def test_named_values_are_copies():
    theta = np.zeros(5)
    MIXED.named(theta)["w"][:] = 1
    np.testing.assert_array_equal(theta, 0)


@pytest.mark.parametrize(
    ("given", "theta"),
    [
        ({}, [7, 7, 7, 7, 7]),
        ({"a": 1}, [1, 7, 7, 7, 7]),
        ({"w": 2}, [7, 2, 2, 2, 7]),
        ({"w": [1, 2, 3], "b": "4.5"}, [7, 1, 2, 3, 4.5]),
        ({"b": np.float32(0.5), "w": (0, 0, 1)}, [7, 0, 0, 1, 0.5]),
    ],
)
def test_start(given, theta):
    np.testing.assert_array_equal(MIXED.start(given, default=7.0), theta)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"c": 1}, "There is no parameter `c` to start. Parameters: a, w, b."),
        ({"W": 1}, "There is no parameter `W` to start. Did you mean `w`? Parameters: a, w, b."),
        ({"a": "one"}, "The start of `a` must be a number; it is 'one'."),
        ({"a": 10**400}, f"The start of `a` must be a number; it is {10**400!r}."),
        ({"a": None}, "The start of `a` must be finite; it is None."),
        ({"a": float("nan")}, "The start of `a` must be finite; it is nan."),
        ({"w": [1, 2, float("inf")]}, "The start of `w` must be finite; it is [1, 2, inf]."),
        ({"a": [1]}, "The start of `a` must be one number; it has shape (1,)."),
        (
            {"w": [1, 2]},
            "The start of `w` must be one number or 3 numbers, one for each of x1, x2, `unit price`; "
            "it has shape (2,).",
        ),
    ],
)
def test_bad_starts(given, message):
    with pytest.raises(ConfigError) as caught:
        MIXED.start(given, default=0.0)
    assert str(caught.value) == message


def test_long_vectors_are_not_listed_in_full():
    parameters = Parameters({"w": tuple(f"x{k}" for k in range(100))})
    with pytest.raises(ConfigError) as caught:
        parameters.start({"w": [1, 2]}, default=0.0)
    assert str(caught.value) == (
        "The start of `w` must be one number or 100 numbers, one for each of x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, "
        "x10, x11 ...; it has shape (2,)."
    )


def test_values_in_a_log_line():
    assert MIXED.mentioned([1.23456789, 2, -3e-9, 4, 5]) == "a=1.23457  w[x1]=2  w[x2]=-3e-09  w[`unit price`]=4  ..."
    assert Parameters({"w": None}).mentioned(np.array([2.05])) == "w=2.05"
