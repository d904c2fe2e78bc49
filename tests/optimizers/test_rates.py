"""What `--learning-rate auto` picks, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optimizers import problems

from descend.optimizers import OPTIMIZERS
from descend.optimizers.curvature import damped_inverse, largest_curvature

TEXTBOOK_X = np.arange(100) / 10
TEXTBOOK = problems.linear(TEXTBOOK_X[:, None], 2 * TEXTBOOK_X + 1)
CURVATURE = 2 * np.mean(TEXTBOOK_X**2)


@pytest.mark.parametrize(("name", "share"), [("gd", 1.0), ("momentum", 0.1), ("nesterov", 0.1)])
def test_rate_of_the_textbook_line(name, share):
    optimizer = OPTIMIZERS.build(name)
    rate = optimizer.suggested_rate(problems.start(TEXTBOOK, [0.0]))
    assert rate == pytest.approx(share / CURVATURE)
    assert rate < optimizer.largest_stable_rate(CURVATURE)


def test_largest_stable_rate_of_the_textbook_line():
    assert round(OPTIMIZERS.build("gd").largest_stable_rate(CURVATURE), 4) == 0.0305


@pytest.mark.parametrize(("name", "share"), [("adagrad", 2), ("rmsprop", 100), ("adam", 10), ("adamw", 10)])
def test_adaptive_methods_take_a_share_of_the_way_to_the_minimum(name, share):
    minimum = np.mean(TEXTBOOK_X * (2 * TEXTBOOK_X + 1)) / np.mean(TEXTBOOK_X**2)
    rate = OPTIMIZERS.build(name).suggested_rate(problems.start(TEXTBOOK, [0.0]))
    assert rate == pytest.approx(minimum / share)


@pytest.mark.parametrize("name", ["gd", "adam"])
def test_is_halved_until_a_step_does_not_raise_the_loss(name):
    # The curvature at the start is that of exp(-8); a step of 1/L overshoots by far.
    x = np.linspace(0.0, 4.0, 30)
    objective = problems.least_squares(lambda a: np.exp(a * x) - np.exp(x), lambda a: [x * np.exp(a * x)])
    start = problems.start(objective, [-2.0])
    rate = OPTIMIZERS.build(name).suggested_rate(start)
    step = start.gradient if name == "gd" else np.sign(start.gradient)
    assert objective(start.theta - rate * step)[0] <= start.loss < objective(start.theta - 2 * rate * step)[0]


@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("start", [[0.0, 0.0], [30.0, 40.0]])
def test_without_a_curvature_the_first_step_is_no_longer_than_theta(name, start):
    def absolute(theta):
        return float(np.abs(theta - 1000.0).sum()), np.sign(theta - 1000.0), np.zeros((2, 2))

    first = problems.start(absolute, start)
    rate = OPTIMIZERS.build(name).suggested_rate(first)
    assert 0 < rate <= max(1.0, np.abs(start).max())


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_a_start_at_the_minimum_still_gets_a_rate(name):
    start = problems.start(problems.quadratic(np.eye(2), [1.0, 2.0]), [1.0, 2.0])
    assert OPTIMIZERS.build(name).suggested_rate(start) > 0


def test_l1_counts_in_the_trial_step():
    start = problems.start(problems.quadratic(np.eye(2), [3.0, 0.2]), [5.0, 5.0], l1=1.0)
    assert OPTIMIZERS.build("gd").suggested_rate(start) == 1.0


def test_inverse_of_a_curvature_in_odd_units():
    scale = np.diag([1e9, 1e-9, 1.0])
    C = scale @ np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 1.0]]) @ scale
    np.testing.assert_allclose(scale @ damped_inverse(C) @ C @ np.linalg.inv(scale), np.eye(3), atol=1e-8)


def test_inverse_of_a_curvature_that_is_none():
    assert damped_inverse(None) is None
    assert damped_inverse(np.zeros((2, 2))) is None
    assert damped_inverse(np.full((2, 2), np.nan)) is None
    assert damped_inverse(np.diag([1.0, -1.0])) is None
    np.testing.assert_array_equal(damped_inverse(np.array([[1.0, 9.0], [9.0, 4.0]])), [1.0, 0.25])


def test_inverse_where_one_parameter_has_no_effect():
    np.testing.assert_allclose(damped_inverse(np.diag([4.0, 0.0])), np.diag([0.25, 1.0]), rtol=1e-9)


def test_largest_curvature():
    assert largest_curvature(np.array([[2.0, 1.0], [1.0, 2.0]])) == pytest.approx(3.0)
    assert largest_curvature(np.zeros((2, 2))) is None
    assert largest_curvature(np.full((2, 2), np.inf)) is None
    assert largest_curvature(None) is None
