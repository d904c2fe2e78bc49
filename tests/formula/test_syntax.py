"""The parser: what it accepts, and every message of `tokens.py` and `syntax.py`, caret and all."""

from __future__ import annotations

import sys

import pytest
from tests.formula.expressions import read

from descend.errors import FormulaError
from descend.formula import as_text, read_formula
from descend.formula.syntax import parse_assignment, parse_expression, parse_formula

COLUMNS = ("x", "y", "z", "unit price", "价格", "温度", "and")


def refused(text: str, columns: tuple[str, ...] = COLUMNS) -> str:
    with pytest.raises(FormulaError) as caught:
        read_formula(text, columns)
    return str(caught.value)


SIGNS = "Formulas are made of names, numbers, + - * / ^ @, brackets and functions."
REMAINDER, SQUARED = "Write the remainder of a division as `mod(x, 2)`.", "A power of a function is `sin(...)^2`."
BACKTICKS = "Column names with odd characters go in backticks: `unit price`."
QUOTATION = 'It is a quotation mark of a word processor: write straight ones, ", and ` around odd column names.'
FORM = "Write response ~ expression, for example `y ~ w*x`."
AROUND = "Check the brackets and operators around it."
SIMPLER = "Simplify it, or split it into columns of the data."

MESSAGES = [
    ("y ~ a*x $ b", "`$` cannot stand in a formula.", "    y ~ a*x $ b", "            ^", SIGNS),
    ("y ~ a & x", "`&` cannot stand in a formula.", "    y ~ a & x", "          ^", SIGNS),
    ("y ~ lambda: x", "`:` cannot stand in a formula.", "    y ~ lambda: x", "              ^", SIGNS),
    ("y ~ a*x\u200d", "The character U+200D cannot stand in a formula.", "    y ~ a*x ", "           ^", SIGNS),
    ("“y ~ a*x”", "`“` cannot stand in a formula.", "    “y ~ a*x”", "    ^", QUOTATION),
    ("y ~ a*‘my x’", "`‘` cannot stand in a formula.", "    y ~ a*‘my x’", "          ^", QUOTATION),
    ("y ~ a*x²", "`²` cannot stand in a formula.", "    y ~ a*x²", "           ^", "Write powers with `^`: `x^2`."),
    (
        "y ~ a*10⁻³",
        "`⁻³` cannot stand in a formula.",
        "    y ~ a*10⁻³",
        "            ^^",
        "Write powers with `^`: `10^-3`.",
    ),
    ("y ~ a*x₁", "`₁` cannot stand in a formula.", "    y ~ a*x₁", "           ^", "Write it on the line: `x1`."),
    ("y ~ ½*x", "`½` cannot stand in a formula.", "    y ~ ½*x", "        ^", "Write fractions as `1/2`."),
    ("y ~ √x", "`√` cannot stand in a formula.", "    y ~ √x", "        ^", "Write roots as `sqrt(x)` or `cbrt(x)`."),
    ("y ~ |x|", "`|` cannot stand in a formula.", "    y ~ |x|", "        ^", "Write the absolute value as `abs(x)`."),
    ("y ≈ a*x", "`≈` cannot stand in a formula.", "    y ≈ a*x", "      ^", FORM),
    ("y ~ 1,5*x", "A comma cannot stand here.", "    y ~ 1,5*x", "         ^", "Write decimals with a point: `1.5`."),
    ("y ~ a*\ud800", "The character U+D800 cannot stand in a formula.", "    y ~ a* ", "          ^", SIGNS),
    ("y ~ a*x%2", "`%` cannot stand in a formula.", "    y ~ a*x%2", "           ^", REMAINDER),
    ("y ~ a*sin^2(x)", "`(` cannot stand here.", "    y ~ a*sin^2(x)", "               ^", SQUARED),
    ("y ~ a*x {b}", "`{` cannot stand in a formula.", "    y ~ a*x {b}", "            ^", "Use round brackets."),
    ("y ~ a*x}", "`}` cannot stand in a formula.", "    y ~ a*x}", "           ^", "Use round brackets."),
    ("y ~ 'x'*a", "`'` cannot stand in a formula.", "    y ~ 'x'*a", "        ^", BACKTICKS),
    ('y ~ "x"*a', '`"` cannot stand in a formula.', '    y ~ "x"*a', "        ^", BACKTICKS),
    (
        "y ~ __import__('os')",
        "`'` cannot stand in a formula.",
        "    y ~ __import__('os')",
        "                   ^",
        BACKTICKS,
    ),
    (
        "y ~ x.__class__",
        "`.` cannot stand in a formula.",
        "    y ~ x.__class__",
        "         ^",
        "If it belongs to a column name, put the name in backticks: `unit.price`.",
    ),
    (
        "y ~ __import__(x)",
        "`__import__` is not a name a formula can use: it begins with two underscores.",
        "    y ~ __import__(x)",
        "        ^^^^^^^^^^",
        "If it is a column, rename it.",
    ),
    (
        "y ~ a*`x + b",
        "This backtick is never closed.",
        "    y ~ a*`x + b",
        "          ^",
        "Put another one after the column name: `unit price`.",
    ),
    (
        "y ~ a*x² + b",
        "`²` cannot stand in a formula.",
        "    y ~ a*x² + b",
        "           ^",
        "Write powers with `^`: `x^2`.",
    ),
    (
        "y ~ a*x +",
        "The formula stops short: something must follow here.",
        "    y ~ a*x +",
        "             ^",
        "Complete it, for example `y ~ w*x + b`.",
    ),
    (
        "y ~",
        "The formula stops short: something must follow here.",
        "    y ~",
        "       ^",
        "Complete it, for example `y ~ w*x + b`.",
    ),
    ("y ~ a*(x + 1", "This `(` is never closed.", "    y ~ a*(x + 1", "          ^", "Add `)` where it ends."),
    ("y ~ exp(a*x", "This `(` is never closed.", "    y ~ exp(a*x", "           ^", "Add `)` after the last argument."),
    ("y ~ w @ [x", "This `[` is never closed.", "    y ~ w @ [x", "            ^", "Add `]` after the last column."),
    ("y ~ a*x)", "`)` cannot stand here.", "    y ~ a*x)", "           ^", AROUND),
    ("y ~ a*x, b", "`,` cannot stand here.", "    y ~ a*x, b", "           ^", AROUND),
    ("y ~ a // x", "`/` cannot stand here.", "    y ~ a // x", "           ^", AROUND),
    ("y ~ ()", "`)` cannot stand here.", "    y ~ ()", "         ^", AROUND),
    ("y ~ a*x ? b", "`?` cannot stand here.", "    y ~ a*x ? b", "            ^", AROUND),
    (
        "y ~ 2x",
        "`x` follows another value with nothing between them.",
        "    y ~ 2x",
        "         ^",
        "To multiply, write `2*x`.",
    ),
    (
        "y ~ a `unit price`",
        "`unit price` follows another value with nothing between them.",
        "    y ~ a `unit price`",
        "          ^^^^^^^^^^^^",
        "To multiply, write `a*`unit price``.",
    ),
    (
        "y ~ a if x else b",
        "`if` follows another value with nothing between them.",
        "    y ~ a if x else b",
        "          ^^",
        "For a choice between two values write where(x > 0, a, b).",
    ),
    ("y ~ a*x ~ b", "A formula has one `~`.", "    y ~ a*x ~ b", "            ^", FORM),
    (
        "y ~ a*x = b",
        "`=` cannot stand here.",
        "    y ~ a*x = b",
        "            ^",
        "Write response ~ expression; to compare two values write `==` inside where( ).",
    ),
    (
        "y = a*x",
        "A formula needs a `~` between the response and the expression.",
        "    y = a*x",
        "      ^",
        FORM,
    ),
    ("a*x", "A formula needs a `~` between the response and the expression.", "    a*x", "    ^", FORM),
    (
        "~ a*x",
        "Nothing stands before the `~`.",
        "    ~ a*x",
        "    ^",
        "Write the response there, for example `y ~ w*x`.",
    ),
    (
        "y ~ a*and",
        "`and` joins conditions, so it cannot stand alone.",
        "    y ~ a*and",
        "          ^^^",
        "If it is a column, put it in backticks: `and`.",
    ),
    (
        "y ~ w @ x",
        "After `@` comes a list of columns.",
        "    y ~ w @ x",
        "            ^",
        "Write `w @ [x1, x2]` or `w @ [*]`.",
    ),
    (
        "y ~ w @ []",
        "This list is empty.",
        "    y ~ w @ []",
        "             ^",
        "Name columns in it, for example `w @ [x1, x2]`.",
    ),
    (
        "y ~ [x, z] + b",
        "A list of columns must be multiplied by a vector parameter.",
        "    y ~ [x, z] + b",
        "        ^",
        "Write `w @ [x1, x2]`.",
    ),
    (
        "y ~ [x, z] @ 2",
        "After `@` comes the name of the vector parameter.",
        "    y ~ [x, z] @ 2",
        "                 ^",
        "Write `w @ [x1, x2]`.",
    ),
    (
        "y ~ a[0]",
        "In `a[ ]` stand columns, whose values tell the groups of `a` apart.",
        "    y ~ a[0]",
        "          ^",
        "Write `a[site]` for a value at each site; for a sum over columns `a @ [x1, x2]`.",
    ),
    # A Chinese character takes two places in a terminal, an accent of its own none.
    (
        "y ~ a*价格 + b*$温度",
        "`$` cannot stand in a formula.",
        "    y ~ a*价格 + b*$温度",
        "                   ^",
        SIGNS,
    ),
    (
        "y ~ 价格 温度",
        "`温度` follows another value with nothing between them.",
        "    y ~ 价格 温度",
        "             ^^^^",
        "To multiply, write `价格*温度`.",
    ),
    ("y ~ e\u0301*$", "`$` cannot stand in a formula.", "    y ~ e\u0301*$", "          ^", SIGNS),
    ("y\t~ a*$", "`$` cannot stand in a formula.", "    y ~ a*$", "          ^", SIGNS),
]


