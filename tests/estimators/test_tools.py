"""The tools of scikit-learn that people reach for work on the estimators."""

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay, permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from descend.estimators import FormulaClassifier, FormulaQuantiles, FormulaRegressor


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(11)
    X = rng.normal(size=(160, 4))
    return X, X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=160)


@pytest.fixture(scope="module")
def classes(rows):
    X, y = rows
    noise = np.random.default_rng(12).gumbel(size=(160, 3))
    return X, np.array(["a", "b", "c"])[(np.column_stack([0.0 * y, y, -y]) + noise).argmax(axis=1)]


def test_searches_over_formula_loss_and_penalty(rows):
    X, y = rows
    grid = {"formula": ["w @ [*] + b", "a*x0 + b"], "loss": ["squared", "huber"], "l2": [0.0, 1.0]}
    search = GridSearchCV(FormulaRegressor(), grid, cv=3).fit(X, y)
    assert search.best_params_["formula"] == "w @ [*] + b" and search.best_params_["l2"] == 0.0
    np.testing.assert_array_equal(search.predict(X), search.best_estimator_.predict(X))
    pipeline = make_pipeline(StandardScaler(), FormulaRegressor())
    drawn = RandomizedSearchCV(pipeline, {"formularegressor__l2": [0.0, 0.1, 1.0]}, n_iter=2, cv=3, random_state=0)
    assert drawn.fit(X, y).best_score_ > 0.5


def test_predictions_and_scores_of_folds(rows, classes):
    X, y = rows
    ours = cross_val_predict(FormulaRegressor(), X, y, cv=4)
    np.testing.assert_allclose(ours, cross_val_predict(LinearRegression(), X, y, cv=4), rtol=1e-8)
    found = cross_validate(FormulaRegressor(), X, y, cv=TimeSeriesSplit(3), scoring=("r2", "neg_mean_absolute_error"))
    assert found["test_r2"].shape == (3,)
    probabilities = cross_val_predict(FormulaClassifier(l2=0.01), *classes, cv=3, method="predict_proba")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    for scorer in ("neg_log_loss", "roc_auc_ovr", "accuracy", "f1_macro"):
        assert np.isfinite(get_scorer(scorer)(FormulaClassifier(l2=0.01).fit(*classes), *classes))
    assert permutation_test_score(FormulaRegressor(), X, y, cv=3, n_permutations=5, random_state=0)[2] < 0.2


def test_curves_of_learning_and_of_settings(rows):
    X, y = rows
    scores = learning_curve(FormulaRegressor(), X, y, cv=3, train_sizes=[0.3, 1.0])[2]
    assert scores.shape == (2, 3) and scores.min() > 0.9
    found = validation_curve(FormulaRegressor(), X, y, param_name="l2", param_range=[0.0, 10.0], cv=3)[1].mean(axis=1)
    assert found[0] > found[1]


def test_importances_dependences_and_boundaries(rows, classes):
    matplotlib.use("Agg")
    X, y = rows
    frame = pd.DataFrame(X, columns=["u", "v", "s", "t"])
    fitted = FormulaRegressor().fit(frame, y)
    importance = permutation_importance(fitted, frame, y, n_repeats=3, random_state=0).importances_mean
    assert importance.argmax() == 1 and importance.argmin() == 3
    shown = PartialDependenceDisplay.from_estimator(fitted, frame, ["u", ("u", "v")], kind="average", grid_resolution=8)
    line = shown.lines_[0, 0]
    slopes = np.diff(line.get_ydata()) / np.diff(line.get_xdata())
    np.testing.assert_allclose(slopes, fitted.coef_[0])
    likely = FormulaClassifier(l2=0.01).fit(X[:, :2], classes[1])
    PartialDependenceDisplay.from_estimator(likely, X[:, :2], [0], target="a", grid_resolution=5, kind="both")
    DecisionBoundaryDisplay.from_estimator(likely, X[:, :2], grid_resolution=10, response_method="predict")
    matplotlib.pyplot.close("all")


