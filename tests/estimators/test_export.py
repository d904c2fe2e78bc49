"""Pipelines as SQL predict what the pipeline predicts."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import descend
from descend.estimators import FormulaClassifier, FormulaQuantiles, FormulaRegressor, to_sql


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=50), "Size (m)": rng.gamma(2.0, size=50)})
    return frame, 1.0 + 2.0 * frame["x"] + 3.0 * frame["Size (m)"] + rng.normal(size=50)


@pytest.mark.parametrize(
    "scalers",
    [(), (StandardScaler(),), (MinMaxScaler(), StandardScaler(with_std=False)), (StandardScaler(with_mean=False),)],
    ids=["none", "standard", "two", "no-mean"],
)
@pytest.mark.parametrize("named", [False, True], ids=["arrays", "frames"])
def test_a_query_predicts_as_the_pipeline_does(rows, scalers, named):
    data, y = rows
    if named:
        scalers = [scaler.set_output(transform="pandas") for scaler in scalers]
    pipeline = make_pipeline(*scalers, FormulaRegressor(l2=0.01)).fit(data, y)
    found = duckdb.sql(to_sql(pipeline)).df()["prediction"]
    np.testing.assert_allclose(found, pipeline.predict(data), rtol=1e-12)
    assert "scaled" not in to_sql(pipeline, dialect="postgres") or scalers


def test_a_classifier_gives_the_probability_of_the_second_class(rows):
    data, y = rows
    pipeline = make_pipeline(StandardScaler(), FormulaClassifier(l2=0.01)).fit(
        data, np.where(y > 5.0, "much", "little")
    )
    found = duckdb.sql(to_sql(pipeline, name="p")).df()["p"]
    np.testing.assert_allclose(found, pipeline.predict_proba(data)[:, 1], rtol=1e-12)


def test_other_steps_are_refused(rows):
    data, y = rows
    with pytest.raises(descend.ConfigError) as caught:
        to_sql(make_pipeline(PCA(), FormulaRegressor(l2=0.1)).fit(data, y))
    assert str(caught.value) == (
        "A PCA before the estimator cannot be written as SQL. StandardScaler, MinMaxScaler without clip, MaxAbsScaler, "
        "RobustScaler, OneHotEncoder of all categories, PolynomialFeatures, selections of columns, ColumnTransformer "
        "and passthrough can."
    )


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            FormulaRegressor("a*x0 + b", by="x1"),
            "Each group has a fit of its own; export one of them, `fits_[group].export('sql')`.",
        ),
        (
            FormulaQuantiles(quantiles=(0.5,)),
            "Each quantile has a formula of its own; export one of them, `to_sql(estimators_[0])`.",
        ),
        (
            LinearRegression(),
            "The last step, LinearRegression, is no estimator of descend, so there is no formula to write as SQL.",
        ),
    ],
)
def test_what_is_no_single_formula_is_refused(estimator, message):
    X = np.column_stack([np.arange(20.0), np.arange(20) % 2])
    with pytest.raises(descend.ConfigError) as caught:
        to_sql(estimator.fit(X, X[:, 0] + np.cos(X[:, 0])))
    assert str(caught.value) == message


@pytest.mark.parametrize("drop", [None, "first"])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_column_transformer_becomes_a_query(rows, output, drop):
    frame, y = rows
    data = frame.assign(kind=np.array(["a", "b'c", "d"])[np.arange(50) % 3], year=np.arange(50) % 2 + 2020)
    y = y + (data["kind"] == "d") * 2.0
    within = make_pipeline(MinMaxScaler(), StandardScaler())
    columns = ColumnTransformer(
        [
            ("scaled", within, ["Size (m)"]),
            ("kinds", OneHotEncoder(sparse_output=False, drop=drop), ["kind", "year"]),
        ],
        remainder="passthrough",
    ).set_output(transform=output)
    pipeline = make_pipeline(columns, StandardScaler().set_output(transform=output), FormulaRegressor(l2=0.01))
    pipeline.fit(data, y)
    found = duckdb.sql(to_sql(pipeline)).df()["prediction"]
    np.testing.assert_allclose(found, pipeline.predict(data), rtol=1e-11)
    assert len(to_sql(pipeline, dialect="postgres")) > 100


def test_columns_by_place_mask_and_slice(rows):
    frame, y = rows
    data = pd.DataFrame({"x0": frame["x"], "x1": frame["Size (m)"], "x2": frame["x"] ** 2})
    columns = ColumnTransformer(
        [("a", StandardScaler(), [1]), ("b", "drop", [False, False, True]), ("c", MinMaxScaler(), slice(0, 1))]
    )
    pipeline = make_pipeline(columns, FormulaRegressor("a*exp(b*x0/9) + c*x1")).fit(data.to_numpy(), y)
    found = duckdb.sql(to_sql(pipeline)).df()["prediction"]
    np.testing.assert_allclose(found, pipeline.predict(data.to_numpy()), rtol=1e-11)


def test_a_missing_category_is_refused(rows):
    data = pd.DataFrame({"kind": [np.nan, 1.0] * 25})
    pipeline = make_pipeline(OneHotEncoder(sparse_output=False), FormulaRegressor(l2=0.01)).fit(data, rows[1])
    with pytest.raises(descend.ConfigError) as caught:
        to_sql(pipeline)
    assert str(caught.value) == (
        "A OneHotEncoder has the category nan, which is neither a word nor a number, so that it cannot be written as "
        "SQL. Fill such cells in beforehand."
    )


def test_three_classes_have_a_column_for_each_probability_and_one_for_the_class(rows):
    data, y = rows
    words = np.array(["it's", "b", "c d"])[np.digitize(y, [3.0, 7.0])]
    fitted = make_pipeline(StandardScaler(), FormulaClassifier(l2=0.01)).fit(data, words)
    numbers = FormulaClassifier(l2=1e-9).fit(1000.0 * data, np.digitize(y, [3.0, 7.0]))  # far scores
    far = 1000.0 * data
    for estimator, source, table in ((fitted, data, "data"), (numbers, far, "far")):
        found = duckdb.sql(to_sql(estimator, table=table)).df()
        named = [f"prediction_{kind}" for kind in estimator.classes_]
        np.testing.assert_allclose(found[named], estimator.predict_proba(source), rtol=1e-9, atol=1e-300)
        np.testing.assert_array_equal(found["prediction"], estimator.predict(source))
        assert len(to_sql(estimator, dialect="postgres")) > 100
    last = fitted[-1]
    np.testing.assert_allclose(
        duckdb.sql(to_sql(fitted)).df()["score_c d"],
        last.decision_function(fitted[:-1].transform(data))[:, 1],
        rtol=1e-9,
    )
    fit = descend.fit("kind ~ w @ [*] + b", data.assign(kind=words), loss="multinomial", l2=0.01)
    measured = data.assign(kind=words)
    assert len(measured) == 50  # DuckDB reads it by its name
    found = duckdb.sql(fit.export("sql", table="measured")).df()
    np.testing.assert_allclose(found["prediction_b"], fit.predict(data, probabilities=True)[:, 0], rtol=1e-9)


@pytest.mark.parametrize(
    "step",
    [
        PolynomialFeatures(3),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        RobustScaler(),
        RobustScaler(with_centering=False),
        MaxAbsScaler(),
        SelectKBest(f_regression, k=1),
    ],
    ids=lambda step: type(step).__name__,
)
def test_further_steps_become_a_query(rows, step):
    data, y = rows
    pipeline = make_pipeline(step, FormulaRegressor(l2=0.01)).fit(data, y)
    found = duckdb.sql(to_sql(pipeline)).df()["prediction"]
    np.testing.assert_allclose(found, pipeline.predict(data), rtol=1e-11)
