"""J of a PyTorch module, and its gradient where ``torch.optim`` looks for it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.formula.compile import compile_expression
from descend.formula.printers.code import TORCH
from descend.losses.formulas import PREDICTION, RESIDUAL, RESPONSE
from descend.models.module import ModuleModel
from descend.models.module_modes import Modes, seeded, undisturbed
from descend.models.module_weights import Weights
from descend.problem.point import Objective
from descend.training.course import Course
from descend.training.curvature import Ritz, hessian
from descend.training.devices import in_one_thread
from descend.training.engine import ModuleEngine
from descend.training.meter import Meter
from descend.training.optimizers import ModuleOptimizer
from descend.training.point import ModulePoint

if TYPE_CHECKING:
    from torch import Tensor

    from descend.descent.step import Step
    from descend.training.flat_objective import FlatObjective

SAMPLE = 1024
"""Rows that are enough to estimate the curvature of J."""


class WritesSteps(Protocol):
    """What writes where a run stands. first_rate: the learning rate that a schedule changes."""

    first_rate: float

    def __call__(self, step: Step) -> None:
        """Read one step."""


class ModuleObjective(Objective):
    """J of a module: sum of losses over sum of row weights.

    J of a step is that of evaluation mode: it matches what predict gives, and is the same at every evaluation.
    Steps follow the gradient of training mode. Where both modes compute the same, one pass serves for both;
    where not (dropout, batch normalisation) each epoch takes a pass for each.
    """

    engine: ModuleEngine  # type: ignore[assignment]  # which stands in for one
    steps_itself = True

    def __init__(self, model: ModuleModel, engine: ModuleEngine, modes: Modes) -> None:
        self.model, self.engine, self.modes = model, engine, modes
        self.runs, self.passes, self.finite = 0, 0.0, True
        self.in_torch, self.value = model.cost, None
        if self.in_torch is None:
            self.value = compile_expression(model.loss.expressions[0], (PREDICTION, RESPONSE, RESIDUAL), TORCH)
        loss = model.loss
        # PyTorch has one operation for the mean of r**2, forward and backward, instead of three.
        self.squared = self.in_torch is None and loss.quadratic and float(loss.expressions[2]) == 2.0
        self.last: ModulePoint | None = None
        self.ahead: ModulePoint | None = None
        """J at the end of a step, where that knows it."""
        self.course: Course | None = None
        self.one_thread = self.half = self.compiled = False
        """Whether the module computes in bfloat16 where that is safe, and whether it is compiled."""
        self.meter: Meter | None = None
        self.writer: WritesSteps | None = None

    @property
    def rows(self) -> int:  # type: ignore[override]
        """The number of rows."""
        return self.engine.count

    def batches(self, size: int, seed: int, epoch: int) -> list[NDArray[np.intp]]:
        return self.engine.batches(size, seed, epoch)

    def __call__(  # type: ignore[override]  # weights stand for the flat vector
        self, theta: Weights, order: int = 1, rows: NDArray[np.intp] | None = None
    ) -> ModulePoint:
        """Evaluate J at the present parameters; order 1 leaves its gradient in ``.grad``."""
        if rows is not None:
            if self.course is not None:
                self.course.step += 1
            return ModulePoint(theta, self.descent(rows), self, rows)
        last = self.last
        if order and last is not None and last.theta is theta and last.run == self.runs:
            return self._observed(last)
        course, lean = self.course, None
        if course is not None and order:
            lean, course.passed = course.passed, None
        ahead, self.ahead = self.ahead, None
        if lean is not None:
            point = ModulePoint(theta, lean, self, None)
            point.lean = True
        elif ahead is not None and ahead.theta is theta and order and (course is None or course.meter is None):
            point = ahead
        else:
            self.modes.evaluate()
            self.meter = None if course is None or not order else course.meter
            point = ModulePoint(theta, self.passed(None, order > 0), self, None)
            self.meter = None
            self.modes.train()
        if order:
            self.model.parameters.write_down()
            self.finite = math.isfinite(point.loss) and math.isfinite(point.norm)
            if self.finite:
                self.model.parameters.keep()
            self.last = point
            self._observed(point)
        return point

    def _observed(self, point: ModulePoint) -> ModulePoint:
        """Note what is measured where an epoch has ended."""
        course = self.course
        if course is not None:
            if course.due and not course.ended:
                course.measure(self, point.loss)
                self.modes.train()
            point.ended, point.measures = course.outcome, course.measures
        return point

    def epoch(self, optimizer: ModuleOptimizer, rate: float, epoch: int, stop: Callable[[], bool]) -> Weights | None:  # type: ignore[override]
        """Take the steps of an epoch batch by batch, and return the new handle."""
        course = self.course
        if course is None:
            return None
        course.begin(self, optimizer.torch_optimizer)
        batched = course.regime.batch_size is not None
        by_itself = batched or course.stepwise or self.engine.streamed
        if optimizer.torch_optimizer is None or not by_itself:
            course.step += int(not batched)
            return None
        optimizer.set_rate(rate)
        course.pass_through(self, optimizer.torch_optimizer, epoch, lambda: stop() or course.stopped)
        if not course.regime.lean and self.fault is None:
            course.passed = None
        return Weights(self.model.parameters)

    def end(self) -> ModulePoint | None:  # type: ignore[override]
        """Leave the weights that are kept, and return J there where the last step has another."""
        course, last = self.course, self.last
        self.half = False  # J that is reported is that of the predictions
        if course is None or last is None:
            return None
        restored = course.restore(self)
        course.tell("on_train_end")
        self.remarks = course.remarks()
        if self.engine.streamed and not restored:
            return None  # another pass over rows that are passed may take as long as an epoch
        if not restored and not last.lean:
            return None
        if not self.finite and not restored:
            return None
        self.last = None
        if self.engine.streamed:
            course.passed = last.total if course.kept is None else course.best_passed
        point = self(Weights(self.model.parameters) if restored else last.theta, 1)
        if course.meter is not None:  # of the rows as they are predicted now, rather than on the way
            point.measures = course.measures | course.meter.results()
        return point

    def stands(self, loss: float, norm: float) -> None:
        """Take J, and the norm of its gradient, at weights that were brought back from where a run stood."""
        self.runs, self.last = self.runs + 1, None
        if self.course is not None and self.course.regime.lean:
            import torch

            point = ModulePoint(self.model.parameters.present, torch.tensor(loss, dtype=torch.float64), self, None)
            point.lean, point.known_norm = True, norm
            self.model.parameters.keep()
            self.last = point

    def keeper(self, rate: float, append: Callable[..., None], past: Iterable[object]) -> WritesSteps | None:
        """Return what writes the checkpoints of a run; its trace begins with the steps that were kept."""
        if self.writer is not None:
            self.writer.first_rate = rate
            for step in past:
                append(step)
        return self.writer

    def of(self, engine: ModuleEngine) -> ModuleObjective:
        """Return J of the same module over other rows."""
        return ModuleObjective(self.model, engine, self.modes)

    def loss_over(self, rows: ModuleEngine, meter: Meter | None = None) -> float:
        """Return J over other rows, in evaluation mode, with a meter listening."""
        import torch

        self.modes.evaluate()
        self.meter = meter
        count = rows.rows.weight_of(None)
        with torch.no_grad():
            if rows.streamed:
                epoch = 0 if self.course is None else max(self.course.epoch - 1, 0)
                steps = rows.steps(None, 0, epoch, 1)
                losses, counts = zip(
                    *((self.mean_loss(*batch, count), count) for (batch,), count in steps), strict=True
                )
                parts = [loss * (size / sum(counts)) for loss, size in zip(losses, counts, strict=True)]
            else:
                parts = [self.mean_loss(*block, count) for block in rows.blocks(None, False)]
        self.meter = None
        return float(torch.stack(parts).sum())

    @property
    def gradients(self) -> list[Tensor]:
        """The gradients of those trained parameters that the prediction depends on."""
        return [tensor.grad for tensor in self.model.parameters.trained if tensor.grad is not None]

    def descent(self, rows: NDArray[np.intp] | None) -> Tensor:
        """Return J over some rows (None: all) in training mode, leaving its gradient in ``.grad``."""
        return self.passed(rows, True, at_once=self.modes.differ)

    def passed(self, rows: NDArray[np.intp] | None, backward: bool, at_once: bool = False) -> Tensor:
        """Pass rows through the module, forward and perhaps backward, and return J, a tensor."""
        import torch

        self.runs += 1
        self.passes += 1.0 if rows is None else len(rows) / self.rows
        if backward:
            self.clear()
        count = self.engine.rows.weight_of(rows)
        total: Tensor | None = None
        with torch.set_grad_enabled(backward):
            for inputs, y, weights in self.engine.blocks(rows, at_once):
                loss = self.mean_loss(inputs, y, weights, count)
                if backward:
                    loss.backward()  # type: ignore[no-untyped-call]
                total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total

    def mean_loss(self, inputs: Tensor, y: Tensor, weights: Tensor | None, count: float) -> Tensor:
        """Return the losses of some rows, summed over ``count``."""
        from torch.nn.functional import mse_loss

        score = self.score(inputs)
        if self.meter is not None:
            self.meter.hear(score, y)
        if self.in_torch is not None:
            return self.in_torch.mean(score, y, weights, count)
        assert self.value is not None
        all_alike = weights is None and y.shape[0] == count
        if all_alike and self.squared:
            return mse_loss(score, y)
        value: Tensor = self.value(score, y, score - y)
        if all_alike:
            return value.mean()
        return (value if weights is None else value * weights).sum() / count

    def hessian(self) -> Ritz | None:
        """Return eigenvalues of the Hessian of J over a sample of rows, in training mode; None if there are none."""
        import torch

        held = self.engine.y.shape[0]
        rows = None if held <= SAMPLE else np.linspace(0, held - 1, SAMPLE).astype(np.intp)
        self.modes.train()
        with undisturbed(self.model.module), torch.enable_grad():
            inputs, y, weights = next(self.engine.blocks(rows, at_once=True))
            count = len(y) if weights is None else float(weights.sum())
            return hessian(lambda: self.mean_loss(inputs, y, weights, count), self.model.parameters.trained)

    def score(self, inputs: Tensor) -> Tensor:
        """Return what the module returns for some rows, by autocast if it computes in bfloat16."""
        if not self.half:
            return self.model.score(inputs)
        import torch

        with torch.autocast(self.model.parameters.trained[0].device.type, torch.bfloat16):
            score = self.model.score(inputs)
        return score.float()

    @contextlib.contextmanager
    def aside(self) -> Iterator[FlatObjective]:
        """Give access to J as a function of a flat vector; afterwards the module is as it was."""
        import torch

        from descend.training.flat_objective import FlatObjective

        parameters = self.model.parameters
        changing = [*parameters.trained, *parameters.module.buffers()]
        before = [tensor.detach().clone() for tensor in changing]
        known = (parameters.present, self.finite, self.last)
        try:
            yield FlatObjective(self)
        finally:
            with torch.no_grad():
                for tensor, copy in zip(changing, before, strict=True):
                    tensor.copy_(copy)
            parameters.present, self.finite, self.last = known
            self.clear()

    def clear(self) -> None:
        """Zero the gradients: autograd adds to what is there."""
        for tensor in self.model.parameters.trained:
            tensor.grad = None

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Enclose a training run; afterwards the module has its last finite parameters and its original modes."""
        self.modes.train()
        self.model.parameters.begin()
        try:
            with in_one_thread(self.one_thread), self._seeded(), self._compiled():
                if self.course is not None and self.course.begins is not None:
                    self.course.begins()
                yield
        finally:
            parameters = self.model.parameters
            if not self.finite:
                parameters.restore()
            parameters.forget()
            self.clear()
            self.modes.restore()
            self.last = None

    def _seeded(self) -> contextlib.AbstractContextManager[None]:
        """Let random numbers begin from the seed; but where a loader draws rows, they go on as in a loop over it."""
        if self.engine.streamed or self.engine.order is not None:
            return contextlib.nullcontext()
        return seeded(self.model.module, 0 if self.course is None else self.course.regime.seed)

    @contextlib.contextmanager
    def _compiled(self) -> Iterator[None]:
        """Compile the module for a while, where that was asked for. Raises ConfigError if PyTorch cannot."""
        if not self.compiled:
            yield
            return
        module = self.model.module
        module.compile()
        try:
            yield
        except Exception as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            said = str(error).strip().partition("\n")[0].rstrip(".")
            raise ConfigError(
                f"PyTorch cannot compile `{self.model.name}` here: {said}. Leave out `compile`."
            ) from error
        finally:
            module._compiled_call_impl = None  # as it was before; PyTorch has no call for that
