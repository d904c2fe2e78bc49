"""Inputs and targets in units that a network cannot begin with, outputs that cannot reach the targets, and leaks."""

from __future__ import annotations

import ast
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.operation import OF_CHANCES, OF_CLASSES, Operation, place_of
from descend.doctor.run import Run
from descend.doctor.source import Source, callee, code, method_owner
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

LARGE, SMALL = 30.0, 0.02
"""Inputs and targets of this size, where 1 is usual."""
LOOKED_AT = 3
ENOUGH = 10
MOST_BATCHES, MOST_NUMBERS, MOST_COLUMNS, ENOUGH_ROWS = 12, 100_000, 60, 24
"""What is looked at for a target among the inputs: batches, numbers of a batch, columns of a row, rows in all."""
ENOUGH_TO_SCALE = 8
SCALED = 1e-3
"""How far a column in another unit, standardised, may be from the target, by rounding."""
RELATED = 0.1
"""Share of the variance of a target that other columns explain, at least, where the target is one to be learned."""
KEEPING_ALL = {"select_dtypes", "copy", "to_numpy", "astype", "float", "clone"}
"""Methods that return a table as a whole."""
RANGES = {"Relu": ("ReLU", 0.0, math.inf), "Sigmoid": ("sigmoid", 0.0, 1.0), "Tanh": ("tanh", -1.0, 1.0)}
"""Node of the graph -> what it is called, and the smallest and the largest number it can return."""
SHAPING = ("Squeeze", "Unsqueeze", "View", "Reshape", "Select", "Transpose")
"""Nodes of the graph that change the shape of a result, not its numbers."""


@dataclass(eq=False)
class Size:
    """The size of numbers that came by, and where."""

    place: Place | None
    low: float
    high: float
    rms: float


@dataclass(eq=False)
class Course:
    """The course of one loss. guess: its value for a model that knows nothing but the mean of the targets."""

    place: Place | None
    guess: float
    values: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    count: int = 0

    @property
    def learned(self) -> bool:
        """Whether it got clearly below a guess."""
        return bool(self.values) and mean(self.values) < 0.7 * self.guess


