"""Rows of a kinked loss that stay in a database, or whose gradient is by hand, end at the same vertex as in memory."""

from __future__ import annotations

import sqlite3

import numpy as np
import pandas
import pytest

from descend import derive, fit

ROWS = 10_500


def data(rows=ROWS):
    rng = np.random.default_rng(5)
    x, z = rng.uniform(0.0, 3.0, rows), rng.normal(size=rows)
    noise = rng.standard_t(3, rows) * (1.0 + x)
    weights = rng.choice([0.0, 1.0, 2.5], rows)
    return {"x": x, "z": z, "y": 1.0 + 2.0 * x - z + noise, "v": 3.0 * np.exp(-x) + 0.5 + 0.1 * noise, "w": weights}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    pandas.DataFrame(data()).to_parquet(path)
    return str(path)


CASES = {
    "a line": ("y ~ a + b*x + c*z", {"loss": "absolute"}),
    "a line with weights": ("y ~ a + b*x + c*z", {"loss": "pinball(quantile=0.9)", "weights": "w"}),
    "a curve": ("v ~ a*exp(-b*x) + c", {"loss": "pinball(quantile=0.75)"}),
    "a curve with weights and a bound": (
        "v ~ a*exp(-b*x) + c",
        {"loss": "absolute", "weights": "w", "bounds": {"b": (0.0, 0.9)}},
    ),
    "penalties": ("y ~ a + b*x + c*z", {"loss": "absolute", "l1": 0.2, "l2": 0.01}),
    "standardised": ("y ~ a + b*x + c*z", {"loss": "absolute", "standardize": True}),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_that_stay_in_a_file_end_at_the_vertex(name, file):
    formula, how = CASES[name]
    there, here = fit(formula, file, engine="query", **how), fit(formula, data(), **how)
    assert there.outcome == here.outcome == "converged"
    assert there.optimizer == "vertex"
    assert there.loss == pytest.approx(here.loss, rel=1e-11)
    assert there.parameters == pytest.approx(here.parameters, rel=1e-6)


def test_a_database_without_arrow_is_read_in_blocks_too(tmp_path):
    path = tmp_path / "rows.sqlite"
    with sqlite3.connect(path) as connection:
        pandas.DataFrame(data()).to_sql("t", connection, index=False)
    start = {"a": 1.0, "b": 2.0, "c": -1.0}
    found = fit("y ~ a + b*x + c*z", f"sqlite://{path}?table=t", engine="query", loss="absolute", start=start)
    assert found.outcome == "converged"
    assert found.loss == pytest.approx(fit("y ~ a + b*x + c*z", data(), loss="absolute").loss, rel=1e-12)


def test_a_right_gradient_by_hand_ends_at_the_vertex_and_a_wrong_one_where_it_leads():
    rows = data(300)
    text = derive("y ~ a + b*x", rows, loss="absolute").code("text").splitlines()
    by_hand = [line.replace("dJ/d", "", 1) for line in text]
    derived = fit("y ~ a + b*x", rows, loss="absolute")
    right = fit("y ~ a + b*x", rows, loss="absolute", gradient=by_hand)
    assert right.outcome == "converged"
    assert right.loss == pytest.approx(derived.loss, rel=1e-12)
    wrong = fit("y ~ a + b*x", rows, loss="absolute", gradient=[by_hand[0], by_hand[1] + " + 1"])
    assert wrong.optimizer != "vertex"
