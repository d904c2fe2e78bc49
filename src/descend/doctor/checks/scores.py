"""Scores whose numbers tell what they are, whatever made them: probabilities, or raw scores, in the wrong place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from descend.doctor.checks.activations import BOUNDED, PROBABILITIES, RAW_SCORES, over_batch, passed, twice, without_log
from descend.doctor.contract import Check
from descend.doctor.finding import Finding, capital
from descend.doctor.operation import OF_CLASSES, OF_LOGITS, ByTensor, Operation, place_of
from descend.doctor.run import Backward, Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node

PICKING = {"__getitem__", "gather", "take_along_dim"}
HANDED_ON = {"neg", "__neg__", "mean", "sum", "squeeze", "flatten", "reshape", "view", "div", "__truediv__"}
ENOUGH, MOST = 3, 40
"""Calls by which numbers are judged, and calls that are looked at."""
FEW = 8
CLEARLY = 0.1
"""How far from 0 the logarithm of a sum of probabilities is where they are none."""


class Scores(Check):
    """Looks at the numbers that losses of classes are given."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.kinds: dict[Place | None, list[str]] = {}
        self.within: dict[Place | None, int] = {}
        """How often all scores lay between 0 and 1; -1 once they have not."""
        self.found: dict[str, Finding] = {}
        self.picked: ByTensor[tuple[Place | None, int]] = ByTensor()
        """Raw scores of the right classes, and what is made of them: -1 with a minus sign."""
        self.by_hand: Counter[Place | None] = Counter()
        self.shapes: set[tuple[int, ...]] = set()
        self.both_ways = False

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if not tensors or not operation.outputs:
            return
        if name in OF_CLASSES and tensors[0].requires_grad:
            shape = tuple(tensors[0].shape)
            self.shapes.add(shape[1:])
            self.both_ways = self.both_ways or (len(shape) > 1 and shape[0] == shape[1])
            self._classes(operation)
        elif name in OF_LOGITS and tensors[0].requires_grad:
            self._logits(operation)
        elif name == "softmax" and not tensors[0].requires_grad and tensors[0].ndim == 2:
            self._in_evaluation(operation)
        elif name in PICKING and len(tensors) > 1 and tensors[0].requires_grad and tensors[0].ndim == 2:
            rows = len(tensors[0])
            one_each = tensors[-1].numel() == rows == operation.outputs[0].numel()
            if one_each and not tensors[-1].is_floating_point() and kind(tensors[0]) == RAW_SCORES:
                self.picked[operation.outputs[0]] = operation.place, 1
        elif self.picked.known and name in HANDED_ON and (known := self.picked.of(tensors[0])) is not None:
            self.picked[operation.outputs[0]] = known[0], -known[1] if "neg" in name else known[1]

    def _classes(self, operation: Operation) -> None:
        """Tell whether scores are raw, probabilities or their logarithms."""
        kinds = self.kinds.setdefault(operation.place, [])
        if len(kinds) >= ENOUGH:
            return
        kinds.append(kind(operation.tensors[0]))
        if len(kinds) < ENOUGH or len(set(kinds)) > 1:
            return
        reached = passed(operation.tensors[0].grad_fn)
        made = "" if reached is None else reached.name()
        if operation.name == "cross_entropy" and kinds[0] == PROBABILITIES and not made.startswith(tuple(BOUNDED)):
            place = place_of(reached, operation.place)
            self.found["twice"] = twice(capital(operation.title), place, "softmax")
        elif operation.name == "nll_loss" and kinds[0] and not made.startswith("LogSoftmax"):  # over another axis
            self.found["nll"] = without_log(operation, kinds[0])

    def _logits(self, operation: Operation) -> None:
        """Follow a sigmoid through factors as well, where all scores still lie between 0 and 1."""
        scores, count = operation.tensors[0].detach(), self.within.get(operation.place, 0)
        if count < 0 or count > MOST or scores.numel() < FEW:
            return
        inside = bool(((scores >= 0.0) & (scores <= 1.0)).all())
        self.within[operation.place] = count + 1 if inside else -1
        direct, reached = passed(operation.tensors[0].grad_fn), _behind(operation.tensors[0].grad_fn)
        scaled = reached is not None and reached is not direct and reached.name().startswith("Sigmoid")
        if inside and count + 1 == ENOUGH and scaled:
            place = place_of(reached, operation.place)
            self.found["logits"] = twice(capital(operation.title), place, "sigmoid")
        elif not inside:
            self.found.pop("logits", None)

    def _in_evaluation(self, operation: Operation) -> None:
        """Look for a softmax over the rows of the scores of a test set."""
        scores, output = operation.tensors[0], operation.outputs[0]
        dim = operation.argument("dim", 1)
        rows, classes = scores.shape
        of_rows = dim in (0, -2) and dim is not False and rows > 1 and output.shape == scores.shape
        if of_rows and (classes,) in self.shapes and not self.both_ways:
            self.found["batch"] = over_batch(operation.place, (rows, classes))

    def backward_begins(self, backward: Backward) -> None:
        known = self.picked.of(*backward.roots) if self.picked.known else None
        if known is None or known[1] > 0:
            return
        place = known[0]
        self.by_hand[place] += 1
        if self.by_hand[place] == ENOUGH:
            self.found["by hand"] = _by_hand(place)

    def findings(self) -> Iterable[Finding]:
        return self.found.values() if self.run.backward_places else ()


def _behind(node: Node | None) -> Node | None:
    """Return the first node, from one backwards, that does more than to pass numbers on, multiply or shift them."""
    for _ in range(MOST):
        node = passed(node)
        if node is None or not node.name().startswith(("Mul", "Div", "Sub", "Rsub")):
            return node
        before = [one for one, _ in node.next_functions if one is not None]
        node = before[0] if len(before) == 1 else None
    return None


def _by_hand(place: Place | None) -> Finding:
    return Finding(
        "nll_without_log_softmax",
        "The loss is the mean of the raw scores of the right classes, with a minus sign, where log-probabilities "
        "belong, as `log_softmax` makes them.",
        "A raw score can grow without end, and with it all others: the loss has no minimum and is no likelihood.",
        "loss = torch.nn.functional.cross_entropy(scores, labels)   # or: pick from scores.log_softmax(dim=1)",
        place,
    )


def kind(scores: Tensor) -> str:
    """Return what numbers are that have a column for each class; empty where it cannot be told."""
    if scores.ndim < 2 or scores.shape[1] < 2 or len(scores) < 2 or not scores.isfinite().all():
        return ""
    numbers = scores.detach().double()
    sums = numbers.sum(1)
    if bool((numbers >= 0.0).all()) and bool(((sums - 1.0).abs() < 1e-3).all()):
        return PROBABILITIES
    away = (numbers.logsumexp(1).abs() > CLEARLY).double().mean()
    return RAW_SCORES if float(away) > 1.0 - CLEARLY else ""
