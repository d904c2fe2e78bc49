"""One run: from a posed problem to a trace, with optimizer, learning rate and limits settled and Ctrl-C heard."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from descend.descent import checkpoint
from descend.descent import disconnection as lost
from descend.descent import first_step as start
from descend.descent.checkpoint import Checkpoint
from descend.descent.loop import Plan, descend
from descend.descent.outcome import Outcome
from descend.descent.stability_watch import gauge, preflight
from descend.descent.step import Step, Trace
from descend.errors import ConfigError
from descend.models import Model
from descend.optimizers import OPTIMIZERS, SCHEDULES, Optimizer
from descend.optimizers.schedules import Constant
from descend.options.request import Request
from descend.problem.posing import Problem
from descend.problem.separation import VANISHED, always_the_same
from descend.problem.standardized import standardized
from descend.stability.forecast import WORTH_IT, trajectory
from descend.table.connection import ConnectionLostError

MOST_EPOCHS = 10_000
"""Epochs of a run that is not told how many; one in batches takes a hundredth of that."""
ENOUGH = 1e-15
"""Share of J below which what a step promises is lost in the rounding of J: so ends a run over very many rows."""
UNLIKE = 100.0
"""Ratio of the curvatures along two parameters from which first derivatives alone would take very many steps."""
MOMENT = 0.05
"""Seconds within which nobody can have meant to interrupt a run."""
FEW_ROWS = 10_000
"""Rows up to which a run that nobody follows may be over within that."""
MANY = 5_000
"""Parameters above which the default optimizer forms nothing that grows with their square."""


@dataclass
class Run:
    """What a run was, and its steps. learning_rate: of the first step; None where the optimizer uses none.

    first: J at the start, in the parameters that were descended in: standardised ones, if the user wished so.
    """

    optimizer: Optimizer
    learning_rate: float | None
    asked: bool
    trace: Trace
    notes: tuple[str, ...]
    plan: Plan
    first: Any = None
    started: bool = False
    """Whether starting values were given."""

    @property
    def advice(self) -> str:
        """What to do about how it ended."""
        outcome = self.trace[-1].outcome or Outcome.INTERRUPTED
        return outcome.advice(started=self.started, rated=self.optimizer.uses_rate)


@runtime_checkable
class Audience(Protocol):
    """A reader of steps that is told, before the first, what they are steps of."""

    def begin(self, model: Model, columns: Mapping[str, Any]) -> None:
        """Take the model and the rows."""

    def __call__(self, step: Step) -> None:
        """Read one step."""


def choose(problem: Problem, request: Request) -> tuple[Optimizer, str | None]:
    """Return the optimizer, and a sentence if it was chosen here. Refuses what does not go together."""
    wish, has_l1, bounds = request.optimizer, problem.objective.has_l1, problem.objective.bounds
    why = None
    piecewise = problem.objective.pieces is not None
    few = problem.model.parameters.size <= MANY and request.batch_size is None and request.learning_rate is None
    if wish is None and piecewise and few:
        wish, why = "vertex", f"it ends exactly at the kinks of the {problem.model.loss.name} loss"
    elif wish is None:
        wish, why = "levenberg_marquardt", "it needs no learning rate"
        if problem.model.linear and problem.model.loss.quadratic:
            wish += "(damping=1e-30)"  # J is a parabola, so its first step ends at the minimum
        elif problem.grown is not None:
            wish += "(damping=1e-12)"  # so close to the minimum J is as good as a parabola
        if has_l1:
            wish, why = "momentum", "it can follow an l1 penalty"
        elif bounds is not None and (request.batch_size is not None or problem.model.parameters.size > MANY):
            wish, why = "momentum", "it keeps within bounds"
        elif request.batch_size is not None:
            wish, why = "adam", "it suits batches"
        elif request.learning_rate is not None:
            wish, why = "gd", "a learning rate was given"
        elif problem.model.parameters.size > MANY:
            wish, why = "adam", "there are many parameters"
    optimizer = OPTIMIZERS.build(wish) if isinstance(wish, str) else wish
    if not isinstance(optimizer, Optimizer):
        raise ConfigError(
            f"An optimizer is named by text, such as `adam(beta1=0.8)`; this is a {type(optimizer).__name__}. "
            "Optimizers of PyTorch step PyTorch modules only."
        )
    if has_l1 and not (optimizer.proximal or (optimizer.piecewise and piecewise)):
        able = ", ".join(name for name in OPTIMIZERS if OPTIMIZERS[name].proximal)
        raise ConfigError(
            f"The optimizer `{optimizer.name}` cannot follow an l1 penalty, which has kinks. Use one of: {able}."
        )
    if bounds is not None and not optimizer.bounded:
        able = ", ".join(name for name in OPTIMIZERS if OPTIMIZERS[name].bounded)
        raise ConfigError(
            f"The optimizer `{optimizer.name}` cannot keep within bounds ({bounds.texts[0]}): cut short at a bound, "
            f"its steps need not lead to the minimum. Use one of: {able}."
        )
    if request.batch_size is not None and not optimizer.stochastic:
        able = ", ".join(name for name in OPTIMIZERS if OPTIMIZERS[name].stochastic)
        raise ConfigError(
            f"The optimizer `{optimizer.name}` needs all rows at every step, so it takes no batch size. Use "
            f"one of: {able}."
        )
    return optimizer, f"optimizer {optimizer.name}, chosen because {why}" if why else None


def run(
    problem: Problem,
    request: Request,
    on_step: Callable[[Step], None] | None = None,
    resumed: Checkpoint | None = None,
) -> Run:
    """Descend, handing every step to ``on_step``, which may have to `begin`. Ctrl-C ends it after the current step, and
    so does StopIteration from ``on_step``. resumed: where an earlier run stood, to go on from there.

    A descent may overflow: let NumPy be silent of it.
    """
    if on_step is not None and isinstance(on_step, Audience):
        on_step.begin(problem.model, problem.columns)
    objective: Any = problem.objective
    first = problem.first
    optimizer, why = choose(problem, request)
    if request.optimizer is None and request.learning_rate is None and _unlike_columns(problem):
        request = replace(request, standardize=True)
    scaled, scaled_note = standardized(problem) if request.standardize else (None, None)
    if scaled is not None:
        objective, first = scaled, scaled.first
    trace = Trace()
    short = on_step is None and request.checkpoint is None and objective.rows <= FEW_ROWS
    interruptible = Interruptible(at_once=not short)
    with interruptible as stop:
        rate, rate_note = start.learning_rate(request.learning_rate, optimizer, first)
        plan = _planned(problem, request, first, optimizer, rate, stop)
        warning = preflight(problem, first, optimizer, plan) if request.learning_rate is not None else None
        watch = gauge(request.sharpness, problem, objective, optimizer, request.epochs, warning is not None)
        restore = None if scaled is None else scaled.restore
        if plan.closed is not None:
            trace.read_from(plan.closed, rate, problem.model.parameters, restore)
        keep = _kept(problem, request, objective, optimizer, plan, trace, resumed)
        readers = [read for read in (watch, restore, trace.append, keep, on_step) if read is not None]
        taken_up = None if resumed is None else resumed.snapshot
        notes = [scaled_note]
        try:
            for step in descend(objective, optimizer, first.theta, plan, problem.model.parameters, taken_up):
                if warning is not None:  # the first step carries it
                    step.note, warning = warning, None
                try:
                    for read in readers:
                        read(step)
                except StopIteration:
                    interruptible.pressed = True
                if step.note is not None:
                    notes.append(step.note)
        except ConnectionLostError as error:
            parameters = problem.model.parameters
            raise lost.where_it_stood(error, trace, parameters, keep, request.checkpoint) from None
    connection = lost.connection_of(problem.objective.engine)
    notes += [] if connection is None else [connection.note]
    uses_rate = optimizer.uses_rate
    if not uses_rate:
        rate_note = _unused(request, optimizer)
    again = None if taken_up is None else f"resumed at epoch {taken_up.epoch:,} from {request.checkpoint}"
    told = tuple(note for note in (again, why, rate_note, *notes) if note)
    return Run(optimizer, rate if uses_rate else None, plan.asked, trace, told, plan, first, bool(problem.given))


def _unlike_columns(problem: Problem) -> bool:
    """Whether an l1 penalty has to be followed, by first derivatives alone, in columns of very unlike sizes."""
    objective, curvature = problem.objective, problem.first.curvature
    if not objective.has_l1 or objective.bounds is not None or curvature is None or objective.pieces is not None:
        return False
    sizes = curvature.diagonal()
    return bool((sizes > 0.0).all() and sizes.max() > UNLIKE * sizes.min())


def _unused(request: Request, optimizer: Optimizer) -> str | None:
    """Say which of the options given means nothing to an optimizer that finds the length of each step itself."""
    given = ["learning rate"] if request.learning_rate is not None else []
    if request.schedule != "constant":
        given.append("schedule")
    if not given:
        return None
    verb = "is" if len(given) == 1 else "are"
    return f"the {' and the '.join(given)} {verb} not used: {optimizer.name} finds the length of each step itself"


def _planned(
    problem: Problem, request: Request, first: Any, optimizer: Optimizer, rate: float, stop: Callable[[], bool]
) -> Plan:
    """Say how long the run goes on, and in what steps; at once where a closed form spares very many."""
    batches = request.batch_size is not None and request.batch_size < problem.objective.rows
    certain = problem.model.loss.certain
    free = problem.objective.penalty is None and problem.objective.bounds is None
    if free and always_the_same(problem.model, problem.columns) is not None:
        certain = VANISHED * abs(float(first.loss))
    plan = Plan(
        epochs=request.epochs if request.epochs is not None else MOST_EPOCHS // (100 if batches else 1),
        asked=request.epochs is not None,
        rate=rate,
        schedule=SCHEDULES.build(request.schedule),
        tolerance=request.tolerance,
        promise=ENOUGH if problem.grown is not None and optimizer.thorough else 0.0,
        certain=certain if problem.grown is None and request.tolerance is None else 0.0,
        seconds=request.time_limit or math.inf,
        batch_size=request.batch_size if batches else None,
        seed=request.seed,
        scales=start.scales(first),
        scale=problem.scale,
        squares=problem.squares,
        stop=stop,
        snapshots=request.checkpoint is not None,
    )
    if not (plan.asked and plan.epochs > WORTH_IT and plan.tolerance is None) or batches:
        return plan
    return replace(plan, closed=trajectory(first, optimizer, rate, plan.schedule))


def _kept(
    problem: Problem,
    request: Request,
    objective: Any,
    optimizer: Optimizer,
    plan: Plan,
    trace: Trace,
    found: Checkpoint | None,
) -> checkpoint.Writer | None:
    """Return the writer of checkpoints, if any is wanted; a run that is taken up begins with the steps before it."""
    if request.checkpoint is None:
        return None
    model = problem.model
    same = {
        "model": str(model),
        "parameters": list(model.parameters.labels),
        "loss": repr(model.loss),
        "penalty": None
        if objective.penalty is None
        else [objective.penalty.l1.tolist(), objective.penalty.l2.tolist()],
        "bounds": None if objective.bounds is None else list(objective.bounds.texts),
        "gradient": problem.gradient,
        "engine": problem.objective.engine.name,
        "rows": objective.rows,
        "optimizer": repr(optimizer),
        "learning rate": plan.rate,
        "schedule": repr(plan.schedule),
        "standardised": request.standardize,
        "batch size": plan.batch_size,
        "seed": plan.seed,
    }
    if not isinstance(plan.schedule, Constant):
        same["number of epochs"] = plan.epochs
    same |= request.identity
    keep = checkpoint.Writer(request.checkpoint, same, model.parameters.named(problem.start))
    if found is not None:
        at = found.snapshot
        checkpoint.refuse_another_run(request.checkpoint, found, same, objective(at.theta, at.order).loss)
        for step in found.steps:
            step.named_by(model.parameters)
            trace.append(step)
            keep(step)
    return keep


class Interruptible:
    """While it is entered, Ctrl-C only makes it say True; a second Ctrl-C interrupts at once, as usual.

    at_once: whether Ctrl-C is heard from the start, rather than from the first question after a moment. To be ready for
    it takes as long as the steps of a small fit; and one who ends a loop over many of those means the loop.

    Outside the main thread Python allows no handler, so Ctrl-C is left as it is.
    """

    def __init__(self, at_once: bool = True) -> None:
        self.due = 0.0 if at_once else time.perf_counter() + MOMENT
        self.pressed = self.hears = False

    def __enter__(self) -> Callable[[], bool]:
        if self.due == 0.0:
            self._hear()
        return self._asked

    def __exit__(self, *error: object) -> None:
        if self.hears:
            signal.signal(signal.SIGINT, self.previous)

    def _hear(self) -> None:
        self.due = math.inf
        self.hears = threading.current_thread() is threading.main_thread()
        if self.hears:
            self.previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, self.previous)

    def _asked(self) -> bool:
        if time.perf_counter() > self.due:
            self._hear()
        return self.pressed
