"""Bounds on the parameters of many groups: each ends where its fit by itself does, at a bound or inside."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

import descend

FORMULA, START = "y ~ a*exp(-b*x) + c", {"a": 1.0, "b": 1.0, "c": 0.1}
BOUNDS = ["c > 0", "0.6 <= b <= 1.8"]


def decays(groups=60, seed=0):
    """Decays of 14 to 24 rows, of which many end at a bound, some at two."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(14, 25, groups)
    well, x = np.repeat(np.arange(groups), sizes), np.concatenate([np.linspace(0.1, 4, size) for size in sizes])
    a, b, c = rng.uniform(1, 4, groups), rng.uniform(0.4, 2.1, groups), rng.uniform(-0.1, 0.3, groups)
    y = a[well] * np.exp(-b[well] * x) + c[well] + 0.05 * rng.normal(size=x.size)
    return {"x": x, "y": y, "well": well, "n": rng.integers(1, 4, x.size).astype(float)}


def ends(fits):
    """Mark the groups with a parameter at a bound, and those with two."""
    at = np.array([fits.parameters["c"] == 0.0, fits.parameters["b"] == 0.6, fits.parameters["b"] == 1.8])
    return at.sum(axis=0)


@pytest.mark.parametrize("options", [{}, {"weights": "n"}, {"start": None}], ids=["plain", "weights", "no start"])
def test_each_group_ends_where_its_fit_by_itself_does(options):
    data, options = decays(), {"start": START, "bounds": BOUNDS, **options}
    fits = descend.fit(FORMULA, data, by="well", **options)
    assert fits.counts == {"converged": 60}
    assert not fits._outcomes.fits  # none had to be fitted by itself
    held = ends(fits)
    assert (held == 1).sum() > 10 and (held == 2).sum() > 1 and (held == 0).sum() > 10
    for place in [*np.flatnonzero(held == 0)[:2], *np.flatnonzero(held == 1)[:3], *np.flatnonzero(held == 2)[:2]]:
        alone = descend.fit(FORMULA, {name: column[data["well"] == place] for name, column in data.items()}, **options)
        assert fits.loss[place] == pytest.approx(alone.loss, rel=1e-10)
        for name in START:
            assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-8)
            error = alone.standard_errors[name]
            assert fits.standard_errors[name][place] == pytest.approx(error, rel=1e-6, nan_ok=True)


def test_no_loss_is_above_that_of_scipy():
    data = decays(seed=1)
    fits = descend.fit(FORMULA, data, by="well", start=START, bounds=BOUNDS)
    for place in range(60):
        x, y = (data[name][data["well"] == place] for name in "xy")
        limits = ([-np.inf, 0.6, 0.0], [np.inf, 1.8, np.inf])
        theta, _ = curve_fit(lambda x, a, b, c: a * np.exp(-b * x) + c, x, y, list(START.values()), bounds=limits)
        rss = np.sum((theta[0] * np.exp(-theta[1] * x) + theta[2] - y) ** 2)
        assert fits.loss[place] * fits.rows[place] <= rss * (1 + 1e-9)


def test_a_width_that_may_not_be_negative_is_not_mirrored():
    rng = np.random.default_rng(2)
    x, groups = np.tile(np.linspace(0, 4, 25), 40), 40
    well = np.repeat(np.arange(groups), 25)
    m, s = rng.uniform(1.5, 2.5, groups), rng.uniform(0.4, 0.8, groups)
    y = 2.0 * np.exp(-(((x - m[well]) / s[well]) ** 2)) + 0.02 * rng.normal(size=x.size)
    data, formula = {"x": x, "y": y, "well": well}, "y ~ a*exp(-((x - m)/s)^2)"
    for start in ({"a": 1.0, "m": 2.0, "s": 1.0}, None):
        fits = descend.fit(formula, data, by="well", start=start, bounds="s > 0.01")
        assert fits.counts == {"converged": groups}
        assert fits.parameters["s"] == pytest.approx(s, abs=0.05)


@pytest.mark.parametrize("loss", ["poisson", "huber(delta=0.1)"])
def test_bounds_hold_for_other_losses(loss):
    data = decays(groups=30, seed=3)
    if loss == "poisson":
        data["y"] = np.random.default_rng(0).poisson(np.maximum(5.0 * data["y"], 0.1)).astype(float)
    options = {"start": {"a": 2.0, "b": 1.0, "c": 0.5}, "bounds": BOUNDS, "loss": loss}
    fits = descend.fit(FORMULA, data, by="well", **options)
    assert fits.counts == {"converged": 30}
    held = ends(fits)
    for place in [*np.flatnonzero(held == 0)[:2], *np.flatnonzero(held)[:3]]:
        alone = descend.fit(FORMULA, {name: column[data["well"] == place] for name, column in data.items()}, **options)
        assert fits.loss[place] == pytest.approx(alone.loss, rel=1e-10)
        for name in START:
            assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-7, abs=1e-9)
            error = alone.standard_errors[name]
            assert fits.standard_errors[name][place] == pytest.approx(error, rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("loss", ["huber(delta=0.1)", "cauchy(scale=0.1)"])
def test_robust_losses_keep_within_their_bounds(loss):
    rng = np.random.default_rng(4)
    x, g = rng.uniform(0.1, 5, 240), np.repeat(np.arange(20), 12)
    y = 2 * np.exp(-0.7 * x) + 0.3 + 0.05 * rng.normal(size=240)
    options = {"loss": loss, "bounds": ["0 <= c <= 1", "b < 0.6"]}
    fits = descend.fit(FORMULA, {"x": x, "y": y, "g": g}, by="g", **options)
    assert fits.counts == {"converged": 20}
    assert (fits.parameters["b"] <= 0.6).all()
    for place in (3, 12):
        alone = descend.fit(FORMULA, {"x": x[g == place], "y": y[g == place]}, **options)
        assert fits.parameters["a"][place] == pytest.approx(alone.parameters["a"], rel=1e-6)


def test_a_bound_far_from_the_data_is_no_worse_than_a_fit_by_itself():
    rng = np.random.default_rng(4)
    x, g = rng.uniform(0.1, 5, 240), np.repeat(np.arange(20), 12)
    y = 2 * np.exp(-0.7 * x) + 0.3 + 0.05 * rng.normal(size=240)
    fits = descend.fit(FORMULA, {"x": x, "y": y, "g": g}, by="g", bounds=["a > 5"])
    for place in range(20):
        alone = descend.fit(FORMULA, {"x": x[g == place], "y": y[g == place]}, bounds=["a > 5"])
        assert fits.loss[place] <= alone.loss * (1 + 1e-6), place
