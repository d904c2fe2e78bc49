"""Random functions: what is traced has the function's values, and its derivatives are those of a complex step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from descend.errors import FormulaError
from descend.formula import read_formula
from descend.losses import LOSSES
from descend.models.formula import formula_model
from descend.tracing.tracing import trace

RANDOM = np.random.default_rng(5)
COLUMNS = {"x": RANDOM.uniform(-2.0, 2.0, 25), "z": RANDOM.uniform(0.2, 3.0, 25)}
THETA = {"a": np.float64(0.7), "b": np.float64(-1.3), "c": np.float64(0.4)}
ANALYTIC = (
    *(
        "np.sin({u})",
        "np.cos({u})",
        "np.tanh({u})",
        "np.exp(-(({u}) ** 2))",
        "np.exp(np.sin({u}))",
        "-{u}",
        "{u} - {v}",
    ),
    *("{u} * {v}", "{u} + {v}", "{u} / (1 + {v} ** 2)", "np.sqrt(1 + np.square({u}))", "np.log(2 + np.sin({u}))"),
    *("np.power(1.5 + np.sin({u}), np.cos({v}))", "special.erf(np.sin({u}))", "np.log1p(np.square({u}))"),
    *("np.expm1(np.sin({u}))", "np.multiply({u}, 0.5)", "np.true_divide({u}, 3)", "(2 + np.cos({u})) ** -1.5"),
    *(
        "{u} ** 2 - {v} ** 3 / 7",
        "np.sinh(np.sin({u}))",
        "np.negative({u}) + 1e-3",
        "wave({u}, {v})",
        "2 ** np.sin({u})",
    ),
    *("sum([{u}, {v}, 0.25])", "np.arctan(np.sin({u}))", "scaled({u}, by={v})", "np.cosh(np.sin({u})) * {v}"),
)
"""Functions that take complex numbers, and keep within sight of 1."""
KINKED = (
    *("np.where({u} > {v}, {u}, 0.5 * {v})", "np.maximum({u}, {v})", "np.minimum({u}, 0.3)", "abs({u} - 0.1)"),
    *("np.where(({u} < 1) & ({v} >= -1), {v} ** 2, 1.0)", "np.where(~({u} > 0) | ({v} > 0.5), {u}, -{u})"),
    *("({u} > 0.2) * {v}", "np.where(np.logical_or({u} > 1, {v} > 1), 2.0, {u})", "np.where({u} <= {v}, 1, 0) + {u}"),
)
BEFORE = """
def wave(u, phase=0.5):
    return np.sin(3 * u + phase)

def scaled(u, *, by):
    return u * by

"""


@st.composite
def programs(draw: st.DrawFn, expressions: tuple[str, ...]) -> str:
    """Draw a function of x, z, a, b and c, of several statements, each on what is there before it."""
    known, lines = [*COLUMNS, *THETA, "0.5", "2"], []
    for number in range(draw(st.integers(2, 7))):
        text = draw(st.sampled_from(expressions)).format(u=draw(st.sampled_from(known)), v=draw(st.sampled_from(known)))
        if number and draw(st.integers(0, 4)) == 0:
            lines.append(f"v{number - 1} {draw(st.sampled_from(['+=', '-=', '*=']))} {text}")
            lines.append(f"v{number} = v{number - 1} - 1")
        elif draw(st.integers(0, 5)) == 0:
            lines += [f"v{number} = 0.0", "for k in range(1, 4):", f"    v{number} = v{number} + ({text}) / k"]
        else:
            lines.append(f"v{number} = {text}")
        known += [f"v{number}"] * 3
    lines.append(f"return np.tanh(v{number}) + a * x + b * np.cos(z) * {known[-4]} + c")
    return BEFORE + "def f(x, z, a, b, c):\n" + "".join(f"    {line}\n" for line in lines)


def called(source: str) -> np.ndarray:
    """Return what the function returns; drop one that NumPy refuses, as where a number is to become an array."""
    try:
        return function_of(source)(**{name: column.copy() for name, column in COLUMNS.items()}, **THETA)
    except (TypeError, ValueError):
        assume(False)
        raise


def function_of(source: str) -> Callable[..., np.ndarray]:
    space = {"np": np, "special": special}
    exec(source, space)
    return space["f"]  # type: ignore[return-value]


def values_and_slopes(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a formula, and its derivatives by a, b and c."""
    try:
        model = formula_model(read_formula(f"y ~ {text}", (*COLUMNS, "y")), LOSSES.build("squared"))
    except FormulaError as error:
        assume("cancels out" not in str(error))
        raise
    theta = np.array([THETA[name] for name in model.parameters.shapes])
    values, jacobian = model.scores_and_jacobian(theta, COLUMNS)
    slopes = dict(zip(model.parameters.shapes, jacobian.T, strict=True))
    return values, np.stack([slopes.get(name, np.zeros(len(values))) for name in THETA])


@given(programs(ANALYTIC))
def test_values_are_the_functions_and_derivatives_those_of_a_complex_step(source: str) -> None:
    expected = called(source)
    values, slopes = values_and_slopes(trace(function_of(source), tuple(COLUMNS), tuple(THETA)))
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=source)
    for name, slope in zip(THETA, slopes, strict=True):
        columns = {name: column.astype(complex) for name, column in COLUMNS.items()}  # else `v += 1j` is refused
        stepped = function_of(source)(**columns, **{**THETA, name: THETA[name] + 1e-30j})
        np.testing.assert_allclose(slope, stepped.imag / 1e-30, rtol=1e-7, atol=1e-8, err_msg=source)


@given(programs(ANALYTIC + KINKED * 2))
def test_values_with_kinks_are_the_functions(source: str) -> None:
    expected = called(source)
    values, _ = values_and_slopes(trace(function_of(source), tuple(COLUMNS), tuple(THETA)))
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=source)
