"""Functions and methods of a Python file, fitted, explained and derived from the command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from descend.cli.main import app

FILE = """
import numpy as np

class Curve:
    scale = 2.0
    def decay(self, x, a, b): return self.scale * a * np.exp(-b * x)
    @staticmethod
    def plain(x, a, b): return a * np.exp(-b * x)
    @classmethod
    def of_class(cls, x, a, b): return cls.scale * a * np.exp(-b * x)

class Sized:
    def __init__(self, size): self.size = size
    def decay(self, x, a, b): return self.size * a * np.exp(-b * x)

one = Sized(4.0)
def line(x, a, b): return a * x + b
def total(x, a): return a * np.sum(x) + x
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A file of functions, and exact data of 2 exp(-x)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(FILE)
    rows = [f"{k / 5},{2 * 2.718281828459045 ** (-k / 5)!r}" for k in range(20)]
    (tmp_path / "d.csv").write_text("\n".join(["x,y", *rows]) + "\n")
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("name", "a"), [("Curve.decay", 1.0), ("Curve.plain", 2.0), ("Curve.of_class", 1.0), ("one.decay", 0.5)]
)
def test_methods_are_fitted(folder, name, a):
    result = run("fit", f"model.py:{name}", "d.csv", "--response", "y", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["parameters"]
    assert found == pytest.approx({"a": a, "b": 1.0})


def test_what_is_no_method_is_told(folder):
    def said(name):
        return str(run("fit", f"model.py:{name}", "d.csv", "--response", "y").exception)

    assert said("Curve.deca") == (
        "`Curve` in `model.py` has no `deca`. Did you mean `decay`? It has: decay, of_class, plain."
    )
    assert said("Sized.decay") == (
        "`Sized.decay` is a method, and a `Sized` cannot be made without arguments: missing a required argument: "
        "'size'. Make one in `model.py`, such as `one = Sized(...)`, and name its method: `one.decay`."
    )
    assert said("Curv.decay").startswith("`model.py` has no `Curv`. Did you mean `Curve`?")


def test_functions_are_explained_and_derived(folder):
    result = run("explain", "model.py:line")
    assert result.stdout.startswith("y ~ a*x + b\n") and "columns     y, x" in result.stdout
    assert run("explain", "model.py:Curve.decay", "d.csv").stdout.startswith("y ~ 2*a*exp(-b*x)\n")
    result = run("derive", "model.py:line", "--in", "text")
    assert result.stdout.splitlines() == ["dJ/da = mean(2*x*(a*x + b - y))", "dJ/db = mean(2*(a*x + b - y))"]
    result = run("derive", "model.py:line", "--columns", "a,q", "--response", "q", "--in", "text")
    assert result.stdout.splitlines()[0] == "dJ/dx = mean(2*a*(b + x*a - q))"
    assert str(run("derive", "model.py:total").exception).startswith("`total` is no formula: it ")
    assert str(run("derive", "y ~ a*x", "--response", "y").exception) == (
        "`--response` names what a function predicts. A formula says that itself: leave it out."
    )
