"""Columns that are generated: what cannot be computed or drawn is told, in the words of the interface that asks."""

from __future__ import annotations

import pytest

import descend
from descend.formula import read_formula
from descend.wording import COMMAND_LINE, speaking

TEN = {"x": "0:10:1"}
UNDEFINED = """`c` is not defined.
    y = 2*x + c
              ^
Define it before, with {} or an equation."""


@pytest.mark.parametrize(
    ("equations", "columns", "rows", "message"),
    [
        ("y = 2*x + c", TEN, None, UNDEFINED.format('columns={"c": "0:10:0.1"}')),
        ("y = x", TEN, 3, "The column `x` has 10 values, but 3 rows are asked for. Change one of them."),
        ("y = x", TEN | {"z": [1.0]}, None, "`x` has 10 values and `z` has 1. Give them the same length."),
        (
            "y = bernoulli(2)",
            None,
            3,
            "`y = bernoulli(2)`: bernoulli cannot draw with these arguments (probability < 0, probability > 1 or NaN). "
            "Check their signs.",
        ),
        ("y = log(x)", TEN, None, "`y = log(x)` is not finite in row 1. Check for logarithms and divisions there."),
    ],
)
def test_what_cannot_be_generated_is_told(equations, columns, rows, message):
    with pytest.raises(descend.DescendError) as error:
        descend.generate(equations, columns, rows=rows)
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["0..4", " 0 ... 4 "])
def test_a_range_with_points_is_told_to_have_colons(text):
    with pytest.raises(descend.ConfigError) as caught:
        descend.generate("y = x", {"x": text})
    assert str(caught.value) == (
        f"`{text.strip()}` is not a range. Write start:stop:step with colons, such as 0:4:0.1."
    )


def test_on_the_command_line_a_column_is_its_option():
    with speaking(COMMAND_LINE), pytest.raises(descend.FormulaError) as error:
        descend.generate("y = 2*x + c", TEN)
    assert str(error.value) == UNDEFINED.format("--column c=0:10:0.1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "y ~ a*exp(x=2)",
            "`x = ...` cannot stand here.\n    y ~ a*exp(x=2)\n              ^^^\n"
            "Give arguments in order; to compare two values write `==` inside where( ).",
        ),
        (
            "y ~ where(x=2, a, b)",
            "An argument without a name follows one with a name.\n    y ~ where(x=2, a, b)\n                   ^\n"
            "Put those without a name first; to compare two values write `==`.",
        ),
    ],
)
def test_an_argument_by_name_is_pointed_at(text, message):
    with pytest.raises(descend.FormulaError) as error:
        read_formula(text, ["x", "y"])
    assert str(error.value) == message
