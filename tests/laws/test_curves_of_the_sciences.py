"""Curves as the sciences have them, without a start: each ends as low as SciPy does that begins at the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, linprog, minimize
from scipy.special import erf, expit

import descend

Array = np.ndarray


@dataclass(frozen=True)
class Curve:
    """A formula of x, the same in NumPy, its true parameters in the order of that, and what is measured of it.

    log: the response is the logarithm of y, which is off by shares of itself.
    """

    formula: str
    model: Callable[..., Array]
    truth: tuple[float, ...]
    x: Array
    noise: float
    log: bool = False
    unit: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Array]:
        with np.errstate(all="ignore"):
            y, off = self.model(self.x, *self.truth), np.random.default_rng(1).normal(size=self.x.size)
        return {"x": self.x, "y": self.unit * (y * np.exp(self.noise * off) if self.log else y + self.noise * off)}

    def least(self) -> float:
        """Return the lowest mean square, by SciPy from the truth, in the unit of the formula's response."""
        y, scale = self.data()["y"] / self.unit, np.where(np.array(self.truth) == 0.0, 1.0, np.array(self.truth))

        def residuals(theta):
            with np.errstate(all="ignore"):
                prediction = self.model(self.x, *theta)
                return np.log10(prediction / y) if self.log else prediction - y

        found = least_squares(
            residuals, np.array(self.truth), method="lm", x_scale=np.abs(scale), xtol=1e-15, ftol=1e-15, gtol=1e-15
        )
        return float(2.0 * found.cost / y.size) * (1.0 if self.log else self.unit**2)


def bell(x, height, middle, width):
    return height * np.exp(-(((x - middle) / width) ** 2))


def line(x, height, middle, width):
    return height / (1.0 + ((x - middle) / width) ** 2)


def step(x, height, middle, width):
    return height * expit((x - middle) / width)


def antoine(x, a, b, c):
    return 10.0 ** (a - b / (x + c))


