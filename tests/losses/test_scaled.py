"""Times, heavy tails and directions: likelihoods whose scale or shape is fitted too, against R and SciPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import approx_fprime

import descend
from descend.errors import ConfigError, DataError
from descend.losses import LOSSES

LUNG = Path(__file__).parent / "data" / "lung.csv"
DIED = "died: 0=right, 1=none"
# survreg(Surv(time, died) ~ age + sex, lung, dist), and the same of Surv(time): estimates, their standard errors, the
# logarithm of the scale's, log-likelihood; control = survreg.control(rel.tolerance = 1e-14). Of R's survival 3.
SURVREG = {
    ("weibull", True): (
        [6.2748530584159070, -0.0122570255896658, 0.3820851396766485], 0.754050947662723,
        [0.48136695286388442, 0.00695747226505559, 0.12747684050486166], 0.06188327212511101, -1147.05443143195,
    ),
    ("weibull", False): (
        [5.87651963920191012, -0.00407982427108042, 0.13872356827209115], 0.680297134557968,
        [0.36042179809909847, 0.00522706407482821, 0.09245423623222992], 0.05140972803846799, -1508.10430988885,
    ),
    ("exponential", True): (
        [6.359671541789740, -0.015618711040088, 0.480934923960242], 1.0,
        [0.63546908251532985, 0.00910568018485727, 0.16709428595250578], 0.0, -1156.09903713804,
    ),
    ("exponential", False): (
        [5.82591868494369081, -0.00561478655358837, 0.17256143136783378], 1.0,
        [0.52693126377383048, 0.00759252299502032, 0.13582335971647047], 0.0, -1531.24066439214,
    ),
    ("lognormal", True): (
        [6.4079885485159815, -0.0233564575538656, 0.5192536746284920], 1.05267589008379,
        [0.59292740393245946, 0.00838823882840103, 0.15515223542355502], 0.05601567736100090, -1158.75014259399,
    ),
    ("lognormal", False): (
        [6.0197340586489689, -0.0156546560282609, 0.2728179139743466], 0.881310344118904,
        [0.46122006405175769, 0.00649543858202886, 0.12030974319915887], 0.04682929057908470, -1531.07569209036,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("loss", "censored"), SURVREG)
def test_times_as_survreg(loss, censored):
    values, scale, errors, of_log_scale, likelihood = SURVREG[loss, censored]
    fit = descend.fit("time ~ exp(a + b*age + c*sex)", LUNG, loss=loss, censored=DIED if censored else None)
    assert [fit.parameters[name] for name in "abc"] == pytest.approx(values, rel=1e-7)
    assert [fit.standard_errors[name] for name in "abc"] == pytest.approx(errors, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(likelihood, rel=1e-11)
    own = {"weibull": ("shape", 1.0 / scale), "lognormal": ("sigma", scale)}.get(loss)
    assert fit.aic == pytest.approx(2.0 * (3 + (own is not None)) - 2.0 * likelihood, rel=1e-11)
    if own is not None:
        assert fit.parameters[own[0]] == pytest.approx(own[1], rel=1e-7)
        assert fit.standard_errors[own[0]] == pytest.approx(own[1] * of_log_scale, rel=1e-6)


def noisy(df=3.0):
    random = np.random.default_rng(1)
    x = np.linspace(0.0, 10.0, 300)
    return {"x": x, "y": 1.0 + 2.0 * x + 0.5 * random.standard_t(df, 300)}


@pytest.mark.parametrize("loss", ["student_t(df=3)", "student_t"])
def test_student_t_is_at_the_largest_likelihood(loss):
    data = noisy()
    fit = descend.fit("y ~ a + b*x", data, loss=loss)
    theta = np.array([*fit.parameters.values()])

    def cost(theta):
        return -stats.t.logpdf(data["y"] - theta[0] - theta[1] * data["x"], [*theta, 3.0][3], scale=theta[2]).mean()

    assert fit.loss == pytest.approx(cost(theta), rel=1e-12)
    np.testing.assert_allclose(approx_fprime(theta, cost, 1e-7), 0.0, atol=1e-5)
    assert fit.outcome == "converged"
    found = fit.predict({"x": [5.0]}, interval="prediction")
    wide = fit.parameters["sigma"] * stats.t.ppf(0.975, fit.parameters.get("df", 3.0))
    assert (found.high - found.low)[0] / 2.0 == pytest.approx(wide, rel=0.02)


def test_residuals_without_heavy_tails_end_at_the_largest_df_in_words(tmp_path):
    random = np.random.default_rng(1)
    x = np.linspace(-2.0, 2.0, 200)
    data = {"x": x, "y": 1.0 + 0.5 * x + random.uniform(-1.0, 1.0, 200)}
    fit, least = (descend.fit("y ~ a + b*x", data, loss=loss) for loss in ("student_t", "squared"))
    assert fit.outcome == "converged" and fit.parameters["df"] == 1000.0
    assert fit.notes[-2:] == (
        "the residuals show no heavier tails than normal errors, so that no df can be told: it is kept below 1000, "
        "where student_t errors are normal ones; the squared loss fits the same with one parameter less",
        "`df` is at its bound 1000; it has no standard error, and those of the others are with it held there",
    )
    assert [fit.parameters[name] for name in "ab"] == pytest.approx([least.parameters[name] for name in "ab"], rel=1e-3)
    assert fit.standard_errors["b"] == pytest.approx(least.standard_errors["b"], rel=0.01)
    assert np.isnan(fit.standard_errors["df"])
    fit.save(tmp_path / "light.json")
    assert descend.load(tmp_path / "light.json").parameters["df"] == 1000.0
    bounded = descend.fit("y ~ a + b*x", data, loss="student_t", bounds="b <= 0.4")
    assert bounded.parameters["b"] == 0.4 and bounded.parameters["df"] == 1000.0
    for seed in range(30):  # normal errors: a df with an error, or the largest
        data["y"] = 1.0 + 0.5 * x + np.random.default_rng([5, seed]).normal(size=200)
        fit = descend.fit("y ~ a + b*x", data, loss="student_t")
        assert fit.outcome == "converged"
        assert fit.parameters["df"] == 1000.0 or fit.standard_errors["df"] > 0.0


@pytest.mark.parametrize(
    ("loss", "needs"),
    [("weibull", "times above 0"), ("lognormal", "numbers above 0"), ("exponential", "times above 0")],
)
def test_a_time_of_0_is_refused_by_the_loss_that_was_asked_for(loss, needs):
    with pytest.raises(DataError) as caught:
        descend.fit("y ~ exp(a + b*x)", {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 0.0, 2.0, 3.0]}, loss=loss)
    assert str(caught.value) == (
        f"`y` is 0 in row 2 of the data, but the {loss} loss needs {needs}. Leave such rows out with `where`, or "
        "choose another loss."
    )


def test_a_mean_direction_has_no_input_to_solve_for():
    fit = descend.fit("y ~ a", {"y": [0.1, 0.2, 6.2, 6.1, 0.4]}, loss="von_mises")
    with pytest.raises(ConfigError) as caught:
        fit.invert(0.5, mean=True)
    assert str(caught.value) == "The model has no input to solve for: its prediction is the same everywhere."


def test_directions_have_the_mean_direction_and_any_turn():
    directions = np.random.default_rng(1).vonmises(3.0, 2.0, 300)
    fit = descend.fit("d ~ mu", {"d": directions}, loss="von_mises")
    kappa, mu, _ = stats.vonmises.fit(directions, fscale=1)
    assert np.cos(fit.parameters["mu"] - mu) == pytest.approx(1.0, abs=1e-9)
    assert fit.parameters["kappa"] == pytest.approx(kappa, rel=1e-4)
    assert fit.log_likelihood == pytest.approx(stats.vonmises.logpdf(directions, kappa, mu).sum(), rel=1e-8)
    turned = descend.fit("d ~ mu", {"d": directions + 2.0 * np.pi * (np.arange(300) % 3)}, loss="von_mises")
    assert turned.parameters["kappa"] == pytest.approx(fit.parameters["kappa"], rel=1e-9)
    known = descend.fit("d ~ mu", {"d": directions}, loss="von_mises(kappa=2)")
    assert list(known.parameters) == ["mu"]


@pytest.mark.parametrize("loss", ["weibull", "lognormal", "student_t", "student_t(df=2)", "von_mises", "exponential"])
def test_slopes_are_derivatives_and_densities_sum_to_1(loss):
    built = LOSSES.build(loss)
    own = {name: 1.3 for name in built.own_parameters}

    def value(scores, y=0.7):
        known = built.given({}, dict(zip(own, scores[1:], strict=True)))
        return float(known.value(np.array([scores[0]]), np.array([y]))[0])

    at = np.array([0.9, *own.values()])
    known = built.given({}, own)
    slopes = [known.of_rows(each, {**_symbols(0.9, 0.7)})[0] for each in built.slopes]
    np.testing.assert_allclose(slopes, approx_fprime(at, value, 1e-7), rtol=1e-5, atol=1e-6)
    ends = (-np.pi, np.pi) if loss == "von_mises" else (max(built.response_domain.low, -np.inf), np.inf)
    assert quad(lambda y: np.exp(-value(at, y)), *ends)[0] == pytest.approx(1.0, rel=1e-7)
    found = known.distribution(np.array([0.9]), np.ones(1), 1.0, own)
    if found is not None:
        y = found.ppf(0.3)
        assert quad(lambda y: np.exp(-value(at, y)), ends[0], float(y[0]))[0] == pytest.approx(0.3, rel=1e-6)


def _symbols(prediction, y):
    from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE

    return {PREDICTION: np.array([prediction]), RESPONSE: np.array([y]), RESIDUAL: np.array([prediction - y])}


def test_they_are_saved_loaded_grouped_and_streamed(tmp_path):
    data = noisy()
    fit = descend.fit("y ~ a + b*x", data, loss="student_t(df=3)")
    fit.save(tmp_path / "fit.json")
    loaded = descend.load(tmp_path / "fit.json")
    assert str(loaded.loss_function) == "student_t(df=3)"
    assert (
        loaded.predict({"x": [1.0]}, interval="prediction").high
        == fit.predict({"x": [1.0]}, interval="prediction").high
    )
    streamed = descend.fit("y ~ a + b*x", data, loss="student_t(df=3)", engine="query")
    assert streamed.parameters == pytest.approx(fit.parameters, rel=1e-7)
    groups = descend.fit("y ~ a + b*x", {**data, "g": np.arange(300) // 150}, by="g", loss="student_t(df=3)")
    half = descend.fit("y ~ a + b*x", {name: column[:150] for name, column in data.items()}, loss="student_t(df=3)")
    assert groups[0].parameters == pytest.approx(half.parameters, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "mean"),
    [
        ("y ~ a", lambda x: 3.1 + 0.0 * x),
        ("y ~ a + b*x", lambda x: 1.0 + 0.5 * x),
        ("y ~ a + b*x", lambda x: 1.0 - 6.0 * x),
        ("y ~ b*x", lambda x: 2.5 * x),
        ("y ~ a + 2*atan(b*x)", lambda x: -3.0 + 2.0 * np.arctan(-0.5 * x)),
    ],
)
def test_directions_need_no_start(formula, mean):
    x = np.linspace(-3.0, 3.0, 200)
    for seed in range(3):
        y = np.random.default_rng([7, seed]).vonmises(np.angle(np.exp(1j * mean(x))), 3.0)
        fit = descend.fit(formula, {"x": x, "y": y}, loss="von_mises")
        assert fit.outcome == "converged"
        assert fit.loss < -stats.vonmises.logpdf(y - mean(x), 3.0).mean()  # at the true values
        assert abs(fit.parameters.get("a", 0.0)) < np.pi + 0.2


@pytest.mark.parametrize("formula", ["y ~ a + b[site]*x", "y ~ a[site] + b[site]*x"])
def test_slopes_of_each_group_need_no_start(formula):
    random, x = np.random.default_rng(9), np.tile(np.linspace(0.0, 8.0, 40), 4)
    slopes = {"n": 2.3, "e": -1.1, "s": 0.2, "w": -2.9}
    turned = 0.5 + x * np.repeat([*slopes.values()], 40)
    data = {"site": np.repeat([*slopes], 40), "x": x, "y": random.vonmises(np.angle(np.exp(1j * turned)), 5.0)}
    fit = descend.fit(formula, data, loss="von_mises")
    assert dict(fit.parameters["b"]) == pytest.approx(slopes, abs=0.15)
    assert fit.parameters["kappa"] == pytest.approx(5.0, abs=1.5)


@pytest.mark.parametrize("slope", ["b", "b[site]"])
def test_directions_without_meaning_keep_the_gentle_slope(slope):
    steep = 0
    for seed in range(10):
        random = np.random.default_rng([8, seed])
        data = {"x": np.arange(100.0), "y": random.uniform(-np.pi, np.pi, 100), "site": [*"abcd"] * 25}
        fit = descend.fit(f"y ~ a + {slope}*x", data, loss="von_mises")
        steep += any("full turn" in note for note in fit.notes)
    assert steep <= 1


@pytest.mark.parametrize(
    ("formula", "loss", "scale"),
    [("y ~ a + b*x", "student_t", "sigma"), ("y ~ exp(a + b*x)", "weibull", "shape"), ("y ~ a", "von_mises", "kappa")],
)
def test_an_exact_fit_has_no_scale(formula, loss, scale):
    x = np.linspace(0.0, 2.0, 40)
    y = {"student_t": 1.0 + x, "weibull": np.exp(1.0 + x), "von_mises": np.full(40, 1.0)}[loss]
    with pytest.raises(DataError) as caught:
        descend.fit(formula, {"x": x, "y": y}, loss=loss)
    assert str(caught.value) == (
        f"The formula fits every value exactly, so that no {scale} can be estimated. Use the squared loss, or fewer "
        "parameters."
    )


@pytest.mark.parametrize("unit", [1e-30, 1e20])
@pytest.mark.parametrize("loss", ["weibull", "student_t", "lognormal"])
def test_no_unit_of_the_response_hides_the_minimum(loss, unit):
    rng = np.random.default_rng(5)
    x = np.linspace(1.0, 5.0, 40)
    y = np.exp(0.3 * x + 0.2 * rng.normal(size=40))
    here = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": y}, loss=loss)
    there = descend.fit("y ~ exp(a + b*x)", {"x": x, "y": unit * y}, loss=loss)
    assert there.outcome == "converged"
    assert there.parameters["b"] == pytest.approx(here.parameters["b"], rel=1e-6)
    assert there.loss - here.loss == pytest.approx(np.log(unit), rel=1e-9)
