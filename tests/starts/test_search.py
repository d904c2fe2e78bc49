"""Starting values without the user: usual curves, in any unit, loss and shape, the same each time."""

from __future__ import annotations

import time

import numpy as np
import pytest

import descend
from descend.formula import read_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.starts.search import search
from descend.starts.trial_points import spread
from descend.table.rows import Rows

X = np.linspace(0.0, 10.0, 200)
NOISE = np.random.default_rng(0).normal(size=200)
CURVES = {
    "y ~ a*exp(-b*x) + c": {"a": 2.5, "b": 1.3, "c": 0.5},
    "y ~ a*exp(b*x)": {"a": 2.0, "b": 0.8},
    "y ~ a*exp(-b*x) + c*exp(-d*x)": {"a": 2.5, "b": 1.9, "c": 5.0, "d": 0.2},
    "y ~ a*(x + 1)^b": {"a": 2.0, "b": 1.7},
    "y ~ v*x/(k + x)": {"v": 2.0, "k": 1.7},
    "y ~ a*x^n/(k^n + x^n)": {"a": 2.0, "n": 3.0, "k": 4.0},
    "y ~ l/(1 + exp(-k*(x - m)))": {"l": 2.0, "k": 3.0, "m": 4.0},
    "y ~ a*exp(-((x - m)/s)^2) + c": {"a": 2.0, "m": 4.0, "s": 0.2, "c": 1.0},
    "y ~ a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/u)^2)": {"a": 2.0, "m": 4.0, "s": 0.2, "b": 1.0, "n": 7.0, "u": 0.5},
    "y ~ a/(1 + ((x - m)/s)^2) + b*x + c": {"a": 2.0, "m": 4.0, "s": 0.3, "b": 0.1, "c": 1.0},
    "y ~ a*tanh(b*(x - m)) + c": {"a": 2.0, "b": 4.0, "m": 3.0, "c": 1.0},
    "y ~ a*exp(-exp(b - c*x))": {"a": 2.0, "b": 4.0, "c": 1.5},
    "y ~ (a + b*x)/(1 + c*x)": {"a": 2.0, "b": 3.0, "c": 0.4},
    "y ~ a*sin(w*x + p) + c": {"a": 2.0, "w": 50.0, "p": 2.5, "c": 3.0},
    "y ~ a*cos(2*pi*x/k + p)": {"a": 2.0, "k": 0.4, "p": -1.0},
    "y ~ a*exp(-k*x)*cos(w*x + p) + c": {"a": 2.0, "k": 0.3, "w": 12.0, "p": 0.5, "c": 3.0},
    "y ~ a*sin(v*x + p) + b*sin(w*x + q)": {"a": 2.0, "v": 7.0, "p": 1.0, "b": 0.5, "w": 23.0, "q": 2.0},
}


def table(formula, truth, x=X, noise=0.01):
    """x, and y by the formula with noise of that share of its spread."""
    text = formula.replace("~", "=")
    names = {name: np.full(x.size, value) for name, value in truth.items()}
    y = descend.generate(text, {"x": x, **names})["y"]
    return {"x": x, "y": y + noise * y.std() * np.resize(NOISE, x.size)}


@pytest.mark.parametrize("formula", CURVES)
def test_usual_curves_need_no_start(formula):
    fit = descend.fit(formula, table(formula, CURVES[formula]))
    assert fit.outcome == "converged"
    errors = {name: abs(fit.parameters[name] - value) for name, value in CURVES[formula].items()}
    assert all(error <= 6 * fit.standard_errors[name] for name, error in errors.items()), fit.parameters


@pytest.mark.parametrize(("x_unit", "y_unit"), [(1e-9, 1e6), (1e9, 1e-12)])
def test_units_do_not_matter(x_unit, y_unit):
    truth = {"a": 2.0 * y_unit, "m": 4.0 * x_unit, "s": 0.2 * x_unit, "c": y_unit}
    fit = descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", table("y ~ a*exp(-((x - m)/s)^2) + c", truth, X * x_unit))
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx(truth, rel=0.01)


