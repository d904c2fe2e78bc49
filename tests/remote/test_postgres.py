"""Fits of rows that stay in a Postgres server: the same numbers as in memory, and clear words where there are none."""

from __future__ import annotations

import numpy as np
import pytest

import descend

pytestmark = pytest.mark.postgres
CURVE = "y ~ a*exp(-b*x) + c"


def data(rows=400, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(0.1, 3.0, rows)
    y = 1.5 * np.exp(-0.6 * x) + 0.8 + random.normal(0, 0.05, rows)
    return {"x": x, "y": y, "w": random.uniform(0.5, 2.0, rows), "s": random.uniform(0.1, 0.2, rows)}


@pytest.fixture(scope="module")
def table(postgres):
    return postgres.load("decay", data())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "w"},
        {"sigma": "s"},
        {"where": "x > 1 and y < 2"},
        {"l2": 0.01},
        {"loss": "huber(delta=0.05)"},
        {"bounds": ["c >= 0.9"]},
        {"fix": {"c": 0.8}},
        {"optimizer": "gd", "learning_rate": 0.05, "epochs": 50, "start": {"a": 1, "b": 1, "c": 1}},
        {"optimizer": "gd", "learning_rate": 0.05, "epochs": 20, "standardize": True, "formula": "y ~ a*x + b"},
    ],
    ids=str,
)
def test_fits_are_those_of_rows_in_memory(options, table, postgres):
    options = dict(options)
    formula = options.pop("formula", CURVE)
    expected = descend.fit(formula, data(), **options)
    for source in (table, postgres.ibis().table("decay")):
        fit = descend.fit(formula, source, **options)
        assert (fit.engine, fit.rows, fit.outcome, fit.epochs) == (
            "query", expected.rows, expected.outcome, expected.epochs)  # fmt: skip
        np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-8)
        assert fit.loss == pytest.approx(expected.loss, rel=1e-9)
        assert (fit.standard_errors is None) == (expected.standard_errors is None)
        for name, error in (expected.standard_errors or {}).items():
            assert fit.standard_errors[name] == pytest.approx(error, rel=1e-6, nan_ok=True)
        np.testing.assert_allclose(np.sort(fit.predict(source)), np.sort(expected.predict(data())), rtol=1e-8)
