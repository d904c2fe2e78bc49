"""What a descent found: the parameters it ended at, how it ended, and the problem whose objective is least there."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.descent.beginning import Beginning
from descend.descent.comments_on_solution import attempt
from descend.descent.loop import SOON
from descend.descent.outcome import Outcome
from descend.descent.run import Run
from descend.descent.step import Step, Trace
from descend.formula.structure import interchangeable, waves
from descend.identifiability.verdict import DETERMINED, Verdict, at_end
from descend.losses import Loss
from descend.models import Model
from descend.options.request import Request
from descend.parameters import Constraints
from descend.parameters.ties import Ties
from descend.parameters.vector import Values
from descend.problem.objective import VectorObjective
from descend.problem.problem import AllRows, Problem
from descend.table import Table
from descend.table.repeated_rows import AT_ONCE, repeated_rows
from descend.table.rows import Rows

if TYPE_CHECKING:
    from descend.table.response_covariance import Coupling
    from descend.units.stated import Stated

Array = NDArray[np.float64]
Named = Values


@dataclass(eq=False)
class Solution:
    """The end of a descent.

    theta: the parameters as one flat vector, or the handle that stands for a module's. loss: J there, with penalties.
    remedy: what to do about it, where more is known than the outcome says. notes: what was chosen or noticed on the
    way, in sentences. verdict: which parameters the data leave undetermined. endless: why there is no minimum, where
    that is how it ended. from_start: where the user's own start led, if a search found a lower minimum, which is this.
    call: the arguments that were given, to repeat it. errors: the kind of standard errors; that of the loss if
    empty. quantities: those asked for. stated: what is said of units. answers: what was inferred so far, by the name of
    the function. measures: what else was measured there, of a module, by name. failures: what could not be told of it,
    and why, in sentences.
    """

    problem: Problem
    run: Run
    theta: Any
    loss: float
    outcome: Outcome
    notes: tuple[str, ...]
    seconds: float
    source: str
    errors: str = ""
    quantities: Ties = None
    stated: Stated | None = None
    verdict: Verdict = DETERMINED
    remedy: str = ""
    endless: str | None = None
    from_start: Solution | None = None
    call: Callable[[], Mapping[str, object]] = dict
    measures: Mapping[str, float] | None = None
    failures: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        return self.problem.model

    @property
    def loss_function(self) -> Loss:
        return self.model.loss

    @property
    def objective(self) -> VectorObjective:
        """J as a function of theta, penalties included."""
        return self.problem.objective

    @property
    def sample(self) -> Rows:
        """The rows used, or a sample of them where ``all_rows`` says what is known of all."""
        return self.problem.rows

    @property
    def columns(self) -> Mapping[str, Array]:
        """The columns of ``sample``."""
        return self.sample.columns

    @property
    def all_rows(self) -> AllRows | None:
        """What is known of all rows, if ``sample`` is only some of them."""
        return self.problem.all_rows

    @property
    def table(self) -> Table | None:
        """Where the rows came from; None in an unpickled copy."""
        return self.problem.table

    @property
    def advice(self) -> str:
        """What to do about the outcome, in a sentence."""
        return self.remedy or self.run.advice

    @property
    def rows(self) -> int:
        return self.objective.rows

    @property
    def epochs(self) -> int:
        return self.trace[-1].epoch

    @property
    def trace(self) -> Trace:
        return self.run.trace

    @property
    def weights(self) -> str | None:
        """The column of relative row weights."""
        return self.problem.rows.roles.weights

    @property
    def sigma(self) -> str | None:
        """The column of known standard deviations of the response."""
        return self.problem.rows.roles.sigma

    @property
    def coupling(self) -> Coupling | None:
        """The known covariance, or correlation, of the response."""
        return self.problem.rows.roles.coupling

    @property
    def scale_known(self) -> bool:
        """Whether the size of the errors is known: by sigma, or the covariance of the response."""
        return self.problem.rows.roles.scale_known

    @property
    def penalised(self) -> bool:
        return self.objective.penalty is not None

    @property
    def constraints(self) -> Constraints | None:
        """Which parameters are fixed, tied or bounded, if any are."""
        return self.model.constraints

    @property
    def parameters(self) -> Named:
        """Parameters by name: a float for a scalar, an array for a vector; fixed and tied ones too."""
        return self.model.complete(self.theta)

    @property
    def undetermined(self) -> tuple[str, ...]:
        """The labels of the parameters that the data do not determine."""
        return self.verdict.labels

    @property
    def succeeded(self) -> bool:
        """Whether the run converged, or ran all the epochs that were asked for."""
        return self.outcome in (Outcome.CONVERGED, Outcome.STOPPED_EARLY) or (
            self.outcome is Outcome.EPOCHS_USED_UP and self.run.epochs_given
        )

    @property
    def in_memory(self) -> bool:
        """Whether all rows are in memory, rather than in a file or a database."""
        return self.objective.engine.in_memory

    def __getstate__(self) -> dict[str, object]:
        """Return what is pickled: all but the table and what only a diagnosis of the run needs."""
        problem, run = copy.copy(self.problem), copy.copy(self.run)
        problem.__dict__.update(table=None, validation=None, held_out=None)
        run.__dict__.update(plan=None, first=None, beginning=None, validation=None)
        return self.__dict__ | {"problem": problem, "run": run}


def starts_at(model: Model, theta: Array) -> dict[str, object]:
    """Return the free parameters by name, so that a fit of the same model can start from them.

    Vectors are whole, as a user writes them, though the start of components that are held counts for nothing.
    """
    free, constraints = model.parameters.named(theta), model.constraints
    if constraints is None:
        return dict(free)
    return {
        name: np.nan_to_num(constraints.with_held(name, np.ravel(value), 0.0)) if name in constraints.places else value
        for name, value in free.items()
    }


def solution_of(run: Run, request: Request, began: float) -> Solution:
    """Return the solution at which a run ended, with everything that is to be said about it."""
    failures: list[str] = []
    problem, outcome = run.beginning.problem, run.trace.steps[-1].outcome or Outcome.INTERRUPTED
    kept = None if run.validation is None else run.validation.kept
    final = problem.objective.end() or kept or run.trace.last_finite
    remedy = ""
    if kept is not None and outcome in (Outcome.CONVERGED, Outcome.EPOCHS_USED_UP, Outcome.STALLED):
        outcome, remedy = Outcome.STOPPED_EARLY, _left_early(kept, run.trace[-1])
    elif outcome is Outcome.EPOCHS_USED_UP and run.validation is not None:
        remedy = run.validation.remedy
    elif outcome is Outcome.STALLED and run.trace[-1].epoch >= SOON:
        from descend.descent.ridge import ridge

        remedy = ridge(run.trace)
    verdict, endless = DETERMINED, None
    if outcome is not Outcome.DIVERGED and problem.model.loss.endless:
        with attempt("whether there is a minimum", failures):
            from descend.identifiability.separation import no_minimum

            endless = no_minimum(problem, final.theta)
    silent = request.bare or problem.objective.penalty is not None
    if not silent and outcome is not Outcome.DIVERGED and endless is None:
        with attempt("which parameters the data determine", failures):
            verdict = at_end(problem.model, problem.objective, final.theta, outcome is Outcome.CONVERGED, problem.scale)
    remarks: tuple[str, ...] = ()
    if not request.bare:
        with attempt("what is odd about the rows", failures):
            remarks = _remarks(run.beginning, final.theta, outcome)
    determined = () if run.beginning.undetermined else verdict.sentences + verdict.remarks
    solution = Solution(
        problem=problem,
        run=run,
        theta=final.theta,
        loss=float(final.loss),
        outcome=outcome,
        remedy=remedy,
        notes=run.notes
        + run.beginning.notes
        + _of_derivatives(problem)
        + determined
        + _at_bounds(problem, final.theta)
        + remarks
        + problem.objective.remarks,
        seconds=time.perf_counter() - began,
        source=problem.table.source,
        errors=request.errors or "",
        quantities=request.quantities,
        stated=request.stated,
        verdict=verdict,
        measures=final.measures,
        call=partial(dict, request.given),
        failures=failures,
    )
    if endless is None:
        return solution
    if outcome in (Outcome.CONVERGED, Outcome.STALLED):  # parameters that run towards infinity converge nowhere
        return replace(solution, outcome=Outcome.STALLED, remedy=endless, endless=endless)
    return replace(solution, notes=(*solution.notes, endless))


def _left_early(kept: Step, last: Step) -> str:
    """Say that the parameters are not those that the run ended at."""
    return (
        f"The descent went on to epoch {last.epoch:,}, but the parameters are those of epoch {kept.epoch:,}, where "
        "the validation loss was lowest."
    )


def _remarks(beginning: Beginning, theta: Any, outcome: Outcome) -> tuple[str, ...]:
    """Say what is odd about the rows, or the order of like terms, of a fit that converged."""
    problem, model = beginning.problem, beginning.problem.model
    if outcome is not Outcome.CONVERGED or model.in_place:
        return ()
    notes: list[str | None] = []
    if model.formula is not None and interchangeable(model.formula):
        from descend.identifiability.symmetry import changed_places, order_of_terms

        notes.append(changed_places(model, problem.given, beginning.start, theta))
        notes.append(order_of_terms(model, problem.given, theta))
    if model.formula is not None and waves(model.formula):
        from descend.identifiability.aliases import aliases

        notes.append(aliases(model, theta, problem.columns, problem.objective.bounds))
    if (kinks := problem.objective.kinks) is not None:
        notes.append(kinks.note(problem.objective(theta, 2)))
    rows = problem.rows
    if rows.count <= AT_ONCE and problem.all_rows is None and len(set(rows.y.tolist())) < rows.count:
        notes.append(repeated_rows(rows.columns, (*model.inputs, *rows.roles.columns), rows.y))
    return tuple(note for note in notes if note is not None)


def _of_derivatives(problem: Problem) -> tuple[str, ...]:
    """Say how derivatives were found, where they are numeric."""
    differencing = problem.objective.engine.differencing
    return () if differencing is None else differencing.words


def _at_bounds(problem: Problem, theta: Any) -> tuple[str, ...]:
    constraints = problem.model.constraints
    note = None if constraints is None else constraints.note(theta)
    return () if note is None else (note,)
