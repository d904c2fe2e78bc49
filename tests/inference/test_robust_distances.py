"""Robust losses of rows whose inputs have errors: the least of all parameters and deltas, errors, circles, messages."""

import numpy as np
import pytest
from scipy.optimize import minimize

import descend
from descend.errors import ConfigError

N, SX, SY = 40, 0.15, 0.1


def decay(outliers=6):
    rng = np.random.default_rng(1)
    true = np.linspace(0, 6, N)
    x, y = true + SX * rng.normal(size=N), 3 * np.exp(-0.6 * true) + 0.4 + SY * rng.normal(size=N)
    y[rng.choice(N, outliers, replace=False)] += rng.uniform(1, 3, outliers)
    return {"x": x, "y": y, "sx": np.full(N, SX), "sy": np.full(N, SY)}


@pytest.mark.parametrize(
    "loss", ["huber(delta=1.345)", "soft_l1(scale=1)", "cauchy(scale=2)", "tukey(scale=4.685)", "log_cosh", "huber"]
)
def test_no_parameters_and_true_inputs_have_a_smaller_sum(loss):
    data = decay()
    fit = descend.fit("y ~ a*exp(-b*x) + c", data, sigma="sy", x_sigma="x=sx", loss=loss)
    assert fit.succeeded
    x, y = data["x"], data["y"]

    def total(values):
        (a, b, c), delta = values[:3], values[3:]
        squares = ((a * np.exp(-b * (x + delta)) + c - y) / SY) ** 2 + (delta / SX) ** 2
        return fit.loss_function.value(np.sqrt(squares), np.zeros(N)).sum()

    here = np.r_[list(fit.parameters.values()), fit.delta["x"]]
    begin = np.r_[1.03 * here[:3], 0.8 * here[3:]]
    found = minimize(total, begin, method="L-BFGS-B", options={"maxiter": 10**4, "maxfun": 10**6, "ftol": 1e-15})
    assert total(here) <= found.fun * (1 + 1e-12)
    assert here[:3] == pytest.approx(found.x[:3], rel=1e-5)
    assert fit.goodness is None and fit.dispersion is None and fit.error_degrees == N - 3  # no sum of squares
    assert fit.loss * (1 / SY**2) * N == pytest.approx(total(here), rel=1e-12)


def test_exact_inputs_give_the_robust_fit_and_its_errors():
    data = decay()
    exact = descend.fit("y ~ a*exp(-b*x) + c", data, loss="huber(delta=0.2)")
    for errors in ("sandwich", "HC1", "iid"):
        found = descend.fit("y ~ a*exp(-b*x) + c", data, x_sigma="x=1e-9", loss="huber(delta=0.2)", errors=errors)
        assert found.parameters == pytest.approx(exact.parameters, rel=1e-7)
        expected = np.sqrt(np.diag(exact.covariance_of(errors)))
        assert list(found.standard_errors.values()) == pytest.approx(expected, rel=1e-6)


def test_the_scale_is_that_of_the_distances():
    """Of 2,000 rows without outliers the noise is about 1 in units of the known errors, and huber's delta 1.345."""
    rng = np.random.default_rng(2)
    true = rng.uniform(0, 5, 2000)
    data = {"x": true + 0.3 * rng.normal(size=2000), "y": 1 + 2 * true + 0.2 * rng.normal(size=2000)}
    fit = descend.fit("y ~ a + b*x", data, sigma=0.2, x_sigma={"x": 0.3}, loss="huber")
    assert fit.loss_function.delta == pytest.approx(1.345, rel=0.05)
    squares = descend.fit("y ~ a + b*x", data, sigma=0.2, x_sigma={"x": 0.3})
    assert fit.standard_errors["b"] == pytest.approx(squares.standard_errors["b"], rel=0.1)
    assert squares.covariance_of("sandwich")[1, 1] == pytest.approx(squares.covariance[1, 1], rel=0.15)


@pytest.mark.parametrize("loss", ["huber", "tukey"])
def test_a_circle_is_not_drawn_to_outliers(loss, tmp_path):
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 40)
    x, y = 2 + 3 * np.cos(angle) + 0.05 * rng.normal(size=40), 1 + 3 * np.sin(angle) + 0.05 * rng.normal(size=40)
    x[:4] += 1.5
    circle = "0 ~ ((x - a)^2 + (y - b)^2)/r^2 - 1"
    fit = descend.fit(
        circle, {"x": x, "y": y}, x_sigma={"x": 0.05, "y": 0.05}, loss=loss, start={"a": 1, "b": 1, "r": 2}
    )
    truth = {"a": 2.0, "b": 1.0, "r": 3.0}
    for name, value in truth.items():
        assert abs(fit.parameters[name] - value) < 4 * fit.standard_errors[name] < 0.06
    fit.save(tmp_path / "circle.json")
    loaded = descend.load(tmp_path / "circle.json")
    assert loaded.standard_errors == pytest.approx(fit.standard_errors)
    assert loaded.quantity("2*r").interval == pytest.approx(fit.quantity("2*r").interval)
    fit.report(tmp_path / "circle.html")
    assert "e, the distance of a row from the curve" in (tmp_path / "circle.html").read_text()


def test_groups_and_bootstrap():
    data = decay()
    both = {name: np.r_[column, column] for name, column in data.items()} | {"g": np.repeat(["A", "B"], N)}
    fits = descend.fit("y ~ a*exp(-b*x) + c", both, sigma="sy", x_sigma="x=sx", loss="huber(delta=1.345)", by="g")
    one = descend.fit("y ~ a*exp(-b*x) + c", data, sigma="sy", x_sigma="x=sx", loss="huber(delta=1.345)")
    assert fits.parameters["b"] == pytest.approx([one.parameters["b"]] * 2)
    low, high = one.quantity("b", method="bootstrap", resamples=100).interval
    assert low < one.parameters["b"] < high


def test_what_has_no_distances_is_refused():
    with pytest.raises(ConfigError) as refused:
        descend.fit("y ~ a*exp(-b*x) + c", decay(), x_sigma="x=sx", loss="tukey(scale=mm)")
    assert str(refused.value) == (
        "The scale of an S-estimate takes inputs as exact, but `x_sigma` gives them errors. Give the scale as a "
        'number, or "auto".'
    )
