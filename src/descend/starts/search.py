"""Starting values found without the user: many trial points in the data's own units, linear parameters solved for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Curvature
from descend.formula.compile import over_rows
from descend.formula.parametrisation import like_terms, shared, unwrapped
from descend.formula.structure import interchangeable, linear_unknowns, symmetric, waves
from descend.gradients.derived import Program, derived
from descend.losses import LEAST_SQUARES
from descend.models import formula_model
from descend.optimizers.curvature import is_finite, part_of
from descend.parameters import Bounds
from descend.problem.objective import objective_over
from descend.problem.point import Objective, Point
from descend.starts.projection import Projection
from descend.starts.residual_noise import many_basins, something_left
from descend.starts.trial_points import descended, name_of, place_of, trials, tunings
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.starts.term_placement import TermPlacement

Array = NDArray[np.float64]
ROWS = 512
"""Rows on which trial points are judged, spread evenly through the table."""
FEW = 128
"""The same for a first look, where a few averages over blocks of rows keep what all rows say about a smooth curve."""
ROWS_OF_WAVES = 4096
"""The same where there are waves, which a few rows may not show."""
STAGES = ((32, 8), (8, 100))
"""(points, epochs): how many of the best points descend, and for how long; in two stages, as most soon fail."""
STAGES_OF_SUMS = ((16, 8), (4, 100))
"""The same where the terms of a sum were found one by one, so that other points rarely lead further."""
STAGES_OF_WAVES = ((12, 8), (4, 100))
"""The same where these terms are waves, whose places in the periodogram other points hardly ever meet."""
RANKS = (0, 2, 6, 16)
"""Ranks of the trial points, best first, from which descents start to see whether they agree."""
EPOCHS_TO_AGREE = 30
MOSTLY = 0.5
"""Share of the response's variance that is left where a place explains most of it."""
RANKED = 128
"""Points, the best by squared loss, that are judged by the loss itself."""
SAME = 1e-6
"""Relative difference of J below which two descents count as having ended in the same place."""
SETTLED = 1e-8
"""Share of J that a step has to lower it by, or a descent has ended."""


@dataclass(frozen=True)
class Start:
    """Where a descent begins: theta, and how it was found, in words.

    sizes: of the samples that it was improved on, if any. passes: what that cost, in passes over all rows.
    """

    theta: Array
    note: str
    sizes: tuple[int, ...] = ()
    passes: float = 0.0

    def in_sample(self, looked_at: int, rows: int) -> Start:
        """Return the same start, with a note of how many rows were looked at, if not all were."""
        return (
            self
            if looked_at == rows
            else replace(self, note=f"{self.note}; {looked_at:,} of {rows:,} rows were looked at")
        )


def search(
    program: Program,
    rows: Rows,
    theta: Array,
    held: Collection[str],
    polish: bool,
    bounds: Bounds | None = None,
) -> Start | None:
    """Look for starting values of the parameters whose names are not ``held``; None if none gives a finite loss.

    1. Spread trial points over the nonlinear parameters, each in its own unit (``formula.structure.measures``).
    2. At each, solve for the linear parameters, where J is a parabola in them, and take J there.
    3. Find the terms of a sum one after the other (``peeling``), waves by a periodogram over all rows; tune waves that
       are no such terms to the frequencies found in all rows, or that the rows can tell apart.
    4. Descend a little way from the best few (``polish``), and return the lowest.
    Everything is deterministic, and stays within ``bounds``. Where descents from a few trial points agree on a place
    that leaves only noise, the search ends with them, and looks at few rows.
    """
    search_of = partial(_Search, program, rows.counting(), theta, frozenset(held), bounds)
    if polish and can_agree(program, held, bounds is not None):
        few = search_of(FEW)
        if (agreed := few.agreed()) is not None or few.size == ROWS:
            return agreed or few.start(polish)
    return search_of(ROWS).start(polish)


