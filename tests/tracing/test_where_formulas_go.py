"""A function that was traced goes wherever a formula goes: databases, files, model files, reports, the command line."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest
from scipy import special
from tests.tracing.corpus.every import CORPUS

import descend
from descend.table.writing import write_columns

X = np.linspace(0.0, 10.0, 400)
TRUTH = {"h1": 3.0, "m1": 3.1, "h2": 2.0, "m2": 6.9, "w": 0.8, "c": 0.4}


def peaks(x, h1, m1, h2, m2, w, c):
    """Two peaks on a constant, as somebody writes them."""
    y = np.full_like(x, c)
    for height, center in [(h1, m1), (h2, m2)]:
        y += height * np.exp(-((x - center) ** 2) / (2 * w**2))
    return y


def folded(x, a, t0, k):
    """A function of pieces and of special ones."""
    y = np.zeros_like(x)
    after = x > 4
    y[after] = a * (1 - np.exp(-k * (x[after] - 4)))
    return y + special.erf(np.abs(x - t0) / 3) + np.where(np.logical_and(x > 2, x < 3), 0.3, 0.0)


CASES = {"peaks": (peaks, TRUTH), "folded": (folded, {"a": 1.3, "t0": 5.1, "k": 0.7})}


def rows(name: str) -> dict[str, np.ndarray]:
    function, truth = CASES[name]
    noise = 0.02 * np.random.default_rng(1).standard_normal(len(X))
    return {"x": X, "y": function(X, *truth.values()) + noise}


@pytest.fixture(params=CASES)
def case(request):
    """The function, its rows, where it begins, and its fit to rows in memory."""
    function, truth = CASES[request.param]
    start = {name: 1.05 * value for name, value in truth.items()}
    data = rows(request.param)
    fit = descend.fit(function, data, response="y", start=start)
    assert (fit.gradient, fit.outcome) == ("derived", "converged")
    return function, data, start, fit


@pytest.fixture
def source(case, tmp_path):
    """Where rows lie: the same ones as files and in a database."""

    def written(kind: str) -> str:
        if kind == "duckdb":
            path = tmp_path / "rows.db"
            with duckdb.connect(str(path)) as connection:
                connection.execute("CREATE TABLE rows (x DOUBLE, y DOUBLE)")
                pairs = zip(case[1]["x"].tolist(), case[1]["y"].tolist(), strict=True)
                connection.executemany("INSERT INTO rows VALUES (?, ?)", list(pairs))
            return f"duckdb://{path}?table=rows"
        path = tmp_path / f"rows.{kind}"
        write_columns(path, case[1])
        return str(path)

    return written


@pytest.mark.parametrize(
    ("kind", "options", "engine"),
    [
        ("duckdb", {}, "query"),
        ("parquet", {"engine": "query"}, "query"),
        ("csv", {"engine": "query", "memory_limit": "64MiB"}, "query"),
        ("csv", {}, "numpy"),
        ("parquet", {"engine": "torch"}, "torch"),
    ],
)
def test_the_answer_is_that_of_rows_in_memory(case, source, kind, options, engine) -> None:
    function, data, start, expected = case
    place = source(kind)
    fit = descend.fit(function, place, response="y", start=start, **options)
    assert (fit.engine, fit.outcome, fit.rows) == (engine, "converged", len(X))
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-10)
    errors = [list(each.standard_errors.values()) for each in (fit, expected)]
    np.testing.assert_allclose(*errors, rtol=1e-7)
    np.testing.assert_allclose(np.sort(fit.predict(place)), np.sort(expected.predict(data)), rtol=1e-10)


def test_a_model_file_needs_no_function(case, tmp_path, monkeypatch, run) -> None:
    function, _, _, fit = case
    monkeypatch.chdir(tmp_path)
    fit.save("model.json")
    assert str(fit.model.formula.text) in json.dumps(
        json.loads((tmp_path / "model.json").read_text()), ensure_ascii=False
    )
    there = {"x": np.linspace(0.5, 9.5, 37)}
    expected = function(there["x"], *fit.theta)
    np.testing.assert_allclose(descend.load("model.json").predict(there), expected, rtol=1e-12)
    write_columns(tmp_path / "new.csv", there)
    ran = run("predict", "model.json", "new.csv", "--output", "predicted.csv")
    assert ran.code == 0, ran.stderr
    predicted = duckdb.read_csv("predicted.csv").fetchnumpy()
    np.testing.assert_allclose(predicted["prediction"], expected, rtol=1e-12)


def test_the_report_shows_its_equation(case, tmp_path) -> None:
    *_, fit = case
    fit.report(tmp_path / "fit.html")
    page = (tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "<math" in page and "derived" in page
    assert str(fit).startswith(f"Fit({fit.model.formula.text}: ")


def test_it_is_exported_as_other_formulas_are(case) -> None:
    function, data, _, fit = case
    with duckdb.connect() as connection:
        connection.register("data", __import__("pyarrow").table(data))
        sql = fit.export("sql")
        found = connection.execute(sql).fetchnumpy()
    np.testing.assert_allclose(found["prediction"], function(data["x"], *fit.theta), rtol=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        *("hill", "van_genuchten", "pseudo_voigt", "two_lines", "low_pass_magnitude", "broken_power_law", "logaddexp"),
        *("components_by_broadcasting", "selected", "exponentially_modified_gaussian", "carreau_yasuda", "morse"),
    ],
)
def test_functions_of_the_corpus_are_summed_by_a_database(name: str) -> None:
    entry = CORPUS[name]
    fit, expected = entry.fit(engine="query"), entry.fit()
    assert (fit.engine, fit.outcome) == ("query", "converged")
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-9)


def test_bounds_fixed_values_and_searches_take_it(case) -> None:
    function, data, start, expected = case
    name, value = list(expected.parameters.items())[-1]
    below = {**start, name: 0.8 * value}
    bounded = descend.fit(function, data, response="y", start=below, bounds={name: (None, 0.9 * value)})
    assert bounded.parameters[name] == pytest.approx(0.9 * value)
    others = {key: start[key] for key in start if key != name}
    fixed = descend.fit(function, data, response="y", start=others, fix={name: value})
    np.testing.assert_allclose(fixed.theta, expected.theta[:-1], rtol=1e-8)
    searched = descend.fit(function, data, response="y")
    assert searched.loss <= expected.loss * (1 + 1e-9)