def test_the_same_data_give_the_same_start():
    data = table("y ~ a*exp(-b*x) + c*exp(-d*x)", CURVES["y ~ a*exp(-b*x) + c*exp(-d*x)"])
    one, other = (descend.fit("y ~ a*exp(-b*x) + c*exp(-d*x)", data) for _ in range(2))
    assert np.array_equal(one.trace[0].theta, other.trace[0].theta)


def test_what_was_given_is_kept():
    data = table("y ~ a*exp(-b*x) + c", CURVES["y ~ a*exp(-b*x) + c"])
    fit = descend.fit("y ~ a*exp(-b*x) + c", data, start={"a": 1.0, "b": 3.0}, optimizer="lbfgs")
    first = fit.trace[0].parameters
    assert (first["a"], first["b"]) == (1.0, 3.0)
    # c, the only one free, is where J is smallest for these a and b.
    assert first["c"] == pytest.approx(np.mean(data["y"] - np.exp(-3.0 * data["x"])))
    assert "linear parameters solved at the start" in fit.notes


def test_all_given_means_no_search():
    data = table("y ~ a*exp(-b*x)", {"a": 2.0, "b": 1.0})
    fit = descend.fit("y ~ a*exp(-b*x)", data, start={"a": 1.0, "b": 1.0})
    assert fit.trace[0].parameters == {"a": 1.0, "b": 1.0}
    assert not any("start" in note for note in fit.notes)


def test_says_how_the_start_was_found():
    fit = descend.fit("y ~ a*exp(-b*x) + c", table("y ~ a*exp(-b*x) + c", CURVES["y ~ a*exp(-b*x) + c"]))
    assert fit.notes[-1] == "start found among 64 trial points; 2 of the 2 descents from them ended here"


def test_an_optimizer_that_was_asked_for_does_the_descent_itself():
    # Only the best trial point is handed to it, not where a descent from there ends.
    fit = descend.fit(
        "y ~ a*exp(-b*x) + c", table("y ~ a*exp(-b*x) + c", {"a": 2.0, "b": 1.0, "c": 0.5}), optimizer="gd"
    )
    assert fit.notes[-1] == "start found among 64 trial points"
    assert fit.trace[0].loss > 1.5 * fit.loss


def test_peaks_come_in_ascending_order():
    formula = "y ~ a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/u)^2)"
    for truth in (
        {"a": 2, "m": 4, "s": 0.2, "b": 1, "n": 7, "u": 0.5},
        {"a": 1, "m": 7, "s": 0.5, "b": 2, "n": 4, "u": 0.2},
    ):
        fit = descend.fit(formula, table(formula, truth))
        assert fit.parameters == pytest.approx({"a": 2, "m": 4, "s": 0.2, "b": 1, "n": 7, "u": 0.5}, rel=0.03)


def test_widths_are_positive_and_phases_lie_in_one_turn():
    formula = "y ~ a*exp(-((x - m)/s)^2)*sin(w*x + p)"
    fit = descend.fit(formula, table(formula, {"a": -2.0, "m": 4.0, "s": -1.2, "w": -9.0, "p": 40.0}))
    assert fit.outcome == "converged" and fit.r_squared > 0.99
    assert fit.parameters["s"] > 0 and fit.parameters["w"] > 0 and abs(fit.parameters["p"]) <= np.pi


def test_weights_are_heeded():
    # Every second row follows another curve, and weighs nothing.
    data = table("y ~ a*exp(-b*x) + c", CURVES["y ~ a*exp(-b*x) + c"])
    data["y"][::2] = 100.0 + data["x"][::2] ** 2
    data["omega"] = np.tile([0.0, 1.0], 100)
    fit = descend.fit("y ~ a*exp(-b*x) + c", data, weights="omega")
    assert fit.parameters == pytest.approx(CURVES["y ~ a*exp(-b*x) + c"], rel=0.02)


