"""Numbers between which expressions stay, held against their values at random points."""

from __future__ import annotations

import numpy as np
import pytest

from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.domain import interval
from descend.formula.functions import POSITIVE

TEXTS = {
    "3 - 2*sigmoid(a + b*x)": (1.0, 3.0),
    "a^2 + 1": (1.0, np.inf),
    "1/(1 + (a*x)^2)": (0.0, 1.0),
    "x^b/(x^b + a^b)": (0.0, 1.0),
    "max(sin(a*x), 0.5)": (0.5, 1.0),
    "where(x > 1, tanh(a), 2)": (-1.0, 2.0),
    "abs(a - x) + softplus(b)": (0.0, np.inf),
    "exp(-abs(a*x))": (0.0, 1.0),
    "a*x": (-np.inf, np.inf),
}


@pytest.mark.parametrize("text", TEXTS)
def test_an_expression_stays_within_its_interval(text):
    expression = read_formula(f"y ~ {text}", ("x", "y")).expression
    low, high = interval(expression, {})
    assert (low, high) == TEXTS[text]
    symbols = tuple(expression.free_symbols)
    values = np.random.default_rng(0).normal(scale=3.0, size=(len(symbols), 500))
    with np.errstate(all="ignore"):
        found = compile_expression(expression, symbols)(*values)
    found = found[np.isfinite(found)]
    assert low <= found.min() and found.max() <= high


def test_what_is_known_of_a_symbol_narrows_it():
    expression = read_formula("y ~ 1 - exp(-k*x)", ("x", "y")).expression
    assert interval(expression, dict.fromkeys(expression.free_symbols, POSITIVE)) == (0.0, 1.0)