DOSES = np.repeat([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], 2)
KELVIN = np.linspace(280.0, 370.0, 25)
EVEN = np.linspace(0.0, 90.0, 400)
CURVES = {
    "growth from nothing": Curve(
        "y ~ A*(1 - exp(-k*x))^m", lambda x, a, k, m: a * (1 - np.exp(-k * x)) ** m, (32, 0.06, 0.7),
        np.arange(0.0, 60.0, 3.0), 0.5, options={"start": {"A": 40, "k": 0.1, "m": 2}},
    ),
    "release": Curve(
        "y ~ m*(1 - exp(-(x/k)^b))", lambda x, m, k, b: m * (1 - np.exp(-((x / k) ** b))), (98, 3.0, 0.55),
        np.array([0, 0.25, 0.5, 1, 2, 4, 8, 12, 24]), 1.0, options={"start": {"m": 90, "k": 5, "b": 2}},
    ),
    "hormesis": Curve(
        "y ~ c + (d - c + f*x)/(1 + (x/k)^b)", lambda x, c, d, f, k, b: c + (d - c + f * x) / (1 + (x / k) ** b),
        (1, 20, 8, 3, 2.2), DOSES, 0.6,
    ),
    "adsorption": Curve(
        "y ~ m*(k*x)^n/(1 + (k*x)^n)", lambda x, m, k, n: m * (k * x) ** n / (1 + (k * x) ** n), (6, 1.2, 0.6),
        DOSES / 10, 0.05, options={"start": {"m": 1, "k": 5, "n": 2.5}},
    ),
    "dose by its logarithm": Curve(
        "y ~ b + (u - b)/(1 + 10^((l - log10(x))*h))", lambda x, b, u, e, h: b + (u - b) / (1 + (10**e / x) ** h),
        (90, 10, 0.3, 1.1), DOSES, 1.0,
    ),
    "bolus": Curve(
        "y ~ a*x^b*exp(-x/k)", lambda x, a, b, k: a * x**b * np.exp(-x / k), (4, 1.6, 3.5), np.arange(30.0), 0.4
    ),
    "three exponentials": Curve(
        "y ~ a*exp(-k*x) + b*exp(-l*x) + c*exp(-m*x)",
        lambda x, a, k, b, q, c, m: a * np.exp(-k * x) + b * np.exp(-q * x) + c * np.exp(-m * x),
        (50, 1, 30, 0.15, 20, 0.02), np.linspace(0, 100, 400), 0.1,
    ),
    "three steps": Curve(
        "y ~ a*sigmoid((x-m)/s) + b*sigmoid((x-n)/t) + d*sigmoid((x-o)/u)",
        lambda x, *p: step(x, *p[:3]) + step(x, *p[3:6]) + step(x, *p[6:]),
        (2, 15, 1.5, 3, 44, 2.5, 1.5, 70, 2), EVEN, 0.08,
    ),
    "a bell and a line": Curve(
        "y ~ a*exp(-((x-m)/s)^2) + b/(1 + ((x-n)/t)^2)", lambda x, *p: bell(x, *p[:3]) + line(x, *p[3:]),
        (5, 30, 4, 3, 55, 3), EVEN, 0.1,
    ),
    "bells of one width": Curve(
        "y ~ a*exp(-((x-m)/s)^2) + b*exp(-((x-n)/s)^2) + d*exp(-((x-o)/s)^2)",
        lambda x, a, m, b, n, d, o, s: bell(x, a, m, s) + bell(x, b, n, s) + bell(x, d, o, s),
        (4, 25, 2, 45, 3, 80, 4), EVEN, 0.1,
    ),
    "rise and fall": Curve(
        "y ~ c + a*(exp(-x/p) - exp(-x/q))", lambda x, c, a, p, q: c + a * (np.exp(-x / p) - np.exp(-x / q)),
        (1, 5, 20, 3), np.linspace(0, 60, 120), 0.05,
    ),
    "vapour pressure in GPa": Curve(
        "log10(y) ~ A - B/(x + C)", antoine, (10.2, 1730, -39.7), KELVIN, 0.004, log=True, unit=1e-9
    ),
    "vapour pressure in µPa": Curve(
        "y ~ 10^(A - B/(x + C))", antoine, (1.2, 173, -39.7), KELVIN, 0.01, unit=1e6
    ),
    "flicker noise": Curve(
        "log10(y) ~ log10(a/x^b + c)", lambda x, a, b, c: a / x**b + c, (1e3, 0.9, 2), np.logspace(0, 4, 60), 0.05,
        log=True, unit=1e-12,
    ),
    "a diode": Curve(
        "y ~ s*(exp(x/(n*0.02585)) - 1)", lambda x, s, n: s * (np.exp(x / (n * 0.02585)) - 1), (2, 1.6),
        np.linspace(0, 0.7, 36), 1e3, unit=1e-12,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
def test_ends_as_low_as_from_the_truth(name):
    curve = CURVES[name]
    fit = descend.fit(curve.formula, curve.data(), **curve.options)
    assert fit.outcome == "converged"
    assert fit.loss <= curve.least() * (1.0 + 1e-6)


def outcomes(probability: Array, seed: int) -> Array:
    return (np.random.default_rng(seed).random(probability.size) < probability).astype(float)


DETECTED = np.repeat([1.0, 2, 3, 5, 8, 12, 20], 30)
PROBABILITIES = {
    "y ~ g + (1 - g - l)*sigmoid((x - m)/s)": (
        lambda x, g, e, m, s: g + (1 - g - e) * expit((x - m) / s), (0.1, 0.05, 8, 1.5)
    ),
    "y ~ c + (1 - c)*(1 - exp(-k*x))": (lambda x, c, k: c + (1 - c) * (1 - np.exp(-k * x)), (0.1, 0.15)),
    "y ~ 0.5 + 0.5*erf((log(x) - m)/s)": (lambda x, m, s: 0.5 + 0.5 * erf((np.log(x) - m) / s), (1.8, 1.1)),
    "y ~ 1 - exp(-exp(a + b*x))": (lambda x, a, b: 1 - np.exp(-np.exp(a + b * x)), (-2, 0.2)),
    "y ~ x^s/(k^s + x^s)": (lambda x, s, k: x**s / (k**s + x**s), (1.8, 7)),
}  # fmt: skip


@pytest.mark.parametrize("formula", PROBABILITIES)
def test_probabilities_end_at_the_most_likely(formula):
    model, truth = PROBABILITIES[formula]
    y = outcomes(model(DETECTED, *truth), 3)

    def surprise(theta):
        with np.errstate(all="ignore"):
            p = model(DETECTED, *theta)
            found = -np.mean(np.where(y == 1.0, np.log(p), np.log1p(-p)))
        return found if np.isfinite(found) else 1e9

    theta = np.array(truth)
    for _ in range(3):
        theta = minimize(surprise, theta, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}).x
    fit = descend.fit(formula, {"x": DETECTED, "y": y}, loss="logistic")
    assert fit.outcome == "converged"
    assert fit.loss <= surprise(theta) * (1.0 + 1e-7)


@pytest.mark.parametrize("unit", [1.0, 1e-9])
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.95])
def test_quantiles_of_wages_end_at_the_vertex(quantile, unit):
    random = np.random.default_rng(70)
    school, work = random.integers(8, 20, 300).astype(float), random.uniform(0, 40, 300)
    y = np.exp(0.5 + 0.08 * school + 0.03 * work - 0.0005 * work**2 + 0.4 * random.normal(size=300))
    design, size = np.column_stack([np.ones(300), school, work, work**2]), 300
    cost = np.r_[np.zeros(4), np.full(size, quantile), np.full(size, 1 - quantile)] / size
    equal = np.hstack([design, np.eye(size), -np.eye(size)])
    least = linprog(cost, A_eq=equal, b_eq=y, bounds=[(None, None)] * 4 + [(0, None)] * (2 * size)).fun
    fit = descend.fit(
        "y ~ a + b*school + c*work + d*work^2", {"school": school, "work": work, "y": unit * y},
        loss=f"pinball(quantile={quantile})",
    )  # fmt: skip
    assert fit.outcome == "converged"
    assert fit.loss <= unit * least * (1.0 + 1e-9)
