"""Losses that are maximised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.ledger import Backward, Ledger
from descend.doctor.operation import Label
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
        return [_ascending(how, place) for how, place, count in self.signs.values() if how and count >= ENOUGH]


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
