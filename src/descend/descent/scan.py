"""Many trial points in one go: a parameter at many values at once, and the linear ones solved for at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, S

from descend.constraints import Bounds
from descend.descent.trials import place_of, range_of
from descend.formula.compile import compile_expression
from descend.formula.structure import linear_unknowns, measures
from descend.formula.symbols import Column
from descend.formula.valleys import like_terms
from descend.gradients.contract import Program

Array = NDArray[np.float64]
EVERYWHERE, NEARBY = 128, 48
"""Values that a parameter is scanned at: over all that it may be, and up to eight times smaller and larger."""
SINGULAR = 1e-12
"""Share of the largest eigenvalue, of normal equations in units where no column exceeds 1, that is none."""
BELOW = 1e-9
"""Share of J by which the bottom of a valley lies below its slopes, or the profile is but flat there."""
TAKEN = 3
"""Valleys that are looked into, the lowest first."""


def scannable(program: Program) -> bool:
    """Whether the linear parameters of a formula are solved for at once: for a squared loss of scalar parameters."""
    return program.loss.name == "squared" and not program.formula.terms and program.by_hand is None


def eliminated(program: Program, rows: Mapping[str, Array], points: Array) -> tuple[Array, Array]:
    """Move the linear components of each of many points to their minimum; returns J there, (t,), and where, (t, p).

    Without penalties, and whatever bounds say. J is infinite where a row of the formula is not finite.
    """
    formula, place = program.formula, {symbol: place_of(program, symbol).start for symbol in program.formula.unknowns}
    linear = [symbol for symbol in formula.unknowns if symbol in linear_unknowns(formula)]
    known = (*formula.unknowns, *(Column(name) for name in formula.columns))
    values = [points[:, place[symbol], None] for symbol in formula.unknowns]
    values += [rows[name] for name in formula.columns]
    shape = (len(points), len(next(iter(rows.values()))))

    def over_points(expression: Expr) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(compile_expression(expression, known)(*values), shape)

    root = 1.0 if program.weights is None else np.sqrt(rows[program.weights.name])
    left = root * over_points(formula.response - formula.expression.xreplace(dict.fromkeys(linear, S.Zero)))
    total = shape[1] if program.weights is None else float(rows[program.weights.name].sum())
    found = points.copy()
    if linear:
        design = np.stack([root * over_points(formula.jacobian[symbol]) for symbol in linear], axis=1)
        finite = np.isfinite(left).all(axis=1) & np.isfinite(design).all(axis=(1, 2))
        design, left = design[finite], left[finite]
        solution = _solved(design, left)
        found[np.ix_(finite, [place[symbol] for symbol in linear])] = solution
        left = left - np.matmul(solution[:, None, :], design)[:, 0, :]
    else:
        finite = np.isfinite(left).all(axis=1)
        left = left[finite]
    losses = np.full(len(points), np.inf)
    losses[finite] = np.einsum("tr,tr->t", left, left) / total
    return losses, found


def _solved(design: Array, left: Array) -> Array:
    """Return the coefficients (t, k) of the least squares of each trial: design (t, k, rows), left (t, rows)."""
    largest = np.abs(design).max(axis=2)
    scale = 1.0 / np.where(largest > 0.0, largest, 1.0)
    design = design * scale[:, :, None]
    normal = np.matmul(design, design.transpose(0, 2, 1))
    right = np.matmul(design, left[:, :, None])
    solution: Array = np.matmul(np.linalg.pinv(normal, rcond=SINGULAR, hermitian=True), right)[:, :, 0] * scale
    return solution


def valleys(
    program: Program, rows: Mapping[str, Array], theta: Array, along: Sequence[Expr], bounds: Bounds | None
) -> tuple[list[Array], int]:
    """Return points in other valleys than that of theta, the lowest first, and how many points were tried.

    Of each parameter ``along`` which J is scanned, with the other nonlinear ones as they are in theta, the bottoms of
    the profile; and theta with like terms in each other's place.
    """
    axes = [_axis(program, rows, theta, symbol, bounds) for symbol in along]
    changed = _exchanged(program, theta, bounds)
    points = np.concatenate([*axes, *([changed] if len(changed) else [])]) if axes or len(changed) else np.empty((0, 0))
    if not len(points):
        return [], 0
    losses, found = eliminated(program, rows, points)
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


def _axis(program: Program, rows: Mapping[str, Array], theta: Array, symbol: Expr, bounds: Bounds | None) -> Array:
    """Return theta, and copies of it with one parameter all over where it may lie, and closer to where it is."""
    place, at = place_of(program, symbol).start, range_of(program, rows, symbol)
    values = [float(at((number + 0.5) / EVERYWHERE)) for number in range(EVERYWHERE)]
    if measures(program.formula)[symbol].location is None:
        values += (theta[place] * np.geomspace(0.125, 8.0, NEARBY)).tolist()
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
