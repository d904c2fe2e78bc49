"""A second look at a fit that the user's start led to: whether a search for starting values finds a lower minimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from descend.descent import Outcome
from descend.descent.solution import Solution
from descend.errors import DescendError
from descend.losses import Loss
from descend.options.request import Request
from descend.problem.identifiability import at_end
from descend.problem.posing import Problem, pose
from descend.starts.basins import Doubt, clearly_lower, doubt, lower_elsewhere, rounding
from descend.starts.robust import prepare
from descend.starts.search import Start


def doubt_of(problem: Problem, first: Solution) -> Doubt | None:
    """Return why a fit that converged may have done so in a worse basin than there is, if anything says so."""
    return doubt(problem, first.theta, first.loss, first.undetermined)


@dataclass(frozen=True)
class SecondLook:
    """A solution, why it is in doubt where it converged, and what it takes to find another like it.

    unprepared: the request while the scale of its loss was still to be estimated; loss: that loss. solve: descends.
    """

    model: Any
    request: Request
    unprepared: Request
    loss: Loss
    problem: Problem
    first: Solution
    solve: Callable[[Problem], Solution]
    doubt: Doubt | None

    def taken(self) -> Solution:
        """Return the better of both, with the other kept and told; the first if nothing better was found."""
        problem, first = self.problem, self.first
        if not first.succeeded:
            ended = first.outcome in (Outcome.STALLED, Outcome.DIVERGED, Outcome.EPOCHS_USED_UP)
            searchable = problem.model.formula is not None and not problem.model.linear
            return self._searched() if ended and searchable else first
        try:
            if self.loss.estimated is not None:
                return self._with_other_scale()
            found = None if self.doubt is None else lower_elsewhere(problem, first.theta, self.doubt)
            return first if found is None else self._searched(found)
        except DescendError:
            return first  # a doubt fails no fit

    def _searched(self, found: Start | None = None) -> Solution:
        """Descend from starting values that are searched for, or ``found``."""
        problem, first = self.problem, self.first
        start = None if found is None else problem.model.parameters.named(found.theta)
        searched = pose(self.model, problem.table, replace(self.request, start=start, where=None))
        if found is not None:
            searched = replace(searched, notes=(found.note, *searched.notes))
        again = self.solve(searched)
        if not clearly_lower(again.loss, first.loss, rounding(problem), problem.objective.floor):
            return first
        if first.succeeded and not (again.succeeded and self._as_determined(searched, again)):
            return first
        return self._both(again, "a search found this lower one")

    def _with_other_scale(self) -> Solution:
        """Search anew where the scale of the loss was estimated: the less noise it leaves, the better the basin."""
        name = self.loss.estimated
        request, prepared = prepare(self.model, self.problem.table, replace(self.unprepared, start=None), self.loss)
        assert name is not None and isinstance(request.loss, Loss)
        if not request.loss.settings[name] < 0.99 * self.problem.model.loss.settings[name]:
            return self.first
        searched = pose(self.model, self.problem.table, request)
        again = self.solve(replace(searched, notes=prepared + searched.notes))
        if not (again.succeeded and self._as_determined(searched, again)):
            return self.first
        return self._both(again, f"a search found this one, with a {name} that is lower")

    def _as_determined(self, searched: Problem, again: Solution) -> bool:
        """Whether the data determine what a search found at least as well as what the user's start led to."""
        doubts = at_end(searched.model, searched.objective, again.theta, True).sentences
        return not doubts or bool(at_end(self.problem.model, self.problem.objective, self.first.theta, True).sentences)

    def _both(self, again: Solution, found: str) -> Solution:
        first = self.first
        ended = first.model.parameters.mentioned(first.theta)
        note = f"from the start given, the descent ended {first.outcome} at loss {first.loss:.6g} ({ended}); {found}"
        return replace(again, notes=(note, *again.notes), from_start=first)
