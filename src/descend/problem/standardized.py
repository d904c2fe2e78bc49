"""Standardised columns, without touching the columns: an affine change of the parameters that has the same effect.

With an intercept b and linear parameters w, prediction = w x + b = u (x - mean)/spread + u_b for
    w = u / spread,   b = u_b - sum of u mean / spread
so a descent in u is that on columns of mean 0 and spread 1, while J, its data and every number that is shown stay in
the user's units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from descend.engines.batches import Places
from descend.engines.totals import Curvature
from descend.errors import ConfigError
from descend.formula import Formula, as_text
from descend.formula.symbols import Column, Parameter, Predictor
from descend.gradients.derived import derived
from descend.losses import LEAST_SQUARES, Loss
from descend.models import Model
from descend.optimizers.curvature import with_diagonal
from descend.optimizers.kinked_loss import Pieces
from descend.parameters import Parameters
from descend.problem.engine_choice import engine_in_memory
from descend.problem.objective import Around, Numbers, VectorObjective
from descend.problem.penalty import Penalty
from descend.problem.point import KinksOfRows, PiecesOfRows, Point
from descend.problem.problem import Problem
from descend.problem.standard_units import Units, standard_units
from descend.problem.triangle import Triangle

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StandardizedPieces:
    """The rows of a loss with kinks, as functions of u."""

    objective: StandardizedObjective
    pieces: PiecesOfRows

    def known(self, u: Array) -> Pieces | None:
        """Return the pieces at u if they were asked for last."""
        known_pieces = self.pieces.known(self.objective.theta(u))
        return None if known_pieces is None else self._moved(u, known_pieces)

    def at(self, u: Array) -> Pieces:
        """Return the pieces at u."""
        return self._moved(u, self.pieces.at(self.objective.theta(u)))

    def _moved(self, u: Array, found: Pieces) -> Pieces:
        units = self.objective.units
        bend = found.bend * units.scale**2  # an l2 penalty leaves the intercept alone
        jacobian, slope = units.columns(found.jacobian), units.gradient(found.slope)
        measure, pieces_at = found.measure, found.at_theta
        if measure is not None:
            frame = np.linalg.solve(units.columns(np.eye(u.size)), measure.frame)
            measure = measure._replace(frame=np.asarray(frame, dtype=np.float64))
        shifted_pieces = replace(found, theta=u, jacobian=jacobian, slope=slope, bend=bend, measure=measure)
        if pieces_at is None:
            return shifted_pieces
        return replace(shifted_pieces, at_theta=lambda v: self._moved(v, pieces_at(self.objective.theta(v))))


@dataclass(frozen=True, eq=False)
class StandardizedKinks:
    """The kinks of a formula, expressed in u."""

    objective: StandardizedObjective
    kinks: KinksOfRows

    def onwards(self, point: Point) -> tuple[Array, Array | None]:
        """Return where the kinks lead from a point in u, and the subgradient if the point is a corner."""
        within, units = self.objective, self.objective.units
        here = within.inner(within.theta(point.theta), 2)
        theta, subgradient = self.kinks.onwards(here)
        u = point.theta if theta is here.theta else units.u(theta)
        return u, None if subgradient is None else units.gradient(subgradient)

    def corner(self, point: Point) -> tuple[Array, Array] | None:
        """Return None: normals are asked for in the user's units alone."""
        return None

    def note(self, point: Point) -> str | None:
        """Say where J has a corner at a point, if it has one."""
        return self.kinks.note(self.objective.inner(self.objective.theta(point.theta), 2))


class Place(Protocol):
    """Where a run stands, such as a step of it."""

    theta: Array
    gradient_norm: float


