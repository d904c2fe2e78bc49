"""Exported SQL runs in the database it is for and predicts what `predict` does, or is refused with the reason."""

import sqlite3
from functools import cache

import duckdb
import numpy as np
import pytest
from tests.formula.expressions import call_of

import descend
from descend.errors import ConfigError
from descend.formula.functions import FUNCTIONS

ROWS = {"x": np.linspace(0.2, 0.9, 5), "z": np.linspace(0.9, -0.8, 5)}
CALLS = {
    "floor": "floor(7*{0})",
    "mod": "mod({0}, 0.3)",
    "where": "where({0} > 0.2 and not x == z or z < 0, {0}, x)",
    "max": "max({0}, z, 0.3)",
}
REFUSED = {"duckdb": set(), "sqlite": {"gamma"}, "postgres": {"gamma"}}
AGAIN = "Export it to python or torch, or predict with descend."


@cache
def fitted(name):
    call = CALLS.get(name) or call_of(name, "{0}", "x", "0.7")
    sums = f"y ~ a*{call.format('x')} + {call.format('x^2/2')}/3 + b*z + pi*x"
    # One epoch: what is asked is whether the text says what the model does.
    return [
        descend.fit(text, ROWS | {"y": ROWS["x"] * 1.0}, start=start, optimizer="gd", learning_rate=1e-3, epochs=1)
        for text, start in (
            (sums, {"a": 0.7, "b": 0.2}),
            (f"y ~ w @ [z, {call.format('x/2')}]", {"w": [0.3, 0.4]}),
        )
    ]


def filled(connection, dialect):
    number = "double precision" if dialect == "postgres" else "double"
    connection.execute("drop table if exists data")
    connection.execute(f"create table data (x {number}, z {number})")
    rows = ", ".join(f"({x!r}, {z!r})" for x, z in zip(*map(np.ndarray.tolist, ROWS.values()), strict=True))
    connection.execute(f"insert into data values {rows}")
    return connection


@pytest.fixture(params=["duckdb", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    pytest.importorskip("sqlglot")
    if request.param == "postgres":
        connection = request.getfixturevalue("postgres").connect()
    else:
        connection = {"duckdb": duckdb.connect, "sqlite": sqlite3.connect}[request.param](":memory:")
    with connection:
        yield request.param, filled(connection, request.param)


def test_every_function_runs_or_is_refused(database):
    dialect, connection = database
    refused = set()
    for name in FUNCTIONS:
        for fit in fitted(name):
            try:
                text = fit.export("sql", dialect=dialect)
            except ConfigError as error:
                refused.add(name)
                language = "SQL" if FUNCTIONS[name].sql is None else f"the SQL of {dialect}"
                assert f"The model calls `{name}`, a function that {language} lacks" in str(error)
                continue
            predicted = [float(row[-1]) for row in connection.execute(text).fetchall()]
            np.testing.assert_allclose(predicted, fit.predict(ROWS), rtol=1e-13, atol=1e-14, err_msg=name)
    assert refused == REFUSED[dialect] | {name for name, entry in FUNCTIONS.items() if entry.sql is None}


def test_what_is_said_of_a_function_that_is_not_there():
    fit = fitted("gamma")[0]
    with pytest.raises(ConfigError) as caught:
        fit.export("sql", dialect="sqlite")
    assert str(caught.value) == f"The model calls `gamma`, a function that the SQL of sqlite lacks. {AGAIN}"


@pytest.mark.postgres
@pytest.mark.parametrize(
    "text", ["y ~ a*exp(-x^2) + b", "y ~ a*sigmoid(x) + b*sigmoid(-x)", "y ~ a*softplus(x) + b*softplus(-x)"]
)
def test_postgres_takes_no_underflow_for_an_error(text, postgres):
    fit = descend.fit(text, {"x": [-1.0, 0.5, 2.0], "y": [0.1, 0.9, 0.2]}, optimizer="gd", learning_rate=0.01, epochs=1)
    columns = {"x": np.array([-1e3, -20.0, 0.3, 20.0, 1e3])}
    postgres.load("far", columns)
    with postgres.connect() as connection:
        predicted = [row[-1] for row in connection.execute(fit.export("sql", dialect="postgres", table="far"))]
    np.testing.assert_allclose(predicted, fit.predict(columns), rtol=1e-13, atol=1e-200)
