"""All second derivatives in one pass: they are those by differences of gradients, or there are none."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.engines import numpy_engine
from descend.optimizers.second_derivatives import hessian_at
from descend.problem.objective import Held

RNG = np.random.default_rng(0)
X = RNG.uniform(0.0, 4.0, 3_000)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + RNG.normal(0.0, 0.1, X.size)
DATA = {"x": X, "y": Y, "w": RNG.uniform(0.5, 2.0, X.size), "k": RNG.poisson(np.exp(0.3 + 0.4 * X)).astype(float)}
DATA |= {"positive": np.abs(Y) + 0.01, "zero": np.where(X < 0.1, 0.0, X)}
DECAY = "y ~ a*exp(-b*x) + c"
CASES = [
    (DECAY, {}),
    (DECAY, {"weights": "w"}),
    (DECAY, {"l2": 0.01}),
    (DECAY, {"loss": "cauchy"}),
    (DECAY, {"priors": ["b ~ student_t(3, 1, 0.1)"]}),
    ("k ~ exp(a + b*x)", {"loss": "poisson"}),
    ("positive ~ a*exp(-b*x) + c", {"loss": "gamma"}),
    ("y ~ a*x^b + c", {}),
    ("y ~ a/(1 + (x/m)^h) + c", {}),
]


def beside_the_minimum(formula, options):
    solution = descend.fit(formula, DATA, **options).solution
    return solution.objective, 1.01 * solution.theta


def by_differences(point, monkeypatch):
    monkeypatch.setattr(numpy_engine, "WORTH", np.inf)
    return hessian_at(point)


@pytest.mark.parametrize(("formula", "options"), CASES)
def test_one_pass_has_what_differences_have(formula, options, monkeypatch):
    objective, theta = beside_the_minimum(formula, options)
    monkeypatch.setattr(numpy_engine, "WORTH", 0)
    point, passes = objective(theta, 2), objective.passes
    assert point.second_derivatives() is not None and objective.passes == passes + 1
    exact, scale = hessian_at(point)
    differences, same = by_differences(point, monkeypatch)
    assert (scale == same).all() and objective.passes >= passes + 2 + 2 * theta.size
    assert exact == pytest.approx(differences, abs=1e-6 * np.abs(differences).max())


def test_parameters_that_are_held_have_none(monkeypatch):
    objective, theta = beside_the_minimum(DECAY, {})
    monkeypatch.setattr(numpy_engine, "WORTH", 0)
    held = Held(objective, theta, np.array([True, False, True]))
    point = held(theta[[0, 2]], 2)
    assert hessian_at(point)[0] == pytest.approx(by_differences(point, monkeypatch)[0], rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ a*zero^b + c", {"start": {"a": -1.0, "b": 0.5, "c": 2.0}}),  # takes a limit where the column is 0
        (DECAY, {"loss": "absolute"}),
        ("y ~ v @ [x, k] + c", {}),
        ("y ~ a + b*max(x - m, 0)", {"start": {"a": 2.0, "b": -1.0, "m": 1.0}}),  # J curves by how many rows bend
        (DECAY, {"gradient": "a = mean(2*exp(-b*x)*(a*exp(-b*x) + c - y)); b = 0*a; c = 0*a", "epochs": 1}),
    ],
)
def test_what_is_not_plain_has_none(formula, options, monkeypatch):
    objective, theta = beside_the_minimum(formula, options)
    monkeypatch.setattr(numpy_engine, "WORTH", 0)
    assert objective(theta, 2).second_derivatives() is None
