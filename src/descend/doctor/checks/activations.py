"""Softmax and sigmoid that are applied twice, over the wrong dimension or to one column, or that are missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from descend.doctor.contract import Check, Replacement
from descend.doctor.finding import Finding, capital
from descend.doctor.operation import MADE_AT, Operation, place_of
from descend.doctor.run import Backward, Run
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.autograd.graph import Node
    from torch.nn import Module

LOGITS = {
    "cross_entropy": ("Softmax", "softmax"),
    "binary_cross_entropy_with_logits": ("Sigmoid", "sigmoid"),
    "multilabel_soft_margin_loss": ("Sigmoid", "sigmoid"),
}
"""Loss that takes raw scores -> the function that it applies itself."""
BOUNDED = {
    "Relu": ("ReLU", "cannot fall below 0"),
    "Softplus": ("softplus", "cannot fall below 0"),
    "Tanh": ("tanh", "stay between -1 and 1"),
    "Sigmoid": ("sigmoid", "stay between 0 and 1"),
}
"""Node of an activation that scores should not go through -> what it is called, and what becomes of the scores."""
PASSING = re.compile(
    r"(View|Reshape|ReshapeAlias|UnsafeView|Squeeze|Unsqueeze|Clamp|ClampMin|ClampMax|Clone|Alias|Expand|Transpose|T|"
    r"Permute|Slice|Select|Index|ToCopy|Add)Backward\d*$"
)
"""Nodes through which scores pass as they are, or nearly: shapes, selections, `+ 1e-8`, clamps."""
REDUCING = re.compile(r"(Neg|Mean|Sum|Gather|Mul|Div|NllLoss|NllLoss2D|Index)Backward\d*$")
"""Nodes between a log-softmax and the likelihood made of it by hand."""
RAW = re.compile(r"(Addmm|Mm|Bmm|Convolution)Backward\d*$")
PROBABILITIES, RAW_SCORES = "probabilities", "raw scores"
FOLLOWED = 20
LOOKED_AT = 3
"""Backward passes from one line whose graph is looked at."""


class Activations(Check):
    """Follows the graph from a loss back to the softmax or sigmoid that its scores went through."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.seen: dict[str, Finding] = {}
        self.calls: Counter[str] = Counter()
        self.single: Counter[Place | None] = Counter()
        self.wide: set[Place | None] = set()
        self.looked: Counter[Place | None] = Counter()

    def replaces(self) -> Iterator[Replacement]:
        from torch import distributions, nn

        yield nn.Module, "__init__", self._made
        for kind in (distributions.Categorical, distributions.OneHotCategorical, distributions.Bernoulli):
            yield kind, "__init__", self._distributed

    def _made(self, theirs: Callable[..., object], layer: Module, *args: object, **kwargs: object) -> None:
        theirs(layer, *args, **kwargs)
        place = self.run.here()
        if place is not None:
            MADE_AT[id(layer)] = place

    def _distributed(self, theirs: Callable[..., object], made: object, *args: object, **kwargs: object) -> object:
        """Look at what a distribution is given for logits: it takes the softmax, or the sigmoid, itself."""
        logits = kwargs.get("logits", args[1] if len(args) > 1 else None)
        kind = type(made).__name__
        node = passed(getattr(logits, "grad_fn", None))
        function = "sigmoid" if kind == "Bernoulli" else "softmax"
        if node is not None and node.name().startswith(function.capitalize()):
            place = place_of(node, self.run.here())
            self._found(f"twice {kind}", twice(f"`{kind}(logits=...)`", place, function))
        return theirs(made, *args, **kwargs)

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if not tensors or tensors[0].grad_fn is None:
            return
        if name in ("softmax", "log_softmax", "cross_entropy"):
            self._columns(operation)
        node = tensors[0].grad_fn
        if name in LOGITS:
            kind, function = LOGITS[name]
            reached = passed(node)
            if reached is not None and reached.name().startswith(kind):
                place = place_of(reached, operation.place)
                self._found(f"twice {name}", twice(capital(operation.title), place, function))
            elif reached is not None:
                self._bounded(operation, reached)
        elif name == "binary_cross_entropy":
            first = passed(node)
            if first is not None and first.name().startswith("Sigmoid"):
                second = passed(before(first))
                if second is not None and second.name().startswith("Sigmoid"):
                    self._found("twice sigmoid", _sigmoid_twice(operation, second))
        elif name == "kl_div":
            first = passed(node)
            if first is not None and first.name().startswith(("Softmax", "Sigmoid")):
                self._found("kl", without_log(operation, PROBABILITIES))
            elif first is not None and RAW.match(first.name()):
                self._found("kl", without_log(operation, RAW_SCORES))
        elif name == "nll_loss":
            first = passed(node)
            if first is not None and first.name().startswith("LogSoftmax"):
                scores = passed(before(first))
                if scores is not None:
                    self._bounded(operation, scores)
            elif first is not None and first.name().startswith(("Softmax", "Sigmoid")):
                self._found("nll", without_log(operation, PROBABILITIES))

    def _bounded(self, operation: Operation, node: Node) -> None:
        """Take note of scores that come out of an activation."""
        for start, (title, effect) in BOUNDED.items():
            if node.name().startswith(start):
                self._found(f"bounded {operation.name}", _on_logits(operation, node, title, effect))

    def _found(self, key: str, finding: Finding) -> None:
        self.calls[key] += 1
        self.seen[key] = finding

    def _columns(self, operation: Operation) -> None:
        """Count a softmax over one column, whose result is always 1."""
        scores = operation.tensors[0]
        if scores.ndim != 2 or len(scores) < 2:
            return
        single = scores.shape[1] == 1
        if operation.name != "cross_entropy":
            node = operation.outputs[0].grad_fn if operation.outputs else None
            single = single and node is not None and dimension(node, 2) == 1
        if single:
            self.single[operation.place] += 1
        else:
            self.wide.add(operation.place)

    def backward_begins(self, backward: Backward) -> None:
        self.looked[backward.place] += 1
        count = self.looked[backward.place]
        root = backward.roots[0] if backward.roots else None
        if count > LOOKED_AT or root is None or root.grad_fn is None:
            return
        node = _log_softmax(root.grad_fn)
        if node is None:
            return
        result: Tensor | None = getattr(node, "_saved_result", None)
        over = result is not None and result.ndim == 2 and not dimension(node, 2)
        if result is not None and over and result.shape[0] != result.shape[1] and _by_row(root.grad_fn, node):
            self._found("batch", over_batch(place_of(node, backward.place), tuple(result.shape)))

    def findings(self) -> Iterator[Finding]:
        if not self.run.backward_places:
            return
        for key, finding in self.seen.items():
            yield replace(finding, evidence={**finding.evidence, "calls": self.calls[key]})
        constant = [place for place, count in self.single.items() if count >= LOOKED_AT and place not in self.wide]
        yield from (_one_column(place, self.single[place]) for place in constant[:1])


