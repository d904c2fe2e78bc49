"""Robust losses: the same minimum as SciPy's, the scale estimated from the data, a start where one is needed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from descend import ConfigError, DataError, derive, fit
from descend.engines.response_sums import median_residual
from descend.formula import read_formula
from descend.losses import LOSSES, Cauchy, Huber, SoftL1, Tukey
from descend.models import formula_model
from descend.table import open_table
from descend.table.rows import Roles

RANDOM = np.random.default_rng(3)
X = np.linspace(0.0, 4.0, 80)
CLEAN = 3.0 * np.exp(-0.8 * X) + 1.0 + 0.05 * RANDOM.normal(size=80)
Y = np.where(np.arange(80) % 9 == 4, CLEAN + 3.0, CLEAN)
DATA = {"x": X, "y": Y}
FORMULA = "y ~ a*exp(-b*x) + c"


def residuals(theta):
    return theta[0] * np.exp(-theta[1] * X) + theta[2] - Y


@pytest.mark.parametrize("loss", [Huber(0.1), SoftL1(0.1), Cauchy(0.1)])
def test_the_minimum_is_that_of_scipy(loss):
    fitted = fit(FORMULA, DATA, loss=loss)
    (scale,) = loss.settings.values()
    options = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    theirs = least_squares(residuals, [3.0, 0.8, 1.0], loss=loss.name, f_scale=scale, **options)
    assert fitted.outcome == "converged"
    assert fitted.theta == pytest.approx(theirs.x, abs=1e-7)
    assert fitted.loss * 80 == pytest.approx(theirs.cost, rel=1e-12)


@pytest.mark.parametrize("name", ["huber", "soft_l1", "cauchy", "tukey"])
def test_an_estimated_scale_sees_the_noise_and_not_the_outliers(name):
    setting = "delta" if name == "huber" else "scale"
    fitted = fit(FORMULA, DATA, loss=f"{name}({setting}=auto)")
    noise = fitted.loss_function.settings[setting] / fitted.loss_function.efficient
    assert noise == pytest.approx(0.05, rel=0.2)
    assert fitted.theta == pytest.approx([3.0, 0.8, 1.0], abs=0.06)
    value = fitted.loss_function.settings[setting]
    assert (
        f"{setting} {value:.4g} of the {name} loss is {fitted.loss_function.efficient:g} times the noise, {noise:.4g}, "
        "estimated from the median residual" in fitted.notes
    )


def test_tukey_leaves_outliers_out_altogether():
    """The fit is least squares of the rows that count, weighted: outliers moved further change nothing."""
    further = {"x": X, "y": np.where(Y - CLEAN > 1.0, Y + 1000.0, Y)}
    near, far = (fit(FORMULA, data, loss="tukey(scale=0.25)") for data in (DATA, further))
    assert far.theta == pytest.approx(near.theta, abs=1e-9)
    assert "started from a huber fit, as this loss has many minima" in near.notes


def test_the_efficiency_of_what_auto_stands_for():
    """With normal noise the variance is that of least squares over 0.95: (E psi')**2 / E psi**2."""
    r = np.linspace(-12.0, 12.0, 48_001)
    density = np.exp(-(r**2) / 2.0) / np.sqrt(2.0 * np.pi) * (r[1] - r[0])
    for part in (Huber, SoftL1, Cauchy, Tukey):
        slope = part(part.efficient).slope(r, np.zeros_like(r))
        efficiency = (np.gradient(slope, r) @ density) ** 2 / (slope**2 @ density)
        assert efficiency == pytest.approx(0.95, abs=1e-3), part.name


@pytest.mark.parametrize("name", ["huber", "soft_l1", "cauchy", "tukey"])
def test_slope_and_weight_are_those_of_reweighted_least_squares(name):
    loss = LOSSES[name](0.7)
    r = np.array([-3.0, -0.5, 0.01, 0.3, 2.0])
    step = 1e-6
    numeric = (loss.value(r + step, 0 * r) - loss.value(r - step, 0 * r)) / (2.0 * step)
    assert loss.slope(r, 0 * r) == pytest.approx(numeric, abs=1e-8)
    assert loss.weight(r, 0 * r) * r == pytest.approx(loss.slope(r, 0 * r), abs=1e-12)


def test_a_formula_that_fits_most_rows_exactly_leaves_no_noise_to_estimate():
    with pytest.raises(DataError) as error:
        fit("y ~ a*x + b", {"x": X, "y": 2.0 * X + 1.0}, loss="cauchy(scale=auto)")
    assert str(error.value) == (
        "The noise cannot be estimated: the formula fits at least half of the rows exactly. "
        "Give the scale of the loss as a number."
    )


def test_a_gradient_function_knows_one_loss_only():
    with pytest.raises(ConfigError) as error:
        fit(
            lambda x, w: w * x, DATA, response="y", gradient=lambda x, y, w: np.mean(x), loss="huber(delta=auto)",
            start={"w": 0.0},
        )  # fmt: skip
    assert str(error.value) == (
        "The delta of the huber loss cannot be estimated with a gradient function, which knows one loss only. "
        "Give the scale as a number, or leave the gradient out."
    )


def test_what_is_not_fitted_needs_a_number():
    with pytest.raises(ConfigError) as error:
        str(derive("y ~ w*x", loss="huber(delta=auto)"))
    assert str(error.value) == (
        "The delta of the huber loss is estimated only where a formula or function is fitted. "
        'Give it as a number here, as in "huber(delta=1)".'
    )


def test_a_scale_that_is_neither_a_number_nor_auto():
    with pytest.raises(ConfigError) as error:
        Cauchy(scale=-1.0)
    assert str(error.value) == (
        "The setting `scale` of loss `cauchy` must be a number above 0, or 'auto', such as 1.0; it is -1.0."
    )


@pytest.mark.parametrize("loss", ["tukey(scale=3)", "tukey(scale=auto)", "cauchy(scale=auto)"])
def test_a_named_optimizer_starts_where_the_user_says(loss):
    start = {"a": 5.0, "b": 0.1, "c": -4.0}
    fitted = fit(FORMULA, DATA, loss=loss, start=start, optimizer="gd", learning_rate=1e-3, epochs=2)
    assert fitted.trace[0].parameters == start
    assert not any("started from" in note for note in fitted.notes)
    partly = fit(FORMULA, DATA, loss=loss, start={"a": 5.0}, optimizer="gd", learning_rate=1e-3, epochs=2)
    assert partly.trace[0].parameters["a"] == 5.0


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ("tukey(scale=0.5)", "a search found this lower one"),
        ("cauchy(scale=auto)", "a search found this one, with a scale that is lower"),
    ],
)
def test_a_worse_basin_is_told_for_what_a_huber_fit_prepares_too(loss, found):
    x = np.linspace(0.0, 10.0, 100)
    y = 2.0 * np.sin(3.1 * x + 0.5) + np.random.default_rng(0).normal(0.0, 0.1, 100) + 6.0 * (np.arange(100) % 10 == 0)
    worse = fit("y ~ a*sin(b*x + c)", {"x": x, "y": y}, start={"a": 2.0, "b": 2.5, "c": 0.0}, loss=loss)
    assert worse.parameters["b"] == pytest.approx(3.1, abs=0.02) and worse.notes[0].endswith(found)
    assert worse.from_start.parameters["b"] < 2.5
    near = fit("y ~ a*sin(b*x + c)", {"x": x, "y": y}, start={"a": 2.0, "b": 3.0, "c": 0.4}, loss=loss)
    assert near.from_start is None and near.parameters == pytest.approx(worse.parameters, rel=1e-4)


