"""Named curves: written out as a user would write them, their parameters named and numbered, mistakes pointed at."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.curves import CURVES, Argument, Curve, check, curves_found, nearest, register
from descend.formula.curves.example import example

X = np.linspace(0.0, 10.0, 60)


def read(text, *more):
    return read_formula(text, ["x", "y", "z", "site", *more])


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("gaussian(x)", "height*exp(-((x - center)/width)^2/2)"),
        ("gaussian(x, 3, m, width=2)", "3*exp(-((x - m)/2)^2/2)"),
        ("gaussian(log(x), width=a + b*z)", "height*exp(-((log(x) - center)/(a + b*z))^2/2)"),
        ("gaussian(x) + line(x)", "height*exp(-((x - center)/width)^2/2) + intercept + slope*x"),
        (
            "gaussian(x) + lorentzian(x)",
            "height1*exp(-((x - center1)/width1)^2/2) + height2/(1 + ((x - center2)/width2)^2)",
        ),
        (
            "gaussian(x) - gaussian(x, height=2)",
            "height1*exp(-((x - center1)/width1)^2/2) - 2*exp(-((x - center2)/width2)^2/2)",
        ),
        ("gaussian(x, height=h) + width*z", "h*exp(-((x - center)/width1)^2/2) + width*z"),
        ("gaussian(x, height=line(z), center=3)", "(intercept + slope*z)*exp(-((x - 3)/width)^2/2)"),
        ("sine(x, 1, 2, p)", "sin(4*pi*x + p)"),
        ("polynomial(x, degree=1)", "c0 + c1*x"),
        ("polynomial(x, degree=1) + polynomial(z, degree=1)", "c0_1 + c1_1*x + c0_2 + c1_2*z"),
        ("spline(x, knots=[2, 7.5])", "c0 + c1*x + c2*x^2 + c3*x^3 + b1*max(x - 2, 0)^3 + b2*max(x - 7.5, 0)^3"),
    ],
)
def test_a_curve_stands_for_its_formula(typed, written):
    one, other = read(f"y ~ {typed}"), read(f"y ~ {written}")
    assert (one.expression - other.expression).expand() == 0
    assert list(one.parameters) == list(other.parameters)
    assert one.text == f"y ~ {typed}"


def test_a_column_of_that_name_is_no_parameter():
    assert list(read("y ~ gaussian(x)", "width").parameters) == ["height", "center", "width1"]
    assert list(read("y ~ gaussian(x)", "Width").parameters) == ["height", "center", "width"]
    assert list(read("y ~ gaussian(x)", "width", "width1").parameters) == ["height", "center", "width1_"]


def test_several_formulas_share_parameters_of_one_name():
    assert list(read("y ~ gaussian(x); z ~ gaussian(x)").parameters) == ["height", "center", "width"]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("y ~ gaussian()", "`gaussian` lacks its first argument, x.", "Give it the column: `gaussian(x)`."),
        (
            "y ~ gaussian(x, widht=2)",
            "`gaussian` has no argument `widht`. Did you mean `width`?",
            "Its arguments: x, height, center, width.",
        ),
        ("y ~ gaussian(x, 1, 2, 3, 4)", "`4` is one argument too many.", "Write `gaussian(x, height, center, width)`."),
        ("y ~ gaussian(x, 1, height=3)", "`height` is given twice.", "Write `gaussian(x, height, center, width)`."),
        (
            "y ~ polynomial(x, 3)",
            "`3` would be `c0`, as it has no name.",
            "Write `polynomial(x, degree=3)`, or `c0=3`.",
        ),
        (
            "y ~ fourier(x, 2) + b",
            "`2` would be `mean_level`, as it has no name.",
            "Write `fourier(x, terms=2)`, or `mean_level=2`.",
        ),
        (
            "y ~ spline(x) + b",
            "`spline` lacks its knots: where pieces meet, in the order of x.",
            "Write `spline(x, knots=[3, 5, 7])`, with your own.",
        ),
        (
            "y ~ polynomial(x, degree=a)",
            "`degree` of `polynomial` is a whole number from 1 to 20.",
            "Write it as `degree=3`.",
        ),
        (
            "y ~ spline(x, knots=[3, 2])",
            "`knots` of `spline` is numbers that are written as such, in their order.",
            "Write it as `knots=[1, 2]`.",
        ),
        ("y ~ a*x + [1, 2]", "A list of columns must be multiplied by a vector parameter.", "Write `w @ [x1, x2]`."),
        (
            "y ~ gaussian(x, width=[1, 2])",
            "A list of numbers is no number.",
            "Write it only where a curve takes one, as knots.",
        ),
        (
            "y ~ gaussian(x, 1, 2, 3)",
            "There is nothing to fit: every name here is a column or a constant.",
            "Add a parameter, for example `y ~ w*x`.",
        ),
    ],
)
def test_a_mistake_is_pointed_at(text, first, last):
    with pytest.raises(FormulaError) as caught:
        read(text)
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == (first, last) and "^" in lines[2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gausian(x)", "gaussian"),
        ("MM(x)", "michaelis_menten"),
        ("MichaelisMenten(x)", "michaelis_menten"),
        ("4PL(x)", "logistic4"),
        ("voight(x)", "voigt"),
        ("fano(x)", "breit_wigner_fano"),
    ],
)
def test_another_name_leads_to_the_curve(typed, meant):
    with pytest.raises(FormulaError) as caught:
        read(f"y ~ {typed}")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"There is no function `{typed[:-3]}`. Did you mean the curve `{meant}`?"
    assert lines[-1] == f"Write `{CURVES[meant].call}`, or `{meant}(x)`."


@pytest.mark.parametrize(
    ("words", "name"),
    [("4PL", "logistic4"), ("Michaelis Menten", "michaelis_menten"), ("straight-line", "line"), ("förster", "forster")],
)
def test_curves_are_known_by_other_names(words, name):
    assert nearest(words, exactly=True).name == name


def test_no_name_leads_to_two_curves():
    meant: dict[str, str] = {}
    for curve in CURVES.values():
        for name in (curve.name, *curve.other_names):
            plain = name.casefold().replace("_", "").replace("-", "").replace(" ", "")
            assert meant.setdefault(plain, curve.name) == curve.name, name


def test_curves_are_found_by_words():
    assert [curve.name for curve in curves_found("vapour pressure")] == ["antoine", "clausius_clapeyron"]
    assert {"hill", "michaelis_menten"} <= {curve.name for curve in curves_found("BINDING")}
    assert curves_found("nothing of the kind") == []


def test_a_fit_of_two_peaks_on_a_line_is_saved_and_loaded(tmp_path):
    y = 3 * np.exp(-(((X - 3) / 0.6) ** 2) / 2) + 2 * np.exp(-(((X - 7) / 0.4) ** 2) / 2) + 1 + 0.1 * X
    text = "y ~ gaussian(x) + gaussian(x) + line(x)"
    fit = descend.fit(text, {"x": X, "y": y, "height1": X}, start={"center1": 3, "center2": 7})
    truth = {"height1_": 3, "center1": 3, "width1": 0.6, "height2": 2, "center2": 7, "width2": 0.4}
    found = {name: abs(value) for name, value in fit.parameters.items()}
    assert found == pytest.approx(truth | {"intercept": 1, "slope": 0.1}, rel=1e-6)
    fit.save(tmp_path / "peaks.json")
    loaded = descend.load(tmp_path / "peaks.json")
    assert dict(loaded.parameters) == dict(fit.parameters) and text in str(loaded)
    assert np.array_equal(loaded.predict({"x": X}), fit.predict({"x": X}))


def test_curves_stand_in_equations_and_quantities_too():
    made = descend.generate("y = gaussian(x, 3, 5, 1) + 1", {"x": X})
    assert made["y"] == pytest.approx(3 * np.exp(-((X - 5) ** 2) / 2) + 1)
    with pytest.raises(FormulaError, match="`width` is not defined"):
        descend.generate("y = gaussian(x, 3, 5)", {"x": X})
    fit = descend.fit("y ~ gaussian(x) + level", made)
    assert fit.quantity("gaussian(6)").value == pytest.approx(3 * np.exp(-0.5), rel=1e-8)


def test_a_column_may_have_the_name_of_a_curve():
    y = 3 * np.exp(-((X - 5) ** 2) / 2)
    fit = descend.fit("y ~ gaussian(x)", {"x": X, "y": y, "gaussian": X})
    assert fit.parameters["height"] == pytest.approx(3)
    assert (
        "`gaussian(...)` is the function here, not the column `gaussian`: to multiply, write `gaussian*(...)`"
        in fit.notes
    )


def test_what_is_derived_shows_what_a_curve_stands_for():
    told = str(descend.derive("y ~ michaelis_menten(dose) + hill(dose, n=2)"))
    assert told.startswith(
        "michaelis_menten(dose) = vmax*dose/(km + dose)\nhill(dose, n=2) = top*dose^2/(half^2 + dose^2)\n\nJ = "
    )


def test_an_argument_may_have_a_value_per_group():
    site = np.repeat(["a", "b"], 30)
    top = np.where(site == "a", 5.0, 9.0)
    fit = descend.fit("y ~ michaelis_menten(x, vmax=v[site])", {"x": X, "y": top * X / (2 + X), "site": site})
    assert dict(fit.parameters["v"]) == pytest.approx({"a": 5, "b": 9}, rel=1e-8)
    assert fit.parameters["km"] == pytest.approx(2, rel=1e-8)


@pytest.mark.parametrize("name", CURVES)
def test_each_curve_has_typical_data(name):
    check(CURVES[name])
    found = example(CURVES[name], 40)
    assert np.isfinite(found.y).all() and np.ptp(found.y) > 0
    assert (found.y > 0).all() or not CURVES[name].logarithmic


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("exp", "a*x"), "`exp` is a function already. Give the curve another name."),
        (("gaussian", "a*x"), "There is a curve `gaussian` already. Give yours another name."),
        (("own", "a*x + b"), "The curve `own` has `b` in its formula, but not as an argument."),
    ],
)
def test_what_cannot_be_registered(given, message):
    name, formula = given
    arguments = (Argument("x", "place", "x", 0, 1), Argument("a", "factor", "y/x", 1, 2))
    with pytest.raises(FormulaError) as caught:
        register(Curve(name, "own", formula, arguments, use="a test", source="none"))
    assert str(caught.value) == message


@pytest.mark.parametrize("formula", ["y ~ gaussian", "y ~ gaussian + c"])
def test_a_curve_without_its_brackets_is_told_what_it_would_be(formula):
    with pytest.raises(FormulaError) as caught:
        read(formula)
    assert str(caught.value) == (
        "`gaussian` is a named curve, and without brackets it would be a parameter: one number.\n"
        f"    {formula}\n"
        "        ^^^^^^^^\n"
        "Write `gaussian(x)`, or give the parameter another name."
    )


def test_a_parameter_may_be_called_as_a_curve_where_columns_are_read():
    assert [*read("y ~ emax*x/(k + x)").parameters] == ["emax", "k"]
