"""The estimators: scikit-learn's own checks, the same coefficients as its estimators, and life in its tools."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn import linear_model
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, learning_curve, validation_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import descend
from descend.estimators import FormulaClassifier, FormulaRegressor
from descend.estimators.constructor import LEFT_OUT
from descend.options.request import FIELDS

ESTIMATORS = (FormulaRegressor, FormulaClassifier)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)) * [1.0, 10.0, 0.1, 1.0] + [0.0, 5.0, 0.0, 0.0]
    score = X @ [0.5, -0.1, 4.0, 0.0]
    return X, score, rng


@pytest.fixture(scope="module")
def decay():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": np.tile(np.linspace(0.0, 5.0, 30), 2), "site": np.repeat(["north", "south"], 30)})
    frame = frame.sample(frac=1.0, random_state=0, ignore_index=True)
    top = np.where(frame["site"] == "north", 2.0, 3.0)
    return frame, top * np.exp(-0.5 * frame["x"].to_numpy()) + 0.02 * rng.normal(size=60)


@pytest.mark.parametrize(
    "estimator",
    [FormulaRegressor(), FormulaClassifier(), FormulaClassifier(loss="multinomial")],
    ids=["regressor", "classifier", "multinomial"],
)
def test_scikit_learn_finds_nothing(estimator):
    found = check_estimator(estimator, on_fail=None, on_skip=None)
    others = {each["check_name"]: each["exception"] for each in found if each["status"] != "passed"}
    assert list(others) in ([], ["check_array_api_input"]), others  # skipped unless an environment variable asks for it


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
def test_every_option_of_a_fit_is_a_parameter_or_left_out_for_a_reason(estimator):
    parameters = estimator().get_params()
    assert FIELDS.keys() == (parameters.keys() - {"formula"} | LEFT_OUT.keys())
    assert estimator(l2=0.5).get_params()["l2"] == 0.5
    assert all(reason for reason in LEFT_OUT.values())


@pytest.mark.parametrize(
    ("ours", "theirs", "made"),
    [
        (FormulaRegressor(), linear_model.LinearRegression(), lambda score, rng: score + rng.normal(size=len(score))),
        (FormulaRegressor(l2=2.0 / 300), linear_model.Ridge(2.0), lambda score, rng: score + rng.normal(size=300)),
        (FormulaRegressor(l1=0.2), linear_model.Lasso(0.1, tol=1e-12), lambda score, rng: score + rng.normal(size=300)),
        (
            FormulaRegressor("exp(w @ [*] + b)", loss="poisson"),
            linear_model.PoissonRegressor(alpha=0.0, tol=1e-10),
            lambda score, rng: rng.poisson(np.exp(score)).astype(float),
        ),
        (
            FormulaClassifier(l2=0.5 / 300),
            linear_model.LogisticRegression(tol=1e-10, solver="newton-cholesky"),
            lambda score, rng: np.where(rng.uniform(size=300) < 1 / (1 + np.exp(-score)), "yes", "no"),
        ),
    ],
    ids=["linear", "ridge", "lasso", "poisson", "logistic"],
)
def test_the_coefficients_are_those_of_scikit_learn(ours, theirs, made, rows):
    X, score, rng = rows
    y, weights = made(score, rng), None if isinstance(theirs, linear_model.Ridge) else rng.integers(1, 4, len(X))
    ours = clone(ours).fit(X, y)
    theirs.fit(X, y)
    np.testing.assert_allclose(ours.coef_, np.ravel(theirs.coef_), atol=1e-6)
    assert ours.intercept_ == pytest.approx(np.ravel(theirs.intercept_)[0], abs=1e-6)
    np.testing.assert_allclose(ours.predict(X[:5]) == theirs.predict(X[:5]), True) if y.dtype.kind == "U" else (
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6, atol=1e-6)
    )
    assert ours.score(X, y) == pytest.approx(
        sklearn.metrics.accuracy_score(y, theirs.predict(X))
        if y.dtype.kind == "U"
        else sklearn.metrics.r2_score(y, theirs.predict(X)),
        abs=1e-6,
    )
    if weights is not None and not isinstance(theirs, linear_model.LogisticRegression | linear_model.Lasso):
        np.testing.assert_allclose(
            clone(ours).fit(X, y, sample_weight=weights).coef_,
            clone(ours).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights)).coef_,
            atol=1e-8,
        )


def test_more_columns_than_rows_are_no_error():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(10, 20)), rng.normal(size=10)
    fitted = FormulaRegressor().fit(X, y)
    np.testing.assert_allclose(fitted.predict(X), y, atol=1e-8)


def test_probabilities_classes_and_log_odds(rows):
    X, score, rng = rows
    y = np.where(rng.uniform(size=len(X)) < 1 / (1 + np.exp(-score)), "yes", "no")
    fitted = FormulaClassifier().fit(X, y)
    second = fitted.predict_proba(X)[:, 1]
    assert fitted.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(fitted.predict(X), np.where(second > 0.5, "yes", "no"))
    np.testing.assert_allclose(1 / (1 + np.exp(-fitted.decision_function(X))), second)
    assert np.isfinite(fitted.decision_function(1e6 * X)).all()
    assert CalibratedClassifierCV(FormulaClassifier()).fit(X, y).score(X, y) > 0.6
    guessing = FormulaClassifier("0.1 + 0.9*sigmoid(w @ [*] + b)", loss="bernoulli").fit(X, y)
    assert guessing.predict_proba(X)[:, 1].min() >= 0.1


@pytest.fixture(scope="module")
def three():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 3))
    scores = X @ rng.normal(size=(3, 3)) + rng.gumbel(size=(300, 3))
    return X, np.array(["cat", "dog", 'a, "b"'])[scores.argmax(axis=1)], rng.integers(0, 3, 300).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
def test_three_classes_are_those_of_logistic_regression_less_the_first(three, weighted):
    X, y, weights = three
    weights = weights if weighted else None
    ours = FormulaClassifier().fit(X, y, sample_weight=weights)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_ - theirs.coef_[0], atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_ - theirs.intercept_[0], atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    scores = theirs.decision_function(X)
    np.testing.assert_allclose(ours.decision_function(X), scores - scores[:, :1], atol=1e-5)
    np.testing.assert_array_equal(ours.predict_proba(X), pickle.loads(pickle.dumps(ours)).predict_proba(X))
    assert list(ours.parameters_["b"]) == ["cat", "dog"]


def test_scores_by_any_formula(three):
    X, y, _ = three
    frame = pd.DataFrame(X, columns=["u", "v", "z"]).assign(site=np.array(["p", "q"])[np.arange(300) % 2])
    fitted = FormulaClassifier("w @ [*] + b[site]", loss="multinomial").fit(frame, y)
    shares = fitted.predict_proba(frame)
    np.testing.assert_allclose(np.exp(fitted.decision_function(frame)), shares / shares[:, :1])
    np.testing.assert_array_equal(fitted.predict(frame), fitted.classes_[shares.argmax(axis=1)])
    curved = FormulaClassifier("a*x0**2 + c", loss="multinomial").fit(X, y)
    with pytest.raises(
        AttributeError, match=r"^`a\*x0\*\*2 \+ c` is not linear in the columns of X; see `parameters_`\.$"
    ):
        _ = curved.coef_
    one = FormulaClassifier("c", loss="multinomial").fit(X, y)
    np.testing.assert_allclose(one.predict_proba(X[:2])[1], [(y == kind).mean() for kind in one.classes_], atol=1e-9)
    two = FormulaClassifier(loss="multinomial", l2=0.01).fit(X, y == "cat")
    same = FormulaClassifier(l2=0.01).fit(X, y == "cat")
    np.testing.assert_allclose(two.coef_, same.coef_, atol=1e-9)
    np.testing.assert_allclose(two.decision_function(X), same.decision_function(X), atol=1e-8)
    np.testing.assert_array_equal(two.predict(X), same.predict(X))
    named = FormulaClassifier().fit(X, np.where(y == "cat", "", y))
    assert list(named.parameters_["b"]) == [1, 2]


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            FormulaClassifier("sigmoid(a*x0 + b)"),
            "There are 3 classes, and under the logistic loss `sigmoid(a*x0 + b)` is the probability of one of two. "
            "Choose loss=\"multinomial\", under which the formula is the score of each class, such as 'w @ [*] + b'.",
        ),
        (
            FormulaClassifier(loss="ordinal"),
            "A FormulaClassifier has no ordinal loss, as scikit-learn's classes have no order. Use "
            'descend.fit(formula, (X, y), loss="ordinal").',
        ),
        (
            FormulaClassifier(by="x0"),
            "The scores of several classes are not fitted by groups yet. Leave `by` out.",
        ),
        (
            FormulaClassifier(formula=3, loss="multinomial"),
            "The formula of an estimator is text, such as 'w @ [*] + b'; it is 3.",
        ),
    ],
)
def test_what_three_classes_cannot_have_is_told(three, estimator, message):
    with pytest.raises(descend.ConfigError) as caught:
        estimator.fit(*three[:2])
    assert str(caught.value) == message


def test_columns_may_have_the_names_of_parameters(rows):
    X, score, rng = rows
    y = score + rng.normal(size=len(X))
    named = FormulaRegressor().fit(pd.DataFrame(X, columns=["b", "w", "x y", "lambda"]), y)
    plain = FormulaRegressor().fit(X, y)
    np.testing.assert_allclose(named.coef_, plain.coef_, atol=1e-10)
    assert named.intercept_ == pytest.approx(plain.intercept_)
    assert list(named.parameters_) == ["w_", "b_"]


def test_predictions_are_for_an_exposure_of_1(rows):
    X, _, rng = rows
    exposure = rng.uniform(1.0, 5.0, len(X))
    y = rng.poisson(exposure * np.exp(0.1 * X[:, 0])).astype(float)
    fitted = FormulaRegressor("exp(w @ [*] + b)", loss="poisson").fit(X, y, exposure=exposure)
    rate = np.exp(X @ fitted.parameters_["w"] + fitted.parameters_["b"])
    np.testing.assert_allclose(fitted.predict(X), rate)
    assert (fitted.predict(X) * exposure).sum() == pytest.approx(y.sum())
    np.testing.assert_array_equal(fitted.coef_, fitted.parameters_["w"])
    column = FormulaRegressor("exp(w @ [*] + b)", loss="poisson", exposure="x4", offset="x3")
    both = np.column_stack([X, exposure])
    column.fit(both, y)
    np.testing.assert_array_equal(column.coef_, [*column.parameters_["w"], 1.0, 0.0])
    np.testing.assert_allclose(column.predict(both), exposure * np.exp(X @ column.coef_[:4] + column.intercept_))
    same = descend.fit("y ~ exp(w @ [*] + b)", (both, y), loss="poisson", exposure="x4", offset="x3")
    np.testing.assert_allclose(column.standard_errors_["w"], same.standard_errors["w"], rtol=1e-6)


def test_a_penalty_that_was_chosen_leaves_coefficients_and_no_errors(rows):
    X, score, rng = rows
    y = score + rng.normal(size=len(X))
    fitted = FormulaRegressor(l2="auto").fit(X, y)
    again = linear_model.Ridge(fitted.fit_.penalty_path.l2[fitted.fit_.penalty_path.chosen] * len(X)).fit(X, y)
    np.testing.assert_allclose(fitted.coef_, again.coef_, rtol=1e-8)
    assert fitted.intercept_ == pytest.approx(again.intercept_)
    assert fitted.standard_errors_ is None
    assert fitted.fit_.notes[0].endswith(
        "under a penalty there are no standard errors, and those of a fit without one to what this choice leaves would "
        "be conditional on it, hence too small"
    )


@pytest.mark.parametrize(
    "options",
    [{"l2": "auto"}, {"l1": "auto"}, {"formula": "a*exp(-k*x0) + b*x1 + c", "l2": "auto"}],
    ids=["l2", "l1", "curve"],
)
def test_with_the_same_folds_a_weight_is_the_row_so_many_times_where_a_penalty_is_chosen(rows, options):
    X, score, rng = rows
    X, y = X[:80], score[:80] + rng.normal(size=80)
    weights, groups = rng.integers(0, 4, size=80), rng.integers(0, 6, size=80)
    each = np.repeat(np.arange(80), weights)
    weighted = FormulaRegressor(**options).fit(X, y, weights, groups=groups)
    repeated = FormulaRegressor(**options).fit(X[each], y[each], groups=groups[each])
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-9)


def test_curves_groups_and_frames(decay):
    frame, y = decay
    one = FormulaRegressor("a*exp(-b*x)").fit(frame[["x"]], y)
    assert one.feature_names_in_.tolist() == ["x"]
    with pytest.raises(AttributeError, match=r"is not linear in the columns of X; see `parameters_`\."):
        _ = one.coef_
    shared = FormulaRegressor("a[site]*exp(-b*x)").fit(frame, y)
    assert shared.parameters_["a"]["north"] == pytest.approx(2.0, abs=0.05)
    assert shared.standard_errors_["b"] == pytest.approx(0.005, abs=0.003)
    assert shared.score(frame, y) > 0.99 > one.score(frame[["x"]], y)
    each = FormulaRegressor("a*exp(-b*x)", by="site").fit(frame, y)
    assert each.fits_["south"].parameters["a"] == pytest.approx(3.0, abs=0.05)
    polar = FormulaRegressor("a*exp(-b*x)", by="site").fit(pl.from_pandas(frame), y)
    np.testing.assert_allclose(polar.predict(pl.from_pandas(frame)), each.predict(frame))
    named = FormulaRegressor("rate ~ a*exp(-b*x)").fit(frame[["x"]], y)
    assert named.fit_.model.response == "rate"


@pytest.mark.parametrize("step", ["floor(x)", "sign(x)", "heaviside(x - 1)", "ceil(2*x)"])
def test_a_step_is_no_line_though_its_slope_is_0(decay, step):
    frame, _ = decay
    y = 2.0 * np.floor(frame["x"].to_numpy()) + frame["x"].to_numpy()
    fitted = FormulaRegressor(f"a*{step} + b*x").fit(frame[["x"]], y)
    np.testing.assert_allclose(fitted.predict(frame[["x"]]), fitted.fit_.predict(frame[["x"]]))
    with pytest.raises(AttributeError, match="is not linear in the columns of X"):
        _ = fitted.coef_


def test_a_name_on_the_left_that_is_a_column_is_refused(decay):
    frame, y = decay
    with pytest.raises(descend.DataError, match="The formula predicts `x`, which is a column of X too"):
        FormulaRegressor("x ~ a*exp(-b*x)").fit(frame, y)
    with pytest.raises(descend.ConfigError, match=r"The left side `log\(y\)` of an estimator's formula is"):
        FormulaRegressor("log(y) ~ a - b*x").fit(frame, y)


def test_searches_pipelines_and_copies(decay, tmp_path):
    frame, y = decay
    formulas = ["a*exp(-b*x)", "a[site]*exp(-b*x)", "a + b*x"]
    search = GridSearchCV(FormulaRegressor(), {"formula": formulas, "loss": ["squared"]}, cv=4).fit(frame, y)
    assert search.best_params_["formula"] == "a[site]*exp(-b*x)"
    kept = pickle.loads(pickle.dumps(search.best_estimator_))
    joblib.dump(search.best_estimator_, tmp_path / "kept.joblib")
    for copy in (kept, joblib.load(tmp_path / "kept.joblib")):
        np.testing.assert_array_equal(copy.predict(frame), search.predict(frame))
    folds, sites = GroupKFold(2), frame["site"]
    scores = cross_val_score(FormulaRegressor("a*exp(-b*x)"), frame, y, groups=sites, cv=folds, n_jobs=2)
    assert len(scores) == 2
    scaled = make_pipeline(StandardScaler(), FormulaRegressor(l2=1e-3)).fit(frame[["x"]], y)
    assert scaled.score(frame[["x"]], y) > 0.5
    split = make_pipeline(
        ColumnTransformer([("x", StandardScaler(), ["x"])], remainder="passthrough").set_output(transform="pandas"),
        FormulaRegressor("a[remainder__site] + b*x__x"),
    ).fit(frame, y)
    assert split.score(frame, y) > 0.5
    logged = TransformedTargetRegressor(FormulaRegressor(), func=np.log, inverse_func=np.exp).fit(frame[["x"]], y + 1.0)
    assert logged.score(frame[["x"]], y + 1.0) > 0.5


def test_inspection_works(rows):
    X, score, rng = rows
    y = score + rng.normal(size=len(X))
    fitted = FormulaRegressor().fit(X, y)
    importance = permutation_importance(fitted, X, y, n_repeats=3, random_state=0).importances_mean
    assert importance.argmin() == 3
    dependence = partial_dependence(fitted, X, [1], grid_resolution=5)
    steps = np.diff(dependence["average"][0]) / np.diff(dependence["grid_values"][0])
    np.testing.assert_allclose(steps, fitted.coef_[1])
    assert learning_curve(FormulaRegressor(), X, y, cv=3)[2].shape[1] == 3
    assert validation_curve(FormulaRegressor(), X, y, param_name="l2", param_range=[0.0, 1.0], cv=3)[1].shape == (2, 3)


def test_sigma_and_exposure_are_routed(decay):
    frame, y = decay
    sigma = np.linspace(0.01, 0.1, len(y))
    direct = FormulaRegressor("a*exp(-b*x)").fit(frame[["x"]], y, sigma=sigma)
    same = descend.fit("y ~ a*exp(-b*x)", {"x": frame["x"], "y": y, "s": sigma}, sigma="s")
    assert direct.standard_errors_["b"] == pytest.approx(same.standard_errors["b"], rel=1e-9)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = FormulaRegressor("a*exp(-b*x)").set_fit_request(sigma=True)
        scores = cross_val_score(routed, frame[["x"]], y, params={"sigma": sigma})
    assert len(scores) == 5
    with pytest.raises(descend.DataError, match=r"`x` has 60 rows but `sigma` has 59\."):
        FormulaRegressor().fit(frame[["x"]], y, sigma=sigma[:-1])
