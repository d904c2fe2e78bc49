"""A formula, and the same with a parameter fixed, tied, renamed or in another order, end at the same minimum."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend

X = np.linspace(0.0, 10.0, 200)
CURVES = {
    "a*exp(-b*x) + c": {"a": 2.5, "b": 1.3, "c": 0.5},
    "a*exp(-b*x) + c*exp(-d*x)": {"a": 2.5, "b": 1.9, "c": 5.0, "d": 0.2},
    "a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/u)^2)": {"a": 2.0, "m": 4.0, "s": 0.2, "b": 1.0, "n": 7.0, "u": 0.5},
    "a/(1 + ((x - m)/s)^2) + b*x + c": {"a": 2.0, "m": 4.0, "s": 0.3, "b": 0.1, "c": 1.0},
    "a*tanh(b*(x - m)) + c": {"a": 2.0, "b": 4.0, "m": 3.0, "c": 1.0},
    "a*exp(-exp(b - c*x))": {"a": 2.0, "b": 4.0, "c": 1.5},
    "a*sin(v*x + p) + b*sin(w*x + q)": {"a": 2.0, "v": 7.0, "p": 1.0, "b": 0.5, "w": 23.0, "q": 2.0},
}


def made(formula):
    names = {name: np.full(X.size, value) for name, value in CURVES[formula].items()}
    y = descend.generate(f"y = {formula}", {"x": X, **names})["y"]
    return {"x": X, "y": y + 0.05 * y.std() * np.random.default_rng(0).normal(size=X.size)}


def summands(formula):
    """The terms of a sum: its parts between ` + ` outside all brackets."""
    terms = [""]
    for part in formula.split(" + "):
        inside = terms[-1].count("(") > terms[-1].count(")")
        terms = [*terms[:-1], f"{terms[-1]} + {part}"] if inside else [*terms, part]
    return terms[1:]


FITTED = {formula: descend.fit(f"y ~ {formula}", made(formula), start=CURVES[formula]) for formula in CURVES}


@pytest.mark.parametrize("formula", CURVES)
def test_a_parameter_that_is_fixed_where_it_belongs_changes_nothing(formula):
    best = FITTED[formula]
    for name, value in best.parameters.items():
        fit = descend.fit(f"y ~ {formula}", made(formula), fix={name: value})
        assert fit.outcome == "converged", name
        assert fit.loss == pytest.approx(best.loss, rel=1e-6), name


@given(st.sampled_from(sorted(CURVES)), st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_names_and_the_order_of_terms_change_nothing(formula, random):
    names = list(CURVES[formula])
    new = dict(zip(names, random.sample(["za", "yb", "xc", "wd", "ve", "uf", "tg"], len(names)), strict=True))
    terms = summands(formula)
    random.shuffle(terms)
    written = re.sub(rf"\b({'|'.join(names)})\b(?!\()", lambda match: new[match[1]], " + ".join(terms))
    fit = descend.fit(f"y ~ {written}", made(formula))
    assert fit.outcome == "converged"
    assert fit.loss == pytest.approx(FITTED[formula].loss, rel=1e-6)


TIES = {
    "a*exp(-b*x) + c*exp(-d*x)": ("d", "b"),
    "a*exp(-((x - m)/s)^2) + b*exp(-((x - n)/u)^2)": ("u", "s"),
    "a*sin(v*x + p) + b*sin(w*x + q)": ("a", "b"),
    "a*tanh(b*(x - m)) + c": ("a", "c"),
}


@pytest.mark.parametrize("formula", TIES)
def test_a_tie_that_holds_changes_nothing(formula):
    best, (one, other) = FITTED[formula], TIES[formula]
    ratio = best.parameters[one] / best.parameters[other]
    fit = descend.fit(f"y ~ {formula}", made(formula), ties=[f"{one} = {ratio!r}*{other}"])
    assert fit.outcome == "converged"
    assert fit.loss == pytest.approx(best.loss, rel=1e-6)
