"""Many trial points at once: at each, the parameters that enter linearly are solved for by least squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, pi

from descend.formula.compile import compile_expression, items_matrix, over_rows
from descend.formula.formula import Formula
from descend.formula.parametrisation import exponents, quadratures
from descend.formula.symbols import Column, Parameter, Predictor
from descend.parameters import Bounds, Parameters
from descend.table.rows import Rows

Array = NDArray[np.float64]
TOGETHER = 1 << 18
"""Numbers worked on at a time: few enough to stay in the processor's cache."""
SINGULAR = 1e-12
"""Added to a diagonal of 1, so that there is a solution where columns are multiples of each other."""


@dataclass(frozen=True)
class Amplitude:
    """One unknown that enters linearly, or whose exponential does.

    columns: what its components, at ``places`` of theta, are multiplied by. phase, phase_place: the phase solved for
    with it, for which the second column is a quarter turn ahead (see ``parametrisation.quadratures``). rate: 0, or that
    of an exponent (see ``parametrisation.exponents``), whose column is multiplied from its present value on.
    """

    symbol: Expr
    columns: tuple[Expr, ...]
    places: tuple[int, ...]
    phase: Parameter | None = None
    phase_place: int = -1
    rate: float = 0.0


@lru_cache(maxsize=128)
def amplitudes(formula: Formula, linear: frozenset[Expr], held: frozenset[str]) -> tuple[Amplitude, ...]:
    """Return the unknowns to solve for: those of ``linear``, with their phases if these are not ``held``."""
    slices, unknowns = Parameters(formula.parameters).slices, []
    together = quadratures(formula)
    for symbol in formula.unknowns:
        if symbol not in linear:
            continue
        slope = formula.jacobian[symbol]
        if isinstance(symbol, Predictor):
            term = formula.terms[symbol]
            theta_index = slices[term.vector]
            columns = tuple(slope * item for item in term.items)
            unknowns.append(Amplitude(symbol, columns, tuple(range(theta_index.start, theta_index.stop))))
            continue
        theta_index, phase = slices[symbol.name].start, together.get(symbol)
        if phase is None or phase.name in held:
            unknowns.append(Amplitude(symbol, (slope,), (theta_index,)))
        else:
            quarters = (slope.xreplace({phase: 0 * pi}), slope.xreplace({phase: pi / 2}))
            unknowns.append(Amplitude(symbol, quarters, (theta_index,), phase, slices[phase.name].start))
    unknown = {each.symbol for each in unknowns} | {each.phase for each in unknowns}
    for symbol, rate in exponents(formula).items():
        column = formula.jacobian[symbol] / rate
        beside = any(symbol in other.free_symbols for each in unknowns for other in each.columns)
        if symbol.name not in held and symbol not in unknown and not beside and not column.free_symbols & unknown:
            unknowns.append(Amplitude(symbol, (column,), (slices[symbol.name].start,), rate=float(rate)))
            unknown.add(symbol)
    return tuple(unknowns)


@lru_cache(maxsize=128)
def without(expression: Expr, formula: Formula, solved_amplitudes: tuple[Amplitude, ...]) -> Expr:
    """Return what is left of the expression when all these amplitudes are 0."""
    for each in solved_amplitudes:
        if each.rate:
            expression = expression - formula.jacobian[each.symbol] / exponents(formula)[each.symbol]
    return expression.xreplace({each.symbol: 0 * pi for each in solved_amplitudes if not each.rate})


