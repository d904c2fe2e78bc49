"""Rows that repeat others are told of, unless chance explains them."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.report.fields import fields
from descend.table.repeated_rows import repeated_rows

X = np.linspace(0.0, 5.0, 40)
Y = 1 + 2 * X + np.random.default_rng(0).normal(size=40)


def said(x, y):
    return [note for note in descend.fit("y ~ a + b*x", {"x": x, "y": y}).notes if "copies" in note]


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("joined", [np.tile, np.repeat])
def test_a_file_that_was_joined_to_itself(joined, times):
    once = descend.fit("y ~ a + b*x", {"x": X, "y": Y})
    again = descend.fit("y ~ a + b*x", {"x": joined(X, times), "y": joined(Y, times)})
    assert said(joined(X, times), joined(Y, times)) == [
        f"every row is there {times} times, with the same response: if they are copies, standard errors are "
        f"{times**0.5:.2g} times too small; use each once"
    ]
    assert once.standard_errors["b"] / again.standard_errors["b"] == pytest.approx(times**0.5, rel=0.05)


def test_some_rows_that_were_joined_again():
    chosen = np.r_[np.arange(40), np.arange(12)]
    assert said(X[chosen], Y[chosen]) == [
        "12 of 52 rows repeat others, with the same response: if they are copies, standard errors are too small; "
        "use each once"
    ]


@pytest.mark.parametrize("seed", range(5))
def test_what_chance_repeats_is_not_told(seed):
    random = np.random.default_rng(seed)
    group = np.repeat([0.0, 1.0, 2.0, 3.0], 25)
    assert said(group, random.poisson(3 + group).astype(float)) == []
    assert said(group, np.round(3 + group + random.normal(size=100), 1)) == []
    assert said(group, 3 + group + random.normal(size=100)) == []
    assert said(X, Y) == said(X, np.zeros(40)) == []


def test_replicates_that_differ_are_no_copies():
    """The same x, measured again, is what a good experiment has."""
    x = np.tile(X, 3)
    assert said(x, 1 + 2 * x + np.random.default_rng(1).normal(size=120)) == []


def test_of_many_rows_the_report_tells():
    x, y = np.tile(np.linspace(0, 5, 800), 2), np.tile(np.random.default_rng(2).normal(size=800), 2)
    fitted = descend.fit("y ~ a + b*x", {"x": x, "y": y})
    told = repeated_rows({"x": x}, ("x",), y)
    assert told is not None
    assert [field.value for field in fields(fitted) if field.label == "repeats"] == [told]


def test_repeats_are_found_among_very_many_rows():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 120_000))
    assert repeated_rows({"x": x}, ("x",), y) is None
    copied = np.append(np.arange(120_000), np.arange(30_000))
    assert repeated_rows({"x": x[copied]}, ("x",), y[copied]).startswith("30,000 of 150,000 rows repeat others")
    assert repeated_rows({"x": np.tile(x, 2)}, ("x",), np.tile(y, 2)).startswith("every row is there 2 times")