class _Search:
    """One search: the rows that points are judged on, and what is known of the formula.

    plain: the formula under the squared loss, freed of a function around both of its sides; points are tried with it,
    on rows that are weighted to match.
    """

    def __init__(
        self, program: Program, rows: Rows, theta: Array, held: frozenset[str], bounds: Bounds | None, size: int
    ) -> None:
        self.program, self.theta, self.held, self.bounds = program, theta, held, bounds
        if program.loss.of_residual and not program.loss.quadratic:
            from descend.starts.neighbouring_rows import without_outliers

            rows = without_outliers(program.formula, rows)
        self.plain, self.every = _plain(program, rows)
        self.as_it_is = program.loss.quadratic and self.plain.formula is program.formula
        self.rows, self.size = self._sample(size)
        self.linear = linear_components(program, held)
        self.objective = objective_over(NumpyEngine(program, self.rows), bounds=bounds)
        free = [symbol for symbol in self.plain.formula.unknowns if name_of(program, symbol) not in held]
        linear_of_formula = linear_unknowns(self.plain.formula)
        self.symbols = frozenset(symbol for symbol in free if symbol in linear_of_formula)
        self.projection = Projection(self.plain.formula, self.rows, self.symbols, held, bounds)
        linear = [each for each in self.projection.amplitudes if not each.rate]
        solved = {symbol for each in linear for symbol in (each.symbol, each.phase)}
        self.scanned = [symbol for symbol in free if symbol not in solved]
        self.tried = 0

    def _sample(self, size: int) -> tuple[Rows, int]:
        """Return the rows that points are judged on, and ROWS unless a larger sample would say more."""
        formula, every = self.plain.formula, self.every
        if waves(formula):
            return sample(every, ROWS_OF_WAVES), ROWS
        if every.count <= max(size, 2 * FEW):
            return every, ROWS
        from descend.starts.blocks import in_blocks

        blocks = in_blocks(formula, every, size, averaged=self.as_it_is)
        return (sample(every, ROWS), ROWS) if blocks is None else (blocks, size)

    @cached_property
    def ends(self) -> list[tuple[float, Array]]:
        """The trial points, the lowest first, with J there."""
        points = trials(self.plain, self.rows.columns, self.theta, self.scanned)
        if self.plain.formula.curves:
            from descend.starts.curve_ranges import with_curves

            points = with_curves(self.plain, self.rows, points, self.scanned)
        return self._solved(points)

    def start(self, polish: bool) -> Start | None:
        peeled, certain = self._peeled()
        ends = [*peeled, *self.ends]
        if not ends:
            return None
        for symbol in waves(self.plain.formula):
            if symbol in self.scanned and not peeled:
                lowest = ends[0][1]
                wave = self.term_placement.dictionary.frequencies(symbol, lowest)
                ends += self._solved(tunings(self.plain, self.rows.columns, lowest, symbol, self.scanned, wave))
        ends.sort(key=lambda pair: pair[0])
        tried = self.tried
        words = f"start found among {tried:,} trial points" if tried > 1 else "linear parameters solved at the start"
        if not polish:
            return Start(ends[0][1], words)
        stages = STAGES_OF_WAVES if waves(self.plain.formula) else STAGES_OF_SUMS
        if not peeled:
            stages = STAGES
        for count, epochs in stages if not certain else ((1, stages[-1][1]),):
            starts = [self._canonical(point) for _, point in ends[:count]]
            down = (descended(self.objective, point, epochs, settled=SETTLED) for point in starts)
            ends = sorted(down, key=lambda pair: pair[0])
        best, point = ends[0]
        reached = sum(abs(loss - best) <= SAME * abs(best) for loss, _ in ends)
        words += (
            "; only noise is left there"
            if certain
            else f"; {reached} of the {len(ends)} best descents from them ended here"
        )
        return Start(self._canonical(point), words)

    def _canonical(self, theta: Array) -> Array:
        """Return, among parameters that are as good as theta, those that are shown to the user."""
        if not symmetric(self.program.formula):
            return theta
        from descend.identifiability.symmetry import canonical

        return canonical(self.program, theta, self.held, self.bounds)

    def agreed(self) -> Start | None:
        """Return the end of descents from a few points, if half of them end in the lowest place, and leave only noise.

        Nothing lower could explain noise, so the search ends there, unless the formula has valleys beside each other.
        Where two already agree on what explains most of the response, the others are left out.
        """
        if len(self.ends) <= RANKS[-1]:
            return None
        model = formula_model(self.program.formula, self.program.loss)
        y, omega = model.observed(self.rows.columns), self.rows.omega
        clear = MOSTLY * float(np.average((y - np.average(y, weights=omega)) ** 2, weights=omega))
        best, best_theta, reached = math.inf, self.theta, 0
        for count, rank in enumerate(RANKS, 1):
            enough = best + 0.5 * SAME * abs(best) if math.isfinite(best) else -math.inf
            start = self._canonical(self.ends[rank][1])
            loss, theta = descended(self.objective, start, EPOCHS_TO_AGREE, enough, SETTLED)
            reached = reached + 1 if abs(loss - best) <= SAME * abs(best) else 1 if loss < best else reached
            if loss < best:
                best, best_theta = loss, theta
            if count == reached == 2 and best <= clear:
                break
        if 2 * reached < count or something_left(model, best_theta, self.rows):
            return None
        words = f"start found among {self.tried:,} trial points; {reached} of the {count} descents from them ended here"
        return Start(self._canonical(best_theta), words)

    def _solved(self, points: Iterable[Array]) -> list[tuple[float, Array]]:
        """Return J and the point, lowest first, for each point with a finite J under its best linear parameters."""
        if self.bounds is not None:
            points = (self.bounds.folded(point, number) for number, point in enumerate(points))
        tried = points if isinstance(points, np.ndarray) else np.array(list(points))
        self.tried += len(tried)
        losses, solved_thetas = self.projection.solved(tried)
        order = [trial for trial in np.argsort(losses, kind="stable").tolist() if math.isfinite(losses[trial])]
        if self.as_it_is:
            return [(float(losses[trial]), solved_thetas[trial]) for trial in order]
        order = order[:RANKED] or list(range(min(RANKED, len(tried))))
        pairs = [self._judged(solved_thetas[trial]) or self._judged(tried[trial]) for trial in order]
        return sorted((pair for pair in pairs if pair is not None), key=lambda pair: pair[0])

    def _judged(self, point: Array) -> tuple[float, Array] | None:
        """Return J by the loss itself, and the point with its linear parameters moved on; None if J is not finite."""
        return _solved(self.objective, point, self.linear) if np.isfinite(point).all() else None

    @cached_property
    def term_placement(self) -> TermPlacement:
        """The formula as a sum of terms."""
        from descend.starts.term_placement import TermPlacement

        return TermPlacement(self.plain, self.rows, self.every, self.held, self.projection, self.symbols, self.scanned)

    def _peeled(self) -> tuple[list[tuple[float, Array]], bool]:
        """Return points where the terms of a sum were placed one by one, and whether the search need not go on."""
        placed = self.term_placement.placed(self.theta)
        if placed is None:
            return [], False
        self.tried += placed.tried
        if self.as_it_is and len(placed.thetas) == 1:
            return [(placed.loss, placed.thetas[0])] if math.isfinite(placed.loss) else [], placed.certain
        pairs = [self._judged(point) for point in placed.thetas]
        return [pair for pair in pairs if pair is not None], placed.certain


