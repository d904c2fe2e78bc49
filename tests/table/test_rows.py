"""Rows know their weights, whatever column these come from, and are checked in one way wherever they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend
from descend import DataError
from descend.table.rows import Roles, Rows

X = np.linspace(1.0, 2.0, 8)
ODD = np.array([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0])


def test_weights_follow_from_sigma() -> None:
    rows = Rows.of({"x": X, "s": ODD}, Roles(sigma="s"))
    assert rows.omega is not None
    np.testing.assert_array_equal(rows.omega, ODD**-2.0)
    some = rows.take(np.array([1, 2]))
    assert (some.count, some.total, rows.weight_of(np.array([1, 2]))) == (2, 1.25, 1.25)


def test_rows_of_weight_zero_do_not_count() -> None:
    rows = Rows.of({"x": X, "k": ODD - 1.0}, Roles(weights="k")).counting()
    np.testing.assert_array_equal(rows.columns["x"], X[1::2])
    assert rows.joined(rows).count == 8 and Rows({}).joined(rows) is rows


BAD = [
    ("weights", -1.0, "The weight `k` is -1 in {} of the data. Weights must be 0 or more."),
    (
        "sigma",
        0.0,
        "The sigma `k` is 0 in {} of the data. Standard deviations must be above 0. Leave such rows out with `where`, "
        "or correct them.",
    ),
]


@pytest.mark.parametrize(("role", "value", "message"), BAD)
@pytest.mark.parametrize(("engine", "row"), [("numpy", "row 4"), ("query", "some row")])
def test_bad_ones_are_refused_wherever_the_rows_are(
    role: str, value: float, message: str, engine: str, row: str
) -> None:
    data = {"x": X, "y": 2.0 * X + 0.1 * ODD, "k": np.where(np.arange(8) == 3, value, 1.0)}
    options: dict[str, Any] = {role: "k", "engine": engine}
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x + b", data, **options)
    assert str(caught.value) == message.format(row)


@pytest.mark.parametrize(("role", "value", "message"), BAD)
def test_those_of_new_rows_as_well(role: str, value: float, message: str) -> None:
    options: dict[str, Any] = {role: "k"}
    fit = descend.fit("y ~ a*x + b", {"x": X, "y": 2.0 * X + 0.1 * ODD, "k": np.ones(8)}, **options)
    with pytest.raises(DataError) as caught:
        fit.predict({"x": [1.0, 2.0], "k": [1.0, value]}, interval="prediction")
    assert str(caught.value) == message.format("row 2")
