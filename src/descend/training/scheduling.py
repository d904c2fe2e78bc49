"""Schedulers of PyTorch: made for the optimizer of a module, and stepped when each is due."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from descend.descent.beginning import learning_rate
from descend.errors import ConfigError
from descend.optimizers import Schedule
from descend.options.request import Request
from descend.problem.problem import Problem
from descend.training.optimizers import TorchOptimizer

if TYPE_CHECKING:
    from torch.optim import Optimizer as OptimizerOfTorch

BY_STEP = ("OneCycleLR", "CyclicLR")
"""Schedulers of PyTorch that count steps; all others count epochs."""
Make = Callable[..., object]


class OfTorch(Protocol):
    """A scheduler of ``torch.optim.lr_scheduler``, or one like it."""

    optimizer: OptimizerOfTorch

    def step(self, *measured: float) -> object:
        """Go on by one step or epoch."""

    def state_dict(self) -> dict[str, object]:
        """Return where it stands."""

    def load_state_dict(self, state: dict[str, object]) -> object:
        """Stand where another stood."""


@dataclass(eq=False)
class Scheduler:
    """A scheduler of PyTorch. by_step: whether it counts steps; plateau: whether it is told a measure."""

    scheduler: OfTorch
    by_step: bool
    plateau: bool

    def step(self, measured: float = math.nan) -> None:
        """Go on by one."""
        if self.plateau:
            self.scheduler.step(measured)
        else:
            self.scheduler.step()


@dataclass(frozen=True, eq=False)
class Followed(Schedule):
    """What a scheduler of PyTorch does to the learning rate: a factor on that of the optimizer it was made for."""

    optimizer: TorchOptimizer
    name: ClassVar[str] = "followed"

    def __post_init__(self) -> None:
        """Check nothing: it has no settings."""

    def factor(self, epoch: int, epochs: int | None) -> float:
        now, first = float(self.optimizer.torch_optimizer.param_groups[0]["lr"]), self.optimizer.rate
        return now / first if first else 1.0

    def __repr__(self) -> str:
        return "a scheduler of PyTorch"


def scheduled(problem: Problem, request: Request, steps: int | None, higher: bool) -> tuple[Scheduler | None, Request]:
    """Return the scheduler of PyTorch that a request has, if it has one, and the request that follows it.

    The learning rate is chosen first, since a scheduler begins at what its optimizer has. steps: of an epoch, if
    known.
    """
    if isinstance(request.schedule, str | Schedule):
        if request.schedule_every is not None:
            raise ConfigError("`schedule_every` is for schedulers of PyTorch; those of descend count epochs.")
        return None, request
    optimizer = cast(TorchOptimizer, request.optimizer)
    if optimizer.torch_optimizer is None:
        raise ConfigError(
            f"A scheduler of PyTorch changes the learning rate of an optimizer of PyTorch, and {optimizer.name} has "
            "none. Leave out `schedule`, or take another optimizer, such as adam."
        )
    rate, _ = learning_rate(request.learning_rate, optimizer, problem.objective(problem.start))
    optimizer.set_rate(rate)
    optimizer.settled = rate
    made_for, every = optimizer.torch_optimizer, request.schedule_every
    scheduler = scheduler_of(request.schedule, made_for, request.epochs, steps, every, higher)
    optimizer.scheduled = True
    return scheduler, replace(request, schedule=Followed(optimizer))


def scheduler_of(
    given: object, optimizer: OptimizerOfTorch, epochs: int | None, steps: int | None, every: str | None, higher: bool
) -> Scheduler:
    """Return the scheduler that the user gave, for an optimizer that has its first learning rate.

    given: a scheduler, made for this optimizer; or what makes one from it: a class, or a function. A class is given
        ``total_steps`` and ``T_max`` where it takes them and the user has not set them.
    epochs: of the run, if known; steps: of an epoch, if known. every: ``step`` or ``epoch``, if the user says so.
    higher: whether more of the measure that is watched is better.

    Raises ConfigError for what is no scheduler of this optimizer, or cannot last for the run.
    """
    made = given if hasattr(given, "step") and not isinstance(given, type) else None
    if made is None:
        made = _made(cast(Make, given), optimizer, epochs, steps)
    if not hasattr(made, "step") or not hasattr(made, "state_dict"):
        raise ConfigError(
            f"`schedule` is a name such as `cosine`, a scheduler of PyTorch, or makes one from the optimizer: "
            f"lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 10). This made a {type(made).__name__}."
        )
    scheduler = cast(OfTorch, made)
    if getattr(scheduler, "optimizer", optimizer) is not optimizer:
        raise ConfigError(
            f"The {type(made).__name__} given was made for another optimizer, and would change nothing here. Give that "
            "optimizer, too, or what makes the scheduler: lambda optimizer: ..."
        )
    kinds = [type(each).__name__ for each in _parts(scheduler)]
    by_step = any(kind in BY_STEP for kind in kinds) if every is None else every == "step"
    plateau = "ReduceLROnPlateau" in kinds
    if plateau and by_step:
        raise ConfigError("ReduceLROnPlateau is told a measure after each epoch, so it cannot count steps.")
    if plateau and len(kinds) == 1:
        _check_mode(scheduler, higher)
    if by_step:
        _check_length(scheduler, epochs, steps)
    return Scheduler(scheduler, by_step, plateau)


def _made(make: Make, optimizer: OptimizerOfTorch, epochs: int | None, steps: int | None) -> object:
    """Return the scheduler that a class or a function makes of the optimizer."""
    called = make.func if isinstance(make, functools.partial) else make
    more: dict[str, int] = {}
    if isinstance(called, type) and epochs is not None:
        known = set(inspect.signature(called).parameters)
        given = set(make.keywords) if isinstance(make, functools.partial) else set()
        if "T_max" in known - given:
            more["T_max"] = epochs
        if "total_steps" in known - given and "epochs" not in given and steps is not None:
            more["total_steps"] = epochs * steps
    try:
        return make(optimizer, **more)
    except (TypeError, ValueError) as error:
        name = getattr(called, "__name__", "this")
        raise ConfigError(
            f"PyTorch makes no scheduler by {name} of this optimizer: {str(error).rstrip('.')}. Give what makes it "
            "whole: schedule=lambda optimizer: ..."
        ) from None


def _parts(scheduler: Any) -> Iterator[object]:
    """Yield a scheduler, or those that it is made of."""
    inner = getattr(scheduler, "_schedulers", None)
    if not inner:
        yield scheduler
        return
    for each in inner:
        yield from _parts(each)


def _check_mode(scheduler: Any, higher: bool) -> None:
    wanted = "max" if higher else "min"
    if getattr(scheduler, "mode", wanted) != wanted:
        more = "more is better of what is watched" if higher else "a loss is watched, and less of it is better"
        raise ConfigError(
            f'The ReduceLROnPlateau given has mode="{scheduler.mode}", but {more}: give mode="{wanted}"'
            + ("." if higher else ', or watch a metric with monitor="accuracy".')
        )


def _check_length(scheduler: Any, epochs: int | None, steps: int | None) -> None:
    total = getattr(scheduler, "total_steps", None)
    if total is None or steps is None:
        return
    name = type(scheduler).__name__
    if epochs is None:
        raise ConfigError(f"The {name} given ends after {total:,} steps, so give `epochs`: here {total // steps:,}.")
    if total < epochs * steps:
        raise ConfigError(
            f"The {name} given ends after {total:,} steps, and {epochs:,} epochs of {steps:,} steps take "
            f"{epochs * steps:,}. Give total_steps={epochs * steps}, or leave it out: schedule={name} with functools."
            "partial."
        )
