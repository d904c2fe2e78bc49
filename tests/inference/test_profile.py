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


DOSES = np.array([0.02, 0.06, 0.11, 0.22, 0.35, 0.56, 1.1])
RATES = np.array([0.0, 1.13, 1.04, 1.4, 1.58, 0.99, 1.99])
LEVELS = (0.5, 0.8, 0.9, 0.94, 0.95, 0.98, 0.99)


def ends(rise, best, step, wanted):
    """Return where a profile first rises to ``wanted`` on both sides; rise(value) is found by other means."""
    found = []
    for sign in (-1.0, 1.0):
        inner, outer = best, best + sign * step
        while rise(outer) < wanted:
            inner, outer = outer, outer + sign * step
        found.append(optimize.brentq(lambda value: rise(value) - wanted, inner, outer, xtol=1e-10))
    return found


def squares(columns, y):
    """Return the least sum of squares of y about a combination of columns."""
    return float(np.sum((y - columns @ np.linalg.lstsq(columns, y)[0]) ** 2))


def least(squares_at, grid):
    """Return the least over a grid and between its points."""
    values = [squares_at(each) for each in grid]
    place = int(np.clip(np.argmin(values), 1, len(grid) - 2))
    found = optimize.minimize_scalar(
        squares_at, bounds=(grid[place - 1], grid[place + 1]), method="bounded", options={"xatol": 1e-12}
    )
    return min(found.fun, *values)


@pytest.mark.parametrize("level", [0.8, 0.94, 0.95])
def test_few_doses_are_those_of_a_dense_grid(level):
    fit = descend.fit("y ~ V*x/(K + x)", {"x": DOSES, "y": RATES})
    V, reach = fit.parameters["V"], special.stdtrit(5, 0.5 + 0.5 * level)
    grid = np.geomspace(1e-6, 1e2, 300)

    def rise(value):
        left = least(lambda K: float(np.sum((RATES - value * DOSES / (K + DOSES)) ** 2)), grid)
        return (left / (7 * fit.loss) - 1.0) * 5

    assert fit.intervals(level, "profile")["V"] == pytest.approx(ends(rise, V, 0.05, reach**2), rel=1e-4)


def two_rates(seed=0):
    x = np.linspace(0.0, 5.0, 20)
    clean = 3 * np.exp(-0.3 * x) + 2 * np.exp(-1.5 * x)
    return {"x": x, "y": clean + 0.03 * np.random.default_rng(seed).normal(size=20)}


@pytest.mark.parametrize("seed", range(3))
def test_two_rates_are_those_of_a_dense_grid(seed):
    data = two_rates(seed)
    x, y = data["x"], data["y"]
    fit = descend.fit("y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", data, start={"a1": 3, "b1": 0.3, "a2": 2, "b2": 1.5})
    profile, reach = fit.intervals(method="profile"), special.stdtrit(16, 0.975)
    grid = np.concatenate([np.linspace(-2.0, 4.0, 200), np.geomspace(4.1, 200, 60)])

    def rise(value):
        left = least(lambda other: squares(np.exp(-np.outer(x, [value, other])), y), grid)
        return (left / (20 * fit.loss) - 1.0) * 16

    for name in ("b1", "b2"):
        step = 0.2 * fit.standard_errors[name]
        assert profile[name] == pytest.approx(ends(rise, fit.parameters[name], step, reach**2), rel=1e-4)


def test_like_terms_that_can_change_places_share_what_both_can_be():
    x = np.linspace(0, 5, 20)
    noise = 0.05 * np.random.default_rng([5, 9]).normal(size=20)
    data = {"x": x, "y": 3 * np.exp(-0.4 * x) + 2 * np.exp(-0.8 * x) + noise}
    fit = descend.fit("y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", data, start={"a1": 3, "b1": 0.4, "a2": 2, "b2": 0.8})
    profile = fit.intervals(method="profile")
    assert profile["a1"] == pytest.approx(profile["a2"], rel=1e-3, abs=1e-3)
    assert all(profile["a1"][0] < fit.parameters[name] < profile["a1"][1] for name in ("a1", "a2"))


def test_counts_are_those_of_the_likelihood_ratio_in_closed_form():
    # With one mean per group, b is the logarithm of their ratio; at a given ratio the first mean is a share of the sum.
    g, k = np.repeat([0.0, 1.0], [6, 7]), np.array([9.0, 12, 8, 15, 11, 9, 4, 7, 5, 3, 6, 2, 4])
    fit = descend.fit("k ~ exp(a + b*g)", {"g": g, "k": k}, loss="poisson")
    first, second = k[g == 0].sum(), k[g == 1].sum()

    def rise(b):
        mean = (first + second) / (6 + 7 * np.exp(b))
        best = first * np.log(first / 6) + second * np.log(second / 7)
        return 2.0 * (best - first * np.log(mean) - second * (np.log(mean) + b))

    for level in (0.5, 0.95, 0.999):
        wanted = special.ndtri(0.5 + 0.5 * level) ** 2
        assert fit.intervals(level, "profile")["b"] == pytest.approx(
            ends(rise, fit.parameters["b"], 0.05, wanted), rel=1e-5
        )


