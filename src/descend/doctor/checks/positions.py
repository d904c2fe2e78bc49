"""A softmax over positions, such as steps in time or pixels, whose result is taken for chances of classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.checks.activations import FOLLOWED, REDUCING, before, dimension, passed
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import Operation, place_of
from descend.doctor.run import Backward, Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node

LOOKED_AT = 3
CLOSE = 1e-2
CHOOSING = re.compile(r"(Slice|Select|Index|Gather|IndexSelect|MaskedSelect)Backward\d*$")


class Softmax(NamedTuple):
    """A softmax in the graph. over: its dimension; shape: of its result; parts: whether only a part of it is used."""

    node: Node
    over: int
    shape: tuple[int, ...]
    parts: bool


class Positions(Check):
    """Adds up the chances that a loss takes for those of classes: they sum to 1 if the softmax was over classes."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.found: dict[Place | None, Finding] = {}
        self.calls: Counter[Place | None] = Counter()
        self.looked: Counter[Place | None] = Counter()

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if name not in ("nll_loss", "kl_div") or len(tensors) < 2 or tensors[0].grad_fn is None:
            return
        scores, target = tensors[:2]
        self.calls[operation.place] += 1
        count = self.calls[operation.place]
        softmax = _behind(scores.grad_fn) if count <= LOOKED_AT and scores.ndim > 1 else None
        if softmax is None or len(softmax.shape) < 3:  # of a matrix, it is over the batch, which is another finding
            return
        axes = [1] if name == "nll_loss" else _sums_to_one(target)
        if axes and all(_not_over(scores, axis, softmax.parts) for axis in axes):
            self._finding(softmax, scores.shape[axes[0]], operation.place)

    def backward_begins(self, backward: Backward) -> None:
        """Look for a choice by hand: `log_p.gather(2, labels.unsqueeze(2))` picks along the classes."""
        self.looked[backward.place] += 1
        count = self.looked[backward.place]
        node = backward.roots[0].grad_fn if backward.roots else None
        if count > LOOKED_AT:
            return
        for _ in range(FOLLOWED):
            node = passed(node)
            if node is None:
                return
            if node.name().startswith("Gather"):
                break
            if not REDUCING.match(node.name()):
                return
            node = before(node)
        if node is None:
            return
        softmax, along = _behind(before(node)), getattr(node, "_saved_dim", None)
        straight = softmax is not None and softmax.node is before(node)
        if softmax is None or not straight or len(softmax.shape) < 3 or not isinstance(along, int):
            return
        along = dimension(node, len(softmax.shape))
        if along is not None and along != softmax.over:
            self._finding(softmax, softmax.shape[along], backward.place, along)

    def _finding(self, softmax: Softmax, classes: int, place: Place | None, axis: int | None = None) -> None:
        over, shape = softmax.over, softmax.shape
        if axis is None:
            axis = next((at for at in range(len(shape) - 1, 0, -1) if shape[at] == classes and at != over), -1)
        places = "rows of the batch" if over == 0 else "positions"
        place = place_of(softmax.node, place)
        self.found[place] = Finding(
            "softmax_over_wrong_axis",
            f"The softmax is taken over dimension {over}, the {shape[over]} {places}, of scores of the shape {shape}; "
            f"the loss takes dimension {axis}, of {classes}, for the classes.",
            "The probabilities of the classes at one place then do not sum to 1: places compete with each other.",
            f"torch.log_softmax(scores, dim={axis})",
            place,
            {"shape": list(shape), "dim": over},
        )

    def findings(self) -> Iterable[Finding]:
        return self.found.values() if self.run.backward_places else ()


def _behind(node: Node | None) -> Softmax | None:
    """Return the softmax whose result, or its logarithm, reaches a node through changes of shape alone."""
    parts, logarithm = False, False
    for _ in range(FOLLOWED):
        if node is None:
            return None
        name = node.name()
        if name.startswith(("LogSoftmax", "Softmax")):
            result: Tensor | None = getattr(node, "_saved_result", None)
            over = None if result is None else dimension(node, result.ndim)
            if result is None or over is None or name.startswith("Log") == logarithm:
                return None
            return Softmax(node, over, tuple(result.shape), parts)
        if name.startswith("LogBackward") and not logarithm:
            logarithm = True
        elif passed(node) is node:
            return None
        parts = parts or bool(CHOOSING.match(name))
        node = before(node)
    return None


def _sums_to_one(target: Tensor) -> list[int]:
    """Return the dimensions, from 1, along which numbers are chances that sum to 1."""
    import torch

    numbers = target.detach()
    if not numbers.is_floating_point() or bool((numbers < 0).any()):
        return []
    return [
        axis
        for axis in range(1, numbers.ndim)
        if numbers.shape[axis] > 1 and torch.allclose(numbers.sum(axis), numbers.new_ones(()), atol=CLOSE)
    ]


def _not_over(scores: Tensor, axis: int, parts: bool) -> bool:
    """Whether logarithms of chances do not sum to 1 along a dimension; of a part of the classes, to more than 1."""
    sums = scores.detach().exp().sum(axis)
    return bool((sums > 1.0 + CLOSE).any()) if parts else bool(((sums - 1.0).abs() > CLOSE).any())
