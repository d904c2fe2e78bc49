"""The digits that a fit vouches for, held against the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.nist import read

import descend

FILES = sorted((Path(__file__).parent / "nist").glob("*.dat"))


def true_digits(found: float, exact: float) -> float:
    return float(-np.log10(max(abs(found / exact - 1.0), 1e-16)))


@pytest.mark.parametrize("epochs", [3, 10, 100, 1000])
@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_a_linear_model_stopped_early(line, optimizer, epochs):
    X = np.column_stack([line["x"], np.ones(100)])
    exact = np.linalg.lstsq(X, line["y"])[0]
    fit = descend.fit("y ~ w*x + b", line, optimizer=optimizer, epochs=epochs)
    for name, value in zip(("w", "b"), exact, strict=True):
        true = max(0.0, true_digits(fit.parameters[name], value))
        assert min(true, 14.0) - 1.0 <= min(fit.digits[name], 14.0) <= true + 0.3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nist_problems_near_their_certified_values(path):
    problem = read(path)
    near = {name: row[2] * 1.003 for name, row in problem.table.items()}
    stopped = descend.fit(problem.formula, dict(problem.columns), start=near, epochs=2)
    done = descend.fit(problem.formula, dict(problem.columns), start=near)
    for name, row in problem.table.items():
        true = true_digits(stopped.parameters[name], row[2])
        assert stopped.digits[name] <= min(true, 10.0) + 1.0 or true > 10.0
        assert stopped.digits[name] >= min(true, 10.0) - 1.2
        assert done.digits[name] >= 10.0


@pytest.mark.parametrize(("loss", "formula"), [("logistic", "y ~ a + b*x"), ("poisson", "y ~ exp(a + b*x)")])
def test_convex_losses_stopped_early(loss, formula):
    random = np.random.default_rng(1)
    x = random.normal(size=100)
    y = random.poisson(np.exp(0.5 + 0.5 * x)).astype(float)
    data = {"x": x, "y": np.minimum(y, 1.0) if loss == "logistic" else y}
    exact = descend.fit(formula, data, loss=loss)
    for epochs in (5, 20, 80):
        fit = descend.fit(formula, data, loss=loss, optimizer="gd", epochs=epochs, start={"a": 0.0, "b": 0.0})
        for name, value in exact.parameters.items():
            assert fit.digits[name] == pytest.approx(max(0.0, true_digits(fit.parameters[name], value)), abs=1.0)


def test_rounding_sets_the_limit():
    """A polynomial that loses ten digits to its columns."""
    x = np.linspace(1.0, 2.0, 40)
    powers = " + ".join(f"c{k}*x^{k}" for k in range(1, 8))
    fit = descend.fit(f"y ~ c0 + {powers}", {"x": x, "y": np.cos(3 * x)})
    assert all(5.0 < number < 12.0 for number in fit.digits.values())


def test_what_is_fixed_tied_undetermined_or_at_a_bound(line):
    fit = descend.fit("y ~ w*x + b + c", line, fix={"c": 1.0})
    assert np.isnan(fit.digits["c"]) and fit.digits["w"] > 13
    stopped = descend.fit("y ~ w*x + b", line, ties={"b": "0.5*w"}, optimizer="gd", epochs=20)
    assert stopped.digits["b"] == pytest.approx(stopped.digits["w"], abs=0.01)
    assert descend.fit("y ~ w*x + b", line, bounds=["b >= 5"]).digits["b"] > 15
    decay = {"x": line["x"], "y": np.exp(-0.3 * line["x"])}
    redundant = descend.fit("y ~ a*exp(b + c*x)", decay)
    assert (redundant.digits["a"], redundant.digits["b"]) == (0.0, 0.0) and redundant.digits["c"] > 10


def test_vectors_and_the_model_file(line, tmp_path):
    data = {"x1": line["x"], "x2": line["x"] ** 2, "y": line["y"]}
    fit = descend.fit("y ~ v @ [x1, x2]", data, optimizer="gd", epochs=50)
    assert fit.digits["v"].shape == (2,)
    fit.save(tmp_path / "fit.json")
    stored = json.loads((tmp_path / "fit.json").read_text())["digits"]["v"]
    assert stored == pytest.approx(fit.digits["v"], abs=0.051)
    np.testing.assert_array_equal(descend.load(tmp_path / "fit.json").digits["v"], stored)


def test_none_where_it_cannot_be_told(line):
    assert descend.fit("y ~ w*x + b", line, loss="absolute").digits is None
    assert descend.fit("y ~ w*x", line, optimizer="gd", learning_rate=1.0, start={"w": 0.0}).digits is None


def test_penalties_are_part_of_what_is_least(line):
    x, y, n = line["x"], line["y"], 100
    exact = (x @ y / n) / (x @ x / n + 0.5)
    fit = descend.fit("y ~ w*x", line, l2=0.5, optimizer="gd", epochs=5)
    assert fit.digits["w"] == pytest.approx(true_digits(fit.parameters["w"], exact), abs=0.5)


def even_peak(x):
    return 2 * np.exp(-((x / 0.3) ** 2)) + 0.05 * np.cos(20 * x)


@pytest.mark.parametrize(
    ("formula", "name", "y"),
    [
        ("y ~ a*exp(-((x - m)/s)^2)", "m", even_peak),
        ("y ~ a/(1 + ((x - m)/s)^2)", "m", even_peak),
        ("y ~ a*x + b", "b", lambda x: 2 * x),
        ("y ~ a*x + b", "a", lambda x: np.cos(9 * x)),
        ("y ~ a*x^2 + b*x + c", "b", lambda x: 3 * x**2 - 1),
        ("y ~ a*x^2 + b*x + c", "b", lambda x: 1e9 * (3 * x**2 - 1)),
        ("y ~ a*sin(3*x) + b*cos(3*x)", "b", lambda x: 4 * np.sin(3 * x) + 0.3 * np.sin(9 * x)),
        ("y ~ a*tanh((x - m)/s) + c", "m", lambda x: 2 * np.tanh(x / 0.4) + 0.1 * np.sin(9 * x)),
    ],
)
def test_what_is_zero_by_symmetry_is_known_to_be(formula, name, y):
    x = np.linspace(-1.0, 1.0, 41)
    fitted = descend.fit(formula, {"x": x, "y": y(x)}, start={"m": 0.1, "s": 0.5} if "/s" in formula else None)
    assert fitted.outcome == "converged"
    assert all(number > 8.0 for number in fitted.digits.values())
    assert abs(fitted.parameters[name]) < 1e-6 * max(abs(y(x)))


@pytest.mark.parametrize("first", [0.0, 17_000.0, 2_459_000.0])
@pytest.mark.parametrize(
    "formula", ["a*sin(0.7*x - b) + c", "a*cos(0.7*x) + b*sin(0.7*x) + c", "a*exp(cos(0.7*x - b))"]
)
def test_the_rounding_of_an_argument_counts(formula, first):
    """Seven digits of x are whole periods, which a sine loses; the rest is there, and held against a shifted x."""
    x = first + np.arange(0.0, 150.0, 0.7)
    y = 27 + 7 * np.sin(0.7 * (x - first) + 1) + np.random.default_rng(39).normal(size=x.size)
    fitted = descend.fit(f"y ~ {formula}", {"x": x, "y": y})
    assert all(16.0 - np.log10(first + 1.0) - 3.5 < number for number in fitted.digits.values())
    near = descend.fit(f"y ~ {formula}", {"x": x - first, "y": y})
    assert fitted.loss == pytest.approx(near.loss, rel=1e-9)


def test_a_run_that_stops_early_near_zero_claims_nothing():
    x = np.linspace(-1.0, 1.0, 41)
    data = {"x": x, "y": 3 + 2 * x}
    fitted = descend.fit("y ~ a*x + b", data, optimizer="gd", epochs=1, learning_rate=1e-3, start={"a": 0.0, "b": 0.0})
    assert all(number < 1.0 for number in fitted.digits.values())


def test_what_is_tied_among_very_many_groups_has_the_errors_and_digits_of_what_it_is_tied_to():
    random = np.random.default_rng(0)
    group, x = np.repeat(np.arange(320), 5), random.uniform(0.0, 5.0, 1600)
    y = random.uniform(1.0, 3.0, 320)[group] * np.exp(-0.5 * x) + 0.005 + 0.02 * random.normal(size=1600)
    data = {"x": x, "y": y, "g": np.char.add("s", group.astype(str))}
    fit = descend.fit("y ~ a[g]*exp(-b*x) + c", data, ties="c = b/100")
    assert fit.standard_errors["c"] == pytest.approx(fit.standard_errors["b"] / 100.0)
    assert fit.digits["c"] == fit.digits["b"] > 8.0
