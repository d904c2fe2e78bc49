"""A start that leads nowhere: said so, and answered by a search that keeps both ends."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from benchmarks.nist import read
from scipy.optimize import minimize_scalar

import descend

# NIST's BoxBOD: six rows, and a plateau at b1 = mean(y) that swallows most starts.
BOX = dict(read(Path(__file__).parents[1] / "results" / "nist" / "BoxBOD.dat").columns)
FORMULA = "y ~ b1*(1 - exp(-b2*x))"
CERTIFIED = {"b1": 2.1380940889e02, "b2": 5.4723748542e-01}


def test_a_plateau_is_no_minimum():
    fit = descend.fit(FORMULA, BOX, start={"b1": 1.0, "b2": 1.0}, optimizer="levenberg_marquardt")
    assert fit.outcome == "stalled" and not fit.succeeded
    assert fit.advice == (
        "The descent is on a plateau, for `exp(-b2*x)` hardly changes any more in 100% of the rows: start its "
        "parameters where it does; try other starting values, or leave `start` out to have some searched for."
    )
    assert fit.parameters["b1"] == pytest.approx(BOX["y"].mean())
    assert fit.from_start is None


def test_a_search_finds_the_minimum_and_both_ends_are_kept():
    fit = descend.fit(FORMULA, BOX, start={"b1": 1.0, "b2": 1.0})
    assert fit.outcome == "converged"
    assert fit.parameters == pytest.approx(CERTIFIED, rel=1e-9)
    assert fit.from_start.outcome == "stalled" and fit.from_start.loss > fit.loss
    assert fit.from_start.trace[0].parameters == {"b1": 1.0, "b2": 1.0}
    b1, b2 = fit.from_start.parameters.values()
    assert fit.notes[0] == (
        f"from the start given, the descent stalled at loss 1628.58 (b1={b1:.6g}  b2={b2:.6g}); "
        "a search found this lower one"
    )


def wave():
    x = np.linspace(0.0, 10.0, 100)
    return {"x": x, "y": 2.0 * np.sin(3.1 * x + 0.5) + np.random.default_rng(0).normal(0.0, 0.1, 100)}


WAVE = "y ~ a*sin(b*x + c)"


@pytest.mark.parametrize("start", [{"a": 2.0, "b": 2.5, "c": 0.0}, {"b": 0.3}, {"a": 1.0, "b": 0.3, "c": 0.0}])
def test_a_worse_basin_is_said_and_both_ends_are_kept(start):
    fit, own = descend.fit(WAVE, wave(), start=start), descend.fit(WAVE, wave())
    assert fit.outcome == "converged" and fit.parameters == pytest.approx(own.parameters, rel=1e-6)
    assert fit.from_start.outcome in ("converged", "stalled") and fit.from_start.loss > 100 * fit.loss
    ended, outcome = fit.model.parameters.mentioned(fit.from_start.theta), fit.from_start.outcome
    assert fit.notes[0] == (
        f"from the start given, the descent {outcome} at loss {fit.from_start.loss:.6g} ({ended}); "
        "a search found this lower one"
    )


PEAKS = "y ~ a*exp(-((x - m)/s)^2)"


@pytest.mark.parametrize(("loss", "sigma"), [("squared", None), ("squared", "e"), ("huber(delta=0.1)", None)])
def test_the_lower_of_two_peaks_is_not_the_answer(loss, sigma):
    x = np.linspace(0.0, 10.0, 200)
    noise = np.random.default_rng(1).normal(0.0, 0.02, 200)
    y = 3.0 * np.exp(-(((x - 3.0) / 0.7) ** 2)) + np.exp(-(((x - 7.0) / 0.4) ** 2)) + noise
    start = {"a": 1.0, "m": 7.2, "s": 0.5}
    fit = descend.fit(PEAKS, {"x": x, "y": y, "e": np.full(200, 0.02)}, start=start, loss=loss, sigma=sigma)
    assert fit.parameters["m"] == pytest.approx(3.0, abs=0.05)
    assert fit.from_start.parameters["m"] == pytest.approx(7.0, abs=0.05)


def test_a_worse_basin_that_explains_nearly_all_is_told_by_its_residuals():
    x = np.linspace(0.0, 10.0, 200)
    noise = np.random.default_rng(0).normal(0.0, 0.1, 200)
    data = {"x": x, "y": 5.0 * x + 2.0 * np.sin(3.1 * x + 0.5) + noise}
    start = {"p": 5.0, "a": 2.0, "b": 2.5, "c": 0.0}
    fit = descend.fit("y ~ p*x + a*sin(b*x + c)", data, start=start)
    assert fit.from_start.r_squared > 0.99 and fit.parameters["b"] == pytest.approx(3.1, abs=0.01)
    peaks = {"x": x, "y": 3.0 * np.exp(-((x - 3.0) ** 2) / 2) + 0.2 * np.exp(-((x - 7.0) ** 2) / 0.18) + 0.1 * noise}
    start = {"a": 3.0, "m": 3.0, "s": 1.0, "b": 0.2, "n": 9.5, "t": 0.3}
    fit = descend.fit("y ~ a*exp(-(x - m)^2/(2*s^2)) + b*exp(-(x - n)^2/(2*t^2))", peaks, start=start)
    assert fit.from_start.r_squared > 0.99 and fit.parameters["n"] == pytest.approx(7.0, abs=0.05)


def test_an_amplitude_of_nothing_is_no_answer():
    x = np.linspace(0.0, 10.0, 100)
    y = 2.0 * np.exp(-1.5 * x) + np.random.default_rng(0).normal(0.0, 0.02, 100)
    fit = descend.fit("y ~ a*exp(-b*x)", {"x": x, "y": y}, start={"a": 1.0, "b": -5.0})
    assert fit.parameters["b"] == pytest.approx(1.5, abs=0.05)
    assert abs(fit.from_start.parameters["a"]) < 1e-15


def test_a_start_beside_the_minimum_is_left_alone():
    near = descend.fit(WAVE, wave(), start={"a": 2.0, "b": 3.0, "c": 0.4})
    assert near.from_start is None and not any("search" in note for note in near.notes)


@pytest.mark.parametrize(
    "asked", [{"optimizer": "levenberg_marquardt"}, {"epochs": 100}, {"time_limit": 60.0}, {"tolerance": 1e-8}]
)
def test_a_run_that_is_told_how_to_go_ends_where_it_ends(asked):
    fit = descend.fit(WAVE, wave(), start={"a": 2.0, "b": 2.5, "c": 0.0}, **asked)
    assert fit.from_start is None and fit.loss > 1.0


def test_what_lies_outside_the_bounds_is_no_lower_answer():
    fit = descend.fit(WAVE, wave(), start={"a": 2.0, "b": 2.3, "c": 0.0}, bounds="b <= 2.5")
    assert fit.parameters["b"] <= 2.5


def test_rows_left_out_stay_out_of_the_second_look():
    data = {name: np.append(values, [20.0, 1000.0][name == "y"]) for name, values in BOX.items()}
    fit = descend.fit(FORMULA, data, start={"b1": 1.0, "b2": 1.0}, where="x <= 10")
    assert fit.from_start is not None and fit.rows == 6
    assert fit.parameters == pytest.approx(CERTIFIED, rel=1e-9)


def test_a_second_look_that_finds_nothing_lower_changes_nothing():
    # No curve of this kind comes closer to a falling line than a constant.
    x = np.linspace(0.0, 1.0, 30)
    fit = descend.fit("y ~ a + exp(b*x - 50)*0.001", {"x": x, "y": 1.0 - x}, start={"a": 0.0, "b": 0.0})
    assert fit.from_start is None
    assert fit.parameters["a"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["gd", "momentum"])
def test_plain_methods_converge_on_a_line(name):
    x = np.arange(0.0, 10.0, 0.1)
    data = {"x": x, "y": 2.0 * x + 1.0 + np.random.default_rng(0).uniform(size=100)}
    compared = descend.compare("y ~ w*x + b", data, [name, "levenberg_marquardt"])
    assert {str(fit.outcome) for fit in compared.fits.values()} == {"converged"}
    one, other = (fit.parameters for fit in compared.fits.values())
    assert one == pytest.approx(other, rel=1e-6)


def counts():
    x = np.linspace(0.0, 6.0, 30)
    return {"x": x, "y": np.random.default_rng(28).poisson(60.0 * np.exp(-0.9 * x) + 7.0).astype(float)}


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_a_loss_below_zero_is_not_lower_than_itself(unit):
    data = counts() | {"y": counts()["y"] * unit}
    start = {"a": 40.0 * unit, "k": 0.5, "c": 3.0 * unit}
    fit = descend.fit("y ~ a*exp(-k*x) + c", data, loss="poisson", start=start)
    assert fit.loss == pytest.approx(descend.fit("y ~ a*exp(-k*x) + c", data, loss="poisson").loss, rel=1e-10)
    assert fit.from_start is None and not any("search" in note for note in fit.notes)


def test_nothing_is_not_lower_than_nothing():
    data = {"k": np.array([1.0, 2.0]), "z": np.zeros(2)}
    fit = descend.fit("z ~ where(k < 1.5, a + 10*b, (a - 2*b)^2)", data, start={"a": 3.0, "b": -1.0})
    assert fit.outcome == "converged" and fit.loss < 1e-30
    assert fit.from_start is None and not any("search" in note for note in fit.notes)


@pytest.mark.parametrize("start", [{"a": 1.0, "m": 9.0, "s": 0.5}, {"a": 2.0, "m": 5.0, "s": 1.0}])
def test_a_peak_that_few_rows_show_is_found(start):
    x = np.linspace(0.0, 10.0, 80)
    y = 3.0 * np.exp(-(((x - 2.0) / 0.12) ** 2)) + np.random.default_rng(1).normal(0.0, 0.1, 80)
    assert descend.fit(PEAKS, {"x": x, "y": y}, start=start).parameters["m"] == pytest.approx(2.0, abs=0.05)


def test_what_is_left_as_noise_is_not_looked_at_again(monkeypatch):
    def search(*_):
        raise AssertionError("it was")

    monkeypatch.setattr(importlib.import_module("descend.starts.basins"), "lower_elsewhere", search)
    x = np.linspace(0.1, 4.0, 500)
    for noise in (0.02, 0.2, 1.0):
        y = 2.5 * np.exp(-1.3 * x) + 0.5 + np.random.default_rng(0).normal(0.0, noise, 500)
        assert descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y}, start={"a": 1.0, "b": 1.0, "c": 0.0}).succeeded


TWO_RATES = "y ~ a1*exp(-b1*x) + a2*exp(-b2*x)"


def best_of_one(y, x, other):
    """Return the least J over one rate, by least squares for the rest, in every valley of a grid."""

    def profile(rate):
        design = np.column_stack([np.exp(-rate * x), np.exp(-other(rate) * x)])
        return float(np.linalg.lstsq(design, y, rcond=1e-12)[1][0]) / len(y)

    rates = np.geomspace(0.02, 20.0, 300)
    lowest = np.argsort([profile(rate) for rate in rates])[:20]
    return min(
        minimize_scalar(profile, bounds=(rates[max(k - 1, 0)], rates[min(k + 1, 299)]), method="bounded").fun
        for k in lowest
    )


@pytest.mark.parametrize(
    ("held", "other"),
    [
        ({"ties": ["b2 = 2*b1"]}, lambda rate: 2.0 * rate),
        ({"ties": ["b2 = b1 + 0.5"], "bounds": "b1 <= 10"}, lambda rate: rate + 0.5),
        ({"fix": {"b2": 1.0}}, lambda rate: 1.0),
    ],
)
@pytest.mark.parametrize("seed", [237, 243, 263, 269])
def test_of_two_valleys_of_rates_that_are_tied_the_lower_is_the_answer(seed, held, other):
    x = np.linspace(0.0, 5.0, 25)
    y = 3.0 * np.exp(-0.5 * x) + 1.5 * np.exp(-x) + np.random.default_rng(seed).normal(0.0, 0.05, 25)
    fit = descend.fit(TWO_RATES, {"x": x, "y": y}, start={"a1": 3.0, "a2": 1.5, "b1": 0.5}, **held)
    assert fit.outcome == "converged" and fit.loss <= best_of_one(y, x, other) * (1.0 + 1e-6)


def test_like_terms_that_a_bound_keeps_apart_are_put_in_each_others_place():
    x = np.linspace(0.0, 5.0, 40)
    y = 2.0 * np.exp(-2.0 * x) + np.exp(-0.3 * x) + np.random.default_rng(0).normal(0.0, 0.05, 40)
    start = {"a1": 2.0, "b1": 0.3, "a2": 1.0, "b2": 2.0}
    fit = descend.fit(TWO_RATES, {"x": x, "y": y}, start=start, bounds=["a1 >= 1.5"])
    assert fit.parameters == pytest.approx({"a1": 2.0, "b1": 2.0, "a2": 1.0, "b2": 0.3}, rel=0.2)
    assert fit.from_start.parameters["a1"] == 1.5


WRONG = {
    "decay": ("y ~ a*exp(-b*x) + c", lambda x: 2.5 * np.exp(-1.3 * x) + 0.5, {"a": -1.0, "b": -3.0, "c": 3.0}),
    "saturation": ("y ~ V*x/(K + x)", lambda x: 2.0 * x / (0.8 + x), {"V": 1.0, "K": -2.0}),
    "dose": ("y ~ d + (a - d)/(1 + (x/c)^b)", lambda x: 0.2 + 1.8 / (1.0 + (x / 1.5) ** 3),
             {"a": 1.0, "b": -8.0, "c": 0.2, "d": 1.0}),
    "step": ("y ~ a*sigmoid(k*(x - m)) + c", lambda x: 2.0 / (1.0 + np.exp(-8.0 * (x - 1.5))) + 0.5,
             {"a": 1.0, "k": 5.0, "m": 3.9, "c": 0.0}),
    "peak": ("y ~ a*exp(-((x - m)/s)^2) + c", lambda x: 3.0 * np.exp(-(((x - 1.0) / 0.3) ** 2)) + 0.5,
             {"a": 1.0, "m": 3.8, "s": 0.3, "c": 0.0}),
    "wave": ("y ~ a*sin(b*x + c)", lambda x: 2.0 * np.sin(7.0 * x + 0.5), {"a": 1.0, "b": 3.0, "c": 0.0}),
    "damped": ("y ~ a*exp(-k*x)*cos(w*x)", lambda x: 2.0 * np.exp(-0.5 * x) * np.cos(7.0 * x),
               {"a": 1.0, "k": 0.1, "w": 12.0}),
}  # fmt: skip


@pytest.mark.parametrize("rows", [16, 60, 600])
@pytest.mark.parametrize("kind", WRONG)
def test_a_start_in_the_wrong_valley_is_left_at_ten_percent_noise(kind, rows):
    formula, curve, start = WRONG[kind]
    x = np.linspace(0.1, 4.0, rows)
    y = curve(x)
    noise = np.random.default_rng(1).normal(0.0, 0.1 * np.ptp(y), rows)
    fit = descend.fit(formula, {"x": x, "y": y + noise}, start=start)
    assert fit.outcome == "converged" and fit.loss <= np.mean(noise**2)  # of the truth itself


def test_a_curve_that_does_worse_than_a_constant_is_looked_at_however_its_residuals_look():
    # A pole between two rows: residuals change their sign there, and so do not follow each other.
    x = np.linspace(0.1, 4.0, 12)
    y = 2.0 * x / (0.8 + x) + np.random.default_rng(0).normal(0.0, 0.1, 12)
    for pole in (-0.2, -0.35, -1.0, -2.2):
        fit = descend.fit("y ~ V*x/(K + x)", {"x": x, "y": y}, start={"V": 2.0, "K": pole})
        assert fit.outcome == "converged" and fit.parameters["K"] == pytest.approx(0.8, rel=0.5)


def test_two_rows_are_enough_for_a_second_look():
    # Both equations hold at u = 6.185, v = 3.366; from this start the descent ends between them.
    data = {"k": np.array([1.0, 2.0]), "z": np.zeros(2)}
    formula = "z ~ where(k < 1.5, u + ((4 - v)*v - 1)*v - 10, u + ((v + 1)*v - 10)*v - 22)"
    fit = descend.fit(formula, data, start={"u": 0.5, "v": -2.0})
    assert fit.outcome == "converged" and fit.loss < 1e-25 and fit.from_start.loss == pytest.approx(14.976398)
    assert fit.parameters == pytest.approx({"u": 6.1850123520, "v": 3.3662733858})


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("level", [0.0, 1e8])
def test_neither_the_unit_nor_the_level_of_the_response_decides_whether_to_look(unit, level):
    x = np.linspace(0.0, 6.0, 40)
    y = level + 2.0 * np.exp(-1.5 * x) + np.random.default_rng(1).normal(0.0, 0.2, 40)
    start = {"a": unit, "b": -4.0, "c": level * unit}
    fit = descend.fit("y ~ a*exp(-b*x) + c", {"x": x, "y": y * unit}, start=start)
    assert fit.parameters["b"] == pytest.approx(1.5, rel=0.2) and fit.from_start.loss > 3.0 * fit.loss


def test_a_fit_goes_on_beyond_infinity():
    random = np.random.default_rng(7)
    x = random.uniform(0.05, 3.0, 1200)
    y = (random.random(1200) < 1.0 / (1.0 + np.exp(-0.12 / x))).astype(float)
    fit = descend.fit("y ~ a/(1 + b*x)", {"x": x, "y": y}, loss="logistic")
    other = descend.fit("y ~ 1/(u + v*x)", {"x": x, "y": y}, loss="logistic")
    assert fit.loss == pytest.approx(other.loss, rel=1e-9) and not fit.undetermined
    assert 1.0 / fit.parameters["a"] == pytest.approx(other.parameters["u"], rel=1e-4)
    note = "`a`, `b` grew without end; J is lower on the other side of infinity, where the descent began anew"
    assert note in fit.notes
