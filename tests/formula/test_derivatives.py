"""Derivatives against central differences in 50 digits, for random formulas of all functions; and at kinks."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Expr
from tests.formula.expressions import read, texts
from tests.formula.in_mpmath import IN_MPMATH

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.errors import FormulaError
from descend.formula import as_text, read_formula
from descend.formula.derivative import derivatives
from descend.formula.functions import NAMES
from descend.formula.symbols import Column, Parameter
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Rows

DIGITS = 50
STEP = mpmath.mpf(10) ** -16


def evaluate(node: Expr, point: dict[Expr, mpmath.mpf]) -> mpmath.mpf:
    """Evaluate an expression in mpmath by walking it, independently of every printer."""
    if node in point:
        return point[node]
    if node.is_Rational:
        return mpmath.mpf(node.p) / node.q
    if node.is_Number or node.is_NumberSymbol:
        return node._to_mpmath(mpmath.mp.prec)
    if NAMES.get(node.func) == "where":
        return evaluate(node.args[1 if holds(node.args[0], point) else 2], point)
    values = [evaluate(argument, point) for argument in node.args]
    if node.is_Add:
        return mpmath.fsum(values)
    if node.is_Mul:
        return mpmath.fprod(values)
    result = values[0] ** values[1] if node.is_Pow else IN_MPMATH[NAMES[node.func]](*values)
    if not mpmath.isfinite(result) or isinstance(result, mpmath.mpc):
        raise ValueError
    return result


def holds(condition: Expr, point: dict[Expr, mpmath.mpf]) -> bool:
    if condition.is_Relational:
        left, right = (evaluate(side, point) for side in condition.args)
        # A kink, or close to one: there is no derivative to compare.
        assume(abs(left - right) > 1e-6)
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}.get(
            condition.rel_op, condition.rel_op == "!="
        )
    parts = [holds(part, point) for part in condition.args]
    return {"And": all(parts), "Or": any(parts), "Not": not parts[0]}[type(condition).__name__]


NUMBERS = ("1", "2", "3", "0.5", "2.5", "0.1", "pi")
EXPONENTS = ("2", "3", "-1", "-2", "0.5", "1.5", "(1/3)", "a", "x", "(a*x)", "(-b)")
VALUES = st.floats(0.1, 2.0).map(lambda value: round(value, 3))


@settings(max_examples=250)
@given(
    text=texts(columns=("x", "z"), parameters=("a", "b"), numbers=NUMBERS, exponents=EXPONENTS, depth=4),
    values=st.lists(VALUES, min_size=4, max_size=4, unique=True),
)
def test_derivatives_are_those_of_central_differences(text, values):
    symbols = [Parameter("a"), Parameter("b"), Column("x"), Column("z")]
    try:
        expression = read(text, ("x", "z"))
    except FormulaError:
        assume(False)
    with mpmath.workdps(DIGITS):
        point = {symbol: mpmath.mpf(value) for symbol, value in zip(symbols, values, strict=True)}
        for symbol, derivative in derivatives(expression, symbols).items():
            try:
                ahead, behind = (evaluate(expression, point | {symbol: point[symbol] + h}) for h in (STEP, -STEP))
                far, farther = (evaluate(expression, point | {symbol: point[symbol] + 2 * h}) for h in (STEP, -STEP))
                exact = evaluate(derivative, point)
            except (ValueError, ZeroDivisionError, OverflowError, TypeError):
                assume(False)
            difference, wide = (ahead - behind) / (2 * STEP), (far - farther) / (4 * STEP)
            scale = max(1, abs(evaluate(expression, point)), abs(difference))
            assume(abs(difference - wide) < scale * mpmath.mpf(10) ** -20)  # smooth here, and not out of digits
            assert abs(exact - difference) < scale * mpmath.mpf(10) ** -20, (symbol, as_text(derivative))


KINKS = [
    ("abs(a*x)", 0.0, 0.0),
    ("max(a*x, 0)", 0.0, 0.5),
    ("max(0, a*x)", 0.0, 0.5),
    ("min(a*x, 0)", 0.0, 0.5),
    ("min(0, a*x, 1)", 0.0, 0.5),
    ("max(a*x, a*x)", 1.0, 1.0),
    ("where(a*x > 0, 3*a*x, a*x)", 0.0, 1.0),
    ("where(a*x >= 0, 3*a*x, a*x)", 0.0, 3.0),
    ("sqrt((a*x)^2)", 0.0, 0.0),
    ("where(a*x == 0, 3*a*x, a*x)", 0.0, 3.0),
]


@pytest.mark.parametrize(("text", "at", "slope"), KINKS, ids=[kink[0] for kink in KINKS])
def test_at_a_kink_the_sides_are_shared_as_pytorch_shares_them(text, at, slope):
    formula = read_formula(f"y ~ {text}", ("x", "y"))
    program = derived(formula, LOSSES.build("squared"))
    columns = {"x": np.ones(1), "y": np.full(1, -1.0)}
    theta = np.array([at])
    residual = NumpyEngine(program, Rows(columns)).evaluate(theta, 0).loss ** 0.5
    for engine in (
        NumpyEngine(program, Rows(columns)),
        TorchEngine(program, Rows(columns)),
        TorchEngine(autograd_of_formula(program), Rows(columns)),
    ):
        assert engine.evaluate(theta, 1).gradient == pytest.approx([2 * residual * slope])


@pytest.mark.parametrize("text", ["a*x^b + c", "x^b/(a^b + x^b)*c", "a + c*(x - 1)^b"])
def test_powers_of_zero_have_a_finite_derivative(text):
    formula = read_formula(f"y ~ {text}", ("x", "y"))
    program = derived(formula, LOSSES.build("squared"))
    columns = {"x": np.array([0.0, 1.0, 2.0]) if "x - 1" not in text else np.array([1.0, 2.0, 3.0]), "y": np.ones(3)}
    theta = np.array([0.7, 1.8, 0.4])
    totals = [
        engine.evaluate(theta, 1).gradient
        for engine in (NumpyEngine(program, Rows(columns)), TorchEngine(autograd_of_formula(program), Rows(columns)))
    ]
    assert np.isfinite(totals[0]).all()
    np.testing.assert_allclose(totals[0], totals[1], rtol=1e-12)
