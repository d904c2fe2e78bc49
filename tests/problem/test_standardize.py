"""Standardised columns: the descent is that on columns of mean 0 and spread 1, all that is reported is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import descend
from descend.errors import ConfigError

RANDOM = np.random.default_rng(0)
X = np.column_stack([RANDOM.normal(500.0, 90.0, 120), RANDOM.normal(size=120), RANDOM.normal(20.0, 6.0, 120)])
Y = X @ [0.01, 2.0, 0.3] + 5.0 + 0.5 * RANDOM.normal(size=120)
OMEGA = RANDOM.uniform(0.5, 2.0, size=120)
NAMES = ("x1", "x2", "x3")
TABLE = dict(zip(NAMES, X.T, strict=True)) | {"y": Y, "yes": (Y.mean() < Y).astype(float), "omega": OMEGA}
FORMULA = "y ~ w @ [x*] + b"
START: dict[str, Any] = {"w": [0.02, -1.0, 0.5], "b": 3.0}


def by_hand(formula: str, start: dict[str, Any], weights: str | None = None, **options: Any) -> Any:
    """Fit columns standardised by hand, and return the fit with its trace in the user's units."""
    omega = TABLE[weights] if weights else np.ones(120)
    mean = np.average(X, weights=omega, axis=0)
    spread = np.sqrt(np.average((X - mean) ** 2, weights=omega, axis=0))
    table = TABLE | dict(zip(NAMES, ((X - mean) / spread).T, strict=True))
    w = np.array(start["w"])
    begun = {"w": w * spread, "b": start["b"] + w @ mean}
    fitted = descend.fit(formula, table, start=begun, weights=weights, **options)
    back = [np.r_[step.theta[:3] / spread, step.theta[3] - (step.theta[:3] / spread) @ mean] for step in fitted.trace]
    return fitted, back


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [("gd", 0.2), ("momentum", 0.05), ("nesterov", "auto"), ("adam", 0.1), ("rmsprop", 0.05), ("lbfgs", None),
     ("newton", None), ("levenberg_marquardt", None)],
)  # fmt: skip
def test_the_trajectory_is_that_of_columns_standardised_by_hand(optimizer: str, rate: float | str | None) -> None:
    options = {"optimizer": optimizer, "learning_rate": rate, "epochs": 25}
    fitted = descend.fit(FORMULA, TABLE, start=START, standardize=True, **options)
    known, back = by_hand(FORMULA, START, **options)
    for step, other, theta in zip(fitted.trace, known.trace, back, strict=optimizer != "newton"):
        assert step.loss == pytest.approx(other.loss, rel=1e-7)
        assert step.theta == pytest.approx(theta, rel=1e-5, abs=1e-6)
    assert list(fitted.trace[0].theta) == [0.02, -1.0, 0.5, 3.0]


@pytest.mark.parametrize(
    "options",
    [
        {"weights": "omega", "optimizer": "gd", "learning_rate": 0.2},
        {"batch_size": 20, "optimizer": "gd", "learning_rate": 0.05},
        {"schedule": "cosine", "optimizer": "momentum", "learning_rate": 0.05},
        {"engine": "torch", "optimizer": "gd", "learning_rate": 0.2},
        {"loss": "huber(delta=1)", "optimizer": "gd", "learning_rate": 0.2},
    ],
    ids=lambda options: next(iter(options)),
)
def test_with_whatever_else_is_asked_for(options: dict[str, Any]) -> None:
    if options.get("engine") == "torch":
        pytest.importorskip("torch")
    fitted = descend.fit(FORMULA, TABLE, start=START, standardize=True, epochs=20, **options)
    known, back = by_hand(FORMULA, START, epochs=20, **options)
    assert fitted.trace.losses == pytest.approx(known.trace.losses, rel=1e-7)
    assert fitted.theta == pytest.approx(back[-1], rel=1e-6)


def test_logistic_too() -> None:
    formula, start = "yes ~ sigmoid(w @ [x*] + b)", {"w": [0.0, 0.0, 0.0], "b": 0.0}
    options = {"loss": "logistic", "optimizer": "gd", "learning_rate": 1.0, "epochs": 30}
    fitted = descend.fit(formula, TABLE, start=start, standardize=True, **options)
    known, back = by_hand(formula, start, **options)
    assert fitted.trace.losses == pytest.approx(known.trace.losses, rel=1e-7)
    assert fitted.theta == pytest.approx(back[-1], rel=1e-6)


def test_without_an_intercept_columns_are_scaled_to_mean_square_one() -> None:
    size = np.sqrt(np.mean(X**2, axis=0))
    scaled = TABLE | dict(zip(NAMES, (X / size).T, strict=True))
    options = {"optimizer": "gd", "learning_rate": 0.1, "epochs": 30}
    fitted = descend.fit("y ~ w @ [x*]", TABLE, start={"w": 0.0}, standardize=True, **options)
    known = descend.fit("y ~ w @ [x*]", scaled, start={"w": 0.0}, **options)
    assert fitted.trace.losses == pytest.approx(known.trace.losses)
    assert fitted.theta == pytest.approx(known.theta / size)
    assert fitted.notes == (
        "the descent ran in standardised columns, so its learning rate is one for these; no parameter is merely "
        "added, so they were scaled to mean square 1 but not centred",
    )


