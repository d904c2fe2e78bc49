"""Hits that are counted of the largest score over the batch, or over places, not over the classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from descend.doctor.checks.failure import failed_call
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import AS_NUMBERS, OF_CLASSES, ByTensor, Operation
from descend.doctor.run import Run
from descend.doctor.source import Scope, Source, callee, code, method_owner
from descend.doctor.user_code import Place

CHOOSING = {"argmax", "max", "topk", "sort", "argsort"}
EQUAL = {"eq", "__eq__", "ne", "__ne__"}
SCORES = re.compile(r"logit|score|pred|prob|out|chance", re.I)
REDUCED = re.compile(r"mean\(|sum\(|stack\(|\[\d+\]|\[\w\]|\.T\b")
"""What makes votes of several models, or one row, of scores."""


class Choice(NamedTuple):
    """A choice of the largest score over an axis that is not that of the classes."""

    place: Place | None
    shape: tuple[int, ...]
    dim: int


class Hits(Check):
    """Detects hits that are counted of the largest score over the batch, or over places, not over the classes."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.shapes: set[tuple[int, ...]] = set()
        """Shapes of the scores that a loss was given, that of the rows left out."""
        self.both_ways = False
        """Whether rows are classes too, as where texts are told by pictures and pictures by texts."""
        self.choices: ByTensor[Choice] = ByTensor()
        self.wrong: Choice | None = None
        self.largest: ByTensor[Place | None] = ByTensor()
        """The largest score of each row, which is no class."""
        self.values_at: Place | None = None

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if name in OF_CLASSES and len(tensors) > 1 and tensors[0].ndim > 1:
            scores = tensors[0]
            self.shapes.add(tuple(scores.shape[1:]))
            self.both_ways = self.both_ways or (scores.shape[0] == scores.shape[1] and scores.stride(0) == 1)
        elif name in CHOOSING and self.shapes:
            self._choose(operation)
            if len(operation.outputs) == 2 and operation.outputs[0].is_floating_point():
                self.largest[operation.outputs[0]] = operation.place
        elif self.choices.known:
            choice = self.choices.of(*(tensors[:1] if name == "__getitem__" else tensors))  # not what it picks
            others = [each for each in tensors if self.choices.of(each) is None and each.ndim]
            if choice is not None and (name in EQUAL or any(not each.is_floating_point() for each in others)):
                self.wrong = self.wrong or choice
            elif choice is not None and name not in AS_NUMBERS:
                for output in operation.outputs:
                    self.choices[output] = choice
        if self.largest.known and name in EQUAL and len(tensors) > 1 and tensors[0].shape == tensors[1].shape:
            labels = [each for each in tensors if not each.is_floating_point()]
            self.values_at = self.values_at or (self.largest.of(*tensors) if labels else None)

    def _choose(self, operation: Operation) -> None:
        scores = operation.tensors[0] if operation.tensors else None
        if scores is None or scores.ndim < 2 or tuple(scores.shape[1:]) not in self.shapes or len(scores) < 2:
            return
        dim = operation.argument("dim", 2 if operation.name == "topk" else 1)
        if not isinstance(dim, int) or isinstance(dim, bool) or not operation.outputs or self.both_ways:
            return
        dim %= scores.ndim
        # Where an axis other than that of the rows is as long as that of the classes, it may be them, moved there.
        other = dim == 0 or (dim > 1 and scores.is_contiguous() and scores.shape[dim] != scores.shape[1])
        if other and scores.is_floating_point():
            self.choices[operation.outputs[-1]] = Choice(operation.place, tuple(scores.shape), dim)

    def explains(self, error: BaseException) -> bool:
        """Whether an error comes from comparing one choice for each class with one label for each row."""
        call = failed_call(error)
        choice = None if call is None else self.choices.of(*call.tensors)
        self.wrong = self.wrong or choice
        return choice is not None

    def findings(self) -> Iterator[Finding]:
        if self.run.error is not None:
            self.explains(self.run.error)
        if self.wrong is not None:
            yield _over_wrong_axis(self.wrong)
        elif self.values_at is not None:
            yield _values(self.values_at)
        elif self.shapes:
            source = self.run.source
            yield from (_of_arrays(source.place(line)) for line in [*_over_rows(source)][:1])


def _over_rows(source: Source) -> Iterator[int]:
    """Yield the lines that look for the largest score in NumPy over axis 0, in a function that counts hits."""
    for scope in source.scopes:
        compared = _compared(scope)
        values = {name: code(value) for name, value, _ in scope.assignments}
        for call in scope.calls:
            owner = method_owner(call)
            if callee(call) != "argmax" or owner is None:
                continue
            by_numpy = code(owner) in ("np", "numpy")
            scores = call.args[0] if by_numpy and call.args else owner
            named_axis = [option.value for option in call.keywords if option.arg == "axis"]
            axes = [*call.args[by_numpy:], *named_axis]
            origin = values.get(code(scores), "")
            is_array = by_numpy or "numpy" in origin or named_axis
            is_score = isinstance(scores, ast.Name | ast.Attribute) and SCORES.search(code(scores))
            result = next((name for name, value, _ in scope.assignments if value is call), code(call))
            over_rows = [code(axis) for axis in axes] == ["0"] and not REDUCED.search(origin)
            if result in compared and is_score and is_array and over_rows:
                yield call.lineno


def _compared(scope: Scope) -> set[str]:
    """Return what a scope compares with something, or hands to a metric as predictions."""
    compared: set[str] = set()
    for node in scope.nodes:
        if isinstance(node, ast.Compare):
            compared |= {code(part) for side in (node.left, *node.comparators) for part in ast.walk(side)}
        elif isinstance(node, ast.Call):
            options = {option.arg: code(option.value) for option in node.keywords}
            compared |= {options[key] for key in ("predictions", "y_pred", "preds") if key in options}
            if "accuracy" in callee(node) or "confusion" in callee(node):
                compared |= {code(argument) for argument in node.args}
    return compared


def _over_wrong_axis(choice: Choice) -> Finding:
    place, shape, dim = choice
    size, classes = shape[dim], shape[1]
    axis = f"the {size} rows of the batch" if dim == 0 else f"{size} places"
    gives = f"one row for each class, {classes} numbers" if len(shape) == 2 else "rows or places, not classes"
    return Finding(
        "argmax_over_batch" if dim == 0 else "argmax_over_places",
        f"The largest score is looked for over dimension {dim}, {axis}, not over the {classes} classes.",
        f"That gives {gives}, and says nothing of the class of a row.",
        "scores.argmax(dim=1)",
        place,
        {"shape": list(shape), "dim": dim},
    )


def _values(place: Place) -> Finding:
    return Finding(
        "max_for_argmax",
        "The largest scores themselves, not their indices, are compared with the labels.",
        "A score is hardly ever a whole number, so that next to no row counts as right.",
        "predicted = scores.argmax(dim=1)   # torch.max(scores, 1) returns values and indices: take the second",
        place,
    )


def _of_arrays(place: Place) -> Finding:
    return Finding(
        "argmax_over_batch",
        "The largest score is looked for over axis 0, the rows, not over the classes.",
        "That gives one row for each class, and says nothing of the class of a row.",
        "scores.argmax(axis=1)",
        place,
        {"axis": 0},
    )
