"""Losses that are kept together with their graphs, so that memory grows with every step."""

from __future__ import annotations

import re
import weakref
from collections import deque
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.ledger import Backward, Ledger
from descend.doctor.operation import ByTensor, Operation
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor

MANY = 8
SUMS = {"add", "add_", "__add__", "__radd__", "__iadd__"}


class Graphs(Check):
    """Follows the losses whose backward pass has run: a later step should not find them still there."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.passed: deque[weakref.ref[Tensor]] = deque(maxlen=4 * MANY)
        self.done: ByTensor[bool] = ByTensor()
        self.sums: dict[Place | None, int] = {}
        self.kept: tuple[Place | None, int] | None = None

    def operation(self, operation: Operation) -> None:
        if operation.name not in SUMS or not self.passed or not operation.outputs:
            return
        total = operation.outputs[0]
        if total.requires_grad and total.numel() == 1 and self.done.of(*operation.tensors):
            self.sums[operation.place] = self.sums.get(operation.place, 0) + 1

    def backward_begins(self, backward: Backward) -> None:
        alive = sum(one() is not None for one in list(self.passed)[:-1])  # the last loss still has its name
        if alive >= MANY and self.kept is None:
            self.kept = (_where_kept(backward), alive)
        if backward.value is not None:
            self.passed.append(weakref.ref(backward.roots[0]))

    def backward_ended(self, backward: Backward) -> None:
        if backward.value is not None:
            self.done[backward.roots[0]] = True

    def findings(self) -> list[Finding]:
        place = next((place for place, count in self.sums.items() if count >= MANY), None)
        if place is None and self.kept is not None:
            place = self.kept[0]
        if place is None:
            return []
        return [
            Finding(
                "losses_keep_graphs",
                "Losses are kept as tensors after their backward pass, each with its graph: memory grows with "
                "every step.",
                "A tensor holds on to what it was computed from; for a log or a mean only its number is needed.",
                "total += loss.item()   # or loss.detach()",
                place,
                {},
                WARNING,
            )
        ]


def _where_kept(backward: Backward) -> Place | None:
    """Return the line that keeps the loss: in a list, a dict or a sum."""
    import linecache

    place = backward.place
    if place is None:
        return None
    name = re.escape(backward.name or "loss")
    kept = re.compile(
        rf"\.append\(\s*{name}\b(?!\.(item|detach))|\+=\s*{name}\s*$|\]\s*=\s*{name}\s*$|\+\s*\[\s*{name}\s*\]"
    )
    lines = linecache.getlines(place.file)
    order = sorted(range(1, len(lines) + 1), key=lambda number: abs(number - place.line))
    return next((Place(place.file, number) for number in order if kept.search(lines[number - 1].split("#")[0])), place)
