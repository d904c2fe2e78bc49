"""Labels that are all alike, weights of classes that are upside down, and inputs that tell no row from another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import MADE_AT, OF_CHANCES, OF_CLASSES, ByTensor, Operation, carried
from descend.doctor.run import Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

MAKING_ALIKE = {"zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"}
ENOUGH, FEW, MANY = 5, 8, 64
"""Batches, rows of a batch, and labels in all, from which on it is no chance that all are alike."""
MOST = 200
"""Batches after which nothing new is learned."""
UNEVEN, PROPORTIONAL = 2.0, 1.3
"""How many times as many rows the largest class has, and how far weights may be from its share of the rows."""


@dataclass(eq=False)
class LabelCount:
    """The labels that one loss was given. counts: of each class; weights: of the classes, where they are given."""

    low: float
    high: float
    labels: int = 0
    batches: int = 0
    counts: Tensor | None = None
    weights: Tensor | None = None
    weighted_at: Place | None = None

    def add(self, target: Tensor) -> None:
        """Count the labels of a batch."""
        self.low, self.high = min(self.low, float(target.min())), max(self.high, float(target.max()))
        self.labels, self.batches = self.labels + target.numel(), self.batches + 1

    def count(self, target: Tensor, weights: Tensor, place: Place | None) -> None:
        """Count the rows of each class."""
        if not target.is_floating_point() and float(target.min()) >= 0 and float(target.max()) < len(weights):
            counts = target.flatten().bincount(minlength=len(weights)).double()
            self.counts = counts if self.counts is None else self.counts + counts
            self.weights, self.weighted_at = weights.detach().double(), place


class Labels(Check):
    """Counts the labels of each loss, and compares the rows that a model is given with one another."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.counts: dict[Place | None, LabelCount] = {}
        self.made_alike: ByTensor[bool] = ByTensor()
        """Tensors of one number that a script makes itself, as labels of contrasts are."""
        self.first_row: Tensor | None = None
        self.rows_differ = self.targets_differ = False
        self.batches = 0

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if self.rows_differ or not inputs or not torch.is_grad_enabled() or inputs[0].layout != torch.strided:
            return
        rows = inputs[0].detach()
        if rows.ndim < 2 or len(rows) < FEW or not rows.numel():
            self.rows_differ = True
            return
        self.first_row = rows[0].clone() if self.first_row is None else self.first_row
        same = rows.shape[1:] == self.first_row.shape and bool((rows == self.first_row).all())
        self.rows_differ, self.batches = not same, self.batches + 1

    def operation(self, operation: Operation) -> None:
        if operation.name in MAKING_ALIKE and operation.outputs:
            self.made_alike[operation.outputs[0]] = True
        carried(operation, self.made_alike)
        if operation.compared is None or not operation.compared[1].numel():
            return
        target = operation.compared[1].detach()
        self.targets_differ = self.targets_differ or not bool((target == target.flatten()[0]).all())
        made = self.made_alike.of(operation.compared[1])
        if operation.name not in OF_CLASSES | OF_CHANCES or not target.ndim or made:
            return
        known = self.counts.get(operation.place)
        if known is None:
            known = self.counts[operation.place] = LabelCount(float(target.min()), float(target.max()))
        if known.batches < MOST:
            known.add(target)
            weights = operation.argument("weight", 2) if operation.name == "cross_entropy" else None
            if weights is not None and target.ndim == 1:
                layer = MADE_AT.get(id(self.run.layers[-1])) if self.run.layers else None
                known.count(target, weights, layer or operation.place)  # type: ignore[arg-type]

    def findings(self) -> Iterator[Finding]:
        if not self.rows_differ and self.batches >= ENOUGH and self.targets_differ and self.first_row is not None:
            yield _inputs_alike(self.first_row, self.batches, self.run.model_called_at)
        if len(self.run.optimizers) > 1:
            return  # adversaries are shown one kind at a time
        for place, known in self.counts.items():
            alike = known.low == known.high and known.labels >= MANY and known.batches >= ENOUGH
            if alike and len(self.counts) == 1:
                yield _labels_alike(known, place)
            if known.counts is not None and known.weights is not None and known.batches >= ENOUGH:
                yield from _upside_down(known.weights, known.counts, known.weighted_at)


def _inputs_alike(row: Tensor, batches: int, place: Place | None) -> Finding:
    low, high = float(row.min()), float(row.max())
    numbers = f"{low:.4g}" if low == high else f"numbers from {low:.4g} to {high:.4g}"
    return Finding(
        "inputs_all_alike",
        f"All rows that the model is given are alike, {numbers} in {batches} batches, while their targets differ.",
        "Of equal inputs a model can learn one and the same answer only.",
        "x = torch.tensor(values, dtype=torch.float32)   # .long() and // lose what is below 1",
        place,
        {"batches": batches, "smallest": low, "largest": high},
    )


def _labels_alike(known: LabelCount, place: Place | None) -> Finding:
    return Finding(
        "labels_all_alike",
        f"All labels are {known.low:g}: {known.labels:,} of them, in {known.batches} batches.",
        "The model learns to give this one answer to everything, and its loss looks perfect.",
        "print(torch.unique(y, return_counts=True))   # then look at the line that makes the labels",
        place,
        {"label": known.low, "labels": known.labels},
    )


def _upside_down(weights: Tensor, counts: Tensor, place: Place | None) -> Iterator[Finding]:
    """Yield a finding if the weights of the classes are as their numbers of rows."""
    if float(counts.min()) <= 0.0 or float(weights.min()) <= 0.0 or float(counts.max() / counts.min()) < UNEVEN:
        return
    ratios = weights / counts.to(weights.device)
    if float(ratios.max() / ratios.min()) < PROPORTIONAL:
        shares = counts / counts.sum()
        pairs = zip(weights.tolist(), shares.tolist(), strict=True)
        shown = ", ".join(f"{weight:.2g} for {100.0 * share:.2g}%" for weight, share in pairs)
        yield Finding(
            "class_weights_upside_down",
            f"The weights of the classes are as their numbers of rows: {shown} of these.",
            "Weights are to make up for classes with few rows; these make the large ones count more still.",
            "weights = counts.sum() / (len(counts) * counts)   # the rarer, the larger",
            place,
            {"weights": weights.tolist(), "shares_of_rows": shares.tolist()},
            WARNING,
        )
