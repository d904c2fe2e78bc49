"""Losses that are maximised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding
from descend.doctor.ledger import Backward, Ledger
from descend.doctor.operation import ByTensor, Label, Operation
from descend.doctor.places import Place

if TYPE_CHECKING:
    from torch import Tensor
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
        self.negated: ByTensor[int] = ByTensor()
        """Losses and what is made of them: 1 as they are, -1 with a minus sign."""
        self.mean_error = False
        self.added: Place | None = None
        self.likely: ByTensor[bool] = ByTensor()

    def replaces(self) -> Iterator[Replacement]:
        from torch import distributions

        for kind in {one for one in vars(distributions).values() if isinstance(one, type)}:
            if issubclass(kind, distributions.Distribution) and "log_prob" in vars(kind):
                yield kind, "log_prob", self._likelihood

    def _likelihood(self, theirs: Callable[..., Tensor], *args: object, **kwargs: object) -> Tensor:
        result = theirs(*args, **kwargs)
        self.likely[result] = True
        return result

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        adds = name in ("add_", "__iadd__") and tensors and tensors[0].is_leaf and not self.ledger.optimizers
        if adds and self.added is None and id(tensors[0]) in self.ledger.leaves:
            self.added = operation.place
        if not tensors or not operation.outputs or not operation.outputs[0].requires_grad:
            return
        output = operation.outputs[0]
        if self.likely.of(*tensors) and name in ("mean", "sum"):
            self.likely[output] = True
        if output.ndim:
            return
        if name.endswith("_loss") or "cross_entropy" in name:
            self.negated[output] = 1
            return
        sign = self.negated.of(*tensors)
        if sign is None:
            return
        if name in ("neg", "__neg__", "negative"):
            self.negated[output] = -sign
        elif name in ("mul", "__mul__", "__rmul__", "div", "__truediv__", "true_divide"):
            factor = [arg for arg in operation.args if isinstance(arg, int | float)]
            self.negated[output] = -sign if factor and factor[0] < 0 else sign
        elif name in ("rsub", "__rsub__") or (name == "sub" and isinstance(operation.args[0], int | float)):
            self.negated[output] = -sign

    def backward_begins(self, backward: Backward) -> None:
        node = backward.roots[0].grad_fn if len(backward.roots) == 1 else None
        if node is not None and not self.ledger.optimizers:
            self.mean_error = _below(node).startswith((*LOSSES, "Pow", "Abs"))
        if node is None or backward.value is None or len(self.ledger.optimizers) > 1:
            return
        known = self.signs.get(backward.place)
        how = _ascent(node) if known is None or known[0] else ""
        if not how and self.negated.of(backward.roots[0]) == -1:
            how = "the loss has a minus sign"
        if not how and self.likely.of(backward.roots[0]):
            how = "a log-likelihood lacks its minus sign"
        if not how and any(
            group.get("maximize") for one in self.ledger.optimizers for group in one.optimizer.param_groups
        ):
            how = "maximize=True" if _below(node).startswith(LOSSES) else ""
        label = Label.of(node)
        place = label.place if label is not None and label.place is not None else backward.place
        self.signs[backward.place] = (how, place, (known[2] if known else 0) + bool(how))

    def findings(self) -> list[Finding]:
        moved = self.ledger.trained_by_hand()
        if moved and not self.ledger.optimizers and self.mean_error and all(one.upwards >= ENOUGH for one in moved):
            return [_ascending("the step by hand adds the gradient", self.added)]
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
