"""Means that are divided by their rows once more, and sums that are divided by the number of something else."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import DIVIDING, OF_CHANCES, OF_CLASSES, OF_NUMBERS, ByTensor, Operation
from descend.doctor.run import Backward, Run
from descend.doctor.source import Scope, Source, callee, code, scope_of
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH = 5
OF_ERRORS = {"pow", "__pow__", "square", "abs", "__abs__"}
SUMMED = re.compile(r"reduction\s*=\s*.(sum|none)|size_average\s*=\s*False|\breduce\s*=\s*False", re.I)
"""What says that losses of a script are no means."""
HITS = re.compile(r"(==|\.eq\().*\.sum\(")
ITEM = re.compile(r"(?:float\()?(\w+)(?:\.item\(\)|\.detach\(\)|\.data|\))+")
WRAPPING = {"enumerate", "tqdm", "track"}


class Quotient(NamedTuple):
    """A sum over the batches of a loader and the length that it is divided by."""

    name: str
    divisor: str
    loader: str
    of_rows: bool
    line: int


class Divisors(Check):
    """Follows a mean loss to a division by its rows, and reads in the script what sums over batches are divided by."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.errors: ByTensor[int] = ByTensor()
        """Differences of predictions and targets, and how many rows they have."""
        self.means: ByTensor[int] = ByTensor()
        self.divided: Counter[tuple[Place | None, int]] = Counter()
        self.largest_batch: Counter[int] = Counter()
        """Of each dataset, by `id`."""
        self.passes = self.passes_of_means = 0

    def batch(self, iterator: object, tensors: Sequence[Tensor]) -> None:
        rows = max((len(tensor) for tensor in tensors if tensor.ndim), default=1)
        dataset = id(getattr(iterator, "_dataset", None))
        self.largest_batch[dataset] = max(self.largest_batch[dataset], rows)

    def backward_begins(self, backward: Backward) -> None:
        self.passes_of_means += self.means.of(*backward.roots) is not None
        self.passes += 1

    def operation(self, operation: Operation) -> None:
        name, output = operation.name, operation.outputs[0] if operation.outputs else None
        if output is None or not output.requires_grad or not operation.tensors:
            return
        if operation.compared is not None:
            target = operation.compared[1]
            if target.ndim and name not in OF_CLASSES | OF_CHANCES | OF_NUMBERS:
                self.errors[output] = len(target)
            elif target.ndim and operation.kwargs.get("reduction", "mean") == "mean":
                self.means[output] = len(target)
        elif (rows := self.errors.of(operation.tensors[0])) is not None:
            if name in OF_ERRORS:
                self.errors[output] = rows
            elif name == "mean" and not output.ndim:
                self.means[output] = rows
        elif name in DIVIDING and (rows := self.means.of(operation.tensors[0])) is not None:
            divisor = operation.args[1] if len(operation.args) > 1 else None
            if isinstance(divisor, int) and divisor == rows > 1:
                self.divided[operation.place, rows] += 1

    def findings(self) -> Iterator[Finding]:
        steps, passes = self.run.steps, len(self.run.backward_places)
        # An optimizer that adapts its steps does not mind, and gradients of several passes are divided on purpose.
        plain = all(optimizer.kind == "SGD" for optimizer in self.run.stepping) and passes < 1.5 * steps
        for (place, rows), times in self.divided.items():
            if plain and times >= ENOUGH:
                yield _mean_divided(place, rows, times)
                return
        source = self.run.source
        of_means = self.passes_of_means == self.passes >= ENOUGH and not source.mentions(SUMMED)
        if of_means and min(self.largest_batch.values(), default=1) > 1:
            quotients = (quotient for scope in source.scopes for quotient in _quotients(scope, source))
            yield from (_wrong_divisor(quotient, source.place(quotient.line)) for quotient in [*quotients][:1])


def _quotients(scope: Scope, source: Source) -> Iterator[Quotient]:
    """Yield sums of hits that are divided by a number of batches, and sums of mean losses divided by one of rows."""
    for loop in scope.loops:
        loader = _loader(loop)
        made_of = [
            code(assignment.value.args[0])
            for assignment in source.assignments
            if assignment.name == loader and isinstance(assignment.value, ast.Call) and assignment.value.args
        ]
        if loader is None or ("loader" not in loader.lower() and not made_of):
            continue
        inside = scope_of(loop)
        values = {assignment.name: assignment.value for assignment in inside.assignments}
        added = [node for node in inside.nodes if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)]
        for node in added:
            name, text = code(node.target), code(node.value)
            loss = ITEM.fullmatch(text)
            value = values.get(loss[1]) if loss else None
            of_rows = bool(HITS.search(text)) and "/" not in text
            of_batches = isinstance(value, ast.Call) and callee(value) not in ("sum", "mean") and "loss" in text.lower()
            wrong = {loader} if of_rows else {f"{loader}.dataset", *made_of} if of_batches else set()
            for line, divisor in _divisions(scope, name):
                if divisor in wrong and node.lineno < line:
                    yield Quotient(name, divisor, loader, of_rows, line)


def _loader(loop: ast.For | ast.While) -> str | None:
    """Return what a loop goes over, perhaps with a counter or a progress bar."""
    over = loop.iter if isinstance(loop, ast.For) else None
    while isinstance(over, ast.Call) and callee(over) in WRAPPING and over.args:
        over = over.args[0]
    return code(over) if isinstance(over, ast.Name | ast.Attribute) else None


def _divisions(scope: Scope, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that divide a variable by the length of something, and of what."""
    for node in scope.nodes:
        left = right = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right = node.left, node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            left, right = node.target, node.value
        divided = re.sub(r"^100(\.0)? \* ", "", code(left))  # a share in percent
        if divided == name and isinstance(right, ast.Call) and callee(right) == "len" and right.args:
            yield right.lineno, code(right.args[0])


def _mean_divided(place: Place | None, rows: int, times: int) -> Finding:
    return Finding(
        "mean_divided_again",
        f"The loss is the mean over the {rows} rows of a batch already, and is divided by {rows} once more.",
        f"Its gradient is then {rows} times too small, and each step with it: the learning rate is in truth a {rows}th "
        "of what it seems.",
        "loss = criterion(prediction, y)   # a mean; or reduction='sum', divided by len(y)",
        place,
        {"rows": rows, "times": times},
        WARNING,
    )


def _wrong_divisor(quotient: Quotient, place: Place) -> Finding:
    name, divisor, loader, of_rows, _ = quotient
    if of_rows:
        does, number = "counts the hits among rows", "batches"
        why = "A share of hits is one of rows: this one is as many times too large as a batch has rows."
        fix = f"{name} / len({loader}.dataset)"
    else:
        does, number = "adds up the mean losses of batches", "rows"
        why = "The mean that is shown is as many times too small as a batch has rows."
        fix = f"{name} / len({loader})   # or, batch by batch: {name} += loss.item() * len(x)"
    return Finding(
        "metric_wrong_divisor",
        f"`{name}` {does} and is divided by `len({divisor})`, the number of {number}.",
        why,
        fix,
        place,
        {},
        WARNING,
    )
