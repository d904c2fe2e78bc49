"""How the run of a module goes: its steps, its validation, which weights are kept, when it ends, and who is told."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from descend.descent.validation import Moment, overfitting_sentence
from descend.training.averaging import Average
from descend.training.callbacks import Callbacks
from descend.training.engine import ModuleEngine
from descend.training.faults import Batch, WhichBatch, fault_of, which_batch
from descend.training.meter import HELD_BACK, Meter
from descend.training.regime import Regime
from descend.training.scheduling import Scheduler
from descend.training.sums import Sums
from descend.training.within_epoch import KeepsParts, Part

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer


@dataclass(eq=False)
class Course:
    """The course of a run, and what a callback is given.

    regime: its settings. validation: rows that are held back. meter: computes metrics. scheduler: of PyTorch, changes
    the learning rate. average: of the weights on the way, which is what is validated and left in the module.

    module: what is trained; optimizer: that of PyTorch, None where steps are not by one. epoch: epochs that are done;
    step: steps; step_loss: J of the batches of the last one, before it; loss: J of the last epoch; measures: what was
    measured after it, by name.
    """

    regime: Regime
    validation: ModuleEngine | None = None
    callbacks: Callbacks = field(default_factory=Callbacks)
    meter: Meter | None = None
    scheduler: Scheduler | None = None
    average: Average | None = None

    begins: Callable[[], None] | None = None
    """What is done as a run begins that goes on from where another stood."""
    keeper: KeepsParts | None = None
    """What writes where the run stands within an epoch."""
    part: Part | None = None
    """What of the first epoch was passed before the run was cut off."""
    module: Module | None = None
    optimizer: Optimizer | None = None
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    measures: dict[str, float] = field(default_factory=dict)
    first_loss: float = math.nan
    """J before the first step."""
    history: list[tuple[int, float, float]] = field(default_factory=list)
    """Epoch, training loss and validation loss."""
    best_epoch: int = 0
    best_value: float = math.nan
    best_passed: Tensor | None = None
    best_measures: dict[str, float] = field(default_factory=dict)
    stopped: bool = False
    ended: bool = False
    due: bool = True
    """Whether an epoch has gone by that was not measured."""
    passed: Tensor | None = None
    """J of the epoch just passed, as the mean over its batches."""
    kept: list[Tensor] | None = None
    step_losses: list[Tensor] = field(default_factory=list)
    """The part of J of each batch of the last step, where somebody hears of steps."""

    @property
    def step_loss(self) -> float:
        """J over the batches of the last step, before it; nan where no callback has a method ``on_step``."""
        return float(sum(self.step_losses)) if self.step_losses else math.nan

    @property
    def stepwise(self) -> bool:
        """Whether something is to be done at each step that only a step by itself can do."""
        regime = self.regime
        by_step = self.scheduler is not None and self.scheduler.by_step
        cut = regime.clip is not None or regime.clip_value is not None
        return cut or by_step or self.average is not None or self.callbacks.hear("on_step")

    def stop(self) -> None:
        """End the run: after this step, or this epoch."""
        self.stopped = True

    def tell(self, event: str) -> None:
        """Call the callbacks of an event, which may end the run."""
        self.stopped = self.callbacks.tell(event, self) or self.stopped

    # ------------------------------------------------------------ an epoch

    def begin(self, objective: Sums, optimizer: Optimizer | None) -> None:
        """Take the module and the optimizer of PyTorch, if there is one, before an epoch."""
        if self.module is None:
            self.module, self.optimizer = objective.model.module, optimizer
            self.tell("on_train_begin")
        self.due = True
        self.tell("on_epoch_begin")

    def pass_through(self, objective: Sums, optimizer: Optimizer, epoch: int, stop: Callable[[], bool]) -> None:
        """Take the steps of an epoch, a batch each, with nothing besides but forward, backward and step."""
        import torch

        trained, mean_loss = objective.model.parameters.trained, objective.mean_loss
        step, after = optimizer.step, self._after_step()
        clip, clip_value = self.regime.clip, self.regime.clip_value
        objective.meter = self.meter if self.regime.lean else None
        losses: list[Tensor] = []
        shares: list[float] = []
        total_weight, before, keeper = 0.0, None, self.keeper
        # Elsewhere than on a processor this would wait for each step.
        watched = trained[0].device.type == "cpu"
        regime, begun, part = self.regime, self.step, self.part
        if part is not None:
            part.rewind()
        if keeper is not None:
            keeper.begin_epoch()
        steps = objective.engine.steps(regime.batch_size, regime.seed, epoch, regime.accumulate)
        if part is not None:
            losses, shares, total_weight = part.skipped(steps)
            begun, self.part = begun - part.steps, None
        for batches, count in () if stop() or self.stopped else steps:
            for tensor in trained:
                tensor.grad = None
            total_weight += count
            for inputs, y, weights in batches:
                loss = mean_loss(inputs, y, weights, count)
                if watched and not math.isfinite(loss.item()):
                    which = which_batch(objective.engine, epoch, len(losses))
                    last = float(losses[-1]) if losses else self.loss
                    self._broken(objective, (inputs, y, weights), before, which, last)
                    return
                before = inputs, y, weights
                loss.backward()  # type: ignore[no-untyped-call]
                losses.append(loss.detach())
                shares.append(count)
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(trained, clip)
            elif clip_value is not None:
                torch.nn.utils.clip_grad_value_(trained, clip_value)
            step()
            self.step += 1
            if after:
                self.step_losses = losses[-len(batches) :]
                for each in after:
                    each()
            ends = stop() or self.stopped
            if keeper is not None and (ends or keeper.due()):
                keeper.keep_part(self.step - begun, losses, shares, total_weight, last=ends)
            if ends:  # before the next batch is drawn
                break
        objective.meter = None
        if not losses:
            return
        objective.runs += 1
        objective.passes += 1.0
        # Each is a share of its step, whose weight counts: so these add up to J over all rows.
        weights = torch.tensor(shares, dtype=torch.float64, device=losses[0].device)
        self.passed = (torch.stack(losses).double() * weights).sum() / total_weight

    def _broken(self, objective: Sums, batch: Batch, before: Batch | None, which: WhichBatch, last: float) -> None:
        """End the run at a batch whose loss is not finite, with the weights of the last step that was good.

        Those of steps that were too long are none: the epoch began with better ones.

        before: the batch before it in this epoch. last: the loss before it.
        """
        import torch

        objective.meter = None
        parameters = objective.model.parameters
        sound = all(bool(torch.isfinite(tensor).all()) for tensor in parameters.trained)
        objective.fault = fault = fault_of(objective, batch, which, before, (self.first_loss, last))
        if sound and fault is not None and fault.cause != "rate_too_large":
            parameters.keep()
        objective.runs += 1
        self.passed = torch.tensor(math.nan)
        self.stopped = True

    def _after_step(self) -> list[Callable[[], None]]:
        """Return what is done after each step; mostly nothing."""
        done: list[Callable[[], None]] = []
        if self.scheduler is not None and self.scheduler.by_step:
            done.append(self.scheduler.step)
        if self.average is not None:
            done.append(self.average.update)
        if self.callbacks.hear("on_step"):
            done.append(partial(self.tell, "on_step"))
        return done

    # ------------------------------------------------------------ after it

    def measure(self, objective: Sums, loss: float) -> None:
        """Measure what stands after an epoch, keep the best weights, and judge whether to go on."""
        again, self.due = self.module is not None, False
        self.epoch += int(again)
        self.loss = loss
        if not again:
            self.first_loss = loss
        self.measures = {}
        if self.meter is not None:
            if not self.meter.heard:
                objective.loss_over(objective.engine, self.meter)
            self.measures = self.meter.results()
        if self.validation is not None:
            standing = contextlib.nullcontext() if self.average is None else self.average.standing()
            with standing, self.validation.looked_at(first=not again):
                self._validate(objective, self.validation, loss)
        if again:
            if self.scheduler is not None and not self.scheduler.by_step:
                self.scheduler.step(self.measures.get(self.regime.monitor, loss))
            self.tell("on_epoch_end")

    def _validate(self, objective: Sums, rows: ModuleEngine, loss: float) -> None:
        import torch

        now = objective.loss_over(rows, self.meter)
        self.measures = {"validation_loss": now, **self.measures}
        if self.meter is not None:
            self.measures |= self.meter.results(HELD_BACK)
        self.history.append((self.epoch, loss, now))
        value = self.measures[self.regime.monitor]
        if math.isnan(self.best_value) or self.regime.better(value, self.best_value):
            self.best_value, self.best_epoch, self.best_measures = value, self.epoch, self.measures
            self.best_passed = torch.tensor(loss)
            if self.regime.best:
                self.kept = [tensor.detach().clone() for tensor in objective.model.parameters.changing()]

    @property
    def outcome(self) -> str:
        """How the run ends here: a callback said so, or the validation loss has not fallen for too long; else empty."""
        if self.stopped:
            return "interrupted"
        patience = self.regime.patience
        late = patience is not None and self.epoch - self.best_epoch >= patience
        return "stopped_early" if late else ""

    def restore(self, objective: Sums) -> bool:
        """Bring the weights that are kept into the module; whether these are others than the last."""
        import torch

        self.ended = True
        if self.kept is None or (self.best_epoch == self.epoch and self.average is None):
            if self.average is None or not self.average.tensors:
                return False
            self.average.write()
            return True
        self.measures = self.best_measures
        with torch.no_grad():
            for copy, tensor in zip(self.kept, objective.model.parameters.changing(), strict=True):
                tensor.copy_(copy)
        return True

    def remarks(self) -> tuple[str, ...]:
        """Say which epoch is kept, and where the module began to learn its rows by heart."""
        if not self.history:
            return ()
        (last, loss, validated), at = self.history[-1], {epoch: each for epoch, *each in self.history}
        regime, monitored = self.regime, self.regime.monitor.replace("_", " ")
        best, least = f"{self.best_value:.6g}", "highest" if regime.higher else "lowest"
        if regime.best and self.kept is not None:
            said = [f"weights of epoch {self.best_epoch:,}, whose {monitored} is {least}: {best}"]
        else:
            now = self.measures[regime.monitor]
            said = [f"{monitored} {now:.6g}; {least} at epoch {self.best_epoch:,}: {best}"]
        best_moment = Moment(self.best_epoch, *at[self.best_epoch])
        least_rise = 0.0 if regime.higher else regime.min_delta
        return *said, *overfitting_sentence(best_moment, Moment(last, loss, validated), least_rise, regime.best)
