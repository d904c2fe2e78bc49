"""A fit becomes a fitted estimator that predicts the same, also after it was saved and loaded."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import descend
from descend.estimators import FormulaClassifier, FormulaRegressor


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 4.0, 120)
    site = np.array(["p", "q", "r"])[np.arange(120) % 3]
    frame = pd.DataFrame({"x": x, "site": site, "z": rng.normal(size=120)})
    frame["y"] = 2.0 * np.exp(-0.7 * x) + 0.1 * frame["z"] + 0.05 * rng.normal(size=120)
    frame["high"] = np.where(frame["y"] + 0.5 * rng.normal(size=120) > 1.0, "yes", "no")
    return frame


def half(x, a, b):
    return a * np.exp(-b * x)


@pytest.mark.parametrize("loaded", [False, True], ids=["solved", "loaded"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("y ~ a*exp(-b*x)", {}),
        ("y ~ w @ [x, z] + b", {"l2": 0.1}),
        ("y ~ a[site]*exp(-b*x)", {"loss": "huber(delta=1)"}),
        (half, {"response": "y"}),
    ],
    ids=["curve", "ridge", "groups", "function"],
)
def test_the_estimator_predicts_what_the_fit_does(data, model, options, loaded, tmp_path):
    fit = descend.fit(model, data, **options)
    if loaded:
        fit.save(tmp_path / "fit.json")
        fit = descend.load(tmp_path / "fit.json")
    estimator = fit.to_estimator()
    assert isinstance(estimator, FormulaRegressor)
    columns = list(estimator.feature_names_in_) if hasattr(estimator, "feature_names_in_") else ["x"]
    X = data[columns]
    X = X if hasattr(estimator, "feature_names_in_") else X.to_numpy()
    np.testing.assert_allclose(estimator.predict(X), fit.predict(data), rtol=1e-13)
    again = clone(estimator).fit(X, data["y"])
    np.testing.assert_allclose(again.predict(X), fit.predict(data), rtol=1e-5)
    assert len(cross_val_score(estimator, X, data["y"], cv=3)) == 3


def test_one_fit_for_each_group(data):
    fits = descend.fit("y ~ a*exp(-b*x)", data, by="site")
    estimator = fits.to_estimator()
    assert list(estimator.feature_names_in_) == ["x", "site"]
    np.testing.assert_allclose(estimator.predict(data[["x", "site"]]), fits.predict(data))


@pytest.mark.parametrize(("response", "loss"), [("high", "logistic"), ("high", "multinomial"), ("site", "multinomial")])
def test_classes(data, response, loss):
    right = "sigmoid(w @ [x, z] + b)" if loss == "logistic" else "w @ [x, z] + b"
    estimator = descend.fit(f"{response} ~ {right}", data, loss=loss).to_estimator()
    assert isinstance(estimator, FormulaClassifier)
    same = FormulaClassifier(right, loss=loss).fit(data[["x", "z"]], data[response])
    np.testing.assert_array_equal(estimator.classes_, same.classes_)
    np.testing.assert_allclose(estimator.predict_proba(data[["x", "z"]]), same.predict_proba(data[["x", "z"]]))
    np.testing.assert_array_equal(estimator.predict(data[["x", "z"]]), same.predict(data[["x", "z"]]))
    np.testing.assert_allclose(estimator.coef_, same.coef_)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            "log(y + 1) ~ a - b*x",
            {},
            "An estimator predicts a column, and this fit `log(y + 1)`. Transform it with scikit-learn's "
            "TransformedTargetRegressor, around a FormulaRegressor of the right side.",
        ),
        (
            ["y ~ a*x", "z ~ a*x + b"],
            {},
            "An estimator predicts one response, and this fit has 2. Fit each of them by itself.",
        ),
        (
            "site ~ w*x",
            {"loss": "ordinal(levels='p, q, r')"},
            "A FormulaClassifier has no ordinal loss, as scikit-learn's classes have no order. Predict with the fit "
            "itself.",
        ),
    ],
)
def test_what_is_no_estimator_is_told(data, model, options, message):
    fit = descend.fit(model, data, **options)
    with pytest.raises(descend.ConfigError) as caught:
        fit.to_estimator()
    assert str(caught.value) == message


def test_groups_are_held_out_whole_where_a_penalty_is_chosen(data):
    X, groups = data[["x", "z"]], np.arange(len(data)) // 10
    ours = FormulaRegressor(l2="auto(folds=4)").fit(X, data["y"], groups=groups)
    table = {"x": data["x"], "z": data["z"], "y": data["y"], "g": [f"group {each}" for each in groups]}
    same = descend.fit("y ~ w @ [x, z] + b", table, l2="auto(folds=4, by=g)")
    np.testing.assert_allclose(ours.fit_.penalty_path.error, same.penalty_path.error)
    np.testing.assert_allclose(ours.coef_, same.parameters["w"])
    with pytest.raises(descend.ConfigError) as caught:
        FormulaRegressor(l2=0.1).fit(X, data["y"], groups=groups)
    assert str(caught.value) == (
        '`groups` are held out whole where a penalty is chosen, and none is. Ask for l2="auto", or leave them out.'
    )
    with pytest.raises(descend.ConfigError) as caught:
        FormulaRegressor(l2="auto(order=x)").fit(X, data["y"], groups=groups)
    assert str(caught.value) == (
        "The folds of l2 follow order already, so that `groups` cannot hold rows out together. Leave one of them out."
    )
    with pytest.raises(descend.DataError, match=r"`groups` has a value for each row: 120 of them, not an array of"):
        FormulaRegressor(l2="auto").fit(X, data["y"], groups=groups[:-1])