@pytest.mark.parametrize(("text", "what", "shown", "caret", "next_step"), MESSAGES, ids=[m[0] for m in MESSAGES])
def test_messages(text, what, shown, caret, next_step):
    assert refused(text) == f"{what}\n{shown}\n{caret}\n{next_step}"


@pytest.mark.parametrize("text", ["", "  \n "])
def test_empty_formula(text):
    assert refused(text) == f"The formula is empty. {FORM}"


def test_empty_expression():
    with pytest.raises(FormulaError) as caught:
        parse_expression(" ")
    assert str(caught.value) == "The expression is empty. Write one, for example `2*x + 1`."


def test_long_formulas_show_the_neighbourhood():
    text = "y ~ " + "a*x + " * 30 + "$ + " + "b*x + " * 30 + "c"
    assert refused(text) == (
        "`$` cannot stand in a formula.\n"
        "    ...x + a*x + a*x + a*x + a*x + a*x + a*x + $ + b*x + b*x + b*x +...\n"
        "                                               ^\n" + SIGNS
    )


def test_long_words_are_cut_in_messages():
    message = refused(f"y ~ a*{'x' * 500}(1)")
    assert message.startswith(
        f"There is no function `{'x' * 60}...`.\n    y ~ a*{'x' * 20}...(1)\n          {'^' * 23}\n"
    )


