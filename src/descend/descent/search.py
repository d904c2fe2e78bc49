"""Starting values without the user: many trial points in the data's own units, linear parameters solved at each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from descend.constraints import Bounds
from descend.descent.dictionary import Dictionary
from descend.descent.lack_of_fit import many_basins, something_left
from descend.descent.loop import Plan, descend
from descend.descent.objective import Objective, Point
from descend.descent.peeling import MOST_TERMS, Peeling, Term, terms_of
from descend.descent.projection import Projection
from descend.descent.trials import name_of, place_of, trials, tunings
from descend.engines.numpy import NumpyEngine
from descend.formula.structure import even_parameters, interchangeable, linear_unknowns, measures, phases, waves
from descend.formula.symbols import Parameter
from descend.formula.valleys import like_terms, shared
from descend.gradients.contract import Program
from descend.gradients.derived import derived
from descend.losses import LOSSES
from descend.models import formula_model
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt

Array = NDArray[np.float64]
ROWS = 512
"""Rows that trial points are judged on, evenly spaced through the table."""
ROWS_OF_WAVES = 4096
"""The same where there are waves, which a few rows may not show."""
STAGES = ((32, 8), (8, 100))
"""How many of the best points a descent is made from, and of how many epochs; twice, as most are soon seen to fail."""
STAGES_OF_SUMS = ((16, 8), (4, 100))
"""The same where the terms of a sum were found one after the other, so that others rarely lead further."""
RANKS = (0, 2, 6, 16)
"""Places, among trial points from the best on, of those that descents are made from to see whether they agree."""
EPOCHS_TO_AGREE = 30
EPOCHS_OF_TERM = 8
"""Epochs of the descent that follows each term that is found."""
CANCELLED = 1e-6
"""Share of J left of it after a step, below which the difference has too few digits to rank points by."""
SAME = 1e-6
"""Relative difference of J below which two descents have ended in the same place."""


@dataclass(frozen=True)
class Found:
    """A start: theta, and how it was found, in words."""

    theta: Array
    note: str


def search(
    program: Program,
    columns: Mapping[str, Array],
    theta: Array,
    given: Collection[str],
    polish: bool,
    bounds: Bounds | None = None,
) -> Found | None:
    """Look for starting values of the parameters that are not ``given``; None if none gives a finite loss.

    1. Spread trial points over the nonlinear parameters, each in its own unit (``formula.structure.measures``).
    2. At each, solve for the linear parameters, where J is a parabola in them, and take J there.
    3. Find the terms of a sum one after the other (``peeling``), waves by a periodogram over all rows; tune waves that
       are no such terms to the frequencies found in all rows, or that the rows can tell apart.
    4. Descend a little way from the best few (``polish``), and return the lowest.
    Everything is deterministic, and stays within ``bounds``.
    """
    return _Search(program, columns, theta, frozenset(given), bounds).found(polish)


class _Search:
    """One search: the rows that points are judged on, and what is known of the formula."""

    def __init__(
        self, program: Program, columns: Mapping[str, Array], theta: Array, given: frozenset[str], bounds: Bounds | None
    ) -> None:
        formula = program.formula
        self.program, self.columns, self.theta, self.given, self.bounds = program, columns, theta, given, bounds
        self.quadratic = program.loss.name == "squared"
        self.rows = sample(columns, ROWS_OF_WAVES if waves(formula) else ROWS)
        self.linear = linear_components(program, given)
        self.free = [symbol for symbol in formula.unknowns if name_of(program, symbol) not in given]
        self.symbols = frozenset(symbol for symbol in self.free if self.linear[place_of(program, symbol)].any())
        self.objective = Objective(self._engine(program), bounds=bounds)
        self.projection = self._projection(program, self.rows)
        phases = {each.phase for each in self.projection.amplitudes}
        self.scanned = [symbol for symbol in self.free if symbol not in self.symbols and symbol not in phases]
        self.tried = 0

    def _engine(self, program: Program) -> NumpyEngine:
        return NumpyEngine(program, self.rows, None if program.weights is None else program.weights.name)

    def _projection(self, program: Program, rows: Mapping[str, Array]) -> Projection:
        weights = None if program.weights is None else rows[program.weights.name]
        return Projection(program.formula, rows, weights, self.symbols, self.given, self.bounds)

    def found(self, polish: bool) -> Found | None:
        program, given, bounds = self.program, self.given, self.bounds
        ends = self._solved(trials(program, self.rows, self.theta, self.scanned))
        if polish and (agreed := self._agreed(ends)) is not None:
            return agreed
        peeled = self._peeled()
        ends = [*peeled, *ends]
        if not ends:
            return None
        for symbol, wave in waves(program.formula).items():
            if symbol in self.scanned and not peeled:
                lowest = ends[0][1]
                found = self.dictionary.frequencies(wave, lowest)
                ends += self._solved(tunings(program, self.rows, lowest, symbol, self.scanned, found))
        ends.sort(key=lambda pair: pair[0])
        tried = self.tried
        words = f"start found among {tried:,} trial points" if tried > 1 else "linear parameters solved at the start"
        if not polish:
            return Found(ends[0][1], words)
        for count, epochs in STAGES if not peeled else STAGES_OF_SUMS:
            starts = [_settled(program, point, given, bounds) for _, point in ends[:count]]
            ends = sorted((descended(self.objective, point, epochs) for point in starts), key=lambda pair: pair[0])
        best, point = ends[0]
        reached = sum(abs(loss - best) <= SAME * abs(best) for loss, _ in ends)
        words += f"; {reached} of the {len(ends)} best descents from them ended here"
        return Found(_settled(program, point, given, bounds), words)

    def _agreed(self, ends: Sequence[tuple[float, Array]]) -> Found | None:
        """Return where descents from a few points end, if most end in one place, the lowest, and leave but noise there.

        Nothing lower could explain noise; so this is all, unless the formula has valleys beside each other.
        """
        formula, weights = self.program.formula, self.program.weights
        if not self.quadratic or self.given or formula.terms or many_basins(formula) or interchangeable(formula):
            return None
        if shared(formula) or like_terms(formula, self.bounds is not None):
            return None
        starts = [_settled(self.program, ends[rank][1], self.given, self.bounds) for rank in RANKS if rank < len(ends)]
        if len(starts) < len(RANKS):
            return None
        down = sorted((descended(self.objective, point, EPOCHS_TO_AGREE) for point in starts), key=lambda pair: pair[0])
        best, theta = down[0]
        reached = sum(abs(loss - best) <= SAME * abs(best) for loss, _ in down)
        model = formula_model(formula, self.program.loss)
        if 2 * reached < len(down) or something_left(
            model, theta, self.rows, None if weights is None else weights.name
        ):
            return None
        words = (
            f"start found among {self.tried:,} trial points; {reached} of the {len(down)} descents from them ended here"
        )
        return Found(_settled(self.program, theta, self.given, self.bounds), words)

    def _solved(self, points: Iterable[Array]) -> list[tuple[float, Array]]:
        """Return J and place of each point that has a finite J with the best linear parameters, the lowest first."""
        inside = points if self.bounds is None else (
            self.bounds.folded(point, number) for number, point in enumerate(points)
        )  # fmt: skip
        whole = np.array(list(inside))
        self.tried += len(whole)
        if not self.quadratic:
            pairs = [_solved(self.objective, point, self.linear, False) for point in whole]
            return sorted((pair for pair in pairs if pair is not None), key=lambda pair: pair[0])
        losses, moved = self.projection.solved(whole)
        order = np.argsort(losses, kind="stable")
        return [(float(losses[place]), moved[place]) for place in order if math.isfinite(losses[place])]

    @cached_property
    def squares(self) -> Program:
        """The same under the squared loss, which distances are measured by."""
        program = self.program
        if self.quadratic:
            return program
        weights = None if program.weights is None else program.weights.name
        return derived(program.formula, LOSSES.build("squared"), weights)

    @cached_property
    def dictionary(self) -> Dictionary:
        """Where terms of the sum are tried."""
        return Dictionary(self.squares, self.rows, self._projection(self.squares, self.columns))

    def _peeled(self) -> list[tuple[float, Array]]:
        """Return points at which the terms of a sum were put one after the other; none if it is not such a sum."""
        held = {symbol for symbol in self.program.formula.unknowns if name_of(self.program, symbol) in self.given}
        split = terms_of(self.projection, held)
        if split is None or len(split[1]) > MOST_TERMS or not self._worth_peeling(split[1]):
            return []
        base, terms = split
        engine = self._engine(self.squares)

        def polished(theta: Array, moving: NDArray[np.bool_]) -> tuple[float, Array]:
            bounds = self.bounds if moving.all() else _pinned(theta, moving, self.bounds)
            return descended(Objective(engine, bounds=bounds), theta, EPOCHS_OF_TERM)

        peeling = Peeling(self.projection, base, terms, self.dictionary, polished)
        with np.errstate(all="ignore"):
            loss, theta = peeling.start(self.theta)
        self.tried += peeling.tried
        if not self.quadratic:
            found = _solved(self.objective, theta, self.linear, False)
            return [] if found is None else [found]
        return [(loss, theta)] if math.isfinite(loss) else []

    def _worth_peeling(self, terms: Sequence[Term]) -> bool:
        """Whether trial points are too few: of several terms, of waves, and of peaks that may be narrow."""
        formula = self.program.formula
        unknowns = [symbol for term in terms for symbol in term.unknowns]
        located = (symbol in waves(formula) or measures(formula)[symbol].location is not None for symbol in unknowns)
        return len(terms) > 1 or any(located)


def _pinned(theta: Array, moving: NDArray[np.bool_], bounds: Bounds | None) -> Bounds:
    """Return bounds that hold all parameters but those that are ``moving``."""
    low, high = np.full(theta.size, -math.inf), np.full(theta.size, math.inf)
    none = np.zeros((2, theta.size), dtype=bool)
    strict, barred = none, none
    if bounds is not None:
        low, high, strict, barred = bounds.low, bounds.high, bounds.strict, bounds.barred
    labels = tuple(str(place) for place in range(theta.size))
    return Bounds(labels, np.where(moving, low, theta), np.where(moving, high, theta), strict & moving, barred & moving)


def _settled(program: Program, theta: Array, given: Collection[str], bounds: Bounds | None = None) -> Array:
    """Choose among equal answers: positive signs, phases in [-pi, pi], interchangeable terms in ascending order."""
    formula, slices = program.formula, program.parameters.slices
    settled = theta.copy()

    def places(*symbols: Parameter | None) -> list[int] | None:
        free = [symbol for symbol in symbols if symbol is not None and symbol.name not in given]
        return [slices[symbol.name].start for symbol in free] if len(free) == len(symbols) else None

    for symbol, others in even_parameters(formula).items():
        together = places(symbol, *others)
        if together and settled[together[0]] < 0.0:
            settled[together] *= -1.0
    for phase, amplitude in phases(formula).items():
        if (pair := places(phase, amplitude)) and settled[pair[1]] < 0.0:
            settled[pair] = settled[pair[0]] + math.pi, -settled[pair[1]]
        if own := places(phase):
            settled[own[0]] = math.remainder(settled[own[0]], 2.0 * math.pi)
    linear = linear_unknowns(formula)
    for group in interchangeable(formula):
        rows = [places(*own) for own in group]
        if any(row is None for row in rows):
            continue
        at = np.array(rows)
        leader = next((column for column, symbol in enumerate(group[0]) if symbol not in linear), 0)
        settled[at] = settled[at[np.argsort(settled[at[:, leader]], kind="stable")]]
    return settled if bounds is None or bounds.contains(settled).all() else theta


def sample(columns: Mapping[str, Array], size: int) -> dict[str, Array]:
    """Choose a row at random (the same each time) from each of ``size`` stretches: even steps could hide a wave."""
    rows = len(next(iter(columns.values())))
    if rows <= size:
        return dict(columns)
    chosen = sampled(rows, size)
    return {name: column[chosen] for name, column in columns.items()}


def sampled(rows: int, size: int, together: int = 1) -> NDArray[np.intp]:
    """Return the places of the rows that `sample` chooses; ``together`` neighbours in the place of each single row."""
    count = size // together
    within = np.random.default_rng(size).random(count)
    first = ((np.arange(count) + within) * (rows // together) / count).astype(np.intp) * together
    return (first[:, None] + np.arange(together)).ravel()


def linear_components(program: Program, given: Collection[str]) -> NDArray[np.bool_]:
    """Mark the components of theta in which the expression is jointly linear, save those that were given a start."""
    linear = np.zeros(program.parameters.size, dtype=bool)
    for symbol in linear_unknowns(program.formula):
        linear[place_of(program, symbol)] = name_of(program, symbol) not in given
    return linear


def _solved(
    objective: Objective, trial: Array, linear: NDArray[np.bool_], quadratic: bool
) -> tuple[float, Array] | None:
    """Move the linear components of ``trial`` to their minimum; returns J there and the point, None if not finite."""
    point = objective(trial, 2)
    for _ in range(1 if quadratic else 3):
        if not _usable(point):
            return None
        assert point.curvature is not None
        if not linear.any():
            break
        step = _newton(point.curvature[np.ix_(linear, linear)], point.gradient[linear])
        moved = point.theta.copy()
        moved[linear] += step
        if objective.bounds is not None:
            moved = objective.bounds.project(moved, point.theta)
        if quadratic and objective.bounds is None:
            loss = point.loss + 0.5 * float(point.gradient[linear] @ step)
            if not loss > CANCELLED * point.loss:
                loss = objective(moved, 0).loss
            return (loss, moved) if math.isfinite(loss) else None
        point = objective(moved, 2)
    return (point.loss, point.theta) if _usable(point) else None


def _newton(curvature: Array, gradient: Array) -> Array:
    """Solve C d = -g in units where diag(C) = 1, leaving out directions the data do not determine."""
    diagonal = curvature.diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    step: Array = np.linalg.lstsq(curvature * scale * scale[:, None], -gradient * scale, rcond=1e-11)[0] * scale
    return step


def _usable(point: Point) -> bool:
    return bool(math.isfinite(point.loss) and point.curvature is not None and np.isfinite(point.curvature).all())


def descended(objective: Objective, theta: Array, epochs: int) -> tuple[float, Array]:
    """Descend a little way; returns the last finite J and where it is."""
    plan = Plan(epochs, asked=False, rate=1.0)
    *_, last = (step for step in descend(objective, LevenbergMarquardt(), theta, plan) if math.isfinite(step.loss))
    return last.loss, last.theta
