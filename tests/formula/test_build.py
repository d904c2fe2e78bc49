"""From trees to expressions: what is a column, a parameter, a constant; and every message of `build.py`."""

from __future__ import annotations

import pytest
from tests.formula.expressions import read

from descend.errors import FormulaError
from descend.formula import as_text, read_formula
from descend.formula.functions import FUNCTIONS

COLUMNS = ("x", "y", "z", "temp", "unit price", "价格", "log", "e", "and")
LISTED = "Columns: x, y, z, temp, `unit price`, 价格, `log`, `e`, `and`."
KNOWN = f"Known: {', '.join(FUNCTIONS)}."
REAL = "Check its base and exponent."
POWER = "This power is too large, too small or not real."
FINITE = "This is not a finite real number."
ARGUMENT = "Check the argument of the function."
CONDITION = "Use it as the condition of where(condition, a, b)."


def refused(text: str, columns: tuple[str, ...] = COLUMNS, **options: object) -> str:
    with pytest.raises(FormulaError) as caught:
        read_formula(text, columns, **options)
    return str(caught.value)


MESSAGES = [
    ("y ~ eval(x)", "There is no function `eval`.", "        ^^^^", KNOWN),
    ("y ~ a*epx(-b*x)", "There is no function `epx`. Did you mean `exp`?", "          ^^^", KNOWN),
    ("y ~ a*coss(x)", "There is no function `coss`. Did you mean `cos`?", "          ^^^^", KNOWN),
    (
        "y ~ a*round(x)",
        "`round` has no derivative to descend along, so formulas cannot use it.",
        "          ^^^^^",
        "Compute it beforehand, as a column of the data.",
    ),
    (
        "y ~ a*heaviside(x - b)",
        "`b` stands only in a condition, where no gradient can find it.",
        "                        ^",
        "Make the switch smooth, for example with sigmoid( ).",
    ),
    (
        "y ~ a*floor(b*x)",
        "`b` stands only inside `floor`, where no gradient can find it.",
        "                ^",
        "Make the step smooth, for example with sigmoid( ).",
    ),
    (
        "y ~ a*sign(x - b) + ceil(b)",
        "`b` stands only inside `ceil` and `sign`, where no gradient can find it.",
        "                   ^",
        "Make the step smooth, for example with sigmoid( ).",
    ),
    (
        "y ~ a*jn(k, x)",
        "`jn` needs a whole number from 0 on here, written as such.",
        "             ^",
        "Write it as `jn(2, x)`.",
    ),
    ("y ~ a*x(2)", "`x` is a column, so it cannot be called.", "          ^", "To multiply, write `x*(...)`."),
    ("y ~ a*exp(x, 2)", "`exp` takes 1 argument, not 2.", "          ^^^^^^^^^", "Write it as `exp(a)`."),
    ("y ~ a*exp()", "`exp` takes 1 argument, not 0.", "          ^^^^^", "Write it as `exp(a)`."),
    ("y ~ a*atan2(x)", "`atan2` takes 2 arguments, not 1.", "          ^^^^^^^^", "Write it as `atan2(y, x)`."),
    ("y ~ a*min(x)", "`min` takes 2 arguments or more, not 1.", "          ^^^^^^", "Write it as `min(a, b)`."),
    (
        "y ~ where(x > 1, a)",
        "`where` takes 3 arguments, not 2.",
        "        ^^^^^^^^^^^^^^^",
        "Write it as `where(x > 0, a, b)`.",
    ),
    (
        "y ~ where(x, a, b)",
        "The first argument of where( ) must be a comparison.",
        "              ^",
        "Write it as where(x > 0, a, b).",
    ),
    ("y ~ (x > 1)*a", "A comparison is not a number.", "         ^^^^^", CONDITION),
    ("y ~ exp(x > 1 and z > 1)*a", "A comparison is not a number.", "            ^^^^^^^^^^^^^^^", CONDITION),
    ("y ~ not a", "A comparison is not a number.", "        ^^^^^", CONDITION),
    (
        "y ~ exp*x",
        "`exp` is a built-in function, so it cannot be a parameter.",
        "        ^^^",
        "Rename it, for example `exp_`.",
    ),
    (
        "y ~ a*exp(-sqrt*x) + c",
        "`sqrt` is a built-in function, so it cannot be a parameter.",
        "               ^^^^",
        "Rename it, for example `sqrt_`.",
    ),
    (
        "y ~ pi @ [x]",
        "`pi` is the name of a constant, so it cannot be a parameter.",
        "        ^^",
        "Rename it, for example `pi_`.",
    ),
    (
        "y ~ a*e^x",
        "`e` is a column, and also the name of a constant.",
        "          ^",
        "For the column put it in backticks: `e`; for the constant write 2.718281828459045.",
    ),
    (
        "y ~ a*`unit prise`",
        "There is no column `unit prise`. Did you mean `unit price`?",
        "          ^^^^^^^^^^^^",
        LISTED,
    ),
    ("y ~ a*`b`", "There is no column `b`.", "          ^^^", LISTED),
    (
        "y ~ a*tmp",
        "`tmp` is not a column; did you mean `temp`?",
        "          ^^^",
        'If it is a parameter, give it a start: start={"tmp": 1}.',
    ),
    (
        "y ~ X*x",
        "`X` is not a column; did you mean `x`?",
        "        ^",
        'If it is a parameter, give it a start: start={"X": 1}.',
    ),
    ("y ~ a/0", "This divides by zero.", "          ^", "Check the denominator."),
    ("y ~ a/(z - z)", "This divides by zero.", "           ^^^^^", "Check the denominator."),
    ("y ~ a*0^x", "This is a power of zero.", "          ^^^", "Check the base."),
    ("y ~ a*0^-1", POWER, "          ^^^^", REAL),
    ("y ~ a*9^9^9^9", POWER, "            ^^^^^", REAL),
    ("y ~ a*(2*x)^1000000", POWER, "           ^^^^^^^^^^^^", REAL),
    ("y ~ a*((((2*x)^999)^999)^999)^999", POWER, "              ^^^^^^^^^^^^^", REAL),
    ("y ~ a*(x/3)^999", POWER, "           ^^^^^^^^", REAL),
    ("y ~ a*(-8)^(1/3)", POWER, "           ^^^^^^^^", REAL),
    ("y ~ a*1e-200^2", POWER, "          ^^^^^^^^", REAL),
    ("y ~ a*(-x^2)^(1/3)", "This power is not a real number.", "           ^^^^^^^^^^", REAL),
    ("y ~ a*exp(1e9)", FINITE, "          ^^^^^^^^", ARGUMENT),
    ("y ~ a*gamma(1e6)", FINITE, "          ^^^^^^^^^^", ARGUMENT),
    ("y ~ a*log(-1)", FINITE, "          ^^^^^^^", ARGUMENT),
    ("y ~ a*sqrt(2 - 6/2)", FINITE, "          ^^^^^^^^^^^^^", ARGUMENT),
    ("y ~ a*asin(2)", FINITE, "          ^^^^^^^", ARGUMENT),
    (
        "y ~ a*sqrt(-x^2)",
        "This holds a number that is not finite or not real.",
        "        ^^^^^^^^^^^^",
        "Check its constants and powers.",
    ),
    ("y ~ a*1e400", "`1e400` is too large a number.", "          ^^^^^", "Use numbers between 1e-307 and 1e308."),
    ("y ~ a*1e-400", "`1e-400` is too small a number.", "          ^^^^^^", "Use numbers between 1e-307 and 1e308."),
    (
        "y ~ a*1e200*x*1e200",
        "The formula holds a number that is too large or too small.",
        "        ^^^^^^^^^^^^^^^",
        "Use numbers between 1e-307 and 1e308.",
    ),
    (
        "y ~ w @ [x, z] + w",
        "`w` is used both as a number and as a vector.",
        "                     ^",
        "Give one of them another name.",
    ),
    (
        "y ~ w @ [x, z] + w @ [x]",
        "`w` has 2 components in one place and 1 in another.",
        "                     ^",
        "Use lists of the same length, or another name.",
    ),
    ("y ~ w @ [x, z, x]", "`x` is twice in the list.", "        ^^^^^^^^^^^^^", "Name each column once."),
    (
        "y ~ x @ [z]",
        "`x` is a column, so it cannot be the vector parameter.",
        "        ^",
        "Choose another name.",
    ),
    ("y ~ w @ [q]", "`q` is not a column.", "             ^", LISTED),
    (
        "y ~ w @ [tem*x]",
        "`tem` is not a column; did you mean `temp`?",
        "             ^^^",
        'If it is a parameter, give it a start: start={"tem": 1}.',
    ),
    ("y ~ b*x + w @ [b*x]", "A list after `@` holds data only, no parameters.", "                   ^^^", LISTED),
    ("y ~ w @ [v @ [x]]", "`v` is not a column.", "             ^^^^^^^", LISTED),
    (
        "y ~ w @ [q*]",
        "No other numeric column matches `q*`.",
        "             ^^",
        "Numeric columns: x, y, z, temp, `unit price`, 价格, `log`, `e`, `and`.",
    ),
    ("q ~ a*x", "`q` is on the left of `~` but is not a column.", "    ^", LISTED),
    ("log(tmp) ~ a*x", "`tmp` is on the left of `~` but is not a column. Did you mean `temp`?", "        ^^^", LISTED),
    ("y + b ~ a*x", "`b` is on the left of `~` but is not a column.", "        ^", LISTED),
    ("2*pi ~ a*x", "The response must be a column.", "    ^^^^", LISTED),
    (
        "y ~ x + 2*z",
        "There is nothing to fit: every name here is a column or a constant.",
        "        ^^^^^^^",
        "Add a parameter, for example `y ~ w*x`.",
    ),
    (
        "y ~ a - a + b*x",
        "`a` cancels out, so no data can determine it.",
        "        ^",
        "Remove it from the formula.",
    ),
    (
        "y ~ 0*(w @ [x, z]) + b",
        "`w` cancels out, so no data can determine it.",
        "           ^",
        "Remove it from the formula.",
    ),
    (
        "y ~ where(x > a, b, 0)",
        "`a` stands only in a condition, where no gradient can find it.",
        "                  ^",
        "Make the switch smooth, for example with sigmoid( ).",
    ),
]


