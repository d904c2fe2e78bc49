"""Rows that stay where they are: what is refused, what is told, when they do so unasked."""

from __future__ import annotations

import ibis
import numpy as np
import pytest

import descend
from descend.errors import ConfigError, DataError
from descend.table import open_table
from descend.table.query import QueryTable
from descend.table.writing import write_columns


def data(**more):
    x = np.arange(1.0, 9.0)
    return {"x": x, "y": 2 * x + np.array([0.1, -0.1] * 4)} | more


def refusal(kind, formula, columns, **options):
    """The message, which must be that of rows in memory unless they are told apart below."""
    with pytest.raises(kind) as caught:
        descend.fit(formula, columns, engine="query", **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["arrays", "csv", "parquet"])
@pytest.mark.parametrize(
    "cells", [[np.nan], [np.inf], [np.nan, -np.inf, np.nan]], ids=["missing", "infinite", "missing and infinite"]
)
def test_gaps_are_refused_as_in_memory(cells, kind, tmp_path):
    columns = data()
    for place, cell in enumerate(cells):
        columns["x"][3 + 2 * place] = cell
    source = columns
    if kind != "arrays":
        source = tmp_path / f"rows.{kind}"
        write_columns(source, columns)
    with pytest.raises(DataError) as expected:
        descend.fit("y ~ a*x + b", source)
    assert refusal(DataError, "y ~ a*x + b", source) == str(expected.value)
    with pytest.raises(DataError) as expected:
        descend.fit("y ~ a*x + b", source, where="y > 4")
    assert refusal(DataError, "y ~ a*x + b", source, where="y > 4") == str(expected.value)


def test_rows_with_gaps_are_left_out(tmp_path):
    columns = data()
    columns["x"][2], columns["y"][5] = np.nan, np.inf
    path = tmp_path / "rows.csv"
    write_columns(path, columns)
    for source in (columns, path):
        fit = descend.fit("y ~ a*x + b", source, engine="query", missing="drop")
        expected = descend.fit("y ~ a*x + b", source, missing="drop")
        assert fit.rows == expected.rows == 6
        np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-9)
    empty = data(x=np.full(8, np.nan))
    assert refusal(DataError, "y ~ a*x", empty, missing="drop") == (
        "No row of the data is complete: each has a missing or infinite value in `y` or `x`. "
        "Fill them in, or use other columns."
    )


@pytest.mark.parametrize(
    ("formula", "columns", "options"),
    [
        ("y ~ a*x + b", {"x": np.full(8, 3.0)}, {}),
        ("y ~ a*x + b", {}, {"where": "x = 1"}),
        ("y ~ a*x + b", {}, {"where": "x = 100"}),
        ("y ~ a*exp(b*x) + c*sin(d*x)", {}, {"where": "x < 4"}),
        ("y ~ a*q*x + b*zz + c", {"q": np.zeros(8)}, {}),
        ("y ~ a*log(x - 3)", {}, {}),
        ("y ~ log(a + b*x)", {}, {"start": {"a": -5.0, "b": 1.0}}),
        ("y ~ a*x", {"w": np.zeros(8)}, {"weights": "w"}),
        ("y ~ a*x", {}, {"missing": "ignore"}),
        ("y ~ a*site", {"site": np.array(list("abcdefgh"))}, {}),
        ("y ~ a*nothing", {}, {"where": "nothing > 1"}),
    ],
)  # fmt: skip
def test_what_is_refused_in_memory_is_refused_in_the_same_words(formula, columns, options):
    messages = []
    for engine in ("numpy", "query"):
        try:
            descend.fit(formula, data(**columns), engine=engine, **options)
        except (DataError, ConfigError) as error:
            messages.append(str(error))
        else:
            messages.append("")
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (
            {"w": np.array([1.0] * 7 + [-2.0])},
            {"weights": "w"},
            "The weight `w` is -2 in some row of the data. Weights must be 0 or more.",
        ),
        (
            {"s": np.array([1.0] * 7 + [0.0])},
            {"sigma": "s"},
            "The sigma `s` is 0 in some row of the data. Standard deviations must be above 0. "
            "Leave such rows out with `where`, or correct them.",
        ),
        (
            {},
            {"loss": "logistic"},
            "`y` is 15.9 in some row of the data, but the logistic loss needs 0, 1 or a share between them. "
            "Leave such rows out with `where`, or choose another loss.",
        ),
        (
            {"y": np.arange(8.0) - 1},
            {"loss": "poisson"},
            "`y` is -1 in some row of the data, but the poisson loss needs counts, so 0 or more. "
            "Leave such rows out with `where`, or choose another loss.",
        ),
    ],
)  # fmt: skip
def test_rows_that_make_no_sense(columns, options, message):
    assert refusal(DataError, "y ~ a*x", data(**columns), **options) == message


