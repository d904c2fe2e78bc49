"""Metrics of a model that is still in training mode, dropout that ignores the mode, argmax over the batch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from descend.doctor.checks.failure import CLASS_LOSSES, failed_call
from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.ledger import Backward, Ledger
from descend.doctor.operation import ByTensor, Operation
from descend.doctor.places import Place
from descend.doctor.source import assigned, called, scopes, tree, within, written

MODAL = {"dropout", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "batch_norm"}
ATTENTION = "scaled_dot_product_attention"
"""Functions that work otherwise in training than in evaluation."""
NUMBERS = {"item", "tolist", "numpy", "__float__", "__int__", "__format__", "__array__", "__bool__"}
COMPARING = {"eq", "__eq__", "ne", "__ne__", "sub", "__sub__", "__rsub__", "rsub", "kl_div"}
CHOOSING = {"argmax", "max", "topk", "sort", "argsort"}
SCORES = re.compile(r"logit|score|pred|prob|out|chance", re.I)
REDUCED = re.compile(r"mean\(|sum\(|stack\(|\[\d+\]|\[\w\]|\.T\b")
"""What makes votes of several models, or one row, of scores."""
EQUAL = {"eq", "__eq__", "ne", "__ne__"}


class Choice(NamedTuple):
    """A choice of the largest score over an axis that is not that of the classes."""

    place: Place | None
    shape: tuple[int, ...]
    dim: int


@dataclass(eq=False)
class Source:
    """A line that calls a model in training mode. trained: its results go into a backward pass; joined: with whose.

    measured: a metric was computed of them.
    """

    place: Place | None
    layer: str
    trained: bool = False
    measured: bool = False
    joined: list[Source] = field(default_factory=list)

    def train(self) -> None:
        """Take note that a backward pass uses this, and all it was computed with."""
        if not self.trained:
            self.trained = True
            for one in self.joined:
                one.train()


class Evaluation(Check):
    """Follows what a model in training mode returns: to a backward pass, or only to a metric."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.sources: dict[tuple[Place | None, bool], Source] = {}
        self.results: ByTensor[tuple[Source, bool]] = ByTensor()
        self.ignoring: dict[Place | None, int] = {}

    def operation(self, operation: Operation) -> None:
        if operation.name in MODAL and self.ledger.layers:
            self._modal(operation)
        elif operation.name == ATTENTION and self.ledger.layers and not self.ledger.layers[0].training:
            drops = operation.kwargs.get("dropout_p", operation.args[4] if len(operation.args) > 4 else 0.0)
            if drops and not _says_training(operation.place):
                self.ignoring[operation.place] = self.ignoring.get(operation.place, 0) + 1
        if self.results.known:
            self._follow(operation)

    def _modal(self, operation: Operation) -> None:
        import torch

        root, layer = self.ledger.layers[0], self.ledger.layers[-1]
        library = type(layer).__module__.startswith("torch.nn.")
        if not root.training:
            active = operation.kwargs.get("training", True) and operation.kwargs.get("p", 0.5)
            own = library and layer not in root.modules()  # made in `forward`, so that `eval` never reaches it
            ignores = own or (not library and not _says_training(operation.place))
            if "dropout" in operation.name and active and ignores:
                self.ignoring[operation.place] = self.ignoring.get(operation.place, 0) + 1
            return
        if not self.ledger.steps or not layer.training or vars(layer).get("p") == 0.0:
            return
        key = (self.ledger.called_at, torch.is_grad_enabled())
        source = self.sources.get(key)
        if source is None:
            layer_kind = "batch normalisation" if operation.name == "batch_norm" else "dropout"
            source = self.sources[key] = Source(key[0], layer_kind)
        if not source.trained:
            for output in operation.outputs:
                self.results[output] = (source, False)

    def _follow(self, operation: Operation) -> None:
        found = [seen for tensor in operation.tensors if (seen := self.results.of(tensor)) is not None]
        if not found:
            return
        source = found[0][0]
        measured = any(metric for _, metric in found)
        for other, _ in found[1:]:
            if other is not source and other not in source.joined:
                source.joined.append(other)
                other.joined.append(source)
        name = operation.name
        if name == "stack" and len(found) > 1 and len({id(one) for one, _ in found}) == 1:
            source.train()  # many passes over the same rows: their spread is what the author wants
        if name in NUMBERS:
            first = operation.tensors[0]
            classes = first.numel() > 1 and not first.is_floating_point()
            source.measured = source.measured or measured or classes
            return
        measured = measured or name in COMPARING or name.endswith("_loss") or "cross_entropy" in name
        for output in operation.outputs:
            self.results[output] = (source, measured)

    def backward_begins(self, backward: Backward) -> None:
        for root in backward.roots:
            found = self.results.of(root)
            if found is not None:
                found[0].train()

    def findings(self) -> list[Finding]:
        found = [_dropout_ignores(place, count) for place, count in list(self.ignoring.items())[:1]]
        wrong = [one for one in self.sources.values() if one.measured and not one.trained]
        return found + [_training_mode(one) for one in wrong[:1]]


