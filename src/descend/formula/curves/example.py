"""Typical data of a named curve: where it is drawn, and what its search for starting values is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression
from descend.formula.curves.entry import Curve
from descend.formula.equations import read_formula
from descend.formula.symbols import Column, Parameter

Array = NDArray[np.float64]


SHARE = 0.6
"""Where a parameter lies in its range, if it is not drawn: not in the middle, which is 0 for many."""


@dataclass(frozen=True, eq=False)
class Example:
    """A curve without noise at some x, and the parameters that it was made with."""

    x: Array
    y: Array
    values: Mapping[str, float]


def example(curve: Curve, points: int, random: np.random.Generator | None = None) -> Example:
    """Return a curve over its typical x, at typical parameters, or at some drawn at random.

    >>> from descend.formula.curves import curve_named
    >>> line = example(curve_named("line"), 3)
    >>> line.x.tolist(), line.y.round(6).tolist()
    ([0.0, 5.0, 10.0], [1.0, 5.0, 9.0])
    """
    x = np.array([curve.x.at(share) for share in np.linspace(0.0, 1.0, points)])
    values = {each.name: each.at(SHARE if random is None else random.uniform()) for each in curve.parameters}
    return Example(x, valued(curve, x, values), values)


def valued(curve: Curve, x: Array, values: Mapping[str, float]) -> Array:
    """Return a curve at some x and parameters."""
    expression = read_formula(f"y ~ {curve.short}", ["x", "y"]).expression
    numbers: dict[Expr, Array | float] = {Column("x"): x}
    numbers |= {Parameter(name): np.float64(value) for name, value in values.items()}
    with np.errstate(all="ignore"):
        curve_values = compile_expression(expression, tuple(numbers))(*numbers.values())
    return np.broadcast_to(np.asarray(curve_values, dtype=np.float64), x.shape).copy()
