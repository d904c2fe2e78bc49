"""Sums whose terms are found one after the other, and waves of any frequency, without a start."""

from __future__ import annotations

import numpy as np
import pytest

import descend

X = np.linspace(0.0, 100.0, 400)
NOISE = np.random.default_rng(0).normal(size=20_000)


def bell(x, height, middle, width):
    return height * np.exp(-(((x - middle) / width) ** 2))


def lorentz(x, height, middle, width):
    return height / (1.0 + ((x - middle) / width) ** 2)


def bells(count):
    return " + ".join(f"a{k}*exp(-((x - m{k})/s{k})^2)" for k in range(1, count + 1))


def lorentzians(count):
    return " + ".join(f"a{k}/(1 + ((x - m{k})/s{k})^2)" for k in range(1, count + 1))


SUMS = {
    "three bells, far apart": (
        bells(3),
        {"a1": 3.6, "m1": 27.7, "s1": 3.0, "a2": 1.4, "m2": 73.2, "s2": 2.1, "a3": 1.6, "m3": 89.1, "s3": 1.2},
    ),
    "three bells, two of them overlapping": (
        bells(3),
        {"a1": 0.9, "m1": 40.0, "s1": 6.7, "a2": 1.4, "m2": 56.7, "s2": 5.8, "a3": 0.5, "m3": 70.0, "s3": 5.0},
    ),
    "two bells on a slope": (
        f"{bells(2)} + c*x + d",
        {"a1": 3.1, "m1": 33.0, "s1": 8.0, "a2": 2.2, "m2": 52.0, "s2": 5.0, "c": 0.04, "d": 1.0},
    ),
    "five resonances": (
        f"{lorentzians(5)} + c",
        {"a1": 3, "m1": 15, "s1": 2, "a2": 2, "m2": 25, "s2": 1, "a3": 1, "m3": 50, "s3": 1.5, "a4": 4, "m4": 70,
         "s4": 3, "a5": 3, "m5": 77, "s5": 2, "c": 1.0},
    ),
    "two steps": (
        "a1*tanh((x - m1)/s1) + a2*tanh((x - m2)/s2) + c",
        {"a1": 1.0, "m1": 30.0, "s1": 2.0, "a2": 2.0, "m2": 70.0, "s2": 1.0, "c": 0.5},
    ),
    "a bell on a decay": (
        "a*exp(-k*x) + b*exp(-((x - m)/s)^2) + c", {"a": 10.0, "k": 0.1, "b": 2.0, "m": 30.0, "s": 3.0, "c": 0.5}
    ),
    "a bell and a resonance": (
        "a*exp(-((x - m)/s)^2) + b/(1 + ((x - n)/u)^2) + c",
        {"a": 3.0, "m": 40.0, "s": 6.0, "b": 2.0, "n": 55.0, "u": 2.0, "c": 1.0},
    ),
    "bells of one width": (
        "a1*exp(-((x - m1)/s)^2) + a2*exp(-((x - m2)/s)^2)", {"a1": 3.0, "m1": 40.0, "s": 1.5, "a2": 2.0, "m2": 45.0}
    ),
}  # fmt: skip


def made(formula, truth, columns, noise):
    """The columns, and y by the formula with noise."""
    names = {name: np.full(len(next(iter(columns.values()))), value) for name, value in truth.items()}
    y = descend.generate(f"y = {formula}", {**columns, **names})["y"]
    return {**columns, "y": y + noise * NOISE[: y.size]}


@pytest.mark.parametrize(
    ("case", "x_unit", "y_unit"),
    [*((case, 1.0, 1.0) for case in SUMS), ("two bells on a slope", 1e-9, 1e6), ("a bell on a decay", 1e3, 1e-9)],
)
def test_terms_of_a_sum_are_found_without_a_start(case, x_unit, y_unit):
    formula, truth = SUMS[case]
    data = made(formula, truth, {"x": X}, 0.05)
    known = descend.fit(f"y ~ {formula}", data, start=truth)
    data = {"x": data["x"] * x_unit, "y": data["y"] * y_unit}
    fit = descend.fit(f"y ~ {formula}", data)
    assert fit.outcome == "converged"
    assert fit.loss == pytest.approx(known.loss * y_unit**2, rel=1e-6)


def test_a_peak_narrower_than_the_rows_that_are_looked_at():
    x = np.linspace(0.0, 100.0, 8000)
    fit = descend.fit(
        "y ~ a*exp(-((x - m)/s)^2) + c", {"x": x, "y": bell(x, 3.0, 61.2, 0.08) + 1.0 + 0.1 * NOISE[:8000]}
    )
    assert fit.parameters == pytest.approx({"a": 3.0, "m": 61.2, "s": 0.08, "c": 1.0}, rel=0.1)


