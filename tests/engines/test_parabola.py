"""A squared loss of a linear formula in a database: one pass, and the totals of every other engine."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.engines.query import Query
from descend.table.writing import write_columns


def data(rows=3_000, shift=0.0):
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.0, 3.0, rows) + shift, rng.normal(size=rows)
    return {"x": x, "z": z, "y": 1e4 + 2.0 * x - z + rng.normal(0.0, 0.1, rows), "omega": rng.uniform(0.5, 2.0, rows)}


@pytest.fixture
def asked(monkeypatch):
    """The thetas at which a database is asked."""
    thetas = []
    totals = Query.totals

    def counted(self, theta, *rest):
        thetas.append(theta)
        return totals(self, theta, *rest)

    monkeypatch.setattr(Query, "totals", counted)
    return thetas


@pytest.mark.parametrize(
    "options", [{}, {"weights": "omega"}, {"l2": 0.1}, {"optimizer": "gd", "epochs": 500}], ids=str
)
def test_one_pass_and_the_same_fit_as_in_memory(options, asked, tmp_path):
    write_columns(tmp_path / "rows.parquet", data())
    fit = descend.fit("y ~ a + b*x + c*z", tmp_path / "rows.parquet", engine="query", **options)
    assert len(asked) == 1
    known = descend.fit("y ~ a + b*x + c*z", data(), **options)
    np.testing.assert_allclose(fit.theta, known.theta, rtol=1e-8)
    assert fit.loss == pytest.approx(known.loss, rel=1e-8)
    assert fit.outcome == known.outcome


def test_columns_that_depend_on_each_other_are_summed_anew_at_each_point(asked):
    columns = data(shift=1e4)
    fit = descend.fit("y ~ a + b*x", columns, engine="query")
    assert len(asked) > 1
    np.testing.assert_allclose(fit.theta, descend.fit("y ~ a + b*x", columns).theta, rtol=1e-6)


def test_rows_without_noise_keep_their_digits():
    columns = {"x": np.linspace(0.0, 1.0, 100)}
    columns["y"] = 2.0 * columns["x"] + 1.0
    fit = descend.fit("y ~ a + b*x", columns, engine="query")
    np.testing.assert_allclose(fit.theta, [1.0, 2.0], rtol=1e-12)