class Scales(Check):
    """Looks at what goes into the first layer and into the loss, and whether the loss gets anywhere."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.inputs: Size | None = None
        self.targets: Size | None = None
        self.looked = 0
        self.courses: dict[Place | None, Course] = {}
        self.last_inputs: Tensor | None = None
        self.equal_columns: list[tuple[Place | None, Tensor, int]] | None = []
        self.scaled = self.measured = False
        """Whether a column is the target in another unit, and the target a number, not a class."""
        self.no_probabilities: Size | None = None
        self.out_of_reach: dict[Place | None, tuple[str, float, float, float]] = {}

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if not torch.is_grad_enabled() or not inputs or self.looked >= MOST_BATCHES:
            return
        self.looked += 1
        given = inputs[0].detach()
        self.last_inputs = given.reshape(len(given), -1) if given.ndim > 1 and given.numel() <= MOST_NUMBERS else None
        if self.looked > LOOKED_AT:
            return
        if given.is_floating_point() and given.ndim >= 2 and given.numel() and _mixes_first(model):
            size = _size(given, self.run.here())
            if (size.rms > LARGE or 0.0 < size.rms < SMALL) and self.inputs is None:
                self.inputs = size

    def operation(self, operation: Operation) -> None:
        pair = operation.compared
        if pair is None:
            return
        prediction, target = pair
        course = self.courses.get(operation.place)
        if course is None:
            course = self.courses[operation.place] = Course(operation.place, _guess(operation, prediction, target))
            self._look(operation, prediction, target.detach())
        course.count += 1
        if self.last_inputs is not None and course.count <= MOST_BATCHES:
            self._leaks(operation.place, self.last_inputs, target.detach())
            self.measured = operation.name not in OF_CLASSES | OF_CHANCES
        if operation.outputs and operation.outputs[0].numel() == 1:
            course.values.append(float(operation.outputs[0].detach()))
        elif course.count % 5 == 0 and operation.outputs:
            course.values.append(float(operation.outputs[0].detach().square().mean()))

    def _leaks(self, place: Place | None, given: Tensor, target: Tensor) -> None:
        """Take note of batches in which one and the same column of the inputs is the target."""
        if target.shape[:1] != given.shape[:1] or self.equal_columns is None:
            return
        column = _column_of(given, target)
        if column is None and given.is_floating_point():
            column = _column_of(given, target, scaled=True)
            self.scaled = self.scaled or column is not None
        if column is None or (self.equal_columns and self.equal_columns[0][2] != column):
            self.equal_columns = None
        else:
            self.equal_columns.append((place, given, column))
            self.last_inputs = None

    def _look(self, operation: Operation, prediction: Tensor, target: Tensor) -> None:
        if operation.name in OF_CHANCES and self.no_probabilities is None:
            size = _size(target, operation.place)
            self.no_probabilities = size if size.low < -0.5 or size.high > 1.5 else None
        if operation.name in OF_CLASSES | OF_CHANCES or not target.is_floating_point() or target.requires_grad:
            return
        size, own = _size(target, operation.place), _size(prediction.detach(), None)
        if size.rms > LARGE and own.rms < 0.1 * size.rms and self.targets is None:
            self.targets = size
        last = prediction.grad_fn
        while last is not None and last.name().startswith(SHAPING):
            last = last.next_functions[0][0]
        node = last.name() if last is not None else ""
        for key, (title, low, high) in RANGES.items():
            outside = float(((target < low - 1e-6) | (target > high + 1e-6)).double().mean())
            if node.startswith(key) and outside > 0.05:
                self.out_of_reach[place_of(last, operation.place)] = (title, outside, size.low, size.high)

    def findings(self) -> Iterator[Finding]:
        if self.equal_columns and self._leaks_target():
            place, _, column = self.equal_columns[-1]
            yield _leaked(place, column)
        if self.no_probabilities is not None:
            yield _improbable(self.no_probabilities)
        yield from (_out_of_reach(place, *reach) for place, reach in self.out_of_reach.items())
        courses = [course for course in self.courses.values() if course.count >= ENOUGH]
        if not courses or any(course.learned for course in courses) or not self.run.steps or not self.looked:
            return
        if self.inputs is not None:
            once = "pixels: x / 255" + (", and that once" if self.inputs.rms < SMALL else "")
            yield _unscaled("inputs", "Inputs", self.inputs, f"x = (x - x.mean(0)) / x.std(0)   # {once}")
        if self.targets is not None:
            fix = "y = (y - y.mean()) / y.std()   # and undo it on predictions"
            yield _unscaled("targets", "The targets", self.targets, fix)

    def _leaks_target(self) -> bool:
        """Whether a column that equals the target was left in by mistake, not made up as a task."""
        import torch

        assert self.equal_columns
        rows = torch.unique(torch.cat([given for _, given, _ in self.equal_columns]), dim=0)
        left = _left_in(self.run.source)
        scaled = self.scaled and self.measured  # then it may be a straight line that is to be learned
        if len(rows) < ENOUGH_ROWS or (scaled and not left):
            return False
        return (left and not self.scaled) or _depends(rows, self.equal_columns[-1][2])


def _out_of_reach(place: Place | None, title: str, share: float, low: float, high: float) -> Finding:
    return Finding(
        "output_out_of_reach",
        f"The output of the model is a {title}, which cannot reach {share:.0%} of the targets: they go from "
        f"{low:.4g} to {high:.4g}{', and a ReLU has no negative output' if title == 'ReLU' else ''}.",
        "The last layer of a regression is linear, so that it can return any number.",
        f"Leave out the {title} after the last layer.",
        place,
        {"share_out_of_reach": share, "target_smallest": low, "target_largest": high},
    )


def _unscaled(name: str, title: str, size: Size, fix: str) -> Finding:
    return Finding(
        f"{name}_unscaled",
        f"{title} are not scaled: they go from {size.low:.4g} to {size.high:.4g}, and the loss gets nowhere.",
        "Layers begin with weights for numbers of about 1. Standardise (normalise) them: mean 0, standard deviation 1.",
        fix,
        size.place,
        {"smallest": size.low, "largest": size.high, "root_mean_square": size.rms},
    )


def _improbable(size: Size) -> Finding:
    return Finding(
        "target_out_of_range",
        f"The targets of a binary cross-entropy go from {size.low:.4g} to {size.high:.4g}, but are probabilities: "
        "between 0 and 1.",
        "Outside of that the loss has no minimum: it falls without end.",
        f"y = y / {size.high:g}" if size.low >= 0.0 else f"y = (y - ({size.low:g})) / {size.high - size.low:g}",
        size.place,
        {"smallest": size.low, "largest": size.high},
    )


def _leaked(place: Place | None, column: int) -> Finding:
    return Finding(
        "target_among_inputs",
        f"The target is among the inputs: column {column} of what the model is given equals it in every row.",
        "The model then copies that column, and what it has learned is of no use where the target is not known.",
        f"x = x[:, [k for k in range(x.shape[1]) if k != {column}]]",
        place,
        {"column": column},
        WARNING,
    )


def _size(tensor: Tensor, place: Place | None) -> Size:
    numbers = tensor.detach().double()
    if not numbers.numel():
        return Size(place, 0.0, 0.0, 0.0)
    return Size(place, float(numbers.min()), float(numbers.max()), float(numbers.square().mean().sqrt()))


def _guess(operation: Operation, prediction: Tensor, target: Tensor) -> float:
    """Return the loss of a model that knows the share of each class, or the mean of the targets, and no more."""
    if operation.name in OF_CLASSES:
        return math.log(max(2, prediction.shape[1 if prediction.ndim > 1 else 0]))
    if operation.name in OF_CHANCES:
        return math.log(2.0)
    numbers = target.detach().double()
    if operation.name == "l1_loss":
        return float((numbers - numbers.mean()).abs().mean())
    return float(numbers.var(correction=0)) if numbers.numel() else math.nan


def _column_of(given: Tensor, target: Tensor, scaled: bool = False) -> int | None:
    """Return which column of the inputs is the target, or the target in another unit, in every row; None if none is."""
    flat = target.reshape(-1)
    if flat.numel() != given.shape[0] or bool((flat == flat[0]).all()) or given.shape[1] < 2:
        return None
    flat = flat.to(given.dtype)[:, None]
    same = (given == flat).all(0)
    if scaled and len(flat) < ENOUGH_TO_SCALE:
        return None
    if scaled:
        ours, theirs = given - given.mean(0), flat - flat.mean()
        same = (ours / ours.std(0) - theirs / theirs.std()).abs().amax(0) < SCALED
    return int(same.nonzero()[0]) if bool(same.any()) else None


def _left_in(source: Source) -> bool:
    """Whether a script takes targets as a column of a table, and the whole table as inputs under another name."""
    for scope in source.scopes:
        values = [(name, value) for name, value, _ in scope.assignments if value is not None]
        taken = [part for _, value in values for part in ast.walk(value) if isinstance(part, ast.Subscript)]
        tables = {code(part.value) for part in taken if not isinstance(part.slice, ast.Slice | ast.List)}
        if any((table := _table_itself(value)) in tables and name != table for name, value in values):
            return True
    return False


def _table_itself(value: ast.expr) -> str | None:
    """Return the name of the table that an expression is, perhaps under another type; None if it is a part of one."""
    while callee(value) in KEEPING_ALL and (owner := method_owner(value)) is not None:
        value = owner
    return value.id if isinstance(value, ast.Name) else None


def _depends(given: Tensor, column: int) -> bool:
    """Whether a column can be told from the others, as a target can: in part at least, by squares and products.

    A target that is a mere copy of an input, which depends on nothing else, is a made-up task and no leak.
    """
    import torch

    if not bool(given.isfinite().all()):
        return False
    others = torch.cat([given[:, :column], given[:, column + 1 :]], 1).double()[:, :MOST_COLUMNS]
    target = given[:, column].double()
    design = torch.cat([torch.ones(len(others), 1, dtype=torch.double), others, others.square(), others.abs()], 1)
    if design.shape[1] > len(design) // 3:
        design = design[:, : 1 + others.shape[1]]
    residuals = target - design @ torch.linalg.lstsq(design, target[:, None], driver="gelsd").solution[:, 0]
    total = float((target - target.mean()).square().sum())
    count, free = len(design), len(design) - design.shape[1]
    by_chance = 4.0 * math.sqrt(2.0 * design.shape[1]) / count
    share = 1.0 - float(residuals.square().sum()) / total * (count - 1) / free if total > 0.0 and free > 0 else 0.0
    return share > RELATED + by_chance


def _mixes_first(model: Module) -> bool:
    """Whether the first layer with weights mixes its inputs, rather than normalises them or looks them up."""
    import torch

    for layer in model.modules():
        if any(True for _ in layer.parameters(recurse=False)):
            return isinstance(layer, torch.nn.Linear | torch.nn.modules.conv._ConvNd | torch.nn.RNNBase)
    return False
