"""Linear least squares that the rows leave open: the shortest answer, as LAPACK and scikit-learn have it."""

from __future__ import annotations

import numpy as np
import pytest

import descend


def rows(count: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return columns of different scales, and a response."""
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(count, columns)) * 10.0 ** rng.uniform(-1, 1, size=columns)
    return matrix, rng.normal(size=count)


def table(matrix: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {**{f"x{k}": column for k, column in enumerate(matrix.T)}, "y": y}


def test_repeated_columns_share_their_coefficient_as_in_lapack() -> None:
    matrix, y = rows(30, 6)
    matrix[:, 5] = matrix[:, 0] - 3.0 * matrix[:, 1]
    fit = descend.fit("y ~ w @ [x*]", table(matrix, y))
    expected = np.linalg.lstsq(matrix / 10.0, y, rcond=1e-12)[0] / 10.0
    np.testing.assert_allclose(fit.parameters["w"], expected, rtol=1e-9)
    assert fit.outcome == "converged"
    assert any("cannot be told apart" in note for note in fit.notes)


def test_an_intercept_does_not_count_as_under_a_vanishing_penalty() -> None:
    rng = np.random.default_rng(5)
    matrix, y = rng.normal(size=(40, 3)) + 5.0, rng.normal(size=40)
    matrix = np.column_stack([matrix, matrix.sum(axis=1)])
    fit = descend.fit("y ~ w @ [x*] + b", table(matrix, y))
    almost = descend.fit("y ~ w @ [x*] + b", table(matrix, y), l2=1e-9)
    np.testing.assert_allclose(fit.parameters["w"], almost.parameters["w"], rtol=1e-4)
    assert fit.parameters["b"] == pytest.approx(almost.parameters["b"], rel=1e-4)
    centred = matrix - matrix.mean(axis=0)
    np.testing.assert_allclose(fit.parameters["w"], np.linalg.lstsq(centred, y - y.mean(), rcond=1e-12)[0], rtol=1e-9)


def test_weights_of_0_leave_a_problem_open_too() -> None:
    matrix, y = rows(12, 8)
    weights = np.where(np.arange(12) < 5, 2.0, 0.0)
    fit = descend.fit("y ~ w @ [x*]", {**table(matrix, y), "omega": weights}, weights="omega")
    scaled = np.linalg.lstsq(matrix[:5], y[:5], rcond=1e-14)[0]
    np.testing.assert_allclose(matrix[:5] @ fit.parameters["w"], y[:5], rtol=1e-8)
    assert np.linalg.norm(fit.parameters["w"]) == pytest.approx(np.linalg.norm(scaled), rel=1e-8)


def test_an_estimator_agrees_with_scikit_learn_where_columns_outnumber_rows() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    from descend.estimators import FormulaRegressor

    rng = np.random.default_rng(7)
    matrix, y = rng.normal(size=(10, 25)), rng.normal(size=10)
    ours, theirs = FormulaRegressor().fit(matrix, y), linear_model.LinearRegression().fit(matrix, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)


def test_a_start_that_was_given_is_where_a_descent_begins() -> None:
    x = np.arange(10.0)
    data = {"x": x, "z": x, "y": 4.0 * x + np.cos(x)}
    fit = descend.fit("y ~ a*x + b*z", data)
    assert fit.parameters["a"] == pytest.approx(fit.parameters["b"], rel=1e-12)
    moved = descend.fit("y ~ a*x + b*z", data, start={"a": 100.0, "b": 0.0})
    assert moved.parameters["a"] - moved.parameters["b"] == pytest.approx(100.0)
