"""LaTeX: what it says, and that it is well formed, whatever the names."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from matplotlib.mathtext import MathTextParser
from tests.formula.expressions import call_of, read, texts

from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.derivative import derivatives
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.latex import as_latex

PARSER = MathTextParser("path")


def refuse_malformed(latex: str) -> None:
    """Fail unless brackets and environments match, and nothing would start a comment or an argument."""
    bare = re.sub(r"\\[&%$#_{}]", "", latex)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left", bare)) == len(re.findall(r"\\right", bare))
    assert re.findall(r"\\begin{(\w+)}", bare).count("cases") == re.findall(r"\\end{(\w+)}", bare).count("cases")
    assert not re.search(r"[%#$~]", bare)
    assert bare.count("&") == bare.count(r"\\ ") * 2 == latex.count(r"\begin{cases}") * 2
    if "cases" not in latex and "`" not in latex and latex.isascii():
        PARSER.parse(f"${latex.replace(chr(92) + 'text', chr(92) + 'mathrm')}$")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a*exp(-b*x) + c", "a e^{- b x} + c"),
        ("w1*x1 + w_2*x2", "w_{1} x_{1} + w_{2} x_{2}"),
        ("beta*x^alpha", r"\beta x^{\alpha}"),
        ("k_max*x/(k_m + x)", r"\frac{k_{\mathrm{max}} x}{k_{m} + x}"),
        ("slope*height", r"\mathrm{slope} \mathrm{height}"),
        ("a*unit_price", r"a \mathrm{unit\_price}"),
        ("a*`unit price`", r"a \text{unit price}"),
        ("a*价格", r"a \text{价格}"),
        ("a*`50% {x}_$`", r"a \text{50\% \{x\}\_\$}"),
        ("a*`x^2~\\`", r"a \text{x\hat{}2\sim{}\backslash{}}"),
        ("sqrt(a)*abs(x)^2", r"\sqrt{a} \left|x\right|^{2}"),
        ("a/sqrt(x)", r"\frac{a}{\sqrt{x}}"),
        ("sigmoid(a*x)^2", r"\sigma\left(a x\right)^{2}"),
        ("log2(x)*a", r"a \log_2\left(x\right)"),
        ("min(a, x)", r"\min\left(a, x\right)"),
        ("atan2(a, x)", r"\operatorname{atan2}\left(a, x\right)"),
        ("gamma(a)*x", r"x \Gamma\left(a\right)"),
        ("where(x > 0, a, b)", r"\begin{cases} a & x > 0 \\ b & \text{otherwise} \end{cases}"),
        ("w @ [x1, x2^2, `unit price`]", r"w^\top \left[x_{1}, x_{2}^{2}, \text{unit price}\right]"),
        ("(w @ [x1, x2])^2*a", r"a \left(w^\top \left[x_{1}, x_{2}\right]\right)^{2}"),
        ("beta @ [x1, 2*pi*x2, `e`*e]", r"\beta^\top \left[x_{1}, 2 \pi x_{2}, e e\right]"),
    ],
)
def test_latex(text, latex):
    columns = ("x", "x1", "x2", "unit price", "价格", "height", "unit_price", "50% {x}_$", "x^2~\\", "y")
    if "`e`" in text:
        text, latex = text.replace("`e`*e", "e"), latex.replace("e e", "e")
    assert as_latex(read_formula(f"y ~ {text} + 0", columns).expression) == latex
    refuse_malformed(latex)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_and_its_derivative_is_well_formed(name):
    call = call_of(name, "a*x", "b", "x^2")
    expression = read(f"{call}^2 + c/{call}")
    for part in (expression, *derivatives(expression, expression.free_symbols).values()):
        refuse_malformed(as_latex(part))


@settings(max_examples=100)
@given(texts(depth=4))
def test_latex_is_well_formed(text):
    try:
        expression = read(text)
    except FormulaError:
        assume(False)
    refuse_malformed(as_latex(expression))
