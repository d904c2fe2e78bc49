"""What is particular to the negative binomial loss: its own parameter, and counts it is not made for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

import descend
from descend.errors import ConfigError, DataError


def counts(rows: int = 400) -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    x = random.uniform(-1.0, 1.0, rows)
    mean = np.exp(1.0 + 0.8 * x)
    return {"x": x, "y": random.negative_binomial(2.5, 2.5 / (2.5 + mean)).astype(float)}


def minus_log_likelihood(theta, data):
    a, b, size = theta
    mean = np.exp(a + b * data["x"])
    return -stats.nbinom(size, size / (size + mean)).logpmf(data["y"].astype(int)).sum()


@pytest.mark.parametrize("engine", ["auto", "query"])
def test_theta_is_estimated_with_the_formula(engine):
    data = counts()
    fit = descend.fit("y ~ exp(a + b*x)", data, loss="negative_binomial", engine=engine)
    best = minimize(minus_log_likelihood, [1.0, 1.0, 1.0], args=(data,), method="Nelder-Mead", options={"xatol": 1e-9})
    assert list(fit.parameters) == ["a", "b", "theta"]
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-10)
    assert fit.aic == pytest.approx(2 * 3 + 2 * best.fun, rel=1e-10)
    low, high = fit.intervals(method="profile")["theta"]
    assert low < 2.5 < high


def test_a_start_by_the_user_is_kept_and_a_loaded_fit_predicts(tmp_path):
    data = counts()
    free = descend.fit("y ~ exp(a + b*x)", data, loss="negative_binomial")
    fit = descend.fit("y ~ exp(a + b*x)", data, loss="negative_binomial", start={"theta": 9.0, "a": 0.0})
    assert fit.parameters["theta"] == pytest.approx(free.parameters["theta"], rel=1e-6)
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    there, here = (each.predict({"x": [0.0, 1.0]}, interval="prediction") for each in (loaded, fit))
    np.testing.assert_array_equal(there.high, here.high)
    assert loaded.deviance == fit.deviance and loaded.standard_errors == fit.standard_errors


def test_a_prediction_interval_holds_new_counts():
    data = counts()
    fit = descend.fit("y ~ exp(a + b*x)", data, loss="negative_binomial")
    x, random = np.full(20_000, 0.5), np.random.default_rng(6)
    band = fit.predict({"x": x[:1]}, interval="prediction")
    new = random.negative_binomial(2.5, 2.5 / (2.5 + np.exp(1.4)), 20_000)
    assert 0.94 < np.mean((band.low <= new) & (new <= band.high)) < 0.985


def test_counts_that_are_not_overdispersed_are_told():
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ exp(a)", {"y": [3.0, 4, 5, 3, 4]}, loss="negative_binomial")
    assert str(caught.value) == (
        "The counts scatter no more than those of a Poisson distribution: their variance is 0.147 times their mean. "
        "The theta of a negative_binomial loss would be infinite. Use the poisson loss."
    )


def test_theta_is_given_as_the_setting():
    with pytest.raises(ConfigError) as caught:
        descend.fit("y ~ exp(a + b*x)", counts(), loss="negative_binomial", fix={"theta": 2.0})
    assert str(caught.value) == (
        "`theta` is a parameter of the negative_binomial loss, which cannot be fixed, tied or bounded. Where it is "
        "known, give it with the setting of the loss, as in negative_binomial(theta=2)."
    )


@pytest.mark.parametrize("loss", ["negative_binomial", "negative_binomial(theta=2)", "tweedie(power=1.5)"])
def test_a_group_of_zeros_has_no_best_fit(loss):
    data = counts(90)
    data["g"] = np.repeat(["A", "B", "C"], 30)
    data["y"][:30] = 0.0
    fit = descend.fit("y ~ exp(a[g] + b*x)", data, loss=loss)
    assert str(fit.outcome) == "stalled"
    assert fit.advice.startswith(
        "The data are separated: with a[A] towards minus infinity, 30 of 90 rows are predicted ever better"
    )
