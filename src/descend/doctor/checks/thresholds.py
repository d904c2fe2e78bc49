"""Raw scores that are told apart at 0.5, as probabilities are."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import CARRIED, OF_LOGITS, OF_NUMBERS, ByTensor, Operation
from descend.doctor.run import Run
from descend.doctor.source import Source, callee, code, method_owner
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

TAKING_LOGITS = OF_LOGITS | {"sigmoid", "sigmoid_", "logsigmoid"}
"""Functions whose argument is taken as logits."""
COMPARING = {"gt", "ge", "lt", "le", "greater", "greater_equal", "less", "less_equal"}
LEAVING = {"numpy", "tolist"}
SHAPING = {"squeeze", "flatten", "ravel", "reshape", "view", "detach", "cpu", "float"}
HALF = 0.5


class Scores(NamedTuple):
    """One output of a model: which model, by `id`, and which of its outputs."""

    model: int
    output: int


class Thresholds(Check):
    """Follows the outputs of a model that is trained by its logits to where they are told apart."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.raw: ByTensor[Scores] = ByTensor()
        self.logits: set[Scores] = set()
        self.numbers: set[Scores] = set()
        """Outputs that a loss of numbers or of probabilities is given as they are."""
        self.halved: dict[Scores, tuple[Place, str]] = {}

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        for number, output in enumerate(outputs):
            self.raw[output] = Scores(id(model), number)

    def operation(self, operation: Operation) -> None:
        known = self.raw.of(operation.tensors[0]) if operation.tensors and self.raw.known else None
        if known is None:
            return
        name, scores, place = operation.name.strip("_"), operation.tensors[0], operation.place
        if operation.name in TAKING_LOGITS:
            if scores.requires_grad:
                self.logits.add(known)
        elif operation.name in OF_NUMBERS | {"binary_cross_entropy"}:
            self.numbers.add(known)
        elif operation.name in CARRIED and len(operation.tensors) == 1 and operation.outputs:
            plain = "add" not in name and "clamp" not in name and name != "clip"
            if plain and operation.outputs[0].numel() == scores.numel():
                self.raw[operation.outputs[0]] = known
        elif place is not None and known not in self.halved:
            at_half = name in COMPARING and any(isinstance(one, float) and one == HALF for one in operation.args)
            array = name in LEAVING and compared_at_half(place)
            if (at_half or array or name == "round") and _beyond(scores):
                self.halved[known] = place, "rounded" if name == "round" else "compared with 0.5"

    def findings(self) -> Iterator[Finding]:
        for scores, (place, how) in self.halved.items():
            if scores in self.logits - self.numbers:
                yield Finding(
                    "threshold_on_logits",
                    f"Raw scores are {how} as if they were probabilities: the loss takes the outputs of the model "
                    "as logits.",
                    "A logit of 0 is a probability of 0.5; one of 0.5 is 0.62: what lies between counts to the "
                    "wrong side.",
                    "torch.sigmoid(logits) > 0.5   # or: logits > 0",
                    place,
                    {},
                    WARNING,
                )
                return


def _beyond(scores: Tensor) -> bool:
    """Whether some numbers are no probabilities."""
    return bool(((scores < 0.0) | (scores > 1.0)).any()) if scores.is_floating_point() else False


def compared_at_half(place: Place) -> bool:
    """Whether the array, or list, that a line makes of a tensor is compared with 0.5, as it is."""
    for scope in Source.of(place.file).scopes:
        here = {name for name, value, line in scope.assignments if line == place.line and _leaves(value)}
        arrays = {name for name in here if len(scope.lines_that_set(name)) == 1}
        for node in scope.nodes:
            if isinstance(node, ast.Compare) and any(_is_half(number) for number in node.comparators):
                at_once = node.lineno <= place.line <= (node.end_lineno or node.lineno) and _leaves(node.left)
                if at_once or code(_unshaped(node.left)) in arrays:
                    return True
    return False


def _is_half(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == HALF


def _unshaped(value: ast.expr | None) -> ast.expr | None:
    """Return what an expression is before its shape or type is changed."""
    while callee(value) in SHAPING and (owner := method_owner(value)) is not None:
        value = owner
    return value


def _leaves(value: ast.expr | None) -> bool:
    """Whether an expression ends with ``.numpy()``, or a list, and does nothing with the numbers after it."""
    return callee(_unshaped(value)) in LEAVING
