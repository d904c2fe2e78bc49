"""Models that are judged in training mode, and dropout that goes on in evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.ledger import Ledger
from descend.doctor.operation import OF_CHANCES, OF_CLASSES, OF_NUMBERS, ByTensor, Operation, carried
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

CHOICES = {"argmax", "topk", "eq", "__eq__", "gt", "__gt__", "ge", "__ge__", "lt", "__lt__", "le", "__le__", "round"}
MEASURES = {*OF_CLASSES, *OF_CHANCES, *OF_NUMBERS, *CHOICES, "max", "sub", "__sub__", "__rsub__"}
DROPOUTS = {"dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"}
PASSED_ON = {"softmax", "log_softmax", "sigmoid", "tanh", "exp"}


@dataclass(eq=False)
class Noisy:
    """What a model in training mode returned. layers: those that act otherwise in training; recorded: with a graph."""

    place: Place | None
    layers: str
    recorded: bool
    judged: bool = False
    trained: bool = False

    def reached(self, gradient: Tensor) -> None:
        """A backward pass has reached it: it is trained with, not only judged."""
        self.trained = True


class Evaluation(Check):
    """Follows what models with dropout or batch normalisation in training mode return, to where it is judged."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.noisy: ByTensor[Noisy] = ByTensor()
        self.judged: list[Noisy] = []
        self.active: Place | None = None

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if not model.training or not self.ledger.steps or len(self.judged) > 20:
            return
        layers = next(_unsettled(model), None)
        if layers is None:
            return
        recorded = torch.is_grad_enabled()
        for output in outputs:
            if recorded and not output.requires_grad:
                continue
            known = Noisy(self.ledger.scene.here(), layers, recorded)
            self.noisy[output] = known
            if recorded:
                output.register_hook(known.reached)  # type: ignore[no-untyped-call]

    def operation(self, operation: Operation) -> None:
        name, layers = operation.name, self.ledger.layers
        if name in DROPOUTS and layers and self.active is None and operation.outputs:
            called_plainly = "Dropout" not in type(layers[-1]).__name__
            if called_plainly and not layers[0].training and not operation.outputs[0].equal(operation.tensors[0]):
                self.active = operation.place
        if not operation.tensors:
            return
        if name in MEASURES:
            known = self.noisy.of(*operation.tensors)
            if known is not None and not known.judged and (name in CHOICES or not known.recorded):
                known.judged = True
                self.judged.append(known)
        elif name in PASSED_ON and operation.outputs:
            known = self.noisy.of(operation.tensors[0])
            if known is not None:
                self.noisy[operation.outputs[0]] = known
        else:
            carried(operation, self.noisy)

    def findings(self) -> list[Finding]:
        found = []
        missing = next((one for one in self.judged if not one.trained), None)
        if missing is not None and self.ledger.steps:
            found.append(
                Finding(
                    "eval_missing",
                    f"The model is judged in training mode: eval() is missing, and its {missing.layers} acts as "
                    "in training.",
                    "Dropout drops inputs at random, and batch normalisation uses the batch at hand: what is "
                    "measured so is "
                    "not what the trained model does.",
                    "model.eval()   # before the evaluation; and model.train() after it",
                    missing.place,
                    {"layer": missing.layers},
                    WARNING,
                )
            )
        if self.active is not None:
            found.append(
                Finding(
                    "dropout_in_evaluation",
                    "Dropout is active though the model is in evaluation mode: it is called as a function, which "
                    "does not know "
                    "the mode.",
                    "`functional.dropout` has training=True unless it is told otherwise.",
                    "torch.nn.functional.dropout(x, p, training=self.training)   # or a torch.nn.Dropout layer",
                    self.active,
                    {},
                    WARNING,
                )
            )
        return found


def _unsettled(model: Module) -> Iterator[str]:
    """Yield the layers in training mode that act otherwise in evaluation."""
    import torch

    for layer in model.modules():
        if not layer.training:
            continue
        if (isinstance(layer, torch.nn.modules.dropout._DropoutNd) and layer.p > 0.0) or (
            isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) and layer.track_running_stats
        ):
            yield type(layer).__name__
