"""The run of a module on disk: one file of safetensors, from which it goes on bit for bit.

Tensors are the weights, the buffers, what the optimizer remembers, the average and the best weights, and the states of
random numbers; all else is JSON in the file's metadata. Nothing in it is code.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from descend.descent.checkpoint import Checkpoint, refuse_other_properties
from descend.descent.step import Array, Memory, Snapshot, Step
from descend.errors import ConfigError, DataError
from descend.optimizers import State
from descend.optimizers.schedules import schedule_of
from descend.options.request import Request
from descend.output import refuse_unwritable, write_atomically
from descend.parameters import Parameters
from descend.problem.problem import Problem
from descend.training.course import Course
from descend.training.objective import ModuleObjective
from descend.training.optimizers import ModuleOptimizer
from descend.training.packing import Tensors, packed, unpacked
from descend.training.random_states import random_states, with_random_states
from descend.training.scheduling import Followed
from descend.training.within_epoch import Part
from descend.wording import spell

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device  # noqa: N812 - a class, though PyTorch does not write it as one

FORMAT = 1
EVERY = 2.0
"""Seconds between two writes."""
WITHIN = 30.0
"""Seconds between two writes within an epoch."""
FIRST_ROWS = 64
"""Rows of the response whose sum tells other data."""
STATE = ("epoch", "step", "loss", "first_loss", "measures", "history", "best_epoch", "best_value", "best_measures")
"""What of the state of a course is written as it is."""


class Writer:
    """Reads the steps of a run and writes where it stands, at most every few seconds and at the end."""

    def __init__(self, objective: ModuleObjective, course: Course, request: Request, before: list[list[Any]]) -> None:
        assert request.checkpoint is not None
        self.objective, self.course, self.path = objective, course, request.checkpoint
        self.optimizer = cast(ModuleOptimizer, request.optimizer)
        self.data: object = request.data  # a loader of the user may draw rows by a generator of its own
        self.run = identity(objective, course, request)
        self.steps = before
        self.first_rate = self.optimizer.rate
        self.written = -math.inf
        self.began: tuple[Step, Snapshot, float] | None = None
        """The last step, where it stood, and when."""
        self.begun: tuple[Mapping[str, object], Tensors] = {}, {}
        """The states of random numbers as the epoch began."""
        self.cut_short = False

    def begin_epoch(self) -> None:
        """Note the random numbers that the order of an epoch will be drawn by."""
        tensors = Tensors()
        self.begun = random_states(self.objective.engine, self.data, tensors), tensors

    def due(self) -> bool:
        """Whether the last write was long ago."""
        return time.monotonic() - self.written >= WITHIN

    def keep_part(
        self, steps: int, losses: Sequence[Tensor], shares: Sequence[float], weight: float, last: bool = False
    ) -> None:
        """Write the part of the epoch that was passed. last: whether the run ends here."""
        import torch

        if self.began is None:
            return
        step, snapshot, at = self.began
        self.cut_short = last
        metadata, tensors = self.begun
        taken = torch.stack(list(losses)), torch.tensor(shares, dtype=torch.float64)
        tensors = {f"begun.{name}": each for name, each in tensors.items()}
        tensors |= dict(zip(("part.losses", "part.shares"), taken, strict=True))
        seconds = snapshot.seconds + time.monotonic() - at
        part = {"steps": steps, "weight": weight, "begun": metadata, "seconds": seconds}
        write_atomically(self.path, self.content(step, snapshot, part, tensors))
        self.written = time.monotonic()

    def __call__(self, step: Step) -> None:
        snapshot, step.snapshot = step.snapshot, None
        row = [step.epoch, step.loss, step.gradient_norm, step.learning_rate, step.seconds, dict(step.measures or {})]
        row.append(step.damping)
        due = step.outcome is not None or time.monotonic() - self.written >= EVERY
        if self.cut_short:  # what is written goes on within the epoch
            return
        self.began = None if snapshot is None else (step, snapshot, time.monotonic())
        if snapshot is not None and due and math.isfinite(step.loss):
            write_atomically(self.path, self.content(step, snapshot))
            self.written = time.monotonic()
        self.steps.append(row)

    def content(
        self, step: Step, snapshot: Snapshot, part: Mapping[str, object] | None = None, more: Tensors | None = None
    ) -> bytes:
        """Return the file: where the run stands after an epoch, or with a part of the next."""
        from safetensors.torch import save

        objective, course, tensors = self.objective, self.course, Tensors(more or {})
        optimizer = self.optimizer
        metadata = {
            "checkpoint": FORMAT,
            "run": self.run,
            "judge": list(snapshot.judge),
            "seconds": snapshot.seconds,
            "norm": step.gradient_norm,
            "rate": step.learning_rate,
            "rates": [self.first_rate, optimizer.rate],
            "steps": self.steps,
            "course": {name: getattr(course, name) for name in STATE},
            "optimizer": packed(optimizer.remembered(snapshot.state), "optimizer", tensors),
            "promised": None if objective.last is None or objective.last.here is None else objective.last.promised,
            "random": random_states(objective.engine, self.data, tensors),
        }
        if part is not None:
            metadata |= {"part": part, "seconds": part["seconds"]}
        if course.scheduler is not None:
            metadata["scheduler"] = packed(course.scheduler.scheduler.state_dict(), "scheduler", tensors, lenient=True)
        for name, tensor in standing(objective):
            tensors[f"module.{name}"] = tensor
        groups = {"average": course.average.tensors if course.average else [], "kept": course.kept or []}
        tensors |= {f"{name}.{place}": each for name, some in groups.items() for place, each in enumerate(some)}
        # Safetensors takes no two tensors that share memory, as a parameter and a view of it do.
        copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        return save(copies, {"descend": json.dumps(metadata)})  # type: ignore[no-any-return]


def standing(objective: ModuleObjective) -> Iterator[tuple[str, Tensor]]:
    """Yield all tensors that a module stands at by name: parameters, and buffers, whether its state_dict has them."""
    module = objective.model.module
    yield from module.named_parameters()
    yield from module.named_buffers()


def identity(objective: ModuleObjective, course: Course, request: Request) -> dict[str, object]:
    """Return what has to be the same for the steps to be the same."""
    model, regime, schedule = objective.model, course.regime, request.schedule
    optimizer: object = request.optimizer
    named: object = type(course.scheduler.scheduler).__name__ if course.scheduler is not None else None
    if named is None and not isinstance(schedule, Followed):
        named = repr(schedule_of(schedule))
    y = objective.engine.y
    of_ours = getattr(optimizer, "ours", None)
    same: dict[str, object] = {
        "module": model.name,
        "engine": objective.engine.name,
        "loss": repr(model.loss),
        "rows": None if getattr(objective.engine, "streamed", False) else objective.rows,
        "first rows of the response": float(y[:FIRST_ROWS].double().sum()),
        "optimizer": repr(of_ours) if of_ours is not None else getattr(optimizer, "name", "?"),
        "learning rate": request.learning_rate,
        "schedule": named,
        "batch size": regime.batch_size,
        "accumulate": regime.accumulate,
        "seed": regime.seed,
        "clip": regime.clip,
        "clip_value": regime.clip_value,
        "ema": request.ema,
        "precision": request.precision,
    }
    if course.scheduler is None and not schedule_of(schedule).constant:
        same["number of epochs"] = request.epochs
    return same


@dataclass(frozen=True)
class StoredRun:
    """What a checkpoint file holds."""

    metadata: Mapping[str, Any]
    tensors: Tensors


def read(path: str | os.PathLike[str]) -> StoredRun | None:
    """Read a checkpoint; None if there is no such file yet. Raises DataError if it is not one of a module."""
    from safetensors import SafetensorError, safe_open

    place = Path(path)
    if not place.exists():
        return None
    try:
        with safe_open(place, "pt") as file:
            metadata = json.loads((file.metadata() or {})["descend"])
            if metadata["checkpoint"] != FORMAT:
                raise ValueError
            return StoredRun(metadata, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 - no mapping
    except OSError as error:
        raise DataError(
            f"The checkpoint `{place}` cannot be read: {(error.strerror or str(error)).lower()}. Check its name."
        ) from None
    except (SafetensorError, KeyError, ValueError, TypeError):
        raise DataError(
            f"`{place}` is not the checkpoint of a PyTorch module. Give a file that {spell('checkpoint')} wrote for "
            f"one, or start without {spell('resume')}."
        ) from None


def checkpointed(problem: Problem, request: Request) -> Checkpoint | None:
    """Let a run write checkpoints, and bring back where an earlier one stood, if it is to be resumed.

    Raises ConfigError for the checkpoint of another module or run.
    """
    objective = cast(ModuleObjective, problem.objective)
    if request.checkpoint is None or (course := objective.course) is None:
        return None
    optimizer = cast(ModuleOptimizer, request.optimizer)
    refuse_unwritable(request.checkpoint)
    stored = read(request.checkpoint) if request.resume else None
    steps: list[list[Any]] = []
    resumed = None
    if stored is not None:
        steps = [row for row in stored.metadata["steps"] if row[0] < stored.metadata["course"]["epoch"]]
        _refuse_another(request.checkpoint, stored, objective, identity(objective, course, request))
        resumed = _restored(stored, objective, course, optimizer, steps, request.data)
    objective.writer = writer = Writer(objective, course, request, steps)
    if course.regime.lean and course.meter is None:  # which would have heard only the rest of an epoch
        course.keeper = writer
    return resumed


def _refuse_another(
    path: str | os.PathLike[str], stored: StoredRun, objective: ModuleObjective, here: dict[str, object]
) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in standing(objective)}
    begins = "module."
    there = {name[len(begins) :]: tuple(each.shape) for name, each in stored.tensors.items() if name.startswith(begins)}
    for name in [*shapes, *there]:
        if there.get(name) != shapes.get(name):
            raise ConfigError(
                f"`{path}` is the checkpoint of another module: its `{name}` {_shape(there.get(name))}, here it "
                f"{_shape(shapes.get(name))}. Make the same module again, or start anew without {spell('resume')}."
            )
    refuse_other_properties(path, stored.metadata["run"], here)


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "does not exist"
    return f"has shape {shape}"


def _restored(
    stored: StoredRun,
    objective: ModuleObjective,
    course: Course,
    optimizer: ModuleOptimizer,
    steps: list[list[Any]],
    data: object,
) -> Checkpoint:
    """Bring module, optimizer, scheduler and course to where a run stood, and say where that is."""
    import torch

    metadata, tensors, theta = stored.metadata, stored.tensors, objective.model.parameters.present
    with torch.no_grad():
        for name, tensor in standing(objective):
            tensor.copy_(tensors[f"module.{name}"])
    state = optimizer.recalled(unpacked(metadata["optimizer"], tensors))
    if course.scheduler is not None:
        state = course.scheduler.scheduler.state_dict() | unpacked(metadata["scheduler"], tensors)
        course.scheduler.scheduler.load_state_dict(state)
    optimizer.settled, optimizer.rate = metadata["rates"]
    device = objective.model.parameters.trained[0].device
    for name in STATE:
        setattr(course, name, metadata["course"][name])
    course.history = [tuple(row) for row in course.history]  # type: ignore[misc]  # JSON has no tuples
    course.kept = _numbered(tensors, "kept", device) or None
    if course.average is not None:
        course.average.tensors = _numbered(tensors, "average", device)
    course.due = False

    def begins() -> None:
        with_random_states(data, metadata["random"], tensors)
        if metadata.get("promised") is not None:
            optimizer.stands(state, metadata["promised"])

    course.begins = begins
    if "part" in metadata:
        course.part = _part_of(stored, data, device)
    objective.stands(course.loss, metadata["norm"])
    # The handle of the weights stands for a vector, and the optimizer of PyTorch for the state of one of ours.
    handle, names = cast(Array, theta), cast(Parameters, objective.model.parameters)
    judge = cast(Memory, tuple(metadata["judge"]))
    snapshot = Snapshot(course.epoch, handle, cast(State, state), 1, judge, metadata["seconds"])
    past = tuple(
        Step(
            epoch, handle, loss, norm, rate, seconds, names=names, measures=measures or None, damping=next(damped, None)
        )
        for epoch, loss, norm, rate, seconds, measures, damped in ((*row[:6], iter(row[6:])) for row in steps)
    )
    return Checkpoint(metadata["run"], {}, course.loss, snapshot, past)


def _part_of(stored: StoredRun, data: object, device: Device) -> Part:
    """Return the part of an epoch that was passed."""
    metadata, tensors = stored.metadata["part"], stored.tensors
    begun = {name[6:]: each for name, each in tensors.items() if name.startswith("begun.")}
    return Part(
        metadata["steps"],
        tensors["part.losses"].to(device),
        tensors["part.shares"],
        metadata["weight"],
        lambda: with_random_states(data, metadata["begun"], begun),
        lambda: with_random_states(data, stored.metadata["random"], tensors),
    )


def _numbered(tensors: Tensors, name: str, device: Device) -> list[Tensor]:
    count = sum(each.startswith(f"{name}.") for each in tensors)
    return [tensors[f"{name}.{place}"].to(device, copy=True) for place in range(count)]
