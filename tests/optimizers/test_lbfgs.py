"""L-BFGS with its line search: how few evaluations it takes, and how close to the minimum it comes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares
from tests.optimizers import problems

from descend.optimizers.lbfgs import LBFGS


def relative_gradient(last):
    """The gradient in units where every parameter has curvature 1 and J is 1."""
    curvature = last.at(last.theta, order=2).curvature
    return np.max(np.abs(last.gradient) / np.sqrt(curvature.diagonal() * last.loss))


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1e6, 1e-3), (1e-9, 1e9)])
def test_linear_least_squares_takes_a_step_or_two_in_any_units(scales):
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=(200, 2)) * scales, np.ones(200)])
    y = X @ [2 / scales[0], -3 / scales[1], 1] + random.normal(size=200)
    run = problems.run("lbfgs", problems.linear(X, y), np.zeros(3))
    exact = np.linalg.lstsq(X / [*scales, 1], y, rcond=None)[0] / [*scales, 1]
    np.testing.assert_allclose(run.thetas[1], exact, rtol=1e-8)
    np.testing.assert_allclose(run.last.theta, exact, rtol=1e-12)
    assert len(run.thetas) <= 3


@pytest.mark.parametrize("start", [(1.0, 1.0, 0.0), (0.0, 0.0, 0.0), (10.0, 10.0, -5.0), (100.0, 0.01, 0.0)])
def test_exponential_decay_is_fitted_to_rounding(start):
    x = np.linspace(0.0, 4.0, 100)
    y = 2.5 * np.exp(-1.3 * x) + 0.5 + 0.05 * np.random.default_rng(1).normal(size=100)
    judge = least_squares(lambda t: t[0] * np.exp(-t[1] * x) + t[2] - y, [2.5, 1.3, 0.5], xtol=1e-15, ftol=1e-15)
    run = problems.run("lbfgs", problems.exponential(), start, steps=60)
    np.testing.assert_allclose(run.last.theta, judge.x, rtol=1e-7)
    assert relative_gradient(run.last) < 1e-14
    assert run.evaluations < 100


@given(start=st.tuples(st.floats(-5, 5), st.floats(-5, 5)))
def test_rosenbrock_from_anywhere(start):
    run = problems.run("lbfgs", problems.ROSENBROCK, start, steps=150)
    np.testing.assert_allclose(run.last.theta, [1.0, 1.0], rtol=1e-8)


def test_the_loss_never_rises_by_more_than_rounding():
    run = problems.run("lbfgs", problems.ROSENBROCK, [-1.2, 1.0], steps=100)
    losses = [problems.ROSENBROCK(theta)[0] for theta in run.thetas]
    assert all(after <= before * (1 + 1e-13) for before, after in pairwise(losses))


def test_certified_values_of_nist_misra1a():
    # NIST StRD, Misra1a, from its first and harder start.
    x = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
    y = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
    objective = problems.least_squares(
        lambda a, b: a * (1 - np.exp(-b * x)) - y, lambda a, b: [1 - np.exp(-b * x), a * x * np.exp(-b * x)]
    )
    run = problems.run("lbfgs", objective, [500.0, 0.0001], steps=60)
    np.testing.assert_allclose(run.last.theta, [2.3894212918e02, 5.5015643181e-04], rtol=1e-9)


def test_parameters_that_cannot_be_told_apart_still_get_a_fit():
    x = np.linspace(1.0, 2.0, 20)
    objective = problems.least_squares(lambda a, b: a * b * x - 3 * x, lambda a, b: [b * x, a * x])
    run = problems.run("lbfgs", objective, [1.0, 1.0], steps=50)
    assert np.prod(run.last.theta) == pytest.approx(3.0, rel=1e-9)


def test_a_start_where_one_parameter_has_no_effect_is_left_behind():
    run = problems.run("lbfgs", problems.exponential(noise=0.0), [0.0, 0.5, 0.0], steps=60)
    np.testing.assert_allclose(run.last.theta, [2.5, 1.3, 0.5], rtol=1e-8)


def test_a_loss_without_curvature_at_the_start():
    # Huber's loss, every row an outlier at the start: its weight, and so the curvature, is 0 there.
    X = np.random.default_rng(2).normal(size=(300, 3))
    y = X @ [1000.0, -2000.0, 500.0]

    def objective(theta):
        r = X @ theta - y
        loss = np.where(np.abs(r) <= 1, r * r / 2, np.abs(r) - 0.5).mean()
        return float(loss), X.T @ np.clip(r, -1, 1) / 300, (X * (np.abs(r) <= 1)[:, None]).T @ X / 300

    assert not objective(np.zeros(3))[2].any()
    run = problems.run("lbfgs", objective, np.zeros(3), steps=100)
    np.testing.assert_allclose(run.last.theta, [1000.0, -2000.0, 500.0], rtol=1e-9)


def test_overflow_on_the_way_means_a_shorter_step():
    x = np.linspace(0.0, 10.0, 50)
    y = np.exp(0.5 * x)
    objective = problems.least_squares(lambda a: np.exp(a * x) - y, lambda a: [x * np.exp(a * x)])
    run = problems.run("lbfgs", objective, [-5.0], steps=100)
    np.testing.assert_allclose(run.last.theta, [0.5], rtol=1e-9)


@pytest.mark.parametrize(
    ("objective", "start"),
    [
        (problems.quadratic(np.eye(2), [1.0, 2.0]), [5.0, 5.0]),
        (problems.exponential(), [1.0, 1.0, 0.0]),
        (problems.ROSENBROCK, [0.0, 0.0]),
    ],
)
def test_returns_the_same_theta_where_it_can_go_no_further(objective, start):
    run = problems.run("lbfgs", objective, start, steps=100)
    theta, state = LBFGS().step(run.last, run.state)
    assert theta is run.last.theta and state is run.state


def test_many_parameters_are_fitted_without_asking_for_their_curvature():
    diagonal = 10.0 ** np.random.default_rng(3).uniform(-1, 1, size=1200)

    class Uncurved(problems.Evaluated):
        def at(self, theta, order=1):
            assert order < 2
            return super().at(theta, order)

    def objective(theta):
        gradient = diagonal * (theta - 1.0)
        return float(gradient @ (theta - 1.0)) / 2.0, gradient, None

    here = Uncurved(objective, np.zeros(1200), 1, 1.0, 0.0, [0])
    state = LBFGS().init(here.theta)
    for _ in range(100):
        theta, state = LBFGS().step(here, state)
        here = here.at(theta)
    np.testing.assert_allclose(here.theta, 1.0, rtol=1e-6)
