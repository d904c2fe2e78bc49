"""Whatever sums the rows, the totals are the same, and so are the fits: the table of all engines and databases."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.laws.ranges import PLAIN
from tests.laws.test_query_laws import COLUMNS, FITS, FORMULAS, assert_same, in_sqlite, program, table
from tests.remote.servers import written_as_parquet

import descend
from descend.engines.moments import MomentsEngine
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.problem.out_of_core import engine_of
from descend.table import open_table
from descend.table.rows import Roles, Rows

LOSS = [*PLAIN, "huber(delta=0.2)", "pinball(quantile=0.8)"]
LINEAR = ("y ~ a*x", "y ~ a*x + b", "y ~ c", "y ~ w @ [x, z, u] + b")
IN_MEMORY = ("torch", "moments", "duckdb", "sqlite")
spark_too = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
databases = [pytest.param("postgres", marks=pytest.mark.postgres), pytest.param("spark", marks=spark_too)]
every_formula = pytest.mark.parametrize("text", FORMULAS)


@pytest.fixture(scope="module")
def source(request, tmp_path_factory):
    """The rows in the database that a test asks for, opened once."""

    @cache
    def source(name):
        if name == "postgres":
            return open_table(request.getfixturevalue("postgres").load("laws", table())).lazy(COLUMNS)
        if name == "spark":
            request.getfixturevalue("spark")
            rows = written_as_parquet(tmp_path_factory.mktemp("laws") / "rows", table(), files=1)
            return open_table(f"spark://?parquet={rows}").lazy(COLUMNS)
        return open_table(table() if name == "duckdb" else in_sqlite(table())).lazy(COLUMNS)

    return source


def engine(name, what, source, weights):
    if name in ("torch", "moments"):
        return {"torch": TorchEngine, "moments": MomentsEngine}[name](what, Rows.of(table(), Roles(weights)))
    return engine_of(what, source(name).with_roles(Roles(weights)))


def compare(text, loss, weights, names, source):
    what, theta = program(text, loss), np.array(FORMULAS[text])
    expected = NumpyEngine(what, Rows.of(table(), Roles(weights))).evaluate(theta, 2)
    for name in names:
        if name != "moments" or (text in LINEAR and loss == "squared"):
            assert_same(engine(name, what, source, weights).evaluate(theta, 2), expected)


@every_formula
@pytest.mark.postgres
def test_totals_are_those_of_numpy(text, source):
    compare(text, "squared", None, ["postgres"], source)


@pytest.mark.slow
@every_formula
@pytest.mark.parametrize("name", [*IN_MEMORY, *databases])
def test_totals_are_those_of_numpy_for_every_loss(text, name, source):
    if name == "moments" and text not in LINEAR:
        return  # they are of no use there
    for loss in LOSS if name != "moments" else ["squared"]:
        compare(text, loss, "omega", [name], source)


@pytest.mark.parametrize("loss", LOSS)
@pytest.mark.postgres
def test_losses_are_those_of_numpy(loss, source):
    compare("y ~ a*exp(-b*x) + c", loss, "omega", ["postgres"], source)


def rows_of(text):
    random = np.random.default_rng(3)
    columns = {name: random.uniform(0.1, 2.0, 400) for name in ("x", "z", "u", "omega")}
    noise = random.normal(0, 0.05, 400)
    x = columns["x"]
    y = {
        "logistic": lambda: (random.random(400) < 1 / (1 + np.exp(1 - x))) * 1.0,
        "poisson": lambda: random.poisson(np.exp(x)),
    }
    made = y.get(FITS[text], lambda: 1.5 * np.exp(-0.6 * x) + 0.8 + noise)()
    return columns | {"y": made.astype(float)}


@pytest.mark.parametrize("text", FITS)
@pytest.mark.parametrize("name", databases)
def test_fits_are_those_of_numpy(text, name, request, tmp_path):
    columns = rows_of(text)
    if name == "postgres":
        there = request.getfixturevalue("postgres").load("fits", columns)
    else:
        request.getfixturevalue("spark")
        there = f"spark://?parquet={written_as_parquet(tmp_path / 'fits', columns, files=1)}"
    options = {"loss": FITS[text], "weights": "omega"}
    expected = descend.fit(text, columns, engine="numpy", **options)
    others = [("torch", columns), ("query", columns), ("query", there)]
    if FITS[text] == "squared":
        others.append(("moments", columns))
    for kind, rows in others:
        fit = descend.fit(text, rows, engine=kind, **options)
        assert (fit.engine, fit.outcome) == (kind, expected.outcome)
        np.testing.assert_allclose(fit.theta, expected.theta, rtol=1e-8)
        np.testing.assert_allclose(fit.covariance, expected.covariance, rtol=1e-6)
