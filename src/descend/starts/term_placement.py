"""A formula as a sum: its linear parameters, what must be searched for, and its terms placed one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.engines.numpy_engine import NumpyEngine
from descend.formula.structure import linear_unknowns
from descend.gradients.derived import Program, derived
from descend.models import formula_model
from descend.parameters import Bounds
from descend.problem.objective import objective_over
from descend.starts.dictionary import Dictionary
from descend.starts.peeling import Peeling
from descend.starts.projection import Projection
from descend.starts.residual_noise import something_left
from descend.starts.terms import terms_of, with_amplitudes, worth_peeling
from descend.starts.trial_points import descended, name_of
from descend.table.rows import Rows

Array = NDArray[np.float64]
EPOCHS_OF_TERM = 8
"""Epochs of the descent after each term that is found."""


@dataclass(frozen=True)
class Placed:
    """Where the terms of a sum were placed.

    thetas: the best, and others that may be as good. loss: J at the best, by squares. certain: whether it leaves only
    noise, and no other place of the last term came near, so that a search need not go on. tried: points.
    """

    thetas: Sequence[Array]
    loss: float
    certain: bool
    tried: int


@dataclass
class TermPlacement:
    """A program under the squared loss, and the rows on which its points are judged.

    every: all rows. held: names of parameters that keep their values. projection: solves for the linear parameters;
    symbols: these. scanned: the others, which are searched for.
    """

    program: Program
    rows: Rows
    every: Rows
    held: frozenset[str]
    projection: Projection
    symbols: frozenset[Expr]
    scanned: Sequence[Expr]

    @cached_property
    def dictionary(self) -> Dictionary:
        """Where terms are tried."""
        return self._dictionary(self.program, self.projection)

    def placed(self, theta: Array) -> Placed | None:
        """Place the terms of the sum one after the other; None if it is no sum of such terms."""
        program, projection = self._with_amplitudes()
        held_symbols = {symbol for symbol in program.formula.unknowns if name_of(program, symbol) in self.held}
        split = terms_of(projection, held_symbols)
        if split is None or not worth_peeling(self.program.formula, split[1]):
            return None
        bounds, engine = projection.bounds, NumpyEngine(program, self.rows)

        def polished(theta: Array, moving: NDArray[np.bool_]) -> tuple[float, Array]:
            within = bounds if moving.all() else _pinned(theta, moving, bounds)
            return descended(objective_over(engine, bounds=within), theta, EPOCHS_OF_TERM)

        own_program = program is self.program
        dictionary = self.dictionary if own_program else self._dictionary(program, projection)
        model = formula_model(program.formula, program.loss)
        peeling = Peeling(
            projection, *split, dictionary, polished, lambda theta: not something_left(model, theta, self.rows)
        )
        size = theta.size
        with np.errstate(all="ignore"):
            loss, theta = peeling.start(np.append(theta, np.ones(projection.parameters.size - size)))
        # A term whose amplitude was freed for once may have taken the place of another one like it.
        exchanged = [] if own_program else peeling.exchanged(theta)
        thetas = [each[:size] for each in (theta, *exchanged)]
        return Placed(thetas, loss, own_program and peeling.certain, peeling.tried)

    def _dictionary(self, program: Program, projection: Projection) -> Dictionary:
        everywhere = self._projected(self.every, program, projection.bounds)
        return Dictionary(program, self.rows.columns, projection, everywhere)

    def _projected(self, rows: Rows, program: Program, bounds: Bounds | None) -> Projection:
        new = linear_unknowns(program.formula).difference(self.program.formula.unknowns)
        return Projection(program.formula, rows, self.symbols | new, self.held, bounds)

    def _with_amplitudes(self) -> tuple[Program, Projection]:
        """Return what to take apart: the program with an amplitude for each of its terms, and its projection."""
        formula = with_amplitudes(self.program.formula, self.projection, self.scanned)
        if formula is None:
            return self.program, self.projection
        amplitudes_added = len(formula.parameters) - len(self.program.formula.parameters)
        bounds = None if self.projection.bounds is None else self.projection.bounds.beside(amplitudes_added)
        program = derived(formula, self.program.loss)
        return program, self._projected(self.rows, program, bounds)


def _pinned(theta: Array, moving: NDArray[np.bool_], bounds: Bounds | None) -> Bounds:
    """Return bounds that hold all parameters but those that are ``moving``."""
    low, high = np.full(theta.size, -math.inf), np.full(theta.size, math.inf)
    none = np.zeros((2, theta.size), dtype=bool)
    strict, barred = none, none
    if bounds is not None:
        low, high, strict, barred = bounds.low, bounds.high, bounds.strict, bounds.barred
    labels = tuple(str(theta_index) for theta_index in range(theta.size))
    return Bounds(labels, np.where(moving, low, theta), np.where(moving, high, theta), strict & moving, barred & moving)
