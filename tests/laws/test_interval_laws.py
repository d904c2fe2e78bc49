"""An interval is wider the higher its level, and holds the estimate, whatever the formula, the loss and the method."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import special

import descend

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
X = np.array([0.02, 0.06, 0.11, 0.22, 0.35, 0.56, 1.1, 1.6, 2.2, 3.1])
FORMULAS = {
    "y ~ a + b*x": {"a": 1.0, "b": 0.5},
    "y ~ exp(a + b*x)": {"a": 1.0, "b": 0.3},
    "y ~ a*x/(k + x)": {"a": 3.0, "k": 0.2},
    "y ~ a*exp(-b*x) + c": {"a": 4.0, "b": 1.5, "c": 2.0},
    "y ~ a*exp(-b*x) + c*exp(-d*x)": {"a": 5.0, "b": 4.0, "c": 6.0, "d": 0.3},
    "y ~ a*(1 - exp(-b*(x - c)))": {"a": 4.0, "b": 1.0, "c": -0.5},
    "y ~ a/(1 + exp(-b*(x - c)))": {"a": 4.0, "b": 2.0, "c": 0.5},
    "y ~ a*x^b + c": {"a": 2.0, "b": 0.5, "c": 1.0},
}
LOSSES = ("squared", "sigma", "bounds", "poisson", "logistic")


def fitted(formula, loss, seed):
    """Fit data made by the formula itself; None where they leave a parameter undetermined."""
    random, truth, x = np.random.default_rng([seed, 8]), FORMULAS[formula], np.tile(X, 30 if loss == "logistic" else 1)
    mean = eval(formula.partition("~")[2].replace("^", "**"), {"exp": np.exp, "x": x}, truth)
    options = {}
    if loss == "poisson":
        y, options = random.poisson(30.0 * mean).astype(float), {"loss": "poisson"}
    elif loss == "logistic":
        y, options = (random.random(x.size) < special.expit(mean - 2.0)).astype(float), {"loss": "logistic"}
    else:
        y = mean + 0.25 * random.normal(size=x.size)
        if loss == "bounds":
            options = {"bounds": {name: (None, 1.1 * value) for name, value in truth.items() if value > 0.0}}
    data = {"x": x, "y": y, "s": np.full(x.size, 0.25)}
    fit = descend.fit(formula, data, **options, **({"sigma": "s"} if loss == "sigma" else {}))
    return fit if fit.outcome == "converged" and fit.standard_errors is not None and not fit.undetermined else None


def is_no_narrower(fit, method):
    """Assert that each interval holds the estimate and all those of lower levels."""
    try:
        found = [fit.intervals(level, method) for level in LEVELS]
    except descend.ConfigError as error:
        assert "There is a better fit" in str(error)
        return
    for name, value in fit.parameters.items():
        if np.isnan(found[0][name][0]):
            continue  # at its bound there is no t interval
        lows, highs = zip(*(each[name] for each in found), strict=True)
        slack = 1e-6 * (highs[0] - lows[0]) if np.isfinite(highs[0] - lows[0]) else 0.0
        assert lows[0] <= value <= highs[0]
        assert all(outer <= inner + slack for inner, outer in itertools.pairwise(lows)), (name, lows)
        assert all(outer >= inner - slack for inner, outer in itertools.pairwise(highs)), (name, highs)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_higher_level_is_no_narrower(formula, loss):
    for seed in range(2):
        fit = fitted(formula, loss, seed)
        for method in ("t", "profile") if fit is not None else ():
            is_no_narrower(fit, method)


def barely_determined(seed, loss):
    """Fit two exponentials of nearly the same rate, which twenty rows hardly tell apart."""
    random, x = np.random.default_rng([7, seed]), np.linspace(0.0, 5.0, 20)
    mean = 3.0 * np.exp(-0.4 * x) + 2.0 * np.exp(-0.8 * x)
    y = mean + 0.05 * random.normal(size=20) if loss == "squared" else random.poisson(40.0 * mean).astype(float)
    start = {"a1": 3.0, "b1": 0.4, "a2": 2.0, "b2": 0.8} | ({"a1": 120.0, "a2": 80.0} if loss == "poisson" else {})
    return descend.fit("y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", {"x": x, "y": y}, start=start, loss=loss)


@pytest.mark.parametrize(
    ("seed", "loss"),
    [(0, "squared"), *(pytest.param(seed, "squared", marks=pytest.mark.slow) for seed in range(1, 12)),
     *(pytest.param(seed, "poisson", marks=pytest.mark.slow) for seed in range(4))],
)  # fmt: skip
def test_a_higher_level_is_no_narrower_where_hardly_anything_is_determined(seed, loss):
    fit = barely_determined(seed, loss)
    if fit.standard_errors is not None:
        is_no_narrower(fit, "profile")


@pytest.mark.parametrize("seed", range(3))
def test_a_higher_level_is_no_narrower_for_decaying_counts(seed):
    x = np.linspace(0.0, 5.0, 20)
    y = np.random.default_rng([7, seed]).poisson(60.0 * np.exp(-0.9 * x) + 7.0).astype(float)
    is_no_narrower(descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, loss="poisson"), "profile")


def test_in_which_order_levels_are_asked_for_hardly_matters():
    up, down = barely_determined(0, "squared"), barely_determined(0, "squared")
    rising = [up.intervals(level, "profile") for level in LEVELS]
    falling = [down.intervals(level, "profile") for level in reversed(LEVELS)][::-1]
    for one, other in zip(rising, falling, strict=True):
        for name, ends in one.items():
            assert ends == pytest.approx(other[name], rel=1e-3)  # b1 ends where two valleys meet
