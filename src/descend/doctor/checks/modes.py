"""A model that was switched to evaluation and never back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Run, Step
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.nn import Module

LAYERS = ("dropout", "batch_norm", "feature_alpha_dropout", "alpha_dropout", "instance_norm")


class Modes(Check):
    """Follows dropout and batch normalisation layers: in training mode at first, later only in evaluation mode."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.now: set[bool] = set()
        self.steps: list[bool] = []
        self.place: Place | None = None
        self.switched: Place | None = None

    def replaces(self) -> Iterator[Replacement]:
        import torch

        yield torch.nn.Module, "eval", self._switched

    def _switched(self, theirs: Callable[..., object], model: Module) -> object:
        self.switched = self.run.here()
        return theirs(model)

    def operation(self, operation: Operation) -> None:
        import torch

        if operation.name not in LAYERS or not self.run.layers or not torch.is_grad_enabled():
            return
        layer = self.run.layers[-1]
        if not layer.training and self.run.layers[0].training:
            return  # frozen on purpose: the model as a whole is in training mode
        if vars(layer).get("p") != 0.0:
            self.now.add(bool(layer.training))
            if not layer.training and self.steps[-1:] != [False]:
                self.place = self.switched or operation.place

    def step_ended(self, step: Step) -> None:
        if self.now:
            self.steps.append(True in self.now)
        self.now = set()

    def findings(self) -> Iterator[Finding]:
        if True not in self.steps:
            return
        last = len(self.steps) - self.steps[::-1].index(True)
        if len(self.steps) - last < 2:
            return
        yield Finding(
            "left_in_evaluation",
            f"From step {last + 1} on the model is trained in evaluation mode, in which dropout and batch "
            "normalisation do not work as in training.",
            "`model.eval()` lasts until `model.train()` is called.",
            "model.train()   # at the beginning of each epoch",
            self.place,
            {"steps_in_training_mode": self.steps.count(True), "steps_in_evaluation_mode": len(self.steps) - last},
            WARNING,
        )