def test_counts():
    rng = np.random.default_rng(1)
    counts = rng.poisson(50 * np.exp(-(((X - 4) / 0.8) ** 2)) + 3).astype(float)
    fit = descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", {"x": X, "y": counts}, loss="poisson")
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 50, "m": 4, "s": 0.8, "c": 3}, rel=0.12)


def test_outliers():
    data = table("y ~ a*exp(-b*x) + c", CURVES["y ~ a*exp(-b*x) + c"])
    data["y"][::17] += 30.0
    fit = descend.fit("y ~ a*exp(-b*x) + c", data, loss="huber(delta=0.02)")
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx(CURVES["y ~ a*exp(-b*x) + c"], rel=0.03)


def test_a_transformed_response():
    data = {"x": X, "y": np.exp(3.0 - 1.5 * np.exp(-0.7 * X) + 0.01 * NOISE)}
    fit = descend.fit("log(y) ~ a - b*exp(-c*x)", data)
    assert fit.parameters == pytest.approx({"a": 3.0, "b": 1.5, "c": 0.7}, rel=0.01)


def test_several_inputs_in_units_far_apart():
    rng = np.random.default_rng(2)
    u, v = 1e6 * rng.uniform(1, 5, 300), 1e-3 * rng.uniform(1, 5, 300)
    y = 3.0 * np.exp(-u / 2e6) + 2.0 * v / (2e-3 + v)
    fit = descend.fit("y ~ a*exp(-u/k) + b*v/(h + v)", {"u": u, "v": v, "y": y + 0.001 * rng.normal(size=300)})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 3.0, "k": 2e6, "b": 2.0, "h": 2e-3}, rel=0.05)


def test_vectors_inside_a_curve():
    rng = np.random.default_rng(3)
    u, v = 30.0 * rng.normal(size=300), 0.01 * rng.normal(size=300)
    data = {"u": u, "v": v, "y": 2.0 * np.tanh(0.02 * u + 40.0 * v) + 1.0 + 0.01 * rng.normal(size=300)}
    fit = descend.fit("y ~ a*tanh(w @ [u, v]) + c", data)
    assert fit.outcome == "converged"
    np.testing.assert_allclose(np.sign(fit.parameters["a"]) * fit.parameters["w"], [0.02, 40.0], rtol=0.05)


def test_a_wave_is_found_in_many_rows_and_the_search_stays_quick():
    # Only 512 of these rows judge trial points; a row from each stretch at random, so that none of them hides the wave.
    x = np.linspace(0.0, 1000.0, 100_000)
    y = 2.0 * np.sin(0.9 * x + 0.3) + 0.5 * np.random.default_rng(4).normal(size=x.size)
    program = derived(read_formula("y ~ a*sin(w*x + p)", ("x", "y")), LOSSES.build("squared"))
    search(program, Rows({"x": x[:50], "y": y[:50]}), np.ones(3), (), True)  # compiles
    began = time.perf_counter()
    found = search(program, Rows({"x": x, "y": y}), np.ones(3), (), True)
    assert time.perf_counter() - began < 5.0
    np.testing.assert_allclose(found.theta, [2.0, 0.9, 0.3], rtol=0.1)


def test_nothing_finite_is_no_start():
    program = derived(read_formula("y ~ log(-1 - a^2)*x", ("x", "y")), LOSSES.build("squared"))
    with np.errstate(all="ignore"):
        assert search(program, Rows({"x": X, "y": X}), np.ones(1), (), True) is None


def test_a_column_that_never_changes_has_a_unit_too():
    z = np.linspace(0.0, 1.0, 20)
    fit = descend.fit("y ~ a*exp(-b*z/x)", {"x": np.full(20, 3e5), "z": z, "y": np.exp(-z)})
    assert fit.parameters == pytest.approx({"a": 1.0, "b": 3e5})


