"""Pipelines as SQL predict what the pipeline predicts."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

import descend
from descend.estimators import FormulaClassifier, FormulaRegressor, to_sql


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
        to_sql(make_pipeline(PolynomialFeatures(), FormulaRegressor(l2=0.1)).fit(data, y))
    assert str(caught.value) == (
        "A PolynomialFeatures before the estimator cannot be written as SQL. StandardScaler and MinMaxScaler can."
    )