def test_a_response_that_is_not_finite():
    message = refusal(DataError, "log(y) ~ a*x", data(y=np.array([0.0, -1.0, 1, 2, 3, 4, 5, 6])))
    assert message == (
        "`log(y)` is not finite in 2 rows of the data. "
        "Leave such rows out with `where`, or change the left side of the formula."
    )


def many(rows=30_000):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 3, rows)
    return {"x": x, "y": 1 + 2 * x + rng.standard_t(3, rows), "w": rng.uniform(0.5, 2, rows)}


@pytest.mark.parametrize("options", [{}, {"weights": "w"}, {"loss": "huber"}, {"errors": "sandwich"}, {"l2": 0.1}])
def test_a_fit_tells_of_all_rows_and_shows_a_sample(options):
    columns = many()
    expected, fit = (descend.fit("y ~ a + b*x", columns, engine=name, **options) for name in ("numpy", "query"))
    shown = len(fit.residuals)
    assert shown == pytest.approx(10_000, rel=0.01)
    assert f"residuals, their checks and pictures show a sample of {shown:,} rows" in fit.notes
    assert (fit.rows, fit.degrees_of_freedom) == (30_000, expected.degrees_of_freedom)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-8)
    told = fit.summary()
    for name in ("loss", "r_squared", "residual_standard_deviation", "aic", "bic"):
        known = expected.summary()[name]
        assert told[name] == (known if known is None else pytest.approx(known, rel=1e-8)), name
    if "l2" not in options:
        of_sample = fit.kind_of_errors == "sandwich"
        np.testing.assert_allclose(fit.covariance, expected.covariance, rtol=0.15 if of_sample else 1e-6)
    assert fit.plot() is not None
    again = descend.fit("y ~ a + b*x", columns, engine="query", **options)
    np.testing.assert_array_equal(again.solution.columns["x"], fit.solution.columns["x"])