@pytest.mark.parametrize("model", [FORMULA, "y ~ a*x + b"])
def test_the_scale_is_that_of_all_rows_wherever_they_are(model):
    x = np.linspace(0.0, 4.0, 12_001)
    noise = np.random.default_rng(0).normal(0.0, 0.1, x.size)
    data = {"x": x, "y": 2.0 * np.exp(-1.3 * x) + 0.3 + noise + 3.0 * (np.arange(x.size) % 9 == 0)}
    here, there = (fit(model, data, loss="huber(delta=auto)", engine=engine) for engine in ("numpy", "query"))
    assert there.loss_function.settings["delta"] == pytest.approx(here.loss_function.settings["delta"], rel=1e-9)
    assert there.parameters == pytest.approx(here.parameters, rel=1e-8)


@pytest.mark.parametrize("near", [0.02, 0.3, 40.0])
def test_a_median_is_found_among_blocks_however_far_the_guess(near):
    x = np.random.default_rng(0).normal(size=70_000)
    lazy = open_table({"x": x, "y": 0.0 * x}).lazy(("x", "y"))
    model = formula_model(read_formula("y ~ w*x", ("x", "y")), LOSSES["squared"]())
    assert median_residual(model, None, lazy, np.array([0.5]), near) == np.median(np.abs(0.5 * x))


@pytest.mark.parametrize("name", ["huber", "soft_l1", "cauchy", "tukey"])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_a_scale_that_is_not_given_is_estimated_whatever_the_unit(name, unit):
    fitted = fit(FORMULA, {"x": X, "y": Y * unit}, loss=name)
    asked = fit(FORMULA, {"x": X, "y": Y * unit}, loss=str(LOSSES.build(name).to_estimate()))
    assert fitted.theta == pytest.approx([3.0 * unit, 0.8, unit], rel=0.06)
    assert fitted.loss_function == asked.loss_function
    np.testing.assert_array_equal(fitted.theta, asked.theta)


