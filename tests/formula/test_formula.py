"""What a formula says of itself: columns, inputs, parameters, linearity, derivatives; and guessing without a table."""

from __future__ import annotations

import pytest

from descend.formula import as_text, guess_columns, read_formula
from descend.formula.symbols import Column, Parameter, Predictor

COLUMNS = ("x", "y", "z", "site")


def slopes(text: str) -> list[str]:
    return [as_text(slope) for slope in read_formula(text, COLUMNS).jacobian.values()]


@pytest.mark.parametrize(
    ("text", "derivatives"),
    [
        ("y ~ w*x + b", ["x", "1"]),
        ("y ~ a*exp(-b*x) + c", ["exp(-b*x)", "-a*x*exp(-b*x)", "1"]),
        ("y ~ a*x^b", ["x^b", "a*x^b*where(x == 0, 0, log(x))"]),
        ("y ~ a/(1 + exp(-b*x))", ["1/(1 + exp(-b*x))", "a*x*exp(-b*x)/(1 + exp(-b*x))^2"]),
        ("y ~ sigmoid(a*x)", ["x*sigmoid(-a*x)*sigmoid(a*x)"]),
        ("y ~ softplus(a)*x", ["x*sigmoid(a)"]),
        ("y ~ abs(a - x)", ["sign(a - x)"]),
        ("y ~ max(a, x)", ["0.5*sign(a - x) + 0.5"]),
        ("y ~ min(a, x)", ["0.5*sign(x - a) + 0.5"]),
        ("y ~ where(x > 1, a, b)*z", ["z*where(x > 1, 1, 0)", "z*where(x > 1, 0, 1)"]),
        ("y ~ atan2(a, x)", ["x/(a^2 + x^2)"]),
        ("y ~ gamma(a*x)", ["x*digamma(a*x)*gamma(a*x)"]),
        ("y ~ log10(a*x) + log2(b*x)", ["1/(a*log(10))", "1/(b*log(2))"]),
        ("y ~ exp(w @ [x, z])", ["exp(w @ [x, z])"]),
        ("y ~ w @ [x, z] + w @ [z, x]*a", ["w @ [z, x]", "1", "a"]),
    ],
)
def test_jacobian(text, derivatives):
    assert slopes(text) == derivatives


def test_parts_of_a_formula():
    formula = read_formula("log(y) ~ a*x + w @ [z, x^2] + exp(b)", COLUMNS)
    assert formula.columns == ("y", "x", "z")
    assert formula.inputs == ("x", "z")
    assert formula.parameters == {"a": None, "w": ("z", "x^2"), "b": None}
    assert formula.unknowns == (Parameter("a"), Parameter("b"), Predictor("w @ [z, x^2]"))
    term = formula.terms[Predictor("w @ [z, x^2]")]
    assert (term.vector, term.items, term.labels) == ("w", (Column("z"), Column("x") ** 2), ("z", "x^2"))
    assert str(formula) == "log(y) ~ a*x + w @ [z, x^2] + exp(b)"


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        ("y ~ w*x + b", True),
        ("y ~ a*exp(-x) + b*x^2", True),
        ("y ~ w @ [x, z] + b", True),
        ("y ~ a*b*x", False),
        ("y ~ exp(a*x)", False),
        ("y ~ exp(w @ [x, z])", False),
        ("y ~ abs(a)*x", False),
    ],
)
def test_linear(text, linear):
    assert read_formula(text, COLUMNS).linear is linear


def test_formulas_are_read_once():
    assert read_formula("y ~ w*x", COLUMNS) is read_formula("y ~ w*x", list(COLUMNS))


def test_a_vector_that_partly_cancels_keeps_only_what_stays():
    formula = read_formula("y ~ w @ [x] - w @ [x] + w @ [z]", COLUMNS)
    assert list(formula.terms) == [Predictor("w @ [z]")]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("y ~ w*x", ("y", "x")),
        ("y ~ w1*x1 + w2*x_2 + b", ("y", "x1", "x_2")),
        ("log(temp)/e ~ a*t_start + b*z", ("temp", "t_start", "z")),
        ("y ~ w @ [height, log(width), 2*pi*r] + b", ("y", "height", "width", "r")),
        ("y ~ a*`unit price` + time", ("y", "unit price")),
        ("y ~ a*b", ("y",)),
    ],
)
def test_guessing_columns_without_a_table(text, columns):
    assert guess_columns(text) == columns


def test_columns_that_cancel_out_are_not_needed():
    formula = read_formula("y + 0*site ~ a + 0*x + z - z", COLUMNS)
    assert (formula.columns, formula.inputs, formula.unused) == (("y",), (), ("site", "x", "z"))
