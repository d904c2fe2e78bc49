"""Metrics of a model that is still in training mode, and dropout that ignores the mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import AS_NUMBERS, ByTensor, Operation
from descend.doctor.run import Backward, Run
from descend.doctor.source import Source, callee
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch.nn import Module

MODAL = {"dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "batch_norm"}
ATTENTION = "scaled_dot_product_attention"
"""Functions that work otherwise in training than in evaluation."""
COMPARING = {"eq", "__eq__", "ne", "__ne__", "sub", "__sub__", "__rsub__", "rsub", "kl_div"}


@dataclass(eq=False)
class ModelCall:
    """A line that calls a model in training mode. trained: its results go into a backward pass; joined: with whose.

    measured: a metric was computed of them.
    """

    place: Place | None
    layer: str
    trained: bool = False
    measured: bool = False
    joined: list[ModelCall] = field(default_factory=list)

    def train(self) -> None:
        """Take note that a backward pass uses this, and all it was computed with."""
        if not self.trained:
            self.trained = True
            for other in self.joined:
                other.train()


class Evaluation(Check):
    """Follows what a model in training mode returns: to a backward pass, or only to a metric."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.calls: dict[tuple[Place | None, bool], ModelCall] = {}
        self.results: ByTensor[tuple[ModelCall, bool]] = ByTensor()
        """What follows from a call, and whether it is a metric."""
        self.ignoring: Counter[Place | None] = Counter()
        """Lines whose dropout ignores the mode, and how often it did."""

    def operation(self, operation: Operation) -> None:
        layers = self.run.layers
        if operation.name in MODAL and layers:
            self._modal(operation, layers[0], layers[-1])
        elif operation.name == ATTENTION and layers and not layers[0].training:
            drops = operation.argument("dropout_p", 4)
            if drops and not _says_training(operation.place):
                self.ignoring[operation.place] += 1
        if self.results.known:
            self._follow(operation)

    def _modal(self, operation: Operation, model: Module, layer: Module) -> None:
        import torch

        if not model.training:
            library = type(layer).__module__.startswith("torch.nn.")
            active = operation.kwargs.get("training", True) and operation.kwargs.get("p", 0.5)
            own = library and layer not in model.modules()  # made in `forward`, so that `eval` never reaches it
            ignores = own or (not library and not _says_training(operation.place))
            if "dropout" in operation.name and active and ignores:
                self.ignoring[operation.place] += 1
            return
        if not self.run.steps or not layer.training or vars(layer).get("p") == 0.0:
            return
        key = (self.run.model_called_at, torch.is_grad_enabled())
        kind = "batch normalisation" if operation.name == "batch_norm" else "dropout"
        call = self.calls.setdefault(key, ModelCall(key[0], kind))
        if not call.trained:
            for output in operation.outputs:
                self.results[output] = (call, False)

    def _follow(self, operation: Operation) -> None:
        followed = [result for tensor in operation.tensors if (result := self.results.of(tensor)) is not None]
        if not followed:
            return
        call = followed[0][0]
        measured = any(metric for _, metric in followed)
        for other, _ in followed[1:]:
            if other is not call and other not in call.joined:
                call.joined.append(other)
                other.joined.append(call)
        name = operation.name
        if name == "stack" and len(followed) > 1 and len({id(one) for one, _ in followed}) == 1:
            call.train()  # many passes over the same rows: their spread is what the author wants
        if name in AS_NUMBERS:
            first = operation.tensors[0]
            classes = first.numel() > 1 and not first.is_floating_point()
            call.measured = call.measured or measured or classes
            return
        measured = measured or name in COMPARING or name.endswith("_loss") or "cross_entropy" in name
        for output in operation.outputs:
            self.results[output] = (call, measured)

    def backward_begins(self, backward: Backward) -> None:
        for root in backward.roots:
            if (result := self.results.of(root)) is not None:
                result[0].train()

    def findings(self) -> Iterator[Finding]:
        yield from (_dropout_ignores(place, count) for place, count in [*self.ignoring.items()][:1])
        only_measured = [call for call in self.calls.values() if call.measured and not call.trained]
        yield from (_training_mode(call) for call in only_measured[:1])


def _says_training(place: Place | None) -> bool:
    """Whether the call at a line names ``training``: dropout in evaluation is then what the author wants."""
    calls = () if place is None else Source.of(place.file).calls_at(place.line)
    return any(
        any(option.arg == "training" for option in call.keywords) or (len(call.args) > 2 and callee(call) != ATTENTION)
        for call in calls
        if "dropout" in callee(call) or callee(call) == ATTENTION
    )


def _training_mode(call: ModelCall) -> Finding:
    does = {
        "dropout": "Dropout then drops numbers at random, so the metric is that of a weakened model.",
        "batch normalisation": "Batch normalisation then uses, and learns from, the rows it is measured on.",
    }
    return Finding(
        "evaluated_in_training_mode",
        f"A loss or metric is computed of a model in training mode, with {call.layer} at work: `eval()` is missing.",
        does[call.layer],
        "model.eval()   # before the evaluation; and model.train() before training goes on",
        call.place,
        {},
        WARNING,
    )


def _dropout_ignores(place: Place | None, count: int) -> Finding:
    return Finding(
        "dropout_in_evaluation",
        "Dropout as a function (`functional.dropout`, or `dropout_p` of an attention) drops numbers although the model "
        "is in evaluation mode, after `eval()`.",
        "As a function it does not know the mode of the model: unless told, it assumes training.",
        "torch.nn.functional.dropout(x, training=self.training)   # or a torch.nn.Dropout layer; of an attention: "
        "dropout_p=self.p if self.training else 0.0",
        place,
        {"calls": count},
    )
