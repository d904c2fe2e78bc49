"""NumPy, PyTorch and SQL text of the same expression: run as printed, all give the same numbers."""

from __future__ import annotations

import math
import warnings

import duckdb
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from scipy import special
from sympy import Expr
from sympy.core.relational import Relational
from tests.formula.expressions import COLUMNS, EVERYWHERE, PARAMETERS, read, texts

from descend.errors import FormulaError
from descend.formula.printers.code import NUMPY, SQL, TORCH, Writer
from descend.formula.symbols import Parameter

ROWS = 5
NAMES = {**{name: f"column{k}" for k, name in enumerate(COLUMNS)}, **{name: name for name in PARAMETERS}}


@pytest.fixture(scope="module")
def database():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def data(low: float = 0.1, high: float = 1.9) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.uniform(low, high, ROWS).round(3) for name in (*COLUMNS, *PARAMETERS)}


def in_numpy(expression: Expr, values: dict[str, np.ndarray]) -> np.ndarray:
    names = {symbol: NAMES[symbol.name] for symbol in expression.free_symbols}
    space = {NAMES[name]: value for name, value in values.items()} | {"np": np, "special": special}
    with np.errstate(all="ignore"):
        return np.broadcast_to(eval(Writer(NUMPY, names).write(expression), space), ROWS).astype(float)


def in_torch(expression: Expr, values: dict[str, np.ndarray]) -> np.ndarray:
    names = {symbol: NAMES[symbol.name] for symbol in expression.free_symbols}
    space = {NAMES[name]: torch.from_numpy(value) for name, value in values.items()} | {"torch": torch, "math": math}
    result = eval(Writer(TORCH, names).write(expression), space)
    return np.broadcast_to(np.asarray(result, dtype=float), ROWS)


def in_sql(expression: Expr, values: dict[str, np.ndarray], database: duckdb.DuckDBPyConnection) -> np.ndarray:
    text = Writer(SQL, {Parameter(name): f'"{name}"' for name in PARAMETERS}).write(expression)
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in values)
    rows = ", ".join(
        f"({', '.join(f'{value!r}::double' for value in map(float, row))})"
        for row in zip(*values.values(), strict=True)
    )
    query = f"select cast({text} as double) from (values {rows}) as data({quoted})"
    return np.array([np.nan if row[0] is None else row[0] for row in database.execute(query).fetchall()])


def agree(expression: Expr, values: dict[str, np.ndarray], database: duckdb.DuckDBPyConnection) -> None:
    expected = in_numpy(expression, values)
    fine = np.isfinite(expected) & (abs(expected) < 1e150)
    # How a comparison with NaN comes out is each language's own affair.
    compared = [side for relation in expression.atoms(Relational) for side in (relation.lhs, relation.rhs)]
    if any(np.isnan(in_numpy(side, values)).any() for side in compared):
        return
    if np.isinf(expected).any():
        return
    if not fine.any():
        return
    # What an argument lost in rounding, a steep function shows.
    with np.errstate(all="ignore"):
        nudged = [
            abs(in_numpy(expression, {name: value * (1 + by) for name, value in values.items()}) - expected)
            * (2e-14 / by)
            for by in (1e-15, 1e-12)  # beside a large constant the smaller one is rounded away
        ]
        allowed = 1e-12 * np.maximum(abs(expected), 1) + np.maximum(*nudged)
    np.testing.assert_array_less(abs(in_torch(expression, values) - expected)[fine], allowed[fine] + 1e-300)
    if "erf(" not in str(expression) and "digamma" not in str(expression):  # which DuckDB does not have
        np.testing.assert_array_less(abs(in_sql(expression, values, database) - expected)[fine], allowed[fine] + 1e-300)


@settings(max_examples=100)
@example(text="sin((1.5e2 + x)^3)")
@given(text=texts(depth=4, functions=EVERYWHERE))
@example(text="sin(pi/7)*x")
@example(text="min(x, pi)")
@example(text="atan2(2, x)")
@example(text="where(x > 1, 1, 0)")
@example(text="where(x > 1, 2*pi, exp(1))")
@example(text="where(not (x > 1 or z > 1) and a != b, 1, -1)*a")
@example(text="-softplus(-x)*2^-softplus(z)")
@example(text="a/sigmoid(x)/sigmoid(-z)^2")
@example(text="-(x + z)/x/(a*(b + z))")
@example(text="1/3*x - 1/(7*x)")
@example(text="12345678901234567*x/0.1234567890123456889")
def test_languages_agree(text, database):
    try:
        expression = read(text)
    except FormulaError:
        assume(False)
    agree(expression, data(), database)


@pytest.mark.parametrize("at", [-800.0, -40.0, -20.0, -1e-9, 0.0, 1e-9, 20.0, 40.0, 800.0])
@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh"])
def test_tails_neither_overflow_nor_lose_digits(name, at, database):
    expression = read(f"{name}(x)")
    values = {"x": np.full(ROWS, at)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = {
            "sigmoid": special.expit(at),
            "softplus": max(at, 0) + math.log1p(math.exp(-abs(at))),
            "tanh": math.tanh(at),
        }[name]
        for result in (
            in_numpy(expression, values),
            in_torch(expression, values),
            in_sql(expression, values, database),
        ):
            np.testing.assert_allclose(result, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("at", [-3.5, -2.5, -1.5, -0.5, 0.5, 1.0, 4.5, 100.5, 170.0])
def test_gamma_has_the_right_sign_in_every_language(at, database):
    expression = read("gamma(x)")
    values = {"x": np.full(ROWS, at)}
    for result in (in_numpy(expression, values), in_torch(expression, values), in_sql(expression, values, database)):
        np.testing.assert_allclose(result, math.gamma(at), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "numpy", "pytorch", "sql"),
    [
        ("a*exp(-b*x)", "a*np.exp(-b*x)", "a*torch.exp(-b*x)", 'a*exp(-b*"x")'),
        ("a*x^2 + b/x", "a*x**2 + b/x", "a*x**2 + b/x", 'a*power("x", 2.0) + b/"x"'),
        ("sqrt(x)/3", "np.sqrt(x)/3", "torch.sqrt(x)/3", 'sqrt("x")/3.0'),
        ("log(x)*pi", "np.pi*np.log(x)", "math.pi*torch.log(x)", 'pi()*ln("x")'),
        ("a*`unit price`", "a*unit_price", "a*unit_price", 'a*"unit price"'),
        ("a*`select`*`1st`", "a*_1st*select", "a*_1st*select", 'a*"1st"*"select"'),
        (
            "where(x > 1 and z != 2, a, 0)",
            "np.where((x > 1) & (z != 2), a, 0.0)",
            "torch.where((x > 1) & (z != 2), a, torch.tensor(0, dtype=torch.float64))",
            'case when "x" > 1.0 and "z" <> 2.0 then a else 0.0 end',
        ),
        ("max(a, x)", "np.maximum(a, x)", "torch.maximum(a, x)", 'greatest(a, "x")'),
        ("0.12345678901234568*x", "0.12345678901234568*x", "0.12345678901234568*x", '0.12345678901234568e0*"x"'),
    ],
)
def test_spelling(text, numpy, pytorch, sql):
    expression = read(text)
    assert Writer(NUMPY).write(expression) == numpy
    assert Writer(TORCH).write(expression) == pytorch
    assert Writer(SQL).write(expression) == sql


@pytest.mark.parametrize("name", ["lambda", "class", "a b", "1x", "价格", "x.1"])
def test_python_code_has_python_names(name):
    expression = read(f"2*`{name}`", (name,))
    compile(Writer(NUMPY).write(expression), "printed", "eval")
