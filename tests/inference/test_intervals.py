"""Intervals of parameters and predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import descend
from descend import ConfigError, DataError
from descend.inference.intervals import METHODS

LINE, DECAY = "y ~ w*x + b", "y ~ a*exp(-b*x) + c"


@pytest.fixture
def decay() -> dict[str, np.ndarray]:
    x = np.linspace(0.0, 5.0, 40)
    return {"x": x, "y": 2 * np.exp(-0.8 * x) + 0.5 + 0.1 * np.random.default_rng(0).normal(size=40)}


def test_t_intervals_are_the_closed_form(line):
    fit = descend.fit(LINE, line)
    intervals = fit.intervals(0.9)
    for name, value in fit.parameters.items():
        reach = special.stdtrit(98, 0.95) * fit.standard_errors[name]
        assert intervals[name] == pytest.approx((value - reach, value + reach), rel=1e-12)
    assert (intervals.level, intervals.method, intervals.notes) == (0.9, "t", ())


@pytest.mark.parametrize("options", [{}, {"sigma": "s"}, {"weights": "s"}], ids=["plain", "sigma", "weights"])
def test_profile_and_t_agree_for_a_linear_model(line, options):
    fit = descend.fit(LINE, {**line, "s": 1 + line["x"]}, **options)
    t, profile = fit.intervals(), fit.intervals(method="profile")
    for name in t:
        width = t[name][1] - t[name][0]
        assert profile[name] == pytest.approx(t[name], abs=1e-4 * width)


def test_the_ends_of_a_profile_are_where_the_likelihood_ratio_says(decay):
    fit = descend.fit(DECAY, decay, start={"a": 2.0, "b": 1.0, "c": 0.0})
    squares, reach = fit.loss * 40, special.stdtrit(37, 0.975)
    for end in fit.intervals(method="profile")["b"]:
        X = np.column_stack([np.exp(-end * decay["x"]), np.ones(40)])
        _, (left,), *_ = np.linalg.lstsq(X, decay["y"])
        assert np.sqrt((left - squares) / (squares / 37)) == pytest.approx(reach, rel=1e-4)


def test_an_end_that_the_data_leave_open():
    # A rise within the first step: the rate may be any large number.
    x = np.arange(6.0)
    y = np.array([0.0, 0.95, 0.97, 1.03, 0.99, 1.0])
    fit = descend.fit("y ~ a*(1 - exp(-b*x))", {"x": x, "y": y}, start={"a": 1.0, "b": 3.0})
    intervals = fit.intervals(method="profile")
    assert intervals["b"][1] == math.inf and 1.0 < intervals["b"][0] < fit.parameters["b"]
    assert intervals.plain()["b"][1] is None
    assert intervals.notes == ("`b` has no upper end at 95%: the data do not bound it there",)


def test_bootstrap_is_seeded_and_near_t(decay):
    fit = descend.fit(DECAY, decay, start={"a": 2.0, "b": 1.0, "c": 0.0})
    done = []
    first = fit.intervals(method="bootstrap", resamples=200, seed=4, on_resample=done.append)
    assert done == list(range(1, 201))
    assert first == fit.intervals(method="bootstrap", resamples=200, seed=4)
    assert first != fit.intervals(method="bootstrap", resamples=200, seed=5)
    t = fit.intervals(method="sandwich")
    for name in t:
        width = t[name][1] - t[name][0]
        assert first[name] == pytest.approx(t[name], abs=0.35 * width)


def test_bands_are_the_closed_form(line):
    fit = descend.fit(LINE, line)
    x = np.array([-1.0, 5.0, 20.0])
    n, spread = 100, np.sum((line["x"] - line["x"].mean()) ** 2)
    variance = np.sum(fit.residuals**2) / 98
    for interval, one in (("confidence", 0.0), ("prediction", 1.0)):
        band = fit.predict({"x": x}, interval=interval, level=0.9)
        reach = special.stdtrit(98, 0.95) * np.sqrt(variance * (one + 1 / n + (x - line["x"].mean()) ** 2 / spread))
        np.testing.assert_allclose(band.prediction, fit.predict({"x": x}))
        np.testing.assert_allclose(band.high - band.prediction, reach, rtol=1e-9)
        np.testing.assert_allclose(band.prediction - band.low, reach, rtol=1e-9)


def test_a_measurement_has_the_error_of_its_own_row(line, tmp_path):
    rows = {**line, "s": 0.5 + 0.1 * line["x"]}
    fit = descend.fit(LINE, rows, sigma="s")
    fit.save(tmp_path / "line.json")
    fit = descend.load(tmp_path / "line.json")
    mean = fit.predict({"x": [1.0, 1.0]}, interval="confidence")
    one = fit.predict({"x": [1.0, 1.0], "s": [1.0, 3.0]}, interval="prediction")
    q = special.ndtri(0.975)
    np.testing.assert_allclose(
        (one.high - one.prediction) ** 2, (mean.high - mean.prediction) ** 2 + q**2 * np.array([1, 9])
    )
    with pytest.raises(ConfigError) as error:
        fit.predict({"x": [1.0]}, interval="prediction")
    assert str(error.value) == (
        "A prediction interval needs the sigma of each new row: the column `s`, with which the model was fitted. "
        "Add it, or ask for a confidence interval."
    )


def test_bands_stay_where_the_response_can_be():
    random = np.random.default_rng(2)
    x = np.linspace(-2, 2, 40)
    outcomes = (random.uniform(size=40) < special.expit(2 * x)).astype(float)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": outcomes}, loss="logistic")
    band = fit.predict({"x": [-9.0, 0.0, 9.0]}, interval="confidence")
    assert (band.low >= 0).all() and (band.high <= 1).all()
    assert ((band.low <= band.prediction) & (band.prediction <= band.high)).all()
    counts = random.poisson(np.exp(x)).astype(float)
    fit = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": counts}, loss="poisson")
    assert (fit.predict({"x": [-9.0]}, interval="confidence").low > 0).all()
    more = fit.predict({"x": [-9.0, 2.0]}, interval="prediction")
    assert more.low[0] == more.high[0] == 0.0 and more.low[1] == round(more.low[1])
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a + b*x", {"x": x, "y": counts}, loss="huber").predict({"x": [1.0]}, interval="prediction")
    assert str(error.value) == (
        "A prediction interval needs the spread of single measurements, which the huber loss does not estimate. "
        "Ask for a confidence interval, or use the squared loss."
    )


def test_vectors_have_ends_of_their_shape():
    random = np.random.default_rng(1)
    x = random.normal(size=(3, 50))
    data = {"x1": x[0], "x2": x[1], "y": x[0] - x[1] + 0.1 * x[2]}
    low, high = descend.fit("y ~ w @ [x1, x2]", data).intervals(method="profile")["w"]
    assert low.shape == high.shape == (2,) and (low < [1, -1]).all() and (high > [1, -1]).all()


def test_a_perfect_fit_leaves_nothing_open():
    fit = descend.fit("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]})
    for method in ("t", "profile"):
        assert fit.intervals(method=method)["w"] == pytest.approx((2.0, 2.0))


@pytest.mark.parametrize("truth", [(3.0, 0.3, 2.0, 1.0, 1.0, 3.0), (0.0951, 1.0, 0.8607, 3.0, 1.5576, 5.0)])
@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_rounding_is_no_better_fit(truth, unit):
    x = np.linspace(0.0, 5.0, 200)
    y = unit * sum(a * np.exp(-b * x) for a, b in zip(truth[::2], truth[1::2], strict=True))
    fit = descend.fit("y ~ a*exp(-b*x) + c*exp(-d*x) + g*exp(-h*x)", {"x": x, "y": y})
    for name, (low, high) in fit.intervals(method="profile").items():
        assert low == pytest.approx(fit.parameters[name], rel=1e-9) == high


def test_what_is_refused(line):
    def said(call):
        with pytest.raises(ConfigError) as error:
            call()
        return str(error.value)

    fit, robust = descend.fit(LINE, line), descend.fit(LINE, line, loss="huber")
    penalised = descend.fit(LINE, line, l2=0.1)
    assert said(lambda: fit.intervals(95)) == ("The level must be a number between 0 and 1, such as 0.95; it is 95.")
    assert said(lambda: fit.intervals("profile")) == (
        "The level must be a number between 0 and 1, such as 0.95; it is 'profile'. A method is named as one: "
        "method='profile'."
    )
    assert said(lambda: fit.intervals(method="profil")) == (
        "There is no interval by `profil`. Did you mean `profile`? Known: t, profile, bootstrap, sandwich."
    )
    assert said(lambda: robust.intervals(method="profile")) == (
        "A profile interval needs a likelihood, which the huber loss is not. Use the method sandwich or bootstrap."
    )
    assert said(lambda: robust.quantity("w + b", method="profile")) == said(lambda: robust.intervals(method="profile"))
    assert said(penalised.intervals) == (
        "There are no standard errors: a penalty pulls the parameters away from where the data put them, by an "
        "unknown amount. Fit without `l1` and `l2`."
    )
    assert said(lambda: fit.intervals(method="bootstrap", resamples=10)) == (
        "The number of resamples must be a whole number, 100 or more; it is 10."
    )
    assert said(lambda: fit.predict(line, interval="credible")) == (
        "There is no interval `credible` of a prediction. Known: confidence, prediction."
    )
    two = descend.fit(LINE, {"x": [0.0, 1.0], "y": [1.0, 3.0]})
    assert said(two.intervals) == (
        "There are no standard errors: 2 parameters leave nothing of as many rows to tell the size of the errors. "
        "Give more rows."
    )


def test_a_row_without_a_value_is_named():
    x = np.linspace(1, 5, 30)
    data = {"x": x, "y": 2 * np.log(x + 0.5) + 0.3 * np.random.default_rng(1).normal(size=30)}
    fit = descend.fit("y ~ a*log(x + b)", data, start={"a": 1.0, "b": 1.0})
    for interval in (None, "confidence", "prediction"):
        with pytest.raises(DataError) as error:
            fit.predict({"x": [1.0, -3.0]}, interval=interval)
        assert str(error.value) == (
            "The prediction is nan in row 2 (x = -3): `log(b + x)` is nan there. Leave such rows out with `where`."
        )
    fit = descend.fit("y ~ a*sqrt(b + x)", {"x": x, "y": np.sqrt(1 + x)}, start={"a": 1.0, "b": 2.0})
    with pytest.raises(DataError) as error:
        fit.predict({"x": [-fit.parameters["b"]]}, interval="confidence")
    assert str(error.value) == (
        "The prediction has no confidence interval in row 1 (x = -1): the derivative of the prediction by `b` is not "
        "finite there. Leave such rows out with `where`."
    )


def test_the_convention_of_an_interval_is_named(decay):
    fit = descend.fit(DECAY, decay)
    found = {method: fit.intervals(method=method, resamples=100).convention for method in METHODS}
    assert found == {
        "t": "Student's t, 37 degrees of freedom",
        "profile": "likelihood ratio, Student's t, 37 degrees of freedom",
        "sandwich": "HC3 errors, Student's t, 37 degrees of freedom",
        "bootstrap": "BCa, whole rows drawn",
    }
    counts = {"x": decay["x"], "y": np.round(20 * decay["y"])}
    assert descend.fit("y ~ exp(a + b*x)", counts, loss="poisson").intervals().convention == "normal quantile"
    absolute = descend.fit("y ~ a + b*x", decay, loss="absolute").intervals()
    assert absolute.convention == "kernel errors, Student's t, 38 degrees of freedom"


def test_the_bootstrap_says_which_resamples_determine_nothing():
    x = np.linspace(0, 3, 8)
    y = 3 * np.exp(-1.2 * x) + 1 + 0.5 * np.random.default_rng(1).normal(size=8)
    fit = descend.fit(DECAY, {"x": x, "y": y}, start={"a": 3, "b": 1.2, "c": 1})
    left_out, wide = fit.intervals(method="bootstrap", resamples=400).notes
    assert left_out.endswith(
        " of 400 resamples of the bootstrap do not determine the parameters, for they hold too few different rows, and "
        "are left out: ask for profile instead"
    )
    assert wide == (
        "the bootstrap intervals of `a` and `b` are more than 5 times as wide as the standard errors say, for many "
        "resamples hold too few different rows to determine them: ask for profile instead"
    )


def test_a_bootstrap_needs_more_rows_than_parameters():
    fit = descend.fit("y ~ a + b*x", {"x": [1.0, 2.0], "y": [1.0, 3.0]}, sigma=0.1)
    with pytest.raises(ConfigError, match="The bootstrap draws other rows, and there are only as many as parameters"):
        fit.quantity("a/b", method="bootstrap")


def test_a_group_of_one_row_has_no_bootstrap_interval():
    x = np.linspace(0.0, 5.0, 40)
    y = 1.0 + 3.0 * np.exp(-0.7 * x) + 0.05 * np.sin(30.0 * x)
    fit = descend.fit("y ~ a[g] + b*x", {"x": x, "y": y, "g": ["p"] + ["q"] * 39})
    found = fit.intervals(method="bootstrap", resamples=100)
    low, high = found["a"]
    assert np.isnan([low["p"], high["p"]]).all() and low["q"] < fit.parameters["a"]["q"] < high["q"]
    assert "one row alone determines `a[p]`, and is in every sample, so there is no interval: ask for t" in found.notes
