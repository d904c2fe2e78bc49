"""Quantities: values, errors and intervals against certified answers, closed forms and differences; and messages."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend
from descend.errors import ConfigError, FormulaError

FOLDER = Path(__file__).parent / "derived"
ANSWERS = json.loads((FOLDER / "answers.json").read_text())["cases"]
X = np.linspace(0.0, 10.0, 41)
NOISE = np.random.default_rng(3).normal(0.0, 0.05, X.size)
PEAK = {"x": X, "y": 2.0 * np.exp(-(((X - 4.0) / 1.5) ** 2)) + 0.3 + NOISE}


@pytest.fixture(scope="module")
def peak():
    return descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", PEAK, start={"a": 2.0, "m": 4.0, "s": 1.5, "c": 0.0})


def fitted(case):
    known = ANSWERS[case]
    return descend.fit(known["formula"], FOLDER / known["data"])


def limits(given):
    return [math.inf * sign if end is None else end for end, sign in zip(given, (-1.0, 1.0), strict=True)]


@pytest.mark.parametrize("case", [name for name in ANSWERS if name not in ("Indometh1", "Theoph11")])
def test_values_errors_and_intervals_are_those_of_r(case):
    fit = fitted(case)
    for known in ANSWERS[case]["derived"].values():
        found = fit.quantity(known["expression"])
        assert found.value == pytest.approx(known["value"], rel=1e-7)
        assert found.standard_error == pytest.approx(known["standard_error"], rel=1e-4)
        assert found.interval == pytest.approx(known["wald_95"], rel=1e-4)
        profiled = fit.quantity(known["expression"], method="profile")
        assert profiled.interval == pytest.approx(limits(known["profile_95"]), rel=1e-3)


@pytest.mark.parametrize("case, name", [("Indometh1", "area, 0 to 8"), ("Theoph11", "clearance")])
def test_areas_and_clearances_are_those_of_r(case, name):
    fit, known = fitted(case), ANSWERS[case]["derived"][name]
    found = fit.quantity(known["expression"], method="profile")
    assert found.value == pytest.approx(known["value"], rel=1e-7)
    assert found.interval == pytest.approx(limits(known["profile_95"]), rel=1e-3)


def test_an_end_that_the_data_leave_open_is_infinite_and_told():
    found = fitted("Indometh1").quantity("area = A1/k1 + A2/k2", method="profile")
    assert found.interval[1] == math.inf
    assert found.why == "`area` has no upper end at 95%: the data do not bound it there"
    assert found.plain()["interval"] == [pytest.approx(found.interval[0]), None]


def test_features_of_the_curve_are_those_of_closed_forms(peak):
    a, m, s, c = (peak.parameters[name] for name in "amsc")
    for text, value in (
        ("prediction(x=3)", a * math.exp(-(((3.0 - m) / s) ** 2)) + c),
        ("prediction(3)", a * math.exp(-(((3.0 - m) / s) ** 2)) + c),
        ("argmax(x, 0, 10)", m),
        ("maximum(x, 0, 10)", a + c),
        ("minimum(x, 0, 10)", a * math.exp(-(((10.0 - m) / s) ** 2)) + c),
        ("root(x, 0, 4, level=1)", m - s * math.sqrt(math.log(a / (1.0 - c)))),
        ("area(x, 0, m)", c * m + a * s * math.sqrt(math.pi) / 2.0 * math.erf(m / s)),
        ("root(x, 4, 10, level=1) - root(x, 0, 4, level=1)", 2.0 * s * math.sqrt(math.log(a / (1.0 - c)))),
    ):
        assert peak.quantity(text).value == pytest.approx(value, rel=1e-10), text
    # A quantity with a closed form has its error, however it is computed.
    for text, form in (
        ("argmax(x, 0, 10)", "m"),
        ("maximum(x, 0, 10)", "a + c"),
        ("root(x, 0, 4, level=1)", "m - s*sqrt(log(a/(1 - c)))"),
        ("root(x, m, 10, level=c + a/2) - m", "s*sqrt(log(2))"),
        ("area(x, 0, m)", "c*m + a*s*sqrt(pi)/2*erf(m/s)"),
    ):
        assert peak.quantity(text).standard_error == pytest.approx(peak.quantity(form).standard_error, rel=1e-8), text
    one, other = (peak.quantity(text, method="profile").interval for text in ("argmax(x, 0, 10)", "m"))
    assert one == pytest.approx(other, rel=1e-6)


def test_an_infinite_area_is_that_of_the_closed_form():
    x = np.linspace(0.0, 5.0, 30)
    fit = descend.fit("y ~ a*exp(-b*x)", {"x": x, "y": 3.0 * np.exp(-0.7 * x) + NOISE[:30]})
    area, form = fit.quantity("area(x, 0, inf)"), fit.quantity("a/b")
    assert (area.value, area.standard_error) == pytest.approx((form.value, form.standard_error), rel=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "area(x, 1, 7)",
        "argmax(x, 1, 7)",
        "root(x, 5, 9, level=0.7)",
        "prediction(x=m)/prediction(x=0)",
        "area(x, 0, s*m)",
    ],
)
@given(share=st.floats(-0.2, 0.2), other=st.floats(-0.2, 0.2))
@settings(max_examples=8, deadline=None)
def test_derivatives_are_those_of_differences(peak, text, share, other):
    from descend.inference.quantities.reading import read_quantity

    quantity = read_quantity(text, peak.model)
    theta = peak.theta * np.array([1.0 + share, 1.0 + 0.2 * other, 1.0 + other, 1.0 - share])
    gradient = quantity.with_gradient(theta)[1]
    for place in range(theta.size):
        step = np.zeros(theta.size)
        step[place] = 1e-4 * abs(theta[place])
        slope = (quantity.value(theta + step) - quantity.value(theta - step)) / (2.0 * step[place])
        assert gradient[place] == pytest.approx(slope, rel=2e-5, abs=1e-7)


def test_functions_that_can_only_be_called_have_the_same_quantities():
    def line(x, a, b):
        return np.array([a + b * each for each in np.asarray(x)])

    called = descend.fit(line, PEAK, response="y", gradient="numeric")
    formula = descend.fit("y ~ a + b*x", PEAK)
    for text in ("prediction(x=3)", "area(x, 0, 10)", "root(x, -1000, 1000, level=1)", "-a/b"):
        one, other = called.quantity(text), formula.quantity(text)
        assert (one.value, one.standard_error) == pytest.approx((other.value, other.standard_error), rel=1e-5)


def test_fixed_and_tied_parameters_and_other_inputs_are_known():
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.0, 5.0, (2, 60))
    data = {"x": x, "z": z, "y": 1.0 + 2.0 * x + 4.0 * z + rng.normal(0.0, 0.1, 60)}
    fit = descend.fit("y ~ a + b*x + d*z", data, fix={"a": 1.0}, ties=["d = 2*b"])
    b, error = fit.parameters["b"], fit.standard_errors["b"]
    for text, value, slope in (("d/a", 2.0 * b, 2.0), ("prediction(x=1, z=2)", 1.0 + 5.0 * b, 5.0)):
        found = fit.quantity(text)
        assert (found.value, found.standard_error) == pytest.approx((value, slope * error), rel=1e-10)
    assert fit.quantity("area(x, 0, 1, z=2)").value == pytest.approx(1.0 + 4.5 * b)
    assert fit.quantity("2*a").why == "`2*a` has no error: what it depends on is held."


def test_they_are_in_the_table_the_json_the_report_and_the_model_file(tmp_path, peak):
    names = ["width = s*sqrt(log(2))", "low = argmin(x, 0, 10)"]
    fit = descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", PEAK, start=peak.parameters, quantities=names)
    width = fit.quantities["width"]
    assert width == fit.quantity("width = s*sqrt(log(2))")
    plain = fit.summary()["quantities"]
    assert plain["width"]["value"] == width.value and plain["low"]["value"] is None
    fit.save(tmp_path / "model.json")
    again = descend.load(tmp_path / "model.json")
    assert again.quantities["width"].value == pytest.approx(width.value)
    assert again.quantities["width"].interval == pytest.approx(width.interval)
    fit.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<code>width</code>" in page and "= s*sqrt(log(2))" in page
    assert "`low` is not defined" in page.replace("<code>", "`").replace("</code>", "`")
    with pytest.raises(ConfigError, match="loaded from a file"):
        again.quantity("s", method="profile")
    assert descend.fit("y ~ a + b*x", PEAK).summary()["quantities"] is None


def test_sandwich_and_bootstrap_intervals(peak):
    robust = peak.quantity("2*m", method="sandwich")
    assert robust.standard_error == pytest.approx(2.0 * math.sqrt(peak.covariance_of("sandwich")[1, 1]))
    drawn = peak.quantity("2*m", method="bootstrap", resamples=200)
    low, high = peak.intervals(method="bootstrap", resamples=200)["m"]
    assert drawn.interval == pytest.approx((2.0 * low, 2.0 * high), rel=1e-12)


@pytest.mark.parametrize(
    "text, why",
    [
        ("root(x, 0, 10, level=1)", "the curve reaches 1 more than once, at x = "),
        ("root(x, 0, 10, level=9)", "the curve does not reach 9 between x = 0 and 10, where it goes from "),
        ("argmax(x, 5, 10)", "the curve is largest at the low end of the range, x = 5, not inside it"),
        ("area(x, 0, inf)", "the area from 0 to inf does not converge"),
        ("maximum(x, 3, 1)", "the range from 3 to 1 is empty"),
        ("log(-a)", "its value is nan with a = "),
    ],
)
def test_a_quantity_without_a_value_says_why(peak, text, why):
    found = peak.quantity(text)
    assert math.isnan(found.value) and math.isnan(found.standard_error)
    assert found.why.startswith(f"`{text}` is not defined at the fitted parameters: {why}")


@pytest.mark.parametrize(
    "text, message",
    [
        ("2*q", "`q` is not a parameter of the model.\n    2*q\n      ^\nParameters: a, m, s, c."),
        (
            "2*x",
            "`x` is a column, and a quantity is one number for the whole fit.\n    2*x\n      ^\n"
            "For the curve at one place write `prediction(x=3)`.",
        ),
        (
            "a = 2",
            "`a` is a parameter, so it cannot be the name of a quantity.\n    a = 2\n    ^\nChoose another name.",
        ),
        (
            "area(x, 0)",
            "`area` needs its argument `high`.\n    area(x, 0)\n    ^^^^^^^^^^\nWrite it as `area(x, 0, 10)`.",
        ),
        (
            "argmax(y, 0, 1)",
            "The first argument of `argmax` is the input that varies.\n    argmax(y, 0, 1)\n           ^\n"
            "Write it as `argmax(x, 0, 10)`.",
        ),
        (
            "argmax(x, 0, inf)",
            "The range of `argmax` must be finite.\n    argmax(x, 0, inf)\n    ^^^^^^^^^^^^^^^^^\n"
            "Write it as `argmax(x, 0, 10)`.",
        ),
        (
            "prediction(z=1)",
            "`z` is no input of the model, and no argument of `prediction`.\n    prediction(z=1)\n               ^\n"
            "Write it as `prediction(x=1)`.",
        ),
        (
            "area(x, low=0, 10)",
            "An argument without a name follows one with a name.\n    area(x, low=0, 10)\n                   ^^\n"
            "Put those without a name first; to compare two values write `==`.",
        ),
    ],
)
def test_a_wrong_quantity_is_pointed_at_before_the_fit(peak, text, message):
    with pytest.raises(FormulaError) as error:
        peak.quantity(text)
    assert str(error.value) == message
    with pytest.raises(FormulaError):
        descend.fit("y ~ a*exp(-((x - m)/s)^2) + c", PEAK, quantities=[text])


def test_two_of_one_name_are_refused(peak):
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a + b*x", PEAK, quantities=["r = a/b", "r = b/a"])
    assert str(error.value) == "Two quantities are called `r`. Give each a name of its own."
    with pytest.raises(ConfigError) as error:
        descend.fit("y ~ a + b*x", PEAK, quantities=3)
    assert str(error.value).startswith("`quantities` must be a list of texts such as `half_life = log(2)/b`")


def test_an_area_with_a_kink_and_a_narrow_peak_is_exact():
    x = np.linspace(0.0, 10.0, 41)
    data = {"x": x, "y": np.maximum(x - 3.3, 0.0) + NOISE}
    fit = descend.fit("y ~ a*max(x - 3.3, 0) + b*exp(-((x - 7.07)/0.02)^2)", data, fix={"b": 1.0})
    area = fit.quantity("area(x, 0, 10)")
    assert area.value == pytest.approx(fit.parameters["a"] * 6.7**2 / 2.0 + 0.02 * math.sqrt(math.pi), rel=1e-11)
    assert area.standard_error == pytest.approx(fit.standard_errors["a"] * 6.7**2 / 2.0, rel=1e-9)


def test_a_peak_that_a_wide_range_hides_has_no_area_of_0():
    x = np.linspace(0.1, 10, 80)
    y = 3 * np.exp(-(((x - 5) / 0.3) ** 2)) + 0.001 * np.cos(7 * x)
    fit = descend.fit("y ~ h*exp(-((x - m)/s)^2)", {"x": x, "y": y})
    hidden = fit.quantity("area(x, -1e6, 1e6)")
    assert math.isnan(hidden.value)
    assert "the curve is 0 wherever it was looked at between -1e+06 and 1e+06: a narrower range" in hidden.why
    area = fit.parameters["h"] * fit.parameters["s"] * math.sqrt(math.pi)
    assert fit.quantity("area(x, 0, 10)").value == pytest.approx(area, rel=1e-9)


@pytest.mark.parametrize(("centre", "width"), [(500.0, 0.1), (500.0, 5.0), (3.0, 1e-3), (-20.0, 2.0)])
def test_the_whole_area_of_a_narrow_peak(centre, width):
    z = np.linspace(-5, 5, 60)
    data = {"x": centre + width * z, "y": 3 * np.exp(-(z**2) / 2) + 0.001 * np.sin(np.arange(60))}
    start = {"a": 3.0, "m": centre, "s": width}
    fit = descend.fit("y ~ a*exp(-((x - m)/s)^2/2)", data, start=start)
    found, expected = fit.quantity("area(x, -inf, inf)"), fit.quantity("a*s*sqrt(2*pi)")
    assert (found.value, found.standard_error) == pytest.approx((expected.value, expected.standard_error), rel=1e-9)


def test_the_whole_area_of_two_lorentzian_peaks():
    x = np.linspace(0, 20, 300)
    y = 3 / (1 + ((x - 5) / 0.2) ** 2) + 1 / (1 + ((x - 15) / 0.5) ** 2)
    start = {"a": 3.0, "m": 5.0, "s": 0.2, "b": 1.0, "k": 15.0, "w": 0.5}
    fit = descend.fit("y ~ a/(1 + ((x - m)/s)^2) + b/(1 + ((x - k)/w)^2)", {"x": x, "y": y}, start=start)
    assert fit.quantity("area(x, -inf, inf)").value == pytest.approx(np.pi * (3 * 0.2 + 0.5), rel=1e-9)


def test_why_a_quantity_has_no_value_or_no_error():
    x = np.linspace(0.0, 5.0, 40)
    y = 2.0 + np.sqrt(x) + 0.1 * np.sin(30.0 * x)
    redundant = descend.fit("y ~ a + b*x + c*(2*x)", {"x": x, "y": y})
    assert redundant.quantity("b").why == "`b` has no standard error: the data do not determine `b` by themselves."
    root = descend.fit("y ~ a*sqrt(x) + c", {"x": x, "y": y})
    assert root.quantity("prediction(x=-1)").why == (
        "`prediction(x=-1)` is not defined at the fitted parameters: the curve has no finite value at x = -1"
    )


def test_the_profile_of_a_quantity_minds_no_bound_that_is_far_away():
    x = np.linspace(0.0, 5.0, 40)
    data = {"x": x, "y": 3.0 * np.exp(-0.7 * x) + 1.0 + 0.05 * np.sin(30.0 * x)}
    free = descend.fit("y ~ a*exp(-b*x) + c", data).quantity("log(2)/b", method="profile")
    bounded = descend.fit("y ~ a*exp(-b*x) + c", data, bounds="b > 0.1").quantity("log(2)/b", method="profile")
    assert bounded.interval == pytest.approx(free.interval, rel=1e-6)
    assert float(bounded) == pytest.approx(float(free), rel=1e-9)


def test_the_profile_of_a_quantity_where_columns_are_nearly_alike():
    x = np.linspace(1000.0, 1001.0, 40)
    far = {"x": x, "y": 2.0 + (x - 1000.0) - 0.8 * (x - 1000.0) ** 2 + 0.01 * np.sin(3e4 * x)}
    near = {"x": x - 1000.0, "y": far["y"]}
    top = descend.fit("y ~ a + b*x + c*x^2", far).quantity("-b/(2*c)", method="profile")
    usual = descend.fit("y ~ a + b*x + c*x^2", near).quantity("-b/(2*c)", method="profile")
    assert np.subtract(top.interval, 1000.0) == pytest.approx(usual.interval, abs=1e-5)


def test_a_combination_that_the_data_determine_has_an_error_though_its_parameters_have_none():
    x = np.linspace(0.0, 5.0, 40)
    data = {"x": x, "y": 2.0 + x + 0.1 * np.sin(30.0 * x)}
    redundant, plain = descend.fit("y ~ a + b*x + c*(2*x)", data), descend.fit("y ~ a + s*x", data)
    for method in ("t", "sandwich", "profile"):
        found, usual = redundant.quantity("b + 2*c", method=method), plain.quantity("s", method=method)
        assert found.value == pytest.approx(usual.value) and found.standard_error == pytest.approx(usual.standard_error)
        assert found.interval == pytest.approx(usual.interval, rel=1e-6)
    assert math.isnan(redundant.quantity("b + 1.99*c").standard_error)
    alone = descend.fit("y ~ b*x + c*(2*x)", data)
    assert alone.standard_errors is None
    assert alone.quantity("b + 2*c").standard_error == pytest.approx(descend.fit("y ~ s*x", data).standard_errors["s"])


def test_estimates_say_of_which_kind_their_covariance_is():
    x = np.linspace(0.0, 5.0, 40)
    fit = descend.fit("y ~ a + b*x", {"x": x, "y": 2.0 + x + 0.1 * np.sin(30.0 * x)})
    assert (fit.estimates().kind, fit.estimates("HC1").kind) == ("model", "HC1")
