"""What somebody new calls first: arguments in the wrong order, left out, or named as other libraries have them."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.results.names_elsewhere import NAMES

LINE = {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.1, 7.9]}


@pytest.fixture(scope="module")
def fit():
    return descend.fit("y ~ a + b*x", LINE)


@pytest.mark.parametrize("formula", ["y ~ a*x", "y~a*x", "`my y` ~ a", "log(y) ~ a + b"])
def test_a_formula_in_place_of_the_data_is_told_to_come_first(formula):
    with pytest.raises(descend.DataError) as caught:
        descend.fit("decay.csv", formula)
    assert str(caught.value) == (
        f"`{formula}` is a formula, not a file of data. The formula comes first, then the data."
    )


@pytest.mark.parametrize("path", ["PROGRA~1/my data.csv", "my data.csv~", "~/my data.csv", "a~1.csv"])
def test_a_path_with_a_tilde_is_no_formula(path):
    with pytest.raises(descend.DataError, match="There is no file"):
        descend.fit("y ~ a*x", path)


def test_data_left_out_are_asked_for():
    with pytest.raises(descend.DataError) as caught:
        descend.fit("y ~ a*x")
    assert str(caught.value) == (
        "The data are missing. Give a path, a dict of columns, or a pandas, polars or Arrow frame."
    )


@pytest.mark.parametrize("value", [2, 2.0, np.float64(2.0)])
def test_a_single_value_by_name_is_one_row(fit, value):
    assert fit.predict({"x": value}) == pytest.approx(fit.predict({"x": [2.0]}))
    assert fit.predict({"x": value}, interval="confidence").low.shape == (1,)


def test_an_input_that_is_missing_is_named(fit):
    with pytest.raises(descend.DataError) as caught:
        fit.predict({"z": 1})
    assert str(caught.value) == "There is no column `x` in the data. Its columns: `z`."


def test_a_value_of_each_group_is_one_row():
    data = {"g": ["a", "a", "b", "b"], "x": [0.0, 1.0, 0.0, 1.0], "y": [1.0, 2.0, 3.0, 5.0]}
    fit = descend.fit("y ~ a[g] + b*x", data)
    assert fit.predict({"g": "b", "x": 1}) == pytest.approx(fit.predict({"g": ["b"], "x": [1.0]}))


@pytest.mark.parametrize(
    ("formula", "data", "message"),
    [
        (
            "y ~ a*x",
            {"my x": [1, 2, 3], "y (mV)": [1, 2, 3]},
            "The right side, `a*x`, uses no column of the data: a and x are all parameters. "
            "Did you mean `my x`, in backticks, for x? Columns: `my x`.",
        ),
        (
            "y ~ a*exp(-b*z) + c",
            LINE,
            "The right side, `a*exp(-b*z) + c`, uses no column of the data: a, b, z and c are all parameters. "
            "Did you mean `x` for z? Columns: `x`.",
        ),
    ],
)
def test_a_column_that_was_probably_meant_is_named(formula, data, message):
    with pytest.raises(descend.FormulaError) as caught:
        descend.fit(formula, data)
    assert str(caught.value) == message


def test_a_way_with_missing_rows_that_is_misspelt_is_guessed():
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit("y ~ a*x", LINE, missing="dorp")
    assert str(caught.value) == "`missing` is `dorp`. Did you mean `drop`? It can be `raise` or `drop`."


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("params", "parameters"),
        ("coef_", "parameters"),
        ("popt", "parameters"),
        ("stderr", "standard_errors"),
        ("rsquared", "r_squared"),
        ("conf_int", "intervals()"),
    ],
)
def test_an_attribute_of_other_libraries_is_told_by_its_name_here(fit, name, here):
    assert not hasattr(fit, name)
    with pytest.raises(AttributeError) as caught:
        getattr(fit, name)
    assert str(caught.value) == f"A fit has no attribute `{name}`. Here it is `fit.{here}`."


def test_every_name_elsewhere_leads_to_one_that_there_is(fit):
    for here, names in NAMES.items():
        assert hasattr(fit, here.partition("(")[0])
        assert not any(hasattr(fit, name) for name in names.split())


def test_another_attribute_is_refused_as_ever(fit):
    with pytest.raises(AttributeError, match=r"^'SolvedFit' object has no attribute 'nonsense'"):
        _ = fit.nonsense
