"""`by`: one fit for each group, whose columns are in X but are no features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold, cross_val_score

import descend
from descend.estimators import FormulaClassifier, FormulaRegressor


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "g": np.repeat([1, 2, 3], 80),
            "h": np.tile(["low", "high"], 120),
            "x": rng.normal(size=240),
            "z": rng.normal(size=240),
        }
    )
    return frame, frame["g"] * frame["x"] + 2.0 * frame["z"] + 0.1 * rng.normal(size=240)


def test_a_group_that_is_a_number_is_no_feature(rows):
    frame, y = rows
    fitted = FormulaRegressor(by="g").fit(frame, y)
    assert fitted.fits_.model.parameters.labels == ("w[x]", "w[z]", "b")
    for place, group in enumerate((1, 2, 3)):
        there = (frame["g"] == group).to_numpy()
        alone = FormulaRegressor("w @ [x, z] + b").fit(frame[there], y[there])
        np.testing.assert_allclose(fitted.parameters_["w"][place], alone.parameters_["w"], rtol=1e-9)
        np.testing.assert_allclose(fitted.standard_errors_["w"][place], alone.standard_errors_["w"], rtol=1e-7)
        np.testing.assert_allclose(fitted.predict(frame[there]), alone.predict(frame[there]), rtol=1e-9)
    matrix = frame[["x", "g", "z"]].to_numpy()
    same = FormulaRegressor(by="x1").fit(matrix, y)
    np.testing.assert_allclose(same.predict(matrix), fitted.predict(frame), rtol=1e-9)
    alone = FormulaRegressor(by="g", l2=0.1).fit(frame, y)  # each group is fitted by itself under a penalty
    assert alone.fits_.model.parameters.labels == ("w[x]", "w[z]", "b")
    assert alone.score(frame, y) < fitted.score(frame, y)


def test_several_columns_and_other_tools(rows):
    frame, y = rows
    both = FormulaRegressor(by=["g", "h"]).fit(frame, y)
    assert both.fits_[2, "low"].parameters["w"] == pytest.approx([2.0, 2.0], abs=0.1)
    np.testing.assert_array_equal(FormulaRegressor(by="g,h").fit(frame, y).predict(frame), both.predict(frame))
    scores = cross_val_score(FormulaRegressor(by="g"), frame, y, cv=KFold(3, shuffle=True, random_state=0))
    assert scores.min() > 0.99
    likely = FormulaClassifier(by="g", l2=0.01).fit(frame, y > 0.0)
    assert likely.predict_proba(frame).shape == (240, 2) and likely.score(frame, y > 0.0) > 0.9
    given = descend.fit("y ~ w @ [*] + b", {**frame[["g", "x", "z"]], "y": y}, by="g")
    np.testing.assert_allclose(given[3].parameters["w"], [3.0, 2.0], atol=0.1)


@pytest.mark.parametrize(
    ("by", "group", "message"),
    [
        ("g", {"g": 7}, "There is no group 7 of `g`. There are 3, such as 1, 2, 3."),
        ("h", {"h": "lower"}, "There is no group lower of `h`. Did you mean `low`? There are 2, such as high, low."),
    ],
)
def test_a_group_that_was_not_there_is_told(rows, by, group, message):
    frame, y = rows
    fitted = FormulaRegressor("w @ [x, z] + b", by=by).fit(frame, y)
    with pytest.raises(descend.DataError) as caught:
        fitted.predict(frame.assign(**group))
    assert str(caught.value) == message


def test_coefficients_are_those_of_each_group(rows):
    frame, y = rows
    with pytest.raises(AttributeError) as caught:
        _ = FormulaRegressor(by="g").fit(frame, y).coef_
    assert str(caught.value) == "Each group has coefficients of its own; see `parameters_`, or `fits_[group]`."
    with pytest.raises(descend.DataError, match=r"^There is no column `q` in the data\."):
        FormulaRegressor(by="q").fit(frame, y)