def test_calibration(rows):
    X, y = rows
    labels = np.random.default_rng(1).uniform(size=160) < 1.0 / (1.0 + np.exp(-y))
    for method in ("sigmoid", "isotonic"):
        fitted = CalibratedClassifierCV(FormulaClassifier(l2=0.01), method=method, cv=3).fit(X, labels)
        true, predicted = calibration_curve(labels, fitted.predict_proba(X)[:, 1], n_bins=4)
        assert np.abs(true - predicted).max() < 0.3
    ours, theirs = (
        CalibratedClassifierCV(each, cv=3).fit(X, labels).predict_proba(X)
        for each in (FormulaClassifier(l2=0.5 / 107), LogisticRegression())
    )
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize(
    "within",
    [
        StackingRegressor(
            [("line", FormulaRegressor()), ("bend", FormulaRegressor("a*x0 + b*x1^2"))], FormulaRegressor()
        ),
        VotingRegressor([("line", FormulaRegressor()), ("theirs", LinearRegression())]),
        BaggingRegressor(FormulaRegressor(), n_estimators=3, random_state=0),
        make_pipeline(PolynomialFeatures(2, include_bias=False), FormulaRegressor()),
        make_pipeline(SelectFromModel(FormulaRegressor(l1=0.1), threshold=0.1), FormulaRegressor()),
        make_pipeline(RFE(FormulaRegressor(), n_features_to_select=3), FormulaRegressor()),
        make_pipeline(SequentialFeatureSelector(FormulaRegressor(), n_features_to_select=3, cv=3), FormulaRegressor()),
    ],
    ids=["stacking", "voting", "bagging", "polynomials", "select", "rfe", "sequential"],
)
def test_inside_other_regressors(rows, within):
    X, y = rows
    assert clone(within).fit(X, y).score(X, y) > 0.95


def test_what_is_kept_by_coefficients(rows):
    X, y = rows
    assert RFE(FormulaRegressor(), n_features_to_select=3).fit(X, y).support_.tolist() == [True, True, True, False]
    kept = SelectFromModel(FormulaRegressor(l1=0.05), threshold=1e-8).fit(X, y)
    assert kept.get_support().tolist() == [True, True, True, False]


def test_several_responses_and_classes(rows, classes):
    X, y = rows
    both = np.column_stack([y, -2.0 * y])
    for wrapper in (MultiOutputRegressor, RegressorChain):
        np.testing.assert_allclose(
            wrapper(FormulaRegressor()).fit(X, both).predict(X)[:, 0], FormulaRegressor().fit(X, y).predict(X)
        )
    for wrapper in (OneVsRestClassifier, OneVsOneClassifier):
        assert wrapper(FormulaClassifier(l2=0.01)).fit(*classes).score(*classes) > 0.5
    members = [("ours", FormulaClassifier(l2=0.01)), ("theirs", LogisticRegression())]
    assert VotingClassifier(members, voting="soft").fit(*classes).score(*classes) > 0.5


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_go_in_and_through(rows, library):
    X, _ = rows
    frame = (pd if library == "pandas" else pl).DataFrame(
        {name: column for name, column in zip("uvst", X.T, strict=True)}
    )
    pipeline = make_pipeline(StandardScaler(), FormulaRegressor("a*u + b*v + c*s + d")).set_output(transform=library)
    pipeline.fit(frame, frame["u"])
    np.testing.assert_allclose(pipeline.predict(frame), X[:, 0])
    assert pipeline[-1].feature_names_in_.tolist() == ["u", "v", "s", "t"]


def test_quantiles_are_cloned_searched_and_scored(rows):
    X, y = rows
    search = GridSearchCV(FormulaQuantiles(), {"quantiles": [(0.25, 0.75), (0.1, 0.5, 0.9)]}, cv=3).fit(X, y)
    assert clone(search.best_estimator_).get_params()["quantiles"] == search.best_params_["quantiles"]
