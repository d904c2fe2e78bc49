"""Several quantiles: each as scikit-learn's where they do not cross, and none that cross anywhere."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

import descend
from descend.estimators import FormulaQuantiles, FormulaRegressor

QUANTILES = (0.1, 0.5, 0.9)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(4)
    X = rng.uniform(0.0, 3.0, size=(200, 2))
    return X, 1.0 + X @ [2.0, -1.0] + (0.2 + X[:, 0]) * rng.normal(size=200)


def test_scikit_learn_finds_nothing():
    found = check_estimator(FormulaQuantiles(), on_fail=None, on_skip=None)
    others = {each["check_name"]: each["exception"] for each in found if each["status"] != "passed"}
    assert list(others) in ([], ["check_array_api_input"]), others


def test_each_is_that_of_scikit_learn(rows):
    X, y = rows
    ours = FormulaQuantiles(quantiles=QUANTILES).fit(X, y)
    for place, quantile in enumerate(QUANTILES):
        theirs = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y)
        np.testing.assert_allclose(ours.coef_[place], theirs.coef_, atol=1e-6)
        assert ours.intercept_[place] == pytest.approx(theirs.intercept_, abs=1e-6)
        assert (y < ours.predict_quantiles(X)[:, place]).mean() == pytest.approx(quantile, abs=0.02)
    np.testing.assert_array_equal(ours.predict(X), ours.predict_quantiles(X)[:, 1])
    assert ours.crossed_ < 0.05
    assert 0.2 < ours.score(X, y) < 1.0
    assert list(ours.parameters_) == list(QUANTILES)


@pytest.mark.parametrize("formula", ["w @ [*] + b", "a*x0/(k + x0) + c"])
def test_none_cross_even_far_from_the_rows(rows, formula):
    X, y = rows
    few = slice(0, 40)
    ours = FormulaQuantiles(formula, quantiles=(0.3, 0.4, 0.5, 0.6)).fit(X[few], y[few])
    far = np.random.default_rng(0).uniform(0.0, 50.0, size=(500, 2))
    each = np.column_stack([estimator.predict(far) for estimator in ours.estimators_])
    found = ours.predict_quantiles(far)
    assert (np.diff(found, axis=1) >= 0.0).all()
    np.testing.assert_array_equal(found, np.sort(each, axis=1))
    alone = FormulaRegressor(formula, loss="pinball(quantile=0.4)").fit(X[few], y[few])
    np.testing.assert_allclose(each[:, 1], alone.predict(far))


def test_life_in_scikit_learn(rows):
    X, y = rows
    search = GridSearchCV(FormulaQuantiles(quantiles=(0.25, 0.75)), {"formula": ["b", "w @ [*] + b"]}, cv=3).fit(X, y)
    assert search.best_params_ == {"formula": "w @ [*] + b"}
    assert clone(search.best_estimator_).get_params()["quantiles"] == (0.25, 0.75)


@pytest.mark.parametrize("quantiles", [(), (0.5, 0.1), (0.0, 0.5), "many", 0.5])
def test_wrong_quantiles_are_told(rows, quantiles):
    with pytest.raises(descend.ConfigError) as caught:
        FormulaQuantiles(quantiles=quantiles).fit(*rows)
    assert str(caught.value) == (
        "The quantiles are increasing numbers, each above 0 and below 1, such as (0.1, 0.5, 0.9); they are "
        f"{quantiles!r}."
    )


def test_more_columns_than_rows_are_no_error():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(10, 20)), rng.normal(size=10)
    found = FormulaQuantiles().fit(X, y).predict_quantiles(X)
    assert (np.diff(found, axis=1) >= 0.0).all()
    np.testing.assert_allclose(found[:, 1], y, atol=1e-6)


def test_what_is_wrong_is_said_of_this_estimator(rows):
    X, y = rows
    with pytest.raises(ValueError, match=r"^FormulaQuantiles requires y to be passed, but the target y is None\.$"):
        FormulaQuantiles().fit(X, None)
    with pytest.raises(ValueError, match=r"minimum of 2 is required by FormulaQuantiles\.$"):
        FormulaQuantiles().fit(X[:1], y[:1])
    fitted = FormulaQuantiles(quantiles=(0.5,)).fit(X, y)
    with pytest.raises(
        ValueError, match=r"^X has 1 features, but FormulaQuantiles is expecting 2 features as input\.$"
    ):
        fitted.predict(X[:, :1])
