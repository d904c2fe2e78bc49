"""What is said of residuals."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend import ConfigError
from descend.inference.goodness.diagnostics import autocorrelation, normality, runs, variance

X = np.linspace(0, 10, 80)


def checks(errors: np.ndarray):
    return descend.fit("y ~ w*x + b", {"x": X, "y": 2 * X + 1 + errors}).diagnostics()


def test_normal_independent_errors_raise_no_alarm():
    found = checks(np.random.default_rng(0).normal(size=80))
    assert found.warning == "" and [check.name for check in found.checks] == [
        "normality", "autocorrelation", "runs", "variance",
    ]  # fmt: skip
    assert all(check.p > 0.01 for check in found.checks) and abs(found.lag_one) < 0.3


def test_each_fault_is_named():
    random = np.random.default_rng(1)
    skewed = checks(random.exponential(size=80) ** 2)
    assert skewed["normality"].suspicious and skewed.warning.startswith(
        "the residuals are not normal (Anderson-Darling"
    )
    wave = checks(np.sin(X) + 0.1 * random.normal(size=80))
    assert wave.lag_one > 0.8 and wave["runs"].suspicious
    assert wave["autocorrelation"].verdict.startswith("neighbouring residuals are alike, in the order of `x` (Durbin-W")
    assert wave["runs"].verdict.startswith("the signs of the residuals change too seldom, in the order of `x` (")
    zigzag = checks((-1.0) ** np.arange(80) + 0.1 * random.normal(size=80))
    assert "neighbouring residuals are opposed" in zigzag.warning and "change too often" in zigzag.warning


def test_the_order_of_one_input_is_what_counts():
    shuffled = np.random.default_rng(2).permutation(80)
    y = 2 * X + np.sin(X)
    fit = descend.fit("y ~ w*x + b", {"x": X[shuffled], "y": y[shuffled]})
    assert fit.diagnostics()["autocorrelation"].suspicious


def test_anderson_darling_is_that_of_scipy():
    from scipy import stats

    values = np.random.default_rng(3).gamma(3.0, size=60)
    n = len(values)
    with pytest.warns(FutureWarning) if _warns() else _nothing():
        expected = stats.anderson(values).statistic
    check = normality(values)
    assert check.statistic == pytest.approx(expected * (1 + 0.75 / n + 2.25 / n**2))
    # The 5% point of the corrected statistic is 0.752.
    assert np.exp(1.2937 - 5.709 * 0.752 + 0.0186 * 0.752**2) == pytest.approx(0.05, rel=0.02)


def _warns() -> bool:
    import warnings

    from scipy import stats

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stats.anderson(np.arange(10.0))
    return bool(caught)


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_p_values_are_uniform_under_independence():
    random = np.random.default_rng(4)
    jacobian = np.column_stack([np.ones(40), np.linspace(0, 1, 40)])
    basis, _ = np.linalg.qr(jacobian)
    found = {"normality": [], "autocorrelation": [], "runs": []}
    for _ in range(2000):
        errors = random.normal(size=40)
        residuals = errors - basis @ (basis.T @ errors)
        found["normality"].append(normality(residuals).p)
        found["autocorrelation"].append(autocorrelation(residuals, jacobian, "x").p)
        found["runs"].append(runs(residuals, "x").p)
    for name, values in found.items():
        assert np.mean(np.array(values) < 0.05) == pytest.approx(0.05, abs=0.02), name
        assert np.mean(np.array(values) < 0.01) < 0.02, name


def test_what_cannot_be_judged():
    few = descend.fit("y ~ w*x", {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.1, 2.9]}).diagnostics()
    assert few.checks == () and few.note == "3 rows with 1 parameters are too few to judge the residuals"
    perfect = descend.fit("y ~ w*x", {"x": X, "y": 2 * X}).diagnostics()
    assert perfect.checks == () and perfect.note == "the model fits perfectly, so only rounding is left to judge"
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ w*x", {"x": X, "y": 2 * X + 0.1}, loss="huber").diagnostics()
    assert str(error.value) == "The residuals of the huber loss have no known distribution to be checked against."


def many(errors: np.ndarray, **options):
    x = np.linspace(0, 10, len(errors))
    return descend.fit("y ~ w*x + b", {"x": x, "y": 2 * x + 1 + errors}, **options)


def test_many_rows_are_judged_by_a_sample_and_it_is_said():
    random = np.random.default_rng(5)
    sound = many(random.normal(size=50_000)).diagnostics()
    assert sound.warning == "" and (sound.rows, sound.sampled) == (10_000, 50_000)
    skewed = many(random.exponential(size=50_000)).diagnostics()
    assert skewed.warning.endswith("(Anderson-Darling, p = 0); judged by a sample of 10,000 rows")
    few = many(random.exponential(size=10_000)).diagnostics()
    assert (few.rows, few.sampled) == (10_000, 0) and few.warning.endswith("(Anderson-Darling, p = 0)")


def test_neighbours_stay_neighbours_in_the_sample():
    from scipy import signal

    noise = np.random.default_rng(6).normal(size=60_000)
    alike = signal.lfilter([1.0], [1.0, -0.3], noise)  # each remembers the one before, but not the tenth before
    found = many(alike).diagnostics()
    assert found["autocorrelation"].suspicious and found.lag_one == pytest.approx(0.3, abs=0.05)
    assert not many(noise).diagnostics()["autocorrelation"].suspicious


def test_rows_of_weight_zero_are_not_in_the_sample():
    random = np.random.default_rng(7)
    errors, weights = random.normal(size=30_000), np.arange(30_000) % 2.0
    errors[::2] = 50.0
    x = np.linspace(0, 10, 30_000)
    fit = descend.fit("y ~ w*x + b", {"x": x, "y": 2 * x + 1 + errors, "wt": weights}, weights="wt")
    found = fit.diagnostics()
    assert found.rows == 5_000 and found.warning == ""


def breusch_pagan(squares, design):
    """n R**2 of the regression of squared residuals, by lstsq."""
    left = squares - design @ np.linalg.lstsq(design, squares, rcond=None)[0]
    return len(squares) * (1.0 - left @ left / np.square(squares - squares.mean()).sum())


def test_unequal_variances_are_a_check_of_their_own():
    random = np.random.default_rng(5)
    growing = checks((0.2 + X / 5) * random.normal(size=80))["variance"]
    assert growing.suspicious
    assert growing.verdict.startswith("the residuals spread more where the prediction is larger (Breusch-Pagan, p = ")
    falling = descend.fit(
        "y ~ a*exp(-b*x)", {"x": X, "y": 9 * np.exp(-X / 4) + (0.02 + X / 9) * random.normal(size=80)}
    )
    assert falling.diagnostics()["variance"].verdict.startswith("the residuals spread more where `x` is larger")
    alike = checks(random.normal(size=80))["variance"]
    assert alike.verdict.startswith("the residuals may spread alike (Breusch-Pagan, p = ")


def test_breusch_pagan_is_that_of_a_regression():
    random = np.random.default_rng(6)
    jacobian = np.column_stack([np.ones(60), random.normal(size=(60, 2))])
    basis, _ = np.linalg.qr(jacobian)
    errors = random.normal(size=60)
    residuals = errors - basis @ (basis.T @ errors)
    squares = residuals**2 / (1 - np.square(basis).sum(axis=1))
    predicted = jacobian @ [1.0, 2.0, -1.0]
    one = variance(residuals, jacobian, predicted, "the rows")
    assert one.statistic == pytest.approx(breusch_pagan(squares, np.column_stack([np.ones(60), predicted])))
    two = variance(residuals, jacobian, predicted, "`x`")
    design = np.column_stack([np.ones(60), predicted, np.arange(60.0)])
    assert two.statistic == pytest.approx(breusch_pagan(squares, design))
    from scipy import stats

    assert one.p == pytest.approx(stats.chi2.sf(one.statistic, 1))
    assert two.p == pytest.approx(stats.chi2.sf(two.statistic, 2))


def test_its_p_values_hold_also_for_errors_with_tails():
    random = np.random.default_rng(7)
    jacobian = np.column_stack([np.ones(40), np.linspace(0, 1, 40)])
    basis, _ = np.linalg.qr(jacobian)
    for draw in (random.normal, lambda size: random.standard_t(4, size=size)):
        found = []
        for _ in range(1500):
            errors = draw(size=40)
            found.append(variance(errors - basis @ (basis.T @ errors), jacobian, jacobian[:, 1], "`x`").p)
        assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.025)
        assert np.mean(np.array(found) < 0.01) < 0.02
