"""The fit of a run: it computes its answers from the solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from descend.descent.comments_on_solution import attempt, comment
from descend.descent.outcome import Outcome
from descend.descent.solution import Solution
from descend.diagnosis import Cause, Diagnosis
from descend.results.fit import Fit

if TYPE_CHECKING:
    from descend.inference.estimates import Estimates

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SolvedFit(Fit):
    """A fit that has its solution."""

    solution: Solution

    @property
    def diagnosis(self) -> Diagnosis:
        """Why the run failed or fell short: its cause, the evidence, and what to do; none for a healthy run."""
        return diagnosis_of(self.solution)

    def _inferred(self, name: str, function: Callable[[Solution], Value]) -> Value:
        return function(self.solution)

    def estimates(self, kind: str | None = None) -> Estimates:
        from descend.inference.estimates import estimates_of

        return estimates_of(self.solution, kind)

    def _solved(self, otherwise: str, without: str = "data") -> Solution:
        return self.solution

    def __reduce__(self) -> tuple[object, ...]:
        """Return what makes a copy, in this process or another: all but the table, and rows that are not in memory.

        Pickling is up to the user; descend itself writes and reads JSON only.
        """
        from descend.inference.profile.sides import Sides
        from descend.results.loading import restored
        from descend.results.saving import content_of

        diagnosis_of(self.solution), self.column_types, self.response_levels  # while the data are there to tell
        if not self.solution.in_memory:
            return restored, (content_of(self), self.model, self.theta, self.trace)
        lasting = {name: answer for name, answer in self.solution.answers.items() if not isinstance(answer, Sides)}
        fit_state = self.__dict__ | {"solution": replace(self.solution, answers=lasting)}
        return _with_state, (fit_state,)


def _with_state(fit_state: dict[str, object]) -> SolvedFit:
    fit = object.__new__(SolvedFit)
    fit.__dict__.update(fit_state)
    return fit


@comment("why the run ended as it did", empty=Diagnosis)
def diagnosis_of(solution: Solution) -> Diagnosis:
    """Return why a run failed or fell short; none for a healthy one."""
    if solution.endless is not None and solution.outcome is Outcome.STALLED:
        return Diagnosis(Cause.PLATEAU, {"separated": True}, solution.endless, solution.endless)
    if solution.outcome is Outcome.STOPPED_EARLY or (solution.outcome is Outcome.EPOCHS_USED_UP and solution.remedy):
        return Diagnosis()  # it was to end away from the minimum, or sooner
    if (fault := solution.objective.fault) is not None:
        return Diagnosis(Cause(fault.cause), fault.evidence, fault.sentence, fault.advice)
    if not solution.model.comparable and solution.outcome is not Outcome.DIVERGED:
        return Diagnosis()  # which detectors read off residuals of all rows
    from descend.diagnosis.ended_run import diagnose

    found = diagnose(solution.run)
    along_ridge = solution.outcome is Outcome.STALLED and solution.remedy
    return Diagnosis() if along_ridge and found.cause is Cause.PLATEAU else found  # the remedy says more


def fit_of(solution: Solution) -> SolvedFit:
    """Return the fit of a solution, with notes on the scatter of the data, and the diagnosis if the run failed."""
    notes, problem, run = solution.notes, solution.problem, solution.run
    objective, roles = problem.objective, problem.rows.roles
    passes = objective.passes  # the diagnosis of a run that failed adds its own
    if solution.endless is None:
        with attempt("whether the data scatter as they should", solution.failures):
            notes += _scatter(solution)
    model, trace = problem.model, run.trace
    at_once = not solution.succeeded or model.in_place
    # At once: a user wants to know why a run failed, and a module may be trained further before they ask.
    if at_once and diagnosis_of(solution).cause is Cause.FAR_ORIGIN:  # which explains these notes too
        notes = tuple(note for note in notes if note not in solution.verdict.sentences)
    return SolvedFit(
        solution=solution,
        model=model,
        theta=solution.theta,
        loss=solution.loss,
        rows=objective.rows,
        passes=passes,
        epochs=trace.steps[-1].epoch,
        outcome=solution.outcome,
        gradient=problem.gradient,
        optimizer=run.optimizer.name,
        learning_rate=run.learning_rate,
        engine=objective.engine.name,
        seconds=solution.seconds,
        penalised=objective.penalty is not None,
        weights=roles.weights,
        sigma=roles.sigma,
        undetermined=solution.verdict.labels,
        notes=notes,
        trace=trace,
        failures=solution.failures,
        from_start=None if solution.from_start is None else fit_of(solution.from_start),
        _epochs_given=run.epochs_given,
    )


def _scatter(solution: Solution) -> tuple[str, ...]:
    """Return notes on predictions at the edge of what the loss allows, on data that scatter unlike they should, on few
    clusters, and on rows that alone determine a parameter.

    The second only where the loss, or a column, says how far they should scatter.
    """
    loss, notes = solution.loss_function, []
    if loss.prediction_domain.limited:
        from descend.inference.covariance.edge_of_domain import edge_note

        notes.append(edge_note(solution))
    if loss.dispersion_known or solution.scale_known:
        from descend.inference.goodness.chi_square import scatter_note

        notes.append(scatter_note(solution))
    if not solution.errors:
        return tuple(filter(None, notes))
    if solution.errors.startswith("cluster"):
        from descend.inference.covariance.standard_errors import few_clusters_note, own_clusters_note

        notes += [few_clusters_note(solution), own_clusters_note(solution)]
    if solution.errors == "sandwich" or solution.errors.startswith("HC"):
        from descend.inference.covariance.standard_errors import one_row_note

        notes.append(one_row_note(solution))
    return tuple(filter(None, notes))
