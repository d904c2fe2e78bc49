"""Curves made of special functions, fitted to certified digits; where their text alone would say 0/0 or overflow.

The answers were found by Newton's method in mpmath at 90 digits, for data made for the purpose.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import descend
from descend.formula import read_formula
from descend.formula.domain import interval, limits

FOLDER = Path(__file__).parent / "special_functions"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())
X = np.linspace(-4.0, 4.0, 33)


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("name", ANSWERS)
def test_certified_digits(name, started):
    answer = ANSWERS[name]
    fit = descend.fit(answer["formula"], FOLDER / f"{name}.csv", **({"start": answer["start"]} if started else {}))
    found = dict(fit.parameters)
    if name == "sinc":
        found["w"] = abs(found["w"])  # which may have either sign
    assert found == pytest.approx(answer["parameters"], rel=1e-9)
    assert fit.standard_errors == pytest.approx(answer["standard_errors"], rel=1e-6)
    at = {"x": np.array([answer["prediction"]["x"]])}
    assert fit.predict(at)[0] == pytest.approx(answer["prediction"]["value"], rel=1e-9)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("y ~ a*sinc(x/w) + c", {"a": 8.0, "w": 1.5, "c": 0.3}),
        ("y ~ a*j0(k*x) + b*j1(k*x)", {"a": 2.0, "b": 0.5, "k": 1.3}),
        ("y ~ a*jn(3, k*x) + c", {"a": 2.0, "c": 0.5, "k": 1.3}),
        ("y ~ a*voigt_profile(x, s, g)", {"a": 2.0, "s": 0.5, "g": 0.3}),
        ("y ~ a*i0e(k*x) + c", {"a": 2.0, "k": 1.3, "c": 0.2}),
        ("y ~ a*hypot(x, w) + c", {"a": 2.0, "w": 1.1, "c": 0.2}),
        ("y ~ a*lambertw(k*x^2) + c", {"a": 2.0, "k": 1.3, "c": 0.2}),
        ("y ~ a*erfcx(k*x) + c", {"a": 2.0, "k": 0.3, "c": 0.2}),
        ("y ~ a*dawsn(k*x) + c", {"a": 2.0, "k": 0.8, "c": 0.2}),
    ],
)
def test_rows_in_which_x_is_0(text, truth):
    """At x = 0 each of these has a value and a derivative, though part of its text may be 0/0."""
    formula = read_formula(text, ["x", "y"])
    values = descend.fit(text, {"x": X, "y": X}, start=truth, epochs=0).predict({"x": X})
    fit = descend.fit(formula.text, {"x": X, "y": values}, start={name: 1.2 * value for name, value in truth.items()})
    assert fit.parameters == pytest.approx(truth, rel=1e-8)


def test_time_is_folded_by_a_period():
    t = np.linspace(0.05, 9.0, 91)
    y = 1.5 * np.exp(-0.8 * np.mod(t - 0.3, 2.0)) + 0.2
    fit = descend.fit("y ~ a*exp(-k*mod(t - 0.3, 2)) + c", {"t": t, "y": y})
    assert fit.parameters == pytest.approx({"a": 1.5, "k": 0.8, "c": 0.2}, rel=1e-8)


def test_a_step_of_data_alone_is_a_column():
    x = np.linspace(0.0, 9.7, 40)
    y = 2.0 * np.floor(x) + np.heaviside(x - 5.0, 0.5) - 3.0 * np.sign(x - 2.0) + 0.5
    fit = descend.fit("y ~ a*floor(x) + b*heaviside(x - 5) + c*sign(x - 2) + d", {"x": x, "y": y})
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 1.0, "c": -3.0, "d": 0.5}, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acosh(a*x)", ["acosh(a*x) needs a*x >= 1"]),
        ("log1p(a*x)", ["log1p(a*x) needs a*x > -1"]),
        ("erfinv(a*x)", ["erfinv(a*x) needs a*x to be above -1 and below 1"]),
        ("voigt_profile(x, s, 0.1)", ["voigt_profile(x, s, 0.1) needs s >= 0"]),
        ("beta(a, b)*x", ["beta(a, b) needs a > 0", "beta(a, b) needs b > 0"]),
        ("lambertw(a*x)", ["lambertw(a*x) needs a*x >= -1/e"]),
        ("kn(2, a*x)", ["kn(2, a*x) needs a*x > 0"]),
        ("log(erfcx(a*x)) + acosh(cosh(a)) + asin(sin(b*x)) + lambertw(x^2*a^2)", []),
    ],
)
def test_what_arguments_must_be(text, told):
    assert [str(limit) for limit in limits(read_formula(f"y ~ {text}", ["x", "y"]))] == told


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("normal_cdf(a*x)", 0.0, 1.0),
        ("erfc(a^2)", 0.0, 1.0),
        ("3*k1(exp(a*x))", 0.0, math.inf),
        ("i0(a*x)", 1.0, math.inf),
        ("log_ndtr(a)", -math.inf, 0.0),
        ("j1(a*x)", -0.5818652242815965, 0.5818652242815965),
        ("erfcx(abs(a))", 0.0, 1.0),
    ],
)
def test_between_which_numbers_they_stay(text, least, most):
    assert interval(read_formula(f"y ~ {text}", ["x", "y"]).expression, {}) == pytest.approx((least, most))


def test_far_from_its_centre_a_voigt_profile_has_slopes_to_all_digits():
    """There it is Lorentz's, gamma/(pi x^2): the rules of calculus would leave no digit of dV/dsigma."""
    x = 1e6
    from descend.formula.functions import special as exact

    assert exact.voigt_slope(1.0, x, 0.5, 0.3) == pytest.approx(-2 * 0.3 / (math.pi * x**3), rel=1e-9)
    assert 0.5 * exact.voigt_slope(2.0, x, 0.5, 0.3) == pytest.approx(0.5 * 6 * 0.3 / (math.pi * x**4), rel=1e-9)
    assert exact.ndtr(-37.5) == pytest.approx(special.ndtr(-37.5), rel=1e-12)


def test_a_beta_function_of_numbers_below_0_has_no_value():
    x = np.linspace(0.2, 12.0, 60)
    fit = descend.fit("y ~ a*beta(x, b)", {"x": x, "y": 2.0 * special.beta(x, 0.3)}, start={"a": 1.0, "b": 0.05})
    assert fit.parameters == pytest.approx({"a": 2.0, "b": 0.3}, abs=1e-6)
    with pytest.raises(descend.DescendError, match=r"`beta\(x, b\)` is nan there"):
        fit.predict({"x": [-0.5]})


def test_zero_by_zero_in_a_row_is_told():
    for text in ("y ~ a*(sin(k*x)/(k*x))^2", "y ~ a*(2*j1(k*x)/(k*x))^2"):
        with pytest.raises(descend.DescendError, match=r"in row 17 \(x = 0\), whatever the parameters"):
            descend.fit(text, {"x": X, "y": np.sinc(X)})
