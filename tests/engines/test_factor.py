"""Order 3: the triangle of the Jacobian holds curvature and gradient, for every loss, formula and engine."""

from __future__ import annotations

import numpy as np
import pytest
from tests.laws.ranges import PLAIN, within

import descend.engines.numpy_engine as numpy_engine
import descend.engines.torch_engine as torch_engine
from descend.formula import read_formula
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.by_hand import by_hand
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.problem.objective import objective_over
from descend.table.rows import Roles, Rows

FORMULAS = {
    "y ~ a*x": [0.7],
    "y ~ a*exp(-b*x) + c": [1.5, 0.6, 0.8],
    "y ~ w @ [x, z, x*z] + c": [0.3, 0.2, 0.1, 0.9],
    "y ~ exp(w @ [x, z])": [0.3, -0.2],
    "y ~ c": [0.4],
}
ENGINES = {"numpy": numpy_engine.NumpyEngine, "torch": torch_engine.TorchEngine}
every_engine = pytest.mark.parametrize("engine", ENGINES)


def columns(rows=60, response=(0.0, 1.0)):
    rng = np.random.default_rng(3)
    weights = np.where(rng.random(rows) < 0.2, 0.0, rng.uniform(0.1, 5.0, rows))
    return {
        "x": rng.uniform(0.1, 2.0, rows),
        "z": rng.uniform(0.1, 1.0, rows),
        "y": rng.uniform(*response, rows),
        "omega": weights,
    }


def program(text, loss="squared"):
    built = LOSSES.build(loss)
    return derived(read_formula(within(text, built), ("x", "z", "y", "omega")), built)


def assert_same(totals, factored):
    """R'R is the curvature and R'q the gradient, R being upper triangular."""
    factor = factored.factor
    upper, right = factor[:-1, :-1], factor[:-1, -1]
    assert factored.gradient is None and factored.curvature is None
    np.testing.assert_array_equal(factor, np.triu(factor))
    assert factored.loss == pytest.approx(totals.loss, rel=1e-12)
    assert factored.rows == totals.rows
    size = np.abs(totals.curvature).max()
    np.testing.assert_allclose(upper.T @ upper, totals.curvature, rtol=1e-11, atol=1e-12 * size)
    size = np.linalg.norm(factor[:, -1]) * np.sqrt(size)
    np.testing.assert_allclose(upper.T @ right, totals.gradient, rtol=1e-11, atol=1e-12 * size)


@every_engine
@pytest.mark.parametrize("weights", [None, "omega"])
@pytest.mark.parametrize("loss", PLAIN)
@pytest.mark.parametrize("text", FORMULAS)
def test_holds_curvature_and_gradient(text, loss, weights, engine):
    sums = ENGINES[engine](program(text, loss), Rows.of(columns(), Roles(weights)))
    theta = np.array(FORMULAS[text])
    assert sums.factors
    assert_same(sums.evaluate(theta, 2), sums.evaluate(theta, 3))


@every_engine
@pytest.mark.parametrize("block", [7, 2, 1])
def test_blocks_are_joined_without_loss(engine, block, monkeypatch):
    what, theta = program("y ~ a*exp(-b*x) + c"), np.array([1.5, 0.6, 0.8])
    whole = ENGINES[engine](what, Rows.of(columns(), Roles("omega"))).evaluate(theta, 3)
    monkeypatch.setattr({"numpy": numpy_engine, "torch": torch_engine}[engine], "BLOCK", block)
    parts = ENGINES[engine](what, Rows.of(columns(), Roles("omega"))).evaluate(theta, 3)
    signs = np.sign(whole.factor.diagonal() * parts.factor.diagonal())
    np.testing.assert_allclose(parts.factor * signs[:, None], whole.factor, rtol=1e-11, atol=1e-13)


@every_engine
def test_sums_over_the_rows_asked_for(engine):
    what, theta, rows = program("y ~ a*exp(-b*x) + c"), np.array([1.5, 0.6, 0.8]), np.array([3, 8, 21, 40, 55])
    sums = ENGINES[engine](what, Rows(columns()))
    assert_same(sums.evaluate(theta, 2, rows), sums.evaluate(theta, 3, rows))


@every_engine
def test_fewer_rows_than_parameters_still_make_a_square(engine):
    sums = ENGINES[engine](program("y ~ w @ [x, z, x*z] + c"), Rows(columns(rows=2)))
    factored = sums.evaluate(np.array([0.3, 0.2, 0.1, 0.9]), 3)
    assert factored.factor.shape == (5, 5)
    assert_same(sums.evaluate(np.array([0.3, 0.2, 0.1, 0.9]), 2), factored)


