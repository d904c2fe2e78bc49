"""What is particular to the query: its text, names of any kind, rows that make no number, batches."""

from __future__ import annotations

import sqlite3
import string

import duckdb
import ibis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.query import Query, QueryEngine
from descend.errors import ConfigError
from descend.formula import read_formula
from descend.formula.printers.database import Abilities
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table import open_table
from descend.table.rows import Roles, Rows

ROWS = 40


def data(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 3.0, rows)
    return {"x": x, "y": 1.5 * np.exp(-0.6 * x) + 0.8 + rng.normal(0, 0.05, rows)}


def program(text="y ~ a*exp(-b*x) + c", columns=("x", "y"), loss="squared"):
    return derived(read_formula(text, columns), LOSSES.build(loss))


def engine(text="y ~ a*exp(-b*x) + c", columns=None, loss="squared"):
    columns = data() if columns is None else columns
    return QueryEngine(program(text, tuple(columns), loss), open_table(columns).lazy(tuple(columns)))


def text_of(sums, order):
    sums.evaluate(np.ones(sums.program.parameters.size), order)
    return "?".join(sums.queries[order, False].sql.split("\0")[::2])


def test_what_several_sums_share_has_a_name_in_a_select_of_its_own():
    text = text_of(engine(), 2)
    assert text.count("EXP(") == 1
    assert text.count("?") == 3  # each parameter, or what is computed from them, stands there once
    assert text.count("SUM(") == 9  # ten totals, the last of which is the number of rows


def test_what_the_parameters_multiply_is_multiplied_here():
    assert text_of(engine("y ~ 2*pi*a^2*x"), 2).count("?") == 1


def test_one_query_per_evaluation(monkeypatch):
    sums, asked = engine(), []
    lazy = type(sums.lazy)
    run = lazy.run
    monkeypatch.setattr(lazy, "run", lambda self, sql: (asked.append(sql), run(self, sql))[1])
    for theta in (np.array([1.0, 2.0, 3.0]), np.array([1.5, 0.6, 0.8])):
        asked.clear()
        for order in (0, 1, 2):
            sums.evaluate(theta, order)
    assert len(asked) == 3


def test_compiled_once_for_all_parameters(monkeypatch):
    sums = engine()
    sums.evaluate(np.ones(3), 2)
    monkeypatch.setattr(Query, "__init__", None)
    for theta in ([1.5, 0.6, 0.8], [-1e-300, 1e10, 0.1], [1e-5, -0.0, 123456789.123]):
        expected = NumpyEngine(program(), Rows(data())).evaluate(np.array(theta), 2)
        found = sums.evaluate(np.array(theta), 2)
        np.testing.assert_allclose(found.curvature, expected.curvature, rtol=1e-10)


@pytest.mark.parametrize("theta", [[np.nan, 0.0, 0.0], [1.0, np.inf, 0.0], [1e200, -1e5, 0.0], [1.0, -1e3, 0.0]])
def test_parameters_that_make_no_number_give_none_and_no_error(theta):
    for abilities in (None, Abilities()):
        sums = engine()
        sums.abilities = abilities or sums.abilities
        assert not np.isfinite(sums.evaluate(np.array(theta), 2).loss)


@pytest.mark.parametrize(
    "text", ["log(a - x)", "sqrt(a - x)", "asin(x/a)", "1/(x - a)^2", "(a - x)^b", "x^(-a*1e3)", "log(abs(x - a))"]
)
def test_rows_outside_the_domain_make_the_loss_no_number_in_every_database(text):
    columns = {"x": np.array([1.0, 2.0]), "y": np.array([1.0, 1.0])}
    theta = np.array([1.0, 0.5]) if "b" in text.replace("abs", "") else np.array([1.0])
    columns["x"][0] = 1e-3 if "1e3" in text else 1.0
    expected = NumpyEngine(program(f"y ~ {text}"), Rows(columns))
    with np.errstate(all="ignore"):
        assert not np.isfinite(expected.evaluate(theta, 0).loss)
    for source in (columns, in_sqlite(columns)):
        lazy = open_table(source).lazy(("x", "y"))
        sums = QueryEngine(program(f"y ~ {text}"), lazy)
        assert not np.isfinite(sums.evaluate(theta, 0).loss)


