"""An arrow is a matrix: what is found with one equals what is found without, for every optimizer, loss and shape."""

from __future__ import annotations

import numpy as np
import pytest
from tests.arrows import every_grouping_an_arrow

import descend
from descend.optimizers import OPTIMIZERS

FORMULAS = {
    "own and shared": ("y ~ a[site]*exp(-b*x) + c[site] + d*z", {"a": 2.0, "b": 0.6, "c": 0.5, "d": 0.0}),
    "a coarser grouping that nests": ("y ~ a[site]*exp(-b[plate]*x) + c", {"a": 2.0, "b": 0.6, "c": 0.5}),
    "a grouping that crosses": ("y ~ a[site] + u[day] @ [x, z]", {"a": 2.0, "u": 0.0}),
    "vectors per group": ("y ~ w[site] @ [x, z] + v @ [x*z, z^2] + c", {"w": 0.0, "v": 0.0, "c": 2.0}),
}
LOSSES = ["squared", "poisson", "gamma", "huber(delta=1)", "log_cosh"]


def data(rows: int = 240, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    site = random.integers(0, 9, rows)
    x, z = random.uniform(0.2, 3.0, rows), random.normal(size=rows)
    mean = (1.5 + 0.2 * site) * np.exp(-0.6 * x) + 0.8 + 0.05 * site + 0.1 * z
    sites = np.array([f"S{number}" for number in site])
    return {
        "site": sites,
        "plate": np.array([f"P{number % 3}" for number in site]),
        "day": random.integers(0, 4, rows),
        "x": x,
        "z": z,
        "weight": random.uniform(0.5, 2.0, rows),
        "y": np.maximum(np.round(mean + 0.3 * random.normal(size=rows), 3), 0.05),
    }


def both(monkeypatch: pytest.MonkeyPatch, formula: str, **options: object) -> tuple[descend.Fit, descend.Fit]:
    """Fit with a matrix, and with an arrow."""
    matrix = descend.fit(formula, data(), **options)
    every_grouping_an_arrow(monkeypatch)
    arrow = descend.fit(formula, data(), **options)
    assert arrow.solution.objective.arrow and not matrix.solution.objective.arrow
    return matrix, arrow


def agree(one: object, other: object, share: float = 1e-9) -> None:
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    assert np.array_equal(np.isnan(one), np.isnan(other))
    size = np.nanmax(np.abs(one), initial=0.0)
    np.testing.assert_allclose(other, one, rtol=share, atol=share * size)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("formula", FORMULAS)
def test_solutions_errors_and_bands_are_those_of_the_matrix(
    formula: str, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, start = FORMULAS[formula]
    matrix, arrow = both(monkeypatch, text, start=start, loss=loss, weights="weight")
    assert arrow.outcome == matrix.outcome == "converged"
    agree(matrix.theta, arrow.theta)
    agree(matrix.loss, arrow.loss, 1e-12)
    labels = matrix.model.parameters
    agree(labels.flat(matrix.standard_errors), labels.flat(arrow.standard_errors), 1e-8)
    for kind in ("model", "sandwich") if matrix.loss_function.likelihood else ("sandwich",):
        expected, found = matrix.covariance_of(kind), arrow.covariance_of(kind)
        agree(expected.diagonal(), found.diagonal(), 1e-8)
        layout = found.layout
        agree(expected[np.ix_(layout.shared, layout.shared)], found.shared, 1e-8)
        for group in (0, layout.own.shape[1] - 1):
            own = layout.own[:, group]
            agree(expected[np.ix_(own, own)], found.blocks[:, :, group], 1e-8)
            agree(expected[np.ix_(own, layout.shared)], found.border[:, :, group], 1e-8)
    some = {name: column[:20] for name, column in data().items()}
    expected, found = (fit.predict(some, interval="confidence") for fit in (matrix, arrow))
    agree(expected.prediction, found.prediction)
    agree(expected.low, found.low, 1e-8)
    agree(matrix.aic or 0.0, arrow.aic or 0.0)
    digits = arrow.model.parameters.flat(arrow.digits) if arrow.digits else np.full(1, 14.0)
    assert digits.min() > 9.0
    assert arrow.degrees_of_freedom == matrix.degrees_of_freedom


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_takes_the_same_steps(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, start = FORMULAS["own and shared"]
    if OPTIMIZERS[optimizer].piecewise:
        pytest.skip("it follows the kinks of a loss, row by row")
    rate = {} if OPTIMIZERS.build(optimizer).uses_rate is False else {"learning_rate": 0.01}
    if optimizer == "lbfgs":
        rate = {}
    epochs = 2000 if optimizer == "lbfgs" else 40
    matrix, arrow = both(monkeypatch, text, start=start, optimizer=optimizer, epochs=epochs, **rate)
    agree(matrix.theta, arrow.theta, 1e-5 if optimizer == "lbfgs" else 1e-9)


def test_bounds_and_penalties_are_those_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    text, start = FORMULAS["own and shared"]
    bounds = ["b > 0", "c < 0.9", "a[S3] < 1.8"]
    matrix, arrow = both(monkeypatch, text, start=start | {"a": 1.5}, bounds=bounds)
    assert arrow.outcome == matrix.outcome == "converged"
    assert arrow.at_bound == matrix.at_bound != []
    agree(matrix.theta, arrow.theta, 1e-7)
    agree(matrix.covariance.diagonal(), arrow.covariance.diagonal(), 1e-6)


def test_a_ridge_is_that_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    text, start = FORMULAS["own and shared"]
    matrix, arrow = both(monkeypatch, text, start=start, l2=0.01)
    assert arrow.outcome == matrix.outcome == "converged"
    agree(matrix.theta, arrow.theta)


def test_any_two_parameters_have_the_covariance_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    from descend.inference.covariance.arrow import among

    text, start = FORMULAS["a coarser grouping that nests"]
    matrix, arrow = both(monkeypatch, text, start=start)
    places = np.array([0, 5, 9, 12, 3])
    agree(matrix.covariance[np.ix_(places, places)], among(arrow.covariance, places), 1e-8)
    for quantity in ("a[S1] - a[S2]", "a[S0]*exp(-b[P0]) + c"):
        expected, found = (fit.quantity(quantity) for fit in (matrix, arrow))
        agree([expected.value, expected.standard_error], [found.value, found.standard_error], 1e-8)


def test_profiles_are_those_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    text, start = FORMULAS["own and shared"]
    matrix, arrow = both(monkeypatch, text, start=start)
    expected, found = (fit.intervals(method="profile").labelled for fit in (matrix, arrow))
    agree([expected[label] for label in expected], [found[label] for label in expected], 1e-6)
    alone = arrow.quantity("a[S3]", method="profile").interval
    agree(expected["a[S3]"], alone, 1e-6)
