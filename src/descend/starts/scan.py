"""Other valleys than the one a fit ended in, looked up rather than descended to: one parameter at many values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.formula.structure import linear_unknowns, measures
from descend.formula.valleys import like_terms
from descend.gradients.contract import Program
from descend.parameters import Bounds
from descend.starts.projection import Projection
from descend.starts.trials import place_of, range_of
from descend.table.rows import Rows

Array = NDArray[np.float64]
EVERYWHERE = 128
"""Values over all that a parameter may be."""
FACTORS = np.geomspace(0.125, 8.0, 48)
"""How many times the value that it has."""
BELOW = 1e-9
"""Share of J by which the bottom of a valley lies below its slopes, or the profile is but flat there."""
TAKEN = 3
"""Valleys that are looked into, the lowest first."""


def scannable(program: Program) -> bool:
    """Whether the linear parameters of a formula are solved for at once: for a squared loss of scalar parameters."""
    return program.loss.quadratic and not program.formula.terms and program.by_hand is None


def valleys(
    program: Program,
    rows: Rows,
    theta: Array,
    along: Sequence[Expr],
    everywhere: bool,
    bounds: Bounds | None,
) -> tuple[list[Array], int]:
    """Return points in other valleys than that of theta, the lowest first, and how many points were tried.

    Of each parameter ``along`` which J is scanned, near its value or also ``everywhere`` it may lie, with the other
    nonlinear ones as they are in theta, the bottoms of the profile; and theta with like terms in each other's place.
    """
    axes = [_axis(program, rows.columns, theta, symbol, everywhere, bounds) for symbol in along]
    changed = _exchanged(program, theta, bounds)
    points = np.concatenate([*axes, *([changed] if len(changed) else [])]) if axes or len(changed) else np.empty((0, 0))
    if not len(points):
        return [], 0
    losses, found = Projection(program.formula, rows, linear_unknowns(program.formula)).solved(points)
    lowest = []
    begin = 0
    for axis, symbol in zip(axes, along, strict=True):
        part = slice(begin, begin + len(axis))
        lowest += [begin + number for number in _bottoms(axis[:, place_of(program, symbol).start], losses[part])]
        begin += len(axis)
    lowest += [begin + number for number in range(len(changed)) if np.isfinite(losses[begin + number])]
    chosen = sorted(lowest, key=lambda number: float(losses[number]))[:TAKEN]
    return [_inside(found[number], theta, bounds) for number in chosen], len(points)


def _inside(point: Array, theta: Array, bounds: Bounds | None) -> Array:
    return point if bounds is None else bounds.project(point, theta)


def _axis(
    program: Program, columns: Mapping[str, Array], theta: Array, symbol: Expr, everywhere: bool, bounds: Bounds | None
) -> Array:
    """Return theta, and copies of it with one parameter close to where it is, and all over where it may lie."""
    place = place_of(program, symbol).start
    values: list[float] = [] if measures(program.formula)[symbol].location else (theta[place] * FACTORS).tolist()
    if everywhere:
        at = range_of(program, columns, symbol)
        values += [float(at((number + 0.5) / EVERYWHERE)) for number in range(EVERYWHERE)]
    points = np.repeat(theta[None, :], 1 + len(values), axis=0)
    points[1:, place] = values
    return points if bounds is None else points[[0, *(1 + np.flatnonzero(bounds.contains(points[1:])[:, place]))]]


def _bottoms(values: Array, losses: Array) -> Iterable[int]:
    """Yield where a profile is lower than on both sides, but for the first of its points: where it comes from."""
    order = np.argsort(values, kind="stable")
    sides = losses[order] * (1.0 - BELOW)
    lower = (losses[order][1:-1] < sides[:-2]) & (losses[order][1:-1] < sides[2:])
    return (number for number in order[1:-1][lower].tolist() if number)


def _exchanged(program: Program, theta: Array, bounds: Bounds | None) -> Array:
    """Return copies of theta with the nonlinear parameters of like terms in each other's place."""
    points = []
    for first, second in like_terms(program.formula, bounds is not None):
        one, other = ([place_of(program, symbol).start for symbol in own] for own in (first, second))
        point = theta.copy()
        point[one], point[other] = theta[other], theta[one]
        if bounds is None or bounds.contains(point).all():
            points.append(point)
    return np.array(points)