def passed(node: Node | None) -> Node | None:
    """Return the first node, from ``node`` backwards, that does more to scores than to pass them on."""
    for _ in range(FOLLOWED):
        if node is None or not PASSING.match(node.name()):
            return node
        node = before(node)
    return None


def before(node: Node) -> Node | None:
    """Return the one node before, None if there are several."""
    inputs = [one for one, _ in node.next_functions if one is not None]
    return inputs[0] if len(inputs) == 1 else None


def _log_softmax(node: Node | None) -> Node | None:
    """Return the softmax behind a likelihood: through means, signs and choices of a class, and a logarithm."""
    for _ in range(FOLLOWED):
        if node is None:
            return None
        name = node.name()
        if name.startswith(("LogSoftmax", "Softmax")):
            return node
        if not (PASSING.match(name) or REDUCING.match(name) or name.startswith("LogBackward")):
            return None
        node = before(node)
    return None


def _by_row(node: Node | None, softmax: Node) -> bool:
    """Whether a likelihood has a number for each row of what the softmax returned, not for each of its columns."""
    rows: int = softmax._saved_result.shape[0]  # type: ignore[attr-defined]
    while node is not None and node is not softmax:
        name = node.name()
        indices = [one for one in getattr(node, "_saved_indices", ()) if one is not None] if "Index" in name else []
        if indices:
            return bool(max(one.numel() for one in indices) == rows)
        if name.startswith(("Gather", "Sum")) and hasattr(node, "_saved_dim"):
            dim = node._saved_dim
            dim = dim[0] if isinstance(dim, tuple) and dim else dim
            return not isinstance(dim, int) or dim not in (0, 2**64 - 2)
        node = before(node)
    return True


