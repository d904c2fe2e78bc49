"""Every named curve: its derivatives judged by the court, its minimum found without a start, the same in a database."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import descend
from descend.formula import read_formula
from descend.formula.compile import compile_expression
from descend.formula.curves import CURVES
from descend.formula.curves.example import example
from descend.formula.symbols import Column, Parameter

ROWS = 25
TINY = 1e-30
EIGHTH = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
"""Factors of the differences of eighth order, by the number of steps to both sides."""


def noisy(curve, seed=0):
    """Return typical data, 2% off, and the parameters that made them."""
    found = example(curve, ROWS, np.random.default_rng([seed, 1]))
    off = 0.02 * np.random.default_rng([seed, 2]).normal(size=ROWS)
    y = found.y * np.exp(off) if curve.logarithmic else found.y + np.ptp(found.y) * off
    return {"x": found.x, "y": y}, dict(found.values)


def formula_of(curve):
    return f"log(y) ~ log({curve.short})" if curve.logarithmic else f"y ~ {curve.short}"


def named(function, truth):
    """Return a function of x and any parameters as one that names them."""
    own = [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in ("x", *truth)]
    function.__signature__ = inspect.Signature(own)
    return function


@pytest.mark.parametrize("name", CURVES)
def test_the_court_finds_its_derivatives_right(name):
    """By complex steps of the curve itself, or differences of eighth order; and a slope that is 1% off is found."""
    curve = CURVES[name]
    data, truth = noisy(curve)
    ranges = {argument.name: argument for argument in curve.parameters}

    room = {name: 0.1 * abs(value) for name, value in truth.items()}  # for places far from 0
    bounds = {name: (each.at(-0.2) - room[name], each.at(1.2) + room[name]) for name, each in ranges.items()}
    expression = read_formula(f"y ~ {CURVES[name].short}", ["x", "y"]).expression
    function = compile_expression(expression, (Column("x"), *map(Parameter, truth)))

    def slopes(x, **values):
        found = []
        for each, value in values.items():
            try:  # by a complex step, which is exact, where the functions take complex numbers
                moved = [np.complex128(complex(other, TINY * (own == each))) for own, other in values.items()]
                found.append(np.broadcast_to(np.imag(function(x.astype(complex), *moved)) / TINY, x.shape))
            except (TypeError, np.exceptions.ComplexWarning):
                step = 1e-3 * min(abs(value), ranges[each].high - ranges[each].low)
                ends = ({**values, each: value + way * number * step} for number in EIGHTH for way in (1, -1))
                ahead = [function(x, *map(np.float64, end.values())) for end in ends]
                pairs = zip(EIGHTH.values(), ahead[::2], ahead[1::2], strict=True)
                found.append(sum(factor * (above - below) for factor, above, below in pairs) / step)
        return np.column_stack(found)

    judged = descend.check(f"y ~ {CURVES[name].short}", data, gradient=named(slopes, truth), start=truth, bounds=bounds)
    assert judged.agree, str(judged)
    off = np.where(np.arange(len(truth)) == len(truth) - 1, 1.01, 1.0)
    wrong = named(lambda x, **values: off * slopes(x, **values), truth)
    assert not descend.check(f"y ~ {CURVES[name].short}", data, gradient=wrong, start=truth, bounds=bounds).agree


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVES)
def test_its_minimum_is_found_without_a_start(name):
    """One set of data each; `benchmarks/curves.py` has a hundred."""
    curve = CURVES[name]
    data, truth = noisy(curve, seed=1)
    best = descend.fit(formula_of(curve), data, start=truth)
    fit = descend.fit(formula_of(curve), data)
    assert fit.loss <= best.loss * (1.0 + 1e-6)
