"""A penalty that the data choose: the one with the least error on rows that were held out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.descent.loop import Plan, descend
from descend.engines.numpy_engine import NumpyEngine
from descend.engines.totals import Totals
from descend.errors import ConfigError
from descend.gradients.derived import Program, as_program
from descend.inference.goodness.penalty_path import PenaltyPath
from descend.losses import LOSSES
from descend.optimizers.damped_l1_system import least_sparse
from descend.optimizers.levenberg_marquardt import LevenbergMarquardt
from descend.options.penalty import Auto, read_penalty
from descend.options.request import Request
from descend.problem.objective import objective_over
from descend.problem.penalty import Penalty, penalty_of
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.results.cross_validation import folds_of
from descend.results.solved import SolvedFit
from descend.table import Table
from descend.table.rows import Rows
from descend.wording import spell

Array = NDArray[np.float64]
MANY, SEVERAL = 100, 30
"""Penalties that are tried where J is a parabola, whose moments are all that is needed; and of other formulas."""
STRONGEST, WEAKEST, LEAST = 10.0, 1e-3, 1e-8
"""An l2 penalty is sought from ten times the largest eigenvalue of the curvature to a thousandth of the smallest."""
SPAN = 1e-3
"""An l1 penalty is sought from the least that leaves nothing to this share of it."""
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99)
"""Where both are sought: l1 / (l1 + 2 l2), the share of the l1 penalty."""
STEPS, ENOUGH = 200, 1e-10


class Fold(NamedTuple):
    """Rows that are held out together, and what sums them."""

    rows: Rows
    engine: NumpyEngine

    @property
    def total(self) -> float:
        """The sum of their weights."""
        return self.rows.total


def fit_with_choice(request: Request, table: Table, fitted: Callable[[Request], SolvedFit]) -> SolvedFit:
    """Choose the penalties that are asked for as ``auto``, and fit all rows with them.

    fitted: fits a request whose penalties are numbers. Raises ConfigError where none can be chosen.
    """
    penalties = {key: read_penalty(key, request[key]) for key in ("l1", "l2")}
    autos = [each for each in penalties.values() if isinstance(each, Auto)]
    _refuse(request)
    if len(set(autos)) > 1:
        raise ConfigError(
            f"{spell('l1')} and {spell('l2')} are chosen together, from the same folds. Write the same settings for "
            "both."
        )
    penalties_given = {key: 0.0 if isinstance(value, Auto) else value for key, value in penalties.items()}
    problem = pose(request.but(l1=1.0, l2=1.0, bare=True), table)
    path = _path(problem, autos[0], {key: isinstance(value, Auto) for key, value in penalties.items()}, penalties_given)
    penalties_chosen = {"l1": float(path.l1[path.chosen]), "l2": float(path.l2[path.chosen])}
    penalised_fit = fitted(request.but(**penalties_chosen))
    penalised_fit.solution.answers["penalty_path"] = path
    return dataclasses.replace(penalised_fit, notes=(str(path), *penalised_fit.notes))


def _refuse(request: Request) -> None:
    loss = LOSSES.build(request.loss)
    without = {
        "x_sigma": request.x_sigma,
        "covariance": request.covariance,
        "priors": request.priors,
        "bounds": request.bounds,
        "batch_size": request.batch_size,
        "checkpoint": request.checkpoint,
    }
    for key, value in without.items():
        if value is not None:
            raise ConfigError(f"A penalty is not chosen by cross-validation with {spell(key)}. Give it as a number.")
    if loss.per_class:
        raise ConfigError(
            f"A penalty is not chosen by cross-validation under the {loss.name} loss yet, whose parameters are those "
            "of each class. Give it as a number."
        )
    if loss.estimated is not None or loss.kinked or not loss.plain:
        raise ConfigError(
            f"A penalty is chosen for losses that are smooth and have a known scale, which {loss.shown} is not. Give "
            "it as a number, or a setting to the loss."
        )


def _path(problem: Problem, auto: Auto, sought: dict[str, bool], penalties_given: dict[str, float]) -> PenaltyPath:
    program = as_program(problem.code)
    if program is None or program.arrow:
        raise ConfigError(
            "A penalty is chosen for a formula whose parameters do not belong to very many groups. Give it as a number."
        )
    mask = penalty_of(problem.model, 1.0, 1.0).l1
    if not mask.any():
        raise ConfigError(f"`{problem.model}` has no parameter that a penalty could act on: intercepts are left alone.")
    choose = _in_memory if problem.all_rows is None else _streamed_moments
    solver = choose(problem, program, auto)
    weights = np.array(solver.weights)
    _refuse_empty(weights)
    tried = list(_tried(solver.parabola, mask, sought, penalties_given, MANY if problem.parabola else SEVERAL))
    errors = np.array([solver.errors([Penalty(l1 * mask, l2 * mask) for l1, l2 in line]) for line in tried])
    errors = errors.transpose(0, 2, 1).reshape(-1, len(weights))  # lines of penalties, one after the other
    every = [pair for line in tried for pair in line]
    mean = errors @ weights / weights.sum()
    spread = np.std(errors, axis=1, ddof=1) / np.sqrt(len(weights))
    best_penalty = int(np.argmin(mean))
    if auto.rule != "least":
        best_penalty = int(np.flatnonzero(mean <= mean[best_penalty] + spread[best_penalty])[0])
    l1, l2 = (np.array(values) for values in zip(*every, strict=True))
    labels = tuple(label for label, factor in zip(problem.model.parameters.labels, mask, strict=True) if factor)
    parameters = solver.parameters([Penalty(a * mask, b * mask) for a, b in every])[:, mask > 0.0]
    return PenaltyPath(l1, l2, mean, spread, best_penalty, len(weights), auto.rule, labels, parameters)


def _refuse_empty(weights: Array) -> None:
    for number, weight in enumerate(weights.tolist(), 1):
        if not 0.0 < weight < weights.sum():
            raise ConfigError(
                f"Of the {len(weights)} folds, number {number} has {'all' if weight > 0.0 else 'none'} of the rows "
                f"whose weight is above 0. Leave the others out with {spell('where')}, or choose other folds."
            )


def _in_memory(problem: Problem, program: Program, auto: Auto) -> _Parabola | _Descents:
    table, names_of_table = problem.table, {*problem.table.names, *problem.table.codings}
    # Groups of the folds, which may be text, are among the columns where these lie in one matrix.
    named = [
        name for name in problem.rows.columns if name in names_of_table and (name != auto.by or name in table.codings)
    ]
    used = table.complete(named)
    fold_rows = folds_of(table, used, auto.folds, group=auto.by, order=auto.order)
    folds = [Fold(part, NumpyEngine(program, part)) for part in (problem.rows.take(fold_row) for fold_row in fold_rows)]
    _refuse_empty(np.array([fold.total for fold in folds]))
    if not problem.parabola:
        return _Descents(problem, program, folds)
    zero = np.zeros(problem.model.parameters.size)
    return _Parabola([Totals(fold.total, *fold.engine.evaluate(zero, 2)[1:]) for fold in folds])


def _streamed_moments(problem: Problem, program: Program, auto: Auto) -> _Parabola:
    """Return the moments of each fold of rows that stay in their files, all from one pass over them."""
    if not problem.parabola:
        raise ConfigError(
            f"`{problem.model}` is descended fold by fold, of rows in memory, but these stay where they are. Give the "
            f"penalty as a number, or a larger {spell('memory_limit')}."
        )
    if auto.by is not None or auto.order is not None:
        raise ConfigError(
            "Folds by groups, or in an order, are made of rows in memory, but these stay where they are. Leave "
            f"`{'by' if auto.by is not None else 'order'}` out of the penalty, or give a larger "
            f"{spell('memory_limit')}."
        )
    from descend.engines.moments_of_folds import moments_of_folds

    assert problem.all_rows is not None
    return _Parabola(moments_of_folds(program, problem.all_rows.lazy, auto.folds))


def _tried(
    parabola: tuple[Array, Array, Array],
    penalised_mask: Array,
    sought: dict[str, bool],
    penalties_given: dict[str, float],
    count: int,
) -> Iterator[list[tuple[float, float]]]:
    """Yield lines of penalties (l1, l2), each from the strongest to the weakest."""
    theta, gradient, curvature = parabola
    penalised_slopes = penalised_mask > 0.0
    if not sought["l1"]:
        values = np.linalg.eigvalsh(curvature[np.ix_(penalised_slopes, penalised_slopes)])
        strongest = STRONGEST * values[-1] / 2.0
        weakest = max(WEAKEST * values[0], LEAST * values[-1]) / 2.0
        yield [(penalties_given["l1"], float(l2)) for l2 in np.geomspace(strongest, weakest, count)]
        return
    # With only the free components at their minimum, this l1 penalty leaves all others at 0.
    free, start = ~penalised_slopes, theta.copy()
    start[penalised_slopes] = 0.0
    slope = gradient + curvature @ (start - theta)
    if free.any():
        start[free] -= np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
        slope = gradient + curvature @ (start - theta)
    strengths = np.geomspace(1.0, SPAN, count) * float(np.abs(slope[penalised_slopes]).max())
    if not sought["l2"]:
        yield [(float(l1), penalties_given["l2"]) for l1 in strengths]
        return
    for share in SHARES:
        yield [(float(l1 * share), float(l1 * (1.0 - share) / 2.0)) for l1 in strengths]


class _Parabola:
    """A squared loss of a linear formula: moments of each fold are all that is needed of the rows."""

    def __init__(self, folds: list[Totals]) -> None:
        """Take the sums over each fold, at 0."""
        self.sums = []
        for total, loss, of_fold, curved, _ in folds:
            assert of_fold is not None and isinstance(curved, np.ndarray)
            self.sums.append((total, loss, of_fold, curved))
        self.weights = [fold.rows for fold in folds]
        total, _, gradient, curvature = (sum(fold_sums) for fold_sums in zip(*self.sums, strict=True))
        self.parabola = np.zeros_like(gradient), gradient / total, curvature / total
        self.all = total, gradient, curvature

    def errors(self, line: list[Penalty]) -> Array:
        """Return the mean loss of the rows of each fold, held out, at each penalty, (folds, m)."""
        fold_errors = []
        for total, loss, gradient, curvature in self.sums:
            sums_of_others = self.all[0] - total
            curve, slope = (self.all[2] - curvature) / sums_of_others, (self.all[1] - gradient) / sums_of_others
            path = _along(curve, slope, line)
            squares = loss + path @ gradient + 0.5 * np.einsum("mi,ij,mj->m", path, curvature, path, optimize=True)
            fold_errors.append(squares / total)
        return np.array(fold_errors)

    def parameters(self, line: list[Penalty]) -> Array:
        """Return the parameters of all rows at each penalty, (m, p)."""
        return _along(self.parabola[2], self.parabola[1], line)


def _along(curvature: Array, gradient: Array, line: list[Penalty]) -> Array:
    """Return the minima of the parabola with this curvature and gradient at 0, (m, p)."""
    thetas_along = np.zeros((len(line), len(gradient)))
    before = thetas_along[0]
    for penalty_number, penalty in enumerate(line):
        damped = curvature + np.diag(2.0 * penalty.l2)
        if penalty.has_l1:
            at = least_sparse(damped, -gradient, penalty.l1, before)
            before = before if at is None else at
        else:
            before = np.linalg.lstsq(damped, -gradient, rcond=None)[0]
        thetas_along[penalty_number] = before
    return thetas_along


class _Descents:
    """Any other formula: a short descent for each fold and penalty, from where the one before ended."""

    def __init__(self, problem: Problem, program: Program, folds: list[Fold]) -> None:
        self.folds, self.code, self.start = folds, program, problem.start
        self.weights = [fold.total for fold in folds]
        point = objective_over(NumpyEngine(self.code, problem.rows))(self.start, 2)
        assert isinstance(point.curvature, np.ndarray)
        self.parabola = self.start, point.gradient, point.curvature

    def errors(self, line: list[Penalty]) -> Array:
        """Return the mean loss of the rows of each fold, held out, at each penalty, (folds, m)."""
        fold_errors = []
        for fold in self.folds:
            other_folds = reduce(Rows.joined, (each.rows for each in self.folds if each is not fold))
            engine, theta, means = NumpyEngine(self.code, other_folds), self.start, []
            for penalty in line:
                theta = _descended(engine, penalty, theta)
                means.append(fold.engine.evaluate(theta, 0).loss / fold.total)
            fold_errors.append(means)
        return np.array(fold_errors)

    def parameters(self, line: list[Penalty]) -> Array:
        """Return none: each would take further passes over all rows."""
        return np.zeros((0, len(self.start)))


def _descended(engine: NumpyEngine, penalty: Penalty, theta: Array) -> Array:
    plan = Plan(STEPS, epochs_given=False, rate=1.0, promise=ENOUGH)
    *_, last = descend(objective_over(engine, penalty), LevenbergMarquardt(), theta, plan)
    return last.theta
