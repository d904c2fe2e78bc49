"""In other units, and from another origin, the same curve is found: without a start, with bounds, inside logarithms."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.linspace(0.1, 10.0, 60)
NOISE = np.random.default_rng(0).normal(size=60)
INVERSE = {"y": lambda v: v, "log(y)": np.exp, "log10(y)": lambda v: 10.0**v, "sqrt(y)": np.square}
UNITS = [(1e9, 1.0), (1.0, 1e9), (1e-9, 1e-12), (1.0, 1e-70)]
"""What x and y are multiplied by."""
CURVES = {
    "y ~ a*exp(-b*x) + c": {"a": 5.0, "b": 0.7, "c": 1.0},
    "y ~ a*exp(-b*x) + c*exp(-d*x)": {"a": 5.0, "b": 0.3, "c": 4.0, "d": 2.0},
    "y ~ a*exp(-((x - m)/s)^2) + c": {"a": 5.0, "m": 4.0, "s": 1.0, "c": 1.0},
    "y ~ a/(1 + (x/k)^h)": {"a": 5.0, "k": 3.0, "h": 2.5},
    "y ~ v*x/(k + x)": {"v": 5.0, "k": 2.0},
    "y ~ a*sin(w*x + p) + c": {"a": 5.0, "w": 2.2, "p": 1.0, "c": 1.0},
    "y ~ sqrt(a^2 + (b*x)^2)": {"a": 5.0, "b": 2.0},
    "y ~ a*exp(-exp(b - c*x))": {"a": 8.0, "b": 2.0, "c": 0.8},
    "y ~ 1/(a + b*x)": {"a": 1.0, "b": 0.4},
    "y ~ 10^(A - B/(C + x))": {"A": 2.0, "B": 10.0, "C": 6.0},
    "y ~ exp(a + b*x) + c": {"a": -3.0, "b": 0.6, "c": 2.0},
    "log10(y) ~ A - B/(C + x)": {"A": 4.0, "B": 20.0, "C": 6.0},
    "log(y) ~ log(a/(1 + (x/k)^2) + c)": {"a": 5.0, "k": 2.0, "c": 0.2},
    "log(y) ~ log(a) - log(1 + exp((x - m)/w))": {"a": 8.0, "m": 6.0, "w": 0.7},
    "log10(y) ~ log10(a*exp(-b*x) + c)": {"a": 8.0, "b": 0.6, "c": 0.7},
    "sqrt(y) ~ sqrt(a*exp(-b*x) + c)": {"a": 8.0, "b": 0.6, "c": 0.7},
}


def made(formula, truth):
    """X, y by the formula with some noise, and the least loss from the truth."""
    left, right = formula.split(" ~ ")
    names = {name: np.full(X.size, value) for name, value in truth.items()}
    curve = descend.generate(f"y = {right}", {"x": X, **names})["y"]
    y = INVERSE[left](curve)
    y = y + 0.03 * np.std(y) * NOISE if left == "y" else y * (1.0 + 0.03 * NOISE)
    return y, descend.fit(formula, {"x": X, "y": y}, start=truth).loss


def scaled(formula, loss, unit):
    """The loss of the formula for y in another unit."""
    left = formula.split(" ~ ")[0]
    return loss * {"y": unit**2, "sqrt(y)": unit}.get(left, 1.0)


@pytest.mark.parametrize("formula", CURVES)
def test_units_do_not_matter(formula):
    y, least = made(formula, CURVES[formula])
    for x_unit, y_unit in UNITS:
        fit = descend.fit(formula, {"x": X * x_unit, "y": y * y_unit})
        assert fit.outcome == "converged", (x_unit, y_unit)
        assert fit.loss <= scaled(formula, least, y_unit) * (1.0 + 1e-6), (x_unit, y_unit)


@pytest.mark.parametrize(
    "formula", ["y ~ a*exp(-b*x) + c", "y ~ a*exp(-((x - m)/s)^2) + c", "log(y) ~ log(a/(1 + (x/k)^2) + c)"]
)
def test_units_do_not_matter_within_bounds(formula):
    y, least = made(formula, CURVES[formula])
    for x_unit, y_unit in UNITS[:3]:
        bounds = [f"{name} > 0" for name in CURVES[formula]]
        fit = descend.fit(formula, {"x": X * x_unit, "y": y * y_unit}, bounds=bounds)
        assert fit.outcome == "converged", (x_unit, y_unit)
        assert fit.loss <= scaled(formula, least, y_unit) * (1.0 + 1e-6), (x_unit, y_unit)


@pytest.mark.parametrize("size", [1e-150, 1e150])
@pytest.mark.parametrize("formula", [*CURVES][:6])
def test_values_of_any_size_are_data(formula, size):
    y, least = made(formula, CURVES[formula])
    fit = descend.fit(formula, {"x": X, "y": y * size})
    assert fit.outcome == "converged"
    assert fit.loss <= least * size**2 * (1.0 + 1e-6)


MOVED = {
    "y ~ a*exp(-((x - m)/s)^2) + c": lambda x: 5.0 * np.exp(-(((x - 4.0) / 0.6) ** 2)) + 1.0,
    "y ~ a/(1 + exp(-(b + c*x)))": lambda x: 5.0 / (1.0 + np.exp(-(x - 4.0) / 0.6)),
    "y ~ a*tanh(b*x + c) + d": lambda x: 2.0 * np.tanh(2.2 * (x - 3.0)) + 3.0,
    "y ~ a*exp(-exp(b - c*x))": lambda x: 5.0 * np.exp(-np.exp(2.0 - 0.8 * x)),
    "y ~ a*sin(w*x + p) + c": lambda x: 2.0 * np.sin(2.2 * x + 1.0) + 3.0,
    "y ~ exp(a + b*x)": lambda x: 5.0 * np.exp(0.2 * x),
}


@pytest.mark.parametrize("formula", MOVED)
def test_the_origin_does_not_matter(formula):
    y = MOVED[formula](X) + 0.05 * NOISE
    least = descend.fit(formula, {"x": X, "y": y}).loss
    for origin in (-100.0, 2000.0, 2_459_000.0):
        fit = descend.fit(formula, {"x": X + origin, "y": y})
        assert fit.outcome == "converged", origin
        assert fit.loss <= least * (1.0 + 1e-6), origin