def test_a_branch_that_is_not_taken_does_no_harm():
    columns = {"x": np.array([-1.0, 2.0]), "y": np.array([1.0, 1.0])}
    text = "y ~ a*where(x > 0, log(x)*sqrt(x)/x, 0)"
    expected = NumpyEngine(program(text), Rows(columns))
    with np.errstate(all="ignore"):
        loss = expected.evaluate(np.ones(1), 0).loss
    for source in (columns, in_sqlite(columns)):
        found = QueryEngine(program(text), open_table(source).lazy(("x", "y"))).evaluate(np.ones(1), 2)
        assert found.loss == pytest.approx(loss, rel=1e-12)


def test_what_a_database_calls_out_of_range_is_no_number(monkeypatch):
    columns = {"x": np.array([1.0, 2.0]), "y": np.array([1.0, 1.0])}
    sums = QueryEngine(program("y ~ a*x"), open_table(in_sqlite(columns)).lazy(("x", "y")))

    def fails(sql):
        raise ArithmeticError("value out of range: overflow")

    monkeypatch.setattr(sums.lazy, "run", fails)
    totals = sums.evaluate(np.array([1.0]), 2)
    assert np.isnan([totals.loss, *totals.gradient, *totals.curvature.ravel()]).all()

    def breaks(sql):
        raise OSError("connection lost\nmore")

    monkeypatch.setattr(sums.lazy, "run", breaks)
    with pytest.raises(descend.DataError) as caught:
        sums.evaluate(np.array([1.0]), 2)
    assert str(caught.value) == (
        "The database (sqlite) could not compute the sums: connection lost. Check that it is there, and fit again."
    )

    def lacks(sql):
        raise OSError("Out of Memory Error: failed to pin block of size 256.0 KiB (15.9 MiB/16.0 MiB used)")

    monkeypatch.setattr(sums.lazy, "run", lacks)
    with pytest.raises(descend.DataError) as caught:
        sums.evaluate(np.array([1.0]), 2)
    assert str(caught.value) == (
        'The database (sqlite) has too little memory for the sums. Give it more, memory_limit="1GiB", or fewer rows, '
        "with `where`."
    )


def test_whole_numbers_are_summed_as_doubles():
    whole = np.array([2_000_000_000, 2_100_000_001, 5], dtype=np.int32)
    columns = {"x": whole, "y": whole}
    found = engine("y ~ a*x^3/7", columns).evaluate(np.array([1.0]), 2)
    x = whole.astype(float)
    assert found.curvature[0, 0] == pytest.approx(2 * np.sum((x**3 / 7) ** 2), rel=1e-12)


def in_sqlite(columns, table="data"):
    connection = ibis.sqlite.connect()
    names = ", ".join(f"{quoted(name)} real" for name in columns)
    connection.con.execute(f"create table {quoted(table)} ({names})")
    marks = ", ".join("?" for _ in columns)
    rows = zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True)
    connection.con.executemany(f"insert into {quoted(table)} values ({marks})", rows)
    connection.con.commit()
    return connection.table(table)


def counted(there, table):
    """How many rows and tables there are."""
    connection = there.get_backend().con
    (rows,) = connection.execute(f"select count(*) from {quoted(table)}").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    return rows, tables


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


ODD = [
    'a"b',
    "x; drop table data; --",
    "select",
    "from",
    "价格",
    "x'y",
    "a.b",
    "$1",
    "?",
    "%s",
    "c0",
    "t1",
    "place",
    "\\",
]
names = st.one_of(
    st.sampled_from(ODD),
    st.text(st.sampled_from(string.printable[:95] + "é价格`"), min_size=1, max_size=12).filter(str.strip),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, response=names, table=names)
def test_names_never_break_out_of_the_query(name, response, table, tmp_path):
    """Whatever columns and tables are called, the query sums them and does nothing else."""
    if (
        name.casefold() == response.casefold()
        or table.casefold().startswith("sqlite_")
        or {name, response} & {"a", "b"}
    ):
        return
    columns = {name: data()["x"], response: data()["y"]}
    written = "`" + name.replace("`", "``") + "`"
    formula = f"`{response.replace('`', '``')}` ~ a*{written} + b"
    options = {"start": {"a": 0.0, "b": 0.0}}  # so that they are no columns with other capitals
    expected = descend.fit(formula, columns, **options)
    fit = descend.fit(formula, columns, engine="query", **options)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-10)
    there = in_sqlite(columns, table)
    fit = descend.fit(formula, there, **options)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-10)
    assert counted(there, table) == (ROWS, 1)


def test_names_that_differ_in_capitals_only():
    x = data()["x"]
    columns = {"t": x, "T": x**2, "y": 2 * x + 3 * x**2}
    fit = descend.fit("y ~ a*t + b*T", columns, engine="query")
    np.testing.assert_allclose(fit.theta, [2.0, 3.0], rtol=1e-9)


