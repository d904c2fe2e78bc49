"""Censored and rounded responses, against R's survreg.

R 4.x, survival: survreg(Surv(durable, durable > 0, type = "left") ~ age + quant, data = tobin, dist = "gaussian") and
others, beside each number. The standard error of the scale is scale times R's of log(scale).
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.differentiate import hessian
from scipy.optimize import approx_fprime
from scipy.stats import gamma, norm, poisson
from typer.testing import CliRunner

import descend
from descend.cli.main import app
from descend.errors import ConfigError, DescendError
from descend.losses import LOSSES

TOBIN = """
0 57.7 236 .7 50.9 283 0 48.5 207 0 41.7 220 0 47.7 238 0 59.8 216 0 44.3 284 3.7 45.1 221 0 51.7 275 3 50 269
10.4 46.8 207 0 58 249 0 58.9 246 0 40 277 1.5 34.1 231 0 39.9 219 0 33.4 240 3.5 48.1 266 6.1 46.6 214 0 53.1
251
"""
OVARIAN = """
59 1 72.3315 1 115 1 74.4932 1 156 1 66.4658 2 421 0 53.3644 1 431 1 50.3397 1 448 0 56.4301 2 464 1 56.9370 2
475 1 59.8548 2 477 0 64.1753 1 563 1 55.1781 2 638 1 56.7562 2 744 0 50.1096 1 769 0 59.6301 2 770 0 57.0521 1
803 0 39.2712 1 855 0 43.1233 2 1040 0 38.8932 2 1106 0 44.6000 1 1129 0 53.9068 1 1206 0 44.2055 1 1227 0 59.5890 2
268 1 74.5041 2 329 1 43.1370 1 353 1 63.2192 2 365 1 64.4247 1 377 0 58.3096 1
"""
GAPS = float("nan")
LOW = np.array([1.1, GAPS, 3.0, 2.2, GAPS, 4.1, 5.0, 3.3, 2.0, 6.0])
HIGH = np.array([1.1, 2.0, 3.5, 2.2, 1.5, GAPS, 5.0, 4.4, 2.6, GAPS])
X = np.array([1.0, 2, 3, 2, 1, 5, 6, 4, 2, 7])
PAIR = {"x": X, "low": LOW, "high": HIGH}
# survreg(Surv(low, high, type = "interval2") ~ x, dist = "gaussian"): coefficients and scale, standard errors, loglik
OF_PAIR = [0.447249958406, 0.804875702728, 0.203537461627]
ERRORS_OF_PAIR = [0.15210952337, 0.04295818591, 0.203537461627 * 0.37349273682]
LIKELIHOOD_OF_PAIR = -2.87948354722


def tobin() -> dict[str, np.ndarray]:
    durable, age, quant = np.array(TOBIN.split(), dtype=float).reshape(-1, 3).T
    return {"durable": durable, "age": age, "quant": quant, "state": np.where(durable > 0, "none", "left")}


def values(fit):
    return list(fit.parameters.values())


def errors(fit):
    return list(fit.standard_errors.values())


def test_tobin():
    fit = descend.fit("durable ~ a + b*age + c*quant", tobin(), censored="state")
    assert fit.outcome == "converged"
    assert list(fit.parameters) == ["a", "b", "c", "sigma"]
    expected = [15.1448663606815, -0.1290592840970, -0.0455416629543, 5.57253976309]
    assert values(fit) == pytest.approx(expected, rel=1e-7)
    assert errors(fit) == pytest.approx(
        [16.07945319477, 0.21858359664, 0.05825411548, 5.57253976309 * 0.31032272007], rel=1e-5
    )
    assert fit.log_likelihood == pytest.approx(-28.9401331997, rel=1e-10)
    assert fit.aic == pytest.approx(2 * 4 + 2 * 28.9401331997, rel=1e-10)
    assert fit.censored == {"left": 13, "right": 0, "interval": 0}


SAME = {
    "pair": ("y ~ a + b*x", PAIR, ("low", "high")),
    "pair, by text": ("low ~ a + b*x", PAIR, "low,high"),
    "infinite ends": (
        "y ~ a + b*x",
        {"x": X, "low": np.nan_to_num(LOW, nan=-np.inf), "high": np.nan_to_num(HIGH, nan=np.inf)},
        ("low", "high"),
    ),
}
STATES = np.select([np.isnan(LOW), np.isnan(HIGH), LOW == HIGH], ["left", "right", "none"], "interval")
ENDS = {"x": X, "y": np.where(np.isnan(LOW), HIGH, LOW), "upper": np.nan_to_num(HIGH, nan=0.0)}
SAME["states"] = ("y ~ a + b*x", ENDS | {"s": STATES}, ("s", "upper"))
SAME["codes of R"] = (
    "y ~ a + b*x",
    ENDS | {"e": np.select([STATES == "left", STATES == "right", STATES == "none"], [2, 0, 1], 3)},
    "e,upper: 0=right, 1=none, 2=left, 3=interval",
)
SAME["numbers"] = (
    "y ~ a + b*x",
    ENDS | {"s": np.select([STATES == "left", STATES == "right", STATES == "none"], [-1, 1, 0], 2)},
    ("s", "upper"),
)


@pytest.mark.parametrize("way", SAME)
def test_every_way_to_say_it_is_the_same_fit(way):
    formula, data, censored = SAME[way]
    fit = descend.fit(formula, data, censored=censored)
    assert values(fit) == pytest.approx(OF_PAIR, rel=1e-6)
    assert errors(fit) == pytest.approx(ERRORS_OF_PAIR, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(LIKELIHOOD_OF_PAIR, rel=1e-9)
    assert fit.censored == {"left": 2, "right": 2, "interval": 3}


def test_weights_are_those_of_the_log_likelihood_as_in_survreg():
    # survreg(..., weights = c(1, 2, 1, 3, 1, 1, 2, 1, 1, 2))
    data = PAIR | {"w": [1.0, 2, 1, 3, 1, 1, 2, 1, 1, 2]}
    fit = descend.fit("y ~ a + b*x", data, censored=("low", "high"), weights="w")
    assert values(fit) == pytest.approx([0.477197119021, 0.793170883548, 0.191542930985], rel=1e-6)
    assert errors(fit)[:2] == pytest.approx([0.11379447359, 0.02985952728], rel=1e-4)
    assert fit.log_likelihood == pytest.approx(-3.56411981948, rel=1e-9)


def test_known_standard_deviations():
    # survreg(..., scale = 0.7)
    fit = descend.fit("y ~ a + b*x", PAIR | {"s": np.full(10, 0.7)}, censored=("low", "high"), sigma="s")
    assert values(fit) == pytest.approx([0.115684000011, 0.922606235981], rel=1e-8)
    assert errors(fit) == pytest.approx([0.4921445821, 0.1358649278], rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-6.74914514531, rel=1e-10)
    assert fit.aic == pytest.approx(17.49829, rel=1e-6)


DECAY = "t,y\n0,9.8\n1,6.1\n2,3.55\n3,2.31\n4,1.30\n5,0.87\n6,<0.5\n7,< 0.5\n8,<=0.5\n"


def minus_log_likelihood(a, b, sigma):
    t, y = np.arange(9.0), np.array([9.8, 6.1, 3.55, 2.31, 1.30, 0.87, 0.5, 0.5, 0.5])
    z = (y - a * np.exp(-b * t)) / sigma
    return -np.where(t < 6, norm.logpdf(z) - np.log(sigma), norm.logcdf(z)).sum()


def test_limits_in_cells_are_read_without_a_word(tmp_path):
    path = tmp_path / "decay.csv"
    path.write_text(DECAY)
    result = CliRunner().invoke(app, ["fit", "y ~ a*exp(-b*t)", str(path), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["censored"] == {"left": 3, "right": 0, "interval": 0}
    best = found["parameters"]
    assert found["log_likelihood"] == pytest.approx(-minus_log_likelihood(**best), rel=1e-10)
    for name in best:
        for factor in (0.999, 1.001):
            assert minus_log_likelihood(**best | {name: best[name] * factor}) > minus_log_likelihood(**best)
    assert "cells of `y` such as <0.5 are read as limits: 3 censored left" in found["notes"]


def test_rounded_values_are_intervals():
    random = np.random.default_rng(3)
    x = random.uniform(0, 10, 60)
    y = 1.0 + 0.5 * x + 0.4 * random.normal(size=60)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": np.round(y)}, rounded=1.0)

    def cost(theta):
        at = np.array([-0.5, 0.5])[:, None] + np.round(y) - theta[0] - theta[1] * x
        return -np.log(np.diff(norm.cdf(at / theta[2]), axis=0)).sum()

    best = np.array(values(fit))
    assert fit.log_likelihood == pytest.approx(-cost(best), rel=1e-10)
    for place in range(3):
        for step in (-1e-3, 1e-3):
            assert cost(best + step * np.eye(3)[place]) > cost(best)
    fine = descend.fit("y ~ a + b*x", {"x": x, "y": y}, rounded=1e-6)  # as good as exact values
    plain = descend.fit("y ~ a + b*x", {"x": x, "y": y})
    assert values(fine)[:2] == pytest.approx(values(plain), rel=1e-8)
    assert fine.parameters["sigma"] == pytest.approx(np.sqrt(plain.loss), rel=1e-6)


# ---------------------------------------------------------------- other distributions


def counts_and_times():
    random = np.random.default_rng(2)
    x = random.uniform(0.0, 2.0, 150)
    mean = np.exp(0.5 + 0.8 * x)
    return x, random.poisson(mean).astype(float), random.gamma(4.0, mean / 4.0)


def of_sides(y, low, high, exact, below, above):
    """Minus the log-likelihood of values clipped to limits."""
    return -np.where(y <= low, below(low), np.where(y >= high, above(high), exact(np.clip(y, low, high)))).sum()


def check_optimum(fit, cost):
    best = np.array(values(fit))
    assert fit.outcome == "converged"
    assert fit.log_likelihood == pytest.approx(-cost(best), rel=1e-10)
    information = hessian(lambda points: np.apply_along_axis(cost, 0, points), best, initial_step=0.05).ddf
    assert errors(fit) == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-5)
    assert approx_fprime(best, cost, 1e-6) == pytest.approx(np.zeros(best.size), abs=5e-3)


def test_counts():
    # R: optim of dpois, ppois(y, m) and ppois(y - 1, m, lower.tail = FALSE) gives 0.61654, 0.72575; 0.09951, 0.07493
    x, y, _ = counts_and_times()
    state = np.where(y >= 8, "right", np.where(y <= 1, "left", "none"))
    fit = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": np.clip(y, 1, 8), "s": state}, loss="poisson", censored="s")

    def cost(theta):
        m = np.exp(theta[0] + theta[1] * x)
        return of_sides(
            y, 1, 8,
            lambda y: poisson.logpmf(y, m), lambda y: poisson.logcdf(y, m), lambda y: poisson.logsf(y - 1, m),
        )  # fmt: skip

    check_optimum(fit, cost)
    assert values(fit) == pytest.approx([0.61654, 0.72575], rel=1e-5)


def test_intervals_of_counts_hold_both_ends():
    x, y, _ = counts_and_times()
    low, high = np.where(y > 4, 5.0, np.where(y > 2, 3.0, 0.0)), np.where(y > 4, GAPS, np.where(y > 2, 4.0, 2.0))
    data = {"x": x, "low": low, "high": high}
    fit = descend.fit("y ~ exp(a + b*x)", data, loss="poisson", censored=("low", "high"))

    def cost(theta):
        m = np.exp(theta[0] + theta[1] * x)
        return -np.log(np.where(np.isnan(high), 1.0, poisson.cdf(high, m)) - poisson.cdf(low - 1, m)).sum()

    check_optimum(fit, cost)
    cells = [f">{low:g}" if np.isnan(high) else f"<{high:g}" for low, high in zip(low - 1, high + 1, strict=True)]
    strict = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": cells}, loss="poisson")  # <3 is 2 or less, >4 is 5 or more
    assert strict.censored == {"left": int((y <= 4).sum()), "right": int((y > 4).sum()), "interval": 0}


def test_gamma_responses():
    # R: optim of dgamma and pgamma gives 0.53513, 0.69553, 0.26882; 0.0900, 0.0831, 0.0382
    x, _, y = counts_and_times()
    state = np.where(y >= 6, 1, np.where(y <= 1.5, -1, 0))
    fit = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": np.clip(y, 1.5, 6), "s": state}, loss="gamma", censored="s")

    def cost(theta):
        shape, scale = 1 / theta[2], np.exp(theta[0] + theta[1] * x) * theta[2]
        given = {"a": shape, "scale": scale}
        return of_sides(
            y, 1.5, 6,
            lambda y: gamma.logpdf(y, **given), lambda y: gamma.logcdf(y, **given), lambda y: gamma.logsf(y, **given),
        )  # fmt: skip

    assert list(fit.parameters) == ["a", "b", "dispersion"]
    check_optimum(fit, cost)
    assert values(fit) == pytest.approx([0.53513, 0.69553, 0.26882], rel=1e-4)
    ends = {"x": x, "low": np.floor(y), "high": np.floor(y) + 1}
    fit = descend.fit("y ~ exp(a + b*x)", ends, loss="gamma", censored=("low", "high"))

    def cost_of_intervals(theta):
        shape, scale = 1 / theta[2], np.exp(theta[0] + theta[1] * x) * theta[2]
        return -np.log(np.diff(gamma.cdf([ends["low"], ends["high"]], shape, scale=scale), axis=0)).sum()

    check_optimum(fit, cost_of_intervals)


def test_lognormal_times_as_in_survreg():
    # survreg(Surv(futime, fustat) ~ age + ecog.ps, ovarian, dist = "lognormal"), whose loglik is of the time itself
    cells = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4).T
    data = dict(zip(("time", "seen", "age", "ps"), cells, strict=True))
    fit = descend.fit("log(time) ~ a + b*age + c*ps", data, censored={"seen": {0: "right", 1: "none"}})
    assert values(fit) == pytest.approx([11.1005623097134, -0.0846689657985, 0.2060088349190, 0.784072038145], rel=1e-6)
    assert errors(fit)[:3] == pytest.approx([1.30840153339, 0.02055008167, 0.36701186697], rel=1e-5)
    seen = data["seen"] == 1
    assert fit.log_likelihood - np.log(data["time"][seen]).sum() == pytest.approx(-89.5837294823, rel=1e-9)


# ---------------------------------------------------------------- what goes with it


def test_a_side_that_falls_turns_the_limits():
    data = {"x": X, "y": ENDS["y"], "s": np.where(STATES == "interval", "none", STATES)}
    turned = {"left": "right", "right": "left", "none": "none"}
    other = {"x": X, "z": 1.0 / data["y"], "s": [turned[state] for state in data["s"].tolist()]}
    one = descend.fit("1/y ~ a + b*x", data, censored="s")
    assert values(one) == pytest.approx(values(descend.fit("z ~ a + b*x", other, censored="s")), rel=1e-8)


def test_by_groups_and_by_query_and_of_functions():
    data = tobin()
    fits = descend.fit(
        "y ~ a + b*x", {name: np.tile(each, 2) for name, each in PAIR.items()} | {"g": np.repeat([1, 2], 10)},
        censored=("low", "high"), by="g",
    )  # fmt: skip
    for key in (1, 2):
        assert list(fits[key].parameters.values()) == pytest.approx(OF_PAIR, rel=1e-6)

    def line(age, a, b):
        return a + b * age

    fit = descend.fit("durable ~ a + b*age", data, censored="state")
    for other in (
        descend.fit("durable ~ a + b*age", data, censored="state", engine="query"),
        descend.fit(line, data, response="durable", censored="state"),
        descend.fit("durable ~ a + b*age", data, censored=np.where(data["durable"] > 0, 0, -1)),
    ):
        assert values(other) == pytest.approx(values(fit), rel=1e-6)


def test_compared_saved_and_predicted(tmp_path):
    data = tobin()
    compared = descend.compare(["durable ~ a", "durable ~ a + b*age"], data, censored="state", folds=4)
    small, large = compared.fits.values()
    (test,) = compared.tests
    assert pytest.approx(2 * (large.log_likelihood - small.log_likelihood), rel=1e-9) == test.LR
    large.save(tmp_path / "tobit.json")
    loaded = descend.load(tmp_path / "tobit.json")
    assert loaded.censored == large.censored and loaded.standard_errors == large.standard_errors
    at = {"age": [50.0]}
    band, again = (each.predict(at, interval="prediction") for each in (large, loaded))
    assert band.high[0] == again.high[0]
    assert band.high[0] - band.low[0] > 2 * 1.96 * large.parameters["sigma"]
    for method in ("profile", "bootstrap"):
        (low, high) = large.intervals(method=method, **({"resamples": 100} if method == "bootstrap" else {}))["sigma"]
        assert low < large.parameters["sigma"] < high


def test_rates_of_limits_are_compared_on_the_scale_of_the_response():
    data = {"x": X, "y": ENDS["y"], "s": np.where(STATES == "interval", "none", STATES)}
    compared = descend.compare(["log(y) ~ a + b*x", "y ~ a + b*x"], data, censored="s")
    log = compared.fits["log(y) ~ a + b*x"]
    exact = data["s"] == "none"
    likelihood = log.log_likelihood - np.log(data["y"][exact]).sum()
    assert compared.criteria["log(y) ~ a + b*x"].log_likelihood == pytest.approx(likelihood, rel=1e-12)


LINE = "y ~ a + b*x"
PLAIN = {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.1, 2.9, 4.2]}


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (
            {"s": ["left", "none", "ND", "none"]}, {"censored": "s"},
            "`s` in the data holds `ND`, which does not say what is censored. It may hold left (or <, -1), right (or "
            ">, 1), none (or =, 0) and interval (or 2). Say what other codes mean, such as those of R's survival "
            'package: censored="s: 0=right, 1=none".',
        ),
        (
            {"s": ["left"] * 4}, {"censored": "s"},
            "Every row of the data is censored on the left, so that predictions may be as low as they like and nothing "
            "can be estimated. Give rows with a value, or with a limit on the other side.",
        ),
        (
            {"s": ["interval", "none", "none", "none"]}, {"censored": "s"},
            "`s` says `interval`, of which `y` is the lower end. Name the column of the upper ends, too: "
            'censored="s,UPPER".',
        ),
        (
            {"s": [1, 2, 2, 1]}, {"censored": "s"},
            "`s` says `interval`, of which `y` is the lower end. Name the column of the upper ends, too: "
            'censored="s,UPPER". Where 1 is censored and 2 an event, as in R\'s survival package, say '
            'censored="s: 1=right, 2=none".',
        ),
        (
            {"low": [1.0, 3.0, 2.0, 4.0], "high": [2.0, 2.0, 3.0, 5.0]}, {"censored": "low,high", "model": "low ~ b*x"},
            "`low` is 3 and `high` is 2 in row 2 of the data: the lower end lies above the upper one. Correct them.",
        ),
        (
            {"s": [0, 0, -1, 0]}, {"censored": "t"},
            "There is no column `t` to say what is censored. Columns: `x`, `y`, `s`.",
        ),
        (
            {"s": [0, 0, -1, 0]}, {"censored": "s", "loss": "huber"},
            "The huber loss has no distribution function by which a censored value counts. Those that have: squared, "
            "poisson, gamma, exponential, weibull, lognormal.",
        ),
        (
            {"s": [0, 0, -1, 0]}, {"censored": "s", "loss": "logistic"},
            "The logistic loss is of outcomes 0 and 1, of which none can be censored: one that is not known is "
            "missing. Leave out `censored`.",
        ),
        (
            {"s": [0, 0, -1, 0]}, {"censored": "s", "x_sigma": {"x": 0.1}},
            "Errors of inputs are fitted by least squares, which does not go with censored values. Leave out "
            "`x_sigma`, or the rows with limits.",
        ),
        (
            {"s": [0, 0, -1, 0]}, {"censored": "s", "fix": {"sigma": 1.0}},
            "`sigma` is a parameter of the censored loss, which cannot be fixed, tied or bounded. Where it is known, "
            "give it with `sigma`.",
        ),
        (
            {"y": ["1", "<2", "3", "4"]}, {"engine": "query"},
            "Intervals, limits in cells and rounded values are read into memory, so that `engine` does not go with "
            "them. Leave it out, or give a column that says left, right or none with `censored`.",
        ),
        (
            {"y": ["<1", "2", "trace", "4"]}, {},
            "`y` in the data holds 'trace' in row 3, which is neither a number nor a limit such as <0.5 or >100. "
            "Correct it.",
        ),
        (
            {"x": ["<1", "2", "3", "4"]}, {},
            "`x` in the data is text: row 1 holds '<1'. Such limits are read in the response only. Use a column of "
            "numbers.",
        ),
        (
            {"y": ["<1", "2", "3", "4"], "s": [-1, 0, 0, 0]}, {"censored": "s"},
            "`y` holds limits such as <0.5, which say themselves what is censored. Leave out `censored`.",
        ),
        (
            {"y": [1.0, 2.0, 3.0, 4.0]}, {"rounded": 1.0, "loss": "poisson"},
            "The poisson loss is of whole numbers, so that `rounded` says nothing. Give the ends of intervals with "
            'censored="LOW,HIGH".',
        ),
        ({}, {"rounded": -1.0}, "The unit of rounding must be a positive number; it is -1.0."),
    ],
)  # fmt: skip
def test_mistakes_are_told(data, options, message):
    model = options.pop("model", LINE) if "model" in options else LINE
    with pytest.raises(DescendError) as refused:
        descend.fit(model, PLAIN | data, **options)
    assert str(refused.value) == message


def test_codes_of_other_programs_are_explained():
    data = PLAIN | {"s": [1, 1, 0, 1]}
    fit = descend.fit(LINE, data, censored="s")
    assert (
        "in `s`, 0 is taken for an exact value and 1 for one that is censored on the right. Where 1 marks an event "
        'that was seen, as in R\'s survival package, say censored="s: 0=right, 1=none"'
    ) in fit.notes
    told = descend.fit("log(y) ~ a + b*x", data, censored="s: 0=right, 1=none")
    assert told.censored["right"] == 1
    assert not any("survival" in note for note in told.notes)


def test_a_module_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(ConfigError, match=r"^`censored` goes with a formula, .* not with a PyTorch module\."):
        descend.fit(torch.nn.Linear(1, 1), PLAIN, response="y", censored="s", epochs=1)


def test_pictures_point_to_where_the_values_lie(tmp_path):
    import matplotlib.pyplot as plt

    fit = descend.fit("durable ~ a + b*age", tobin(), censored="state")
    (axes, *_) = fit.plot().axes
    shown = {line.get_label(): line.get_marker() for line in axes.lines}
    markers = [line.get_marker() for line in axes.lines]
    assert "v" in markers and "o" in markers and "^" not in markers, shown
    assert {text.get_text() for text in axes.get_legend().get_texts()} >= {"data", "at most", "fit"}
    between = descend.fit("y ~ a + b*x", PAIR, censored=("low", "high"))
    (axes, *_) = between.plot().axes
    assert {text.get_text() for text in axes.get_legend().get_texts()} >= {"between", "at least"}
    plt.close("all")
    fit.report(tmp_path / "tobit.html")
    page = (tmp_path / "tobit.html").read_text()
    assert "at most" in page and "13 censored left" in page
    assert between.residuals[2] == pytest.approx(3.25 - between.predict({"x": [3.0]})[0])  # from its middle


def test_a_fit_without_scatter_is_told():
    x = np.arange(10.0)
    with pytest.raises(DescendError) as refused:
        descend.fit("y ~ a + b*x", {"x": x, "y": 1 + 2 * x, "s": 0 * x}, censored="s")
    assert str(refused.value) == (
        "The formula fits every value exactly, so that no sigma can be estimated. Give one with `sigma`, "
        "or use fewer parameters."
    )
    far = descend.fit("y ~ a + b*x", {"x": x, "y": 1 + 2 * x, "s": np.where(x < 5, 0, -1)}, censored="s", sigma=0.01)
    assert values(far) == pytest.approx([1.0, 2.0], abs=0.02)  # limits a hundred sigmas away say nothing


@pytest.mark.parametrize("state", [-1.0, 1.0, 2.0])
@pytest.mark.parametrize(
    ("of", "own"), [("squared", {"sigma": np.array(0.7)}), ("gamma", {"dispersion": np.array(0.3)}), ("poisson", {})]
)
def test_derivatives_are_those_of_the_value_also_far_from_the_data(of, own, state):
    loss = LOSSES.build(f'censored(of="{of}", status="s", lower="l", upper="u")')
    mean, y = np.array([0.5, 3.0, 20.0, 200.0]), np.full(4, 4.0)
    loss = loss.given({"s": np.full(4, state), "l": y, "u": y + 2.0}, own)
    step = 1e-6 * mean
    with np.errstate(all="ignore"):
        assert np.isfinite(loss.value(mean, y)).all()
        for value, slope in ((loss.value, loss.slope(mean, y)), (loss.slope, loss.weight(mean, y))):
            numeric = (value(mean + step, y) - value(mean - step, y)) / (2.0 * step)
            numeric = numeric if value == loss.value else np.abs(numeric)  # a weight stands in for it
            assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-9)


def test_states_as_an_array_go_with_the_rows_that_are_used():
    data, codes = tobin(), np.where(tobin()["durable"] > 0, 0, -1)
    some = data["age"] > 40
    formula = "durable ~ a + b*age"
    alone = descend.fit(formula, {name: column[some] for name, column in data.items()}, censored=codes[some])
    assert values(descend.fit(formula, data, censored=codes, where="age > 40")) == pytest.approx(values(alone))


def test_an_interval_whose_ends_are_missing_is_left_out():
    data = {"x": X, "y": np.where(np.isnan(LOW), HIGH, LOW), "s": STATES, "upper": np.nan_to_num(HIGH, nan=0.0)}
    gaps = np.isin(np.arange(10), (2, 8))  # an interval each
    alone = descend.fit("y ~ a + b*x", {name: column[~gaps] for name, column in data.items()}, censored="s,upper")
    for name in ("y", "upper"):
        lacking = data | {name: np.where(gaps, np.nan, data[name])}
        fit = descend.fit("y ~ a + b*x", lacking, censored="s,upper", missing="drop")
        assert values(fit) == pytest.approx(values(alone))


def test_a_penalty_leaves_the_scale_alone():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + 0.5 * rng.normal(size=200)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": y, "s": np.zeros(200)}, censored="s", l2=1.0)
    left = y - fit.predict({"x": x})
    assert fit.parameters["sigma"] == pytest.approx(np.sqrt((left**2).mean()), rel=1e-6)


def test_a_report_of_intervals_shows_their_derivatives(tmp_path):
    page = tmp_path / "pair.html"
    descend.fit("y ~ a + b*x", PAIR, censored=("low", "high")).report(page)
    assert "<math" in page.read_text(encoding="utf-8")


def test_rows_that_lack_a_sigma_are_left_out_and_no_rows_are_told():
    data = {"x": X, "y": LOW, "s": np.where(np.isnan(LOW), 0.2, 0.3), "state": np.zeros(10)}
    kept = ~np.isnan(LOW)
    alone = descend.fit("y ~ a + b*x", {name: column[kept] for name, column in data.items()}, sigma="s")
    gaps = data | {"y": np.nan_to_num(LOW, nan=9.0), "s": np.where(kept, data["s"], np.nan)}
    fit = descend.fit("y ~ a + b*x", gaps, censored="state", sigma="s", missing="drop")
    assert values(fit) == pytest.approx(values(alone))
    for size in (0.3, "s"):
        with pytest.raises(DescendError, match="There are no rows in the data"):
            descend.fit(
                "y ~ a + b*x", {name: column[:0] for name, column in data.items()}, censored="state", sigma=size
            )


def test_ends_of_intervals_beside_another_response_are_told():
    with pytest.raises(DescendError, match="the left side of the formula is `low` or a new name, but no other column"):
        descend.fit("y ~ a + b*x", PAIR | {"y": X}, censored=("low", "high"))


def test_rounded_values_beside_limits_in_cells():
    # R: optim over a, b and log(sigma) of -sum(log(pnorm(hi, m, s) - pnorm(lo, m, s))), reltol = 1e-15.
    cells = ["9.8", "6.1", "3.7", "2.2", ">=1.4", "0.8", "<0.5", "<0.5", "<.5", "< 0.5"]
    fit = descend.fit("y ~ a*exp(-b*t)", {"t": np.arange(10.0), "y": cells}, rounded=0.1)
    assert fit.censored == {"left": 4, "right": 1, "interval": 5}
    assert list(fit.parameters.values()) == pytest.approx([9.8355712, 0.4897953, 0.04759712], rel=1e-4)
    with pytest.raises(ConfigError) as refused:
        descend.fit("y ~ a*exp(-b*t)", {"t": np.arange(10.0), "y": cells, "state": ["none"] * 10}, censored="state")
    assert str(refused.value) == (
        "`y` holds limits such as <0.5, which say themselves what is censored. Leave out `censored`."
    )
