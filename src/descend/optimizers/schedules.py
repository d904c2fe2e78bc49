"""Learning-rate schedules: a factor on the learning rate for every epoch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from descend.errors import ConfigError
from descend.registry import Part, Registry, setting


class Schedule(Part, ABC):
    """How the learning rate changes. Subclasses are frozen dataclasses whose fields are their settings."""

    kind: ClassVar[str] = "schedule"
    constant: ClassVar[bool] = False
    """Whether the factor is 1 in every epoch."""

    @abstractmethod
    def factor(self, epoch: int, epochs: int | None) -> float:
        """Return what multiplies the learning rate in ``epoch`` = 0, 1, ... of ``epochs``, None if not known."""


@dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate throughout.

    factor = 1
    """

    name: ClassVar[str] = "constant"
    constant: ClassVar[bool] = True

    def factor(self, epoch: int, epochs: int | None) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Cut the learning rate every few epochs, as torch StepLR.

    factor = decay**floor(epoch / every)

    every: epochs between two cuts, at least 1.
    decay: above 0, at most 1.

    >>> [Step(every=2, decay=0.1).factor(epoch, None) for epoch in range(4)]
    [1.0, 1.0, 0.1, 0.1]
    """

    every: int = setting(30, at_least=1)
    decay: float = setting(0.1, above=0, at_most=1)

    name: ClassVar[str] = "step"

    def factor(self, epoch: int, epochs: int | None) -> float:
        return float(self.decay ** (epoch // self.every))


@dataclass(frozen=True)
class Exponential(Schedule):
    """The same relative cut after every epoch, as torch ExponentialLR.

    factor = decay**epoch

    decay: above 0, at most 1.

    >>> [Exponential(decay=0.5).factor(epoch, None) for epoch in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    decay: float = setting(0.95, above=0, at_most=1)

    name: ClassVar[str] = "exponential"

    def factor(self, epoch: int, epochs: int | None) -> float:
        return float(self.decay**epoch)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From the full learning rate to its floor along half a cosine, as torch CosineAnnealingLR.

    factor = floor + (1 - floor) * (1 + cos(pi*epoch/epochs)) / 2

    floor: share of the learning rate that is left at the end, at least 0, at most 1.

    Raises ConfigError if the number of epochs is not known.
    Source: Loshchilov & Hutter (2017), ICLR, arXiv:1608.03983.

    >>> [round(Cosine(floor=0.2).factor(epoch, 4), 3) for epoch in range(5)]
    [1.0, 0.883, 0.6, 0.317, 0.2]
    """

    floor: float = setting(0.0, at_least=0, at_most=1)

    name: ClassVar[str] = "cosine"

    def factor(self, epoch: int, epochs: int | None) -> float:
        if epochs is None:
            raise ConfigError(
                "The schedule `cosine` ends at the last epoch, so it needs a number of epochs. "
                "Give one, or choose a schedule without an end, such as `exponential`."
            )
        done = min(epoch / epochs, 1.0) if epochs > 0 else 1.0
        return self.floor + (1.0 - self.floor) * (1.0 + math.cos(math.pi * done)) / 2.0


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rise to the full learning rate over the first epochs, then follow another schedule.

    factor = (epoch + 1) / w    while epoch < w,    then that of the other schedule, counted from epoch w - 1

    As torch LinearLR(start_factor=1/w, total_iters=w - 1) followed by the other.

    epochs: w, at least 1.
    then: the other schedule with its settings, such as "cosine(floor=0.1)".

    >>> [WarmUp(epochs=4, then="exponential(decay=0.5)").factor(epoch, None) for epoch in range(6)]
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    epochs: int = setting(5, at_least=1)
    then: str = setting("constant")

    name: ClassVar[str] = "warmup"

    def __post_init__(self) -> None:
        super().__post_init__()
        SCHEDULES.build(self.then)

    def factor(self, epoch: int, epochs: int | None) -> float:
        last = self.epochs - 1
        # The other schedule is evaluated from the first epoch on, so that it can refuse before the first step.
        factor = SCHEDULES.build(self.then).factor(max(epoch - last, 0), None if epochs is None else epochs - last)
        return min((epoch + 1) / self.epochs, 1.0) * factor


SCHEDULES: Registry[Schedule] = Registry(Constant, Step, Exponential, Cosine, WarmUp)


def schedule_of(schedule_given: object) -> Schedule:
    """Return the schedule that a text names, or that is given. Raises ConfigError if it is none of ours."""
    schedule_built: object = SCHEDULES.build(schedule_given) if isinstance(schedule_given, str) else schedule_given
    if not isinstance(schedule_built, Schedule):
        raise ConfigError(
            "A scheduler of PyTorch steps the optimizer of a PyTorch module. For a formula or a function, name a "
            f"schedule: {', '.join(SCHEDULES)}."
        )
    return schedule_built
