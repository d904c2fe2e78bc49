"""A descent into a valley that is not the deepest is told so, and no other is."""

from __future__ import annotations

import numpy as np
import pytest

from descend.lab.data.rows import Library, Rows
from descend.lab.descents.deeper_valley import other_valley
from descend.lab.descents.runs import Descents, descents
from descend.lab.page.verdicts import verdicts
from descend.lab.state import State, read_query
from descend.lab.words.texts import words

X = np.arange(100) / 10
SIN = Rows(("sin",), {"x": X, "y": 2 * np.sin(1.5 * X + 0.5)}, "sin.csv", 100)


def sine(**start: float) -> Descents:
    return descents(State("upload", "y ~ a*sin(b*x + c)", rate=None, start=tuple(start.items())), SIN)


def problem(query: str) -> Descents:
    state, _ = read_query(query)
    rows = Library().rows(state, None)
    assert rows is not None
    return descents(state, rows)


@pytest.mark.parametrize("b", [2.2, 3.0])
def test_a_descent_into_another_valley_is_told_where_the_deepest_is(b):
    found = sine(a=1.0, b=b, c=0.0)
    valley = other_valley(found, "gd")
    assert valley is not None and not valley.same_start
    assert valley.lowest < 1e-12 < 1.0 < valley.floor <= found.first.loss
    assert valley.parameters == pytest.approx({"a": 2.0, "b": 1.5, "c": 0.5})
    told = str(verdicts(found, words("en"))[1])
    assert "This valley of J goes no deeper than 2.0" in told and "at a = 2, b = 1.5, c = 0.5." in told
    assert "Start nearer to it: click on the surface, or type a start." in told
    assert "还有更深的" in str(verdicts(found, words("zh"))[1])


def test_what_gets_there_from_the_same_start_is_named():
    found = problem("?problem=wave")
    valley = other_valley(found, "gd")
    assert valley is not None and valley.same_start
    assert "From the same start levenberg marquardt gets there." in str(verdicts(found, words("en"))[1])


@pytest.mark.parametrize(
    "query",
    ["?problem=line", "?problem=valley&rate=0.2", "?problem=decay", "?problem=decay&epochs=3", "?problem=banana",
     "?problem=classes&epochs=2", "?problem=outliers", "?problem=wave&start=a:1,w:1.4"],
)  # fmt: skip
def test_one_that_is_on_its_way_to_the_lowest_is_not(query):
    found = problem(query)
    assert all(other_valley(found, name) is None for name in found.fits)
