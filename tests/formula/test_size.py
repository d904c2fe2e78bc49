"""Formulas that blow up are refused at once, with their size; long ones that do not are read."""

from __future__ import annotations

import time

import numpy as np
import pytest

import descend
from descend.errors import FormulaError
from descend.formula import read_formula
from descend.formula.formula import refuse_size

TOO_LARGE = {
    "*".join(f"(1 + a{k}*x)" for k in range(300)): "The formula has 300 parameters that do not enter linearly",
    " + ".join(f"a{k}*sin(b{k}*x + c{k})" for k in range(100)): "The formula has 200 parameters",
    " + ".join(f"a{k}*exp(-b{k}*x)" for k in range(500)): "The formula has 500 parameters",
    "*".join(f"cos(a*x^{k})" for k in range(1, 301)): "The formula multiplies 300 factors with parameters",
}


@pytest.mark.parametrize("text", TOO_LARGE, ids=["factors", "sines", "decays", "product"])
def test_what_blows_up_is_refused_at_once(text):
    begun = time.perf_counter()
    with pytest.raises(FormulaError) as caught:
        descend.fit(f"y ~ {text}", {"x": np.arange(1000.0), "y": np.arange(1000.0)})
    assert time.perf_counter() - begun < 10
    assert str(caught.value).startswith(TOO_LARGE[text])


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(f"a{k}*x^{k}" for k in range(500)),
        "*".join(f"(1 + a{k}*x)" for k in range(30)),
        "exp(" + " + ".join(f"a{k}*x^{k}" for k in range(150)) + ")",
        " + ".join(f"a{k}*exp(-b{k}*x)" for k in range(40)),
    ],
)
def test_what_does_not_is_read(text):
    refuse_size(read_formula(f"y ~ {text}", ["x", "y"]).expression)
