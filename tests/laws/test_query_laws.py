"""A database sums to the same numbers as NumPy, whatever formula, loss and weights, and its fits are the same."""

from __future__ import annotations

from functools import cache

import ibis
import numpy as np
import pytest
from tests.laws.ranges import PLAIN
from tests.laws.rows_of_laws import COLUMNS, program, table

import descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.query import QueryEngine
from descend.engines.stream import StreamEngine
from descend.formula import read_formula
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.by_hand import by_hand
from descend.gradients.derived import Program
from descend.losses import LOSSES
from descend.problem.out_of_core import engine_of
from descend.table import open_table
from descend.table.rows import Roles, Rows

# Predictions are positive at these parameters, as the Poisson loss asks.
FORMULAS = {
    "y ~ a*x": [0.7],
    "y ~ a*x + b": [0.7, 0.2],
    "y ~ a*exp(-b*x) + c": [1.5, 0.6, 0.8],
    "y ~ c": [0.4],
    "y ~ exp(c)": [-0.3],
    "y ~ a^2*x^b/(c^b + x^b)": [0.9, 1.7, 0.6],
    "y ~ w @ [x, z, u] + b": [0.3, 0.2, 0.1, 0.9],
    "y ~ exp(w @ [x*, z, x*z, log(`unit price`)])": [0.3, -0.2, 0.1, 0.4],
    "y ~ a*(w @ [x, z]) + exp(w @ [z, u])": [0.6, 0.3, 0.2],
    "y ~ sigmoid(a + b*x + c*z^2)": [-0.5, 0.8, 0.3],
    "sqrt(y) ~ 1 + abs(sin(a*x))/max(b, z) + where(x > 1 and z < 1, a, b*u)^2": [0.7, 0.4],
    "y ~ 2 + tanh(a*x + b)*log10(1 + c^2*z) + 2^(a*u)*sqrt(u)": [0.4, 0.1, 0.6],
    "y ~ 2 + a*sin(b*x + c) + d*cos(x)": [0.5, 2.0, 0.3, 0.2],
    "y ~ a/(1 + exp(-(x - m)/s)) + 1": [1.2, 0.9, 0.3],
    "y ~ 1 + a*exp(-(x - m)^2/(2*s^2)) + b*exp(-(z - m)^2/(2*s^2))": [0.8, 1.0, 0.5, 0.3],
    "log(y) ~ 3 + a*log(x) + b*log2(z)": [0.6, 0.2],
    "y ~ a*x^1.5 + b*x^2 + c*x^3 + d/x^2 + 1/sqrt(x + e1^2)": [0.1, 0.2, 0.3, 0.4, 0.5],
    "y ~ 1 + softplus(a - x) + atan2(c, x) + min(a, x, z)*exp(-b^2)": [0.7, 0.4, 1.2],
    "y/omega ~ 3 + a*sinh(b*x)/cosh(c*z) + tan(a*z/4) + acos(x/4) + asin(b*z/4) + atan(c*u)": [0.7, 0.4, 1.2],
    "y ~ where(x > 1, a, b)*where(z < 0.8 or u > 1.5, 1, 2) + 0.5": [0.7, 0.4],
    "y ~ 1 + where(where(x > a, u, z) >= min(z, b) and not u == b, max(a, x*z), b + x)*where(x <= a, z, 2)": [0.7, 0.4],
    "y ~ where(a > 0.5, a*x, b) + where(not (x > 1 or z > 1), b, 2*a) + max(x, 2*pi*a, exp(1))": [0.7, 0.4],
}
FORMULAS["y ~ 2 + a*erf(b*x) + c*erfc(3*b*x) + log1p(a*z)*expm1(-c*u)"] = [0.7, 0.4, 0.6]
FORMULAS["y ~ 2 + a*sinc(b*x) + cbrt(c*z - 1)*hypot(a, u)"] = [0.7, 0.4, 0.6]
FORMULAS["y ~ 1 + a*gamma(1 + b*u)"] = [0.7, 1.2]
BACKENDS = ("duckdb", "sqlite", "plain duckdb", "plain sqlite")
"""Those that are plain are taken to have nothing that every database does not have."""
every_formula = pytest.mark.parametrize("text", FORMULAS)
every_loss = pytest.mark.parametrize("loss", [*PLAIN, "huber(delta=0.2)", "pinball(quantile=0.8)"])
every_backend = pytest.mark.parametrize("backend", BACKENDS)


