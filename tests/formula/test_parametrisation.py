"""Valleys beside each other, as the expression alone tells."""

from __future__ import annotations

import pytest

from descend.formula import read_formula
from descend.formula.parametrisation import like_terms, nonlinear, shared


def names(symbols):
    return [symbol.name for symbol in symbols]


def of(text):
    return read_formula(text, ["x", "y"])


@pytest.mark.parametrize(
    ("text", "sought", "both"),
    [
        ("y ~ a*exp(-b*x) + c", ["b"], []),
        ("y ~ a*exp(-b*x) + c*exp(-2*b*x)", ["b"], ["b"]),
        ("y ~ (a + c*x)*exp(-b*x)", ["b"], ["b"]),
        ("y ~ a*exp(-b*x) + c*exp(-(b + d)*x)", ["b", "d"], ["b"]),
        ("y ~ d + (a - d)/(1 + (x/c)^b)", ["c", "b"], []),
        ("y ~ (a + b*x)/(1 + c*x)", ["c"], ["c"]),
        ("y ~ V*x/(K + x)", ["K"], []),
        ("y ~ a*x + b", [], []),
    ],
)
def test_a_parameter_that_shapes_two_terms(text, sought, both):
    assert sorted(names(nonlinear(of(text)))) == sorted(sought)
    assert names(shared(of(text))) == both


@pytest.mark.parametrize(
    ("text", "free", "held"),
    [
        ("y ~ a*exp(-b*x) + c*exp(-d*x)", [], [("b", "d")]),
        ("y ~ a*(exp(-b*x) + 2*exp(-d*x))", [("b", "d")], [("b", "d")]),
        ("y ~ a*exp(-((x - m)/s)^2) + 3*a*exp(-((x - n)/t)^2)", [("m", "n", "s", "t")], [("m", "n", "s", "t")]),
        ("y ~ a*exp(-b*x) + c/(1 + d*x)", [], []),
    ],
)
def test_terms_that_are_alike_but_for_numbers(text, free, held):
    for bounded, pairs in ((False, free), (True, held)):
        found = [tuple(sorted((*names(one), *names(other)))) for one, other in like_terms(of(text), bounded)]
        assert found == pairs
