"""Standard errors, covariances, likelihoods: against certified values and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

import descend
from descend import ConfigError, DataError

# NIST StRD nonlinear problems: formula, x, y, start, certified standard deviations, residual standard deviation.
MISRA1A = (
    "y ~ b1*(1 - exp(-b2*x))",
    [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
    [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
    {"b1": 250.0, "b2": 0.0005},
    {"b1": 2.7070075241e00, "b2": 7.2668688436e-06},
    1.0187876330e-01,
)
BOXBOD = (
    "y ~ b1*(1 - exp(-b2*x))",
    [1.0, 2.0, 3.0, 5.0, 7.0, 10.0],
    [109.0, 149.0, 149.0, 191.0, 213.0, 224.0],
    {"b1": 100.0, "b2": 0.75},
    {"b1": 1.2354515176e01, "b2": 1.0455993237e-01},
    1.7088072423e01,
)
RAT43 = (
    "y ~ b1/(1 + exp(b2 - b3*x))^(1/b4)",
    [float(x) for x in range(1, 16)],
    [
        16.08,
        33.83,
        65.80,
        97.20,
        191.55,
        326.20,
        386.87,
        520.53,
        590.03,
        651.92,
        724.93,
        699.56,
        689.96,
        637.56,
        717.41,
    ],
    {"b1": 700.0, "b2": 5.0, "b3": 0.75, "b4": 1.3},
    {"b1": 1.6302297817e01, "b2": 2.0828735829e00, "b3": 1.9566123451e-01, "b4": 6.8761936385e-01},
    2.8262414662e01,
)


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    """A line with errors that grow, whose standard deviations are known."""
    random = np.random.default_rng(3)
    x = np.linspace(0.0, 4.0, 30)
    s = 0.1 + 0.1 * x
    return {"x": x, "y": 1.0 + 2.0 * x + s * random.normal(size=30), "s": s, "omega": s**-2.0}


@pytest.mark.parametrize("problem", [MISRA1A, BOXBOD, RAT43], ids=["Misra1a", "BoxBOD", "Rat43"])
def test_certified_standard_deviations(problem):
    formula, x, y, start, certified, deviation = problem
    fit = descend.fit(formula, {"x": x, "y": y}, start=start)
    for name, value in certified.items():
        assert fit.standard_errors[name] == pytest.approx(value, rel=1e-9)
    assert fit.residual_standard_deviation == pytest.approx(deviation, rel=1e-9)
    assert fit.degrees_of_freedom == len(x) - len(start)


def test_sigma_is_absolute_and_weights_are_relative(rows):
    known = descend.fit("y ~ w_*x + b", rows, sigma="s")
    relative = descend.fit("y ~ w_*x + b", rows, weights="omega")
    X = np.column_stack([rows["x"], np.ones(30)]) / rows["s"][:, None]
    inverse = np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(known.covariance, inverse, rtol=1e-10)
    chi = np.sqrt(np.sum((known.residuals / rows["s"]) ** 2) / 28)
    np.testing.assert_allclose(relative.covariance, chi**2 * inverse, rtol=1e-10)
    assert known.parameters == pytest.approx(relative.parameters, rel=1e-12)
    assert known.residual_standard_deviation == pytest.approx(chi) == relative.residual_standard_deviation
    assert known.error_degrees == math.inf and relative.error_degrees == 28
    # The unit of the weights means nothing; that of sigma does.
    scaled = {**rows, "omega": 7 * rows["omega"], "s": 2 * rows["s"]}
    np.testing.assert_allclose(
        descend.fit("y ~ w_*x + b", scaled, weights="omega").covariance, relative.covariance, rtol=1e-10
    )
    np.testing.assert_allclose(descend.fit("y ~ w_*x + b", scaled, sigma="s").covariance, 4 * inverse, rtol=1e-10)


def test_rows_of_weight_zero_count_for_nothing(rows):
    weights = np.where(np.arange(30) < 20, 1.0, 0.0)
    weighed = descend.fit("y ~ w*x + b", {"x": rows["x"], "y": rows["y"], "m": weights}, weights="m")
    fewer = descend.fit("y ~ w*x + b", {"x": rows["x"][:20], "y": rows["y"][:20]})
    np.testing.assert_allclose(weighed.covariance, fewer.covariance, rtol=1e-9)
    assert (weighed.degrees_of_freedom, weighed.aic) == (18, pytest.approx(fewer.aic))


def test_the_sandwich_is_hc3(rows):
    fit = descend.fit("y ~ w*x + b", rows, errors="sandwich")
    X = np.column_stack([rows["x"], np.ones(30)])
    inverse = np.linalg.inv(X.T @ X)
    leverage = np.einsum("ij,jk,ik->i", X, inverse, X)
    pulled = X * (fit.residuals / (1 - leverage))[:, None]
    np.testing.assert_allclose(fit.covariance, inverse @ pulled.T @ pulled @ inverse, rtol=1e-9)
    assert fit.kind_of_errors == "sandwich"
    np.testing.assert_allclose(fit.covariance_of("model"), descend.fit("y ~ w*x + b", rows).covariance)


def test_the_sandwich_of_huber_is_hc3(rows):
    fit = descend.fit("y ~ w*x + b", rows, loss="huber(delta=0.3)")
    X = np.column_stack([rows["x"], np.ones(30)])
    inside = np.abs(fit.residuals) <= 0.3
    bread = np.linalg.inv(X[inside].T @ X[inside])
    leverage = inside * np.einsum("ij,jk,ik->i", X, bread, X)
    pulled = X * (np.clip(fit.residuals, -0.3, 0.3) / (1 - leverage))[:, None]
    np.testing.assert_allclose(fit.covariance, bread @ pulled.T @ pulled @ bread, rtol=1e-8)


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "tukey", "absolute", "pinball(quantile=0.8)"])
def test_another_origin_of_time_leaves_the_error_of_a_slope_as_it_is(loss):
    t = np.linspace(0.0, 36_000.0, 25)
    y = 0.0015 * t + 4.0 + 0.5 * np.random.default_rng(40).standard_t(2, size=25)
    near, far = (descend.fit("y ~ a*t + b", {"t": origin + t, "y": y}, loss=loss) for origin in (0.0, 1.65e12))
    assert far.standard_errors["a"] == pytest.approx(near.standard_errors["a"], rel=1e-3)


@pytest.mark.parametrize("options", [{"loss": "huber(delta=1)"}, {"errors": "sandwich"}, {"loss": "absolute"}, {}])
def test_where_nothing_is_free_to_move_there_is_no_error_to_tell(options):
    x = np.linspace(0.0, 1.0, 25)
    fit = descend.fit("y ~ w*x", {"x": x, "y": 2.0 * x}, bounds=["w > 5"], **options)
    assert fit.parameters["w"] == 5.0
    assert fit.standard_errors is None or np.isnan(fit.standard_errors["w"]) or fit.standard_errors["w"] == 0.0


@pytest.mark.parametrize(("loss", "rows", "spread"), [("absolute", 50, 0.0611), ("pinball(quantile=0.75)", 40, 0.0739)])
def test_errors_of_quantiles_are_as_large_as_their_spread(loss, rows, spread):
    """The spread is that over 4,000 sets, by R's quantreg."""
    x = np.linspace(0.0, 10.0, rows)
    sets = [1.0 + 2.0 * x + np.random.default_rng(seed).normal(size=rows) for seed in range(20)]
    errors = [descend.fit("y ~ a + b*x", {"x": x, "y": y}, loss=loss).standard_errors["b"] for y in sets]
    assert np.mean(errors) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("loss", ["absolute", "pinball(quantile=0.3)"])
