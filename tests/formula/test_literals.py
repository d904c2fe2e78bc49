"""Constants of a formula are printed as they were typed, in every language."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.formula import read_formula
from descend.formula.literals import as_typed
from descend.formula.printers.mathml import as_mathml
from descend.gradients.derivation import Derivation
from descend.inference.equation import equation
from descend.losses import LOSSES

COLUMNS = ("y", "x", "T", "k")
FORMULAS = {
    "k ~ A*exp(-E/(8.314*T))": "k ~ A*exp(-E/(8.314*T))",
    "y ~ a*x/96485.33 + b": "y ~ b + a*x/96485.33",
    "y ~ a*exp(-b/8.314*(1/x - 1/298.15))": "y ~ a*exp(-b*(1/x - 1/298.15)/8.314)",
    "y ~ a*x/0.7": "y ~ a*x/0.7",
    "y ~ a*(x/2.5)^b*8.314/96485.33": "y ~ 8.314*a*(x/2.5)^b/96485.33",
    "y ~ 6.62607e-34*x/(1.380649e-23*a)": "y ~ 6.62607e-34*x/(1.380649e-23*a)",
    "y ~ a*x^(1/2.2)": "y ~ a*x^(1/2.2)",
    "y ~ a*x/3 + 0.25*b": "y ~ a*x/3 + 0.25*b",
    "y ~ a/18 + 0.25*x*b": "y ~ a/18 + 0.25*b*x",
    "y ~ 0.1*a*x + b/3": "y ~ 0.1*a*x + b/3",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_constants_stay(text):
    formula = read_formula(text, COLUMNS)
    assert str(formula) == FORMULAS[text]
    again = read_formula(str(formula), COLUMNS)
    assert (again.expression - formula.expression).expand() == 0 or str(again) == str(formula)


@pytest.mark.parametrize("language", ["text", "latex", "numpy", "torch", "sql"])
def test_derivatives_keep_them_too(language):
    code = Derivation(read_formula("k ~ A*exp(-E/(8.314*T))", COLUMNS), LOSSES.build("squared")).code(language)
    assert "8.314" in code
    assert "4157" not in code
    code = Derivation(read_formula("y ~ a*x/96485.33 + b", COLUMNS), LOSSES.build("squared")).code(language)
    assert "96485.33" in code
    assert "e-05" not in code


def test_mathematics_on_a_page():
    formula = read_formula("y ~ 1.5e-7*x/(8.314*a)", COLUMNS)
    markup = as_mathml(formula.as_typed(formula.expression))
    assert "<mn>8.314</mn>" in markup
    assert "<mn>10</mn>" in markup


def test_the_fitted_equation_and_its_exports():
    T = np.linspace(300.0, 400.0, 9)
    fit = descend.fit("k ~ A*exp(-E/(8.314*T))", {"T": T, "k": 1e3 * np.exp(-5e3 / (8.314 * T))})
    assert equation(fit.model, fit.parameters, fit.rounding).startswith("k ~ 1000*exp(-5000/(8.314*T))")
    for to in ("python", "torch", "sql", "latex"):
        assert "8.314" in fit.export(to)


@pytest.mark.parametrize(
    ("text", "derivatives"),
    [
        ("y ~ a*x + 0.00123*b + 96485.33*c*x^2", [
            "dJ/da = mean(2*x*(0.00123*b + 96485.33*c*x^2 + a*x - y))",
            "dJ/db = mean(2*0.00123*(0.00123*b + 96485.33*c*x^2 + a*x - y))",
            "dJ/dc = mean(2*96485.33*x^2*(0.00123*b + 96485.33*c*x^2 + a*x - y))",
        ]),
        ("y ~ a + b/(x + 273.15)", [
            "dJ/da = mean(2*(a + b/(273.15 + x) - y))",
            "dJ/db = mean(2*(a + b/(273.15 + x) - y)/(273.15 + x))",
        ]),
        ("y ~ a*exp(-x) + 1.380649e-23*b", [
            "dJ/da = mean(2*(1.380649e-23*b + a*exp(-x) - y)*exp(-x))",
            "dJ/db = mean(2*1.380649e-23*(1.380649e-23*b + a*exp(-x) - y))",
        ]),
        ("y ~ 0.5*a*x^2 + b", ["dJ/da = mean(x^2*(0.5*a*x^2 + b - y))", "dJ/db = mean(a*x^2 + 2*b - 2*y)"]),
    ],
)  # fmt: skip
def test_what_is_simplified_leaves_them_as_they_are(text, derivatives):
    assert descend.derive(text, columns=["x", "y"]).code("text").splitlines() == derivatives


def test_whole_numbers_of_many_digits_stay_as_they_are():
    read = read_formula("y ~ a*(f - 5e9) + 1024*b*f^2", ("f", "y"))
    for derivative in read.jacobian.values():
        assert as_typed(derivative, ("5e9", "1024"), held=True) == derivative
