"""How the run of a module goes: its steps, its validation, which weights are kept, when it ends, and who is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from descend.errors import ConfigError
from descend.training.engine import ModuleEngine
from descend.training.meter import HELD_BACK, Meter
from descend.training.optimizers import TorchOptimizer
from descend.training.sums import Sums

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

EVENTS = ("on_train_begin", "on_epoch_begin", "on_step", "on_epoch_end", "on_train_end")
"""What a callback may have methods for; each is called with the `Course`."""


@dataclass(eq=False)
class Course:
    """The course of a run, and what a callback is given.

    validation: rows that are held back. patience: epochs without a validation loss lower by ``min_delta`` that end the
    run. best: whether the weights of the lowest validation loss are left in the module. clip: norm to which the
    gradient is cut. accumulate: batches per step. meter: computes metrics. lean: whether the loss of an epoch is the
    mean over its batches as they were passed, which spares another pass over all rows.

    epoch: epochs that are done; step: steps; loss: J of the last epoch; measures: what was measured after it, by name.
    """

    validation: ModuleEngine | None = None
    patience: int | None = None
    min_delta: float = 0.0
    best: bool = False
    clip: float | None = None
    accumulate: int = 1
    batch_size: int | None = None
    seed: int = 0
    lean: bool = False
    callbacks: Sequence[object] = ()
    meter: Meter | None = None

    module: Module | None = None
    optimizer: Optimizer | None = None
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    measures: dict[str, float] = field(default_factory=dict)
    history: list[tuple[int, float, float]] = field(default_factory=list)
    """Epoch, training loss and validation loss."""
    best_epoch: int = 0
    best_loss: float = math.inf
    best_measures: dict[str, float] = field(default_factory=dict)
    stopped: bool = False
    ended: bool = False
    due: bool = True
    """Whether an epoch has gone by that was not measured."""
    passed: Tensor | None = None
    """J of the epoch just passed, as the mean over its batches."""
    kept: list[Tensor] | None = None

    def __post_init__(self) -> None:
        self.listeners = {event: hooks(self.callbacks, event) for event in EVENTS}

    @property
    def stepwise(self) -> bool:
        """Whether something is to be done at each step that only a step by itself can do."""
        return self.clip is not None or bool(self.listeners["on_step"])

    def stop(self) -> None:
        """End the run: after this step, or this epoch."""
        self.stopped = True

    def tell(self, event: str) -> None:
        """Call the callbacks of an event; True from one, or StopIteration, ends the run."""
        for hook in self.listeners[event]:
            try:
                if hook(self) is True:
                    self.stopped = True
            except StopIteration:
                self.stopped = True

    # ------------------------------------------------------------ an epoch

    def begin(self, objective: Sums, optimizer: TorchOptimizer) -> None:
        """Take the module and the optimizer, before an epoch."""
        if self.optimizer is None:
            self.module, self.optimizer = objective.model.module, optimizer.torch_optimizer
            self.tell("on_train_begin")
        self.due = True
        self.tell("on_epoch_begin")

    def pass_through(self, objective: Sums, optimizer: TorchOptimizer, epoch: int, stop: Callable[[], bool]) -> None:
        """Take the steps of an epoch, a batch each, with nothing besides but forward, backward and step."""
        import torch

        trained, mean_loss = objective.model.parameters.trained, objective.mean_loss
        step = optimizer.torch_optimizer.step
        clip, heard = self.clip, self.listeners["on_step"]
        objective.meter = self.meter if self.lean else None
        losses: list[Tensor] = []
        shares: list[float] = []
        total_weight = 0.0
        for batches, count in self.steps(objective, epoch):
            if stop() or self.stopped:
                break
            for tensor in trained:
                tensor.grad = None
            total_weight += count
            for inputs, y, weights in batches:
                loss = mean_loss(inputs, y, weights, count)
                loss.backward()  # type: ignore[no-untyped-call]
                losses.append(loss.detach())
                shares.append(count)
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(trained, clip)
            step()
            self.step += 1
            if heard:
                self.tell("on_step")
        objective.meter = None
        if not losses:
            return
        objective.runs += 1
        objective.passes += 1.0
        # Each is a share of its step, whose weight counts: so these add up to J over all rows.
        weights = torch.tensor(shares, dtype=torch.float64, device=losses[0].device)
        self.passed = (torch.stack(losses).double() * weights).sum() / total_weight

    def steps(self, objective: Sums, epoch: int) -> Iterator[tuple[list[tuple[Tensor, Tensor, Tensor | None]], float]]:
        """Yield the batches of each step, and the sum of their weights."""
        engine = objective.engine
        if self.batch_size is None:
            yield list(engine.blocks(None, True)), engine.rows.weight_of(None)
            return
        batches: list[NDArray[np.intp]] = objective.batches(self.batch_size, self.seed, epoch)
        if engine.omega is None:
            counts: list[float] = [len(rows) for rows in batches]
        else:
            counts = [engine.rows.weight_of(rows) for rows in batches]
        if self.accumulate == 1:
            for batch, count in zip(engine.in_turn(batches), counts, strict=True):
                yield [batch], count
            return
        turn = engine.in_turn(batches)
        for begin in range(0, len(batches), self.accumulate):
            some = counts[begin : begin + self.accumulate]
            yield [next(turn) for _ in some], sum(some)

    # ------------------------------------------------------------ after it

    def measure(self, objective: Sums, loss: float) -> None:
        """Measure what stands after an epoch, keep the best weights, and judge whether to go on."""
        again, self.due = self.optimizer is not None, False
        self.epoch += int(again)
        self.loss = loss
        self.measures = {}
        if self.meter is not None:
            if not self.meter.heard:
                objective.loss_over(objective.engine, self.meter)
            self.measures = self.meter.results()
        if self.validation is not None:
            now = objective.loss_over(self.validation, self.meter)
            self.measures = {"validation_loss": now, **self.measures}
            if self.meter is not None:
                self.measures |= self.meter.results(HELD_BACK)
            self.history.append((self.epoch, loss, now))
            if now < self.best_loss - (self.min_delta if math.isfinite(self.best_loss) else 0.0):
                self.best_loss, self.best_epoch, self.best_measures = now, self.epoch, self.measures
                if self.best:
                    self.kept = [tensor.detach().clone() for tensor in objective.model.parameters.changing()]
        if again:
            self.tell("on_epoch_end")

    @property
    def outcome(self) -> str:
        """How the run ends here: a callback said so, or the validation loss has not fallen for too long; else empty."""
        if self.stopped:
            return "interrupted"
        late = self.patience is not None and self.epoch - self.best_epoch >= self.patience
        return "stopped_early" if late else ""

    def restore(self, objective: Sums) -> bool:
        """Bring the best weights back; whether these are others than the last."""
        import torch

        self.ended = True
        if self.kept is None or self.best_epoch == self.epoch:
            return False
        self.measures = self.best_measures
        with torch.no_grad():
            for copy, tensor in zip(self.kept, objective.model.parameters.changing(), strict=True):
                tensor.copy_(copy)
        return True

    def remarks(self) -> tuple[str, ...]:
        """Say which epoch is kept, and where the module began to learn its rows by heart."""
        if not self.history:
            return ()
        (last, loss, validated), at = self.history[-1], dict((epoch, loss) for epoch, loss, _ in self.history)
        if self.best and self.kept is not None:
            said = [f"weights of epoch {self.best_epoch:,}, whose validation loss is lowest: {self.best_loss:.6g}"]
        else:
            said = [f"validation loss {validated:.6g}; lowest at epoch {self.best_epoch:,}: {self.best_loss:.6g}"]
        if self.best_epoch < last and validated > self.best_loss + self.min_delta and loss < at[self.best_epoch]:
            said.append(
                f"overfitting from epoch {self.best_epoch:,} on: by epoch {last:,} the validation loss rose from "
                f"{self.best_loss:.4g} to {validated:.4g} while the training loss fell from {at[self.best_epoch]:.4g} "
                f"to {loss:.4g}" + ("" if self.best else '; keep="best" keeps the weights of that epoch')
            )
        return tuple(said)


def hooks(callbacks: Sequence[object], event: str) -> list[Callable[[Course], object]]:
    """Return what callbacks have for an event: methods of that name; a plain function is called after each epoch."""
    found = []
    for callback in callbacks:
        if hasattr(callback, event):
            found.append(getattr(callback, event))
        elif any(hasattr(callback, each) for each in EVENTS):
            continue
        elif not callable(callback):
            raise ConfigError(
                f"A callback has methods such as {', '.join(EVENTS)}, or is a function that is called after each "
                f"epoch; this is a {type(callback).__name__}."
            )
        elif event == "on_epoch_end":
            found.append(callback)
    return found
