"""Generalised linear models against R's answers: every link is written in the formula, and no start is given."""

from __future__ import annotations

import json
import pathlib

import numpy as np
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


def test_ovarian_cancer_as_survreg():
    """R: survreg(Surv(futime, fustat) ~ age + rx, survival::ovarian, dist = "weibull")"""
    data = {
        "futime": [
            59,
            115,
            156,
            421,
            431,
            448,
            464,
            475,
            477,
            563,
            638,
            744,
            769,
            770,
            803,
            855,
            1040,
            1106,
            1129,
            1206,
            1227,
            268,
            329,
            353,
            365,
            377,
        ],
        "fustat": [1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0],
        "age": [
            72.3315,
            74.4932,
            66.4658,
            53.3644,
            50.3397,
            56.4301,
            56.937,
            59.8548,
            64.1753,
            55.1781,
            56.7562,
            50.1096,
            59.6301,
            57.0521,
            39.2712,
            43.1233,
            38.8932,
            44.6,
            53.9068,
            44.2055,
            59.589,
            74.5041,
            43.137,
            63.2192,
            64.4247,
            58.3096,
        ],
        "rx": [1, 1, 1, 2, 1, 1, 2, 2, 1, 2, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 2, 2],
    }
    fit = descend.fit(
        "futime ~ exp(b0 + a*age + r*rx)",
        {name: np.array(column, dtype=float) for name, column in data.items()},
        loss="weibull",
        censored={"fustat": {0: "right", 1: "none"}},
    )
    assert [fit.parameters[name] for name in ("b0", "a", "r")] == pytest.approx(
        [10.46261527743, -0.07909536957, 0.56727555835], rel=1e-6
    )
    assert [fit.standard_errors[name] for name in ("b0", "a", "r")] == pytest.approx(
        [1.44270499565, 0.01978717617, 0.34032557384], rel=1e-3
    )
    assert 1.0 / fit.parameters["shape"] == pytest.approx(0.5506398395, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(-88.7617101, rel=1e-8)


def test_insects_under_a_root_link():
    """R: glm(count ~ spray, poisson("sqrt"), InsectSprays)"""
    count = [
        10,
        7,
        20,
        14,
        14,
        12,
        10,
        23,
        17,
        20,
        14,
        13,
        11,
        17,
        21,
        11,
        16,
        14,
        17,
        17,
        19,
        21,
        7,
        13,
        0,
        1,
        7,
        2,
        3,
        1,
        2,
        1,
        3,
        0,
        1,
        4,
        3,
        5,
        12,
        6,
        4,
        3,
        5,
        5,
        5,
        5,
        2,
        4,
        3,
        5,
        3,
        5,
        3,
        6,
        1,
        1,
        3,
        2,
        6,
        4,
        11,
        9,
        15,
        22,
        15,
        16,
        13,
        10,
        26,
        26,
        24,
        13,
    ]
    data = {"count": np.array(count, dtype=float), "spray": np.repeat(list("ABCDEF"), 12)}
    fit = descend.fit("count ~ (b0 + s[spray])^2", data, loss="poisson")
    found = [fit.parameters["b0"], *(fit.parameters["s"][each] for each in "BCDEF")]
    assert found == pytest.approx(
        [3.8078865529, 0.1078934886, -2.3645108792, -1.5905307703, -1.9370578595, 0.2745963517], rel=1e-6
    )
    errors = [fit.standard_errors["b0"], *(fit.standard_errors["s"][each] for each in "BCDEF")]
    assert errors == pytest.approx([0.1443375673, *[0.2041241452] * 5], rel=1e-3)
    assert (fit.deviance, fit.criteria.aic) == pytest.approx((98.32866302, 376.589208), rel=1e-8)
