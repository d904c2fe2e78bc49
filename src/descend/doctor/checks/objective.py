"""Losses that are maximised, and axes that were mixed up by `view`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding, capital
from descend.doctor.ledger import Backward, Ledger
from descend.doctor.operation import Label, Operation
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch.autograd.graph import Node

REDUCING = (
    "Mean",
    "Sum",
    "Squeeze",
    "Unsqueeze",
    "View",
    "Reshape",
    "Index",
    "Gather",
    "Select",
    "Div",
    "Alias",
    "Unsafe",
)
LOSSES = ("MseLoss", "NllLoss", "BinaryCrossEntropy", "L1Loss", "SmoothL1Loss", "HuberLoss")
ENOUGH = 5


class Objective(Check):
    """Reads off the graph of a loss whether it falls where the model gets worse."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.signs: dict[Place | None, tuple[str, Place | None, int]] = {}
        self.mixed: dict[Place | None, tuple[str, tuple[int, ...], tuple[int, ...]]] = {}

    def operation(self, operation: Operation) -> None:
        if operation.name not in ("view", "reshape") or not operation.tensors or not operation.outputs:
            return
        before, after = tuple(operation.tensors[0].shape), tuple(operation.outputs[0].shape)
        wide = [size for size in before if size > 1]
        exchanged = before != after and sorted(before) == sorted(after) and wide != [size for size in after if size > 1]
        if exchanged and len(wide) > 2 and operation.tensors[0].is_contiguous():
            self.mixed.setdefault(operation.place, (operation.title, before, after))

    def backward_begins(self, backward: Backward) -> None:
        node = backward.roots[0].grad_fn if len(backward.roots) == 1 else None
        if node is None or backward.value is None or len(self.ledger.optimizers) > 1:
            return
        known = self.signs.get(backward.place)
        how = _ascent(node) if known is None or known[0] else ""
        if not how and any(
            group.get("maximize") for one in self.ledger.optimizers for group in one.optimizer.param_groups
        ):
            how = "maximize=True" if _below(node).startswith(LOSSES) else ""
        label = Label.of(node)
        place = label.place if label is not None and label.place is not None else backward.place
        self.signs[backward.place] = (how, place, (known[2] if known else 0) + bool(how))

    def findings(self) -> list[Finding]:
        found = [_ascending(how, place) for how, place, count in self.signs.values() if how and count >= ENOUGH]
        if self.ledger.backwards:
            found += [_mixed(place, *seen) for place, seen in self.mixed.items()]
        return found


def _ascent(node: Node) -> str:
    """Return what is maximised by a step down this loss; empty if nothing is."""
    if node.name().startswith("Neg"):
        following = node.next_functions[0][0]
        if following is not None and _below(following).startswith(LOSSES):
            return "the loss has a minus sign"
        return ""
    return "a log-likelihood lacks its minus sign" if _below(node).startswith("LogSoftmax") else ""


def _below(node: Node) -> str:
    """Return the name of the first node that is no mean, sum or choice of entries."""
    while node.name().startswith(REDUCING):
        following = [inner for inner, _ in node.next_functions if inner is not None]
        if len(following) != 1:
            break
        node = following[0]
    return node.name()


def _ascending(how: str, place: Place | None) -> Finding:
    return Finding(
        "loss_maximised",
        f"The loss has the wrong sign, so that the model is made worse step by step: {how}.",
        "An optimizer goes down. What should become large, such as a log-likelihood, has to be negated; a loss "
        "has not.",
        "loss = torch.nn.functional.cross_entropy(scores, y)   # or: loss = -log_likelihood.mean()",
        place,
    )


def _mixed(place: Place | None, title: str, before: tuple[int, ...], after: tuple[int, ...]) -> Finding:
    return Finding(
        "view_for_permute",
        f"{capital(title)} turns the shape {before} into {after}: that does not exchange axes, it mixes their numbers.",
        "A view reads the same numbers in the same order, cut otherwise; permute moves the axes, such as channels.",
        f"x.permute({', '.join(map(str, _axes(before, after)))})",
        place,
        {"before": list(before), "after": list(after)},
        WARNING,
    )


def _axes(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """Return the order of axes that turns the one shape into the other."""
    left = list(range(len(before)))
    order = []
    for size in after:
        axis = next(one for one in left if before[one] == size)
        left.remove(axis)
        order.append(axis)
    return order
