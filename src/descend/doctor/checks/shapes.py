"""Losses with inputs of the wrong shape or kind, which raise no error and only lead to a poor fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import DIFFERENCES, MULTIPLYING, OF_NUMBERS, ByTensor, Operation
from descend.doctor.run import Backward, Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

KEPT = MULTIPLYING | {"pow", "__pow__", "square", "abs", "absolute", "__abs__", "neg", "__neg__", "div", "true_divide"}
KEPT |= {"__truediv__", "sqrt", "tanh", "cosh", "log_cosh", "add", "__add__", "__radd__"}
"""Functions of each number by itself, as they are found between a difference and the mean of a loss."""
REDUCED = {"mean", "sum"}
VIEWS = {"view", "reshape", "_unsafe_view"}
COMPARING = {"eq", "__eq__", "ne", "__ne__"}


def _moved(old: tuple[int, ...], new: tuple[int, ...]) -> bool:
    """Whether an axis, not that of the batch, has gone elsewhere: more or fewer numbers follow it than before."""
    for place, size in enumerate(old[1:], 1):
        if size > 1 and old.count(size) == new.count(size) == 1:
            after = new[new.index(size) + 1 :]
            if math.prod(after) != math.prod(old[place + 1 :]) and old[0] == new[0] and new.index(size) > 0:
                return True
    return False


@dataclass(eq=False)
class Broadcast:
    """A difference of n predictions and n targets that became n x n numbers."""

    prediction: tuple[int, ...]
    target: tuple[int, ...]
    place: Place | None
    title: str
    name: str | None = None
    metric: bool = False


class Shapes(Check):
    """Detects a column (n, 1) combined with a row (n,) on the way into a loss, and a view in the place of a permute."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.broadcasts: ByTensor[Broadcast] = ByTensor()
        self.waiting: list[Broadcast] = []
        self.confirmed: Broadcast | None = None
        self.view_that_mixes: tuple[Place | None, str, tuple[int, ...], tuple[int, ...]] | None = None
        self.predicted: ByTensor[bool] = ByTensor()
        """What models return, and what is made of it row by row, where it has no gradient: for a metric."""

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        for output in outputs:
            self.predicted[output] = True

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if operation.outputs and not operation.outputs[0].requires_grad and self.confirmed is None:
            self._measured(operation)
        if name in OF_NUMBERS and len(tensors) >= 2:
            if found := self._meets(operation):
                self.waiting.append(found)
        elif name in DIFFERENCES and len(tensors) == 2 and operation.outputs:
            if found := self._meets(operation):
                self.broadcasts[operation.outputs[0]] = found
        elif name in KEPT | REDUCED and operation.outputs:
            found = self.broadcasts.of(*tensors)
            if found is not None:
                output = operation.outputs[0]
                if name in REDUCED and output.numel() == 1:
                    self.waiting.append(found)
                elif name in KEPT:
                    self.broadcasts[output] = found
        elif name in VIEWS and operation.outputs:
            self._reshaped(operation)

    def _reshaped(self, operation: Operation) -> None:
        """Take note of a view whose sizes are those of its input in another order: it moves no axis, it mixes them."""
        before, after = operation.tensors[0], operation.outputs[0]
        if self.view_that_mixes is not None or before.ndim < 2 or not before.is_floating_point():
            return
        old, new = tuple(before.shape), tuple(after.shape)
        reordered = sorted(old) == sorted(new) and [n for n in old if n > 1] != [n for n in new if n > 1]
        if reordered or (before.ndim >= 3 and _moved(old, new)):
            self.view_that_mixes = (operation.place, operation.name, old, new)

    def _measured(self, operation: Operation) -> None:
        """Follow predictions that have no gradient to where they are compared with the targets, for a metric."""
        tensors, output = operation.tensors, operation.outputs[0]
        compares = operation.name in COMPARING | DIFFERENCES | OF_NUMBERS and len(tensors) > 1
        if compares and self._predicted(tensors[0]) != self._predicted(tensors[1]):
            found = self._meeting(operation, *(tensors if self._predicted(tensors[0]) else tensors[1::-1]))
            if found is not None:
                found.metric, self.confirmed = True, found
        for tensor in tensors[:1]:
            if output.ndim and tensor.shape[:1] == output.shape[:1] and self._predicted(tensor):
                self.predicted[output] = True

    def _predicted(self, tensor: Tensor) -> bool:
        return tensor.grad_fn is not None or self.predicted.of(tensor) is not None

    def _meets(self, operation: Operation) -> Broadcast | None:
        """Return a `Broadcast` if a prediction with a gradient is combined with targets of another shape."""
        first, second = operation.tensors[:2]
        if first.requires_grad == second.requires_grad:
            return None
        return self._meeting(operation, *((first, second) if first.requires_grad else (second, first)))

    def _meeting(self, operation: Operation, prediction: Tensor, target: Tensor, *more: Tensor) -> Broadcast | None:
        """Return a `Broadcast` if n predictions and n targets are combined as a column and a row."""
        first, second = prediction, target
        if self.confirmed is not None or first.ndim == second.ndim:
            return None
        size = first.numel()
        if size < 2 or size != second.numel():
            return None
        longer, shorter = (first, second) if first.ndim > second.ndim else (second, first)
        if longer.ndim != 2 or shorter.ndim != 1 or longer.shape[1] != 1:
            return None
        name = self.run.user_code.name_of(target if target.ndim == 1 else prediction)
        return Broadcast(tuple(prediction.shape), tuple(target.shape), operation.place, operation.title, name)

    def backward_begins(self, backward: Backward) -> None:
        if self.waiting:
            self.confirmed = self.confirmed or self.waiting[0]
            self.waiting.clear()

    def findings(self) -> Iterator[Finding]:
        if self.confirmed is not None:
            yield _broadcast(self.confirmed)
        if self.run.backward_places and self.view_that_mixes is not None:
            yield _mixed(*self.view_that_mixes)


def _broadcast(broadcast: Broadcast) -> Finding:
    count = max(broadcast.prediction[0], broadcast.target[0])
    name = broadcast.name or ("y" if len(broadcast.target) == 1 else "prediction")
    fix = f"{name} = {name}.unsqueeze(1)"
    return Finding(
        "shape_broadcast",
        f"The prediction has the shape {broadcast.prediction} and the target {broadcast.target}, so {broadcast.title} "
        f"compares each of {count:,} predictions with all {count:,} targets.",
        "The metric then says nothing of how many rows are right."
        if broadcast.metric
        else "The loss then is least where every prediction is the mean of the targets.",
        f"{fix}   # both of the shape ({count}, 1)",
        broadcast.place,
        {"prediction": list(broadcast.prediction), "target": list(broadcast.target), "differences": count * count},
    )


def _mixed(place: Place | None, name: str, old: tuple[int, ...], new: tuple[int, ...]) -> Finding:
    fix = "x.permute(...)   # after a view that only splits or joins neighbouring axes"
    if sorted(old) == sorted(new):
        left, order = list(range(len(old))), []
        for size in new:
            axis = next(axis for axis in left if old[axis] == size)
            left.remove(axis)
            order.append(str(axis))
        fix = f"x.permute({', '.join(order)})"
    return Finding(
        "view_for_permute",
        f"`{name}` turns the shape {old} into {new}: it moves no axis, it only cuts the same row of numbers otherwise.",
        "The numbers of different pixels, channels or rows are mixed; what changes the order of axes is permute.",
        fix,
        place,
        {"shape": list(old), "turned_into": list(new)},
    )
