"""Batches that are sorted by class, or whose inputs and targets were shuffled apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding
from descend.doctor.operation import OF_CHANCES, OF_CLASSES, ByTensor, Operation
from descend.doctor.rows import Order
from descend.doctor.run import Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.utils.data import DataLoader

ENOUGH = 5
MOST = 200
"""Steps after which nothing new is learned of how batches are made."""
SORTED = 0.8


@dataclass(eq=False)
class Classes:
    """The batches of one loss. single: how many hold one class only, for each class."""

    calls: int = 0
    single: Counter[float] = field(default_factory=Counter)


class Batches(Check):
    """Compares the rows of what the model and the loss are given, and keeps the record of them, which others read."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.loaders: dict[Place | None, DataLoader[object]] = {}
        self.steps = 0
        self.batch_classes: dict[Place | None, Classes] = {}
        self.steps_apart: Counter[Place | None] = Counter()
        self.paired_with: ByTensor[Place | None] = ByTensor()
        """Predictions compared with their own targets, as mixtures are beside those of others: None, else where not."""
        self.steps_with_fixed_target: ByTensor[int] = ByTensor()
        self.last_inputs: Tensor | None = None
        self.first_of_sorted: dict[Place | None, list[float]] = {}
        """For each loss of numbers, the first target of each batch whose rows lay in the order of theirs, else NaN."""

    def replaces(self) -> Iterator[Replacement]:
        from torch.utils.data import DataLoader

        yield DataLoader, "__iter__", self._iterated

    def _iterated(self, theirs: Callable[..., object], loader: DataLoader[object]) -> object:
        place = self.run.here()
        self.loaders[place] = loader
        return theirs(loader)

    def batch(self, iterator: object, tensors: Sequence[Tensor]) -> None:
        self.run.rows.handed_out(iterator, tensors, self.run.here())

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.steps += 1
        self.run.rows.forwarded(inputs, outputs)
        if not inputs or self.steps > MOST:
            return
        self.last_inputs = inputs[0].detach()

    def operation(self, operation: Operation) -> None:
        self.run.rows.operation(operation)
        if self.steps <= MOST and operation.outputs and (pair := operation.compared) is not None:
            self._paired(operation, *pair)

    def _paired(self, operation: Operation, prediction: Tensor, target: Tensor) -> None:
        if operation.name in OF_CLASSES | OF_CHANCES and target.ndim and target.numel() >= 8:
            known = self.batch_classes.setdefault(self.run.rows.sliced_at.of(target) or operation.place, Classes())
            known.calls += 1
            low, high = float(target.min()), float(target.max())
            if low == high:
                known.single[low] += 1
        elif target.numel() >= 8 and len(self.first_of_sorted) < ENOUGH:
            self._in_order(operation.place, target)
        ours, theirs = self.run.rows.order.of(prediction), self.run.rows.order.of(target)
        if target.requires_grad or target.numel() < 8 or bool((target == target.flatten()[0]).all()):
            return
        if ours is not None and theirs is not None:
            self._count_apart(prediction, ours, theirs)
        elif ours is not None:  # the targets are not shuffled at all: a fault only where they lie ready, step by step
            lying = target if target._base is None else target._base
            count = (self.steps_with_fixed_target.of(lying) or 0) + 1
            self.steps_with_fixed_target[lying] = count
            if count >= ENOUGH:
                self.steps_apart[ours.place] += 1

    def _count_apart(self, prediction: Tensor, ours: Order, theirs: Order) -> None:
        """Count a prediction that is compared with the targets of other rows only."""
        if not ours.apart_from(theirs):
            before = self.paired_with.of(prediction)
            if before is not None:
                self.steps_apart[before] -= 1
            self.paired_with[prediction] = None
        elif prediction not in self.paired_with.known:
            self.paired_with[prediction] = ours.place
            self.steps_apart[ours.place] += 1

    def _in_order(self, place: Place | None, target: Tensor) -> None:
        """Take note of whether the targets of a batch ascend, or descend, where no input of theirs does."""
        numbers, inputs = target.detach().flatten(), self.last_inputs
        is_sorted = False
        if inputs is not None and inputs.ndim == 2 and len(inputs) == len(numbers):
            steps, columns = numbers.diff(), inputs.diff(dim=0)
            is_sorted = bool(((steps >= 0).all() or (steps <= 0).all()) and steps.any())
            is_sorted = is_sorted and not bool(((columns >= 0).all(0) | (columns <= 0).all(0)).any())
        firsts = self.first_of_sorted.setdefault(self.run.rows.sliced_at.of(target) or place, [])
        firsts.append(float(numbers[0]) if is_sorted else math.nan)

    def findings(self) -> Iterator[Finding]:
        if self.run.steps >= ENOUGH:
            yield from self._apart()
            yield from self._sorted()

    def _apart(self) -> Iterator[Finding]:
        for place, count in self.steps_apart.items():
            if count >= ENOUGH:
                yield shuffled_apart(place, count)
                return

    def _sorted(self) -> Iterator[Finding]:
        if len(self.run.optimizers) > 1:
            return  # adversaries are shown one kind at a time
        for place, firsts in self.first_of_sorted.items():
            ordered = [one for one in firsts if one == one]
            if len(set(ordered)) >= ENOUGH and len(ordered) >= max(2 * ENOUGH, SORTED * len(firsts)):
                yield Finding(
                    "labels_sorted",
                    f"The rows are sorted by their targets and not shuffled: in {len(ordered)} of {len(firsts)} "
                    "batches the targets only ascend, or descend.",
                    "The model learns small targets after large ones, and forgets each for the next.",
                    "order = torch.randperm(len(x))\nx, y = x[order], y[order]   # in each epoch; or shuffle=True",
                    next((where for where in self.loaders if where is not None), None) or place,
                    {"batches": len(firsts), "in_order": len(ordered)},
                )
        for place, known in self.batch_classes.items():
            single = sorted(known.single.values(), reverse=True)
            mostly = known.calls >= ENOUGH and sum(single) >= SORTED * known.calls
            if mostly and len(single) > 1 and single[1] >= 0.1 * known.calls:
                loader = next((where for where in self.loaders if where is not None), None)
                yield Finding(
                    "labels_sorted",
                    f"The rows are sorted by class and not shuffled: {sum(single)} of {known.calls} batches "
                    "hold one class "
                    "only.",
                    "The model learns one class after the other, and forgets each for the next.",
                    "DataLoader(..., shuffle=True)   # or rows in a random order",
                    loader or place,
                    {"batches": known.calls, "of_one_class": sum(single)},
                )


def shuffled_apart(place: Place | None, steps: int) -> Finding:
    """Return the finding of inputs and targets that no longer belong together."""
    return Finding(
        "rows_shuffled_apart",
        "Inputs and targets are shuffled apart: the rows of the one are permuted, those of the other are not, or by "
        "another permutation.",
        "Row i of the inputs then no longer belongs to row i of the targets, and there is nothing to learn.",
        "order = torch.randperm(len(x))\nx, y = x[order], y[order]   # one permutation for both",
        place,
        {"steps": steps} if steps else {},
    )