@pytest.mark.parametrize(("text", "what", "caret", "next_step"), MESSAGES, ids=[message[0] for message in MESSAGES])
def test_messages(text, what, caret, next_step):
    assert refused(text) == f"{what}\n    {text}\n{caret}\n{next_step}"


def test_many_columns_are_not_all_listed():
    message = refused("q ~ a*x", tuple(f"x{number}" for number in range(30)))
    assert message.endswith("Columns: x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 and 18 more.")


def test_no_numeric_column_at_all():
    message = refused("y ~ w @ [*]", ("y", "site"), numeric=("y",))
    assert message == ("No other numeric column matches `*`.\n    y ~ w @ [*]\n             ^\nNumeric columns: y.")


def test_a_start_makes_a_parameter_of_a_near_miss():
    formula = read_formula("y ~ X*x + tmp", COLUMNS, starts=("X", "tmp"))
    assert list(formula.parameters) == ["X", "tmp"]


def test_parameters_may_be_named_like_python():
    formula = read_formula("y ~ lambda*x + None + is*z", COLUMNS)
    assert list(formula.parameters) == ["lambda", "None", "is"]


@pytest.mark.parametrize(
    "name", ["log", "and", "select", "sin", "__x", "a b", "1st", "x.1", "a`b", "价格", '"', "*", "true"]
)
def test_columns_may_have_any_name_in_backticks(name):
    quoted = f"`{name.replace('`', '``')}`"
    formula = read_formula(f"{quoted} ~ a*{quoted}^2", (name,))
    assert formula.columns == (name,)
    assert read_formula(str(formula), (name,)).expression == formula.expression


