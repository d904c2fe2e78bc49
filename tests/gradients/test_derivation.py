"""The gradient written out: run as printed in NumPy, PyTorch and SQL, it is the gradient the engines compute."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
import torch
from tests.formula.expressions import call_of
from tests.laws.ranges import PLAIN, within

from descend.engines.numpy_engine import NumpyEngine
from descend.formula import read_formula
from descend.formula.functions import FUNCTIONS
from descend.formula.printers.code import identifier
from descend.gradients.derivation import Derivation
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.table.rows import Rows

COLUMNS = ("x", "z", "y", "unit price")
ROWS = 20
FORMULAS = {
    "y ~ w*x": [0.7],
    "y ~ a*exp(-b*x) + c": [0.9, 0.4, 0.3],
    "y ~ a*x^b/(c^b + x^b)": [0.9, 1.4, 0.3],
    "y ~ sigmoid(a + b*`unit price`)": [-0.2, 0.3],
    "log(1 + y) ~ w @ [x, z^2] + b": [0.2, 0.3, 0.4],
    "y ~ a*exp(w @ [x, z]) + v @ [x, `unit price`]": [0.8, 0.2, -0.3, 0.4, 0.1],
    "y ~ 1 + a*sin(b*x)/cos(b*x)": [0.2, 0.3],
    "y ~ c": [0.5],
}


def table() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {name: rng.uniform(0.1, 0.9, ROWS).round(6) for name in COLUMNS}


def gradient(text, loss, theta) -> np.ndarray:
    what = derived(read_formula(text, COLUMNS), LOSSES.build(loss))
    return NumpyEngine(what, Rows(table())).evaluate(np.array(theta), 1).gradient / ROWS


def run_python(derivation, language, theta) -> np.ndarray:
    what = derived(derivation.formula, derivation.loss)
    make = torch.from_numpy if language == "torch" else np.asarray
    space = {"np": np, "torch": torch, "math": math}
    space |= {identifier(name): make(column) for name, column in table().items()}
    space |= {
        identifier(name): make(np.asarray(value)) for name, value in what.parameters.named(np.array(theta)).items()
    }
    exec(derivation.code(language), space)
    parts = [np.ravel(space[f"d{identifier(name)}"]) for name in derivation.formula.parameters]
    return np.concatenate(parts)


def run_sql(derivation, theta) -> np.ndarray:
    what = derived(derivation.formula, derivation.loss)
    values = {}
    for name, value in what.parameters.named(np.array(theta)).items():
        numbered = {f"{name}_{k}": float(part) for k, part in enumerate(np.ravel(value), 1)}
        values |= {name: value} if isinstance(value, float) else numbered
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute('create table data (x double, z double, y double, "unit price" double)')
        connection.executemany("insert into data values (?, ?, ?, ?)", np.column_stack([*table().values()]).tolist())
        query = derivation.code("sql")
        used = {name: value for name, value in values.items() if f"${name}" in query}
        return np.array(connection.execute(query, used).fetchone())


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        *((text, "squared") for text in FORMULAS),
        *((within("y ~ a*exp(-b*x) + c", LOSSES.build(loss)), loss) for loss in PLAIN),
    ],
)
def test_every_language_gives_the_gradient(text, loss):
    theta = FORMULAS.get(text, FORMULAS["y ~ a*exp(-b*x) + c"])
    derivation = Derivation(read_formula(text, COLUMNS), LOSSES.build(loss))
    expected = gradient(text, loss, theta)
    np.testing.assert_allclose(run_python(derivation, "numpy", theta), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run_python(derivation, "torch", theta), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run_sql(derivation, theta), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_simplified_to_the_same(name):
    text, theta = f"y ~ c*{call_of(name, 'a*x', 'a', 'b')} + a*x + b", [0.4, 0.3, 0.7]
    formula = read_formula(text, COLUMNS)
    theta = [dict(zip("cab", theta, strict=True))[parameter] for parameter in formula.parameters]
    derivation = Derivation(formula, LOSSES.build("squared"))
    expected = gradient(text, "squared", theta)
    for language in ("numpy", "torch"):
        if language in derivation.as_dict()["code"]:  # PyTorch lacks some
            np.testing.assert_allclose(run_python(derivation, language, theta), expected, rtol=1e-9, atol=1e-12)


def test_the_text_of_the_gradient_can_be_given_back_by_hand():
    from descend.gradients.by_hand import by_hand

    for text in ("y ~ w*x", "y ~ a*exp(-b*x) + c", "y ~ a*x^b/(c^b + x^b)"):
        formula = read_formula(text, COLUMNS)
        written = Derivation(formula, LOSSES.build("squared")).written("text")
        program = by_hand(
            formula, LOSSES.build("squared"), tuple(f"{name} = {part}" for name, part in written.items()), COLUMNS
        )
        got = NumpyEngine(program, Rows(table())).evaluate(np.array(FORMULAS[text]), 1).gradient / ROWS
        np.testing.assert_allclose(got, gradient(text, "squared", FORMULAS[text]), rtol=1e-11)


def test_as_printed():
    derivation = Derivation(read_formula("y ~ w*x", ("x", "y")), LOSSES.build("squared"))
    assert str(derivation).splitlines() == [
        "J = mean((w*x - y)^2)",
        "",
        "dJ/dw = mean(2*x*(w*x - y))",
        "",
        "LaTeX",
        r"    \frac{\partial J}{\partial w} = \frac{1}{n} \sum_{i=1}^{n} 2 x \left(w x - y\right)",
        "",
        "NumPy",
        "    dw = np.mean(2*x*(w*x - y))",
        "",
        "PyTorch",
        "    dw = torch.mean(2*x*(w*x - y))",
        "",
        "SQL",
        '    select avg(2.0*"x"*($w*"x" - "y")) as "w" from data',
    ]
