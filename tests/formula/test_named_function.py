"""A function of one's own is one entry: from then on every room knows it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import descend
from descend.formula.functions import DERIVED_ONLY, FUNCTIONS, NAMES, Function, register
from descend.formula.real_functions import absolute, real_function

SOFTSIGN = real_function("softsign", lambda u: (1 + absolute(u)) ** -2)
X = np.linspace(-3.0, 5.0, 60)
DATA = {"x": X, "y": 2.0 * (0.7 * X - 0.5) / (1.0 + np.abs(0.7 * X - 0.5)) + 1.0}


@pytest.fixture
def softsign():
    entry = Function(
        "softsign",
        SOFTSIGN,
        numpy="({0}) / (1.0 + np.abs({0}))",
        torch="torch.nn.functional.softsign({0})",
        sql="({0}) / (1.0 + abs({0}))",
        query=lambda database, u: u / (1.0 + u.abs()),
        query_repeats=True,
        range=(-1.0, 1.0),
        rising=True,
    )
    register(entry)
    yield entry
    del FUNCTIONS["softsign"], NAMES[entry.nodes]


@pytest.mark.parametrize("options", [{}, {"engine": "query"}, {"gradient": "autograd"}])
def test_it_is_fitted(softsign, options):
    fitted = descend.fit("y ~ a*softsign(b*x - m) + c", DATA, **options)
    assert fitted.predict({"x": X}) == pytest.approx(DATA["y"], abs=1e-6)
    assert abs(fitted.parameters["b"]) == pytest.approx(0.7, abs=1e-5)


def test_it_is_derived_saved_and_loaded(softsign, tmp_path):
    derived = descend.derive("y ~ softsign(b*x)", columns=["x", "y"])
    assert derived.code("text") == "dJ/db = mean(2*x*(softsign(b*x) - y)/(abs(b*x) + 1)^2)"
    assert "abs(" in derived.code("sql") and "softsign" in derived.code("latex")
    fitted = descend.fit("y ~ a*softsign(b*x - m) + c", DATA)
    fitted.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json")
    assert loaded.predict({"x": X}) == pytest.approx(DATA["y"], abs=1e-6)


def test_without_a_way_to_write_it_a_database_has_its_rows_streamed(softsign):
    register(Function("softsign", softsign.build, numpy=softsign.numpy, torch=softsign.torch))
    fitted = descend.fit("y ~ a*softsign(b*x - m) + c", DATA, engine="query")
    assert abs(fitted.parameters["b"]) == pytest.approx(0.7, abs=1e-5)
    assert any("softsign" in note for note in fitted.notes)


def test_a_mere_shorthand_needs_nothing_else():
    register(Function("hill", lambda x, k, n: x**n / (k**n + x**n), arguments=(3, 3)))
    x = np.linspace(0.1, 9.0, 40)
    fitted = descend.fit("y ~ v*hill(x, k, n)", {"x": x, "y": 5.0 * x**2 / (2.0**2 + x**2)})
    del FUNCTIONS["hill"]
    assert fitted.parameters == pytest.approx({"v": 5.0, "k": 2.0, "n": 2.0}, abs=1e-5)


@pytest.mark.parametrize("entry", [*FUNCTIONS.values(), *DERIVED_ONLY.values()], ids=lambda entry: entry.name)
def test_what_calls_it_can_cross_processes(entry):
    assert pickle.loads(pickle.dumps(entry.nodes)) is entry.nodes
