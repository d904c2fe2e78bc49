"""Axes taken for others: rows of a batch for steps in time, or a softmax over the batch in the midst of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import Operation
from descend.doctor.run import Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH = 3
TIMED = {"lstm", "gru", "rnn_tanh", "rnn_relu", "multi_head_attention_forward"}


@dataclass(eq=False)
class Count:
    """How often a call was looked at, and how often the size of its first axis was that of the batch."""

    kind: str
    shape: tuple[int, ...]
    seen: int = 0
    of_batch: int = 0


class Axes(Check):
    """Compares the first axis of recurrent layers, and of softmaxes over it, with the rows that the loss compares."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.counts: dict[Place | None, Count] = {}
        self.since_last_loss: dict[Place | None, tuple[str, tuple[int, ...]]] = {}

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if name in TIMED and self.run.layers and tensors[0].ndim == 3:
            layer = self.run.layers[-1]
            if getattr(layer, "batch_first", None) is False:
                self.since_last_loss[operation.place] = type(layer).__name__, tuple(tensors[0].shape)
        elif name == "softmax" and self.run.layers and tensors[0].ndim > 1 and tensors[0].requires_grad:
            shape, dim = tuple(tensors[0].shape), operation.kwargs.get("dim", operation.args[1:2])
            if dim in (0, (0,), -len(shape), (-len(shape),)) and dim is not False:
                self.since_last_loss[operation.place] = "softmax", shape
        elif self.since_last_loss and (pair := operation.compared) is not None:
            self._compared(*pair)

    def _compared(self, prediction: Tensor, target: Tensor) -> None:
        """Look at what was called on the way to this prediction; sizes that occur twice tell nothing."""
        labelled = prediction.ndim == 2 and target.ndim == 1  # its second axis is that of the classes
        for place, (kind, shape) in self.since_last_loss.items():
            count = self.counts.setdefault(place, Count(kind, shape))
            first, second = shape[:2]
            rows = prediction.shape[:1] == target.shape[:1] == (first,) and first not in shape[1:] and second > 1
            count.seen += 1
            count.of_batch += rows and (labelled or second not in prediction.shape[1:])
        self.since_last_loss = {}

    def findings(self) -> Iterator[Finding]:
        for place, count in self.counts.items() if self.run.steps else ():
            if ENOUGH <= count.seen == count.of_batch:
                yield _softmax(place, count.shape) if count.kind == "softmax" else _timed(place, count)


def _timed(place: Place | None, count: Count) -> Finding:
    first, second, _ = count.shape
    return Finding(
        "batch_first_missing",
        f"The {count.kind} takes the {first} rows of a batch for {first} steps in time: it is given the shape "
        f"{count.shape}, and without batch_first=True the first axis is time.",
        "Rows then depend on the rows before them, and the order of time is lost.",
        f"torch.nn.{count.kind}(..., batch_first=True)",
        place,
        {"shape": list(count.shape), "rows": first, "other_axis": second},
    )


def _softmax(place: Place | None, shape: tuple[int, ...]) -> Finding:
    return Finding(
        "softmax_over_batch",
        f"The softmax is taken over dimension 0, the {shape[0]} rows of the batch, of scores of the shape {shape}.",
        "Each row then depends on which others are in its batch, and alone it gets other weights.",
        "scores.softmax(dim=-1)   # over what the weights belong to",
        place,
        {"shape": list(shape), "dim": 0},
    )
