"""One run, from its beginning to a trace: settles optimizer, learning rate and limits, and handles Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from descend.descent.beginning import Beginning, choose, learning_rate, scales, unused
from descend.descent.checkpoint import Checkpoint, Writer, where_it_stood, writer_of
from descend.descent.loop import Plan, descend
from descend.descent.outcome import Outcome
from descend.descent.step import Step, Trace
from descend.errors import ConnectionLostError
from descend.models import Model
from descend.optimizers import Optimizer
from descend.optimizers.schedules import Constant, schedule_of
from descend.options.request import Request
from descend.problem.objective import VectorObjective
from descend.problem.point import Array, Objective, Point

if TYPE_CHECKING:
    from descend.descent.validation import Validation

CONSTANT = Constant()
MOST_EPOCHS = 10_000
"""Default number of epochs; a run in batches takes a hundredth of that."""
ENOUGH = 1e-15
"""A promised decrease below this share of J is lost in its rounding, which ends a run over very many rows."""
UNLIKE = 100.0
"""If curvatures along two parameters differ by this factor, first derivatives alone would take very many steps."""
MOMENT = 0.05
"""Seconds before Ctrl-C is handled: nobody can mean to interrupt a run that has only just begun."""
FEW_ROWS = 10_000
"""Up to this many rows, a run without a reader of its steps may be over within that time."""
MOST_STEPS_TAKEN = 10_000
"""Epochs up to which every step is taken, even where a closed form knows them: that takes a tenth of a second."""


@dataclass
class Run:
    """The settings of a run, and its steps. learning_rate: of the first step; None if the optimizer uses none.

    epochs_given, started: whether the user gave the number of epochs, and starting values. first: J at the start, in
    the parameters of the descent, which are standardised ones if the user chose so. validation: what read its steps to
    tell their loss on rows held out, if there are any.
    """

    beginning: Beginning
    optimizer: Optimizer
    learning_rate: float | None
    epochs_given: bool
    started: bool
    trace: Trace
    notes: tuple[str, ...]
    plan: Plan
    first: Point
    validation: Validation | None = None

    @property
    def advice(self) -> str:
        """What to do about how it ended."""
        outcome = self.trace[-1].outcome or Outcome.INTERRUPTED
        return outcome.advice(started=self.started, rated=self.optimizer.uses_rate)


@runtime_checkable
class Audience(Protocol):
    """A reader of steps that is given the model and the rows before the first step."""

    def begin(self, model: Model, columns: Mapping[str, Array]) -> None:
        """Take the model and the rows."""

    def __call__(self, step: Step) -> None:
        """Read one step."""


def run(
    beginning: Beginning,
    request: Request,
    on_step: Callable[[Step], None] | None = None,
    resumed: Checkpoint | None = None,
) -> Run:
    """Descend, handing every step to ``on_step``, which may have to `begin`. Ctrl-C ends it after the current step, and
    so does StopIteration from ``on_step``. resumed: where an earlier run stood, to go on from there.

    A descent may overflow, so NumPy's warnings about it are silenced.
    """
    problem, objective, first = beginning.problem, beginning.problem.objective, beginning.first
    if on_step is not None and isinstance(on_step, Audience):
        on_step.begin(problem.model, problem.columns)
    optimizer, why = choose(problem, request, beginning.near)
    unlike = optimizer.needs == 1 and _unlike_columns(objective, first)
    if unlike and request.optimizer is None and request.learning_rate is None:
        request = replace(request, standardize=True)
    trace, restore, notes = Trace(), None, [why]
    if request.standardize:
        from descend.problem.standardized import standardized

        scaled, scaled_note = standardized(problem, first)
        objective, first, restore = scaled, scaled.first, scaled.restore
        notes.append(scaled_note)
    elif request.optimizer is None and request.checkpoint is None and optimizer.needs == 2 and problem.model.log_linear:
        from descend.problem.newton import newton_objective

        objective = newton_objective(problem, first) or objective
    short = on_step is None and request.checkpoint is None and objective.rows <= FEW_ROWS
    interruptible = Interruptible(at_once=not short)
    with interruptible as stop:
        rate, rate_note = learning_rate(request.learning_rate, optimizer, first)
        notes.insert(1, rate_note if optimizer.uses_rate else unused(request, optimizer))
        validation = None if problem.validation is None else _validated(problem.validation, request, resumed)
        plan = _planned(beginning, request, first, optimizer, rate, stop)
        warning, watch = _watched(beginning, request, objective, first, optimizer, plan)
        if plan.closed is not None:
            trace.read_from(plan.closed, rate, problem.model.parameters, _restore_and_measure(restore, validation))
        keep: Writer | None = None
        keeper = objective.keeper(rate, trace.append, () if resumed is None else resumed.steps)
        if request.checkpoint is not None and keeper is None:
            keep = writer_of(beginning, request, objective, optimizer, plan, trace, resumed)
        every = (watch, restore, validation, trace.append, keep, keeper, on_step)
        readers = [reader for reader in every if reader is not None]
        snapshot = None if resumed is None else resumed.snapshot
        try:
            for step in descend(objective, optimizer, first.theta, plan, problem.model.parameters, snapshot):
                if warning is not None:  # the first step carries it
                    step.note, warning = warning, None
                try:
                    for reader in readers:
                        reader(step)
                except StopIteration:
                    interruptible.pressed = True
                if step.note is not None:
                    notes.append(step.note)
        except ConnectionLostError as error:
            raise where_it_stood(error, trace, problem.model.parameters, keep, request.checkpoint) from None
    if snapshot is not None:
        notes.insert(0, f"resumed at epoch {snapshot.epoch:,} from {request.checkpoint}")
    if objective.engine is not problem.objective.engine:
        problem.objective.passes += objective.passes
    lazy = objective.engine.lazy
    notes.append(None if lazy is None or lazy.connection is None else lazy.connection.note)
    notes += () if validation is None else validation.remarks()
    notes_of_run = tuple(note for note in notes if note)
    rate_chosen, started = rate if optimizer.uses_rate else None, bool(problem.given)
    return Run(
        beginning, optimizer, rate_chosen, plan.epochs_given, started, trace, notes_of_run, plan, first, validation
    )


def _restore_and_measure(
    restore: Callable[[Step], None] | None, validation: Validation | None
) -> Callable[[Step], None] | None:
    return restore if validation is None else validation.after(restore)


def _validated(objective: VectorObjective, request: Request, resumed: Checkpoint | None) -> Validation:
    """Return what reads the steps to tell their loss on the rows held out."""
    from descend.descent.validation import Validation

    return Validation(objective, request, None if resumed is None else resumed.snapshot.best)


def _unlike_columns(objective: Objective, first: Point) -> bool:
    """Whether an l1 penalty has to be followed, by first derivatives alone, in columns of very unlike sizes."""
    curvature = first.curvature
    if not objective.has_l1 or objective.bounds is not None or curvature is None or objective.pieces is not None:
        return False
    sizes = curvature.diagonal()
    return bool((sizes > 0.0).all() and sizes.max() > UNLIKE * sizes.min())


def _planned(
    beginning: Beginning,
    request: Request,
    first: Point,
    optimizer: Optimizer,
    rate: float,
    stop: Callable[[], bool],
) -> Plan:
    """Plan how long the run goes on, and in what steps; a closed form may spare very many of them."""
    problem, objective, loss = beginning.problem, beginning.problem.objective, beginning.problem.model.loss
    batches = request.batch_size is not None and request.batch_size < objective.rows
    certain = loss.certain
    if loss.endless and objective.penalty is None and objective.priors is None and objective.bounds is None:
        from descend.identifiability.separation import VANISHED, always_the_same

        if always_the_same(problem) is not None:
            certain = VANISHED * abs(float(first.loss))
    plan = Plan(
        epochs=request.epochs if request.epochs is not None else MOST_EPOCHS // (100 if batches else 1),
        epochs_given=request.epochs is not None,
        rate=rate,
        schedule=CONSTANT if request.schedule == CONSTANT.name else schedule_of(request.schedule),
        tolerance=request.tolerance,
        promise=ENOUGH if beginning.near and optimizer.thorough else 0.0,
        certain=certain if not beginning.near and request.tolerance is None else 0.0,
        seconds=request.time_limit or math.inf,
        batch_size=request.batch_size if batches else None,
        seed=request.seed,
        scales=scales(first),
        scale=problem.scale,
        squares=problem.squares,
        stop=stop,
        snapshots=request.checkpoint is not None,
    )
    every = request.patience is not None or request.keep == "best"  # has to be looked at
    if plan.epochs_given and plan.epochs > MOST_STEPS_TAKEN and plan.tolerance is None and not (batches or every):
        from descend.stability.forecast import trajectory

        plan.closed = trajectory(first, optimizer, rate, plan.schedule)
    return plan


def _watched(
    beginning: Beginning,
    request: Request,
    objective: VectorObjective,
    first: Point,
    optimizer: Optimizer,
    plan: Plan,
) -> tuple[str | None, Callable[[Step], None] | None]:
    """Return a warning of too large a learning rate, and the gauge that notes the curvature on the way, if any."""
    if request.sharpness is False and request.learning_rate is None:
        return None, None
    if request.sharpness in (False, "auto") and optimizer.recurrence is None:
        return None, None
    from descend.descent.stability_watch import gauge, preflight

    warning = None if request.learning_rate is None else preflight(beginning, first, optimizer, plan)
    watch = gauge(request.sharpness, beginning.problem, objective, optimizer, request.epochs, warning is not None)
    return warning, watch


class Interruptible:
    """A context in which Ctrl-C only makes the returned function say True; a second Ctrl-C interrupts as usual.

    at_once: handle Ctrl-C from the start, rather than from the first call after a moment. Installing the handler takes
    as long as the steps of a small fit; and a user who interrupts a loop over many small fits means the loop.

    Outside the main thread Python allows no handler, so Ctrl-C is left as it is.
    """

    def __init__(self, at_once: bool = True) -> None:
        self.due = 0.0 if at_once else time.perf_counter() + MOMENT
        self.pressed = self.hears = False

    def __enter__(self) -> Callable[[], bool]:
        if self.due == 0.0:
            self._hear()
        return self._interrupted

    def __exit__(self, *error: object) -> None:
        if self.hears:
            signal.signal(signal.SIGINT, self.previous)

    def _hear(self) -> None:
        self.due = math.inf
        self.hears = threading.current_thread() is threading.main_thread()
        if self.hears:
            self.previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, self.previous)

    def _interrupted(self) -> bool:
        if time.perf_counter() > self.due:
            self._hear()
        return self.pressed