def test_a_column_named_like_a_function_is_a_column_unless_it_is_called():
    assert str(read_formula("y ~ a*log", COLUMNS)) == "y ~ a*`log`"
    assert str(read_formula("y ~ a*log(log)", COLUMNS)) == "y ~ a*log(`log`)"


def test_constants():
    formula = read_formula("y ~ a*e^x + pi", ("x", "y"))
    assert str(formula) == "y ~ a*exp(x) + pi"
    assert str(read_formula("log(y)/pi ~ a*x", ("x", "y"))) == "log(y)/pi ~ a*x"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("y ~ w @ [x*]", ("x1", "x2", "x10")),
        ("y ~ w @ [*_cm]", ("a_cm", "b_cm")),
        ("y ~ w @ [x?]", ("x1", "x2")),
        ("y ~ w @ [*]", ("x1", "x2", "x10", "a_cm", "b_cm", "`unit price`")),
        ("y ~ w @ [*] + b*x1", ("x2", "x10", "a_cm", "b_cm", "`unit price`")),
        ("y ~ w @ [x1, *]", ("x1", "x2", "x10", "a_cm", "b_cm", "`unit price`")),
        ("log(y) ~ w @ [*]", ("x1", "x2", "x10", "a_cm", "b_cm", "`unit price`")),
        ("x1 ~ w @ [x*]", ("x2", "x10")),
        ("y ~ w @ [x1^2, x1*x2, log(x2)]", ("x1^2", "x1*x2", "log(x2)")),
        ("y ~ [x1, `unit price`] @ w", ("x1", "`unit price`")),
    ],
)
def test_vectors_take_columns_by_pattern(text, labels):
    columns = ("x1", "x2", "x10", "a_cm", "b_cm", "unit price", "y", "site", "omega")
    numeric = tuple(name for name in columns if name != "site")
    assert read_formula(text, columns, numeric, excluded=("omega",)).parameters["w"] == labels