def test_trial_points_fill_the_cube_evenly():
    points = np.array([spread(number, 2) for number in range(256)])
    counts, *_ = np.histogram2d(*points.T, bins=8, range=[[0, 1], [0, 1]])
    assert counts.min() >= 2 and counts.max() <= 6


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_a_start_that_is_not_improved_is_a_sensible_one(optimizer):
    x = np.linspace(0.0, 4.0, 60)
    data = {"x": x, "y": 3.0 * np.exp(-1.2 * x) + 0.5 + 0.01 * np.sin(9.0 * x)}
    found = descend.fit("y ~ a*exp(-b*x) + c", data, optimizer=optimizer, epochs=0)
    assert found.loss < 0.1 * np.var(data["y"])


STEEP = {
    "a*sigmoid(350*(x - c)) + d": lambda u: 1.0 / (1.0 + np.exp(-u)),
    "a/(1 + exp(-350*(x - c))) + d": lambda u: 1.0 / (1.0 + np.exp(-u)),
    "a*tanh(350*(x - c)) + d": np.tanh,
    "a*atan((x - c)/(2/700)) + d": np.arctan,
    "a*exp(-(350*(c - x))^2) + d": lambda u: np.exp(-(u**2)),
}


@pytest.mark.parametrize("formula", STEEP)
def test_a_number_before_the_bracket_does_not_hide_where_the_middle_is(formula):
    x = np.linspace(0.0, 0.03, 60)
    y = 2.0 * STEEP[formula](350.0 * (x - 0.013)) + 0.5 + 0.01 * NOISE[:60]
    fit = descend.fit(f"y ~ {formula}", {"x": x, "y": y})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 2.0, "c": 0.013, "d": 0.5}, rel=0.02)


def test_a_steepness_that_is_fixed_does_not_hide_where_the_middle_is():
    x = np.linspace(0.0, 0.03, 60)
    y = 2.0 * np.tanh(350.0 * (x - 0.013)) + 0.5 + 0.01 * NOISE[:60]
    fit = descend.fit("y ~ a*tanh(b*(x - c)) + d", {"x": x, "y": y}, fix={"b": 350.0})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 350.0, "c": 0.013, "d": 0.5}, rel=0.02)


@pytest.mark.parametrize("text", ["y ~ A @ [x, z]*sin(f*t + p)", "y ~ sin(w @ [x, z] + p)"])
def test_vectors_inside_and_before_a_wave_are_searched(text):
    t = np.linspace(0.0, 20.0, 80)
    x, z = np.cos(3.0 * t), np.sin(5.0 * t)
    wave = (2.0 * x - z) * np.sin(0.8 * t + 0.4) if "A" in text else np.sin(0.9 * x - 0.4 * z + 0.3)
    fit = descend.fit(text, {"t": t, "x": x, "z": z, "y": wave})
    assert fit.outcome == "converged"
    assert fit.loss < 1e-20


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_rows_of_weight_0_lead_no_search_astray(seed):
    """J of a curve with a pole has a minimum between any two rows: which is found depends on rows that count alone."""
    random = np.random.default_rng(seed)
    x = random.uniform(0.8, 30.0, 48)
    y = 2.0 * x / (4.0 + x) + 1.0 + random.normal(0.0, 0.3, 48)
    one, none = np.ones(48), np.zeros(24)
    more = {"x": np.append(x, x[:24]), "y": np.append(y, random.permutation(y)[:24]), "w": np.append(one, none)}
    with_more, alone = (descend.fit(POLES, data, weights="w") for data in (more, {"x": x, "y": y, "w": one}))
    assert with_more.parameters == pytest.approx(dict(alone.parameters), rel=1e-6)
    assert next(note for note in alone.notes if "trial points" in note) in with_more.notes


POLES = "y ~ a*x/(k + x) + c"