def can_agree(program: Program, held: Collection[str], bounded: bool) -> bool:
    """Whether descents that agree on a place that leaves only noise show that there is no lower one."""
    formula = program.formula
    if not program.loss.quadratic or unwrapped(formula) is not None or held or formula.terms:
        return False
    beside = many_basins(formula) or interchangeable(formula) or shared(formula)
    return not (beside or like_terms(formula, bounded))


def _plain(program: Program, rows: Rows) -> tuple[Program, Rows]:
    """Return the program that is tried, and its rows, whose weights make up for a function around both sides."""
    formula, squared = program.formula, LEAST_SQUARES
    simpler = unwrapped(formula)
    if simpler is None:
        return (program if program.loss.quadratic else derived(formula, squared)), rows
    slope = np.abs(over_rows(simpler[1], rows.columns, rows.count))
    finite = slope[np.isfinite(slope)]
    share = np.where(np.isfinite(slope), slope / (finite.max(initial=0.0) or 1.0), 0.0) ** 2
    return derived(simpler[0], squared), replace(rows, omega=share if rows.omega is None else share * rows.omega)


def sample(rows: Rows, size: int, together: int = 1) -> Rows:
    """Choose a row at random (the same each time) from each of ``size`` stretches: regular steps could hide a wave.

    together: how many neighbours are taken in the place of each single row, of fewer stretches.
    """
    return rows if rows.count <= size else rows.take(sampled(rows.count, size, together))


def sampled(rows: int, size: int, together: int = 1) -> NDArray[np.intp]:
    """Return the places of the rows that `sample` chooses; ``together`` neighbours in the place of each single row."""
    count = size // together
    within = np.random.default_rng(size).random(count)
    first = ((np.arange(count) + within) * (rows // together) / count).astype(np.intp) * together
    return (first[:, None] + np.arange(together)).ravel()


def linear_components(program: Program, held: Collection[str]) -> NDArray[np.bool_]:
    """Mark the components of theta in which the expression is jointly linear, save those that were given a start."""
    linear = np.zeros(program.parameters.size, dtype=bool)
    for symbol in linear_unknowns(program.formula):
        linear[place_of(program, symbol)] = name_of(program, symbol) not in held
    return linear


def _solved(objective: Objective, trial: Array, linear: NDArray[np.bool_]) -> tuple[float, Array] | None:
    """Move the linear components of ``trial`` near their minimum; returns J there and the point, None if not finite."""
    point = objective(trial, 2)
    for _ in range(3):
        if not _usable(point):
            return None
        assert point.curvature is not None
        if not linear.any():
            break
        step = _newton(part_of(point.curvature, linear), point.gradient[linear])
        solved_theta = point.theta.copy()
        solved_theta[linear] += step
        if objective.bounds is not None:
            solved_theta = objective.bounds.project(solved_theta, point.theta)
        point = objective(solved_theta, 2)
    return (point.loss, point.theta) if _usable(point) else None


def _newton(curvature: Curvature, gradient: Array) -> Array:
    """Solve C d = -g in units where diag(C) = 1, leaving out directions the data do not determine."""
    assert isinstance(curvature, np.ndarray)
    diagonal = curvature.diagonal()
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    step: Array = np.linalg.lstsq(curvature * scale * scale[:, None], -gradient * scale, rcond=1e-11)[0] * scale
    return step


def _usable(point: Point) -> bool:
    return bool(math.isfinite(point.loss) and point.curvature is not None and is_finite(point.curvature))