def test_too_many_characters():
    assert refused("y ~ a*x" + " " * 100_000) == (
        "The formula is 100,007 characters long; at most 100,000 can be read. "
        "Compute parts of it beforehand, as columns of the data."
    )


def test_ten_thousand_brackets():
    assert refused("y ~ " + "(" * 10_000 + "x" + ")" * 10_000) == (
        "The formula is nested more than 40 deep.\n"
        f"    ...{'(' * 61}...\n"
        "                                               ^\n" + SIMPLER
    )


@pytest.mark.parametrize(
    "text", ["y ~ " + "-" * 100 + "a", "y ~ a" + "^x" * 100, "y ~ " + "exp(" * 100 + "a", "y ~ " + "not " * 100 + "a"]
)
def test_nesting_of_every_kind_is_bounded(text):
    assert refused(text).startswith("The formula is nested more than 40 deep.\n")


def test_an_exhausted_stack_is_a_formula_error():
    def deeper(frames: int) -> object:
        return parse_expression("((((((((((x))))))))))") if frames == 0 else deeper(frames - 1)

    with pytest.raises(FormulaError) as caught:
        limit = sys.getrecursionlimit()  # 1,000, unless a library has raised it
        for frames in range(limit - 400, limit, 10):
            deeper(frames)
    assert str(caught.value) == f"The formula is nested too deeply. {SIMPLER}"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a×x", "a*x"),
        ("a·x ÷ z", "a*x/z"),
        ("a − b", "a - b"),
        ("ａ*x", "ａ*x"),
        ("ｂ＋a＊（x－１．５）", "ｂ + a*(x - 1.5)"),
        ("a * x ^ 2", "a*x**2"),
        ("where(x ≤ 1, a, b)", "where(x <= 1, a, b)"),
        ("where(x ≥ 1， a， b)", "where(x >= 1, a, b)"),
        ("where(x ≠ 1, a, b)", "where(x != 1, a, b)"),
        ("w @ 【x、z】", "w @ [x, z]"),
        ("w ＠ ［x，z］", "w @ [x, z]"),
        ("[x, z] @ w", "w @ [x, z]"),
        ("a*π", "a*pi"),
        ("2e3*a", "2000*a"),
        (".5*a + 1.", "0.5*a + 1"),
        ("\n a\t*\u00a0x\u3000", "a*x"),
    ],
)
def test_other_spellings_of_the_same(text, same):
    assert read(text, ("x", "z")) == read(same, ("x", "z"))