def test_numbers_are_exact_and_stay_short():
    assert as_text(read("0.5*2*x")) == "x"
    assert as_text(read("x + 0.1 + 0.2")) == "x + 0.3"
    assert as_text(read("x/3")) == "x/3"
    assert as_text(read("1.1^64*x")) == "445.79156845259024*x"
    assert as_text(read("12345678901234567890*x")) == "1.2345678901234567e+19*x"
    assert as_text(read("0.12345678901234567890*x")) == "0.12345678901234568*x"
    assert as_text(read("x/sqrt(2*pi)")) == "0.5*sqrt(2)*x/sqrt(pi)"
    assert as_text(read("2^0.1*x")) == "1.0717734625362931*x"


def test_sympy_names_do_not_leak():
    assert as_text(read("tan(x + pi/2)")) == "-1/tan(x)"
    assert as_text(read("sqrt(x^2)")) == "abs(x)"
    assert as_text(read("atan2(0, x)")) == "atan2(0, x)"
    assert as_text(read("atan2(x, x)")) == "atan2(x, x)"


@pytest.mark.parametrize(
    ("text", "what", "next_step"),
    [
        ("y ~ a*np.exp*x",
         "`np.exp`: a formula holds functions of numbers, with their arguments in brackets.",
         "Write `exp(...)`, or the value as a number."),
        ("y ~ a*np.inf",
         "`np.inf`: a formula holds functions of numbers, with their arguments in brackets.",
         "Write `inf(...)`, or the value as a number."),
        ("y ~ k(x - b)", "There is no function `k`. To multiply by a parameter, write `k*(...)`.", KNOWN),
        ("y ~ poly(x, 2)", "There is no function `poly`.",
         "A polynomial is `polynomial(x, degree=2)`, or is written out: `a*x + b*x^2`, or `w @ [x, x^2]`."),
        ("y ~ a*step(x - 2)", "`step` has no derivative to descend along, so formulas cannot use it.",
         "Write it as where(x > 0, 1, 0)."),
        ("y ~ a*step(x - c)", "`step` has no derivative to descend along, so formulas cannot use it.",
         "`c` moves it, so that it is no column: make it smooth, for example with sigmoid((x - c)/width)."),
        ("y ~ a*log(x, 10, 2)", "`log` takes 1 or 2 arguments, not 3.", "Write it as `log(a)`."),
        ("y ~ a*power(x)", "`power` takes 2 arguments, not 1.", "Write it as `power(a, b)`."),
        ("y ~ a*clip(x, 1)", "`clip` takes 3 arguments, not 2.", "Write it as `clip(a, b, c)`."),
        ("y ~ a*LOG(x)", "There is no function `LOG`.",
         "`log(u)` is the natural logarithm, and `log10(u)` that to the base 10."),
    ],
)  # fmt: skip
def test_what_other_programs_write_is_told_how_to_write_here(text, what, next_step):
    lines = refused(text).splitlines()
    assert (lines[0], lines[-1]) == (what, next_step)


def test_what_is_taken_as_it_is():
    assert str(read_formula("y ~ a + c*I(x^2)", COLUMNS)) == "y ~ a + c*x^2"


@pytest.mark.parametrize("name", ["Amplitude (mV)", "V [mV]", "unit price", "v.x", "y%", "1st", "a:b"])
def test_a_column_that_is_no_word_is_told_to_go_in_backticks(name):
    message = refused(f"y ~ a*{name} + b", ("y", name))
    assert message.startswith(f"`{name}` is a column whose name is no plain word.")
    assert f"Put it in backticks: `{name}`" in message
    assert "^" * len(name) in message


def test_names_in_backticks_are_not_told_so():
    assert "backticks" not in refused("y ~ a*`unit price` + eval(x)", ("x", "y", "unit price"))
