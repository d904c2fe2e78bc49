"""What a formula tells before any descent: linear parameters, units, waves, and answers that are the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from descend.formula import read_formula
from descend.formula.order_of_terms import order_of
from descend.formula.printers.code import as_text
from descend.formula.structure import (
    RESPONSE_UNIT,
    even_parameters,
    interchangeable,
    linear_unknowns,
    measures,
    phases,
    waves,
)
from descend.formula.symbols import Column, Parameter, Predictor

COLUMNS = ("x", "z", "t", "y")


def formula(text):
    return read_formula(text, COLUMNS)


def names(symbols):
    return {str(symbol.name) for symbol in symbols if isinstance(symbol, Parameter)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a*x + b", {"a", "b"}),
        ("y ~ a*exp(-b*x) + c", {"a", "c"}),
        ("y ~ b1*(1 - exp(-b2*x))", {"b1"}),
        ("y ~ a*b*x + c*b", {"a", "c"}),
        ("y ~ a*b*x", {"a"}),
        ("y ~ exp(a + b*x)", set()),
        ("y ~ (a + b*x)/(1 + c*x)", {"a", "b"}),
        ("y ~ a*x^b + c*x^d", {"a", "c"}),
        ("y ~ a*(x + b)*(z + c)", {"a"}),
        ("y ~ a*b + c*d + e1*f", {"a", "c", "e1"}),
        ("y ~ where(x > 2, a, b)", {"a", "b"}),
        ("y ~ abs(a*x)", set()),
    ],
)
def test_linear_parameters_are_found(text, expected):
    read = formula(text)
    found = linear_unknowns(read)
    if expected == {"a"} and "b*x" in text:  # a and b multiply each other: one of the two
        assert len(found) == 1
    else:
        assert len(found) == len(expected) and not any(isinstance(symbol, Predictor) for symbol in found)
    for one in found:
        for other in found:
            assert sympy.simplify(read.expression.diff(one, other)) == 0


def test_vectors_are_linear_as_a_whole():
    found = linear_unknowns(formula("y ~ w @ [x, z] + a*exp(-b*t)"))
    assert len([symbol for symbol in found if isinstance(symbol, Predictor)]) == 1
    assert names(found) == {"a"}
    assert not linear_unknowns(formula("y ~ exp(w @ [x, z])"))


@given(st.lists(st.sampled_from(["a*x", "b*x^2", "c*exp(-d*x)", "a*c", "b/g", "log(g + x)", "d"]), min_size=1))
def test_the_expression_is_a_plane_in_the_linear_parameters(terms):
    read = formula("y ~ " + " + ".join(terms) + " + k*x*t")
    found = linear_unknowns(read)
    assert Parameter("k") in found
    for one in found:
        assert not read.jacobian[one].free_symbols & found


def unit(text, name):
    """The unit of a parameter, as text: {"x": -1} for 1/x."""
    measure = measures(formula(text))[Parameter(name)]
    written = {"response" if base == RESPONSE_UNIT else as_text(base): power for base, power in measure.unit.items()}
    return written, None if measure.location is None else as_text(measure.location)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ w*x + b", {"w": ({"response": 1, "x": -1}, None), "b": ({"response": 1}, None)}),
        ("y ~ a*exp(-b*x) + c", {"a": ({"response": 1}, None), "b": ({"x": -1}, None), "c": ({"response": 1}, None)}),
        ("y ~ a*exp(-x/k)", {"k": ({"x": 1}, None)}),
        (
            "y ~ a*exp(-((x - m)/s)^2)",
            {"a": ({"response": 1}, None), "m": ({"x": 1}, "x"), "s": ({"x": 1}, None)},
        ),
        ("y ~ a/(1 + exp(-k*(x - m)))", {"k": ({"x": -1}, None), "m": ({"x": 1}, "x")}),
        ("y ~ v*x/(k + x)", {"v": ({"response": 1}, None), "k": ({"x": 1}, "-x")}),
        ("y ~ sqrt(a*x + b)", {"a": ({"response": 2, "x": -1}, None), "b": ({"response": 2}, None)}),
        ("y ~ a*sin(w*x + p)", {"w": ({"x": -1}, None), "p": ({}, None)}),
        ("y ~ a*exp(-b*x*z)", {"b": ({"x*z": -1}, None)}),
        ("y ~ max(a, b*x)", {"a": ({"response": 1}, None), "b": ({"response": 1, "x": -1}, None)}),
        ("log(y) ~ a + b*x", {"b": ({"response": 1, "x": -1}, None)}),
        ("y ~ exp(w @ [x, z] + b)", {"b": ({}, None)}),
        ("y ~ a*x^b", {"b": ({}, None)}),
    ],
)
def test_units_are_those_of_a_physicist(text, expected):
    for name, (powers, location) in expected.items():
        assert unit(text, name) == (powers, location), name


@pytest.mark.parametrize(("x_unit", "y_unit"), [(1e-6, 1.0), (1.0, 1e9), (1e4, 1e-4)])
def test_trial_values_scale_with_the_units(x_unit, y_unit):
    from descend.gradients.derived import derived
    from descend.losses import LOSSES
    from descend.starts.trial_points import trials

    program = derived(formula("y ~ a*exp(-((x - m)/s)^2) + b*exp(-k*x)"), LOSSES.build("squared"))
    x = np.linspace(1.0, 5.0, 30)
    columns, scaled = {"x": x, "y": x**2}, {"x": x * x_unit, "y": x**2 * y_unit}
    scanned = [Parameter("m"), Parameter("s"), Parameter("k")]
    factors = np.array([1.0, x_unit, x_unit, 1.0, 1.0 / x_unit])  # a and b are not scanned
    plain = trials(program, columns, np.ones(5), scanned)
    np.testing.assert_allclose(trials(program, scaled, np.ones(5), scanned), plain * factors, rtol=1e-9)


def test_waves_are_frequencies_and_periods():
    def found(text):
        return {symbol.name: (as_text(wave.along), wave.is_period) for symbol, wave in waves(formula(text)).items()}

    assert found("y ~ a*sin(w*x + p) + c") == {"w": ("x", False)}
    assert found("y ~ a*cos(2*pi*x/k) + b*sin(2*pi*x/k)") == {"k": ("2*pi*x", True)}
    assert found("y ~ a*sin(w*(x - m))") == {"w": ("x", False)}
    assert found("y ~ a*sin(v*x^2)*exp(-k*x)") == {"v": ("x^2", False)}
    assert found("y ~ a*exp(-b*x)") == found("y ~ sin(a)*x") == found("y ~ a*sin(v*w*x)") == {}


def test_phases_come_with_their_amplitude():
    def found(text):
        return {symbol.name: other and other.name for symbol, other in phases(formula(text)).items()}

    assert found("y ~ a*sin(w*x + p) + c") == {"p": "a"}
    assert found("y ~ sin(w*x + p)") == {"p": None}
    assert found("y ~ a*sin(w*x + p) + b*cos(v*x + q)") == {"p": "a", "q": "b"}
    assert found("y ~ a*sin(w*x + p) + b*p") == found("y ~ a*exp(-b*x)") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a*exp(-((x - m)/s)^2)", {"s": ()}),
        ("y ~ a/s*exp(-((x - m)/s)^2)", {"s": ("a",)}),
        ("y ~ a*cos(w*x)", {"w": ()}),
        ("y ~ a*sin(w*x)", {"w": ("a",)}),
        ("y ~ a*cos(w*x + p)", {"w": ("p",)}),
        ("y ~ a*sin(w*x + p)", {"w": ("p", "a")}),
        ("y ~ a*exp(-b*x)", {}),
        ("y ~ b^2*x", {"b": ()}),
    ],
)
def test_signs_that_make_no_difference(text, expected):
    found = even_parameters(formula(text))
    assert {symbol.name: tuple(other.name for other in others) for symbol, others in found.items()} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y ~ a*exp(-b*x) + c*exp(-d*x)", [["ab", "cd"]]),
        ("y ~ a*exp(-b*x) + c*exp(-d*x) + k", [["ab", "cd"]]),
        ("y ~ a*exp(-b*x) + c*exp(-d*x) + f*exp(-g*x)", [["ab", "cd", "fg"]]),
        ("y ~ a*exp(-b*x) + c/(d + x)", []),
        ("y ~ a*exp(-b*x) + c*exp(-b*z)", []),
        ("y ~ a*cos(w*x) + b*sin(w*x) + c*cos(v*x) + d*sin(v*x)", [["awb", "cvd"]]),
        ("y ~ a*exp(-b*x) + c*exp(-d*x) + f*sin(g*x) + h*sin(k*x)", [["ab", "cd"], ["fg", "hk"]]),
        ("y ~ a*x + b*z", []),
        ("y ~ a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/s)^2)", [["am", "bn"]]),  # of one width
        ("y ~ a*sin(w*x) + b*cos(w*x)", []),
        ("y ~ a*exp(-b*x) + d*exp(-2*b*x)", []),
        ("y ~ k*a/(k + x) + m*b/(x + m)", [["ka", "mb"]]),
        ("y ~ b*exp(-a*x) + d*exp(-g*x)*z + 1/(k*z - h) + 1/(m*z - q)", [["kh", "mq"]]),
        ("y ~ a*exp(-b*x) + exp(-c*x)*d", [["ab", "dc"]]),  # answering to each other in another order
    ],
)
def test_like_terms_that_can_change_places(text, expected):
    groups = interchangeable(formula(text))
    assert [["".join(symbol.name for symbol in own) for own in group] for group in groups] == expected
    expression = formula(text).expression
    for group in groups:
        for one, other in pairwise(group):
            swap = dict(zip(one, other, strict=True)) | dict(zip(other, one, strict=True))
            assert expression.xreplace(swap) == expression


@pytest.mark.parametrize(
    ("text", "by", "values"),
    [
        ("y ~ a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/v)^2)", "mn", [-1.0, 2.0]),
        ("y ~ a/(1 + ((x + m)/s)^2) + b/(1 + ((x + n)/v)^2)", "mn", [1.0, -2.0]),  # at -m and -n
        ("y ~ a*exp(-b*x) + c*exp(-d*x)", "bd", [5.0, 2.0]),
        ("y ~ a*exp(b*x) + c*exp(d*x)", "bd", [-5.0, -2.0]),
        ("y ~ a*exp(-x/b) + c*exp(-x/d)", "bd", [0.2, 3.0]),
        ("y ~ a*x/(b + x) + c*x/(d + x)", "bd", [0.2, 3.0]),
        ("y ~ a*exp(-k*x)*sin(w*x + p) + b*exp(-l*x)*sin(v*x + q)", "wv", [2.0, 7.0]),
        ("y ~ a*sin(2*pi*x/s + p) + b*sin(2*pi*x/u + q)", "su", [7.0, 2.0]),
        ("y ~ a*x^n + b*x^m", "nm", [1.0, 2.0]),
    ],
)
def test_the_order_of_like_terms(text, by, values):
    read = formula(text)
    (group,) = interchangeable(read)
    order = order_of(read, group[0])
    assert "".join(own[order.place].name for own in group) == by
    assert np.diff(order.keys(np.array(values))) > 0.0


@given(
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=6, max_size=6),
    values=st.lists(st.floats(0.1, 3.0), min_size=6, max_size=6),
)
def test_answers_called_equal_predict_the_same(signs, values):
    from descend.gradients.derived import derived
    from descend.identifiability.symmetry import canonical
    from descend.losses import LOSSES
    from descend.models import FormulaModel

    read = formula("y ~ a*cos(w*x + p) + b*cos(v*x + q)")
    program = derived(read, LOSSES.build("squared"))
    theta = np.array(signs) * values
    settled = canonical(program, theta, ())
    columns = {"x": np.linspace(0.0, 5.0, 20)}
    predict = FormulaModel(read, program.loss).predict
    np.testing.assert_allclose(predict(settled, columns), predict(theta, columns), atol=1e-9)
    named = program.parameters.named(settled)
    assert 0.0 <= named["w"] <= named["v"] and named["a"] >= 0.0 and named["b"] >= 0.0
    assert abs(named["p"]) <= np.pi and abs(named["q"]) <= np.pi
    assert Column("x") in read.expression.free_symbols
