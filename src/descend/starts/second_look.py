"""A second look at a fit that the user's start led to: whether a search for starting values finds a lower minimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from descend.descent import Outcome
from descend.descent.beginning import Beginning
from descend.errors import DescendError
from descend.losses import Loss
from descend.options.request import Request
from descend.problem.identifiability import at_end
from descend.problem.point import Array
from descend.problem.posing import pose
from descend.problem.problem import Problem
from descend.results.fit import Fit
from descend.starts.basins import Doubt, clearly_lower, doubt, lower_elsewhere, rounding
from descend.starts.choice import begin
from descend.starts.robust import loss_of, settled
from descend.starts.search import Start


def doubt_of(beginning: Beginning, fitted: Fit) -> Doubt | None:
    """Return why a fit that converged may have done so in a worse basin than there is, if anything says so."""
    return doubt(beginning, fitted.theta, fitted.loss, fitted.undetermined)


@dataclass(frozen=True)
class SecondLook:
    """A fit, why it is in doubt where it converged, and what it takes to make another like it.

    fit: descends.
    """

    request: Request
    beginning: Beginning
    fitted: Fit
    fit: Callable[[Beginning], Fit]
    doubt: Doubt | None

    def taken(self) -> Fit:
        """Return the better of both fits, with the other kept and told; the first if nothing better was found."""
        problem, fitted = self.beginning.problem, self.fitted
        if not fitted.succeeded:
            ended = fitted.outcome in (Outcome.STALLED, Outcome.DIVERGED, Outcome.EPOCHS_USED_UP)
            searchable = problem.model.formula is not None and not problem.model.linear
            return self._searched() if ended and searchable else fitted
        try:
            if self._estimated() is not None:
                return self._with_other_scale()
            found = None if self.doubt is None else lower_elsewhere(self.beginning, fitted.theta, self.doubt)
            return fitted if found is None else self._searched(found)
        except DescendError:
            return fitted  # a doubt fails no fit

    def _searched(self, found: Start | None = None) -> Fit:
        """Descend from starting values that are searched for, or ``found``."""
        problem, fitted = self.beginning.problem, self.fitted
        start = None if found is None else problem.model.parameters.named(found.theta)
        notes = self.request.notes if found is None else (found.note, *self.request.notes)
        request = replace(self.request, start=start, notes=notes)
        searched = begin(pose(request, problem.table), request)
        again = self.fit(searched)
        if not clearly_lower(again.loss, fitted.loss, rounding(self.beginning), problem.objective.floor):
            return fitted
        if fitted.succeeded and not (again.succeeded and self._as_determined(searched, again)):
            return fitted
        return self._both(again, "a search found this lower one")

    def _with_other_scale(self) -> Fit:
        """Search anew where the scale of the loss was estimated: the less noise it leaves, the better the basin."""
        problem, name = self.beginning.problem, self._estimated()
        assert self.request.unsettled is not None
        request = settled(replace(self.request.unsettled, start=None), problem.table)
        assert name is not None and isinstance(request.loss, Loss)
        if not request.loss.settings[name] < 0.99 * problem.model.loss.settings[name]:
            return self.fitted
        searched = begin(pose(request, problem.table), request)
        again = self.fit(searched)
        if not (again.succeeded and self._as_determined(searched, again)):
            return self.fitted
        return self._both(again, f"a search found this one, with a {name} that is lower")

    def _as_determined(self, searched: Beginning, again: Fit) -> bool:
        """Whether the data determine what a search found at least as well as what the user's start led to."""

        def undetermined(problem: Problem, theta: Array) -> bool:
            return bool(at_end(problem.model, problem.objective, theta, True).sentences)

        return not undetermined(searched.problem, again.theta) or undetermined(
            self.beginning.problem, self.fitted.theta
        )

    def _estimated(self) -> str | None:
        """Return the setting of the loss that was estimated from the data."""
        return None if self.request.unsettled is None else loss_of(self.request.unsettled).estimated

    def _both(self, again: Fit, found: str) -> Fit:
        fitted = self.fitted
        ended = fitted.model.parameters.mentioned(fitted.theta)
        note = f"from the start given, the descent ended {fitted.outcome} at loss {fitted.loss:.6g} ({ended}); {found}"
        return replace(again, notes=(note, *again.notes), from_start=fitted)