def test_conditions_cannot_reach_beyond_their_rows(tmp_path):
    there = in_sqlite(data())
    for where in ("x > 1); drop table data; --", "x > 1; drop table data", "1=1) union select 1, 2 --"):
        with pytest.raises(descend.DataError):
            descend.fit("y ~ a*x", there, where=where)
    assert counted(there, "data") == (ROWS, 1)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("gradient", [None, "autograd"])
def test_batches_share_the_rows_out(gradient, weights):
    columns = data(1000) | {"w": np.random.default_rng(1).uniform(0.5, 2.0, 1000)}
    options = {"weights": weights, "gradient": gradient, "optimizer": "gd", "learning_rate": 1e-9, "epochs": 0}
    fit = descend.fit("y ~ a*exp(-b*x) + c", columns, engine="query", start={"a": 1, "b": 1, "c": 1}, **options)
    sums, theta = fit.solution.objective.engine, np.array([1.5, 0.6, 0.8])
    whole = sums.evaluate(theta, 2)
    for epoch in (0, 1):
        parts = [sums.evaluate(theta, 2, batch) for batch in sums.batches(130, 5, epoch)]
        assert len(parts) == 8
        for field in ("rows", "loss", "gradient", "curvature"):
            total = sum(getattr(part, field) for part in parts)
            np.testing.assert_allclose(total, getattr(whole, field), rtol=1e-10)
        if weights is None:
            assert min(part.rows for part in parts) > 60
    assert sums.batches(130, 5, 0) == sums.batches(130, 5, 0) != sums.batches(130, 6, 0)


def test_a_batch_without_rows_moves_nothing():
    columns = {"x": np.array([1.0, 2.0, 3.0]), "y": np.array([1.0, 2.0, 3.0])}
    fit = descend.fit(
        "y ~ a*x", columns, engine="query", optimizer="adam", learning_rate=0.1, batch_size=1, epochs=40, start={"a": 0}
    )
    assert fit.parameters["a"] == pytest.approx(1.0, abs=0.2)


def test_files_are_fitted_where_they_lie(tmp_path):
    columns = data(2000)
    expected = descend.fit("y ~ a*exp(-b*x) + c", columns)
    connection = duckdb.connect()
    connection.register("d", columns)
    for name in ("rows.parquet", "rows.csv", "rows.json"):
        connection.execute(f"copy (select * from d) to '{tmp_path / name}'")
        fit = descend.fit("y ~ a*exp(-b*x) + c", tmp_path / name, engine="query", memory_limit="500MB")
        assert (fit.engine, fit.rows) == ("query", 2000)
        np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-8)
        fit = descend.fit("y ~ a*exp(-b*x) + c", tmp_path / name, engine="query", where="x > 1")
        assert fit.rows == (columns["x"] > 1).sum()
    connection.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "rows.json", "rows.parquet"]


def test_databases_by_their_address(tmp_path):
    path = tmp_path / "rows.db"
    connection = sqlite3.connect(path)
    connection.execute("create table data (x real, y real)")
    columns = data()
    connection.executemany("insert into data values (?, ?)", zip(*(c.tolist() for c in columns.values()), strict=True))
    connection.commit()
    connection.close()
    fit = descend.fit("y ~ a*x + b", f"sqlite:///{path}?table=data")
    np.testing.assert_allclose(fit.theta, descend.fit("y ~ a*x + b", columns).theta, rtol=1e-9)
    assert f"engine query, chosen because the rows are in a database (`data` of sqlite://{path})" in fit.notes


def test_many_parameters_stream_to_numpy():
    rng = np.random.default_rng(2)
    columns = {f"x{k}": rng.normal(size=200) for k in range(61)}
    columns["y"] = sum(columns.values())
    fit = descend.fit("y ~ w @ [x*]", columns, engine="query")
    np.testing.assert_allclose(fit.parameters["w"], 1.0, rtol=1e-8)
    assert "rows streamed to NumPy in blocks, as a query of 61 parameters would be too long" in fit.notes


def test_python_functions_run_on_rows_that_stream():
    columns = data(500)

    def forward(x, w):
        return w * x

    def gradient(x, y, w):
        return np.mean(2 * x * (w * x - y))

    fit = descend.fit(forward, columns, response="y", gradient=gradient, engine="query")
    assert fit.engine == "numpy"
    assert "rows streamed to NumPy in blocks, as a gradient by a Python function needs them there" in fit.notes
    expected = descend.fit(forward, columns, response="y", gradient=gradient)
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-9)


