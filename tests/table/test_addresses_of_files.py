"""Tables of databases that are files: names with dots, connections that are given back."""

import contextlib
import sqlite3
import subprocess
import sys

import duckdb
import numpy as np
import pytest

import descend
from descend.errors import DataError

TABLES = {"a.b": 2.0, "a": 3.0, "b": 4.0, 'quo"te': 5.0}


@pytest.fixture(params=["sqlite", "duckdb"])
def address(request, tmp_path):
    """A database of tables in which y is so many times x, by their names."""
    path = tmp_path / "tables.db"
    connection = {"sqlite": sqlite3, "duckdb": duckdb}[request.param].connect(str(path))
    tables = dict(TABLES)
    if request.param == "duckdb":
        connection.execute('create schema "s.t"')
        connection.execute("create schema a")
        tables |= {'a"."b': 6.0, 'a"."c.d': 7.0, 's.t"."c': 8.0}
    for name, factor in tables.items():
        written = name if '"."' in name else name.replace('"', '""')
        connection.execute(f'create table "{written}" (x double, y double)')
        connection.execute(f'insert into "{written}" values ' + ", ".join(f"({x}, {factor * x})" for x in range(1, 6)))
    connection.commit()
    connection.close()
    return f"{request.param}://{path}?table="


def slope(address):
    return descend.fit("y ~ w*x", address, engine="query").parameters["w"]


def test_a_name_with_a_dot_is_found_before_a_table_of_a_schema(address):
    for name, factor in TABLES.items():
        assert slope(address + name) == pytest.approx(factor)
    assert slope(address + '"a.b"') == pytest.approx(2.0)
    if address.startswith("duckdb"):
        assert slope(address + '"a"."b"') == pytest.approx(6.0)
        assert slope(address + 'a."c.d"') == pytest.approx(7.0)
        assert slope(address + '"s.t".c') == pytest.approx(8.0)


def test_the_tables_there_are(address):
    for wrong in ("a.c", "nowhere.b", "c"):
        with pytest.raises(DataError) as caught:
            descend.fit("y ~ w*x", address + wrong)
        said = str(caught.value)
        assert said.startswith(f"There is no table `{wrong}` in ")
        assert "`c.d`" in said if (wrong, address[:6]) == ("a.c", "duckdb") else "Its tables: `a`, `a.b`, `b`" in said


def test_no_bar_of_progress_is_drawn_in_a_session(tmp_path):
    """DuckDB draws one wherever Python has no file to run, on standard output."""
    duckdb.connect(str(tmp_path / "rows.db")).execute("create table t as select range * 1.0 as x from range(3)").close()
    session = (
        "from descend.table import open_table; setting = \"select current_setting('enable_progress_bar')\"\n"
        f"lazy = open_table('duckdb://{tmp_path / 'rows.db'}?table=t').lazy(['x'])\n"
        "other = open_table({'x': [1.0, 2.0]}).lazy(['x'])\n"
        "print(lazy.run(setting), other.run(setting), other.owner.connection.cursor().execute(setting).fetchall())"
    )
    said = subprocess.run([sys.executable, "-c", session], capture_output=True, text=True, check=True)
    assert said.stdout == "[(False,)] [(False,)] [(False,)]\n"


@pytest.mark.parametrize("engine", ["query", "numpy"])
def test_a_duckdb_file_is_free_after_a_fit(engine, tmp_path):
    path = str(tmp_path / "rows.db")
    with duckdb.connect(path) as own:
        own.execute("create table t as select range * 1.0 as x, exp(-0.1*range) + 0.1*sin(range) as y from range(40)")
    fit = descend.fit("y ~ a*exp(-b*x)", f"duckdb://{path}?table=t", engine=engine)
    with duckdb.connect(path) as own:
        own.execute("create table other as select 1 as one")
    theirs = dict(
        zip(("x", "y"), descend.table.open_table(f"duckdb://{path}?table=t").numbers(["x", "y"]).values(), strict=True)
    )
    expected = descend.fit("y ~ a*exp(-b*x)", theirs, engine="numpy")
    # What needs the rows still has them, also beside a connection that writes.
    np.testing.assert_allclose(list(fit.standard_errors.values()), list(expected.standard_errors.values()), rtol=1e-6)
    assert fit.intervals()["b"] == pytest.approx(expected.intervals()["b"], rel=1e-5)
    fit.solution.problem.table.text("x")
    with duckdb.connect(path) as own:
        own.execute("insert into other values (2)")
        assert fit.solution.problem.table.text("x")[1] == "1.0"
        again = descend.fit("y ~ a*exp(-b*x)", f"duckdb://{path}?table=t", engine=engine)
    assert again.parameters == pytest.approx(expected.parameters, rel=1e-6)


def test_a_duckdb_file_is_free_after_a_fit_that_failed(tmp_path):
    path = str(tmp_path / "rows.db")
    with duckdb.connect(path) as own:
        own.execute("create table t as select range * 1.0 as x, range as y from range(40)")
    for formula in ("y ~ a*log(x - 50)", "z ~ a*x", "y ~ a*erf(b*x)"):
        with contextlib.suppress(descend.errors.DescendError):
            descend.fit(formula, f"duckdb://{path}?table=t", engine="query", epochs=2)
        duckdb.connect(path).close()
