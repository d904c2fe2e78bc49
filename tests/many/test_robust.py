"""Robust losses of many groups: what each fit by itself gives, at the cost of many."""

from __future__ import annotations

import numpy as np
import pytest

import descend

FORMULA, START = "y ~ a*exp(-b*x) + c", {"a": 1.0, "b": 1.0, "c": 0.1}
LOSSES = ["huber(delta=0.1)", "soft_l1(scale=0.1)", "cauchy(scale=0.1)", "log_cosh"]
ESTIMATED = ["huber", "soft_l1", "cauchy(scale=auto)", "tukey"]


def with_outliers(groups=40, seed=0):
    """Decays of 14 to 24 rows, of which one in twenty is far off."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(14, 25, groups)
    well, x = np.repeat(np.arange(groups), sizes), np.concatenate([np.linspace(0.1, 4, size) for size in sizes])
    a, b, c = rng.uniform(1, 4, groups), rng.uniform(0.5, 2, groups), rng.uniform(0, 0.3, groups)
    y = a[well] * np.exp(-b[well] * x) + c[well] + 0.05 * rng.normal(size=x.size)
    y += (rng.uniform(size=x.size) < 0.05) * rng.normal(size=x.size)
    return {"x": x, "y": y, "well": well, "n": rng.integers(1, 4, x.size).astype(float)}


@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("start", [START, None])
@pytest.mark.parametrize("loss", LOSSES)
def test_each_group_has_the_fit_that_it_has_by_itself(loss, start, weights):
    data = with_outliers()
    options = {"loss": loss, "weights": weights}
    fits = descend.fit(FORMULA, data, by="well", start=start, **options)
    assert fits.counts == {"converged": 40}
    assert not fits._outcomes.fits  # none had to be fitted by itself
    for place in (3, 11, 26):
        rows = {name: column[data["well"] == place] for name, column in data.items()}
        alone = descend.fit(
            FORMULA, rows, start={name: values[place] for name, values in fits.parameters.items()}, **options
        )
        assert alone.succeeded
        assert fits.loss[place] == pytest.approx(alone.loss, rel=1e-12)
        assert fits.r_squared[place] == pytest.approx(alone.r_squared, abs=1e-8)
        for name in START:
            assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-8)
            assert fits.standard_errors[name][place] == pytest.approx(alone.standard_errors[name], rel=1e-6)


@pytest.mark.parametrize("weights", [None, "n"])
@pytest.mark.parametrize("loss", ESTIMATED)
def test_each_group_has_the_scale_that_its_own_rows_show(loss, weights):
    data = with_outliers()
    options = {"loss": loss, "weights": weights, "start": START}
    fits = descend.fit(FORMULA, data, by="well", **options)
    assert fits.counts == {"converged": 40}
    assert len(fits._outcomes.fits) < 4  # some go in circles, or have to be fitted by themselves
    for place in (3, 11, 26):
        alone = descend.fit(FORMULA, {name: column[data["well"] == place] for name, column in data.items()}, **options)
        assert fits.loss[place] == pytest.approx(alone.loss, rel=1e-7)
        for name in START:
            assert fits.parameters[name][place] == pytest.approx(alone.parameters[name], rel=1e-7)
            assert fits.standard_errors[name][place] == pytest.approx(alone.standard_errors[name], rel=1e-5)


def test_groups_without_rows_to_spare_have_no_robust_errors():
    x, y = [0.5, 1.5, 3.0, *np.linspace(0.1, 4, 12)], [1.7, 1.0, 0.6, *(2 * np.exp(-np.linspace(0.1, 4, 12)))]
    y = np.array(y) + 0.01 * np.cos(7 * np.arange(15.0))
    fits = descend.fit(FORMULA, {"x": x, "y": y, "g": [0] * 3 + [1] * 12}, by="g", loss="huber(delta=0.1)")
    assert np.isnan([fits.standard_errors[name][0] for name in "abc"]).all()
    assert np.isfinite([fits.standard_errors[name][1] for name in "abc"]).all()


def test_an_outlier_far_out_leads_no_group_to_a_worse_minimum():
    """The loss may be lower where the curve goes through it; a fit by itself begins without it, and so do many."""
    rng = np.random.default_rng(3)
    groups, size = 150, 24
    well = np.repeat(np.arange(groups), size)
    x = np.tile(np.linspace(0, 4, size), groups)
    a, b, c = rng.uniform(1, 4, groups), rng.uniform(0.5, 2, groups), rng.uniform(0, 1, groups)
    y = a[well] * np.exp(-b[well] * x) + c[well] + 0.05 * rng.normal(size=x.size)
    last = np.arange(groups) * size + size - 1
    x[last], y[last] = rng.uniform(5, 12, groups), y[last] + rng.choice([-1, 1], groups) * rng.uniform(2, 8, groups)
    data = {"x": x, "y": y, "well": well}
    fits = descend.fit(FORMULA, data, by="well", loss="huber")
    apart = np.abs(fits.predict(data) - y).reshape(groups, size)
    worse = np.flatnonzero(1.4826 * np.median(apart, axis=1) > 0.12)  # the true noise is 0.05
    assert len(worse) <= 3
    for place in (10, 11, 12, *worse):
        rows = {name: column[well == place] for name, column in data.items()}
        alone = descend.fit(FORMULA, rows, loss="huber")
        if place in worse:
            assert 1.4826 * np.median(np.abs(alone.predict(rows) - rows["y"])) > 0.12  # nor does it find another
            continue
        for name, values in fits.parameters.items():
            assert values[place] == pytest.approx(alone.parameters[name], abs=1e-6 * alone.standard_errors[name])
