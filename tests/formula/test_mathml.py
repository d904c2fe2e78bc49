"""MathML: what it says, and that it is well formed, whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html import unescape

import pytest
from hypothesis import assume, given, settings
from tests.formula.expressions import call_of, read, texts

from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.mathml import as_mathml

COLUMNS = ["x", "y", "x1", "x2", "unit price", "<x>&\"'", "height"]


def parsed(markup: str) -> ET.Element:
    """Parse markup; HTML's named spaces are no part of XML."""
    plain = markup.replace("&InvisibleTimes;", "\N{INVISIBLE TIMES}").replace("&nbsp;", "\N{NO-BREAK SPACE}")
    return ET.fromstring(f"<math>{plain}</math>")


def shown(text: str) -> str:
    """Return the characters of an expression in reading order."""
    expression = read_formula(f"y ~ {text}", COLUMNS).expression
    return "".join(parsed(as_mathml(expression)).itertext()).replace("\N{INVISIBLE TIMES}", "")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a*exp(-b*x) + c", "ae−bx+c"),
        ("-(a + b*x)*x", "−x(a+bx)"),
        ("beta_2*x1", "β2x1"),
        ("slope*height", "slope⋅height"),
        ("a*`unit price`", "a⋅unit price"),
        ("a*`<x>&\"'`", "a⋅<x>&\"'"),
        ("log2(x)*a", "alog2(x)"),
        ("abs(x)*a", "a|x|"),
        ("gamma(a)*x", "xΓ(a)"),
        ("sigmoid(a*x)^2", "σ(ax)2"),
        ("where(x < 0, a, b)", "{aif\N{NO-BREAK SPACE}x<0botherwise"),
        ("w @ [x1, x2]", "w⊤[x1,x2]"),
        ("(w @ [x1, x2])^2*a", "a(w⊤[x1,x2])2"),
    ],
)
def test_it_reads_as_the_formula_does(text, seen):
    assert shown(text) == seen


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_written(name):
    assert "x" in shown(f"b*{call_of(name, 'a*x', 'x', 'a')} + a")


def test_a_name_is_never_markup():
    markup = as_mathml(read_formula("y ~ a*`<x>&\"'`", COLUMNS).expression)
    assert "<x>" not in markup and "<x>&\"'" in unescape(markup)


@settings(max_examples=100)
@given(texts(depth=4))
def test_it_is_well_formed(text):
    try:
        expression = read(text)
    except FormulaError:
        assume(False)
    parsed(as_mathml(expression))
