"""Where x is 0 its powers do not move with their parameters: in every engine and printer derivatives take limits.

The judge is J itself: its differences, since J is finite wherever these derivatives were nan.
"""

from __future__ import annotations

import math
from functools import cache

import duckdb
import ibis
import numpy as np
import pytest
import torch

import descend
from descend.engines.fused import fused, split
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.query import QueryEngine
from descend.engines.stream import StreamEngine
from descend.engines.torch_engine import TorchEngine
from descend.formula import read_formula
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.by_hand import by_hand
from descend.gradients.derivation import Derivation
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table import open_table
from descend.table.rows import Rows

COLUMNS = ("x", "z", "y")
HILL = "y ~ c + (d - c)/(1 + (x/e50)^b)"
LOG_LOGISTIC = "y ~ c + (d - c)/(1 + exp(b*(log(x) - log(e50))))"
FORMULAS = {
    HILL: [(0.1, 2.0, 1.3, b) for b in (0.4, 1.0, 2.5, -0.4, -1.0, -2.5)],
    LOG_LOGISTIC: [(0.1, 2.0, b, 1.3) for b in (0.4, 2.5, -0.4, -2.5)],
    "y ~ a*x^b + c": [(0.7, 0.3, 0.2), (0.7, 1.8, 0.2)],
    "y ~ a*exp(b*log(x))": [(0.7, 0.3), (0.7, 1.8)],
    "y ~ d*exp(-(x/k)^n)": [(2.0, 1.5, 0.4), (2.0, 1.5, 3.0), (2.0, 1.5, -0.5)],
    "y ~ (k*x)^n + c": [(1.5, 0.4, 0.1), (1.5, 2.5, 0.1)],
    "y ~ V/(1 + (K/x)^n)": [(2.0, 1.2, 0.5), (2.0, 1.2, -0.5)],
    "y ~ V/(1 + K/x)": [(2.0, 1.2)],
    "y ~ V*x^n/(K^n + x^n)": [(2.0, 0.5, 1.2), (2.0, 2.5, 1.2)],
    "y ~ A*exp(-E/(8.314*x))": [(2.0, 3.0)],
    "y ~ c + d*sigmoid(b*log(x/g))": [(1.0, 2.0, 0.5, 1.3), (1.0, 2.0, -1.5, 1.3)],
    "y ~ sqrt(a*x) + b": [(2.0, 1.0)],
    "y ~ a/sqrt(1 + x^b) + c": [(2.0, 0.5, 0.3), (2.0, -1.5, 0.3)],
    "y ~ sqrt(x^b)*a": [(0.7, 0.5)],
    "y ~ V/(1 + k*x^b + b*z)": [(2.0, 0.3, 0.7), (2.0, 0.3, -0.2)],
    "y ~ V*exp(-m*(1 + k*x^b))": [(2.0, 0.4, 0.3, 0.7), (2.0, 0.4, 0.3, -0.7)],
    "y ~ exp(max(b*log(x), c))": [(0.5, -1.0), (2.0, -1.0)],
    "y ~ a*(x + z - 0.5)^b": [(0.7, 0.4)],
    "y ~ exp(w @ [z]*log(x) + c) + a": [(0.8, 0.1, 0.3)],
    "y ~ a*max(x - m, 0)^p": [(0.8, 0.7, 0.5)],
    "y ~ A*(1 - exp(-k*x))^m": [(2.0, 0.7, 0.6), (2.0, 0.7, 1.4)],
    "y ~ A*tanh(k*x)^m + c": [(2.0, 0.7, 0.6, 0.1)],
}  # fmt: skip
SOME = (HILL, LOG_LOGISTIC, "y ~ a*x^b + c", "y ~ V/(1 + K/x)", "y ~ a/sqrt(1 + x^b) + c")
POINTS = [(text, theta) for text, thetas in FORMULAS.items() for theta in thetas]
every_point = pytest.mark.parametrize(("text", "theta"), POINTS, ids=[f"{text} {theta}" for text, theta in POINTS])
X = np.array([0.0, 0.0, 0.5, 1.0, 2.0, 4.0])
DATA = {"x": X, "z": np.array([0.5, 0.7, 0.2, 0.9, 0.4, 0.6]), "y": np.array([1.0, 0.6, 0.9, 2.0, 1.3, 1.1])}