def test_errors_of_quantiles_are_near_those_of_theory(loss):
    random = np.random.default_rng(0)
    x = random.uniform(size=4000)
    fit = descend.fit("y ~ w*x + b", {"x": x, "y": 1 + 2 * x + random.normal(size=4000)}, loss=loss)
    share = 0.5 if loss == "absolute" else 0.3
    density = np.exp(-0.5 * special.ndtri(share) ** 2) / np.sqrt(2 * np.pi)
    X = np.column_stack([x, np.ones(4000)])
    theory = share * (1 - share) / density**2 * np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(np.sqrt(fit.covariance.diagonal()), np.sqrt(theory.diagonal()), rtol=0.1)


def test_fisher_information_of_counts_and_outcomes(rows):
    random = np.random.default_rng(5)
    x = np.linspace(0, 3, 60)
    X = np.column_stack([np.ones(60), x])
    counts = random.poisson(np.exp(0.5 + 0.6 * x)).astype(float)
    fit = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": counts}, loss="poisson")
    mean = fit.predict({"x": x})
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(X.T @ (X * mean[:, None])), rtol=1e-6)
    likelihood = np.sum(counts * np.log(mean) - mean - special.gammaln(counts + 1))
    assert fit.log_likelihood == pytest.approx(likelihood)
    assert (fit.aic, fit.bic) == pytest.approx((4 - 2 * likelihood, 2 * np.log(60) - 2 * likelihood))

    outcomes = (random.uniform(size=60) < special.expit(x - 1.5)).astype(float)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": outcomes}, loss="logistic")
    p = fit.predict({"x": x})
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(X.T @ (X * (p * (1 - p))[:, None])), rtol=1e-6)
    assert fit.log_likelihood == pytest.approx(np.sum(np.log(np.where(outcomes == 1, p, 1 - p))))


