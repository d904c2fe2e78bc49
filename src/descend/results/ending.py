"""From a run to the fit that a user holds: where it ended, and what there is to say of that."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from descend.descent.outcome import Outcome
from descend.descent.run import Run
from descend.diagnosis import Cause, Diagnosis, diagnose
from descend.inference.edge import edge_note
from descend.inference.goodness import scatter_note
from descend.problem.identifiability import Verdict, at_end
from descend.problem.posing import Problem
from descend.problem.repeated_rows import AT_ONCE, repeated_rows
from descend.problem.separation import no_minimum
from descend.results.commenting import attempt
from descend.results.fit import Fit, Kept, Shows
from descend.starts.symmetry import changed_places


def fit_of(
    problem: Problem, run: Run, shown_by: Shows, call: Callable[[], Mapping[str, Any]], began: float,
    penalised: bool = False, errors: str = "",
) -> Fit:  # fmt: skip
    """Put the result of a run into the user's hands, with what there is to say of it.

    shown_by, call, errors: see ``Fit``. began: when the call did, by ``time.perf_counter``.
    """
    trace = run.trace
    last, final = trace[-1], trace.last_finite
    outcome = last.outcome or Outcome.INTERRUPTED
    verdict, endless, failures = Verdict(), None, list[str]()
    if outcome is not Outcome.DIVERGED:
        with attempt("whether there is a minimum", failures):
            endless = no_minimum(problem, final.theta)
    if not penalised and outcome is not Outcome.DIVERGED and endless is None:
        with attempt("which parameters the data determine", failures):
            verdict = at_end(problem.model, problem.objective, final.theta, outcome is Outcome.CONVERGED, problem.scale)
    remarks: tuple[str, ...] = ()
    with attempt("what is odd about the rows", failures):
        remarks = _remarks(problem, final.theta, outcome)
    fitted = Fit(
        model=problem.model,
        theta=final.theta,
        loss=float(final.loss),
        rows=problem.objective.rows,
        passes=problem.objective.passes,
        epochs=last.epoch,
        outcome=outcome,
        advised=run.advice,
        gradient=problem.gradient,
        optimizer=run.optimizer.name,
        learning_rate=run.learning_rate,
        engine=problem.objective.engine.name,
        failures=failures,
        seconds=time.perf_counter() - began,
        asked=run.asked,
        trace=trace,
        notes=run.notes
        + problem.notes
        + (() if problem.doubts else verdict.sentences + verdict.remarks)
        + _at_bounds(problem, final.theta)
        + remarks,
        undetermined=verdict.labels,
        penalised=penalised,
        weights=problem.rows.roles.weights,
        sigma=problem.rows.roles.sigma,
        errors=errors,
        table=problem.table,
        kept=Kept(problem.rows, problem.objective, problem.table.source, problem.whole),
        call=call,
        shown_by=shown_by,
        examine=partial(diagnose, problem, run),
    )
    if endless is not None:
        fitted = _without_minimum(fitted, endless)
    else:
        with attempt("whether the data scatter as they should", fitted.failures):
            said = tuple(note for note in (edge_note(fitted), scatter_note(fitted)) if note is not None)
            fitted = replace(fitted, notes=(*fitted.notes, *said)) if said else fitted
    if not fitted.succeeded or problem.model.in_place:
        found = fitted.diagnosis  # now: of a failure all want to know why, and a module may be trained further
        if found.cause is Cause.FAR_ORIGIN:  # which explains why nothing has influence there
            notes = tuple(note for note in fitted.notes if note not in verdict.sentences)
            fitted = replace(fitted, notes=notes, examine=lambda: found)
    return fitted


def _without_minimum(fitted: Fit, why: str) -> Fit:
    """Let no fit pass for converged whose parameters ran towards infinity."""
    if fitted.outcome in (Outcome.CONVERGED, Outcome.STALLED):
        saturated = Diagnosis(Cause.PLATEAU, {"separated": True}, why, why)
        return replace(fitted, outcome=Outcome.STALLED, advised=why, examine=lambda: saturated)
    return replace(fitted, notes=(*fitted.notes, why))


def _remarks(problem: Problem, theta: Any, outcome: Outcome) -> tuple[str, ...]:
    """Say what is odd about the rows, or the order of like terms, of a fit that converged."""
    model = problem.model
    if outcome is not Outcome.CONVERGED or model.in_place:
        return ()
    notes = [changed_places(model, problem.given, problem.start, theta)]
    if (kinks := problem.objective.kinks) is not None:
        notes.append(kinks.note(problem.objective(theta, 2)))
    if problem.objective.rows <= AT_ONCE and problem.whole is None:
        spread = problem.rows.roles.columns
        notes.append(repeated_rows(problem.columns, (*model.inputs, *spread), model.observed(problem.columns)))
    return tuple(note for note in notes if note is not None)


def _at_bounds(problem: Problem, theta: Any) -> tuple[str, ...]:
    held = getattr(problem.model, "constraints", None)
    note = None if held is None else held.note(theta)
    return () if note is None else (note,)
