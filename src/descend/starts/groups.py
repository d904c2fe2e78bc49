"""Starting values of parameters per group: of one curve for all rows, then group by group; or each group alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from descend.engines.arrow import Arrow
from descend.engines.small_systems import cholesky, solved
from descend.engines.totals import GroupedEngine
from descend.formula.formula import Formula
from descend.formula.symbols import Column, Parameter, Predictor, Term
from descend.gradients.derived import Program, derived
from descend.parameters import Bounds, Parameters
from descend.problem.engine_choice import engine_in_memory
from descend.problem.point import Objective
from descend.starts.search import Start, search
from descend.starts.trial_points import descended
from descend.table.rows import Rows

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
ALONE = 4
"""Groups, those with most rows, whose own curve is a start for all."""
ROUNDS = 30
"""Steps of each group from a start, with what groups share held."""
FIRST, LEAST, MOST = 1e-2, 1e-12, 1e12
"""Damping of a group, as a share of the diagonal of its block."""
ENOUGH = 1e-6
"""A step that promises to lower the loss of its group by a smaller share needs no other after it."""
EACH, LACKING = 2, 0.2
"""Rows in memory for each parameter of a group that are enough to start from; and the share of groups that may lack."""
NEIGHBOURS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of groups in the order of their loss per row, those whose own parameters are tried in all others."""
MOST_GROUPS = 60
"""More groups are not searched one by one."""
EPOCHS = 60
"""Epochs after which two starts are compared."""
LOWER = 1e-3
"""By which share J has to be lower for the start to be another."""


def search_of_groups(
    program: Program, rows: Rows, every: GroupedEngine, theta: Array, held: Collection[str], bounds: Bounds | None
) -> Start | None:
    """Look for starting values of the parameters that are not ``held``; None if none gives a finite loss.

    1. Search for one curve through all rows, as if there were no groups, and for the curves of a few large groups.
    2. From each of them let every group descend by itself, with what the groups share held; each has a damping of its
       own. Of the values of the shared parameters the best remain, and each group keeps its lowest end.
    3. Let each group try the ends of some others.
    Where all rows stay where they are, the groups descend over the ``rows`` in memory if these tell enough of each.

    every: the engine that sums all rows.
    """
    (engine, lacking), curve = _in_memory(program, rows, every), one_curve(program)
    free = np.isin(_names(program.parameters), list(held), invert=True)
    if bounds is not None:
        free &= ~bounds.pinned
        theta = np.where(bounds.pinned, bounds.low, theta)
    moving = free.copy()
    moving[engine.layout.own[:, lacking]] = False
    descent, names = GroupDescent(engine, moving, bounds), frozenset(held)
    best: tuple[float, Array, Array] | None = None
    tried = 0
    for some in _samples(rows, engine):
        curve_start = search(curve, some, _of_one_curve(theta, program.parameters, curve.parameters), names, True)
        if curve_start is None:
            continue
        tried += 1
        start = spread(curve_start.theta, curve.parameters, program.parameters)
        end, losses = descent.ended(descent.within(np.where(free, start, theta)))
        if math.isfinite(total := float(losses.sum())) and (best is None or total < best[0]):
            best = total, end, losses
    if best is None:
        return None
    end = descent.with_neighbours(*best[1:])
    found_start = Start(end, f"start found for one curve, from {tried} samples of the rows, then group by group")
    return found_start if engine is every else found_start.in_sample(rows.count, every.count)


def _in_memory(program: Program, rows: Rows, every: GroupedEngine) -> tuple[GroupedEngine, Mask]:
    """Return an engine over the rows in memory, and the groups that have too few of them, which keep the common curve.

    It is the engine of all rows itself unless that asks a database, to whom each step is a query, or many groups lack.
    """
    counts = np.bincount(rows.counting().columns[every.grouping].astype(np.intp), minlength=every.layout.own.shape[1])
    lacking: Mask = counts < EACH * len(every.layout.own)
    if not every.by_database or lacking.mean() > LACKING:
        return every, np.zeros(len(counts), dtype=bool)
    return engine_in_memory(program, rows).grouped or every, lacking


