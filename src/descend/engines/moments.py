"""The engine that passes over the rows once: for a squared loss and parameters that enter linearly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from descend.engines.numpy_engine import MANY, SHARE, NumpyEngine
from descend.engines.threads import in_turn
from descend.engines.totals import Array, Engine, InMemory, Totals
from descend.engines.triangles import WELL, cholesky, divider, norms, powers_of_two, solved, well_conditioned
from descend.formula.compile import compile_expression
from descend.formula.factor import triangle
from descend.formula.symbols import Column
from descend.gradients.contract import Summand, Sums
from descend.gradients.derived import Program, as_program
from descend.table.in_matrix import InMatrix
from descend.table.rows import Chosen, Rows, finite

BLOCK = 4_096
"""Rows per block: its columns stay in the processor's cache."""
SAMPLE = 4_096
"""Rows that show beforehand how far the columns depend on each other; no more than these are factored as a whole."""
SOLVABLE = 1e-11
"""Smallest singular value of the scaled sample, as a share of the largest, at which its triangle can be divided by."""


class Factors(NamedTuple):
    """What remains of the rows: theta0, R, q and rho (see ``MomentsEngine``).

    well: whether the columns hardly depend on each other. Then theta0 is the answer for all rows, and q is zero.
    """

    centre: Array
    upper: Array
    right: Array
    root: float
    well: bool


class FactorsEngine(Engine):
    """Sums over all rows from what remains of them."""

    name = "moments"
    factors = True
    once = quadratic = True

    def __init__(self, factors: Factors, count: int, total: float, rows: Rows) -> None:
        """count, total: of all rows, and the sum of their weights. rows: some that stand for them in memory."""
        self.moments, self.count, self.total, self.rows = factors, count, total, rows
        self.centre, self.upper, self.right, self.root, self.well = factors
        self.turned = 2.0 * self.upper.T
        self.curvature = self.turned.dot(self.upper)
        self.least = self.root * self.root
        self.mean_curvature, self.mean_least = self.curvature / total, self.least / total

    @property
    def means(self) -> Callable[[Array], Sums] | None:
        return self._means if self.well else None

    def _means(self, theta: Array) -> Sums:
        away = theta - self.centre
        gradient = self.mean_curvature.dot(away)
        return 0.5 * float(away.dot(gradient)) + self.mean_least, gradient, self.mean_curvature

    def _sums(self, theta: Array, order: int) -> Totals:
        away = theta - self.centre
        if self.well and order != 3:
            gradient = self.curvature.dot(away)
            loss = 0.5 * float(away.dot(gradient)) + self.least
        else:
            offset = self.upper.dot(away) + self.right
            loss = float(offset.dot(offset)) + self.least
            if order == 3:
                return Totals(self.total, loss, None, None, self._factor(offset))
            gradient = self.turned.dot(offset)
        return Totals(self.total, loss, gradient if order else None, self.curvature if order == 2 else None)

    def _factor(self, offset: Array) -> Array:
        size = offset.size
        factor = np.zeros((size + 1, size + 1))
        factor[:size, :size], factor[:size, size], factor[size, size] = self.upper, offset, self.root
        factor *= math.sqrt(2.0)
        return factor


class MomentsEngine(FactorsEngine, InMemory):
    """Sums from the moments of the columns, at a cost that does not depend on the number of rows.

    With J the columns that the parameters multiply, W the row weights, theta0 the least-squares answer of a sample and
    r0 its residuals, one pass over the rows leaves the triangle R and q, rho of

        QR [sqrt(W) J, sqrt(W) r0],   so that   sum W r**2 = |u|**2 + rho**2,   u = R (theta - theta0) + q,

    the gradient is 2 R'u and the curvature 2 R'R. Nothing is subtracted from anything much larger: residuals are small
    from the outset, and R stands for J itself, not for its square.

    Where the columns hardly depend on each other, theta0 is the answer for all rows, q is zero, and 2 R'R serves as
    it is. R comes from the moments J'WJ, by Cholesky, where the sample shows that its columns hardly depend on each
    other; from the moments of J divided by the triangle of the sample where they do, which costs twice that; and block
    by block from QR where both would lose digits. Rows that are asked for by number are summed one by one.

    Source: Golub & Van Loan, Matrix Computations, section 5.3 (least squares); Yamamoto et al. (2015), Electron. Trans.
    Numer. Anal. 44, 306-326 (triangles from Cholesky); Rokhlin & Tygert (2008), PNAS 105, 13212-13217 (the sample's).
    """

    def __init__(self, program: Program, rows: Rows) -> None:
        self.made_of = (program, rows)
        self.program = program
        with np.errstate(all="ignore"):
            super().__init__(DesignRows(design(program), rows).factored(), rows.count, rows.total, rows)

    @cached_property
    def by_rows(self) -> NumpyEngine:
        """Sums over some rows only."""
        return NumpyEngine(self.program, self.rows)

    def evaluate(self, theta: Array, order: int = 1, rows: NDArray[np.intp] | None = None) -> Totals:
        return self._sums(theta, order) if rows is None else self.by_rows.evaluate(theta, order, rows)