def test_the_bootstrap_needs_rows_in_memory():
    fit = descend.fit("y ~ a*x + b", data(), engine="query")
    with pytest.raises(ConfigError) as caught:
        fit.intervals(method="bootstrap")
    assert str(caught.value) == (
        "The bootstrap draws rows from memory, but the rows of this fit stayed where they are. "
        'Use the method t, sandwich or profile, or fit with engine="numpy".'
    )
    profiled = fit.intervals(method="profile")
    expected = descend.fit("y ~ a*x + b", data()).intervals(method="profile")
    assert profiled["a"] == pytest.approx(expected["a"], rel=1e-5)


def test_without_ibis(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ibis", None)
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a*x + b", data(), engine="query")
    assert str(caught.value) == (
        'Ibis is not installed, and the engine `query` needs it. Install it with: pip install "descend[query]".'
    )
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ a*x + b", "postgres://me:secret@host/shop?table=t")
    assert str(caught.value) == (
        'Ibis is not installed, and `postgres://host/shop` needs it. Install it with: pip install "descend[postgres]".'
    )


@pytest.mark.parametrize("weights", [None, "omega"])
@pytest.mark.parametrize("loss", ["squared", "huber(delta=0.2)", "poisson", "logistic"])
@pytest.mark.parametrize("text", ["y ~ a*exp(-b*x) + c", "y ~ exp(w @ [x, z, x*z] + c)", "y ~ c"])
def test_the_triangle_by_way_of_a_sample_is_that_of_all_rows(text, loss, weights, monkeypatch):
    from descend.engines import query

    monkeypatch.setattr(query, "well_conditioned", lambda moments: False)
    random = np.random.default_rng(5)
    data = {name: random.uniform(0.1, 1.0, 300) for name in ("x", "z", "y", "omega")}
    what = derived(read_formula(text, tuple(data)), LOSSES.build(loss))
    theta = random.uniform(0.2, 0.9, what.parameters.size)
    sums = QueryEngine(what, open_table(data).lazy(tuple(data)).with_roles(Roles(weights)))
    sums.rows = Rows.of({name: column[::7] for name, column in data.items()}, Roles(weights))
    found, expected = sums.evaluate(theta, 3), NumpyEngine(what, Rows.of(data, Roles(weights))).evaluate(theta, 3)
    signs = np.sign(found.factor.diagonal() * expected.factor.diagonal())[:-1]
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    np.testing.assert_allclose(signs[:, None] * found.factor[:-1], expected.factor[:-1], rtol=1e-9, atol=1e-11)


def test_an_estimated_scale_is_the_same_in_a_database(tmp_path):
    import pandas

    x = np.linspace(0.0, 4.0, 40)
    rows = pandas.DataFrame({"x": x, "y": 1e-3 * (3.0 * x + 1.0 + 0.1 * np.random.default_rng(3).normal(size=40))})
    rows.loc[7, "y"] += 0.004
    rows.to_parquet(tmp_path / "rows.parquet")
    there = descend.fit("y ~ a + b*x", str(tmp_path / "rows.parquet"), engine="query", loss="huber")
    here = descend.fit("y ~ a + b*x", rows, loss="huber")
    assert there.loss_function.settings == pytest.approx(here.loss_function.settings, rel=1e-9)
    assert there.parameters == pytest.approx(here.parameters, rel=1e-7)


@pytest.mark.parametrize("there", ["duckdb", "sqlite"])
@pytest.mark.parametrize(("text", "loss"), [
    ("y ~ a*exp(-b*x) + c", "huber(delta=1e-3)"),
    ("y ~ a*5e-7*x^2 + b*1e-9/(x + 3.5e-11) + c", "squared"),
    ("y ~ a*x/2.5e17 + where(x > 1.0000001e-6, b, c)", "cauchy(scale=2e-5)"),
])  # fmt: skip
def test_small_and_large_numbers_are_doubles(text, loss, there):
    columns, what = data(), program(text, loss=loss)
    table = open_table(columns if there == "duckdb" else in_sqlite(columns))
    theta = np.array([1.5, 0.6, 0.8])
    mine, theirs = (
        QueryEngine(what, table.lazy(("x", "y"))).evaluate(theta, 2),
        NumpyEngine(what, Rows(columns)).evaluate(theta, 2),
    )
    assert mine.loss == pytest.approx(theirs.loss, rel=1e-12)
    np.testing.assert_allclose(mine.curvature, theirs.curvature, rtol=1e-10, atol=1e-30)