class Projection:
    """Least squares that rates a point by the best linear parameters for it (variable projection).

    With the prediction  f = remainder + sum_k c_k column_k,  where remainder and columns hold no c_k, the c_k solve
    sum omega (y - f)**2 = min. Columns are scaled to be at most 1, so that none overflows when squared.

    rows: weighted, if they have weights. linear: what to solve for. held: names of parameters that keep their values.

    Source: Golub & Pereyra (1973), SIAM J. Numer. Anal. 10, 413-432.
    """

    def __init__(
        self,
        formula: Formula,
        rows: Rows,
        linear: frozenset[Expr],
        held: frozenset[str] = frozenset(),
        bounds: Bounds | None = None,
    ) -> None:
        self.formula, self.columns, self.bounds = formula, rows.columns, bounds
        self.rows = rows.count
        self.parameters = Parameters(formula.parameters)
        self.amplitudes = amplitudes(formula, linear, held)
        self.root = None if rows.omega is None else np.sqrt(rows.omega)
        self.total = rows.total
        self.observed = self.weighed(over_rows(formula.response, self.columns, self.rows))
        self.remainder = without(formula.expression, formula, self.amplitudes)

    def weighed(self, values: Array) -> Array:
        """Multiply each row by the square root of its weight."""
        return values if self.root is None else values * self.root

    def evaluated(self, expression: Expr, points: Array) -> Array:
        """Return an expression at each point (rows) and row of the table (columns), weighed."""
        used = tuple(sorted(expression.free_symbols, key=str))
        values = [self._values(symbol, points) for symbol in used]
        result = compile_expression(expression, used)(*values)
        return self.weighed(np.broadcast_to(np.asarray(result, dtype=np.float64), (len(points), self.rows)))

    def _values(self, symbol: Expr, points: Array) -> Array:
        if isinstance(symbol, Column):
            return np.asarray(self.columns[symbol.name], dtype=np.float64)
        if isinstance(symbol, Predictor):
            term = self.formula.terms[symbol]
            items = items_matrix(term.items, self.columns, self.rows)
            return np.asarray(points[:, self.parameters.slices[term.vector]] @ items.T)
        return points[:, self.parameters.slices[symbol.name]]

    def design(self, points: Array, chosen: Sequence[Amplitude]) -> Array:
        """Return the columns of these amplitudes: (points, columns, rows)."""
        expressions = [column for each in chosen for column in each.columns]
        columns = np.empty((len(points), len(expressions), self.rows))
        for place, expression in enumerate(expressions):
            columns[:, place] = self.evaluated(expression, points)
        return columns

    def solved(self, points: Array, chosen: Sequence[Amplitude] | None = None) -> tuple[Array, Array]:
        """Return J at each point with its linear parameters solved for, and the point; infinite where J has no value.

        chosen: amplitudes to solve for, the others being 0.
        """
        chosen = self.amplitudes if chosen is None else chosen
        losses, solved_points = np.empty(len(points)), points.copy()
        for each in self.amplitudes:
            if not each.rate:
                solved_points[:, each.places] = 0.0
            elif each not in chosen:
                solved_points[:, each.places] = -math.copysign(math.inf, each.rate)
        width = sum(len(each.columns) for each in chosen) + 1
        step = max(1, TOGETHER // (width * self.rows))
        with np.errstate(all="ignore"):
            for begin in range(0, len(points), step):
                batch = slice(begin, begin + step)
                target = self.observed - self.evaluated(self.remainder, points[batch])
                losses[batch] = self._solve(solved_points[batch], target, self.design(points[batch], chosen), chosen)
        return losses, solved_points

    def _solve(self, points: Array, target: Array, design: Array, chosen: Sequence[Amplitude]) -> Array:
        """Put the solution into ``points``, and return J there."""
        factors, scale = solution(design, target)
        column = 0
        for each in chosen:
            count = len(each.columns)
            scaled_factors = factors[:, column : column + count] / scale[:, column : column + count]
            if each.rate:
                points[:, each.places] += np.log(np.where(scaled_factors > 0.0, scaled_factors, math.nan)) / each.rate
            elif each.phase is None:
                points[:, each.places] = scaled_factors
            else:
                points[:, each.places[0]] = np.hypot(scaled_factors[:, 0], scaled_factors[:, 1])
                points[:, each.phase_place] = np.arctan2(scaled_factors[:, 1], scaled_factors[:, 0])
            column += count
        if self.bounds is not None:
            inside = np.clip(points, self.bounds.low, self.bounds.high)
            outside = (inside != points).any(axis=1)
            points[:] = inside
            if outside.any():
                return self.losses(points)
        left = target - ((factors / scale)[:, None, :] @ design)[:, 0, :] if column else target
        loss = np.einsum("tn,tn->t", left, left) / self.total
        return np.where(np.isfinite(loss) & ~np.isnan(points).any(axis=1), loss, math.inf)

    def losses(self, points: Array) -> Array:
        """Return J at points as they are."""
        left = self.observed[None] - self.evaluated(self.formula.expression, points)
        loss = np.einsum("tn,tn->t", left, left) / self.total
        return np.where(np.isfinite(loss), loss, math.inf)


def solution(design: Array, target: Array) -> tuple[Array, Array]:
    """Return factors of the columns of each design that fit its target best, and the numbers to divide them by.

    design: (points, columns, rows). target: (points, rows). A factor is 0 where its column is 0, or has no value.
    """
    points, columns, _ = design.shape
    if not columns:
        return np.empty((points, 0)), np.empty((points, 0))
    scale = np.abs(design).max(axis=2)
    usable = np.isfinite(scale) & (scale > 0.0)
    scale = np.where(usable, scale, 1.0)
    scaled = np.where(usable[:, :, None], design / scale[:, :, None], 0.0)
    gram = scaled @ scaled.transpose(0, 2, 1)
    right = (scaled @ target[:, :, None])[:, :, 0]
    norm = np.sqrt(np.einsum("tkk->tk", gram))
    norm = np.where(norm > 0.0, norm, 1.0)
    gram = gram / (norm[:, :, None] * norm[:, None, :])
    sound = np.isfinite(gram).all(axis=(1, 2)) & np.isfinite(right).all(axis=1)
    gram = np.where(sound[:, None, None], gram, 0.0)
    right = np.where(sound[:, None], right / norm, 0.0)
    return np.linalg.solve(gram + SINGULAR * np.eye(columns), right[:, :, None])[:, :, 0] / norm, scale
