"""Frequencies that rows on a grid cannot tell apart: aliases."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.compile import compile_expression, over_rows
from descend.formula.formula import Formula
from descend.formula.structure import Wave, linear_unknowns, phases, waves
from descend.formula.symbols import Column, Parameter
from descend.models import Model
from descend.parameters import Bounds
from descend.table.rows import Columns

Array = NDArray[np.float64]
ON_GRID = 1e-3
"""How far rows may lie off a grid, as a share of its spacing."""
FINEST = 12
"""Most steps of a grid in the smallest gap between rows."""
SLOW = 0.25
"""Turns from one step of the grid to the next up to which nobody doubts which frequency is meant."""
ROWS = 256
"""Rows on which two waves are compared, next to each other."""
EQUAL = 1e-6
"""Share of a wave's change that the other parameters may leave where they make up for it."""


def grid_step(places: Array) -> float | None:
    """Return the spacing of the grid on which sorted, distinct places lie; None if there is no such grid.

    >>> grid_step(np.array([0.0, 0.5, 2.0]))
    0.5
    """
    gaps = np.diff(places)
    for part in range(1, FINEST + 1):
        multiples = gaps * (part / gaps.min())
        if np.abs(multiples - multiples.round()).max() < ON_GRID:
            return float((places[-1] - places[0]) / multiples.round().sum())
    return None


def aliases(model: Model, theta: Array, columns: Columns, bounds: Bounds | None) -> str | None:
    """Say which other frequency fits equally well, where rows lie on a grid and a wave turns fast from row to row.

    Along a grid of spacing h, w and 2 pi/h - w give the same values, but for a change of phase.
    """
    formula = model.formula
    if formula is None or formula.terms:
        return None
    alternatives = []
    for symbol, wave in waves(formula).items():
        position = model.parameters.slices[symbol.name].start
        value = float(theta[position])
        along = over_rows(wave.along, columns, len(next(iter(columns.values()))))
        step = _step(along)
        if step is None or not value:
            continue
        turns = abs((1.0 / value if wave.is_period else value) * step) / (2.0 * math.pi)
        if turns <= SLOW:
            continue
        other = abs((turns + 0.5) % 1.0 - 0.5) if turns > 0.5 else 1.0 - turns
        if not other > ON_GRID:
            continue
        changed = theta.copy()
        changed[position] = _value(wave, 2.0 * math.pi * other / step)
        allowed = bounds is None or bool(bounds.contains(changed)[position])
        if allowed and _equal(model, formula, theta, changed, columns):
            alternatives.append(
                f"{symbol.name} {value:.6g} and {changed[position]:.6g} fit equally well, as do others: evenly spaced "
                f"rows cannot tell a wave from a {'faster' if turns < 0.5 else 'slower'} one; bounds on {symbol.name} "
                "would choose"
            )
    return "; ".join(alternatives) or None


def _step(along: Array) -> float | None:
    grid = np.unique(along[np.isfinite(along)])
    return grid_step(grid) if len(grid) > 2 else None


def _value(wave: Wave, frequency: float) -> float:
    return 1.0 / frequency if wave.is_period else frequency


def _equal(model: Model, formula: Formula, theta: Array, changed: Array, columns: Columns) -> bool:
    """Whether the linear parameters and phases make up for a change of a frequency."""
    linear = linear_unknowns(formula)
    free = [
        each for each in formula.unknowns if isinstance(each, Parameter) and (each in linear or each in phases(formula))
    ]
    few = {name: values[:ROWS] for name, values in columns.items()}
    symbols = tuple(sorted(formula.expression.free_symbols, key=str))
    slices = model.parameters.slices

    def value_of(expression: Expr, at: Array) -> Array:
        arguments = [few[each.name] if isinstance(each, Column) else at[slices[each.name].start] for each in symbols]
        values = compile_expression(expression, symbols)(*arguments)
        return np.broadcast_to(np.asarray(values, dtype=np.float64), (len(next(iter(few.values()))),))

    with np.errstate(all="ignore"):
        difference = value_of(formula.expression, theta) - value_of(formula.expression, changed)
        columns_of_free = np.array([value_of(formula.jacobian[each], changed) for each in free]).T
    if not (np.isfinite(difference).all() and columns_of_free.size and np.isfinite(columns_of_free).all()):
        return False
    left = difference - columns_of_free @ np.linalg.lstsq(columns_of_free, difference, rcond=1e-10)[0]
    return float(left @ left) <= EQUAL**2 * float(difference @ difference)
