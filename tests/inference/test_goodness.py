"""Chi-square, deviance and log-likelihood against R; what is said where data scatter more or less than they should."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

import descend

AGE = np.array([
    9.21, 10.21, 10.58, 10.83, 11.08, 11.33, 11.58, 11.83, 12.08, 12.33, 12.58, 12.83, 13.08, 13.33, 13.58, 13.83,
    14.08, 14.33, 14.58, 14.83, 15.08, 15.33, 15.58, 15.83, 17.58,
])  # fmt: skip
TOTAL = np.array([
    376.0, 200, 93, 120, 90, 88, 105, 111, 100, 93, 100, 108, 99, 106, 105, 117, 98, 97, 120, 102, 122, 111, 94, 114,
    1049,
])  # fmt: skip
MENARCHE = np.array([
    0.0, 0, 0, 2, 2, 5, 10, 17, 16, 29, 39, 51, 47, 67, 81, 88, 79, 90, 113, 95, 117, 107, 92, 112, 1049
])  # fmt: skip
GIRLS = {"age": AGE, "p": MENARCHE / TOTAL, "n": TOTAL}
BY_R = {  # glm(cbind(Menarche, Total - Menarche) ~ Age, binomial(link)): parameters, errors, deviance, AIC, Pearson
    "p ~ sigmoid(a + b*age)": (
        [-21.2263949051673, 1.63196834822757], [0.770685884387407, 0.0589531746186882],
        26.703451635765, 114.755254313104, 21.8698536754648,
    ),
    "p ~ 0.5*(1 + erf((a + b*age)/sqrt(2)))": (
        [-11.8189417602635, 0.907823069276456], [0.387016296362382, 0.0295534024024474],
        22.8874325146764, 110.939235192015, 21.9010237135222,
    ),
}  # fmt: skip


@pytest.mark.parametrize("formula", BY_R)
def test_binomial_fits_are_those_of_r(formula):
    parameters, errors, deviance, aic, pearson = BY_R[formula]
    fit = descend.fit(formula, GIRLS, loss="logistic", weights="n")
    assert list(fit.parameters.values()) == pytest.approx(parameters, rel=1e-10)
    assert fit.standard_errors is not None
    assert list(fit.standard_errors.values()) == pytest.approx(errors, rel=1e-10)
    assert fit.deviance == pytest.approx(deviance, rel=1e-12)
    assert fit.aic == pytest.approx(aic, rel=1e-12)
    assert fit.goodness is not None
    assert fit.goodness.chi_square == pytest.approx(pearson, rel=1e-9)
    assert fit.goodness.degrees == 23
    assert not any("vary" in note for note in fit.notes)


def test_the_log_likelihood_of_fractions_counts_the_ways_they_come_about():
    deaths, tested = np.array([1, 4, 9, 10, 24, 22.0]), np.array([20, 25, 22, 18, 30, 24.0])
    data = {"d": np.arange(1.0, 7), "p": deaths / tested, "n": tested}
    fit = descend.fit("p ~ sigmoid(a + b*d)", data, loss="logistic", weights="n")
    expected = stats.binom.logpmf(deaths, tested, fit.predict(data)).sum()
    assert fit.log_likelihood == pytest.approx(expected, rel=1e-12)
    assert fit.log_likelihood == pytest.approx(-9.2249315, abs=1e-6)  # R


def test_poisson_deviance_and_chi_square():
    x, rng = np.linspace(0, 2, 60), np.random.default_rng(4)
    data = {"x": x, "k": rng.poisson(np.exp(2 + 0.8 * x)).astype(float)}
    fit = descend.fit("k ~ exp(a + b*x)", data, loss="poisson")
    mean, k = fit.predict(data), data["k"]
    assert fit.deviance == pytest.approx(2 * np.sum(k * np.log(np.where(k > 0, k, 1) / mean) - (k - mean)), rel=1e-12)
    assert fit.goodness is not None
    assert fit.goodness.chi_square == pytest.approx(np.sum((k - mean) ** 2 / mean), rel=1e-12)
    assert not any("vary" in note for note in fit.notes)


def test_counts_that_vary_too_much_are_told():
    rng = np.random.default_rng(256)
    x = np.linspace(0, 2, 60)
    data = {"x": x, "k": rng.poisson(np.exp(2 + 0.8 * x) * rng.gamma(2, 0.5, 60)).astype(float)}
    fit = descend.fit("k ~ exp(a+b*x)", data, loss="poisson")
    good = fit.goodness
    assert good is not None and good.p < 1e-9
    assert fit.notes[-1] == (
        f"the counts vary {good.reduced:.3g} times as much as those of a Poisson distribution (Pearson's chi-square is "
        f"{good.chi_square:.4g} for 58 degrees of freedom, p = {good.p:.2g}): they are overdispersed, and standard "
        f'errors too small by a factor of about {good.reduced**0.5:.3g}. Ask for dispersion="estimated" or '
        'errors="sandwich", use the negative_binomial loss, or look for what the formula misses'
    )


def test_shares_that_vary_too_much_are_told_and_outcomes_are_not_judged():
    rng = np.random.default_rng(3)
    x, n = np.linspace(-2, 2, 40), np.full(40, 30.0)
    chance = rng.beta(3 / (1 + np.exp(-x)), 3 / (1 + np.exp(x)))
    data = {"x": x, "n": n, "p": rng.binomial(30, chance) / 30}
    fit = descend.fit("p ~ sigmoid(a + b*x)", data, loss="logistic", weights="n")
    assert "overdispersed" in fit.notes[-1] and "binomial distribution" in fit.notes[-1]
    single = {
        "x": np.repeat(x, 2),
        "y": np.tile([0.0, 1.0], 40),
        "n": np.stack([30 * (1 - chance), 30 * chance], 1).ravel(),
    }
    again = descend.fit("y ~ sigmoid(a + b*x)", {**single, "n": np.round(single["n"])}, loss="logistic", weights="n")
    assert again.goodness is None and not any("vary" in note for note in again.notes)


@pytest.mark.parametrize("seed", range(20))
def test_few_small_counts_are_no_cause_for_alarm(seed):
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 3, 25)
    data = {"x": x, "k": rng.poisson(np.exp(-1 + 0.3 * x)).astype(float)}
    assert not any("vary" in note for note in descend.fit("k ~ exp(a + b*x)", data, loss="poisson").notes)


def sigma_line(size: float):
    x = np.linspace(0, 10, 30)
    noise = np.random.default_rng(255).normal(size=30)
    return {"x": x, "y": 2 + 0.5 * x + 0.5 * noise, "s": np.full(30, size)}


def test_sigma_that_is_too_small_or_too_large_is_told():
    fit = descend.fit("y ~ a + b*x", sigma_line(0.05), sigma="s")
    good = fit.goodness
    assert good is not None
    assert good.chi_square == pytest.approx(np.sum((fit.residuals / 0.05) ** 2), rel=1e-9)
    assert good.p == pytest.approx(stats.chi2.sf(good.chi_square, 28))
    assert fit.notes[-1] == (
        f"chi-square is {good.chi_square:.4g} for 28 degrees of freedom, {good.reduced:.3g} times as large as it "
        f"should be: residuals are {good.reduced**0.5:.3g} times as large as `s` says, so standard errors are too "
        "small by as much. Correct sigma, or look for what the formula misses"
    )
    assert "standard errors are too large" in descend.fit("y ~ a + b*x", sigma_line(5.0), sigma="s").notes[-1]
    right = descend.fit("y ~ a + b*x", sigma_line(0.5), sigma="s")
    assert not any("chi-square" in note for note in right.notes)


def test_the_numbers_are_in_the_output_and_in_the_model_file(tmp_path):
    fit = descend.fit("y ~ a + b*x", sigma_line(0.5), sigma="s")
    assert fit.goodness is not None
    summary = fit.summary()
    assert summary["reduced_chi_square"] == pytest.approx(fit.goodness.reduced)
    assert json.dumps(summary)
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert loaded.goodness == fit.goodness and loaded.deviance == fit.deviance


def test_a_line_through_the_origin_has_both_kinds_of_r_squared():
    x = np.linspace(10, 12, 20)
    y = 3 * x + np.random.default_rng(281).normal(size=20) * 5
    fit = descend.fit("y ~ w*x", {"x": x, "y": y})
    assert fit.r_squared_about_zero == pytest.approx(1 - np.sum(fit.residuals**2) / np.sum(y**2))
    assert descend.fit("y ~ w*x + b", {"x": x, "y": y}).r_squared_about_zero is None