def test_large_files_stay_where_they_are(tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    write_columns(path, many(1000))
    monkeypatch.setattr("descend.table.query.SMALL", 0)
    monkeypatch.setattr("descend.problem.out_of_core.read_size", lambda text: 20_000)
    monkeypatch.setattr("descend.problem.out_of_core.of_database", lambda limit: 2**27)
    fit = descend.fit("y ~ a + b*x", path, memory_limit="20kB")
    assert fit.engine == "query"
    assert fit.notes[1] == (
        "engine query, chosen because the rows would take about 46.9 KiB of memory, more than the memory limit, "
        "19.5 KiB"
    )
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a + b*x", path, memory_limit="20kB", engine="numpy")
    assert str(caught.value) == (
        "The engine `numpy` needs the rows in memory, about 46.9 KiB, but the memory limit is 19.5 KiB. "
        'Use engine="query", or raise the limit.'
    )


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("cell", ["abc", "7,7", "2.5"])
def test_a_cell_far_down_a_file_of_text(cell, kept, tmp_path, monkeypatch):
    """What the first rows do not show: words, too many cells, fractions among whole numbers."""
    path = tmp_path / "rows.csv"
    rows = [f"{k},{2 * k}" for k in range(30_000)]
    rows[25_000] = f"25000,{cell}"
    path.write_text("x,y\n" + "\n".join(rows))
    if not kept:
        monkeypatch.setattr(QueryTable, "size", lambda self, columns: 1e15)
    told = []
    for engine in ("numpy", "query"):
        try:
            told.append(descend.fit("y ~ a*x + b", path, engine=engine).loss)
        except DataError as error:
            told.append(str(error))
    assert told[1] == (told[0] if isinstance(told[0], str) else pytest.approx(told[0], rel=1e-9))


def test_small_files_are_read_into_memory(tmp_path):
    for name in ("rows.csv", "rows.parquet"):
        write_columns(tmp_path / name, many(1000))
        assert descend.fit("y ~ a + b*x", tmp_path / name, memory_limit="1GiB").engine == "moments"


@pytest.mark.parametrize("size", ["much", "-1GiB", "1 XB", "", True, "1e9", "1KiB"])
def test_memory_limits_that_are_none(size):
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a*x", data(), engine="query", memory_limit=size or "?")
    shown = {"1KiB": "The memory limit 1KiB is too small to work in. Give at least 64MiB."}
    assert str(caught.value) == shown.get(
        size, f"The memory limit must be a size such as `1GiB` or `500MB`; it is {size or '?'!r}."
    )


def test_the_memory_limit_reaches_the_database(tmp_path):
    path = tmp_path / "rows.csv"
    write_columns(path, data())
    table = open_table(path)
    assert isinstance(table, QueryTable)
    descend.fit("y ~ a*x + b", table, engine="query", memory_limit="1GiB")
    assert table._database.one("select current_setting('memory_limit')") == ("768.0 MiB",)


@pytest.mark.filterwarnings("ignore:The 'future.infer_string'")  # of Ibis's own use of pandas
def test_ibis_tables_are_fitted_where_they_are_or_read_if_asked():
    table = ibis.memtable(data())
    fit = descend.fit("y ~ a*x + b", table)
    assert fit.engine == "moments"  # they are in memory already
    connection = ibis.sqlite.connect()
    connection.con.execute("create table data as select 1.0 * column1 as x, 2.0 * column1 as y from "
                           "(values (1), (2), (3), (4))")  # fmt: skip
    there = connection.table("data")
    for engine, used in (("auto", "query"), ("query", "query"), ("numpy", "numpy")):
        fit = descend.fit("y ~ a*x", there, engine=engine, where="x < 4")
        assert (fit.engine, fit.rows) == (used, 3)
        assert fit.parameters["a"] == pytest.approx(2.0)
        np.testing.assert_allclose(fit.predict(there), [2.0, 4.0, 6.0, 8.0])


def half(x, y, a, b):
    return np.mean(2 * x * (a * x + b - y)), np.mean(a * x + b - y)


@pytest.mark.filterwarnings("ignore:fetch_arrow_table")  # of Ibis's own use of DuckDB
@pytest.mark.parametrize(
    ("gradient", "accused"),
    [
        ("a = mean(2*x*(a*x + b - y)); b = mean(2*(a*x + b - y))", None),
        ("a = sum(2*x*(a*x + b - y))/30000; b = mean(2*(a*x + b - y))", None),  # a sample alone would disagree
        ("a = mean(2*x*(a*x + b - y)); b = mean(a*x + b - y)", "b"),
        (half, "b"),
    ],
    ids=["right", "counted", "text", "function"],
)
def test_a_gradient_by_hand_is_judged_on_a_sample(gradient, accused, tmp_path):
    path = tmp_path / "many.csv"
    write_columns(path, many())
    rows = ibis.duckdb.connect().read_csv(path)
    fit = descend.fit("y ~ a*x + b", rows, gradient=gradient, optimizer="gd", learning_rate=0.1, epochs=2)
    notes = [note for note in fit.notes if note.startswith("the gradient by hand")]
    if accused is None:
        assert fit.cause != "wrong_gradient" and not notes
        return
    (note,) = notes
    assert fit.cause == "wrong_gradient"
    assert note.startswith(f"the gradient by hand of {accused} is wrong: 2 times too small: ")
    sampled = len(fit.solution.columns["x"])
    assert 9_000 < sampled < 11_000
    assert note.endswith(f"The fit used it as it is. This was told from a sample of {sampled:,} rows.")


def test_a_search_says_how_many_rows_it_looked_at(tmp_path):
    t = np.arange(60_000) / 1000.0
    y = np.sin(2.0 * np.pi * 437.3 * t + 0.3) + 0.5 * np.random.default_rng(0).normal(size=t.size)
    path = tmp_path / "wave.csv"
    np.savetxt(path, np.column_stack([t, y]), delimiter=",", header="t,y", comments="", fmt="%.6g")
    fitted = descend.fit("y ~ a*sin(2*pi*f*t + p)", path, engine="query")
    assert fitted.parameters["f"] == pytest.approx(437.3, abs=1e-3)
    assert any(note.endswith("10,000 of 60,000 rows were looked at") for note in fitted.notes)


def test_a_response_that_no_database_computes_is_summed_in_blocks():
    x = np.linspace(0.1, 0.9, 60)
    data = {"x": x, "y": 0.2 + 0.5 * x + 0.02 * np.sin(40 * x)}
    there, here = (descend.fit("lambertw(y) ~ a + b*x", data, engine=engine) for engine in ("query", "numpy"))
    assert list(there.parameters.values()) == pytest.approx(list(here.parameters.values()), rel=1e-10)
    assert (there.r_squared, there.aic) == pytest.approx((here.r_squared, here.aic), rel=1e-10)
    with pytest.raises(DataError, match="`lambertw\\(y - 1\\)` is not finite in 60 rows"):
        descend.fit("lambertw(y - 1) ~ a + b*x", {**data, "y": data["y"] - 1}, engine="query")
