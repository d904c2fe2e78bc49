"""Censored and rounded responses, against R's survreg.

R 4.x, survival: survreg(Surv(durable, durable > 0, type = "left") ~ age + quant, data = tobin, dist = "gaussian") and
others, beside each number. The standard error of the scale is scale times R's of log(scale).
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

import descend
from descend.cli.main import app

TOBIN = """
0 57.7 236 .7 50.9 283 0 48.5 207 0 41.7 220 0 47.7 238 0 59.8 216 0 44.3 284 3.7 45.1 221 0 51.7 275 3 50 269
10.4 46.8 207 0 58 249 0 58.9 246 0 40 277 1.5 34.1 231 0 39.9 219 0 33.4 240 3.5 48.1 266 6.1 46.6 214 0 53.1
251
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
