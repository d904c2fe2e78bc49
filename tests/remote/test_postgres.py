"""Fits of rows that stay in a Postgres server: the same numbers as in memory, and clear words where there are none."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import DataError

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


@pytest.mark.parametrize("kind", ["function", "autograd", "by hand", "gamma", "erf"])
def test_what_the_server_cannot_sum_is_streamed(kind, table, monkeypatch):
    monkeypatch.setattr("descend.engines.stream.BLOCK", 64)

    def forward(x, w):
        return w * x

    def gradient(x, y, w):
        return np.mean(2 * x * (w * x - y))

    model, options = {
        "function": (forward, {"response": "y", "gradient": gradient, "start": {"w": 0.0}}),
        "autograd": (CURVE, {"gradient": "autograd", "start": {"a": 1, "b": 1, "c": 1}}),
        "by hand": ("y ~ v*x", {"gradient": "v = mean(2*x*(v*x - y))"}),
        "erf": ("y ~ 1 + a*erf(b*x)", {"start": {"a": 0.5, "b": 0.5}}),
        "gamma": ("y ~ 1 + a*gamma(1 + b*x)", {"start": {"a": 0.5, "b": 0.5}}),
    }[kind]
    options |= {"optimizer": "gd", "learning_rate": 0.05, "epochs": 7}
    fit, expected = (descend.fit(model, source, **options) for source in (table, data()))
    assert fit.engine == {"autograd": "torch", "by hand": "query"}.get(kind, "numpy")
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-10)
    if kind in ("gamma", "erf"):
        assert any(
            "rows streamed to NumPy in blocks, as the database (postgres) has no function" in note for note in fit.notes
        )


def test_batches_are_the_same_each_time(table):
    options = {"optimizer": "adam", "learning_rate": 0.02, "batch_size": 50, "epochs": 12, "start": {"v": 0, "b": 0}}
    one, other = (descend.fit("y ~ v*x + b", table, seed=4, **options) for _ in "ab")
    assert one.theta.tolist() == other.theta.tolist()
    third = descend.fit("y ~ v*x + b", table, seed=5, **options)
    assert third.theta.tolist() != one.theta.tolist()


@pytest.mark.parametrize("distinct", [4, 10**9])
def test_samples_and_batches_share_out_rows_that_are_alike(distinct, postgres, monkeypatch):
    """A table of a few different rows only, each many times: what a row holds does not tell it from the others."""
    random = np.random.default_rng(1)
    x = random.uniform(0.0, 1.0, 20_000)
    x = np.floor(x * 2) if distinct == 4 else x
    y = (random.random(x.size) < 1 / (1 + np.exp(0.5 - x))).astype(float)
    url = postgres.load("alike", {"x": x, "y": y})
    fit = descend.fit("y ~ sigmoid(a + b*x)", url, loss="logistic")
    np.testing.assert_allclose(
        fit.theta, descend.fit("y ~ sigmoid(a + b*x)", {"x": x, "y": y}, loss="logistic").theta, rtol=1e-8
    )
    sample = fit.solution.columns
    assert len(sample["x"]) == pytest.approx(10_000, rel=0.03)
    assert sample["x"].mean() == pytest.approx(x.mean(), abs=0.02)
    again = descend.fit("y ~ sigmoid(a + b*x)", url, loss="logistic").solution.columns
    assert again["x"].tolist() == sample["x"].tolist()
    sums = fit.solution.objective.engine
    parts = [sums.evaluate(fit.theta, 1, batch) for batch in sums.batches(2_000, 0, 0)]
    assert [part.rows for part in parts] == pytest.approx([2_000] * 10, rel=0.15)
    assert sum(part.rows for part in parts) == 20_000


def test_many_rows_start_on_samples_that_grow(postgres, monkeypatch):
    monkeypatch.setattr("descend.starts.growth.FEWEST_ELSEWHERE", 5_000)
    columns = data(12_000)
    url = postgres.load("many", columns)
    fit, again = (descend.fit(CURVE, url) for _ in "ab")
    assert fit.theta.tolist() == again.theta.tolist()
    assert any(note.startswith("start improved on samples of") for note in fit.notes)
    np.testing.assert_allclose(fit.theta, descend.fit(CURVE, columns).theta, rtol=1e-7)
    assert fit.solution.objective.passes < 5


def test_cells_of_every_type_and_none(postgres):
    with postgres.connect() as own:
        own.execute("drop table if exists types")
        own.execute(
            "create table types (i smallint, n numeric(12, 4), f real, b boolean, w text, t timestamp, a integer[], "
            "v double precision, u uuid)"
        )
        own.execute(
            "insert into types select g, g / 8.0, g / 4.0, g % 2 = 0, 'word', now(), array[g], 2 * g + g % 2, "
            "gen_random_uuid() from generate_series(1, 40) g"
        )
    url = postgres.url("types")
    fit = descend.fit("v ~ p*i + q*n*f + r*b + s", url)
    k = np.arange(1.0, 41.0)
    expected = descend.fit(
        "v ~ p*i + q*n*f + r*b + s",
        {"i": k, "n": k / 8, "f": k / 4, "b": (k % 2 == 0), "v": 2 * k + k % 2},
    )
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-7, atol=1e-9)
    refused = {
        "w": "`w` in `types` of {} is text: a row holds 'word'. Use a column of numbers, such as 0 and 1; "
        "for categories, write u[w] in a formula: a parameter for each of them.",
        "t": "`t` in `types` of {} holds dates or times, which are not numbers. "
        "Turn them into numbers first, such as days since the first one.",
        "a": "`a` in `types` of {} holds neither numbers nor text. Use a column with one number in each row.",
    }
    for name, message in refused.items():
        with pytest.raises(DataError) as caught:
            descend.fit(f"v ~ p*{name}", url)
        assert str(caught.value) == message.format(f"postgres://127.0.0.1:{postgres.port}/postgres")


def test_gaps(postgres):
    columns = data(30)
    columns["x"][[3, 7]] = np.nan
    columns["y"][5] = np.inf
    url = postgres.load("gaps", columns)
    with postgres.connect() as own:
        own.execute("update gaps set x = null where x = 'NaN'")
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ a*x + b", url)
    assert str(caught.value) == (
        f"In `gaps` of postgres://127.0.0.1:{postgres.port}/postgres, `y` has an infinite value; `x` has 2 missing "
        'values. Correct them, or leave such rows out with missing="drop".'
    )
    fit = descend.fit("y ~ a*x + b", url, missing="drop")
    assert fit.rows == 27
    np.testing.assert_allclose(fit.theta, descend.fit("y ~ a*x + b", columns, missing="drop").theta, rtol=1e-9)


def test_a_share_of_the_rows_is_held_out_by_what_is_in_them(table):
    fits = [descend.fit(CURVE, table, validation=0.25, seed=seed) for seed in (0, 0, 1)]
    assert 60 <= 400 - fits[0].rows <= 140 and fits[0].rows == fits[1].rows
    np.testing.assert_allclose(fits[0].theta, fits[1].theta, rtol=1e-9)
    assert fits[0].measures == pytest.approx(dict(fits[1].measures), rel=1e-9)
    assert abs(fits[2].loss / fits[0].loss - 1.0) > 1e-6
    assert "validation on 0.25 of the rows, chosen by what is in them, with seed 0" in fits[0].notes


def test_each_group_keeps_a_row_where_a_share_is_held_out(postgres):
    rows = data() | {"site": np.where(np.arange(400) == 3, "once", np.array(["p", "q", "r", "s"])[np.arange(400) % 4])}
    source = postgres.load("sites_held_out", rows)
    fits = [descend.fit("y ~ a[site]*exp(-b*x) + c", source, validation=0.5, seed=seed) for seed in range(3)]
    assert all("once" in each.parameters["a"] for each in fits)
    assert all(150 < each.rows < 250 for each in fits)