def dimension(node: Node, dimensions: int) -> int | None:
    """Return the dimension of a softmax, from 0."""
    dim = getattr(node, "_saved_dim", None)
    if not isinstance(dim, int):
        return None
    return (dim - 2**64 if dim >= 2**63 else dim) % dimensions  # PyTorch keeps -1 as an unsigned number


def twice(title: str, place: Place | None, function: str) -> Finding:
    """Return the finding of a loss that is given what its own function has been applied to already."""
    return Finding(
        "activation_twice",
        f"{title} is given the result of `{function}`, which it applies itself.",
        f"Applied twice, {function} flattens the scores: the loss cannot get near zero, and its gradient is small.",
        f"Leave out the {function}, and give the loss the raw scores.",
        place,
    )


def _on_logits(operation: Operation, node: Node, title: str, effect: str) -> Finding:
    return Finding(
        "activation_on_logits",
        f"{capital(operation.title)} is given the output of a {title}, so its scores {effect}.",
        "The loss takes raw scores, of any size and sign; scores that are held back cannot tell classes apart, and the "
        "gradient ends where they are held.",
        f"Leave out the {title} after the last layer.",
        place_of(node, operation.place),
    )


def _sigmoid_twice(operation: Operation, node: Node) -> Finding:
    return Finding(
        "activation_twice",
        "`sigmoid` is applied to the result of another `sigmoid`.",
        "Applied twice, sigmoid gives numbers between 0.5 and 0.73 only: the loss cannot get near zero.",
        "Leave out one sigmoid.",
        place_of(node, operation.place),
    )


def without_log(operation: Operation, given: str) -> Finding:
    """Return the finding of a likelihood of what are no logarithms of probabilities."""
    if operation.name == "kl_div":
        return Finding(
            "kl_div_without_log",
            f"{capital(operation.title)} is given {given} first, where it takes log-probabilities, as `log_softmax` "
            "makes them; only the target is in probabilities.",
            "It takes the first argument for a logarithm as it stands, so the loss is no divergence.",
            "torch.nn.functional.kl_div(torch.log_softmax(scores, dim=1), wanted, reduction='batchmean')",
            operation.place,
        )
    fix = "torch.nn.functional.cross_entropy(scores, labels)   # or NLLLoss of log_softmax(scores, dim=1)"
    if given == PROBABILITIES:
        fix = "torch.nn.functional.nll_loss(torch.log(probabilities), labels)   # better: log_softmax(scores, dim=1)"
    return Finding(
        "nll_without_log_softmax",
        f"{capital(operation.title)} (NLLLoss) is given {given}, where it takes log-probabilities, as `log_softmax` "
        "makes them.",
        "It only picks and averages what it is given, so the loss is negative and no likelihood.",
        fix,
        operation.place,
    )


def over_batch(place: Place | None, shape: tuple[int, ...]) -> Finding:
    """Return the finding of a softmax over the rows of a batch."""
    return Finding(
        "softmax_over_batch",
        f"The softmax is taken over dimension 0, the {shape[0]} rows of the batch, not over the {shape[1]} classes.",
        "The probabilities of one row then do not sum to 1: rows compete with each other, not classes.",
        "torch.log_softmax(scores, dim=1)   # softmax likewise",
        place,
        {"shape": list(shape), "dim": 0},
    )


def _one_column(place: Place | None, count: int) -> Finding:
    return Finding(
        "softmax_of_one_column",
        "The softmax is taken over one column: its result is 1 for every row, whatever the scores.",
        "A constant has no gradient, so nothing is learned. With one output, the function to take is the sigmoid.",
        "torch.nn.functional.binary_cross_entropy_with_logits(score, y)   # one output; or one output for each class",
        place,
        {"calls": count},
    )