def test_counts_with_a_loss_below_zero():
    x = np.linspace(0, 6, 30)
    y = np.random.default_rng(3).poisson(40 * np.exp(-0.7 * x) + 6).astype(float)
    fit = descend.fit("y ~ a*exp(-k*x) + c", {"x": x, "y": y}, loss="poisson")
    profile = fit.intervals(method="profile")
    assert fit.loss < 0.0

    def held(k):
        def loss(z):
            mean = z[0] * np.exp(-k * x) + z[1]
            return float(np.sum(mean - y * np.log(mean))) if mean.min() > 0.0 else np.inf

        return optimize.minimize(loss, [40.0, 6.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})

    for end in profile["k"]:
        assert 2.0 * (held(end).fun - 30 * fit.loss) == pytest.approx(special.ndtri(0.975) ** 2, rel=1e-4)
    assert abs(profile["k"][0] - fit.intervals()["k"][0]) > 1e-3


def test_a_chance_that_levels_off_anywhere_has_no_upper_end():
    random = np.random.default_rng(40)
    x = np.round(random.uniform(0, 3, 100), 2)
    y = (random.random(100) < special.expit(0.8 * (1 - np.exp(-1.2 * x)))).astype(float)
    fit = descend.fit("y ~ a*(1-exp(-b*x))", {"x": x, "y": y}, loss="logistic")
    profile = fit.intervals(method="profile")
    assert profile["a"][1] == math.inf
    assert "`a` has no upper end at 95%: the data do not bound it there" in profile.notes


def test_a_tied_parameter_is_open_where_the_one_it_is_tied_to_is():
    x = np.arange(6.0)
    y = np.array([0.0, 0.95, 0.97, 1.03, 0.99, 1.0])
    fit = descend.fit("y ~ a*(1 - exp(-x/c)) + 0.01*log(b*c)", {"x": x, "y": y}, start={"b": 3.0}, ties={"c": "1/b"})
    profile = fit.intervals(method="profile")
    assert profile["b"][1] == math.inf
    assert profile["c"] == pytest.approx((0.0, 1.0 / profile["b"][0]))


def test_a_run_cut_short_says_that_there_is_a_better_fit():
    data = {"x": np.linspace(0.0, 10.0, 30), "y": 2 + 0.5 * np.linspace(0.0, 10.0, 30)}
    data["y"] = data["y"] + np.random.default_rng(1).normal(size=30)
    fit = descend.fit("y ~ a + b*x", data, optimizer="gd", learning_rate=0.001, epochs=50)
    with pytest.raises(descend.ConfigError) as error:
        fit.intervals(method="profile")
    said = str(error.value)
    assert said.startswith("There is a better fit, for this run stopped before it: with `a` at ")
    assert ", below 1.84922628. " in said and "Fit again from there: a=" in said
    assert fit.intervals().notes == ("intervals hold at the minimum only, which this run did not reach",)


def test_others_that_hardly_matter_are_fitted_again_all_the_same():
    x = np.linspace(0, 5, 20)
    noise = 0.05 * np.random.default_rng([7, 0]).normal(size=20)
    data = {"x": x, "y": 3 * np.exp(-0.4 * x) + 2 * np.exp(-0.8 * x) + noise}
    fit = descend.fit("y ~ a1*exp(-b1*x) + a2*exp(-b2*x)", data, start={"a1": 3, "b1": 0.4, "a2": 2, "b2": 0.8})
    for name, (low, high) in fit.intervals(method="profile").items():
        assert low < fit.parameters[name] < high


def test_of_counts_without_a_predictor_the_ends_are_those_of_their_mean():
    from scipy import optimize, stats

    counts = np.array([3.0, 1.0, 4.0, 0.0, 2.0])
    fit = descend.fit("k ~ m + 0*x", {"x": np.arange(5.0), "k": counts}, loss="poisson")

    def deviance(mean):
        return 2 * (5 * mean - 10 * np.log(mean) - (10 - 10 * np.log(2))) - stats.chi2.ppf(0.95, 1)

    ends = [optimize.brentq(deviance, *between) for between in ((1e-9, 2), (2, 20))]
    assert fit.intervals(method="profile")["m"] == pytest.approx(ends, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(stats.poisson.logpmf(counts, 2).sum(), abs=1e-9)


def test_of_residuals_that_are_all_but_rounding_it_is_found_at_once():
    x = np.geomspace(0.01, 100, 12)
    fit = descend.fit("y ~ t*x^h/(k^h + x^h)", {"x": np.r_[0, x], "y": np.r_[0, np.where(x < 1.2, 0, 1.0)]})
    t = fit.intervals(method="profile")["t"]
    assert t[0] <= fit.parameters["t"] <= t[1] and t[1] - t[0] < 1e-13


def test_an_interval_is_the_same_when_it_is_asked_for_again():
    x = np.linspace(0.0, 5.0, 40)
    separated = descend.fit("s ~ a + b*x", {"x": x, "s": (x > 2.5) * 1.0}, loss="logistic")
    first, narrow = (separated.intervals(level, method="profile") for level in (0.95, 0.9))
    again = separated.intervals(0.95, method="profile")
    assert first == again and first.notes == again.notes and narrow["b"][0] >= first["b"][0]
