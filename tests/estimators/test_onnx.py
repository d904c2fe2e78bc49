"""Estimators as ONNX: ONNX Runtime predicts what the estimator does, in both precisions."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from pandas.api.types import is_numeric_dtype
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import descend
from descend.estimators import FormulaClassifier, FormulaQuantiles, FormulaRegressor, register_onnx
from descend.estimators.onnx_functions import BUILDS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
SINGLE, DOUBLE = 1e-5, 1e-10


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(8)
    X = rng.uniform(0.2, 1.8, size=(150, 3))
    return X, X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=150)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(9)
    places = np.arange(120)
    found = pd.DataFrame(
        {
            "x": rng.uniform(0.2, 1.8, 120),
            "z": rng.normal(size=120),
            "site": np.array(["p", "q", "r's"])[places % 3],
            "year": 2020.0 + places % 2,
        }
    )
    return found, 2.0 * found["x"] + found["z"] + (found["site"] == "q") + 0.1 * rng.normal(size=120)


def run(model, feed):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def of_matrix(estimator, X, kind):
    X = X.astype(kind)
    return run(skl2onnx.to_onnx(estimator, X[:1]), {"X": X})


def of_frame(estimator, frame):
    numeric = {name: is_numeric_dtype(frame[name]) for name in frame}
    types = [(name, (DoubleTensorType if numeric[name] else StringTensorType)([None, 1])) for name in frame]
    model = skl2onnx.convert_sklearn(estimator, initial_types=types)
    return run(model, {name: frame[[name]].to_numpy(np.float64 if numeric[name] else object) for name in frame})


@pytest.mark.parametrize(
    "estimator",
    [
        FormulaRegressor(),
        make_pipeline(StandardScaler(), FormulaRegressor(l2=0.01)),
        FormulaRegressor("a*exp(-b*x0) + c*x1^2.5 + d/x2 + x0*x1/(x2 + 3)"),
        FormulaRegressor("where(x0 > 1 and not x1 < 0.5, a*x0, b + 0*x2) + max(x1, x2, 0.7)"),
        FormulaRegressor("c"),
        FormulaQuantiles(quantiles=(0.2, 0.4, 0.9)),
    ],
    ids=["linear", "pipeline", "curve", "choice", "constant", "quantiles"],
)
def test_predictions_are_those_of_the_estimator(rows, estimator):
    X, y = rows
    estimator.fit(X, y)
    (double,) = of_matrix(estimator, X, np.float64)
    (single,) = of_matrix(estimator, X, np.float32)
    assert double.shape == single.shape == (150, 1) and single.dtype == np.float32
    np.testing.assert_allclose(double[:, 0], estimator.predict(X), rtol=DOUBLE)
    np.testing.assert_allclose(single[:, 0], estimator.predict(X), rtol=SINGLE)


@pytest.mark.parametrize(
    "classes", [[False, True], ["few", "much"], [3, 5, 9], ["a", "b", "c"]], ids=["truths", "words", "numbers", "three"]
)
def test_labels_and_probabilities(rows, classes):
    X, y = rows
    labels = np.array(classes)[np.digitize(y, np.quantile(y, [0.3, 0.6][: len(classes) - 1]))]
    estimator = make_pipeline(StandardScaler(), FormulaClassifier(l2=0.01)).fit(X, labels)
    label, probabilities = of_matrix(estimator, X, np.float64)
    np.testing.assert_array_equal(label, estimator.predict(X).astype(label.dtype))
    np.testing.assert_allclose(probabilities, estimator.predict_proba(X), rtol=DOUBLE)
    np.testing.assert_allclose(of_matrix(estimator, X, np.float32)[1], estimator.predict_proba(X), atol=SINGLE)


def test_probabilities_of_a_straight_line_are_cut_off(rows):
    X, y = rows
    estimator = FormulaClassifier("w @ [*] + b", loss="squared").fit(X, y > np.median(y))
    expected = estimator.predict_proba(X)
    assert expected.min() == 0.0 and expected.max() == 1.0 and ((expected > 0.0) & (expected < 1.0)).any()
    np.testing.assert_allclose(of_matrix(estimator, X, np.float64)[1], expected, atol=DOUBLE)


ENDS = {
    "acosh": (1.001, 9.0),
    "log1p": (-0.9, 9.0),
    **dict.fromkeys(("asin", "acos", "atanh"), (-0.99, 0.99)),
    **dict.fromkeys(("log", "log10", "log2", "sqrt"), (0.01, 9.0)),
    "logit": (0.01, 0.99),
}
PAIRS = ("hypot", "atan2", "min", "max", "mod")


@pytest.mark.parametrize("name", sorted(BUILDS.keys() - {"where"}))
def test_every_function_keeps_its_digits(name):
    low, high = ENDS.get(name, (-6.0, 6.0))
    X = np.random.default_rng(0).uniform(low, high, size=(300, 2))
    X[:3, 0] = np.clip([0.0, 1e-4, -1e-4], low, high)
    arguments = "x0, x1" if name in PAIRS else "x0"
    estimator = FormulaRegressor(f"a*{name}({arguments}) + b*x1").fit(X, np.sin(3.0 * X[:, 0]) + X[:, 1])
    np.testing.assert_allclose(
        of_matrix(estimator, X, np.float64)[0][:, 0], estimator.predict(X), rtol=1e-11, atol=1e-12
    )
    rounded = X.astype(np.float32).astype(np.float64)
    found = of_matrix(estimator, rounded, np.float32)[0][:, 0]
    np.testing.assert_allclose(found, estimator.predict(rounded), rtol=SINGLE, atol=SINGLE)


@pytest.mark.parametrize(
    "formula",
    ["a[site]*x + b*z", "a[site, year]*x + b", "a[site] @ [x, z] + c", "w @ [x, z] + c[year]", "w @ [*] + c[site]"],
)
def test_words_and_groups(frame, formula):
    data, y = frame
    estimator = FormulaRegressor(formula).fit(data, y)
    np.testing.assert_allclose(of_frame(estimator, data)[0][:, 0], estimator.predict(data), rtol=DOUBLE)
    if "site" in formula:
        unknown = data.assign(site=["elsewhere", *data["site"][1:]])
        found = of_frame(estimator, unknown)[0][:, 0]
        assert np.isnan(found[0]) and np.isfinite(found[1:]).all()


def test_held_parameters_exposures_and_other_estimators(frame):
    data, y = frame
    plain = data[["x", "z"]]
    for options in ({"fix": {"b": 1}}, {"ties": "b = 2*a"}, {"offset": "z"}):
        estimator = FormulaRegressor("a*x + b*sin(z)", **options).fit(plain, y)
        np.testing.assert_allclose(of_frame(estimator, plain)[0][:, 0], estimator.predict(plain), rtol=DOUBLE)
    estimator = FormulaRegressor("a + u[site]", reference="site = q").fit(data, y)
    np.testing.assert_allclose(of_frame(estimator, data)[0][:, 0], estimator.predict(data), rtol=DOUBLE)
    counts = np.round(np.exp(plain["x"]))
    estimator = FormulaRegressor("exp(w @ [*] + b)", loss="poisson").fit(plain, counts, exposure=1.0 + data["x"])
    np.testing.assert_allclose(of_frame(estimator, plain)[0][:, 0], estimator.predict(plain), rtol=DOUBLE)
    columns = [("scaled", StandardScaler(), ["x", "z"]), ("coded", OneHotEncoder(sparse_output=False), ["site"])]
    estimator = make_pipeline(ColumnTransformer(columns), FormulaRegressor(l2=0.01)).fit(data[["x", "z", "site"]], y)
    found = of_frame(estimator, data[["x", "z", "site"]])[0][:, 0]
    np.testing.assert_allclose(found, estimator.predict(data[["x", "z", "site"]]), rtol=DOUBLE)
    loaded = descend.fit("y ~ a[site]*exp(-b*x)", data.assign(y=y)).to_estimator()
    np.testing.assert_allclose(of_frame(loaded, data[["x", "site"]])[0][:, 0], loaded.predict(data[["x", "site"]]))


def test_inside_other_estimators_they_are_registered(rows):
    X, y = rows
    register_onnx()
    voting = VotingRegressor([("line", FormulaRegressor()), ("curve", FormulaRegressor("a*x0 + b*x2^2"))]).fit(X, y)
    np.testing.assert_allclose(of_matrix(voting, X, np.float64)[0][:, 0], voting.predict(X), rtol=DOUBLE)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            FormulaRegressor("a*gamma(x0) + b"),
            "ONNX has no operators for `gamma`, so that this formula cannot be written as ONNX.",
        ),
        (
            FormulaRegressor("a*x1 + b", by="x0"),
            "Each group has a fit of its own; make an estimator of one of them, `fits_[group].to_estimator()`.",
        ),
    ],
)
def test_what_onnx_cannot_say_is_refused(rows, estimator, message):
    X, y = rows
    estimator.fit(np.column_stack([np.round(X[:, 0]) + 1.0, X[:, 1:]]), y)
    with pytest.raises(descend.ConfigError) as caught:
        of_matrix(estimator, X, np.float64)
    assert str(caught.value) == message
