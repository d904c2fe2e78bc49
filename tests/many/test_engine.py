"""The engine of many fits: PyTorch beside NumPy, and losses that are nowhere above SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

import descend

CURVES = {
    "y ~ a*exp(-b*x) + c": ({"a": 1.0, "b": 1.0, "c": 0.0}, lambda x, a, b, c: a * np.exp(-b * x) + c),
    "y ~ a*exp(-(x - m)^2/(2*s^2)) + c": (
        {"a": 1.0, "m": 2.0, "s": 0.6, "c": 0.0},
        lambda x, a, m, s, c: a * np.exp(-((x - m) ** 2) / (2 * s**2)) + c,
    ),
    "y ~ low + (high - low)/(1 + exp(-rate*(x - middle)))": (
        {"low": 0.0, "high": 3.0, "rate": 3.0, "middle": 2.0},
        lambda x, low, high, rate, middle: low + (high - low) / (1 + np.exp(-rate * (x - middle))),
    ),
}


def curves(function, start, groups, seed=0):
    """Curves near the start, of 12 to 40 rows."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(12, 41, groups)
    group = np.repeat(np.arange(groups), sizes)
    x = np.concatenate([np.linspace(0.1, 4, size) for size in sizes])
    truth = [value + rng.uniform(0.1, 0.9, groups)[group] for value in start.values()]
    return {"x": x, "y": function(x, *truth) + 0.05 * rng.normal(size=len(x)), "well": group}


@pytest.mark.parametrize("formula", CURVES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.optimize.OptimizeWarning")
def test_no_loss_is_above_that_of_scipy_nor_off_the_minimum(formula):
    start, function = CURVES[formula]
    data = curves(function, start, 60)
    fits = descend.fit(formula, data, by="well", start=start)
    assert fits.counts == {"converged": 60}
    for place, (well,) in enumerate(fits):
        x, y = (data[name][data["well"] == well] for name in "xy")
        rss = fits.loss[place] * fits.rows[place]
        end = [fits.parameters[name][place] for name in start]
        for begin, precise in ((list(start.values()), {}), (end, {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15})):
            try:
                theta, covariance = curve_fit(function, x, y, begin, **precise)
            except RuntimeError:
                continue
            assert rss <= np.sum((function(x, *theta) - y) ** 2) * (1 + 1e-9) + 1e-18
        if precise and len(x) > len(start):
            errors = [fits.standard_errors[name][place] for name in start]
            assert errors == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


@pytest.mark.parametrize("formula", CURVES)
def test_torch_fits_as_numpy_does(formula):
    pytest.importorskip("torch")
    start, function = CURVES[formula]
    data = curves(function, start, 40)
    by_numpy = descend.fit(formula, data, by="well", start=start)
    by_torch = descend.fit(formula, data, by="well", start=start, engine="torch", device="cpu")
    assert by_torch.outcome == by_numpy.outcome
    assert by_torch.loss == pytest.approx(by_numpy.loss, rel=1e-12, abs=1e-24)
    for name, values in by_numpy.parameters.items():
        assert by_torch.parameters[name] == pytest.approx(values, rel=1e-8)
        assert by_torch.standard_errors[name] == pytest.approx(by_numpy.standard_errors[name], rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("start", [True, False])
def test_all_groups_take_the_like_of_one_where_two_ends_are_as_good(start):
    formula = "y ~ low + (high - low)/(1 + exp(-rate*(x - middle)))"
    given, function = CURVES[formula]
    fits = descend.fit(formula, curves(function, given, 300), by="well", start=given if start else None)
    assert fits.counts == {"converged": 300}
    assert len(set(np.sign(fits.parameters["rate"]))) == 1


def test_groups_without_a_minimum_have_no_fit_and_say_why():
    x = np.linspace(0, 1, 8)
    step, line = np.r_[5.0, [-0.1, 0.1, -0.1, 0.1, 0.1, -0.1, 0.2]], 1 - x  # a step after the first row, and no curve
    data = {"x": np.tile(x, 3), "y": np.r_[np.exp(-x), step, line], "well": np.repeat([1, 2, 3], 8)}
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well", start={"a": 1.0, "b": 1.0, "c": 0.0})
    assert fits.outcome == ("converged", "stalled", "epochs_used_up")
    assert fits.failed[2] == (
        "There is no minimum to be found: from every start that was tried the loss falls, ever less, while parameters "
        "grow without end. Fix one of them, bound it, or give more rows."
    )
    assert np.isnan(fits.standard_errors["b"][1])
    assert fits.loss[2] < 1e-9  # a line is met ever better as b falls: no end on a plateau of large b
    assert fits.parameters["b"][0] == pytest.approx(1.0, rel=1e-9)


def test_as_many_rows_as_parameters_are_met_exactly():
    rng = np.random.default_rng(0)
    x, groups = np.array([0.1, 1.0, 3.0]), 50
    a, b = rng.uniform(1, 4, (groups, 1)), rng.uniform(0.5, 2, (groups, 1))
    data = {"x": np.tile(x, groups), "y": (a * np.exp(-b * x) + 0.5).ravel(), "well": np.repeat(np.arange(groups), 3)}
    fits = descend.fit("y ~ a*exp(-b*x) + c", data, by="well", start={"a": 1.0, "b": 1.0, "c": 0.0})
    assert fits.counts == {"converged": groups}
    assert fits.parameters["b"] == pytest.approx(b[:, 0], rel=1e-9)
    assert fits.loss.max() < 1e-24
    assert np.isnan(fits.standard_errors["b"]).all()


def test_inputs_far_from_0_keep_their_digits():
    rng = np.random.default_rng(3)
    x = np.tile(np.linspace(0.0, 3.0, 20), 3)
    data = {"x": x + 2e5, "y": 2.0 * np.exp(-x) + 0.02 * rng.normal(size=60), "well": np.repeat([1, 2, 3], 20)}
    fits = descend.fit("y ~ a*x + c", data, by="well")
    expected = [np.polyfit(x[data["well"] == well], data["y"][data["well"] == well], 1)[0] for well in (1, 2, 3)]
    assert fits.parameters["a"] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("formula", CURVES)
def test_very_many_groups_from_one_start_end_where_each_does_by_itself(formula):
    start, function = CURVES[formula]
    rng = np.random.default_rng(2)
    groups, sizes = 12_000, rng.integers(10, 15, 12_000)
    well, x = np.repeat(np.arange(groups), sizes), np.concatenate([np.linspace(0.1, 4, size) for size in sizes])
    truth = [value + rng.uniform(0.1, 0.9, groups)[well] for value in start.values()]
    y = function(x, *truth) + 0.05 * rng.normal(size=len(x))
    y[well == 7] = 1.0
    fits = descend.fit(formula, {"x": x, "y": y, "well": well}, by="well", start=start)
    assert fits.counts["converged"] > 0.999 * groups
    for place in rng.choice(groups, 10, replace=False).tolist():
        if fits.outcome[place] != "converged":
            continue
        alone = descend.fit(formula, {"x": x[well == place], "y": y[well == place]}, start=start)
        assert fits.loss[place] <= alone.loss * (1 + 1e-12)
        if fits.loss[place] >= alone.loss * (1 - 1e-9):  # else it has found a lower one
            for name in start:
                assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-7)
                assert fits.standard_errors[name][place] == pytest.approx(alone.standard_errors[name], rel=1e-6)
