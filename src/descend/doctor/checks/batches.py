"""Batches that are always the same, sorted by class, or whose inputs and targets were shuffled apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import WARNING, Finding
from descend.doctor.ledger import Ledger
from descend.doctor.operation import OF_CHANCES, OF_CLASSES, ByTensor, Operation, carried, compared
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.utils.data import DataLoader

ENOUGH = 5
MOST = 200
"""Steps after which nothing new is learned of how batches are made."""
SORTED = 0.8


@dataclass(eq=False)
class Order:
    """An order in which rows were taken: which it is, and where it was used."""

    place: Place | None
    number: int


@dataclass(eq=False)
class Classes:
    """The batches of one loss that hold a single class. of: how many for each class."""

    calls: int = 0
    of: dict[float, int] = field(default_factory=dict)


class Batches(Check):
    """Follows loaders, permutations and seeds to what the model and the loss are given."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.begun: dict[Place | None, list[int]] = {}
        self.loaders: dict[Place | None, DataLoader[object]] = {}
        self.prints: list[tuple[float, ...]] = []
        self.classes: dict[Place | None, Classes] = {}
        self.seeds: dict[tuple[Place | None, int], list[int]] = {}
        self.orders: ByTensor[Order] = ByTensor()
        self.rows: ByTensor[Order] = ByTensor()
        self.count = 0
        self.apart: dict[Place | None, int] = {}
        self.stored: dict[int, int] = {}

    def replaces(self) -> Iterator[Replacement]:
        import torch
        from torch.utils.data import DataLoader

        yield DataLoader, "__iter__", self._iterated
        yield torch, "manual_seed", self._seeded

    def _iterated(self, theirs: Callable[..., object], loader: DataLoader[object]) -> object:
        place = self.ledger.scene.here()
        self.begun.setdefault(place, []).append(self.ledger.steps)
        self.loaders[place] = loader
        return theirs(loader)

    def _seeded(self, theirs: Callable[..., object], seed: object) -> object:
        # A seed set anew for each model, as over folds, is no fault: each model has an optimizer of its own.
        key = (self.ledger.scene.here(), len(self.ledger.optimizers))
        self.seeds.setdefault(key, []).append(self.ledger.steps)
        return theirs(seed)

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if not inputs or not torch.is_grad_enabled() or len(self.prints) > MOST:
            return
        given = inputs[0].detach()
        if given.is_floating_point() and given.layout == torch.strided:
            flat = given.reshape(-1)
            self.prints.append((float(flat.sum()), float(flat.square().sum()), float(given.shape[0])))
        known = self.rows.of(inputs[0])
        if known is not None:
            for output in outputs:
                self.rows[output] = known

    def operation(self, operation: Operation) -> None:
        if len(self.prints) > MOST or not operation.outputs:
            return
        name, output = operation.name, operation.outputs[0]
        if name == "randperm":
            self._ordered(output, operation.place)
        elif name in ("__getitem__", "index_select", "take_along_dim") and len(operation.tensors) == 2:
            order = self.orders.of(operation.tensors[1])
            if order is not None and operation.tensors[0].shape[:1] == operation.tensors[1].shape[:1]:
                order.place = operation.place
                self.rows[output] = order
            elif order is not None:
                self.rows[output] = order
        elif name in ("split", "chunk", "tensor_split", "__getitem__") and self.orders.of(operation.tensors[0]):
            for part in operation.outputs:
                self._ordered(part, operation.place)
        else:
            carried(operation, self.rows)
        pair = compared(operation)
        if pair is not None:
            self._paired(operation, *pair)

    def _ordered(self, indices: Tensor, place: Place | None) -> None:
        self.count += 1
        self.orders[indices] = Order(place, self.count)

    def _paired(self, operation: Operation, prediction: Tensor, target: Tensor) -> None:
        if operation.name in OF_CLASSES | OF_CHANCES and target.ndim and target.numel() >= 8:
            known = self.classes.setdefault(operation.place, Classes())
            known.calls += 1
            low, high = float(target.min()), float(target.max())
            if low == high:
                known.of[low] = known.of.get(low, 0) + 1
        ours, theirs = self.rows.of(prediction), self.rows.of(target)
        if ours is theirs or target.requires_grad or target.numel() < 8 or bool((target == target.flatten()[0]).all()):
            return
        if ours is None or theirs is None:  # one is not shuffled at all: a fault only where it lies ready, step by step
            lying = target if theirs is None else prediction
            key = lying.untyped_storage().data_ptr()
            self.stored[key] = self.stored.get(key, 0) + 1
            if theirs is not None or self.stored[key] < ENOUGH:
                return
        order = ours or theirs
        if order is not None:
            self.apart[order.place] = self.apart.get(order.place, 0) + 1

    def findings(self) -> list[Finding]:
        if self.ledger.steps < ENOUGH:
            return []
        return [*self._apart(), *self._same(), *self._seeds(), *self._sorted()]

    def _apart(self) -> Iterator[Finding]:
        for place, count in self.apart.items():
            if count >= ENOUGH:
                yield Finding(
                    "rows_shuffled_apart",
                    "Inputs and targets are shuffled apart: the rows of the one are permuted, those of the other "
                    "are not, or by "
                    "another permutation.",
                    "Row i of the inputs then no longer belongs to row i of the targets, and there is nothing to "
                    "learn.",
                    "order = torch.randperm(len(x))\nx, y = x[order], y[order]   # one permutation for both",
                    place,
                    {"steps": count},
                )
                return

    def _same(self) -> Iterator[Finding]:
        for place, steps in self.begun.items():
            strides = [after - before for before, after in pairwise(steps)]
            one_each = sum(stride == 1 for stride in strides)
            many = _batches(self.loaders[place]) > 1
            last = self.prints[1:] if len(self.prints) > ENOUGH else []
            same = sum(after == before for before, after in pairwise(last))
            if many and one_each >= ENOUGH and last and same > 0.8 * (len(last) - 1):
                yield Finding(
                    "same_batch",
                    "Every step takes the same batch: the loader is begun anew each time, and only its first "
                    "batch is used.",
                    "`next(iter(loader))` in a loop makes a new iterator, whose first batch is the same rows again.",
                    "for x, y in loader:   # all batches, one after the other",
                    place,
                    {"times_begun": len(steps), "batches": _batches(self.loaders[place])},
                )

    def _seeds(self) -> Iterator[Finding]:
        for (place, _), steps in self.seeds.items():
            if sum(after > before for before, after in pairwise(steps)) >= ENOUGH:
                yield Finding(
                    "seed_in_loop",
                    f"The seed is set anew {len(steps)} times while the model is trained.",
                    "Each time the same random numbers come again: the same batches, the same dropout.",
                    "torch.manual_seed(0)   # once, at the top of the script",
                    place,
                    {"times": len(steps)},
                    WARNING,
                )

    def _sorted(self) -> Iterator[Finding]:
        if len(self.ledger.optimizers) > 1:
            return  # adversaries are shown one kind at a time
        for place, known in self.classes.items():
            single = sorted(known.of.values(), reverse=True)
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


def _batches(loader: DataLoader[object]) -> int:
    try:
        return len(loader)
    except TypeError:  # of an iterable data set nobody knows
        return 0
