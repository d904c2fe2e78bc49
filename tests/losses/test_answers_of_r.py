"""Generalised linear models against R's answers: every link is written in the formula, and no start is given."""

from __future__ import annotations

import json
import pathlib

import pytest

import descend

DATA = pathlib.Path(__file__).parent / "data"
CASES = json.loads((DATA / "glm.json").read_text())["cases"]
QUINE = "Days ~ exp(a + b[Sex] + c[Age] + d[Eth] + f[Lrn])"
INSURANCE = "Claims ~ exp(a + b[District] + c[Group] + d[Age])"
FITS: dict[str, tuple[str, dict[str, object]]] = {
    "clotting-inverse": ("lot1 ~ 1/(a + b*log(u))", {"loss": "gamma"}),
    "clotting-log": ("lot1 ~ exp(a + b*log(u))", {"loss": "gamma"}),
    "clotting-inverse-gaussian-log": ("lot2 ~ exp(a + b*log(u))", {"loss": "inverse_gaussian"}),
    "clotting-inverse-gaussian": ("lot2 ~ 1/sqrt(a + b*log(u))", {"loss": "inverse_gaussian"}),
    "menarche-logit": ("Menarche/Total ~ sigmoid(a + b*Age)", {"loss": "logistic", "weights": "Total"}),
    "menarche-probit": ("Menarche/Total ~ normal_cdf(a + b*Age)", {"loss": "bernoulli", "weights": "Total"}),
    "menarche-cloglog": ("Menarche/Total ~ 1 - exp(-exp(a + b*Age))", {"loss": "bernoulli", "weights": "Total"}),
    "quine-quasipoisson": (QUINE, {"loss": "poisson", "dispersion": "estimated"}),
    "quine-nb2": (QUINE, {"loss": "negative_binomial(theta=2)", "dispersion": "estimated"}),
    "quine-nb": (QUINE, {"loss": "negative_binomial"}),
    "quine-tweedie": (QUINE, {"loss": "tweedie(power=1.5)"}),
    "Insurance-offset": (INSURANCE, {"loss": "poisson", "offset": "log(Holders)"}),
    "anorexia-offset": ("Postwt ~ a + b*Prewt + c[Treat]", {"offset": "Prewt"}),
}


def fitted(case: str, **more: object) -> descend.Fit:
    """Fit a case as R does, with the first level of each factor as its baseline."""
    answer, (formula, options) = CASES[case], FITS[case]
    baseline = {name: levels[0] for name, levels in answer["levels"].items()}
    return descend.fit(formula, DATA.parent / answer["data"], reference=baseline, **options, **more)


def in_order(values: object, answer: dict[str, object]) -> list[float]:
    """Return a fit's values by name as a list in R's order, without the baselines."""
    found: list[float] = []
    for name, value in values.items():
        if name == "theta":
            continue  # type: ignore[attr-defined]
        if not hasattr(value, "values"):
            found.append(float(value))
            continue
        levels = next(each for each in answer["levels"].values() if set(each) == {str(k) for k in value})  # type: ignore[attr-defined]
        by_level = {str(level): float(one) for level, one in value.items()}
        found += [by_level[level] for level in levels[1:]]
    return found


@pytest.mark.parametrize("case", FITS)
def test_parameters_errors_deviance_and_aic_are_those_of_r(case):
    answer, fit = CASES[case], fitted(case)
    assert fit.outcome == "converged"
    assert in_order(fit.parameters, answer) == pytest.approx(list(answer["parameters"].values()), rel=1e-7)
    assert in_order(fit.standard_errors, answer) == pytest.approx(list(answer["standard_errors"].values()), rel=1e-6)
    assert fit.deviance == pytest.approx(answer["deviance"], rel=1e-9)
    assert fit.dispersion == pytest.approx(answer["dispersion"], rel=1e-7)
    if fit.loss_function.density and "aic_by_R" in answer:
        assert fit.aic == pytest.approx(answer["aic_by_R"], rel=1e-9)


@pytest.mark.parametrize("case", [case for case in FITS if "standard_errors_observed" in CASES[case]])
def test_errors_of_the_observed_information_are_those_of_r(case):
    answer, fit = CASES[case], fitted(case, errors="observed")
    expected = list(answer["standard_errors_observed"].values())
    assert in_order(fit.standard_errors, answer) == pytest.approx(expected, rel=1e-6)


def test_a_negative_binomial_of_given_theta_has_the_aic_of_r_at_a_dispersion_of_1():
    formula, answer = FITS["quine-nb2"][0], CASES["quine-nb2"]
    fit = descend.fit(formula, DATA / "quine.csv", loss="negative_binomial(theta=2)")
    assert fit.aic == pytest.approx(answer["aic_by_R"], rel=1e-9)


def test_theta_and_its_error_are_those_of_r():
    fit, answer = fitted("quine-nb"), CASES["quine-nb"]
    assert fit.parameters["theta"] == pytest.approx(answer["theta"], rel=1e-8)
    assert fit.standard_errors["theta"] == pytest.approx(answer["theta_standard_error"], rel=1e-6)
    assert fit.goodness.chi_square == pytest.approx(answer["pearson"], rel=1e-7)
