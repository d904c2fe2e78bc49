"""A traced formula counts only if it is what the function computes."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.tracing.proof import Pair

X = np.linspace(0.1, 10.0, 60)
START = np.array([1.0, 2.0])


def decay(theta, columns):
    return theta[0] * np.exp(-theta[1] * columns["x"])


def pair(function, **options):
    return Pair(function, decay, **options)


def test_the_same_in_another_order_of_rounding_is_the_same():
    other = pair(lambda theta, columns: np.exp(np.log(np.abs(theta[0])) - columns["x"] * theta[1]) * np.sign(theta[0]))
    assert other.difference(START, {"x": X}) is None
    assert other.difference_after(START, [2 * START], {"x": X}) is None


def test_where_rounding_takes_most_digits_the_two_may_part_as_far():
    def cancelling(theta, columns):
        u = 1e7 + theta[0] * columns["x"]
        return u * u - 1e14

    def same(theta, columns):
        return (1e7 + theta[0] * columns["x"]) ** 2 - 1e14

    assert Pair(cancelling, same).difference(START, {"x": X}) is None


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda t, c: decay(t, c) * (1 + 1e-9 * c["x"]), "is not what a formula makes of it: their values differ"),
        (lambda t, c: decay(t, c) + 1e-9 * t[0], "is not what a formula makes of it: their values differ"),
        (lambda t, c: decay(t, c) * (len(c["x"]) / 60), "is not what a formula makes of it: their values differ"),
        (
            lambda t, c: decay(t, c) + np.random.default_rng().normal(),
            "returns something else each time it is called",
        ),
        (lambda t, c: np.full(len(c["x"]), np.nan), "has no value in most rows, whatever its parameters"),
        (lambda t, c: {}["u"], "raises KeyError whatever its parameters"),
        (
            lambda t, c: decay(t, c).astype(np.float32).astype(float),
            "is not what a formula makes of it: their values differ",
        ),
    ],
)
def test_what_is_not_the_same_is_found_out(function, reason):
    assert pair(function).difference(START, {"x": X}) == reason


def test_a_value_in_one_row_of_many_is_found_out_at_the_solution():
    x = np.linspace(0.0, 1.0, 100_000)

    def with_one_other(theta, columns):
        return decay(theta, columns) + (columns["x"] == x[77_777])

    assert pair(with_one_other).difference(START, {"x": x}) is None
    said = pair(with_one_other).difference_after(START, [], {"x": x})
    assert said == "is not what a formula makes of it: their values differ"


def test_a_function_may_refuse_parameters_and_have_no_value_in_some_rows():
    def refusing(theta, columns):
        if theta[1] < 0:
            raise ValueError("b must be positive")
        return np.where(columns["x"] > 0.2, decay(theta, columns), np.nan)

    assert pair(refusing).difference(START, {"x": X}) is None
    assert pair(refusing).difference_after(START, [-START], {"x": X}) == "has no value where the fit ended"
    assert pair(refusing).difference_after(-START, [], {"x": X}) == "raises ValueError where the fit ended"


def test_a_function_that_changes_its_arguments_leaves_the_columns_as_they_are():
    def in_place(theta, columns):
        x = columns["x"]
        x *= -theta[1]
        return theta[0] * np.exp(x)

    x = X.copy()
    assert pair(in_place).difference(START, {"x": x}) is None
    assert (x == X).all()


def test_both_sides_of_a_branch_are_looked_at():
    def branching(theta, columns):
        return decay(theta, columns) if theta[0] > -1.5 else columns["x"]

    given = {"x": X}
    assert pair(branching).difference(START, given) is None
    conditions = lambda theta, columns: [np.atleast_1d(theta[0] < 0)]  # noqa: E731
    said = pair(branching, conditions=conditions).difference(np.array([3.0, 1.0]), given)
    assert said == "is not what a formula makes of it: their values differ"


def test_points_lie_within_bounds():
    def careful(theta, columns):
        assert (theta >= 0.5).all() and (theta <= 3.0).all()
        return decay(theta, columns) + (1e-3 if theta[0] == 3.0 else 0.0)

    low, high = np.array([0.5, 0.5]), np.array([3.0, 3.0])
    said = pair(careful, low=low, high=high, conditions=lambda theta, columns: [np.atleast_1d(theta[0] > 2.9)])
    assert said.difference(START, {"x": X}) == "is not what a formula makes of it: their values differ"


def hidden(x, a, b):
    """Another function where the text of a number is "3.0", which no trace sees."""
    return a * x + b if f"{a:.1f}" != "3.0" else a * x + b + 0.01 * x


def test_a_function_that_is_another_at_the_solution_is_fitted_by_calling_it():
    x = np.arange(8.0)
    fit = descend.fit(hidden, {"x": x, "y": 3.0 * x + 1.0}, response="y", start={"a": 1.0, "b": 0.0})
    note = "is not what a formula makes of it: their values differ, so its gradient is numeric"
    assert f"`hidden` is no formula: it {note}" in fit.notes
    assert fit.gradient == "numeric"
    assert fit.parameters["a"] == pytest.approx(2.99, abs=1e-6)


def refusing(x, a, k, c):
    if c > 0.1:
        raise ValueError("c is at most 0.1")
    return a * np.exp(-k * x) + c


def without_value(x, a, k, c):
    return np.full_like(x, np.nan) if c > 0.1 else a * np.exp(-k * x) + c


@pytest.mark.parametrize(
    ("function", "reason"),
    [(refusing, "raises ValueError where the fit ended"), (without_value, "has no value where the fit ended")],
)
def test_a_function_that_refuses_the_best_parameters_is_fitted_where_it_has_values(function, reason):
    y = 2.0 * np.exp(-0.7 * X) + 0.3
    fit = descend.fit(function, {"x": X, "y": y}, response="y")
    assert f"`{function.__name__}` is no formula: it {reason}, so its gradient is numeric" in fit.notes
    assert fit.parameters["c"] <= 0.1
    within = descend.fit(function, {"x": X, "y": y - 0.25}, response="y", start={"a": 1.0, "k": 1.0, "c": 0.0})
    assert within.gradient == "derived"
    assert within.parameters == pytest.approx({"a": 2.0, "k": 0.7, "c": 0.05}, rel=1e-9)


def test_a_penalty_for_bad_parameters_becomes_part_of_the_formula():
    def penal(x, a, k, c):
        return np.full(x.shape, 1e10) if k < 0 else a * np.exp(-k * x) + c

    fit = descend.fit(penal, {"x": X, "y": 2.0 * np.exp(-0.7 * X) + 0.3}, response="y")
    assert fit.gradient == "derived"
    assert fit.parameters == pytest.approx({"a": 2.0, "k": 0.7, "c": 0.3}, rel=1e-9)


def test_a_formula_that_is_refused_is_fitted_by_calling_the_function():
    def step(x, a, m):
        return np.where(x < m, a, 0.0)

    fit = descend.fit(step, {"x": X, "y": np.where(X < 4.0, 2.0, 0.0)}, response="y", start={"a": 1.0, "m": 4.0})
    reason = "`m` stands only in a condition, where no gradient can find it"
    note = f"`step` is no formula: it gives a formula that is refused ({reason}), so its gradient is numeric"
    assert note in fit.notes
    assert fit.parameters["a"] == pytest.approx(2.0)


def test_a_run_that_was_stopped_is_not_begun_anew():
    def decay(x, a, b):
        if a > 1.2:
            raise ValueError("a is too large")
        return a * np.exp(-b * x)

    seen = []

    def stop(step):
        seen.append(step)
        if len(seen) == 3:
            raise StopIteration

    x = np.linspace(0.1, 4.0, 50)
    data = {"x": x, "y": 2.5 * np.exp(-1.3 * x)}
    fit = descend.fit(decay, data, response="y", start={"a": 1.0, "b": 1.0}, on_step=stop)
    assert str(fit.outcome) == "interrupted"
    assert fit.solution.model.formula is not None
