"""Profile intervals against closed forms and lmfit, and within bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, special

import descend

DECAY = "y ~ a*exp(-b*x) + c"
X = np.linspace(0.0, 5.0, 40)
DATA = {"x": X, "y": 2 * np.exp(-0.8 * X) + 0.05 + 0.1 * np.random.default_rng(0).normal(size=40)}


def test_the_ends_are_those_of_lmfit():
    import lmfit

    fit = descend.fit(DECAY, DATA)
    minimizer = lmfit.Minimizer(
        lambda p: p["a"] * np.exp(-p["b"] * X) + p["c"] - DATA["y"], lmfit.create_params(a=2.0, b=0.8, c=0.05)
    )
    expected = lmfit.conf_interval(minimizer, minimizer.minimize(), sigmas=[0.95])
    for name, ends in fit.intervals(method="profile").items():
        assert ends == pytest.approx((expected[name][0][1], expected[name][2][1]), rel=1e-5)


def test_an_end_beyond_a_bound_is_that_bound():
    free, bounded = (descend.fit(DECAY, DATA, bounds=bounds) for bounds in (None, ["c >= 0.06", "b <= 0.9"]))
    ends, within = (fit.intervals(method="profile") for fit in (free, bounded))
    assert ends["c"][0] < 0.06 and ends["b"][1] > 0.9
    assert within["c"][0] == 0.06 and within["b"][1] == 0.9
    assert within.notes == ("the upper end of `b` is its bound 0.9", "the lower end of `c` is its bound 0.06")
    assert bounded.intervals().notes == within.notes and bounded.intervals()["b"][1] == 0.9


def test_the_other_parameters_stay_within_their_bounds_too():
    fit = descend.fit(DECAY, DATA, bounds=["c >= 0.06"])
    upper = fit.intervals(method="profile")["b"][1]
    lower = fit.intervals(method="profile")["b"][0]
    reach = special.stdtrit(37, 0.975)
    for end in (lower, upper):
        X_ = np.column_stack([np.exp(-end * X), np.ones(40)])
        least = optimize.lsq_linear(X_, DATA["y"], ([-np.inf, 0.06], np.inf), tol=1e-14)
        tau = np.sqrt((2 * least.cost - fit.loss * 40) / (fit.loss * 40 / 37))
        assert tau == pytest.approx(reach, rel=1e-5)


def test_a_parameter_at_its_bound_has_a_profile_interval_and_no_t_interval():
    fit = descend.fit(DECAY, DATA, bounds=["c >= 0.1"])
    assert fit.at_bound == ["c"]
    low, high = fit.intervals(method="profile")["c"]
    s2, reach = fit.loss * 40 / fit.degrees_of_freedom, special.stdtrit(fit.degrees_of_freedom, 0.975)
    held = descend.fit(DECAY, DATA, fix={"c": high})
    assert low == 0.1 and np.sqrt((held.loss - fit.loss) * 40 / s2) == pytest.approx(reach, rel=1e-5)
    t = fit.intervals()
    assert math.isnan(t["c"][0]) and t.plain()["c"] == [None, None]
    assert t.notes == ("a parameter has no t interval at its bound, where `c` ended: ask for profile instead",)


@pytest.mark.parametrize("method", ["t", "profile", "sandwich", "bootstrap"])
def test_tied_parameters_have_intervals_and_fixed_ones_have_none(method):
    fit = descend.fit("y ~ a*exp(-b*x) + c + d*x", DATA, ties={"c": "0.1*b"}, fix={"d": 0.0})
    intervals = fit.intervals(method=method, resamples=100)
    assert list(intervals) == ["a", "b", "c"]
    assert intervals["c"] == pytest.approx([0.1 * end for end in intervals["b"]], rel=1e-4)


def test_a_tie_to_several_parameters_has_no_profile_interval():
    fit = descend.fit(DECAY, DATA, ties={"c": "0.05*a*b"})
    profile = fit.intervals(method="profile")
    assert profile.plain()["c"] == [None, None]
    assert profile.notes == ("`c` is tied in a way that leaves it no profile interval: ask for t or bootstrap instead",)
    low, high = fit.intervals()["c"]
    assert low < fit.parameters["c"] < high


def test_where_the_model_has_no_value():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    y = 2 * np.log(x + 0.05) + np.array([3.0, -2.0, 1.0, 0.0, -1.0, 1.0])
    fit = descend.fit("y ~ a*log(x + b)", {"x": x, "y": y}, start={"a": 1.0, "b": 1.0})
    intervals = fit.intervals(0.999, method="profile")
    low, high = intervals["b"]
    assert 0.0 <= low < 1e-6 and high > fit.parameters["b"]
    assert any(note.startswith("the lower end of `b`") for note in intervals.notes)
