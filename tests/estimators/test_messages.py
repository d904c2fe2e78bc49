"""What is wrong with X, y or a parameter is told in one clear sentence, in scikit-learn's words where it has some."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

from descend.errors import ConfigError, DataError
from descend.estimators import FormulaClassifier, FormulaRegressor
from descend.estimators.constructor import LEFT_OUT
from descend.estimators.parameter_words import AS_PARAMETERS
from descend.options.request import OPTIONS


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=60)


def with_cell(X, value):
    changed = X.copy()
    changed[3, 0] = value
    return changed


def words(X, **columns):
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(**({"s": np.tile(["q", "r", "t"], 20)} | columns))


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda X, y: (with_cell(X, np.nan), y), ValueError, "Input X contains NaN."),
        (
            lambda X, y: (with_cell(X, -np.inf), y),
            ValueError,
            "Input X contains infinity or a value too large for dtype('float64').",
        ),
        (lambda X, y: (X[:, 0], y), ValueError, "Expected 2D array, got 1D array instead:"),
        (lambda X, y: (X[:, :, None], y), ValueError, "Found array with dim 3, while dim <= 2 is required by"),
        (lambda X, y: (X, y[:-1]), ValueError, "Found input variables with inconsistent numbers of samples: [60, 59]"),
        (
            lambda X, y: (X, np.column_stack([y, y])),
            ValueError,
            "y should be a 1d array, got an array of shape",
        ),
        (lambda X, y: (X, with_cell(y[:, None], np.nan)[:, 0]), ValueError, "Input y contains NaN."),
        (lambda X, y: (scipy.sparse.csr_matrix(X), y), TypeError, "Sparse data was passed for X, but dense data is"),
        (
            lambda X, y: (pl.LazyFrame({"a": X[:, 0]}), y),
            TypeError,
            "X is a LazyFrame, whose rows are not there yet. Give X.collect(), or fit where the rows lie, "
            "descend.fit(formula, X).to_estimator().",
        ),
        (
            lambda X, y: (words(with_cell(X, np.nan)), y),
            DataError,
            "In the data, `a` has a missing value in row 4. Correct it, or leave that row out.",
        ),
        (
            lambda X, y: (X, np.where(y > 0.0, "much", "few")),
            DataError,
            "`y` in the data is text: row 1 holds 'few'. The squared loss needs numbers; to tell `few` from `much`, "
            "use FormulaClassifier.",
        ),
    ],
)
def test_rows_that_cannot_be_fitted(rows, change, kind, message):
    X, y = rows
    X, y = change(X, np.sort(y))
    with pytest.raises(kind) as caught:
        FormulaRegressor().fit(X, y)
        FormulaClassifier().fit(X, X[:, 0] > 0.0)  # separated: predicted all the same
    assert str(caught.value).startswith(message)


def test_rows_that_cannot_be_predicted(rows):
    X, y = rows
    fitted = FormulaRegressor("k[s] + w @ [a, b]").fit(words(X), y)
    with pytest.raises(DataError, match=r"^In the data, `b` has a missing value in row 2"):
        fitted.predict(words(X, b=[1.0, None] + [2.0] * 58))
    with pytest.raises(DataError, match=r"^`s` is `zz` in row 1 of the data, a group that was not fitted"):
        fitted.predict(words(X, s="zz"))
    with pytest.raises(ValueError, match="Feature names must be in the same order as they were in fit"):
        fitted.predict(words(X)[["s", "a", "b", "c"]])
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing:\n- s"):
        fitted.predict(words(X)[["a", "b", "c"]].assign(t="q"))


def test_words_of_arrow_and_of_other_frames(rows):
    X, y = rows
    frames = [
        words(X),
        pl.from_pandas(words(X)),
        pa.Table.from_pandas(words(X)),
        words(X, s=words(X)["s"].astype("category")),
    ]
    found = [FormulaRegressor("k[s] + w @ [*]").fit(frame, y) for frame in frames]
    for fitted, frame in zip(found, frames, strict=True):
        assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "s"] and fitted.n_features_in_ == 4
        np.testing.assert_allclose(fitted.predict(frame), found[0].predict(frames[0]), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formula": None}, "The formula of an estimator is text, such as 'w @ [*] + b'; it is None."),
        (
            {"formula": "y ~ a*x0; z ~ b*x1"},
            "An estimator has one formula, as scikit-learn has one y. Fit several with descend.fit.",
        ),
        ({"l2": -1}, "The l2 penalty must be a number, 0 or more, or `auto`; it is -1."),
        (
            {"l2": "auto", "bounds": "b > 0"},
            "A penalty is not chosen by cross-validation with `bounds`. Give it as a number.",
        ),
        ({"optimizer": "adamm"}, "There is no optimizer `adamm`. Did you mean `adam`?"),
    ],
)
def test_parameters_are_called_as_they_are(rows, options, message):
    with pytest.raises(ConfigError) as caught:
        FormulaRegressor(**options).fit(*rows)
    assert str(caught.value).startswith(message)


def test_no_message_names_a_parameter_that_estimators_lack():
    for key in OPTIONS:
        assert AS_PARAMETERS.using(key, "") == ("" if key in LEFT_OUT else f" with `{key}`")
    assert AS_PARAMETERS.spell("weights", "") == "sample_weight"


def test_a_fit_that_did_not_converge_warns(rows):
    X, y = rows
    with pytest.warns(ConvergenceWarning, match=r"the learning rate 10 is too large.* Use learning_rate=0\.\d+, or"):
        FormulaRegressor("a*x0 + b", optimizer="gd", learning_rate=10.0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="^1 of 3 groups were not fitted, such as 7: The group 7 has one row"):
        FormulaRegressor(by="g").fit(pd.DataFrame(X[:, :2], columns=["u", "v"]).assign(g=[7] + [1, 2] * 29 + [1]), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FormulaRegressor().fit(X, y)
        FormulaClassifier().fit(X, X[:, 0] > 0.0)  # separated: predicted all the same
        FormulaRegressor(optimizer="gd", epochs=3).fit(X, y)  # as many as were asked for