@pytest.mark.parametrize("text", ["y ～ a*x", "y ∼ a*x"])
def test_other_tildes(text):
    assert str(read_formula(text, COLUMNS)) == "y ~ a*x"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3*4", 14),
        ("2 - 3 - 4", -5),
        ("2/4/2", 0.25),
        ("2^3^2", 512),
        ("-2^2", -4),
        ("(-2)^2", 4),
        ("2^-2", 0.25),
        ("2*-3", -6),
        ("-2*3", -6),
        ("--2", 2),
        ("+2 - -3", 5),
        ("2**3", 8),
        ("2^-1^2", 0.5),
        ("1 - 2/4*2", 0),
        ("where(1 < 2 and not 2 < 1, 5, 6)", 5),
        ("where(2 < 1 or 1 == 1 and 1 != 1, 5, 6)", 6),
        ("where(0 < 1 <= 1, 5, 6)", 5),
        ("where(not (1 >= 2 or 3 > 2), 5, 6)", 6),
    ],
)
def test_precedence_as_in_mathematics(text, value):
    assert float(read(text)) == value


@pytest.mark.parametrize("name", ["é", "e\u0301", "कीमत", "ñandú", "δ1", "x_1", "_x", "温度２"])
def test_words_of_any_script_are_names(name):
    assert as_text(read(f"2*{name}")) == f"2*{name}"


def test_quoted_names_keep_their_characters():
    columns = ("~", "a]b", "a,b", "] @ [", "x*", "（x）", "tick`s", " ")
    for name in columns:
        quoted = f"`{name.replace('`', '``')}`"
        formula = read_formula(f"{quoted} ~ w @ [{quoted}] + a*{quoted}", columns)
        assert formula.columns == (name,)
        assert formula.parameters == {"w": (quoted,), "a": None}


def test_assignments():
    name, index, node = parse_assignment("w[x1] = mean(2*x1)")
    assert (name.name, len(index), node.function) == ("w", 1, "mean")
    name, index, _ = parse_assignment("`unit price` = 2*x")
    assert (name.name, name.quoted, index) == ("unit price", True, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The equation is empty. Write it as `w = mean(2*x*(w*x - y))`."),
        (
            "2*x",
            "A name and `=` must come first.\n    2*x\n    ^\nWrite it as `w = mean(2*x*(w*x - y))`.",
        ),
        (
            "w + 1",
            "A name and `=` must come first.\n    w + 1\n      ^\nWrite it as `w = mean(2*x*(w*x - y))`.",
        ),
        (
            "w",
            "A name and `=` must come first.\n    w\n     ^\nWrite it as `w = mean(2*x*(w*x - y))`.",
        ),
        (
            "w = 1 = 2",
            "`=` cannot stand here.\n    w = 1 = 2\n          ^\n"
            "Write response ~ expression; to compare two values write `==` inside where( ).",
        ),
    ],
)
def test_bad_assignments(text, message):
    with pytest.raises(FormulaError) as caught:
        parse_assignment(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("sign", "\u200b\u2060\ufeff\xad\xa0\u202f")
def test_blanks_that_cannot_be_seen_are_blanks(sign: str) -> None:
    assert parse_formula(f"{sign}y ~ a{sign}*x{sign}") == parse_formula(" y ~ a *x ")


@pytest.mark.parametrize(("pasted", "typed"), [("y ~ a ∙ x ⁄ b", "y ~ a * x / b"), ("y ~ a — x • b", "y ~ a - x * b")])
def test_signs_of_word_processors_are_those_of_keyboards(pasted: str, typed: str) -> None:
    assert parse_formula(pasted) == parse_formula(typed)
