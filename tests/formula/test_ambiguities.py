"""What a formula says that its author may not have meant is told."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.ambiguities import ambiguities

COLUMNS = ("x", "y", "z", "rate")
EULER = "`e` is Euler's number here, 2.71828, and not a parameter: if one is meant, give it another name, such as `e_`"


def told(text: str) -> tuple[str, ...]:
    return ambiguities(read_formula(text, COLUMNS), COLUMNS)


@pytest.mark.parametrize(
    "text", ["y ~ a + e*x", "y ~ e*x + b", "y ~ a + b*x + c*x^2 + d*x^3 + e*x^4", "y ~ a*x^e", "y ~ a*e^(-b*x) + e"]
)
def test_e_where_a_parameter_is_likely_meant(text):
    assert told(text) == (EULER,)


@pytest.mark.parametrize(
    "text", ["y ~ a*e^(-b*x)", "y ~ a/(1 + e**(b - x))", "y ~ a*exp(-b*x)", "y ~ 2e3*a*x", "y ~ e1*x"]
)
def test_e_as_the_base_of_a_power_is_the_constant(text):
    assert told(text) == ()


def test_another_name_than_those_there_are_is_proposed():
    assert told("y ~ e_ + e*x")[0].endswith("such as `e0`")


def test_the_note_stands_beside_a_fit_and_on_the_command_line(run, tmp_path):
    x = np.arange(12.0)
    assert EULER in descend.fit("y ~ a + e*x", {"x": x, "y": 1 + 0.6 * x + np.sin(x)}).notes
    (tmp_path / "d.csv").write_text("x,y\n" + "".join(f"{value},{1 + value + value % 3}\n" for value in range(9)))
    assert EULER[:40] in run("fit", "y ~ a + e*x", str(tmp_path / "d.csv")).stdout
    assert EULER in run("derive", "y ~ a + e*x").stderr


def test_a_response_on_both_sides_is_told():
    assert told("y ~ a*y + b*x") == (
        "`y`, which is the response, also stands on the right side of `~`: the response explains itself there, and "
        "cannot be predicted from it; take it out of the right side, unless that is meant",
    )
    assert told("log(y) ~ a + b*x*y")[0].startswith("`y`, which is the response, also stands on the right side")
    assert told("y/x ~ a*x + b*y")[0].startswith("`y` and `x`, which make the response, also stand on the right side")


@pytest.mark.parametrize("text", ["y/x ~ a + b/x", "y - x ~ a + b*x", "log(y/x) ~ a*z + b*x"])
def test_a_response_over_an_input_is_none_of_that(text):
    assert told(text) == ()


@pytest.mark.parametrize("left", ["y - y", "0*x", "y/y", "x^0", "y - y + 2"])
def test_a_left_side_without_a_column_is_refused(left):
    with pytest.raises(FormulaError, match=r"The left side of `~` is [012] in every row: its columns cancel out"):
        read_formula(f"{left} ~ a*x", COLUMNS)


@pytest.mark.parametrize(
    ("text", "odd", "twin", "letter"),
    [
        ("y ~ а*x + a", "а", "a", "Cyrillic Small Letter A (U+0430)"),
        ("y ~ a*х + b*x", "х", "x", "Cyrillic Small Letter Ha (U+0445)"),
        ("y ~ ａ*x + a", "ａ", "a", "Fullwidth Latin Small Letter A (U+FF41)"),
        ("y ~ k*rаte + b", "rаte", "rate", "Cyrillic Small Letter A (U+0430)"),
    ],
)
def test_letters_that_look_alike_are_told(text, odd, twin, letter):
    (note,) = ambiguities(read_formula(text, COLUMNS, starts=[odd]), COLUMNS)
    assert {f"`{odd}` and `{twin}`", f"`{twin}` and `{odd}`"} & {note[: len(odd) + len(twin) + 9]}
    assert note.endswith(
        f"look alike but are two names: `{odd}` is written with {letter}; write both the same if one is meant"
    )


@pytest.mark.parametrize("text", ["y ~ α*x + a", "y ~ β*x^2 + b*x", "y ~ x1 + a*x", "y ~ Κ*x"])
def test_letters_that_do_not_are_not(text):
    assert ambiguities(read_formula(text, ("x", "x1", "y")), ("x", "x1", "y")) == ()


def test_which_sinc_it_is_is_told():
    assert told("y ~ a*sinc(b*x)") == (
        "`sinc(u)` is sin(pi*u)/(pi*u), as NumPy has it: for sin(u)/u write `sinc(u/pi)`",
    )


def test_a_call_that_may_be_a_product_with_a_column_is_told():
    columns = ("gamma", "x", "y")
    (note,) = ambiguities(read_formula("y ~ a*gamma(x - 1)", columns), columns)
    assert note == "`gamma(...)` is the function here, not the column `gamma`: to multiply, write `gamma*(...)`"
    assert ambiguities(read_formula("y ~ a*gamma*(x - 1)", columns), columns) == ()


def test_the_e_of_a_library_is_no_parameter():
    assert told("y ~ a*np.e*x") == ()
