"""One run: from a posed problem to a trace, with optimizer, learning rate and limits settled and Ctrl-C heard."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.descent import start
from descend.descent.loop import Plan, descend
from descend.descent.problem import Problem
from descend.descent.step import Step, Trace
from descend.errors import ConfigError
from descend.optimizers import OPTIMIZERS, SCHEDULES, Optimizer

MOST_EPOCHS = 10_000
"""Epochs of a run that is not told how many; one in batches takes a hundredth of that."""
MANY = 5_000
"""Parameters above which the default optimizer forms nothing that grows with their square."""


@dataclass(frozen=True)
class Settings:
    """How to descend: see ``descend.fit``."""

    optimizer: str | Optimizer | None = None
    learning_rate: float | str | None = None
    schedule: str = "constant"
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    tolerance: float | None = None
    time_limit: float | None = None

    def __post_init__(self) -> None:
        schedule: Any = self.schedule
        if not isinstance(schedule, str):
            kind = type(schedule).__name__
            raise ConfigError(f"A schedule is named by text, such as `cosine`; this is of type {kind}.")
        whole(self.epochs, "number of epochs", 0)
        whole(self.batch_size, "batch size", 1)
        whole(self.seed, "seed", 0)
        positive(self.tolerance, "tolerance")
        positive(self.time_limit, "time limit")
        if self.learning_rate is not None and self.learning_rate != "auto":
            start.checked_rate(self.learning_rate)


@dataclass(frozen=True)
class Run:
    """What a run was, and its steps. learning_rate: of the first step; None where the optimizer uses none."""

    optimizer: Optimizer
    learning_rate: float | None
    asked: bool
    trace: Trace
    notes: tuple[str, ...]


def choose(problem: Problem, settings: Settings) -> tuple[Optimizer, str | None]:
    """Return the optimizer, and a sentence if it was chosen here. Refuses what does not go together."""
    wish, has_l1, bounds = settings.optimizer, problem.objective.has_l1, problem.objective.bounds
    why = None
    if wish is None:
        wish, why = "levenberg_marquardt", "it needs no learning rate"
        if problem.model.linear and problem.model.loss.name == "squared":
            wish += "(damping=1e-30)"  # J is a parabola, so its first step ends at the minimum
        if has_l1:
            wish, why = "momentum", "it can follow an l1 penalty"
        elif bounds is not None and (settings.batch_size is not None or problem.model.parameters.size > MANY):
            wish, why = "momentum", "it keeps within bounds"
        elif settings.batch_size is not None:
            wish, why = "adam", "it suits batches"
        elif settings.learning_rate is not None:
            wish, why = "gd", "a learning rate was given"
        elif problem.model.parameters.size > MANY:
            wish, why = "adam", "there are many parameters"
    optimizer = OPTIMIZERS.build(wish) if isinstance(wish, str) else wish
    if not isinstance(optimizer, Optimizer):
        raise ConfigError(
            f"An optimizer is named by text, such as `adam(beta1=0.8)`; this is a {type(optimizer).__name__}. "
            "Optimizers of PyTorch step PyTorch modules only."
        )
    if has_l1 and not optimizer.proximal:
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
    if settings.batch_size is not None and not optimizer.stochastic:
        able = ", ".join(name for name in OPTIMIZERS if OPTIMIZERS[name].stochastic)
        raise ConfigError(
            f"The optimizer `{optimizer.name}` needs all rows at every step, so it takes no batch size. Use "
            f"one of: {able}."
        )
    return optimizer, f"optimizer {optimizer.name}, chosen because {why}" if why else None


def run(problem: Problem, settings: Settings, on_step: Callable[[Step], None] | None = None) -> Run:
    """Descend, handing every step to ``on_step``. Ctrl-C ends the run after the current step."""
    objective, first = problem.objective, problem.first
    optimizer, why = choose(problem, settings)
    schedule = SCHEDULES.build(settings.schedule)
    trace = Trace()
    with np.errstate(all="ignore"), Interruptible() as stop:
        rate, rate_note = start.learning_rate(settings.learning_rate, optimizer, first)
        batches = settings.batch_size is not None and settings.batch_size < objective.rows
        plan = Plan(
            epochs=settings.epochs if settings.epochs is not None else MOST_EPOCHS // (100 if batches else 1),
            asked=settings.epochs is not None,
            rate=rate,
            schedule=schedule,
            tolerance=settings.tolerance,
            seconds=settings.time_limit or math.inf,
            batch_size=settings.batch_size if batches else None,
            seed=settings.seed,
            scales=start.scales(first),
            scale=problem.scale,
            stop=stop,
        )
        for step in descend(objective, optimizer, first.theta, plan, problem.model.parameters):
            trace.append(step)
            if on_step is not None:
                on_step(step)
    uses_rate = optimizer.uses_rate
    if not uses_rate and settings.learning_rate is not None:
        rate_note = f"the learning rate is not used: {optimizer.name} finds the length of each step itself"
    elif not uses_rate:
        rate_note = None
    notes = (why, rate_note)
    return Run(optimizer, rate if uses_rate else None, plan.asked, trace, tuple(note for note in notes if note))


class Interruptible:
    """While it is entered, Ctrl-C only makes it say True; a second Ctrl-C interrupts at once, as usual.

    Outside the main thread Python allows no handler, so Ctrl-C is left as it is.
    """

    def __enter__(self) -> Callable[[], bool]:
        self.pressed = False
        self.handles = threading.current_thread() is threading.main_thread()
        if self.handles:
            self.previous = signal.signal(signal.SIGINT, self._note)
        return self._asked

    def __exit__(self, *error: object) -> None:
        if self.handles:
            signal.signal(signal.SIGINT, self.previous)

    def _note(self, number: int, frame: Any) -> None:
        self.pressed = True
        signal.signal(signal.SIGINT, self.previous)

    def _asked(self) -> bool:
        return self.pressed


def whole(value: Any, name: str, least: int) -> None:
    """Refuse a value that is not a whole number of at least ``least`` (None means not given)."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least):
        raise ConfigError(f"The {name} must be a whole number, {least} or more; it is {value!r}.")


def positive(value: Any, name: str) -> None:
    """Refuse a value that is not a positive number (None means not given)."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ConfigError(f"The {name} must be a positive number; it is {value!r}.")
