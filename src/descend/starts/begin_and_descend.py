"""From a problem to its solution: begin, descend, and look again where the end is in doubt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from descend.descent.checkpoint import Checkpoint
from descend.descent.comments_on_solution import attempt
from descend.descent.outcome import Outcome
from descend.descent.run import run
from descend.descent.solution import Solution, solution_of
from descend.descent.step import Step
from descend.errors import DescendError
from descend.identifiability.verdict import at_end
from descend.losses import Loss
from descend.models import kind_of
from descend.options.request import Request
from descend.problem.posing import pose, untraced
from descend.problem.problem import Problem
from descend.starts.basins import clearly_lower, doubt, lower_elsewhere, rounding
from descend.starts.choice_of_start import begin

if TYPE_CHECKING:
    from descend.tracing.proof import Left


def solve(
    problem: Problem,
    request: Request,
    on_step: Callable[[Step], None] | None = None,
    resumed: Checkpoint | None = None,
    began: float | None = None,
) -> Solution:
    """Return where a descent of J ends: 1. choose where it begins; 2. descend; 3. look again where the end is in doubt.

    The second look is a search, taken where the user's own start led to a failure, or to a minimum that may not be the
    lowest. If it finds a lower one, that is returned, with the first kept as ``from_start``.

    on_step: called with every step. resumed: where an earlier run stood, to go on from there. began: when the call
    started, by ``time.perf_counter``. Where the formula traced from a function is not what the function computes at the
    solution, as where a branch leads to that no trace came by, the function itself is fitted.
    """
    since = time.perf_counter() if began is None else began
    solution = _solved(problem, request, on_step, resumed, since)
    pair = None if isinstance(request.model, str) else kind_of(request.model).original(request.model, solution.model)
    if pair is None or solution.outcome is Outcome.INTERRUPTED or not np.isfinite(solution.theta).all():
        return solution
    steps = solution.trace.steps
    before = [steps[len(steps) // 2].theta] if len(steps) > 1 else []
    doubt = pair.difference_after(solution.theta, before, solution.columns, _left(solution))
    if doubt is None:
        return solution
    called = untraced(request, doubt)
    if not request.start and not pair.accepts(solution.theta, solution.columns):
        theta = pair.accepted([step.theta for step in reversed(steps)], solution.columns)
        if theta is not None:
            called = replace(called, start=dict(solution.model.parameters.named(theta)))
    return _solved(pose(called, problem.table), called, on_step, None, since)


def _left(solution: Solution) -> Left | None:
    """Return what a solution leaves of the response; None where J is no mean of squares of rows in memory."""
    problem, loss = solution.problem, solution.model.loss
    if not loss.quadratic or problem.objective.penalty is not None or problem.all_rows is not None:
        return None
    from descend.tracing.proof import Left

    rows = problem.rows
    return Left(rows.y, rows.omega, 2.0 * solution.loss * rows.total / float(loss.expressions[2]))


def _solved(
    problem: Problem, request: Request, on_step: Callable[[Step], None] | None, resumed: Checkpoint | None, since: float
) -> Solution:
    beginning = begin(problem, request)
    if request.near and beginning.near:  # by samples of many rows
        request = request.but(epochs=0)
    solution = solution_of(run(beginning, request, on_step, resumed), request, since)
    if request.optimizer is not None or not request.second_look:
        return solution
    if solution.undetermined and request.grow and problem.model.formula is not None:
        with attempt("whether J is lower beyond infinity", solution.failures):
            solution = SecondLook(request, solution, resumed, since).through_infinity()
    if not request.given.get("start"):
        return solution
    with attempt("whether another start leads lower", solution.failures):
        solution = SecondLook(request, solution, resumed, since).better()
    return solution


@dataclass(eq=False)
class SecondLook:
    """A solution that the user's start led to, and what it takes to find another."""

    request: Request
    first: Solution
    resumed: Checkpoint | None
    began: float

    def better(self) -> Solution:
        """Return the better of both, with the other kept and noted; the first if nothing better was found."""
        first, request, beginning = self.first, self.request, self.first.run.beginning
        if not first.succeeded:
            ended = first.outcome in (Outcome.STALLED, Outcome.DIVERGED, Outcome.EPOCHS_USED_UP)
            searchable = (
                first.model.formula is not None or first.problem.gradient == "numeric"
            ) and not first.model.linear
            return self._searched() if ended and searchable else first
        if not request.grow or (request.checkpoint, request.time_limit, request.tolerance) != (None, None, None):
            return first
        why = doubt(beginning, first.theta, first.loss, first.undetermined)
        if why is None:
            return first
        try:
            if self._estimated() is not None:
                return self._with_other_scale()
            start = lower_elsewhere(beginning, first.theta, why)
            return first if start is None else self._searched(first.model.parameters.named(start.theta), start.note)
        except DescendError:
            return first  # looking again must not make a fit fail

    def through_infinity(self) -> Solution:
        """Return where a descent from beyond infinity ends, if parameters were on their way there and J is lower."""
        from descend.starts.through_infinity import beyond

        first, beginning = self.first, self.first.run.beginning
        point = beyond(first.objective, first.theta)
        if point is None or first.objective.bounds is not None:
            return first
        names = ", ".join(f"`{name}`" for name in first.undetermined)
        note = f"{names} grew without end; J is lower on the other side of infinity, where the descent began anew"
        start = dict(first.model.parameters.named(point))
        try:
            again = self._again(replace(self.request, start=start, notes=(note, *self.request.notes)))
        except DescendError:
            return first
        lower = clearly_lower(again.loss, first.loss, rounding(beginning), first.objective.floor)
        return again if again.succeeded and lower and self._as_determined(again) else first

    def _searched(self, start: dict[str, object] | None = None, note: str = "") -> Solution:
        """Descend from starting values that are searched for, or from ``start``."""
        first, beginning = self.first, self.first.run.beginning
        notes = (*((note,) if note else ()), *self.request.notes)
        again = self._again(replace(self.request, start=start, notes=notes))
        if not clearly_lower(again.loss, first.loss, rounding(beginning), first.objective.floor):
            return first
        if first.succeeded and not (again.succeeded and self._as_determined(again)):
            return first
        return self._both(again, "a search found this lower one")

    def _with_other_scale(self) -> Solution:
        """Search anew where the scale of the loss was estimated: the less noise it leaves, the better the basin."""
        from descend.starts.robust import settled

        name, unsettled = self._estimated(), self.request.unsettled
        assert name is not None and unsettled is not None
        request = settled(replace(unsettled, start=None), self.first.problem.table)
        assert isinstance(request.loss, Loss)
        if not request.loss.settings[name] < 0.99 * self.first.model.loss.settings[name]:
            return self.first
        again = self._again(request)
        if not (again.succeeded and self._as_determined(again)):
            return self.first
        return self._both(again, f"a search found this one, with a {name} that is lower")

    def _again(self, request: Request) -> Solution:
        beginning = begin(pose(request, self.first.problem.table), request)
        return solution_of(run(beginning, self.request, None, self.resumed), self.request, self.began)

    def _estimated(self) -> str | None:
        """Return the name of the setting of the loss that was estimated from the data; None if none was."""
        from descend.starts.robust import loss_of

        return None if self.request.unsettled is None else loss_of(self.request.unsettled).estimated

    def _as_determined(self, again: Solution) -> bool:
        """Whether the data determine what a search found at least as well as what the user's start led to."""

        def undetermined(solution: Solution) -> bool:
            return bool(at_end(solution.model, solution.objective, solution.theta, True).sentences)

        return not undetermined(again) or undetermined(self.first)

    def _both(self, again: Solution, reason: str) -> Solution:
        first = self.first
        ended = first.model.parameters.mentioned(first.theta)
        ended_as = str(first.outcome).replace("_", " ")
        ended_as = f"ended with {ended_as}" if ended_as.endswith("used up") else ended_as
        note = f"from the start given, the descent {ended_as} at loss {first.loss:.6g} ({ended}); {reason}"
        return replace(again, notes=(note, *again.notes), from_start=first)