def test_likelihood_of_normal_errors(rows):
    n, k = 30, 3
    fit = descend.fit("y ~ w*x + b", rows)
    variance = np.mean(fit.residuals**2)
    likelihood = np.sum(-0.5 * np.log(2 * np.pi * variance) - fit.residuals**2 / (2 * variance))
    assert fit.log_likelihood == pytest.approx(likelihood)
    assert fit.aic == pytest.approx(2 * k - 2 * likelihood)
    assert fit.aicc == pytest.approx(fit.aic + 2 * k * (k + 1) / (n - k - 1))
    assert fit.bic == pytest.approx(k * np.log(n) - 2 * likelihood)
    # With weights, the variance of row i is v / w_i.
    fit = descend.fit("y ~ m*x + b", rows, weights="omega")
    variances = np.mean(rows["omega"] * fit.residuals**2) / rows["omega"]
    likelihood = np.sum(-0.5 * np.log(2 * np.pi * variances) - fit.residuals**2 / (2 * variances))
    assert fit.log_likelihood == pytest.approx(likelihood)
    # With sigma nothing about the errors is estimated.
    fit = descend.fit("y ~ m*x + b", rows, sigma="s")
    likelihood = np.sum(-0.5 * np.log(2 * np.pi * rows["s"] ** 2) - fit.residuals**2 / (2 * rows["s"] ** 2))
    assert (fit.log_likelihood, fit.aic) == pytest.approx((likelihood, 4 - 2 * likelihood))


def test_correlation(rows):
    fit = descend.fit("y ~ w*x + b", rows)
    x = rows["x"]
    assert fit.correlation[0, 1] == pytest.approx(-x.mean() / np.sqrt(np.mean(x * x)))
    np.testing.assert_allclose(fit.correlation.diagonal(), 1.0)


def test_a_python_function_has_the_errors_of_its_formula(rows):
    def forward(x, a, b):
        return a * np.exp(-b * x)

    def gradient(x, y, a, b):
        r = a * np.exp(-b * x) - y
        return {"a": np.mean(2 * r * np.exp(-b * x)), "b": np.mean(-2 * r * a * x * np.exp(-b * x))}

    data = {"x": rows["x"], "y": 2 * np.exp(-0.5 * rows["x"]) + 0.01 * np.sin(9 * rows["x"])}
    formula = descend.fit("y ~ a*exp(-b*x)", data, start={"a": 1.0, "b": 1.0})
    start = {name: value for name, value in formula.parameters.items()}
    function = descend.fit(forward, data, response="y", gradient=gradient, start=start, optimizer="lbfgs")
    for kind in ("model", "sandwich"):
        np.testing.assert_allclose(function.covariance_of(kind), formula.covariance_of(kind), rtol=1e-6)


def test_sigma_is_not_among_all_columns():
    x = np.linspace(0, 1, 9)
    fit = descend.fit("y ~ v @ [*] + b", {"x": x, "y": x + 0.1 * x**2, "s": 1 + x}, sigma="s")
    assert fit.model.inputs == ("x",)


def test_what_is_refused(rows):
    def said(**options):
        with pytest.raises((ConfigError, DataError)) as error:
            descend.fit("y ~ m*x + b", {**rows, "z": rows["x"]}, **options)
        return str(error.value)

    assert said(sigma="s", weights="omega") == (
        "`s` is given as sigma and `omega` as weights, but both say how far each row is trusted: sigma in the unit of "
        "the response, so that the size of the errors is known; weights relative to each other, so that it is "
        "estimated. "
        "Give one of them."
    )
    assert said(sigma="s", loss="huber") == (
        "`s` is given as sigma, the standard deviation of normal errors, but the huber loss has errors of another "
        "kind. Use the squared loss, or give relative weights."
    )
    assert said(sigma="z") == (
        "The sigma `z` is 0 in row 1 of the data. Standard deviations must be above 0. Leave such rows out with "
        "`where`, or correct them."
    )
    assert said(sigma="t").startswith("There is no column `t` to take as sigma.")
    assert said(errors="sandwhich") == (
        "There are no standard errors of the kind `sandwhich`. Did you mean `sandwich`? Known: model, sandwich, "
        "observed, HC0, HC1, HC2, HC3, iid, cluster(COLUMN)."
    )
    assert said(errors="model", loss="absolute") == (
        "The absolute loss is not the likelihood of a distribution, so its curvature alone tells no standard errors. "
        "Use sandwich."
    )


@pytest.mark.parametrize(
    "options", [{"sigma": "s"}, {"weights": "omega"}, {"errors": "sandwich"}, {"loss": "huber"}, {}]
)
def test_the_model_file_keeps_it_all(rows, tmp_path, options):
    fit = descend.fit("y ~ m*x + b", rows, **options)
    fit.save(tmp_path / "model.json")
    loaded = descend.load(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.covariance, fit.covariance)
    names = (
        "sigma", "weights", "kind_of_errors", "degrees_of_freedom", "residual_standard_deviation", "error_degrees",
        "log_likelihood", "aic", "aicc", "bic", "r_squared",
    )  # fmt: skip
    for name in names:
        assert getattr(loaded, name) == getattr(fit, name), name
    assert loaded.intervals() == fit.intervals()
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "model.json").read_text()
    with pytest.raises(ConfigError) as error:
        loaded.intervals(method="profile")
    assert str(error.value) == (
        "This fit was loaded from a file, without its data, so it has no profile intervals. Fit again to get them."
    )