@every_engine
def test_keeps_the_digits_that_squaring_loses(engine):
    x = np.array([1.0, 2.0, 3.0])
    z = x * (1.0 + 1e-10 * np.array([1.0, 0.0, -1.0]))  # J'J is singular to rounding, J is not
    sums = ENGINES[engine](program("y ~ a*x + b*z"), Rows({"x": x, "z": z, "y": x}))
    factor = sums.evaluate(np.zeros(2), 3).factor[:-1, :-1]
    exact = np.linalg.svd(np.sqrt(2.0) * np.column_stack([x, z]), compute_uv=False)
    np.testing.assert_allclose(np.linalg.svd(factor, compute_uv=False), exact, rtol=1e-5)


@every_engine
def test_a_weight_that_underflows_where_the_slope_does_not_leaves_no_factor(engine):
    # Scores of 800 where y is 0: slope 1, weight sigmoid(800)*sigmoid(-800) = 0. Order 2 has the gradient.
    data = {"x": np.array([1.0, 800.0]), "y": np.zeros(2)}
    sums = ENGINES[engine](derived(read_formula("y ~ a*x", ("x", "y")), LOSSES.build("logistic")), Rows(data))
    theta = np.ones(1)
    assert np.isnan(sums.evaluate(theta, 3).factor).all()
    point = objective_over(sums)(theta, 3)
    assert point.factor is None
    assert point.gradient[0] == pytest.approx((1 / (1 + np.exp(-1)) + 800.0) / 2)


DECAY = "y ~ a*exp(-b*x) + c"
BY_HAND = (
    "a = mean(2*exp(-b*x)*(a*exp(-b*x) + c - y))",
    "b = mean(-2*a*x*exp(-b*x)*(a*exp(-b*x) + c - y))",
    "c = mean(2*(a*exp(-b*x) + c - y))",
)
HALF = tuple(f"{name} = mean({inside[5:-1]}/2)" for name, inside in (text.split(" = ") for text in BY_HAND))


@every_engine
@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("texts", [BY_HAND, HALF], ids=["right", "half"])
def test_a_gradient_by_hand_stays_what_it_is_beside_the_factor(engine, penalty, texts):
    from descend.problem.penalty import Penalty

    what = by_hand(read_formula(DECAY, ("x", "y")), LOSSES.build("squared"), texts, ("x", "y"))
    objective = objective_over(ENGINES[engine](what, Rows(columns())), Penalty(np.zeros(3), np.full(3, penalty)))
    theta = np.array([1.5, 0.6, 0.8])
    squared, factored = objective(theta, 2), objective(theta.copy(), 3)
    upper, right = factored.factor[:-1, :-1], factored.factor[:-1, -1]
    np.testing.assert_allclose(upper.T @ upper, squared.curvature, rtol=1e-11)
    np.testing.assert_allclose(upper.T @ right, squared.gradient, rtol=1e-11)
    np.testing.assert_allclose(factored.gradient, squared.gradient, rtol=1e-12)


@pytest.mark.parametrize("loss", PLAIN)
def test_autograd_has_a_factor_beside_its_gradient(loss):
    what, theta = program(DECAY, loss), np.array([1.5, 0.6, 0.8])
    objective = objective_over(torch_engine.TorchEngine(autograd_of_formula(what), Rows.of(columns(), Roles("omega"))))
    squared, factored = objective(theta, 2), objective(theta.copy(), 3)
    upper, right = factored.factor[:-1, :-1], factored.factor[:-1, -1]
    np.testing.assert_allclose(factored.gradient, squared.gradient, rtol=1e-12)
    np.testing.assert_allclose(upper.T @ upper, squared.curvature, rtol=1e-10, atol=1e-14)
    if squared.curvature.any():
        np.testing.assert_allclose(upper.T @ right, squared.gradient, rtol=1e-9)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_the_objective_adds_the_l2_penalty_as_rows(penalty):
    from descend.problem.penalty import Penalty

    what, theta = program("y ~ a*exp(-b*x) + c"), np.array([1.5, 0.6, 0.8])
    sums = numpy_engine.NumpyEngine(what, Rows(columns()))
    penalties = Penalty(np.zeros(3), penalty * np.array([1.0, 1.0, 0.0]))
    squared, factored = objective_over(sums, penalties)(theta, 2), objective_over(sums, penalties)(theta, 3)
    assert factored.loss == pytest.approx(squared.loss, rel=1e-14)
    np.testing.assert_allclose(factored.gradient, squared.gradient, rtol=1e-12)
    np.testing.assert_allclose(factored.curvature, squared.curvature, rtol=1e-12)
