"""Distributions of scipy.stats within a function: the formula has SciPy's values, within their ends and outside."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.stats import norm

from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter
from descend.tracing.distributions import SHAPES
from descend.tracing.tape import UntraceableError
from descend.tracing.tracing import trace

X = np.linspace(-2.0, 5.0, 71)
VALUES = {"m": -0.3, "s": 1.4, "p": 2.3, "q": 1.2}


def evaluated(function) -> np.ndarray:
    try:
        text = trace(function, ("x",), tuple(VALUES))
    except UntraceableError as error:
        if "formulas do not know" in str(error):
            pytest.skip(str(error))
        raise
    compiled = compile_expression(
        read_formula(f"y ~ {text}", ("x", "y")).expression, (Column("x"), *map(Parameter, VALUES))
    )
    with np.errstate(all="ignore"):
        return np.broadcast_to(compiled(X, *VALUES.values()), X.shape)


def called(name: str, method: str):
    shapes = len([each for each in (getattr(stats, name).shapes or "").split(",") if each])

    def function(x, m, s, p, q):
        return getattr(getattr(stats, name), method)(x, *(p, q)[:shapes], loc=m, scale=s) + 0.0 * (p + q)

    return function


METHODS = [
    (name, method)
    for name, shape in SHAPES.items()
    for method in ("pdf", "logpdf", "cdf", "sf")
    if method.endswith("pdf") or shape.below is not None or shape.above is not None
]


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_values_are_scipys(name: str, method: str) -> None:
    function = called(name, method)
    with np.errstate(divide="ignore"):
        expected = function(X, *VALUES.values())
    np.testing.assert_allclose(evaluated(function), expected, rtol=2e-12, atol=1e-15)


def test_they_may_be_called_in_any_of_scipys_ways() -> None:
    plain = evaluated(lambda x, m, s, p, q: p * norm.pdf(x, m, s) + q)
    for function in (
        lambda x, m, s, p, q: p * stats.norm(m, s).pdf(x) + q,
        lambda x, m, s, p, q: p * stats.norm.freeze(loc=m, scale=s).pdf(x) + q,
        lambda x, m, s, p, q: p * norm.pdf((x - m) / s) / s + q,
        lambda x, m, s, p, q: p * norm.pdf(x, scale=s, loc=m) + q * norm.cdf(np.inf) + 0.0 * norm.ppf(0.2),
    ):
        np.testing.assert_allclose(evaluated(function), plain, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x, m, s, p, q: norm.ppf(x, m, s), "turns x into a plain array"),
        (lambda x, m, s, p, q: norm(m, s).isf(x), "calls norm.isf of scipy.stats"),
        (lambda x, m, s, p, q: stats.t.cdf(x, p), "calls t.cdf of scipy.stats"),
    ],
)
def test_what_has_no_formula_says_so(function, reason: str) -> None:
    with pytest.raises(UntraceableError) as caught:
        trace(function, ("x",), tuple(VALUES))
    assert str(caught.value).partition(" (line")[0] == reason
