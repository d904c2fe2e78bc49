"""Which columns tell groups apart, in which order their groups stand, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import descend
from descend.errors import DataError, FormulaError

X = np.arange(1.0, 9.0)
WORDS = ["lo", "hi", "mid", "lo"] * 2
ORDER = ["lo", "mid", "hi", "unused"]
DAYS = np.array(["2024-01-02", "2024-01-01"] * 4, dtype="datetime64[D]")


def groups(column: object) -> list[object]:
    """Return the groups of a column, in order."""
    return list(descend.fit("y ~ a[s]*x", {"y": 2.0 * X, "x": X, "s": column}).parameters["a"])


def groups_of(data: object, **options: object) -> list[object]:
    return list(descend.fit("y ~ a[s]*x", data, **options).parameters["a"])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (WORDS, ["hi", "lo", "mid"]),
        ([10, 9, 10, 9, 2, 2, 9, 10], [2, 9, 10]),
        ([10.0, 9.0, 10.0, 9.0, 2.0, 2.0, 9.0, 10.0], [2, 9, 10]),
        ([0.5, 0.25] * 4, [0.25, 0.5]),
        ([True, False] * 4, [False, True]),
        (DAYS, ["2024-01-01", "2024-01-02"]),
        (["only"] * 8, ["only"]),
    ],
)
def test_groups_are_sorted_as_what_they_are(column, expected):
    found = groups(column)
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


def test_categories_keep_their_order():
    ordered = pd.Categorical(WORDS, categories=ORDER, ordered=True)
    assert groups_of(pd.DataFrame({"y": X, "x": X, "s": ordered})) == ["lo", "mid", "hi"]
    numbers = pd.Categorical([3, 1, 2, 3] * 2, categories=[3, 2, 1])
    assert groups_of(pd.DataFrame({"y": X, "x": X, "s": numbers})) == [3, 2, 1]
    enum = pl.Series(WORDS, dtype=pl.Enum(ORDER[:3]))
    assert groups_of(pl.DataFrame({"y": X, "x": X, "s": enum})) == ["lo", "mid", "hi"]
    plain = pl.Series(WORDS, dtype=pl.Categorical)
    assert groups_of(pl.DataFrame({"y": X, "x": X, "s": plain})) == ["hi", "lo", "mid"]
    assert groups_of(pa.table({"y": X, "x": X, "s": pa.array(WORDS).dictionary_encode()})) == ["hi", "lo", "mid"]


def test_a_row_without_a_group_is_left_out():
    frame = pd.DataFrame({"y": X, "x": X, "s": pd.array([3, 1, None, 3] * 2, dtype="Int64")})
    assert groups_of(frame, missing="drop") == [1, 3]


def test_a_group_only_in_rows_that_are_left_out_has_no_parameter():
    data = {"y": [1.0, 2.0, np.nan, 4.0], "x": [1.0, 2.0, 3.0, 4.0], "s": list("AABC")}
    fit = descend.fit("y ~ a[s]*x", data, missing="drop")
    assert fit.parameters["a"] == pytest.approx({"A": 1.0, "C": 1.0})
    with pytest.raises(DataError, match=r"^`s` is `B` in row 1 of the data, a group that was not fitted\."):
        fit.predict({"x": [1.0], "s": ["B"]})


def test_two_columns_make_pairs_and_their_vectors():
    data = {"x": np.tile(X, 3), "p": ["P1"] * 8 + ["P2"] * 16, "w": [1] * 16 + [2] * 8}
    data["y"] = np.tile(X, 3) * np.repeat([1.0, 2.0, 3.0], 8) + np.repeat([5.0, 6.0, 7.0], 8)
    fit = descend.fit("y ~ a[p, w]*x + b[w, p]", data)
    assert fit.parameters["a"] == pytest.approx({("P1", 1): 1.0, ("P2", 1): 2.0, ("P2", 2): 3.0})
    assert fit.parameters["b"] == pytest.approx({(1, "P1"): 5.0, (1, "P2"): 6.0, (2, "P2"): 7.0})
    vector = descend.fit("y ~ c[p, w] @ [x, 1]", data)
    assert vector.parameters["c"]["P2", 2] == pytest.approx([3.0, 7.0])
    assert vector.model.parameters.labels[:2] == ("c[P1, 1, x]", "c[P1, 1, 1]")


def test_a_group_column_is_a_number_too():
    day = np.repeat([1.0, 2.0, 3.0], 4)
    x = np.tile(np.arange(4.0), 3)
    fit = descend.fit("y ~ a[day]*x + b*day", {"y": day * x + 0.5 * day, "x": x, "day": day})
    assert fit.parameters["a"] == pytest.approx({1: 1.0, 2: 2.0, 3: 3.0})
    assert fit.parameters["b"] == pytest.approx(0.5)


def test_names_of_columns_and_groups_may_be_odd():
    names = ["a, b", "c]d", 'e"f', "g=h"]
    data = {"y": 2.0 * X, "x": X, "my site": names * 2}
    start = {'a["a, b"]': 1.0, 'a["c]d"]': 2.0}
    fit = descend.fit("y ~ a[`my site`]*x", data, start=start, bounds=['a["g=h"] > 0'])
    assert fit.parameters["a"] == pytest.approx(dict.fromkeys(sorted(names), 2.0))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            "y ~ a[s]*x + a",
            "`a` is used both as `a[s]` and as `a`.\n    y ~ a[s]*x + a\n                 ^\n"
            "Give one of them another name.",
        ),
        (
            "y ~ a[s]*x + a[u]",
            "`a` is used both as `a[s]` and as `a[u]`.\n    y ~ a[s]*x + a[u]\n                 ^\n"
            "Give one of them another name.",
        ),
        (
            "y ~ x[s]*b",
            "`x` is a column, so it cannot be a parameter with a value for each group.\n    y ~ x[s]*b\n        ^\n"
            "Choose another name.",
        ),
        (
            "y ~ a[y]*x",
            "`y` is the response, so it cannot tell groups apart.\n    y ~ a[y]*x\n        ^^^^\n"
            "Put another column into the brackets.",
        ),
        (
            "y ~ a[2*x]",
            "In `a[ ]` stand columns, whose values tell the groups of `a` apart.\n    y ~ a[2*x]\n          ^\n"
            "Write `a[site]` for a value at each site; for a sum over columns `a @ [x1, x2]`.",
        ),
    ],
)
def test_mistakes_in_brackets_are_pointed_at(formula, message):
    data = {"y": X, "x": X, "s": WORDS, "u": WORDS}
    with pytest.raises(FormulaError) as caught:
        descend.fit(formula, data)
    assert str(caught.value) == message


def test_messages_name_the_group_of_a_row():
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a[s]*log(x - 1)", {"y": X, "x": X, "s": WORDS})
    assert str(caught.value).startswith("`log(x - 1)` is -inf in row 1 (x = 1, s = lo), whatever the parameters.")
