"""Formulas at the edge of what can be read: all of them are derived, compiled and written in reasonable time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from descend.engines.compiled import compiled
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.torch_engine import TorchEngine
from descend.errors import FormulaError
from descend.formula import as_text, read_formula
from descend.formula.printers.code import SQL, TORCH, Writer
from descend.formula.printers.latex import as_latex
from descend.gradients.autograd import autograd_of_formula
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Rows

DEEP = 38
SHAPES = {
    **{name: f"{name}(" * DEEP + "a*x" + ")" * DEEP for name in ("exp", "log", "sqrt", "tan", "sigmoid", "gamma")},
    "brackets": "(" * DEEP + "a*x" + ")" * DEEP,
    "polynomials": "(" * DEEP + "a*x" + " + 1)^2" * DEEP,
    "fractions": "1/(b + " * DEEP + "a*x" + ")" * DEEP,
    "powers": "a^(x*" * (DEEP // 2) + "b" + ")" * (DEEP // 2),
    "where": "where(x > 1, b, " * DEEP + "a*x" + ")" * DEEP,
    "max": "max(b*x, a + " * DEEP + "a*x" + ")" * DEEP,
    "atan2": "atan2(x, b + " * DEEP + "a*x" + ")" * DEEP,
}


def at_depth(frames, function):
    """Call a function as if a program were that deep in its own calls already."""
    return function() if frames == 0 else at_depth(frames - 1, function)


@pytest.mark.parametrize("shape", SHAPES)
def test_deep_nesting_is_read_derived_compiled_and_written(shape):
    def everything():
        formula = read_formula(f"y ~ {SHAPES[shape]} + c", ("x", "y"))
        program = derived(formula, LOSSES.build("squared"))
        compiled(program, "numpy", False), compiled(program, "torch", False), autograd_of_formula(program)
        for derivative in formula.jacobian.values():
            as_text(derivative), as_latex(derivative), Writer(TORCH).write(derivative)

    begin = time.process_time()
    at_depth(150, everything)
    assert time.process_time() - begin < 60  # twice the work for each level would take years


def test_sql_that_would_double_at_every_level_is_refused():
    expression = read_formula("y ~ a*" + "softplus(" * DEEP + "x" + ")" * DEEP, ("x", "y")).expression
    with pytest.raises(FormulaError) as caught:
        Writer(SQL).write(expression)
    assert str(caught.value) == (
        "The formula is nested too deeply to be written as sql. Simplify it, or split it into columns of the data."
    )


def test_a_sum_of_five_thousand_terms():
    begin = time.process_time()
    formula = read_formula("y ~ " + " + ".join(f"a{k}*x^{k % 7}" for k in range(5000)), ("x", "y"))
    assert len(formula.jacobian) == 5000
    assert as_text(formula.jacobian[formula.unknowns[9]]) == "x^2"
    assert len(str(formula)) > 40_000
    assert time.process_time() - begin < 30


@pytest.mark.parametrize("engine", [NumpyEngine, TorchEngine])
def test_a_sum_of_a_thousand_terms_runs(engine):
    formula = read_formula("y ~ " + " + ".join(f"a{k}*x^{k % 7}" for k in range(1000)), ("x", "y"))
    x = np.linspace(0, 1, 5)
    totals = engine(derived(formula, LOSSES.build("squared")), Rows({"x": x, "y": np.zeros(5)})).evaluate(
        np.ones(1000), 1
    )
    counts = np.bincount(np.arange(1000) % 7)
    prediction = sum(count * x**power for power, count in enumerate(counts))
    np.testing.assert_allclose(totals.loss, np.sum(prediction**2), rtol=1e-12)
    np.testing.assert_allclose(totals.gradient[8], np.sum(2 * prediction * x), rtol=1e-12)


def test_long_products_and_powers():
    assert as_text(read_formula("y ~ a*x" + "*x" * 5000, ("x", "y")).expression) == "a*x^5001"
    assert as_text(read_formula("y ~ a*(((x^999)^999)^999)^999", ("x", "y")).expression) == "a*x^996005996001"
    assert as_text(read_formula("y ~ a*x^1e9", ("x", "y")).expression) == "a*x^1000000000"
    formula = read_formula("y ~ " + "*".join(f"(a{k} + x)" for k in range(150)), ("x", "y"))
    assert len(formula.jacobian) == 150
    compiled(derived(formula, LOSSES.build("squared")), "numpy", False)


@pytest.mark.parametrize(
    "condition", ["x^4 - 3*x*a + sin(x) > exp(x) - log(x^2 + 1)", "sqrt(x^2 + a^2) >= abs(x*a)/3 - gamma(x)"]
)
def test_conditions_are_not_proved(condition):
    begin = time.process_time()
    read_formula(f"y ~ a*where({condition}, x, 1)", ("x", "y"))
    assert time.process_time() - begin < 1
