"""The learning-rate range test of a module, by the steps of its training; afterwards the module is as it was."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import cast

from descend.models.datasets import undrawn
from descend.options.request import Request
from descend.problem.point import Point
from descend.results.range_test import RangeTest, Rise, refuse_without_rate
from descend.stability.spectrum import spectrum_of
from descend.training.callbacks import Callbacks
from descend.training.course import Course
from descend.training.objective import ModuleObjective
from descend.training.optimizers import TorchOptimizer
from descend.training.posing import pose_module


def range_test_of_module(request: Request, low: float | None, high: float | None, steps: int) -> RangeTest:
    """Test the rates of a module: batches, clipping and all else as in its training."""
    with _as_it_was(request.optimizer):
        problem, request = pose_module(request.model, request.data, request)
        optimizer = cast(TorchOptimizer, request.optimizer)
        refuse_without_rate(optimizer)
        objective = cast(ModuleObjective, problem.objective)
        course = cast(Course, objective.course)
        loader = getattr(objective.engine, "loader", None) or getattr(objective.engine.order, "loader", None)
        with undrawn(loader), objective.session(), objective.aside():
            objective.course = None  # nothing is validated
            start = objective(objective.model.parameters.present, 1)
            found = spectrum_of(problem, cast(Point, start))
            rise = Rise.of(found, optimizer.alike, low, high, steps)
            _walk(objective, course, optimizer, rise)
        return rise.result(optimizer.name, course.regime.batch_size)


def _walk(objective: ModuleObjective, course: Course, optimizer: TorchOptimizer, rise: Rise) -> None:
    """Take the steps of a test, epoch after epoch."""

    def after_step(run: Course) -> bool:
        optimizer.set_rate(rise.rate(run.step))
        return rise.ends(run.step_loss)

    objective.course = course = replace(course, validation=None, meter=None, callbacks=Callbacks([OnStep(after_step)]))
    optimizer.set_rate(rise.rate(0))
    for epoch in count():
        course.pass_through(objective, optimizer.torch_optimizer, epoch, bool)
        if course.stopped:
            break
    if objective.fault is not None:
        rise.ends(math.inf)


@dataclass(frozen=True)
class OnStep:
    """A callback that hears steps alone."""

    on_step: Callable[[Course], bool]


@contextmanager
def _as_it_was(optimizer: object) -> Iterator[None]:
    """Leave an optimizer of the user as it was given."""
    from torch.optim import Optimizer

    if not isinstance(optimizer, Optimizer):
        yield
        return
    state = copy.deepcopy(optimizer.state_dict())
    try:
        yield
    finally:
        optimizer.load_state_dict(state)