def _says_training(place: Place | None) -> bool:
    """Whether the call at a line names ``training``: dropout in evaluation is then what the author wants."""
    module = tree(place.file) if place else None
    if place is None or module is None:
        return False
    calls = (
        node
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and ("dropout" in called(node) or called(node) == ATTENTION)
    )
    here = (node for node in calls if node.lineno <= place.line <= (node.end_lineno or node.lineno))
    return any(
        (len(node.args) > 2 and called(node) != ATTENTION) or any(one.arg == "training" for one in node.keywords)
        for node in here
    )


def _training_mode(source: Source) -> Finding:
    does = {
        "dropout": "Dropout then drops numbers at random, so the metric is that of a weakened model.",
        "batch normalisation": "Batch normalisation then uses, and learns from, the rows it is measured on.",
    }
    return Finding(
        "evaluated_in_training_mode",
        f"A loss or metric is computed of a model in training mode, with {source.layer} at work: `eval()` is missing.",
        does[source.layer],
        "model.eval()   # before the evaluation; and model.train() before training goes on",
        source.place,
        {},
        WARNING,
    )


def _dropout_ignores(place: Place | None, count: int) -> Finding:
    return Finding(
        "dropout_in_evaluation",
        "Dropout as a function (`functional.dropout`, or `dropout_p` of an attention) drops numbers although the model "
        "is in evaluation mode, after `eval()`.",
        "As a function it does not know the mode of the model: unless told, it assumes training.",
        "torch.nn.functional.dropout(x, training=self.training)   # or a torch.nn.Dropout layer; of an attention: "
        "dropout_p=self.p if self.training else 0.0",
        place,
        {"calls": count},
    )