@dataclass(frozen=True)
class Design:
    """What the parameters multiply, one expression of data per component, and the response it should add up to."""

    columns: tuple[Expr, ...]
    response: Expr

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each column that is one of the table, "" of any other."""
        return tuple(each.name if isinstance(each, Column) else "" for each in self.columns)

    @cached_property
    def sources(self) -> list[tuple[int, tuple[Callable[..., Array], tuple[str, ...]]]]:
        """For each column, and the response last: its place, how to compute it, and from which columns of the table."""
        return list(enumerate(map(_source, (*self.columns, self.response))))


@lru_cache(maxsize=128)
def design(program: Program) -> Design:
    """Take a linear formula apart: expression = columns @ theta + offset, response - offset."""
    offset = program.score.xreplace(dict.fromkeys(program.jacobian, sympy.Integer(0)))
    response = program.formula.response - offset if offset != 0 else program.formula.response
    return Design(program.columns, response)


def refusal(code: Summand) -> str | None:
    """Say why a program has no moments to sum, in words that follow "The engine `moments` "; None if it has."""
    if (program := as_program(code)) is None:
        return "cannot look into a gradient by a Python function or autograd"
    return _refusal(program)


@lru_cache(maxsize=128)
def _refusal(program: Program) -> str | None:
    if program.by_hand is not None:
        return "derives the gradient from the moments of the data, so it cannot sum one written by hand"
    if not program.loss.quadratic:
        return f"is for the squared loss, not for the {program.loss.name} loss"
    if not program.linear:
        return f"is for formulas that are linear in all their parameters, which `{program.formula}` is not"
    return None


class DesignRows:
    """The rows of a design, to be factored."""

    def __init__(self, design: Design, rows: Rows) -> None:
        self.columns, self.weights, self.count = rows.columns, rows.omega, rows.count
        self.size = len(design.columns)
        self.matrix, self.within = self._in_matrix(design.names)
        self.sources = design.sources[: self.within.start] + design.sources[self.within.stop :]

    def _in_matrix(self, names: tuple[str, ...]) -> tuple[Array | None, slice]:
        """Return the matrix whose columns are columns of J, side by side, and which those are."""
        if isinstance(self.columns, InMatrix):
            begin = next((name_number for name_number, name in enumerate(names) if name), 0)
            within = slice(begin, begin + len(self.columns.listed))
            if names[within] == self.columns.listed:
                return self.columns.matrix, within
        return None, slice(0, 0)

    def factored(self) -> Factors:
        """Return what remains of the rows; all nan where a column is not finite."""
        size = self.size
        enough = max(SAMPLE, 4 * size)
        sample = self._sample(enough)
        first = sample.dot(sample.T)
        if not finite(first.ravel()) and not np.isfinite(sample).all():
            return self._nowhere()
        well = well_conditioned(first[:size, :size])
        if self.count <= enough:
            return self._few(sample, first if well else None)
        centre, upper, *_ = self._few(sample, first if well else None)
        triangle_of_all = self._moments(centre, upper, sample)
        if triangle_of_all is None:
            triangle_of_all = self._in_blocks(centre)
        if not np.isfinite(triangle_of_all).all():
            return self._nowhere()
        upper, right, root = (
            triangle_of_all[:size, :size],
            triangle_of_all[:size, size],
            float(abs(triangle_of_all[size, size])),
        )
        if well_conditioned(upper.T.dot(upper)):
            return Factors(centre - np.linalg.solve(upper, right), upper, np.zeros(size), root, True)
        return Factors(centre, upper, right, root, False)

    def _nowhere(self) -> Factors:
        size = self.size
        return Factors(np.zeros(size), np.full((size, size), np.nan), np.full(size, np.nan), math.nan, False)

    def _few(self, matrix: Array, moments: Array | None) -> Factors:
        """Factor few rows, [J, y] transposed, as a whole; ``moments``: theirs, if they are well-conditioned."""
        size = self.size
        if moments is not None:
            square, columns, response = moments[:size, :size], matrix[:size], matrix[size]
            inverse = np.linalg.inv(square)
            about = inverse.dot(moments[:size, size])
            centre: Array = about - inverse.dot(columns.dot(about.dot(columns) - response))  # refined once
            residual = centre.dot(columns) - response
            lower = np.linalg.cholesky(square)
            return Factors(
                centre, np.asarray(lower.T, dtype=np.float64), np.zeros(size), math.sqrt(residual.dot(residual)), True
            )
        basis, top = np.linalg.qr(matrix[:size].T)
        count = basis.shape[1]
        upper = np.zeros((size, size))
        upper[:count] = top
        projected, right = np.zeros((2, size))
        projected[:count] = basis.T.dot(matrix[size])
        centre = solved(upper, projected)
        residual = centre.dot(matrix[:size]) - matrix[size]
        right[:count] = basis.T.dot(residual)
        residual -= basis.dot(right[:count])
        return Factors(centre, upper, right, math.sqrt(residual.dot(residual)), False)

    def _sample(self, most: int) -> Array:
        """Return [J, y], transposed and weighted, of all rows, or of some drawn with a fixed seed."""
        sampled_rows: Chosen = slice(None)
        if self.count > most:
            sampled_rows = np.sort(np.random.default_rng(0).integers(0, self.count, most))
        matrix = self._buffer(min(self.count, most))
        self._fill(matrix, sampled_rows)
        return matrix

    def _buffer(self, rows: int) -> Array:
        """Return room for [J, y], transposed, of so many rows; laid out as a matrix that they are read from is."""
        return np.empty((self.size + 1, rows)) if self.matrix is None else np.empty((rows, self.size + 1)).T

    def _fill(self, matrix: Array, rows_chosen: Chosen, factors: Array | None = None) -> None:
        """Write the columns and the response of some rows, times factors, into the rows of a matrix."""
        cut: dict[str, Array] = {}
        if self.matrix is not None:
            scale = 1.0 if factors is None else factors[self.within]
            np.multiply(self.matrix[rows_chosen], scale, out=matrix[self.within].T)
        for column, (compute, names) in self.sources:
            for name in names:
                if name not in cut:
                    cut[name] = self.columns[name][rows_chosen]
            np.multiply(
                compute(*[cut[name] for name in names]), 1.0 if factors is None else factors[column], matrix[column]
            )
        if self.weights is not None:
            matrix *= np.sqrt(self.weights[rows_chosen])

    def _blocks(self, centre: Array, scale: Array, first: int = 0, last: int | None = None) -> Iterator[Array]:
        """Yield [J, r0] of one block of rows after the other, scaled, each column in a row of a buffer."""
        last = self.count if last is None else last
        buffer = self._buffer(BLOCK)
        guess = np.append(centre * scale[:-1], -scale[-1]) / scale[-1]
        factors = 1.0 / scale
        residual = np.empty(BLOCK)
        for begin in range(first, last, BLOCK):
            block = buffer[:, : min(BLOCK, last - begin)]
            self._fill(block, slice(begin, begin + block.shape[1]), factors)
            if self.matrix is None:
                np.einsum("k,kn->n", guess, block, out=residual[: block.shape[1]])
            else:
                block.T.dot(guess, out=residual[: block.shape[1]])
            block[-1] = residual[: block.shape[1]]
            yield block

    def _in_blocks(self, centre: Array) -> Array:
        """Return the triangle of [J, r0] by QR of one block after the other."""
        upper = np.zeros((0, self.size + 1))
        for block in self._blocks(centre, np.ones(self.size + 1)):
            upper = triangle(np.vstack([upper, block.T]))
        return upper

    def _moments(self, centre: Array, upper: Array, sample: Array) -> Array | None:
        """Return the triangle from moments; None if that would lose digits."""
        size = self.size
        scale = powers_of_two(np.sqrt(np.mean(sample * sample, axis=1)))
        scaled = upper / (scale[:size] * math.sqrt(sample.shape[1]))
        singular = np.linalg.svd(scaled / np.maximum(norms(scaled), 1e-300), compute_uv=False)
        smallest_share = singular[-1] / singular[0]
        # A sample may miss a column that is zero in most rows; then nothing can be divided by its triangle.
        plain = smallest_share**2 > 10.0 * WELL or not smallest_share > SOLVABLE
        divide = None if plain else divider(scaled)

        def share(number: int) -> Array:
            summed = np.zeros((size + 1, size + 1))
            first = number * SHARE
            for block in self._blocks(centre, scale, first, min(first + SHARE, self.count)):
                if divide is not None:
                    divide(block[:size])
                summed += block.dot(block.T)
            return summed

        summed = in_turn(-(-self.count // SHARE), lambda: share, None if self.count >= MANY else 1)
        factor_of_rows = cholesky(np.add.reduce(summed))
        if factor_of_rows is None:
            return None
        if not plain:
            factor_of_rows[:size, :size] = factor_of_rows[:size, :size] @ scaled
        factor_of_rows *= scale
        return factor_of_rows


def _source(expression: Expr) -> tuple[Callable[..., Array], tuple[str, ...]]:
    """Return how to compute an expression of data, and from which columns."""
    if isinstance(expression, Column):
        return _itself, (expression.name,)
    symbols = tuple(sorted(expression.atoms(Column), key=lambda column: column.name))
    return compile_expression(expression, symbols), tuple(symbol.name for symbol in symbols)


def _itself(column: Array) -> Array:
    return column


__all__ = ["MomentsEngine", "refusal"]