def one_curve(program: Program) -> Program:
    """Return the program in which the parameters of groups are the same in all of them.

    >>> from descend.formula import read_formula
    >>> from descend.losses import LOSSES
    >>> formula = read_formula("y ~ a[site] + b*x", ["x", "y", "site"])
    >>> str(one_curve(derived(formula, LOSSES.build("squared"))).formula)
    'y ~ a + b*x'
    """
    formula = program.formula
    instead: dict[Expr, Expr] = {}
    terms: dict[Predictor, Term] = {}
    shapes: dict[str, tuple[str, ...] | None] = dict(formula.parameters)
    for predictor, term in formula.terms.items():
        if term.levels is None:
            terms[predictor] = term
            continue
        if len(term.each) == 1:
            instead[predictor], shapes[term.vector] = Parameter(term.vector) * term.each[0], None
            continue
        labels = tuple(str(number) for number in range(len(term.each)))
        same = Predictor(f"{term.vector} @ {predictor.name.partition(' @ ')[2]}")
        instead[predictor], terms[same] = same, Term(term.vector, term.each, labels)
        shapes[term.vector] = labels
    expression = formula.expression.xreplace(instead)
    plain: Formula = replace(formula, expression=expression, parameters=shapes, terms=terms)
    used = {*plain.inputs, *(column.name for column in formula.response.atoms(Column))}
    return derived(replace(plain, columns=tuple(name for name in plain.columns if name in used)), program.loss)


