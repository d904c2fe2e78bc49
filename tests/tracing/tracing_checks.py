"""Holds traced functions against themselves: values on random rows, and slopes by differences."""

from __future__ import annotations

import inspect

import numpy as np

from descend.formula.build import Builder
from descend.formula.compile import compile_expression
from descend.formula.symbols import Column, Parameter
from descend.formula.syntax import parse_formula
from descend.models.stacked import Stacked
from descend.tracing.tracing import trace

ROWS = 41


def assert_traced(function, columns=("x",), stacked=None, low=0.2, high=3.0, slopes=True, **given):
    """Assert that the formula traced from a function has its values, and its slopes; return the formula.

    columns: the names of its columns; its other arguments are parameters. stacked: the axis of the columns in one
    array, its first argument. low, high: of the random numbers. given: parameters with a value of their own.
    """
    names = list(inspect.signature(function).parameters)
    called = function if stacked is None else Stacked(function, names[0], tuple(columns), stacked)
    parameters = [name for name in inspect.signature(called).parameters if name not in columns]
    text = trace(called, columns, parameters)
    rng = np.random.default_rng(len(text))
    data = {name: rng.uniform(low, high, ROWS) for name in columns}
    expression = Builder(text, columns, starts=None).build(parse_formula(f"y ~ {text}")[1])
    symbols = (*map(Column, columns), *map(Parameter, parameters))
    evaluate = compile_expression(expression, symbols)
    for _ in range(3):
        theta = {name: given.get(name, rng.uniform(low, high)) for name in parameters}
        fresh = _copied(data)
        expected = np.broadcast_to(np.asarray(called(**fresh, **theta), dtype=float), ROWS)
        found = np.broadcast_to(evaluate(*data.values(), *theta.values()), ROWS)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max(), err_msg=text)
        for name in parameters if slopes else ():
            slope = compile_expression(expression.diff(Parameter(name)), symbols)(*data.values(), *theta.values())
            ends = [
                called(**_copied(data), **{**theta, name: theta[name] + step}) for step in (-2e-4, -1e-4, 1e-4, 2e-4)
            ]
            numeric = (ends[0] - ends[3] + 8 * (ends[2] - ends[1])) / 12e-4
            np.testing.assert_allclose(
                np.broadcast_to(slope, ROWS), np.broadcast_to(numeric, ROWS), rtol=1e-6, atol=1e-7, err_msg=text
            )
    return text


def _copied(data):
    return {name: column.copy() for name, column in data.items()}
