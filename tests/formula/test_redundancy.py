"""Redundant parameters are found in the expression, and named with what is determined."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.redundancy import redundancies
from descend.formula.symbols import Column, Parameter

COLUMNS = ["y", "x", "z"]


def sentences(expression: str) -> list[str]:
    return [str(each) for each in redundancies(read_formula(f"y ~ {expression}", COLUMNS))]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("a*exp(b + c*x)", 'a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.'),
        ("a*b*x", 'a and b trade off: only a*b is determined. Drop b, or fix it with fix={"b": 1}.'),
        ("(a + b)*x", 'a and b trade off: only a + b is determined. Drop b, or fix it with fix={"b": 0}.'),
        ("a/b*x", 'a and b trade off: only a/b is determined. Drop b, or fix it with fix={"b": 1}.'),
        ("a^2*b*x", 'a and b trade off: only a^2*b is determined. Drop b, or fix it with fix={"b": 1}.'),
        ("a*10^b*x", 'a and b trade off: only 10^b*a is determined. Drop b, or fix it with fix={"b": 0}.'),
        ("log(a*x) + b", 'a and b trade off: only a*exp(b) is determined. Drop b, or fix it with fix={"b": 0}.'),
        (
            "a*log(b*x) + c",
            'b and c trade off: only a*log(b) + c is determined. Drop b, or fix it with fix={"b": 1}.',
        ),
        (
            "a*b/c*x",
            'a, b and c trade off: only a*b/c is determined. Drop b and c, or fix them with fix={"b": 1, "c": 1}.',
        ),
        (
            "a/(b + c*x)",
            'a, b and c trade off: only a/c and b/c are determined. Drop c, or fix it with fix={"c": 1}.',
        ),
        ("sigmoid((x - a)/b*c)", 'b and c trade off: only c/b is determined. Drop c, or fix it with fix={"c": 1}.'),
        ("w @ [x, 2*x] + b", "w[x] and w[2*x] trade off: only 2*w[2*x] + w[x] is determined. Drop w[2*x]."),
    ],
)
def test_what_trades_off_is_named_with_what_is_determined(expression, sentence):
    assert sentences(expression) == [sentence]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            "a*sin(b*x + c) + d*cos(b*x)",
            "a, c and d trade off: only two combinations of them can be determined, of no simple form. "
            "Drop one of them, or fix it.",
        ),
        (
            "a*sin(b*x + c) + d*sin(b*x + g)",
            "a, c, d and g trade off: only two combinations of them can be determined, of no simple form. "
            "Drop 2 of them, or fix those.",
        ),
        ("sin(a)^2 + cos(a)^2 + b*x", "a cancels out, so no data can determine it. Drop it."),
    ],
)
def test_what_trades_off_in_no_simple_way_is_named_all_the_same(expression, sentence):
    assert sentences(expression) == [sentence]


def test_two_redundancies_are_two_sentences():
    assert sentences("a*b*exp(-c/d*x)") == [
        'a and b trade off: only a*b is determined. Drop b, or fix it with fix={"b": 1}.',
        'c and d trade off: only c/d is determined. Drop d, or fix it with fix={"d": 1}.',
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "a*exp(-b*x) + c",
        "b1*(1 - exp(-b2*x))",
        "a*sin(b*x + c)",
        "a*x/(b + x)",
        "(a + b*x + c*x^2)/(1 + d*x + f*x^2)",
        "sigmoid(a*(x - b))",
        "where(x > 50, a, b)",
        "a*exp(-((x - m)/s)^2) + c",
        " + ".join(["c0", *(f"c{k}*x^{k}" for k in range(1, 13))]),
        "w @ [x, z, x*z] + b",
        "a*x^b*z^c",
    ],
)
def test_what_is_determined_is_left_alone(expression):
    assert sentences(expression) == []


@pytest.mark.parametrize("expression", ["a*exp(b + c*x)", "a/(b + c*x)", "a*b*x/(c + d*x)", "a*(x/b)^c"])
def test_fixing_what_is_said_to_be_free_leaves_every_curve_within_reach(expression):
    """With the named parameters fixed, the others still depend on the rows in as many ways as before."""
    formula = read_formula(f"y ~ {expression}", COLUMNS)
    fixed = {name for each in redundancies(formula) for name in each.fixed}
    free = [name for name in formula.parameters if name not in fixed]
    rows = {"x": np.linspace(0.5, 3.0, 40)}
    theta = dict(zip(formula.parameters, np.linspace(0.7, 1.6, len(formula.parameters)), strict=True))
    symbols = (Column("x"), *(Parameter(name) for name in theta))

    def rank(names):
        columns = [
            np.broadcast_to(compile_expression(formula.jacobian[Parameter(n)], symbols)(rows["x"], *theta.values()), 40)
            for n in names
        ]
        return np.linalg.matrix_rank(np.array(columns), tol=1e-8)

    assert rank(free) == len(free) == rank(list(theta))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("where(x < t, a, b*exp(-(x - t)))", []),  # at t the curve jumps, which tells t from b
        ("where(x < 4, a, b*exp(-(x - t)))", ['only b*exp(t) is determined. Drop t, or fix it with fix={"t": 0}.']),
        ("where(x < s*t, a*x, a*s*t)", ['only s*t is determined. Drop t, or fix it with fix={"t": 1}.']),
    ],
)
def test_where_a_curve_jumps_is_no_matter_of_choice(expression, found):
    assert [each.partition("trade off: ")[2] for each in sentences(expression)] == found