@pytest.fixture(autouse=True)
def silent():
    with np.errstate(all="ignore"):
        yield


@cache
def program(text: str, loss: str = "squared"):
    return derived(read_formula(text, COLUMNS), LOSSES.build(loss))


@cache
def lazily(backend: str):
    if backend == "duckdb":
        return open_table(DATA).lazy(COLUMNS)
    connection = ibis.sqlite.connect()
    connection.con.execute("create table data (x real, z real, y real)")
    connection.con.executemany("insert into data values (?, ?, ?)", np.column_stack([*DATA.values()]).tolist())
    connection.con.commit()
    return open_table(connection.table("data")).lazy(COLUMNS)


def right(text: str, theta, loss: str = "squared") -> np.ndarray:
    """The gradient of the sum, by differences of the sum."""
    engine, at = NumpyEngine(program(text, loss), Rows(DATA)), np.array(theta)

    def difference(step):
        return (engine.evaluate(at + step, 0).loss - engine.evaluate(at - step, 0).loss) / (2 * step.max())

    coarse, fine = ([difference(size * row) for row in np.eye(at.size)] for size in (2e-4, 1e-4))
    return (4 * np.array(fine) - np.array(coarse)) / 3


def assert_right(gradient, text, theta, loss="squared"):
    np.testing.assert_allclose(gradient, right(text, theta, loss), rtol=1e-6, atol=1e-6)


@every_point
def test_engines_in_memory(text, theta):
    assert_engines_agree(text, theta, "squared")


@pytest.mark.parametrize("loss", ["huber(delta=0.2)", "cauchy", "tukey(scale=5)"])
def test_engines_in_memory_with_other_losses(loss):
    assert_engines_agree(HILL, FORMULAS[HILL][0], loss)
    assert_engines_agree(HILL, FORMULAS[HILL][-1], loss)


def assert_engines_agree(text, theta, loss):
    what, at = program(text, loss), np.array(theta)
    numpy = NumpyEngine(what, Rows(DATA))
    totals = numpy.evaluate(at, 2)
    assert_right(totals.gradient, text, theta, loss)
    many = NumpyEngine(what, Rows({name: np.tile(column, 2000) for name, column in DATA.items()})).evaluate(at, 2)
    others = [many.gradient / 2000, numpy.evaluate(at, 1).gradient]
    curvatures = [many.curvature / 2000]
    for engine in (TorchEngine(what, Rows(DATA)), TorchEngine(autograd_of_formula(what), Rows(DATA))):
        others += [engine.evaluate(at, 1).gradient]
        curvatures += [engine.evaluate(at, 2).curvature]
    if (kernel := fused(what, False)) is not None:
        block = tuple(map(torch.from_numpy, [array.copy() for array in kernel.prepare(Rows(DATA))]))
        _, gradient, curvature = split(kernel.functions[2](torch.from_numpy(at), block).numpy(), at.size, 2)
        others, curvatures = [*others, gradient], [*curvatures, curvature]
    if numpy.means is not None:
        _, gradient, curvature = numpy.means(at)
        others, curvatures = [*others, gradient * X.size], [*curvatures, curvature * X.size]
    for gradient in others:
        np.testing.assert_allclose(gradient, totals.gradient, rtol=1e-9, atol=1e-12)
    for curvature in curvatures:
        np.testing.assert_allclose(curvature, totals.curvature, rtol=1e-9, atol=1e-12)
    factor = numpy.evaluate(at, 3).factor[:-1, :-1]
    np.testing.assert_allclose(factor.T @ factor, totals.curvature, rtol=1e-9, atol=1e-12)


def test_the_engine_of_few_rows_takes_limits_too():
    assert all(
        NumpyEngine(program(text), Rows(DATA)).means is not None for text in (HILL, LOG_LOGISTIC, "y ~ d*exp(-(x/k)^n)")
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "plain sqlite"])
@every_point
def test_databases_at_every_point(text, theta, backend, monkeypatch):
    assert_database_agrees(text, theta, backend, monkeypatch)