@pytest.mark.parametrize("name", ["huber", "soft_l1", "cauchy", "tukey"])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_scale_is_a_fixed_point_to_all_digits_in_any_unit(name, unit):
    """Each fit leaves the noise that its own setting stands for."""
    rng = np.random.default_rng(39)
    x = np.linspace(0.0, 10.0, 12)
    y = unit * (1.5 + 0.8 * x + 0.3 * rng.standard_t(2, size=12) + np.where(np.arange(12) % 7 == 0, 4.0, 0.0))
    fitted = fit("y ~ a*x + b", {"x": x, "y": y}, loss=name)
    (value,) = fitted.loss_function.settings.values()
    assert fitted.outcome == "converged"
    assert value / LOSSES[name].efficient == pytest.approx(1.4826 * np.median(np.abs(fitted.residuals)), rel=1e-9)


def test_huber_is_reweighted_least_squares_with_a_settled_scale():
    rng = np.random.default_rng(39)
    x = np.linspace(0.0, 10.0, 12)
    y = 1.5 + 0.8 * x + 0.3 * rng.standard_t(2, size=12) + np.where(np.arange(12) % 7 == 0, 4.0, 0.0)
    columns, theta = np.column_stack([x, np.ones(12)]), np.zeros(2)
    for _ in range(500):
        residual = columns @ theta - y
        delta = 1.345 * 1.4826 * np.median(np.abs(residual))
        root = np.sqrt(np.minimum(1.0, delta / np.abs(residual)))
        theta = np.linalg.lstsq(columns * root[:, None], y * root, rcond=None)[0]
    assert fit("y ~ a*x + b", {"x": x, "y": y}, loss="huber").theta == pytest.approx(theta, rel=1e-8)


@pytest.mark.parametrize("name", ["huber", "soft_l1", "cauchy", "tukey"])
@pytest.mark.parametrize("engine", ["numpy", "query"])
def test_rows_of_weight_0_are_no_rows_and_weight_2_is_two_rows(name, engine):
    w = np.arange(80.0) % 3
    once = fit("y ~ a*x + b", {"x": X, "y": Y, "w": w}, loss=name, weights="w", engine=engine)
    places = np.repeat(np.arange(80), w.astype(int))
    often = fit("y ~ a*x + b", {"x": X[places], "y": Y[places]}, loss=name)
    assert once.theta == pytest.approx(often.theta, rel=1e-7)


def test_a_weighted_median_is_found_among_blocks():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=40_000), np.floor(rng.uniform(0.0, 4.0, 40_000))
    lazy = open_table({"x": x, "y": 0.0 * x, "w": w}).lazy(("x", "y", "w")).with_roles(Roles("w"))
    model = formula_model(read_formula("y ~ w*x", ("x", "y")), LOSSES["squared"]())
    found = median_residual(model, None, lazy, np.array([0.5]), 0.02)
    assert found == np.median(np.repeat(np.abs(0.5 * x), w.astype(int)))


@pytest.mark.parametrize("name", ["huber", "tukey", "soft-l1", "cauchy"])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_where_most_rows_are_exact_they_are_fitted_so_and_it_is_said(name, unit):
    x = np.arange(20.0)
    y = 2.0 * x + 1.0
    y[[3, 11, 15]] = 50.0, -20.0, 60.0
    fitted = fit("y ~ a*x + b", {"x": x, "y": unit * y}, loss=name)
    ((setting, value),) = fitted.loss_function.settings.items()
    assert fitted.theta == pytest.approx([2.0 * unit, unit], rel=1e-6)
    assert fitted.outcome == "converged"
    assert (
        f"{setting} {value:.4g} of the {fitted.loss_function.name} loss is all but 0, since the formula fits at least "
        "half of the rows exactly and leaves no noise to estimate it from: give it as a number, as in "
        f'"{fitted.loss_function.name}({setting}=1)"' in fitted.notes
    )


@pytest.mark.parametrize("name", ["tukey", "soft-l1"])
def test_data_without_any_noise_are_fitted_exactly(name):
    fitted = fit("y ~ a*x + b", {"x": X, "y": 2.0 * X + 1.0}, loss=name)
    assert fitted.theta == pytest.approx([2.0, 1.0])
    assert fitted.outcome == "converged"


def test_a_gradient_by_hand_is_that_of_the_loss_as_it_is_named():
    text = "w = mean(min(max(w*x - y, -1), 1)*x)"
    fitted = fit("y ~ w*x", DATA, loss="huber", gradient=text)
    assert fitted.loss_function == Huber(1.0)
    assert not fitted.notes or "not" not in fitted.notes[0]


def test_a_second_look_that_leaves_no_noise_is_none():
    """exp of a yes or no runs away under an S-estimate, whose scale was 1e-191: its square is 0."""
    rng = np.random.default_rng(0)
    x = np.linspace(0.1, 4.0, 60)
    rng.normal(size=60), rng.gamma(5.0, 0.2, 60), rng.poisson(np.exp(0.5 * x))  # with these draws it did
    y = (rng.uniform(size=60) < 1.0 / (1.0 + np.exp(2.0 - x))).astype(float)
    found = fit("y ~ exp(w*x + b)", {"x": x, "y": y}, loss="tukey")
    assert np.isfinite(found.theta).all()