class Hits(Check):
    """Detects hits that are counted of the largest score over the batch, or over places, not over the classes."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.shapes: set[tuple[int, ...]] = set()
        """Shapes of the scores that a loss was given, that of the rows left out."""
        self.both_ways = False
        """Whether rows are classes too, as where texts are told by pictures and pictures by texts."""
        self.chosen: ByTensor[Choice] = ByTensor()
        self.wrong: Choice | None = None

    def operation(self, operation: Operation) -> None:
        name, tensors = operation.name, operation.tensors
        if name in CLASS_LOSSES and len(tensors) > 1 and tensors[0].ndim > 1:
            self.shapes.add(tuple(tensors[0].shape[1:]))
            self.both_ways = self.both_ways or (
                tensors[0].shape[0] == tensors[0].shape[1] and tensors[0].stride(0) == 1
            )
        elif name in CHOOSING and self.shapes:
            self._choice(operation)
        elif self.chosen.known:
            found = self.chosen.of(*(tensors[:1] if name == "__getitem__" else tensors))  # not what it picks
            others = [
                one for one in tensors if self.chosen.of(one) is None and not one.is_floating_point() and one.ndim
            ]
            if found is not None and (name in EQUAL or others):
                self.wrong = self.wrong or found
            elif found is not None and name not in NUMBERS:
                for output in operation.outputs:
                    self.chosen[output] = found

    def _choice(self, operation: Operation) -> None:
        scores = operation.tensors[0] if operation.tensors else None
        if scores is None or scores.ndim < 2 or tuple(scores.shape[1:]) not in self.shapes or len(scores) < 2:
            return
        at = 2 if operation.name == "topk" else 1
        dim = operation.kwargs.get("dim", operation.args[at] if len(operation.args) > at else None)
        if not isinstance(dim, int) or isinstance(dim, bool) or not operation.outputs or self.both_ways:
            return
        dim %= scores.ndim
        # Where an axis other than that of the rows is as long as that of the classes, it may be them, moved there.
        other = dim == 0 or (dim > 1 and scores.is_contiguous() and scores.shape[dim] != scores.shape[1])
        if other and scores.is_floating_point():
            self.chosen[operation.outputs[-1]] = Choice(operation.place, tuple(scores.shape), dim)

    def explains(self, error: BaseException) -> bool:
        """Whether an error comes from comparing one choice for each class with one label for each row."""
        call = failed_call(error)
        found = None if call is None else self.chosen.of(*call.tensors)
        self.wrong = self.wrong or found
        return found is not None

    def findings(self) -> list[Finding]:
        file = self.ledger.scene.script
        if self.ledger.error is not None:
            self.explains(self.ledger.error)
        if self.wrong is None:
            return [_of_arrays(Place(file, line)) for line in _over_rows(file)][:1] if self.shapes else []
        place, shape, dim = self.wrong
        size, classes = shape[dim], shape[1]
        axis = f"the {size} rows of the batch" if dim == 0 else f"{size} places"
        gives = f"one row for each class, {classes} numbers" if len(shape) == 2 else "rows or places, not classes"
        return [
            Finding(
                "argmax_over_batch" if dim == 0 else "argmax_over_places",
                f"The largest score is looked for over dimension {dim}, {axis}, not over the {classes} classes.",
                f"That gives {gives}, and says nothing of the class of a row.",
                "scores.argmax(dim=1)",
                place,
                {"shape": list(shape), "dim": dim},
            )
        ]


def _over_rows(file: str) -> Iterator[int]:
    """Yield the lines that look for the largest score in NumPy over axis 0, in a function that counts hits."""
    module = tree(file)
    for body in () if module is None else scopes(module):
        compared = _compared(body)
        values = {name: written(value) for name, value, _ in assigned(body)}
        for node in within(body):
            if not isinstance(node, ast.Call) or called(node) != "argmax" or not isinstance(node.func, ast.Attribute):
                continue
            array = written(node.func.value) in ("np", "numpy")
            given = node.args[0] if array and node.args else node.func.value
            axes = [*node.args[array:], *(one.value for one in node.keywords if one.arg == "axis")]
            made = values.get(written(given), "")
            scores = SCORES.search(written(given)) and isinstance(given, ast.Name | ast.Attribute)
            known = array or "numpy" in made or any(one.arg == "axis" for one in node.keywords)
            result = next((name for name, value, _ in assigned(body) if value is node), written(node))
            if (
                result in compared
                and scores
                and known
                and [written(one) for one in axes] == ["0"]
                and not REDUCED.search(made)
            ):
                yield node.lineno


def _compared(body: list[ast.stmt]) -> set[str]:
    """Return what a body compares with something, or hands to a metric as predictions."""
    found: set[str] = set()
    for node in within(body):
        if isinstance(node, ast.Compare):
            found |= {written(one) for side in (node.left, *node.comparators) for one in ast.walk(side)}
        elif isinstance(node, ast.Call):
            found |= {written(one.value) for one in node.keywords if one.arg in ("predictions", "y_pred", "preds")}
            if "accuracy" in called(node) or "confusion" in called(node):
                found |= {written(one) for one in node.args}
    return found


def _of_arrays(place: Place) -> Finding:
    return Finding(
        "argmax_over_batch",
        "The largest score is looked for over axis 0, the rows, not over the classes.",
        "That gives one row for each class, and says nothing of the class of a row.",
        "scores.argmax(axis=1)",
        place,
        {"axis": 0},
    )