class StandardizedObjective(Around):
    """J as a function of u: each evaluation is passed to the inner objective, in the user's units.

    here: the last inner evaluation over all rows. start, first: where a descent begins, in both units.
    """

    units: Units
    first: Point

    def __init__(self, inner: VectorObjective, units: Units, start: Point) -> None:
        super().__init__(inner)
        self.units, self.start, self.here = units, start.theta, start
        if inner.penalty is not None:  # |theta_k| = scale_k |u_k|; an intercept is not penalised
            self.penalty = Penalty(inner.penalty.l1 * units.scale, inner.penalty.l2)
        self.kinks = None if inner.kinks is None else StandardizedKinks(self, inner.kinks)
        self.pieces = None if inner.pieces is None else StandardizedPieces(self, inner.pieces)
        u = units.u(start.theta)
        self._last = (u, 2, *self._moved(start.loss, start.gradient, start.curvature), None)
        self.first = self(u, 2)

    def numbers(self, theta: Array, order: int, rows: Places | None) -> Numbers:
        """Return J, and from order 1 on its gradient, from 2 on its curvature."""
        here = self.inner(self.theta(theta), order, rows)
        if rows is None:
            self.here = here
        return self._moved(here.loss, here.gradient, here.curvature)

    def triangle(self, theta: Array, rows: Places | None = None) -> Triangle | None:
        """Return the triangle of the Jacobian by u."""
        here = self.inner(self.theta(theta), 3, rows)
        if rows is None:
            self.here = here
        if here.factor is None:
            return None
        return Triangle(here.loss, self.units.gradient(here.gradient), self.units.factor(here.factor))

    def noise(self) -> Array | None:
        """Return the standard deviation of dJ/du."""
        noise_of_loss = self.inner.noise()
        if noise_of_loss is None:
            return None
        units, scaled_theta = self.units, self.units.scale * noise_of_loss
        return (
            scaled_theta
            if units.intercept is None
            else np.hypot(scaled_theta, units.shift * noise_of_loss[units.intercept])
        )

    def theta(self, u: Array) -> Array:
        """Return u in the user's units; the start is returned exactly as given, without rounding errors."""
        if self._last is not None and self._last[0] is u:
            return self.here.theta
        return self.start if np.array_equal(u, self.first.theta) else self.units.theta(u)

    def restore(self, step: Place) -> None:
        """Put the step that was just made into the user's units."""
        step.theta, step.gradient_norm = self.here.theta, self.here.norm

    def _moved(self, loss: float, gradient: Array | None, curvature: Curvature | None) -> Numbers:
        units = self.units
        return (
            loss,
            None if gradient is None else units.gradient(gradient),
            None if curvature is None else units.curvature(curvature),
        )


def standardized(problem: Problem, first: Point) -> tuple[StandardizedObjective, str]:
    """Return J of a problem as a function of standardised parameters, and a sentence on what was done.

    first: where the descent begins.

    Raises ConfigError for a problem with bounds.
    """
    objective, model = problem.objective, problem.model
    if objective.bounds is not None:
        raise ConfigError(
            f"Standardised columns do not go with bounds ({objective.bounds.texts[0]}): an intercept takes up the "
            "means of the columns, so that its bounds would move with the others. Leave out one of the two."
        )
    columns, intercept = entering(problem.model)
    if intercept is not None and objective.penalty is not None and objective.penalty.l1[intercept]:
        intercept = None
    linear = np.array([bool(column) for column in columns] or [False] * model.parameters.size)
    with np.errstate(all="ignore"):
        moments = column_moments(problem, first)
        if not isinstance(moments, np.ndarray):
            intercept = None  # its column meets those of all groups
        units = standard_units(moments, linear, intercept)
    note = "the descent ran in standardised columns, so its learning rate is one for these"
    if intercept is None:
        note += "; no parameter is merely added, so they were scaled to mean square 1 but not centred"
    elif linear.sum() != len(linear) - 1:
        note += "; what enters nonlinearly was scaled by its derivative at the start"
    return StandardizedObjective(objective, units, first), note


def column_moments(problem: Problem, first: Point) -> Curvature:
    """Return the mean over rows of d_k d_l, d_k the derivative of the score by parameter k at ``first``."""
    curvature, penalty = first.curvature, problem.objective.penalty
    if not problem.model.loss.quadratic and problem.model.formula is not None:
        # Other losses weight the rows in their curvature; the squared loss of the same score does not.
        program = replace(derived(problem.model.formula, problem.model.loss), loss=LEAST_SQUARES)
        totals = engine_in_memory(program, problem.rows).evaluate(first.theta, 2)
        assert totals.curvature is not None
        return totals.curvature / (2.0 * totals.rows)
    if curvature is None:
        raise ConfigError("Standardised columns need a curvature, which this gradient does not give. Leave them out.")
    return (curvature if penalty is None else with_diagonal(curvature, -2.0 * penalty.l2)) / 2.0


def entering(model: Model) -> tuple[tuple[str, ...], int | None]:
    """Return the text of what each component multiplies (empty if it enters nonlinearly) and the intercept's place."""
    return _entering(model.formula, model.loss) if model.formula is not None else ((), None)


@lru_cache(maxsize=128)
def _entering(formula: Formula, loss: Loss) -> tuple[tuple[str, ...], int | None]:
    parameters = Parameters(formula.parameters)
    columns, intercept = [""] * parameters.size, None
    for symbol, slope in derived(formula, loss).jacobian.items():
        if slope.atoms(Parameter, Predictor):
            continue
        term = formula.terms.get(symbol) if isinstance(symbol, Predictor) else None
        position = parameters.slices[symbol.name if term is None else term.vector].start
        if term is None:
            columns[position] = as_text(slope) if slope.atoms(Column) else ""
            intercept = position if slope == 1 else intercept
        else:
            columns[position : position + len(term.labels)] = [as_text(slope * item) for item in term.each] * (
                len(term.labels) // len(term.each)
            )
    return tuple(columns), intercept
