"""Where J has corners: a descent goes on along the kinks, and ends at the minimum, which is no stall."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.options.request import Request
from descend.problem import kinks
from descend.problem.posing import pose
from descend.table import open_table

X = np.arange(30.0)
NOISE = np.random.default_rng(19).normal(size=30)


def at_each(positions, design, y):
    """Return the lowest J, by lstsq at each position of the knee, and where it is."""
    losses = []
    for position in positions:
        columns = np.column_stack(design(position))
        left = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
        losses.append(float(left @ left) / y.size)
    place = int(np.argmin(losses))
    return losses[place], positions[place]


def knee(y):
    return at_each(np.arange(0.0, 29.0, 0.01).round(2), lambda k: (np.ones(30), X, np.maximum(X - k, 0)), y)


@pytest.mark.parametrize("unit", [1.0, 1e9, 1e-9])
@pytest.mark.parametrize(
    "formula",
    [
        "a + b*x + d*max(x - k, 0)",
        "a + b*x + d*max(k - x, 0)",
        "a + b*x + d*abs(x - k)",
        "where(x < k, a + b*x, a + b*k + c*(x - k))",
        "where(x >= k, a + c*(x - k), a + b*(x - k))",
        "max(a + b*x, c + d*x)",
    ],
)
def test_a_knee_at_a_row(formula, unit):
    """All of these are the same knee, the minimum of which is the corner k = 14."""
    y = unit * (1 + 0.4 * X + 1.3 * np.maximum(X - 14, 0) - 1.5 * (X == 14) + 0.05 * NOISE)
    least, position = knee(y)
    assert position == 14.0
    fitted = descend.fit(f"y ~ {formula}", {"x": X, "y": y})
    assert fitted.outcome == "converged"
    assert fitted.loss == pytest.approx(least, rel=1e-12)
    if "k" in fitted.parameters:
        assert fitted.parameters["k"] == pytest.approx(14.0, rel=1e-12)
    assert all(number > 8.0 for number in fitted.digits.values())


def test_a_plateau_at_a_row_that_several_rows_share():
    x = np.repeat(X, 4)
    y = 1 + 0.5 * np.minimum(x, 18) + 1.2 * (x == 18) + 0.05 * np.random.default_rng(3).normal(size=120)
    least, position = at_each(np.arange(5, 28, 0.01).round(2), lambda k: (np.ones(120), np.minimum(x, k)), y)
    fitted = descend.fit("y ~ a + b*min(x, k)", {"x": x, "y": y})
    assert fitted.outcome == "converged"
    assert (fitted.parameters["k"], fitted.loss) == (position, pytest.approx(least, rel=1e-12))


def test_a_dip_that_is_a_smooth_minimum_is_left_alone():
    y = 1 + 0.4 * X + 1.3 * np.maximum(X - 14.5, 0) + 0.05 * NOISE
    fitted = descend.fit("y ~ a + b*x + d*max(x - k, 0)", {"x": X, "y": y})
    assert fitted.outcome == "converged"
    assert fitted.trace[-1].gradient_norm < 1e-9


def test_two_knees_at_rows_with_weights_and_a_bound():
    y = 1 + 0.5 * np.maximum(X - 8, 0) - 0.8 * np.maximum(X - 20, 0) - 1.0 * (X == 8) + 0.9 * (X == 20) + 0.03 * NOISE
    weights = 1.0 + (X % 3)
    root = np.sqrt(weights)
    best = np.inf
    for k in np.arange(6, 10, 0.05).round(2):
        for m in np.arange(18, 22, 0.05).round(2):
            columns = np.column_stack([np.ones(30), np.maximum(X - k, 0), np.maximum(X - m, 0)])
            found = np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0]
            best = min(best, float(weights @ (y - columns @ found) ** 2 / weights.sum()))
    data, formula = {"x": X, "y": y, "w": weights}, "y ~ a + b*max(x - k, 0) + c*max(x - m, 0)"
    for bounds in ([], ["0 <= k <= 29"]):
        fitted = descend.fit(formula, data, weights="w", bounds=bounds, start={"k": 7.0, "m": 21.0})
        assert fitted.outcome == "converged"
        assert fitted.loss <= best * (1 + 1e-9)


def test_a_corner_from_a_start_on_a_ridge_is_not_called_a_minimum():
    """From k at a row where the kink of J points up, the descent goes on to one side."""
    y = np.maximum(X - 14.3, 0) + 0.01 * NOISE
    for start in (5.0, 10.0, 14.0, 15.0, 20.0):
        fitted = descend.fit("y ~ a + b*max(x - k, 0)", {"x": X, "y": y}, start={"a": 0.0, "b": 1.0, "k": start})
        assert fitted.outcome == "converged"
        assert fitted.parameters["k"] == pytest.approx(14.3, abs=0.1)


def test_a_step_is_no_kink():
    """where(x < k, a, b + k) jumps at k, for a is b + k at none of the rows: there is nothing to slide along."""
    request = Request(model="y ~ where(x < k, a, b + k)", start={"k": 14.0, "a": -50.0, "b": 1.0})
    problem = pose(request, open_table({"x": X, "y": X + NOISE}))
    found = problem.objective.kinks
    assert found is not None and found.near(problem.start).h.size == 0


def test_the_subgradient_is_that_of_an_l1_penalty():
    """J = (t - 1)**2 + |t| has its corner at 0 only where the slope beside it is at most 1."""
    near = kinks.Near(np.zeros(1), np.ones((1, 1)), np.ones(1))
    for slope, left in ((0.5, 0.0), (-0.9, 0.0), (3.0, 2.0), (-1.5, -0.5)):

        class Point:
            theta, bounds, loss = np.zeros(1), None, 1.0

            def curved(self):
                return np.full((1, 1), 2.0)

        assert kinks._subgradient(Point(), near, np.array([slope]))[0] == pytest.approx(left)


@pytest.mark.parametrize("options", [{"standardize": True}, {"loss": "huber(delta=9)"}, {"fix": {"b": 0.38}}])
def test_so_do_options_that_leave_the_corner_where_it_is(options):
    y = 1 + 0.4 * X + 1.3 * np.maximum(X - 14, 0) - 1.5 * (X == 14) + 0.05 * NOISE
    fitted = descend.fit("y ~ a + b*x + d*max(x - k, 0)", {"x": X, "y": y}, **options)
    assert fitted.outcome == "converged"
    assert fitted.parameters["k"] == pytest.approx(14.0, rel=1e-12)


def test_a_corner_is_told():
    y = 1 + 0.4 * X + 1.3 * np.maximum(X - 14, 0) - 1.5 * (X == 14) + 0.05 * NOISE
    fitted = descend.fit("y ~ a + b*x + d*max(x - k, 0)", {"x": X, "y": y})
    assert [note for note in fitted.notes if "corner" in note] == [
        "the minimum is a corner: `x - k` is 0 in row 15, where the curve bends, so that J rises at once on both "
        "sides; standard errors take it to be smooth"
    ]
    smooth = descend.fit("y ~ a + b*x + d*max(x - k, 0)", {"x": X, "y": y + 1.5 * (X == 14) + 0.3 * np.sin(X)})
    assert smooth.outcome == "converged"
    on_row = float(smooth.parameters["k"]) in X
    assert on_row == any("corner" in note for note in smooth.notes)