@cache
def lazily(backend: str):
    """The rows in a database, the same for all tests."""
    if backend.endswith("duckdb"):
        return open_table(table()).lazy(COLUMNS)
    return open_table(in_sqlite(table())).lazy(COLUMNS)


def in_sqlite(data: dict[str, np.ndarray], name: str = "data"):
    connection = ibis.sqlite.connect()
    quoted = ['"' + column.replace('"', '""') + '"' for column in data]
    there = '"' + name.replace('"', '""') + '"'
    connection.con.execute(f"create table {there} ({', '.join(f'{column} real' for column in quoted)})")
    rows = zip(*(column.tolist() for column in data.values()), strict=True)
    connection.con.executemany(f"insert into {there} values ({', '.join('?' for _ in data)})", rows)
    connection.con.commit()
    return connection.table(name)


def engine(
    backend: str, what: Program, weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> QueryEngine | StreamEngine:
    if backend.startswith("plain"):
        monkeypatch.setattr("descend.engines.query.ABILITIES", {})
    return engine_of(what, lazily(backend).with_roles(Roles(weights)))


def assert_same(mine, theirs, tolerance=1e-10):
    assert mine.rows == pytest.approx(theirs.rows, rel=1e-14)
    assert mine.loss == pytest.approx(theirs.loss, rel=tolerance)
    for one, other in ((mine.gradient, theirs.gradient), (mine.curvature, theirs.curvature)):
        assert (one is None) == (other is None)
        if one is not None:
            scale = max(np.abs(other).max(), 1e-3)
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


def compare(text, loss, weights, backend, monkeypatch, orders=(2,)):
    what, theta = program(text, loss), np.array(FORMULAS[text])
    query, arrays = engine(backend, what, weights, monkeypatch), NumpyEngine(what, Rows.of(table(), Roles(weights)))
    for order in orders:
        assert_same(query.evaluate(theta, order), arrays.evaluate(theta, order))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
@every_formula
def test_totals_are_those_of_numpy_for_every_loss(text, backend, monkeypatch):
    for loss in [*PLAIN, "huber(delta=0.2)", "pinball(quantile=0.8)"]:
        for weights in (None, "omega"):
            compare(text, loss, weights, backend, monkeypatch)


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
@every_formula
def test_totals_are_those_of_numpy(text, backend, monkeypatch):
    compare(text, "squared", None, backend, monkeypatch)


@pytest.mark.parametrize("text", FORMULAS)
def test_only_functions_that_sql_writes_out_at_length_leave_the_database(text, monkeypatch):
    for backend in ("duckdb", "sqlite"):
        streams = backend == "sqlite" and ("erf" in text or "gamma" in text)
        found = engine(backend, program(text, "squared"), None, monkeypatch)
        assert type(found) is (StreamEngine if streams else QueryEngine)


@every_loss
@every_backend
def test_losses_are_those_of_numpy(loss, backend, monkeypatch):
    compare("y ~ a*exp(-b*x) + c", loss, "omega", backend, monkeypatch, orders=(0, 1, 2))


@pytest.mark.parametrize("number", range(5, len(FORMULAS)))
def test_databases_that_have_next_to_nothing(number, monkeypatch):
    """Functions put together from others, arguments held inside their domain."""
    compare(list(FORMULAS)[number], "squared", None, "plain sqlite", monkeypatch)


def test_the_negative_of_what_has_a_name(monkeypatch):
    text = (
        "y ~ 3 + where(where(u == b or x > 0, where(x == 1, 1, log(x)), z) >= a*omega, "
        "max(abs(a*x), where(u < 0.5, log(x), z)*(b + z)), x*z*b)*where(0.5 <= a*x, a*x, z) + 0.1*a*x + b"
    )
    monkeypatch.setitem(FORMULAS, text, [0.7, 0.4])
    compare(text, "log_cosh", None, "duckdb", monkeypatch, orders=(0, 1, 2))


@pytest.mark.parametrize("source", ["numpy", "torch", "autograd", "by hand"])
def test_rows_that_stream_have_the_same_totals(source, monkeypatch):
    monkeypatch.setattr("descend.engines.stream.BLOCK", 7)
    text, loss = "y ~ a*exp(-b*x) + c", "huber"
    what, theta = program(text, loss), np.array(FORMULAS[text])
    texts = tuple(f"{name} = mean({part})" for name, part in HAND.items())
    by_text = by_hand(read_formula(text, COLUMNS), LOSSES.build(loss), texts, COLUMNS)
    given = {"autograd": autograd_of_formula(what), "by hand": by_text}.get(source, what)
    streamed = StreamEngine(
        given, lazily("duckdb").with_roles(Roles("omega")), "torch" if source == "torch" else "numpy"
    )
    for order in (0, 1, 2):
        assert_same(
            streamed.evaluate(theta, order), NumpyEngine(what, Rows.of(table(), Roles("omega"))).evaluate(theta, order)
        )
    if streamed.factors:
        factor = streamed.evaluate(theta, 3).factor
        curvature = NumpyEngine(what, Rows.of(table(), Roles("omega"))).evaluate(theta, 2).curvature
        np.testing.assert_allclose(factor[:-1, :-1].T @ factor[:-1, :-1], curvature, rtol=1e-10)


HAND = {
    "a": "min(max(a*exp(-b*x) + c - y, -1), 1)*exp(-b*x)",
    "b": "-min(max(a*exp(-b*x) + c - y, -1), 1)*a*x*exp(-b*x)",
    "c": "min(max(a*exp(-b*x) + c - y, -1), 1)",
}


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
def test_gradients_by_hand_are_summed_by_the_database(backend, monkeypatch):
    text = "y ~ a*exp(-b*x) + c"
    texts = tuple(f"{name} = sum({part})/n" for name, part in HAND.items())
    what = by_hand(read_formula(text, COLUMNS), LOSSES.build("huber"), texts, COLUMNS)
    theta = np.array(FORMULAS[text])
    mine = engine(backend, what, "omega", monkeypatch).evaluate(theta, 2)
    assert_same(mine, NumpyEngine(program(text, "huber"), Rows.of(table(), Roles("omega"))).evaluate(theta, 2))
    assert_same(mine, NumpyEngine(what, Rows.of(table(), Roles("omega"))).evaluate(theta, 2))


FITS = {
    "y ~ w @ [x, z, u] + b": "squared",
    "y ~ a*exp(-b*x) + c": "huber(delta=0.1)",
    "y ~ sigmoid(a + b*x)": "logistic",
    "y ~ exp(a + b*x)": "poisson",
}


@pytest.mark.parametrize("weights", [None, "omega"])
@pytest.mark.parametrize("text", FITS)
def test_fits_are_those_of_numpy(text, weights):
    """Parameters, standard errors and all that is told of a fit."""
    rng = np.random.default_rng(3)
    x, z, u, omega = (rng.uniform(0.1, 2.0, 400) for _ in range(4))
    noise = rng.normal(0, 0.05, 400)
    y = {
        "logistic": lambda: (rng.random(400) < 1 / (1 + np.exp(1 - x))) * 1.0,
        "poisson": lambda: rng.poisson(np.exp(x)),
    }
    data = {"x": x, "z": z, "u": u, "omega": omega}
    data["y"] = y.get(FITS[text], lambda: 1.5 * np.exp(-0.6 * x) + 0.8 + noise)().astype(float)
    reference = descend.fit(text, data, loss=FITS[text], weights=weights)
    for source in (data, in_sqlite(data)):
        fit = descend.fit(text, source, loss=FITS[text], weights=weights, engine="query")
        assert (fit.engine, fit.rows, fit.outcome, fit.degrees_of_freedom) == (
            "query", 400, reference.outcome, reference.degrees_of_freedom)  # fmt: skip
        np.testing.assert_allclose(fit.theta, reference.theta, rtol=1e-8)
        np.testing.assert_allclose(fit.covariance, reference.covariance, rtol=1e-6)
        told = fit.summary()
        for name in ("loss", "r_squared", "residual_standard_deviation", "log_likelihood", "aic", "bic"):
            if name in ("log_likelihood", "aic", "bic") and FITS[text] == "poisson" and source is not data:
                continue  # SQLite has no logarithm of the gamma function
            expected = reference.summary()[name]
            assert told[name] == (expected if expected is None else pytest.approx(expected, rel=1e-8)), name
        np.testing.assert_allclose(fit.predict(data), reference.predict(data), rtol=1e-7)
