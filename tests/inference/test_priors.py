"""Priors: closed forms, the modes that SciPy finds, what they weigh, and what does not go with them."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

import descend
from descend.errors import DescendError

RANDOM = np.random.default_rng(0)
X = np.linspace(0.0, 5.0, 30)
LINE = {"x": X, "y": 1.0 + 0.5 * X + RANDOM.normal(0.0, 0.3, 30), "s": np.full(30, 0.3)}
DESIGN = np.column_stack([np.ones(30), X])
DECAY = {"x": X, "y": 3.0 * np.exp(-0.7 * X) + 0.5 + RANDOM.normal(0.0, 0.1, 30), "s": np.full(30, 0.1)}
COUNTS = {"x": X, "y": RANDOM.poisson(np.exp(0.5 + 0.3 * X)).astype(float)}


def posterior(variance, location, scale):
    """Return mean and covariance of Bayesian linear regression with a normal prior on the slope."""
    information = DESIGN.T @ DESIGN / variance + np.diag([0.0, scale**-2.0])
    covariance = np.linalg.inv(information)
    return covariance @ (DESIGN.T @ LINE["y"] / variance + np.array([0.0, location / scale**2])), covariance


@pytest.mark.parametrize("engine", ["numpy", "moments", "query"])
@pytest.mark.parametrize("given", ["b ~ normal(0.7, 0.05)", {"b": "normal(0.7, scale=0.05)"}])
def test_a_line_with_known_errors_is_bayesian_linear_regression(engine, given):
    fit = descend.fit("y ~ a + b*x", LINE, sigma="s", priors=given, engine=engine)
    mean, covariance = posterior(0.09, 0.7, 0.05)
    assert list(fit.parameters.values()) == pytest.approx(mean, rel=1e-11)
    assert fit.covariance == pytest.approx(covariance, rel=1e-9)
    if engine == "numpy":
        assert fit.intervals(method="profile")["b"] == pytest.approx(fit.intervals()["b"], rel=1e-6)


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "newton", "lbfgs"])
def test_every_optimizer_ends_there(optimizer):
    fit = descend.fit("y ~ a + b*x", LINE, sigma="s", priors="b ~ normal(0.7, 0.05)", optimizer=optimizer)
    assert list(fit.parameters.values()) == pytest.approx(posterior(0.09, 0.7, 0.05)[0], rel=1e-7)


def test_a_prior_is_one_more_row():
    row = {"x": np.append(X, 1.0), "y": np.append(LINE["y"], 0.7), "s": np.append(LINE["s"], 0.05)}
    row["one"] = np.append(np.ones(30), 0.0)
    one = descend.fit("y ~ a*one + b*x", row, sigma="s")
    fit = descend.fit("y ~ a + b*x", LINE, sigma="s", priors=["b ~ normal(0.7, 0.05)"])
    assert fit.parameters == pytest.approx(one.parameters, rel=1e-11)
    assert fit.standard_errors == pytest.approx(one.standard_errors, rel=1e-9)


def test_an_unknown_error_is_estimated_with_the_parameters_that_the_data_determine():
    fit = descend.fit("y ~ a + b*x", LINE, priors="b ~ normal(0.7, 0.05)")
    variance = 0.1
    for _ in range(200):
        mean, covariance = posterior(variance, 0.7, 0.05)
        determined = 2.0 - covariance[1, 1] / 0.05**2
        variance = ((LINE["y"] - DESIGN @ mean) ** 2).sum() / (30 - determined)
    assert list(fit.parameters.values()) == pytest.approx(mean, rel=1e-10)
    assert fit.covariance == pytest.approx(covariance, rel=1e-9)
    assert fit.residual_standard_deviation == pytest.approx(math.sqrt(variance), rel=1e-10)
    assert fit.degrees_of_freedom == pytest.approx(30 - determined, rel=1e-10)
    assert any("residual standard deviation" in note for note in fit.notes)


def test_a_vague_prior_changes_nothing():
    plain = descend.fit("y ~ a*exp(-b*x) + c", DECAY)
    fit = descend.fit("y ~ a*exp(-b*x) + c", DECAY, priors=["a ~ normal(0, 1e7)", "b ~ uniform(0, 1e7)"])
    assert fit.parameters == pytest.approx(plain.parameters, rel=1e-8)
    assert fit.standard_errors == pytest.approx(plain.standard_errors, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    assert fit.aic == pytest.approx(plain.aic, rel=1e-9)


PRIORS = {
    "normal(0.5, 0.05)": stats.norm(0.5, 0.05),
    "half_normal(0.1)": stats.halfnorm(scale=0.1),
    "lognormal(-1, 0.1)": stats.lognorm(0.1, scale=math.exp(-1.0)),
    "student_t(3, 0.5, 0.02)": stats.t(3, 0.5, 0.02),
    "cauchy(0.5, 0.02)": stats.cauchy(0.5, 0.02),
    "gamma(40, 80)": stats.gamma(40, scale=1 / 80),
    "gamma(1, 30)": stats.gamma(1, scale=1 / 30),
    "beta(20, 20)": stats.beta(20, 20),
}


@pytest.mark.parametrize("text", PRIORS)
def test_the_mode_is_that_of_the_posterior(text):
    def minus_log(theta):
        a, b, c = theta
        residual = (DECAY["y"] - a * np.exp(-b * X) - c) / 0.1
        return 0.5 * residual @ residual - PRIORS[text].logpdf(b)

    best = optimize.minimize(minus_log, [3.0, 0.6, 0.5], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    fit = descend.fit("y ~ a*exp(-b*x) + c", DECAY, sigma="s", priors=f"b ~ {text}")
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-6)
    assert fit.outcome == "converged"


def test_counts_with_a_prior_are_those_of_their_posterior():
    def minus_log(theta):
        score = theta[0] + theta[1] * X
        return np.sum(np.exp(score) - COUNTS["y"] * score) + 0.5 * ((theta[1] - 0.2) / 0.02) ** 2

    best = optimize.minimize(minus_log, [0.5, 0.3], method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-13})
    fit = descend.fit("y ~ exp(a + b*x)", COUNTS, loss="poisson", priors="b ~ normal(0.2, 0.02)")
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-6)
    mean = np.exp(DESIGN @ best.x)
    information = (DESIGN * mean[:, None]).T @ DESIGN + np.diag([0.0, 0.02**-2.0])
    assert fit.covariance == pytest.approx(np.linalg.inv(information), rel=1e-5)


def test_outcomes_that_are_separated_have_an_estimate_with_priors():
    data = {"x": X, "y": (X > 2.4).astype(float)}

    def minus_log(theta):
        score = theta[0] + theta[1] * X
        return np.sum(special.log1p(np.exp(-np.abs(score))) + np.maximum(score, 0) - data["y"] * score) + 0.5 * np.sum(
            (theta / 2.5) ** 2
        )

    best = optimize.minimize(minus_log, [0.0, 0.0], method="BFGS", options={"gtol": 1e-10})
    fit = descend.fit("y ~ a + b*x", data, loss="logistic", priors=["a ~ normal(0, 2.5)", "b ~ normal(0, 2.5)"])
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-6)
    assert fit.outcome == "converged"


def test_what_data_do_not_determine_a_prior_does():
    data = {"x": X, "y": LINE["y"], "s": LINE["s"]}
    fit = descend.fit("y ~ a + (b + c)*x", data, sigma="s", priors=["c ~ normal(0.1, 0.2)"])
    assert fit.parameters["c"] == pytest.approx(0.1, rel=1e-9)
    assert fit.standard_errors["c"] == pytest.approx(0.2, rel=1e-9)
    (weight,) = fit.priors
    assert weight.share == pytest.approx(1.0) and weight.value is None


def test_a_prior_of_an_expression():
    fit = descend.fit("y ~ a + b*x", LINE, sigma="s", priors="a + 2*b ~ normal(1.5, 0.01)")
    along = np.array([1.0, 2.0])
    information = DESIGN.T @ DESIGN / 0.09 + np.outer(along, along) / 0.01**2
    right = DESIGN.T @ LINE["y"] / 0.09 + along * 1.5 / 0.01**2
    assert list(fit.parameters.values()) == pytest.approx(np.linalg.solve(information, right), rel=1e-9)
    assert fit.covariance == pytest.approx(np.linalg.inv(information), rel=1e-7)


def test_how_much_a_prior_weighs():
    fit = descend.fit("y ~ a + b*x", LINE, sigma="s", priors="b ~ normal(0.7, 0.05)")
    alone = descend.fit("y ~ a + b*x", LINE, sigma="s")
    (weight,) = fit.priors
    assert weight.share == pytest.approx((fit.standard_errors["b"] / 0.05) ** 2)
    assert (weight.value, weight.error) == pytest.approx((alone.parameters["b"], alone.standard_errors["b"]))
    away = (alone.parameters["b"] - 0.7) / math.hypot(0.05, alone.standard_errors["b"])
    assert weight.p == pytest.approx(2.0 * stats.norm.cdf(-abs(away)))
    assert weight.shift == pytest.approx((fit.parameters["b"] - alone.parameters["b"]) / alone.standard_errors["b"])


def test_what_the_data_say_alone_has_the_scatter_that_they_have_alone():
    fit, alone = descend.fit("y ~ a + b*x", LINE, priors="b ~ normal(1, 0.02)"), descend.fit("y ~ a + b*x", LINE)
    (weight,) = fit.priors
    assert fit.residual_standard_deviation > 1.5 * alone.residual_standard_deviation
    assert (weight.value, weight.error) == pytest.approx((alone.parameters["b"], alone.standard_errors["b"]), rel=1e-7)
    assert weight.p < 1e-20


def test_a_conflict_and_the_weights_are_told(tmp_path, run):
    path = tmp_path / "line.csv"
    path.write_text("x,y\n" + "\n".join(f"{x!r},{y!r}" for x, y in zip(X.tolist(), LINE["y"].tolist(), strict=True)))
    ran = run("fit", "y ~ a + b*x", path, "--prior", "b ~ normal(2, 0.1)", "--prior", "a ~ uniform(-5, 5)")
    text = " ".join(ran.stdout.split())
    fit = descend.fit("y ~ a + b*x", path, priors=["b ~ normal(2, 0.1)", "a ~ uniform(-5, 5)"])
    (weight, bound) = fit.priors
    assert bound.share is None
    assert (
        f"prior b ~ normal(2, 0.1): {100 * weight.share:.3g}% of the information; without it {weight.value:.6g} ± "
        f"{weight.error:.3g}, so it moved by {weight.shift:+.2g} of these"
    ) in text
    assert "prior a ~ uniform(-5, 5): a bound" in text
    assert "The prior b ~ normal(2, 0.1) and the data disagree: without it `b` would be" in text
    assert "With priors, estimates are the mode of the posterior" in text


def test_levels_with_a_prior_need_no_reference():
    groups = np.repeat(["A", "B", "C"], 10)
    data = {"g": groups, "y": np.repeat([1.0, 2.0, 4.0], 10) + RANDOM.normal(0, 0.1, 30), "s": np.full(30, 0.1)}
    fit = descend.fit("y ~ b0 + u[g]", data, sigma="s", priors="u ~ normal(0, 1)")
    design = np.column_stack([np.ones(30), *(groups == name for name in "ABC")]).astype(float)
    information = design.T @ design / 0.01 + np.diag([0.0, 1.0, 1.0, 1.0])
    best = np.linalg.solve(information, design.T @ data["y"] / 0.01)
    assert [fit.parameters["b0"], *fit.parameters["u"].values()] == pytest.approx(best, rel=1e-9)
    one = descend.fit("y ~ u[g]", data, sigma="s", priors={"u[B]": "normal(0, 0.05)"})
    assert one.parameters["u"]["A"] == pytest.approx(data["y"][:10].mean())
    assert abs(one.parameters["u"]["B"]) < 1.6


def test_each_group_has_the_same_prior():
    data = {**{name: np.tile(values, 2) for name, values in LINE.items()}, "g": np.repeat(["A", "B"], 30)}
    fits = descend.fit("y ~ a + b*x", data, by="g", sigma="s", priors="b ~ normal(0.7, 0.05)")
    for group in "AB":
        assert list(fits[group].parameters.values()) == pytest.approx(posterior(0.09, 0.7, 0.05)[0], rel=1e-9)


def test_a_wrong_prior_is_refused_before_the_groups_are_fitted():
    data = {**LINE, "g": np.repeat(["A", "B"], 15)}
    with pytest.raises(DescendError) as error:
        descend.fit("y ~ a + b*x", data, by="g", priors="k ~ normal(0, 1)")
    assert str(error.value).startswith("`k` is not a parameter of the model.")


def test_censored_counts_and_correlated_rows_have_priors_too():
    limit = 2.5
    data = {"x": X, "y": np.minimum(LINE["y"], limit), "c": np.where(LINE["y"] > limit, "right", "none")}

    def minus_log(theta):
        a, b, sigma = theta
        seen, mean = LINE["y"] <= limit, a + b * X
        known = stats.norm.logpdf(data["y"][seen], mean[seen], sigma).sum()
        return -known - stats.norm.logsf(limit, mean[~seen], sigma).sum() + 0.5 * ((b - 0.5) / 0.05) ** 2

    best = optimize.minimize(minus_log, [1.0, 0.5, 0.3], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    fit = descend.fit("y ~ a + b*x", data, censored="c", priors="b ~ normal(0.5, 0.05)")
    assert list(fit.parameters.values()) == pytest.approx(best.x, rel=1e-5)

    apart = 0.09 * np.exp(-np.abs(X[:, None] - X) / 0.5)
    information = DESIGN.T @ np.linalg.solve(apart, DESIGN) + np.diag([0.0, 0.05**-2.0])
    right = DESIGN.T @ np.linalg.solve(apart, LINE["y"]) + np.array([0.0, 0.5 / 0.05**2])
    fit = descend.fit("y ~ a + b*x", LINE, covariance=apart, priors="b ~ normal(0.5, 0.05)")
    assert list(fit.parameters.values()) == pytest.approx(np.linalg.solve(information, right), rel=1e-9)
    assert fit.covariance == pytest.approx(np.linalg.inv(information), rel=1e-8)


def test_many_groups_share_a_prior():
    groups, each = 250, 4
    true = RANDOM.normal(2.0, 0.3, groups)
    data = {"g": np.repeat(np.arange(groups), each), "s": np.full(groups * each, 0.2)}
    data["y"] = np.repeat(true, each) + RANDOM.normal(0.0, 0.2, groups * each)
    fit = descend.fit("y ~ a[g]", data, sigma="s", priors="a ~ normal(2, 0.3)")
    means = data["y"].reshape(groups, each).mean(axis=1)
    share = 0.3**-2.0 / (0.3**-2.0 + each / 0.2**2)
    assert [*fit.parameters["a"].values()] == pytest.approx(share * 2.0 + (1.0 - share) * means, rel=1e-9)
    assert [*fit.standard_errors["a"].values()] == pytest.approx(np.full(groups, 0.3 * math.sqrt(share)), rel=1e-9)
    with pytest.raises(DescendError) as error:
        descend.fit("y ~ a[g]", data, sigma="s", priors="a[1] - a[2] ~ normal(0, 1)")
    assert str(error.value) == (
        "A prior of an expression ties parameters together, and this model has 250, most of one group each. Give "
        "priors to the parameters themselves."
    )


def test_a_saved_fit_keeps_what_is_known_of_its_priors(tmp_path):
    fit = descend.fit("y ~ a + b*x", LINE, priors=["b ~ normal(0.7, 0.05)", "a ~ uniform(0, 9)"])
    fit.save(tmp_path / "m.json")
    loaded = descend.load(tmp_path / "m.json")
    assert loaded.priors == fit.priors
    assert loaded.intervals()["b"] == pytest.approx(fit.intervals()["b"])


@pytest.mark.parametrize(
    "more, message",
    [
        (
            {"priors": "b ~ normal(0.5)"},
            "The prior normal has other settings.\n    normal(0.5)\n    ^^^^^^^^^^^\nWrite `normal(location, scale)`.",
        ),
        (
            {"priors": "b"},
            "The prior `b` does not say which parameter has which distribution. Write it as `b ~ normal(0.5, 0.1)`.",
        ),
        (
            {"priors": "k ~ normal(0, 1)"},
            "`k` is not a parameter of the model.\n    k\n    ^\nParameters: a, b.",
        ),
        (
            {"priors": "b ~ normal(0, 1)", "fix": {"b": 1.0}},
            "`b` is fixed, so it takes no prior. Leave out one of the two.",
        ),
        (
            {"priors": "b ~ normal(0, 1)", "ties": "b = 2*a"},
            "`b` is tied (b = 2*a), so it takes no prior. Give one to what it follows.",
        ),
        (
            {"priors": "b ~ normal(0, 1)", "l2": 0.1},
            "`l1` and `l2` are priors themselves, of an unknown weight, so they do not go with `priors`. Give the "
            "parameters normal priors around 0 instead.",
        ),
        (
            {"priors": "b ~ normal(0, 1)", "loss": "huber"},
            "A prior is weighed against the likelihood of the data, and the huber loss is not one. Use the squared "
            "loss, or leave `priors` out.",
        ),
        (
            {"priors": "b ~ normal(0, 1)", "errors": "sandwich"},
            "Robust errors tell how estimates scatter from data set to data set, and a prior does not. Leave out "
            'errors="sandwich", or `priors`.',
        ),
    ],
)
def test_what_does_not_go_with_priors_says_so(more, message):
    with pytest.raises(DescendError) as error:
        descend.fit("y ~ a + b*x", LINE, **more)
    assert str(error.value) == message


def test_a_comparison_and_a_bootstrap_with_priors_are_refused():
    with pytest.raises(descend.ConfigError, match=r"^Models are compared by their likelihoods, of which priors are no"):
        descend.compare(["y ~ a", "y ~ a + b*x"], LINE, priors="a ~ normal(0, 1)")
    fit = descend.fit("y ~ a + b*x", LINE, priors="a ~ normal(0, 1)")
    with pytest.raises(descend.ConfigError, match=r"^The bootstrap draws other rows, and what is known beforehand"):
        fit.intervals(method="bootstrap")
    with pytest.raises(descend.ConfigError, match=r"^Robust errors tell how estimates scatter from data set to data"):
        fit.intervals(method="sandwich")


def test_rows_that_parameters_meet_exactly_tell_no_size_of_errors():
    data = {"x": [0.0, 0.4, 0.7], "y": [3.0, 2.0, 1.5]}
    with pytest.raises(DescendError) as refused:
        descend.fit("y ~ a*exp(-b*x) + c", data, priors=["b ~ normal(1, 0.5)"])
    assert str(refused.value) == (
        "3 rows leave nothing beside 3 parameters to tell the size of the errors, against which priors are weighed. "
        "Give `sigma`, or more rows."
    )
    assert descend.fit("y ~ a*exp(-b*x) + c", data, priors=["b ~ normal(1, 0.5)"], sigma=0.1).succeeded
