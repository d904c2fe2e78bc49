"""Shares of trials: any formula of their probability, cells of 0 and n of n, and what is told of bad ones."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit
from typer.testing import CliRunner

import descend
from descend.errors import ConfigError, DataError

DATA = pathlib.Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "glm.json").read_text())["cases"]
MENARCHE = {
    "menarche-logit": ("sigmoid(a + b*Age)", "1/(1 + exp(-a - b*Age))"),
    "menarche-probit": ("normal_cdf(a + b*Age)", "0.5*(1 + erf((a + b*Age)/sqrt(2)))"),
    "menarche-cloglog": ("1 - exp(-exp(a + b*Age))", "-expm1(-exp(a + b*Age))"),
}


@pytest.mark.parametrize(("case", "right"), [(case, right) for case in MENARCHE for right in MENARCHE[case]])
def test_any_link_gives_the_numbers_of_r(case, right):
    answer = ANSWERS[case]
    fit = descend.fit(f"Menarche/Total ~ {right}", DATA / "menarche.csv", trials="Total")
    assert fit.outcome == "converged" and str(fit.loss_function) == "binomial"
    assert list(fit.parameters.values()) == pytest.approx(list(answer["parameters"].values()), rel=1e-7)
    assert list(fit.standard_errors.values()) == pytest.approx(list(answer["standard_errors"].values()), rel=1e-6)
    assert fit.deviance == pytest.approx(answer["deviance"], rel=1e-9)
    assert fit.aic == pytest.approx(answer["aic_by_R"], rel=1e-9)


def doses() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    x = np.linspace(-2.0, 2.0, 30)
    dead = random.binomial(20, 0.1 + 0.9 * expit(2 * x))
    return {"x": x, "n": np.full(30, 20.0), "dead": dead.astype(float)}


@pytest.mark.parametrize("trials", ["n", 20, np.full(30, 20.0), "2*n/2"])
@pytest.mark.parametrize("engine", ["auto", "query"])
def test_natural_mortality_by_abbott(trials, engine):
    data = doses()

    def cost(theta):
        chance = theta[0] + (1 - theta[0]) * expit(theta[1] + theta[2] * data["x"])
        return -stats.binom(20, chance).logpmf(data["dead"]).sum()

    best = minimize(cost, [0.1, 0.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    fit = descend.fit("dead/n ~ c + (1 - c)*sigmoid(a + b*x)", data, trials=trials, engine=engine)
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-5)
    if engine == "auto":
        assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-9)


def test_prediction_intervals_are_of_shares_of_new_trials(tmp_path):
    fit = descend.fit("dead/n ~ normal_cdf(a + b*x)", doses(), trials="n")
    fit.save(tmp_path / "fit.json")
    new = {"x": [0.0, 0.0, 0.0], "n": [1.0, 10.0, 1e6]}
    for each in (fit, descend.load(tmp_path / "fit.json")):
        band = each.predict(new, interval="prediction")
        assert (band.low[0], band.high[0]) == (0.0, 1.0)
        assert band.low[1] * 10 == pytest.approx(np.round(band.low[1] * 10))
    sure = fit.predict({"x": [0.0]}, interval="confidence")
    assert (band.low[2], band.high[2]) == pytest.approx((sure.low[0], sure.high[0]), abs=0.01)
    with pytest.raises(ConfigError) as caught:
        fit.predict({"x": [0.0]}, interval="prediction")
    assert str(caught.value) == (
        "A prediction interval needs the number of trials of each new row: the column `n`, with which the model was "
        "fitted. Add it, or ask for a confidence interval."
    )
    alike = descend.fit("y ~ normal_cdf(a + b*x)", {"x": doses()["x"], "y": doses()["dead"] / 20}, trials=20)
    assert alike.predict({"x": [0.0]}, interval="prediction").low[0] > 0.1


@pytest.mark.parametrize("right", ["sigmoid(a + b*x)", "normal_cdf(a + b*x)", "1 - exp(-exp(a + b*x))"])
def test_separation_is_told(right):
    data = {"x": [1.0, 2, 3, 4, 5, 6], "k": [0.0, 0, 0, 10, 10, 10]}
    fit = descend.fit(f"k/10 ~ {right}", data, trials=10)
    assert str(fit.outcome) == "stalled" and fit.advice.startswith("The data are separated")


def test_outcomes_of_single_trials_need_no_number():
    data = {"x": [1.0, 2, 3, 4, 5, 6], "y": [0.0, 0, 1, 0, 1, 1]}
    one = descend.fit("y ~ sigmoid(a + b*x)", data, loss="binomial")
    assert one.parameters == pytest.approx(descend.fit("y ~ a + b*x", data, loss="logistic").parameters)
    words = descend.fit("y ~ sigmoid(a + b*x)", {**data, "y": list("nnynyy")}, loss="binomial")
    assert words.parameters == pytest.approx(one.parameters)


def test_shares_that_scatter_too_much_are_told():
    random = np.random.default_rng(3)
    x = np.linspace(-2, 2, 40)
    data = {"x": x, "k": random.binomial(30, random.beta(3 * expit(x), 3 * expit(-x))).astype(float)}
    fit = descend.fit("k/30 ~ sigmoid(a + b*x)", data, trials=30)
    assert "of a binomial distribution" in fit.notes[-1] and "they are overdispersed" in fit.notes[-1]
    assert 'Ask for dispersion="estimated" or errors="sandwich", or look' in fit.notes[-1]
    quasi = descend.fit("k/30 ~ sigmoid(a + b*x)", data, trials=30, dispersion="estimated")
    assert quasi.dispersion == pytest.approx(fit.goodness.reduced, rel=1e-9) and quasi.aic is None


def test_the_command_line(tmp_path):
    from descend.cli.main import app

    arguments = [
        "fit",
        "Menarche/Total ~ sigmoid(a + b*Age)",
        str(DATA / "menarche.csv"),
        "--trials",
        "Total",
        "--json",
    ]
    found = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert found["loss_function"] == "binomial" and found["weights"] == "Total"


BAD = {
    "not counts": (
        {"model": "k ~ sigmoid(a + b*x)", "trials": 20},
        "`k` is 2 in row 1 of the data, but the binomial loss needs a share of successes, from 0 to 1, as in "
        "dead/n ~ ... with the trials n. Leave such rows out with `where`, or choose another loss.",
    ),
    "of how many": (
        {"loss": "binomial"},
        '`y` is 0.1 in row 1 of the data: of how many trials? Say it with trials="COLUMN", or a number.',
    ),
    "no whole number": (
        {"trials": 7},
        "`y` is 0.1 in row 1 of the data: of 7 trials that is 0.7 successes, not a whole number. Correct the share "
        "or its trials, or use the logistic loss with weights.",
    ),
    "beside weights": (
        {"trials": 20, "weights": "x"},
        "`trials` says how much each share weighs, and so does `weights`. Leave out one of the two; rows that occur "
        "several times have as many times the trials.",
    ),
    "another loss": (
        {"trials": 20, "loss": "poisson"},
        "`trials` is of shares of trials, and the poisson loss is not. Use the binomial loss, or leave out `trials`.",
    ),
    "none": ({"trials": 0}, "The trials of each share must be above 0; `trials` is 0."),
    "fewer than none": ({"trials": "-3"}, "The trials of each share must be above 0; `trials` is -3."),
    "no number": (
        {"trials": {}},
        "`trials` must be the name of a column, an array with a value for each row, or a number, not {}.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_share_of_trials_is_told(case):
    options, message = BAD[case]
    data = {"x": np.linspace(-2.0, 2.0, 5), "k": [2.0, 4, 9, 12, 18], "y": [0.1, 0.2, 0.45, 0.6, 0.9]}
    with pytest.raises((ConfigError, DataError)) as caught:
        descend.fit(**{"model": "y ~ sigmoid(a + b*x)", "data": data, **options})
    assert str(caught.value) == message


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_a_straight_line_of_shares_starts_inside(seed):
    """Shares of some rows are 0 or 1, so that the line of least squares leaves the range from 0 to 1."""
    x = np.linspace(-2.0, 2.0, 40)
    k = np.random.default_rng(seed).binomial(10, np.clip(0.5 + 0.24 * x, 0.0, 1.0))
    fit = descend.fit("k/n ~ a + b*x", {"x": x, "k": k, "n": np.full(40, 10)}, trials="n")
    assert fit.outcome == "converged"
    line = fit.parameters["a"] + fit.parameters["b"] * x
    assert line.min() >= 0.0 and line.max() <= 1.0


def test_budworms_on_a_line():
    """R: glm(cbind(numdead, 20 - numdead) ~ ldose, binomial("identity"), start = c(0.1, 0.1), epsilon = 1e-14)"""
    dead = np.array([1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16], dtype=float)
    data = {"dead": dead, "n": np.full(12, 20.0), "ldose": np.tile(np.arange(6.0), 2)}
    fit = descend.fit("dead/n ~ a + b*ldose", data, trials="n")
    assert fit.deviance == pytest.approx(15.99583836, rel=1e-8)
    assert [fit.parameters[name] for name in "ab"] == pytest.approx([0.02114805068, 0.17707551494], rel=1e-6)
    assert [fit.standard_errors[name] for name in "ab"] == pytest.approx([0.0215393032, 0.0092150895], rel=1e-3)
