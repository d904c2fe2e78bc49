"""The system of a whole step under an l1 penalty, against scikit-learn's lasso and the conditions of a minimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend
from descend.optimizers import damped_l1_system

SAME = {
    "columns twice": lambda x: np.c_[x, x],
    "a constant beside the intercept": lambda x: np.c_[x, np.full(len(x), 7.0)],
    "a column of zeros": lambda x: np.c_[x, np.zeros(len(x))],
    "one for each of five levels": lambda x: np.eye(5)[np.arange(len(x)) % 5],
    "powers up to 11": lambda x: np.linspace(0.0, 1.0, len(x))[:, None] ** np.arange(12),
    "more columns than rows": lambda x: np.c_[x[:15], np.random.default_rng(1).integers(-1, 2, (15, 20))],
    "ten powers of ten apart": lambda x: np.c_[x * 1e-5, x * 1e5],
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("penalty", [1e-4, 0.1])
def test_columns_that_say_the_same_have_a_minimum_too(name, penalty):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) + 1.0
    matrix, y = SAME[name](x), x @ [1.0, 2.0, 0.0] + rng.normal(size=200)
    y = y[: len(matrix)]
    fit = descend.fit("y ~ w @ [*] + b", {f"x{k}": column for k, column in enumerate(matrix.T)} | {"y": y}, l1=penalty)
    w = np.ravel(fit.parameters["w"])
    slope = 2.0 * matrix.T @ (matrix @ w + fit.parameters["b"] - y) / len(y)
    rounding = 1e-9 * (1.0 + np.abs(matrix).mean(axis=0) * np.abs(matrix @ w).max())
    assert np.all(np.abs(slope) <= penalty + rounding)
    np.testing.assert_array_less(np.abs(slope + penalty * np.sign(w))[w != 0.0], rounding[w != 0.0])


def problem(seed, rows, columns):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, columns)) + 0.8 * rng.normal(size=(rows, 1))
    truth = rng.normal(size=columns) * (rng.uniform(size=columns) < 0.4)
    return matrix, matrix @ truth + rng.normal(size=rows)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(1e-3, 3.0), st.booleans())
def test_no_direction_descends_from_the_answer(seed, columns, penalty, free):
    matrix, y = problem(seed, 30, columns)
    moments, right, l1 = matrix.T @ matrix / 30, matrix.T @ y / 30, np.full(columns, penalty)
    l1[0] *= not free
    for solve in (damped_l1_system.least_sparse, damped_l1_system._one_by_one):
        u = solve(moments, right, l1, np.zeros(columns))
        slope = moments @ u - right
        assert np.all(np.abs(slope[u == 0.0]) <= l1[u == 0.0] + 1e-9)
        np.testing.assert_allclose(slope[u != 0.0], -(l1 * np.sign(u))[u != 0.0], atol=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(100, 50), (30, 100)])
def test_lasso_of_more_columns_than_rows_too(rows, columns):
    linear_model = pytest.importorskip("sklearn.linear_model")
    matrix, y = problem(1, rows, columns)
    theirs = linear_model.Lasso(alpha=0.1, fit_intercept=False, tol=1e-13, max_iter=1_000_000).fit(matrix, y).coef_
    moments, right = matrix.T @ matrix / rows, matrix.T @ y / rows
    ours = damped_l1_system.least_sparse(moments, right, np.full(columns, 0.1), np.zeros(columns))
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_a_lasso_takes_two_steps_and_its_zeros_are_zeros():
    matrix, y = problem(2, 200, 20)
    data = {f"x{k}": column for k, column in enumerate(matrix.T)} | {"y": y}
    fit = descend.fit("y ~ w @ [x*] + b", data, l1=0.4)
    assert fit.outcome == "converged" and fit.epochs <= 3 and fit.optimizer == "levenberg_marquardt"
    assert (fit.parameters["w"] == 0.0).any()
    slow = descend.fit("y ~ w @ [x*] + b", data, l1=0.4, optimizer="momentum", tolerance=1e-10)
    np.testing.assert_allclose(fit.parameters["w"], slow.parameters["w"], atol=1e-6)
    assert fit.loss <= slow.loss + 1e-12


def test_an_l1_penalty_on_counts_and_on_a_curve():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 6))
    data = {f"x{k}": column for k, column in enumerate(x.T)}
    data["y"] = rng.poisson(np.exp(0.5 * x[:, 0] - 0.3 * x[:, 1] + 0.2)).astype(float)
    counts = descend.fit("y ~ exp(w @ [x*] + b)", data, loss="poisson", l1=0.1)
    slow = descend.fit("y ~ exp(w @ [x*] + b)", data, loss="poisson", l1=0.1, optimizer="momentum", tolerance=1e-9)
    assert counts.outcome == "converged" and np.array_equal(counts.parameters["w"] == 0.0, slow.parameters["w"] == 0.0)
    np.testing.assert_allclose(counts.parameters["w"], slow.parameters["w"], atol=1e-5)

    t = np.linspace(0.0, 4.0, 60)
    curve = {"t": t, "y": 2.0 * np.exp(-t) + 0.01 * rng.normal(size=60)}
    start = {"a": 1.0, "b": 0.5, "c": 0.1}
    fit = descend.fit("y ~ a*exp(-b*t) + c*t", curve, start=start, l1=0.01)
    slow = descend.fit("y ~ a*exp(-b*t) + c*t", curve, start=start, l1=0.01, optimizer="momentum", tolerance=1e-9)
    assert fit.outcome == "converged" and fit.loss == pytest.approx(slow.loss, rel=1e-8)


def test_levenberg_marquardt_within_bounds_leaves_an_l1_penalty_to_first_derivatives():
    data = {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 3.9, 6.1, 8.0]}
    with pytest.raises(descend.ConfigError) as caught:
        descend.fit("y ~ w*x + b", data, l1=0.1, bounds=["w > 0"], optimizer="levenberg_marquardt")
    assert str(caught.value) == (
        "The optimizer `levenberg_marquardt` follows an l1 penalty of a formula without bounds or groups of "
        "parameters. Use one of: gd, momentum."
    )
    assert descend.fit("y ~ w*x + b", data, l1=0.1, bounds=["w > 0"]).optimizer == "momentum"
