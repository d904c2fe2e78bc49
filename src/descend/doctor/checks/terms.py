"""Terms of a loss that have no lower bound: a square, or a divergence, that enters with a minus sign."""

from __future__ import annotations

import math
import re
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.finding import Finding
from descend.doctor.operation import Label
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node

GROWING = re.compile(
    r"(Exp|Abs|MseLoss|L1Loss|SmoothL1Loss|HuberLoss|BinaryCrossEntropy\w*|NllLoss|NllLoss2D|KlDiv|Norm|"
    r"LinalgVectorNorm|Dist|Cdist)Backward\d*$"
)
"""Functions that have no upper bound, so that with a minus sign a loss has no lower one; even powers are others."""
LINEAR = re.compile(
    r"(View|Reshape|ReshapeAlias|UnsafeView|Squeeze|Unsqueeze|Clone|Alias|Expand|Transpose|T|Permute|Slice|Select|"
    r"Index|ToCopy|Add|Sub|Rsub|Neg|Mean|Sum|Mul|Div)Backward\d*$"
)
OUTPUTS = re.compile(r"(Addmm|Mm|Bmm|Convolution)Backward\d*$")
KL = "kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()   # positive, and added: loss = error + kl"
MOST_NODES = 200
ENOUGH = 20
FAR = 10.0
FALLS = 0.02


class Turned(NamedTuple):
    """A term that enters a loss with a minus sign, and the call that turned its sign, the one nearest to the loss.

    linear: whether it is the whole loss, of either sign, as it is made of outputs alone.
    """

    title: str
    place: Place | None
    linear: bool = False


def turned_term(root: Node) -> Turned | None:
    """Return the first term with a minus sign that has no upper bound, followed through sums and constant factors."""
    todo: list[tuple[Node, int, Label | None]] = [(root, 1, None)]
    seen: set[tuple[Node, int]] = set()
    while todo and len(seen) < MOST_NODES:
        node, sign, turned_by = todo.pop(0)
        if (node, sign) in seen:
            continue
        seen.add((node, sign))
        if sign < 0 and _grows(node):
            label = Label.of(node)
            at = turned_by or label
            return Turned(label.title if label else node.name().partition("Backward")[0], at.place if at else None)
        if not LINEAR.match(node.name()):
            continue
        for number, (following, _) in enumerate(node.next_functions):
            factor = _factor(node, number)
            if following is not None and factor:
                todo.append((following, sign * factor, turned_by or (Label.of(node) if factor < 0 else None)))
    return None


def linear_loss(root: Node) -> Turned | None:
    """Return a loss that is a sum of outputs of layers, with constant factors, and of nothing else."""
    todo, seen, outputs = [root], {root}, False
    while todo and len(seen) < MOST_NODES:
        node = todo.pop()
        if OUTPUTS.match(node.name()):
            outputs = True
            continue
        if not LINEAR.match(node.name()):
            return None
        for number, (following, _) in enumerate(node.next_functions):
            if following is not None and not _factor(node, number):
                return None
            if following is not None and following not in seen:
                seen.add(following)
                todo.append(following)
    label = Label.of(root)
    return Turned("", label.place if label else None, linear=True) if outputs and not todo else None


def _grows(node: Node) -> bool:
    if node.name().startswith("PowBackward"):
        exponent = getattr(node, "_saved_exponent", None)
        return isinstance(exponent, int | float) and exponent > 0 and exponent % 2 == 0
    return bool(GROWING.match(node.name()))


def _factor(node: Node, number: int) -> int:
    """Return the sign with which an input enters what a node makes; 0 if it cannot be told, or is not one alone."""
    name = node.name()
    if name.startswith("Neg"):
        return -1
    if name.startswith(("Sub", "Add", "Rsub")):
        alpha = getattr(node, "_saved_alpha", 1)
        turned = (name.startswith("Sub") and number == 1) or (name.startswith("Rsub") and number == 0)
        return (-1 if turned else 1) * (1 if not isinstance(alpha, int | float) or alpha >= 0 else -1)
    if not name.startswith(("Mul", "Div")):
        return 1
    if number == 1 and name.startswith("Div"):
        return 0
    try:
        other = getattr(node, "_saved_other" if number == 0 else "_saved_self", None)
    except RuntimeError:  # changed since
        return 0
    return _sign(other)


def _sign(other: Tensor | float | None) -> int:
    """Return the sign that all numbers of a constant factor have."""
    if other is None:
        return 1  # a number that the node need not keep
    if isinstance(other, int | float):
        return (other > 0) - (other < 0)
    if other.requires_grad or not other.numel():
        return 0
    return 1 if bool((other >= 0).all()) else -1 if bool((other <= 0).all()) else 0


def runs_down(losses: list[float]) -> bool:
    """Whether a loss has fallen below 0, and goes on falling."""
    finite = [value for value in losses if math.isfinite(value)]
    quarter = len(finite) // 4
    if len(finite) < ENOUGH or finite[-1] >= 0.0:
        return False
    third, last = mean(finite[-2 * quarter : -quarter]), mean(finite[-quarter:])
    return last < -FAR * max(1.0, abs(finite[0])) or (last < 0.0 and last < third - FALLS * abs(third))


def minus_infinity(term: Turned, losses: list[float], place: Place | None) -> Finding:
    """Return the finding of a loss that runs down to minus infinity."""
    if term.linear:
        return Finding(
            "loss_without_bound",
            "The loss is a mean of the outputs themselves, such as the prediction minus the target, without a square "
            f"or an absolute value: it has no least value, and runs to minus infinity: from {losses[0]:.4g} to "
            f"{losses[-1]:.4g}.",
            "Errors of both signs have to count; here a prediction is the better the smaller, or the larger, it is.",
            "loss = ((prediction - y) ** 2).mean()",
            term.place or place,
            {"first_loss": losses[0], "last_loss": losses[-1]},
        )
    cure = KL if re.search("exp|kl", term.title, re.IGNORECASE) else "loss = error + term   # added, not subtracted"
    return Finding(
        "loss_without_bound",
        f"A term of the loss has the wrong sign: what {term.title} makes enters it with a minus sign, and has "
        f"no largest value, so that the loss runs to minus infinity: from {losses[0]:.4g} to {losses[-1]:.4g}.",
        "A distance, a divergence (KL) or a penalty is to become small, so it is added; with a minus sign it is "
        "maximised, and it outgrows all other terms, which get worse.",
        cure,
        term.place or place,
        {"first_loss": losses[0], "last_loss": losses[-1], "term": term.title},
    )