def test_what_is_reported_is_in_the_users_units() -> None:
    fitted = descend.fit(FORMULA, TABLE, optimizer="gd", standardize=True)
    known = descend.fit(FORMULA, TABLE)
    assert fitted.outcome == "converged"
    assert fitted.theta == pytest.approx(known.theta, rel=1e-6)
    assert fitted.standard_errors["w"] == pytest.approx(known.standard_errors["w"], rel=1e-6)
    assert fitted.predict(TABLE) == pytest.approx(known.predict(TABLE))
    step = fitted.trace[3]
    here = fitted.solution.objective(step.theta)
    assert (step.loss, step.gradient_norm) == (pytest.approx(here.loss), pytest.approx(here.norm))
    assert fitted.notes[-1] == "the descent ran in standardised columns, so its learning rate is one for these"


def test_the_gain_is_thousands_of_epochs() -> None:
    plain = descend.fit(FORMULA, TABLE, optimizer="gd", epochs=5000)
    standard = descend.fit(FORMULA, TABLE, optimizer="gd", standardize=True)
    assert standard.outcome == "converged" and standard.epochs < 60
    assert plain.outcome == "epochs_used_up" and plain.loss > 1.5 * standard.loss


def test_penalties_stay_in_the_users_units() -> None:
    for penalty in ({"l1": 0.05}, {"l2": 0.01}):
        fitted = descend.fit(FORMULA, TABLE, optimizer="momentum", standardize=True, **penalty)
        known = descend.fit(FORMULA, TABLE | {"one": np.ones(120)}, optimizer="momentum", epochs=1, **penalty)
        objective = known.solution.objective
        assert fitted.outcome == "converged"
        assert objective(fitted.theta).norm <= 1e-4 and fitted.loss == pytest.approx(objective(fitted.theta).loss)


def test_a_nonlinear_parameter_is_scaled_by_its_derivative() -> None:
    x = np.linspace(0.0, 4.0, 60)
    data = {"x": x, "y": 3000.0 * np.exp(-1.2 * x) + 500.0}
    options: dict[str, Any] = {"start": {"a": 2000.0, "b": 1.0, "c": 300.0}, "optimizer": "gd", "epochs": 2000}
    plain = descend.fit("y ~ a*exp(-b*x) + c", data, **options)
    scaled = descend.fit("y ~ a*exp(-b*x) + c", data, standardize=True, **options)
    assert scaled.loss < 1e-6 * plain.loss
    assert scaled.notes[-1] == (
        "the descent ran in standardised columns, so its learning rate is one for these; what enters nonlinearly was "
        "scaled by its derivative at the start"
    )


def test_a_function_is_scaled_as_well() -> None:
    def forward(x1: Any, x2: Any, p: Any, q: Any) -> Any:
        return p * x1 + q * x2

    def gradient(x1: Any, x2: Any, y: Any, p: Any, q: Any) -> Any:
        rest = p * x1 + q * x2 - y
        return np.mean(2 * rest * x1), np.mean(2 * rest * x2)

    options: dict[str, Any] = {"response": "y", "gradient": gradient, "start": {"p": 0.0, "q": 0.0}}
    fitted = descend.fit(forward, TABLE, optimizer="gd", standardize=True, **options)
    known = descend.fit("y ~ p*x1 + q*x2", TABLE)
    assert fitted.outcome == "converged" and fitted.theta == pytest.approx(known.theta, rel=1e-6)


def test_too_large_a_rate_is_told_in_standardised_columns() -> None:
    fitted = descend.fit(FORMULA, TABLE, optimizer="gd", learning_rate=1.5, standardize=True)
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    limit = 2.0 / np.linalg.eigvalsh(2.0 * np.corrcoef(standard.T))[-1]
    assert fitted.outcome == "diverged"
    assert f"learning rate 1.5 is above the largest stable rate {limit:.3g}: J will grow" in fitted.notes[-1]
    assert f"The largest stable rate at the start is {limit:.3g}" in fitted.advice


def test_bounds_are_refused() -> None:
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ w*x1 + b", TABLE, bounds="w > 0", optimizer="gd", standardize=True)
    assert str(error.value) == (
        "Standardised columns do not go with bounds (w > 0): an intercept takes up the means of the columns, so that "
        "its bounds would move with the others. Leave out one of the two."
    )


def test_modules_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ConfigError) as error:
        descend.fit(torch.nn.Linear(3, 1), TABLE, response="y", inputs=list(NAMES), standardize=True)
    assert str(error.value) == (
        "`standardize` is for formulas and functions: the weights of a module stand for no columns. Leave it out, and "
        "scale what the module takes, or begin it with torch.nn.BatchNorm1d."
    )
