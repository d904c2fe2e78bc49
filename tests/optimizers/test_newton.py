"""Newton's method: Fisher scoring, and what becomes of it where there is no minimum."""

from __future__ import annotations

import numpy as np
import pytest

from descend import fit
from descend.formula.printers.filled import short

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=60)
COUNTS = RANDOM.poisson(np.exp(1.0 + 0.5 * X)).astype(float)
CHANCE = (RANDOM.uniform(size=60) < 1.0 / (1.0 + np.exp(-X))).astype(float)


def scored(y, mean, variance):
    """Iteratively reweighted least squares, as the textbooks write it."""
    design, theta = np.column_stack([np.ones(60), X]), np.zeros(2)
    for _ in range(50):
        score = design @ theta
        weight = variance(score)
        theta = theta + np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (y - mean(score)))
    return theta


def test_poisson_is_fisher_scoring():
    fitted = fit("y ~ exp(a + b*x)", {"x": X, "y": COUNTS}, loss="poisson", optimizer="newton", start={"a": 0, "b": 0})
    assert fitted.outcome == "converged"
    assert fitted.epochs < 15
    assert fitted.theta == pytest.approx(scored(COUNTS, np.exp, np.exp), rel=1e-12)


def test_logistic_is_fisher_scoring():
    def chance(score):
        return 1.0 / (1.0 + np.exp(-score))

    fitted = fit("y ~ a + b*x", {"x": X, "y": CHANCE}, loss="logistic", optimizer="newton")
    assert fitted.outcome == "converged"
    assert fitted.theta == pytest.approx(scored(CHANCE, chance, lambda s: chance(s) * chance(-s)), rel=1e-11)


def test_squared_is_gauss_newton_with_halving():
    y = 3.0 * np.exp(-0.8 * X) + 1.0 + 0.1 * np.random.default_rng(2).normal(size=60)
    data, start = {"x": X, "y": y}, {"a": 1.0, "b": 1.0, "c": 0.0}
    ours = fit("y ~ a*exp(-b*x) + c", data, optimizer="newton", start=start)
    other = fit("y ~ a*exp(-b*x) + c", data, optimizer="levenberg_marquardt", start=start)
    assert ours.outcome == "converged"
    assert ours.theta == pytest.approx(other.theta, rel=1e-10)


@pytest.mark.parametrize("optimizer", [None, "lbfgs"])
@pytest.mark.parametrize("formula", ["y ~ a + b*x", "y ~ sigmoid(a + b*x)"])
def test_separated_data_are_no_converged_fit(formula, optimizer):
    fitted = fit(formula, {"x": X, "y": (X > 0.2).astype(float)}, loss="logistic", optimizer=optimizer)
    a, b = (short(abs(value)) for value in fitted.theta)
    assert fitted.outcome == "stalled"
    assert fitted.advice == (
        f"The data are separated by {b}*x - {a}: it is positive exactly where `y` is 1. The loss falls for as long as "
        "the parameters grow, so there is no best fit. Add a penalty with `l2`, or more data."
    )


def test_a_group_of_one_outcome_only_is_noticed():
    z = (np.arange(60) % 6 == 0).astype(float)
    data = {"x": X, "z": z, "y": np.where(z > 0.0, 1.0, CHANCE)}
    fitted = fit("y ~ a + b*x + c*z", data, loss="logistic")
    assert fitted.outcome == "stalled"
    assert fitted.advice == (
        "The data are separated: with c towards infinity, 10 of 60 rows are predicted ever better and none worse. The "
        "loss falls for as long as that goes on, so there is no best fit. Add a penalty with `l2`, hold a parameter "
        "with `bounds` or `fix`, or use more data."
    )


def test_a_penalty_gives_separated_data_a_minimum():
    fitted = fit("y ~ a + b*x", {"x": X, "y": (X > 0.2).astype(float)}, loss="logistic", l2=0.01)
    assert fitted.outcome == "converged"


def test_what_is_nearly_certain_but_overlaps_has_a_minimum():
    y = (X > 0.2).astype(float)
    y[np.argmin(np.abs(X))] = 1.0
    fitted = fit("y ~ a + b*x", {"x": X, "y": y}, loss="logistic")
    assert fitted.outcome == "converged"