T = np.arange(3000) / 250.0
WAVES = {
    "on a trend": ("a + b*t + c*cos(2*pi*f*t - p)", {"a": 5.0, "b": 0.7, "c": 0.4, "f": 61.3, "p": 0.5}),
    "dying out": ("a*exp(-k*t)*cos(w*t + p) + c", {"a": 3.0, "k": 0.9, "w": 730.0, "p": 0.4, "c": 0.2}),
    "two of them": (
        "a*sin(2*pi*f*t + p) + b*sin(2*pi*g*t + q)", {"a": 1.0, "f": 69.7, "p": 0.3, "b": 0.8, "g": 117.9, "q": 1.0}
    ),
    "sine and cosine": ("a*sin(w*t) + b*cos(w*t)", {"a": 0.4, "w": 634.5, "b": -0.3}),
    "period and time": ("m + a*cos(2*pi*(t - o)/P)", {"m": 3.0, "a": 0.5, "o": 0.002, "P": 0.0131}),
    "overtone": (
        "c + a*sin(w*t + p) + b*sin(2*w*t + q)", {"c": 1.0, "a": 0.3, "w": 108.0, "p": 0.1, "b": 1.0, "q": 2.0}
    ),
    "in a packet": (
        "a*exp(-((t - m)/s)^2)*sin(w*t + p)", {"a": 2.0, "m": 6.0, "s": 1.2, "w": 610.0, "p": 0.3}
    ),
    "inside a function": ("exp(a + b*sin(w*t + p))", {"a": 1.0, "b": 0.5, "w": 710.0, "p": 0.2}),
    "of a frequency that rises": ("a*sin(w*t + k*t^2 + p)", {"a": 2.0, "w": 110.0, "k": 12.0, "p": 0.2}),
    "squared": ("a*sin(w*t + p)^2 + c", {"a": 2.0, "w": 310.0, "p": 0.2, "c": 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("case", WAVES)
@pytest.mark.parametrize("even", [True, False])
def test_waves_are_found_at_frequencies_that_few_rows_would_not_show(case, even):
    formula, truth = WAVES[case]
    t = T if even else np.sort(np.random.default_rng(7).uniform(0.0, 12.0, 2000))
    data = made(formula, truth, {"t": t}, 0.2)
    known = descend.fit(f"y ~ {formula}", data, start=truth)
    fit = descend.fit(f"y ~ {formula}", data)
    assert fit.outcome == "converged"
    assert fit.loss <= known.loss * (1.0 + 1e-9)


def test_many_waves_are_found():
    count, t = 14, np.linspace(0.0, 10.0, 500)
    random = np.random.default_rng(12)
    frequencies = np.linspace(1.0, 20.0, count) + random.uniform(-0.3, 0.3, count)
    sizes, phases = random.uniform(0.5, 3.0, count), random.uniform(-3.0, 3.0, count)
    y = sizes @ np.sin(2.0 * np.pi * np.outer(frequencies, t) + phases[:, None]) + 0.2 * random.normal(size=t.size)
    fit = descend.fit("y ~ " + " + ".join(f"a{k}*sin(2*pi*f{k}*t + p{k})" for k in range(count)), {"t": t, "y": y})
    assert fit.outcome == "converged"
    assert fit.loss < 0.04
    found = sorted(abs(fit.parameters[f"f{k}"]) for k in range(count))
    np.testing.assert_allclose(found, frequencies, atol=0.02)


def test_a_faint_wave_in_many_rows_is_found():
    t = np.arange(100_000) / 1000.0
    y = 0.1 * np.sin(1900.0 * t + 0.4) + np.random.default_rng(5).normal(size=t.size)
    fit = descend.fit("y ~ a*sin(w*t + p)", {"t": t, "y": y})
    assert fit.parameters["w"] == pytest.approx(1900.0, abs=0.01)
    assert fit.parameters["a"] == pytest.approx(0.1, abs=0.02)


def test_a_wave_of_counts_is_found():
    t = np.arange(1500) / 30.0
    counts = np.random.default_rng(3).poisson(5.0 * (1.0 + 0.5 * np.sin(77.0 * t + 0.3))).astype(float)
    fit = descend.fit("y ~ c*(1 + a*sin(w*t + p))", {"t": t, "y": counts}, loss="poisson")
    assert fit.parameters == pytest.approx({"c": 5.0, "a": 0.5, "w": 77.0, "p": 0.3}, rel=0.2)


@pytest.mark.parametrize("even", [True, False])
def test_bounds_on_a_period_choose_among_waves(even):
    t = np.arange(300) * 0.1 if even else np.sort(np.random.default_rng(1).uniform(0.0, 30.0, 300))
    y = 3.0 * np.sin(2 * np.pi * t / 7 + 1) + 0.3 * np.sin(2 * np.pi * t / 1.3 + 0.2) + 0.1 * NOISE[:300]
    fit = descend.fit("y ~ a*sin(2*pi*t/P + p) + c", {"t": t, "y": y}, bounds=["1 < P < 2"])
    tried = np.linspace(1.0, 2.0, 2000)
    designs = [np.column_stack([np.sin(2 * np.pi * t / p), np.cos(2 * np.pi * t / p), np.ones(300)]) for p in tried]
    assert fit.loss <= min(float(np.linalg.lstsq(each, y)[1][0]) for each in designs) / 300 * (1 + 1e-9)


def test_each_of_two_waves_keeps_its_bounds():
    t = np.sort(np.random.default_rng(1).uniform(0.0, 30.0, 300))
    y = 3.0 * np.sin(0.9 * t + 1) + 0.3 * np.sin(4.83 * t + 0.2) + 0.1 * NOISE[:300]
    fit = descend.fit("y ~ a*sin(w*t + p) + b*sin(v*t + q) + c", {"t": t, "y": y}, bounds=["3 < w < 6", "0 < v < 2"])
    assert fit.parameters["w"] == pytest.approx(4.83, abs=0.01)
    assert fit.parameters["v"] == pytest.approx(0.9, abs=0.01)