def spread(theta: Array, curve: Parameters, every: Parameters) -> Array:
    """Return the vector of all parameters in which those of groups are alike."""
    common_theta = np.empty(every.size)
    for name, theta_slice in every.slices.items():
        curve_values = theta[curve.slices[name]]
        common_theta[theta_slice] = np.tile(curve_values, (theta_slice.stop - theta_slice.start) // len(curve_values))
    return common_theta


def _of_one_curve(theta: Array, every: Parameters, curve: Parameters) -> Array:
    """Return the parameters of one curve: of those of groups, the median."""
    parts = []
    for name, theta_slice in every.slices.items():
        size = curve.slices[name].stop - curve.slices[name].start
        parts.append(np.median(theta[theta_slice].reshape(-1, size), axis=0))
    return np.concatenate(parts)


def _names(parameters: Parameters) -> NDArray[np.str_]:
    """Return the name of the parameter that each component belongs to."""
    return np.concatenate([np.full(theta.stop - theta.start, name) for name, theta in parameters.slices.items()])


def _samples(rows: Rows, engine: GroupedEngine) -> Iterator[Rows]:
    """Yield all rows, then those of the largest groups."""
    yield rows
    for group in np.argsort(-engine.group_weights, kind="stable")[:ALONE].tolist():
        yield engine.rows_of(group)


@dataclass
class GroupDescent:
    """Levenberg-Marquardt of the own parameters of each group, with the shared ones held.

    moving: (p,), which components may change.
    """

    engine: GroupedEngine
    moving: Mask
    bounds: Bounds | None

    def ended(self, theta: Array) -> tuple[Array, Array]:
        """Return where the groups end, and the loss of each, (G,); not finite where there is none."""
        layout, losses = self.engine.layout, self.engine.losses(theta)
        damping, waiting = np.full(len(losses), FIRST), np.isfinite(losses)
        free = self.moving[layout.own]
        for _ in range(ROUNDS):
            if not waiting.any():
                break
            step, promise = self._step(theta, damping, free)
            waiting &= np.isfinite(promise) & (promise > ENOUGH * np.abs(losses)) & (damping < MOST)
            trial = theta.copy()
            trial[layout.own] -= np.where(waiting, step, 0.0)
            if self.bounds is not None:
                trial = self.bounds.project(trial, theta)
            there = self.engine.losses(trial)
            lower = waiting & (there <= losses)
            theta = theta.copy()
            theta[layout.own[:, lower]] = trial[layout.own[:, lower]]
            losses = np.where(lower, there, losses)
            damping = np.where(lower, np.maximum(0.1 * damping, LEAST), 10.0 * damping)
        return theta, losses

    def within(self, theta: Array) -> Array:
        """Return a start with the components that are outside their bounds moved inside."""
        if self.bounds is None:
            return theta
        return np.where(self.bounds.contains(theta), theta, self.bounds.folded(theta, 0))

    def _step(self, theta: Array, damping: Array, free: Mask) -> tuple[Array, Array]:
        """Return the step to subtract, (k, G), and by how much it should lower the loss of each group."""
        totals = self.engine.evaluate(theta, 2)
        assert isinstance(totals.curvature, Arrow) and totals.gradient is not None
        gradient = np.where(free, self.engine.layout.parts(totals.gradient)[0], 0.0)
        blocks = np.where(free & free[:, None], totals.curvature.blocks, 0.0)
        for i, diagonal in enumerate(np.einsum("iig->ig", blocks).copy()):
            blocks[i, i] += damping * np.where(diagonal > 0.0, diagonal, 1.0) + np.where(free[i], 0.0, 1.0)
        with np.errstate(all="ignore"):
            step = solved(cholesky(blocks), gradient)
        promise: Array = 0.5 * np.einsum("ig,ig->g", step, gradient)
        return step, promise

    def with_neighbours(self, theta: Array, losses: Array) -> Array:
        """Return theta with each group at its lowest end, from the ends of some other groups too."""
        layout, rows = self.engine.layout, self.engine.group_weights
        order = np.argsort(losses / np.maximum(rows, 1.0), kind="stable")
        order = order[np.isfinite(losses[order])]
        for share in NEIGHBOURS if len(order) > 1 else ():
            group = int(order[int(share * (len(order) - 1))])
            start = theta.copy()
            start[layout.own] = theta[layout.own[:, [group]]]
            end, there = self.ended(self.within(np.where(self.moving, start, theta)))
            lower = there < losses
            theta = theta.copy()
            theta[layout.own[:, lower]] = end[layout.own[:, lower]]
            losses = np.where(lower, there, losses)
        return theta


def start_of_each_group(
    program: Program, rows: Rows, objective: Objective, start: Start, before: float, held: Collection[str]
) -> Start:
    """Return the start, or a better one: of each group its own parameters, found from its rows alone.

    before: J after a short descent from the start.

    A search in all parameters at once hardly finds peaks and waves that lie elsewhere in each group, while for a single
    group they are found as those of any curve. What the groups share is the median of what they find.
    """
    terms = program.formula.terms.values()
    levels = {term.levels for term in terms if term.levels is not None}
    tied = {term.vector for term in terms if term.levels is None} & {term.vector for term in terms if term.levels}
    if len(levels) != 1 or tied or held:  # a group that follows another is no curve by itself
        return start
    (groups,) = levels
    if not 1 < len(groups) <= MOST_GROUPS:
        return start
    curve, codes = one_curve(program), rows.columns[groups.name]
    size = curve.parameters.size
    each = np.full((len(groups), size), np.nan)
    for group in range(len(groups)):
        group_rows = np.flatnonzero(codes == group)
        if len(group_rows) <= size:
            return start
        alone = search(curve, rows.take(group_rows), np.ones(size), frozenset(), True)
        if alone is None:
            return start
        each[group] = alone.theta
    theta = np.empty(program.parameters.size)
    for name, theta_slice in program.parameters.slices.items():
        group_values = each[:, curve.parameters.slices[name]]
        alike = theta_slice.stop - theta_slice.start == group_values.shape[1]
        theta[theta_slice] = np.median(group_values, axis=0) if alike else group_values.ravel()
    if objective.bounds is not None:
        theta = objective.bounds.interior(theta)
    after, end = descended(objective, theta, EPOCHS)
    if not after < before * (1.0 - LOWER) or not math.isfinite(after):
        return start
    return Start(end, f"start found in each of {len(groups)} groups by itself")