@pytest.mark.parametrize("backend", ["duckdb", "sqlite", "plain sqlite"])
def test_databases(backend, monkeypatch):
    for text in SOME:
        assert_database_agrees(text, FORMULAS[text][-1], backend, monkeypatch)


def assert_database_agrees(text, theta, backend, monkeypatch):
    if backend.startswith("plain"):
        monkeypatch.setattr("descend.engines.query.ABILITIES", {})
    lazy, what, at = lazily(backend.removeprefix("plain ")), program(text), np.array(theta)
    mine, theirs = QueryEngine(what, lazy).evaluate(at, 2), NumpyEngine(what, Rows(DATA)).evaluate(at, 2)
    np.testing.assert_allclose(mine.gradient, theirs.gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mine.curvature, theirs.curvature, rtol=1e-9, atol=1e-12)
    streamed = StreamEngine(what, lazy).evaluate(at, 2)
    np.testing.assert_allclose(streamed.gradient, theirs.gradient, rtol=1e-9, atol=1e-12)


@every_point
def test_printed_code(text, theta):
    what, derivation = program(text), Derivation(read_formula(text, COLUMNS), LOSSES.build("squared"))
    named = what.parameters.named(np.array(theta))
    found = []
    for language, make in (("numpy", np.asarray), ("torch", torch.from_numpy)):
        from scipy import special

        space = {"np": np, "torch": torch, "math": math, "special": special}
        space |= {name: make(column) for name, column in DATA.items()}
        space |= {name: make(np.asarray(value, dtype=float)) for name, value in named.items()}
        exec(derivation.code(language), space)
        found.append(np.concatenate([np.ravel(space[f"d{name}"]) for name in derivation.formula.parameters]))
    if not derivation.formula.terms:
        texts = tuple(f"{name} = {part}" for name, part in derivation.written("text").items())
        again = by_hand(read_formula(text, COLUMNS), LOSSES.build("squared"), texts, COLUMNS)
        found.append(NumpyEngine(again, Rows(DATA)).evaluate(np.array(theta), 1).gradient / X.size)
        connection = duckdb.connect()
        connection.execute("create table data (x double, z double, y double)")
        connection.executemany("insert into data values (?, ?, ?)", np.column_stack([*DATA.values()]).tolist())
        row = connection.execute(derivation.code("sql"), {name: float(value) for name, value in named.items()})
        found.append(np.array(row.fetchone()))
    for gradient in found:
        assert_right(gradient * X.size, text, theta)


def test_columns_without_zeros_and_other_formulas_pay_nothing():
    away = {**DATA, "x": DATA["x"] + 0.1}
    assert "where" not in NumpyEngine(program(HILL), Rows(away)).kernel.functions[2].source
    for text in ("y ~ a*exp(-b*x) + c", "y ~ a*x/(k + x)", "y ~ a*(x - m)^2", "y ~ a*log(b*x + 1)", "y ~ a*x^2 + b/x"):
        assert program(text).slopes.edges == ()


def test_a_dose_of_nothing():
    data = {"x": [0, 0.001, 0.01, 0.1, 1, 10, 100], "y": [101, 95, 80, 53, 24, 8, 3]}
    for options in ({}, {"start": {"top": 90, "ec50": 1, "hill": 1}}, {"gradient": "autograd"}):
        fit = descend.fit("y ~ top/(1 + (x/ec50)^hill)", data, **options)
        assert fit.outcome == "converged"
        assert fit.parameters["ec50"] == pytest.approx(0.11753, rel=1e-4)
        assert fit.parameters["hill"] == pytest.approx(0.54695, rel=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_log_logistic_curve_is_that_of_the_power(sign):
    rng = np.random.default_rng(3)
    x = np.repeat([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0], 3)
    inside = np.maximum(x, 1e-300) / 2.0
    data = {"x": x, "y": 3 + 40 / (1 + inside ** (sign * 0.7)) + rng.normal(size=x.size)}
    start = {"c": 1.0, "d": 45.0, "e50": 1.0, "b": sign * 1.5}
    one, other = (descend.fit(text, data, start=start) for text in (HILL, LOG_LOGISTIC))
    assert (one.outcome, other.outcome) == ("converged", "converged")
    assert one.loss == pytest.approx(other.loss, rel=1e-9)
    assert all(math.isfinite(error) for error in one.standard_errors.values())
