"""A model in another language predicts what `predict` does."""

import duckdb
import numpy as np
import pytest
import torch

import descend
from descend.errors import ConfigError

ROWS = 40
TARGETS = ["sql", "python", "torch"]


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(7)
    x = np.linspace(0.1, 4.0, ROWS)
    return {
        "x": x,
        "x 2": random.normal(size=ROWS),
        'odd "name"; drop': random.uniform(1, 2, size=ROWS),
        "select": random.integers(1, 9, size=ROWS).astype(float),
        "y": 3 * np.exp(-0.7 * x) - 0.5 + random.normal(size=ROWS) / 50,
        "n": np.floor(np.exp(0.3 * x) + random.uniform(size=ROWS)),
        "won": (x + random.normal(size=ROWS) > 2).astype(float),
    }


FORMULAS = [
    ("y ~ a*exp(-b*x) + c", "squared"),
    ("y ~ w @ [x, x^2, `x 2`] + b", "squared"),
    ("y ~ w @ [x, `x 2`] + v @ [select, 1/select]", "squared"),
    ('y ~ a*`odd "name"; drop` + b/select - c*abs(`x 2`)', "squared"),
    ("log(y + 10) ~ a + b*x", "squared"),
    ("y ~ where(x > 2 and select < 5, a, b*x) + max(c, 0.1*x)", "squared"),
    ("y ~ a*tanh(b*x) + softplus(`x 2`)*c + pi", "squared"),
    ("n ~ exp(a + b*x)", "poisson"),
    ("won ~ a + b*x", "logistic"),
    ("won ~ sigmoid(a + b*x)", "logistic"),
    ("y ~ c", "squared"),
]


def run(fit, target, data):
    text = fit.export(target)
    if target == "sql":
        connection = duckdb.connect()
        names = ", ".join('"' + name.replace('"', '""') + '" double' for name in data)
        connection.execute(f"create table data ({names})")
        rows = [tuple(float(value) for value in row) for row in zip(*data.values(), strict=True)]
        connection.executemany(f"insert into data values ({', '.join('?' * len(data))})", rows)
        return connection.execute(text).fetchnumpy()["prediction"]
    space = {}
    exec(compile(text, "exported.py", "exec"), space)
    columns = [data[name] for name in fit.model.inputs]
    if target == "python":
        return space["predict"](*columns)
    with torch.no_grad():
        return space["Model"]()(*map(torch.as_tensor, columns)).numpy()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("formula", "loss"), FORMULAS)
def test_it_predicts_what_predict_does(data, formula, loss, target):
    fit = descend.fit(formula, data, loss=loss)
    np.testing.assert_allclose(np.broadcast_to(run(fit, target, data), ROWS), fit.predict(data), rtol=1e-12, atol=1e-14)


def test_sql_of_whole_numbers_divides_as_fractions():
    fit = descend.fit("y ~ a/k", {"k": [1.0, 2.0, 4.0], "y": [1.0, 0.5, 0.25]})
    connection = duckdb.connect()
    connection.execute("create table data as select * from (values (1), (2), (4)) as t(k)")
    np.testing.assert_allclose(connection.execute(fit.export("sql")).fetchnumpy()["prediction"], [1, 0.5, 0.25])


def test_other_dialects_run_in_their_database(data):
    pytest.importorskip("sqlglot")
    import sqlite3

    fit = descend.fit("y ~ a*x + b/select + c*abs(`x 2`)", data)
    connection = sqlite3.connect(":memory:")
    connection.execute('create table "my ""table" (x real, "x 2" real, "select" integer)')
    rows = list(zip(*(data[name].tolist() for name in ("x", "x 2", "select")), strict=True))
    connection.executemany('insert into "my ""table" values (?, ?, ?)', rows)
    text = fit.export("sql", dialect="sqlite", table='my "table', name="y'")
    predicted = [row[-1] for row in connection.execute(text)]
    np.testing.assert_allclose(predicted, fit.predict(data), rtol=1e-12)


def test_held_parameters_are_in_it(data):
    fit = descend.fit("y ~ a*exp(-b*x) + c", data, fix={"c": -0.5}, ties=["b = 0.25*a"])
    for target in TARGETS:
        np.testing.assert_allclose(run(fit, target, data), fit.predict(data), rtol=1e-12)


def test_latex_has_the_values():
    fit = descend.fit("y ~ a*exp(-b*x)", {"x": [0.0, 1.0, 2.0], "y": [2.0, 1.0, 0.5]})
    assert fit.export("latex") == r"y = 2.0 e^{- 0.6931 x}" or fit.export("latex") == r"y = 2 e^{- 0.69314718 x}"


def test_a_saved_model_is_exported_the_same(data, tmp_path):
    fit = descend.fit("y ~ a*exp(-b*x) + c", data)
    fit.save(tmp_path / "model.json")
    for target in (*TARGETS, "latex"):
        assert descend.load(tmp_path / "model.json").export(target) == fit.export(target)


def test_what_cannot_be_exported_is_refused(data):
    fit = descend.fit("y ~ a*x", data)
    with pytest.raises(ConfigError) as error:
        fit.export("sqll")
    assert (
        str(error.value)
        == "A model cannot be exported to `sqll`. Did you mean `sql`? Known: sql, python, torch, latex."
    )
    with pytest.raises(ConfigError) as error:
        fit.export("sql", dialect="postgress")
    assert str(error.value).startswith("There is no SQL dialect `postgress`. Did you mean `postgres`? Known: bigquery,")
    fit = descend.fit(lambda x, w: w * x, data, response="y", start={"w": 0.0}, gradient="numeric")
    with pytest.raises(ConfigError) as error:
        fit.export("sql")
    assert str(error.value) == (
        "This model is a Python function, which only Python can run. Write it as a formula to export it, or predict "
        "with descend."
    )
