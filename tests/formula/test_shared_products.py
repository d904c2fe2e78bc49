"""Products that expressions share: nothing is multiplied twice, and every value stays what it was."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Mul

from descend.formula import read_formula
from descend.formula.printers.code import ROWWISE
from descend.formula.row_code import RowCode
from descend.formula.shared_products import SharedProducts, apart
from descend.gradients.derived import derived
from descend.losses import LOSSES

FORMULAS = [
    "a*exp(-b*x) + c",
    "a*x/(b + x)",
    "a*exp(-(x - b)^2/(2*c^2)) + d",
    "a/(1 + ((x - b)/c)^2)",
    "a + (b - a)/(1 + (x/c)^d)",
    "(a + b*x + c*x^2)/(1 + d*x + e*x^2)",
    "a*exp(-((x - b)/c)^2) + d*exp(-((x - b)/e)^2)",
    "a*(1 - exp(-(x/b)^c))*z + z*x*b",
    "a*sin(b*x + c) + d*x*cos(b*x + c)",
    "where(x > b, a*x + b, c*x*z)",
    "a^2*x*z/(b + x*z)^3",
]


def program(text):
    return derived(read_formula(f"y ~ {text}", ["x", "z", "y"]), LOSSES.build("squared"))


def shared(what):
    writer = RowCode(what.formula, what.parameters.slices, ROWWISE, {}).writer()
    products = SharedProducts(writer.varies, writer.given)
    return products, products.rewritten([*what.jacobian.values(), what.score])


def value(expression, numbers, definitions):
    while any(symbol in definitions for symbol in expression.free_symbols):
        expression = expression.xreplace(definitions)
    return complex(expression.subs(numbers).evalf(30))


@pytest.mark.parametrize("text", FORMULAS)
def test_every_value_stays_what_it_was(text):
    what = program(text)
    products, found = shared(what)
    rng = np.random.default_rng(1)
    symbols = what.score.free_symbols | {symbol for slope in what.jacobian.values() for symbol in slope.free_symbols}
    numbers = {symbol: float(rng.uniform(0.5, 2.0)) for symbol in sorted(symbols, key=str)}
    for before, after in zip([*what.jacobian.values(), what.score], found, strict=True):
        assert value(after, numbers, products.definitions) == pytest.approx(value(before, numbers, {}), rel=1e-13)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_two_factors_are_multiplied_twice(text):
    products, _ = shared(program(text))
    pairs = [
        frozenset((one, other))
        for product in products.definitions.values()
        for one in Mul.make_args(product)
        for other in Mul.make_args(product)
        if one != other
    ]
    assert len(pairs) == 2 * len(set(pairs))


def test_a_saturating_curve_is_one_division_and_three_products():
    products, (by_limit, by_half, curve) = shared(program("a*x/(b + x)"))
    written = [str(each) for each in (by_limit, by_half, curve)]
    assert written == ["product 0", "-a*product 1", "a*product 0"]
    assert {str(name): str(each) for name, each in products.definitions.items()} == {
        "product 0": "inverse 0*x",
        "product 1": "inverse 0*product 0",
        "inverse 0": "1/(b + x)",
    }


def test_what_is_divided_by_once_stays_a_division():
    what = program("a*x/(b + x)")
    writer = RowCode(what.formula, what.parameters.slices, ROWWISE, {}).writer()
    products = SharedProducts(writer.varies, writer.given)
    assert [str(each) for each in products.rewritten([what.score])] == ["a*product 0"]
    assert [str(each) for each in products.definitions.values()] == ["x/(b + x)"]


def test_numbers_come_apart_from_rows():
    what = program("a*x*exp(-b*x)")
    writer = RowCode(what.formula, what.parameters.slices, ROWWISE, {}).writer()
    number, rest = apart(what.score, writer.same)
    assert (str(number), str(rest)) == ("a", "x*exp(-b*x)")
