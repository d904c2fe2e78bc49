"""Rows to test on that bear the marks of a scaling they should have had no part in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.checks.statistics import OUTPUTS, STATISTICS, TEST, of_test_rows
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.run import Backward, Run
from descend.doctor.source import Source, callee, code
from descend.doctor.user_code import Place

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

MOST_ROWS, MOST_NUMBERS, MOST_CALLS = 20_000, 4_000_000, 600
"""Rows, numbers and calls of a model that are looked at."""
ENOUGH, FEW = 24, 10
"""Rows to train on, and rows to test on, of which statistics tell something."""
MATTERS = 0.2
"""Difference of means, in deviations, from which it matters that the test rows were among those scaled by."""
MEAN, SPREAD = 2e-4, 5e-4
"""How far the mean may be from 0, and the mean square from 1, by rounding: by chance they are 100 times as far."""


@dataclass(eq=False)
class Sample:
    """Rows that a model was given, each once: their fingerprints, and the sums of each column and of its squares."""

    prints: set[float] = field(default_factory=set)
    sums: Tensor | None = None
    squares: Tensor | None = None
    largest: Tensor | None = None
    at: Place | None = None

    def add(self, rows: Tensor, prints: list[float]) -> None:
        """Take note of those rows that are new."""
        new = [place for place, one in enumerate(prints) if one not in self.prints]
        if not new:
            return
        self.prints.update(prints)
        rows = rows[new] if len(new) < len(rows) else rows
        sums, squares, largest = rows.sum(0), rows.square().sum(0), rows.abs().amax(0)
        if self.sums is None or self.squares is None or self.largest is None:
            self.sums, self.squares, self.largest = sums, squares, largest
        else:
            self.sums, self.squares = self.sums + sums, self.squares + squares
            self.largest = self.largest.maximum(largest)

    def joined(self, other: Sample) -> Sample:
        """Return the rows of both, which have none in common."""
        if self.sums is None or self.squares is None or self.largest is None:
            return other
        if other.sums is None or other.squares is None or other.largest is None:
            return self
        largest = self.largest.maximum(other.largest)
        return Sample(self.prints | other.prints, self.sums + other.sums, self.squares + other.squares, largest)

    def scaled(self, shape: tuple[int, ...]) -> set[int]:
        """Return the columns of mean 0 and deviation 1; -1 stands for all numbers together, -2, -3 ... for channels."""
        if self.sums is None or self.squares is None or self.largest is None:
            return set()
        n = len(self.prints)
        exact = set(_exact(n, self.sums, self.squares, self.largest))
        total = self.sums.numel()
        if _exact(n * total, self.sums.sum()[None], self.squares.sum()[None], self.largest.amax()[None]):
            exact.add(-1)
        if len(shape) > 1:
            sums, squares = (one.reshape(shape).flatten(1).sum(1) for one in (self.sums, self.squares))
            largest = self.largest.reshape(shape).flatten(1).amax(1)
            exact |= {-2 - one for one in _exact(n * total // shape[0], sums, squares, largest)}
        return exact

    def differs(self) -> bool:
        """Whether the means of these rows are away from 0, on the whole, by more than it takes to matter."""
        return self.sums is not None and float((self.sums / len(self.prints)).abs().mean()) > MATTERS


def _exact(count: int, sums: Tensor, squares: Tensor, largest: Tensor) -> list[int]:
    """Return the columns with the mean 0 and the deviation 1, of all rows or of all but one; not those of -1 and 1."""
    mean, square = sums / count, squares / count
    same = (square - 1.0).abs().minimum((squares / (count - 1) - 1.0).abs())
    exact: list[int] = ((mean.abs() < MEAN) & (same < SPREAD) & (largest > 1.01)).nonzero().flatten().tolist()
    return exact


@dataclass(eq=False)
class Table:
    """What one model was given: to train on, to test on, and what it is not yet known for."""

    shape: tuple[int, ...]
    trained: Sample = field(default_factory=Sample)
    tested: Sample = field(default_factory=Sample)
    waiting: list[tuple[Tensor, list[float], Place | None]] = field(default_factory=list)
    complete: bool = True


class Standardised(Check):
    """Compares the means and deviations of the rows trained on with those of the rows tested on.

    Rows of a sample have a mean near 0 by chance, but exactly 0 only where that very mean was taken away: of the rows
    tested on alone, or of these together with the rows trained on.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.tables: dict[tuple[int, int, tuple[int, ...]], Table] = {}
        self.weights: dict[int, Tensor] = {}
        self.calls = 0

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        import torch

        if not inputs or inputs[0].ndim < 2 or not inputs[0].is_floating_point() or self.calls > MOST_CALLS:
            return
        rows_given = inputs[0].detach()
        key = (id(model), len(self.run.optimizers), tuple(rows_given.shape[1:]))
        table = self.tables.setdefault(key, Table(key[2]))
        if not table.complete or not len(rows_given) or rows_given.layout != torch.strided:
            return
        self.calls += 1
        rows = rows_given.reshape(len(rows_given), -1).double()
        count = len(table.trained.prints) + len(table.tested.prints)
        table.complete = count <= MOST_ROWS and rows.shape[1] * max(count, len(rows)) <= MOST_NUMBERS
        if not table.complete:
            table.waiting.clear()
            return
        prints = (rows @ self._weights(rows)).tolist()
        if torch.is_grad_enabled():
            table.waiting.append((rows, prints, self.run.model_called_at))
        else:
            self._tested(table, rows, prints, self.run.model_called_at)

    def _weights(self, rows: Tensor) -> Tensor:
        """Return numbers that tell rows apart by their sums; the random numbers of the script stay as they are."""
        import torch

        size = rows.shape[1]
        weights = self.weights.get(size)
        if weights is None:
            weights = (
                torch.arange(1, size + 1, dtype=torch.double, device=rows.device).mul_(0.6180339887).frac_().add_(0.5)
            )
            self.weights[size] = weights
        return weights

    def _tested(self, table: Table, rows: Tensor, prints: list[float], place: Place | None) -> None:
        new = [at for at, one in enumerate(prints) if one not in table.trained.prints]
        if new:
            table.tested.at = place
            table.tested.add(rows[new], [prints[at] for at in new])

    def backward_begins(self, backward: Backward) -> None:
        for table in self.tables.values():
            for rows, prints, place in table.waiting:
                if not table.trained.prints.issuperset(prints):
                    table.trained.add(rows, prints)
                table.trained.at = place
            table.waiting.clear()

    def findings(self) -> Iterator[Finding]:
        for table in self.tables.values() if self.run.steps else ():
            for rows, prints, place in table.waiting:
                self._tested(table, rows, prints, place)
            table.waiting.clear()
            trained, tested = table.trained, table.tested
            if not table.complete or len(trained.prints) < ENOUGH or len(tested.prints) < FEW:
                continue
            if tested.prints & trained.prints:
                continue  # rows were tested on before they were trained on
            of_trained = trained.scaled(table.shape)
            alone = {column for column in of_trained & tested.scaled(table.shape) if column != -1}
            together = trained.joined(tested).scaled(table.shape) - of_trained
            if alone or (together and trained.differs()):
                source = self.run.source
                lines = (source.place(line) for line in _lines(source, bool(alone)))
                yield of_test_rows(next(lines, tested.at), bool(alone), len(tested.prints))
                return


def _lines(source: Source, alone: bool) -> Iterator[int]:
    """Yield the lines that may have scaled rows to test on: by name at first, then by what they do.

    alone: by their own statistics, not by those of all rows.
    """
    scaling = [node for node in source.functions if _scales(node) or node.name in ("fit", "fit_transform")]
    inside = {line for node in scaling for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    scalers = {node.name for node in scaling} | {"fit_transform", "fit", "scale"}
    takes = [call for call in source.calls if callee(call) in scalers and call.lineno not in inside]
    direct = [call for call in source.calls if callee(call) in STATISTICS and call.lineno not in inside]
    if alone:
        test_lines = {line for name, _, line in source.assignments if TEST.search(name)}
        yield from (call.lineno for call in takes if any(TEST.search(code(each)) for each in call.args))
        yield from (call.lineno for call in direct if TEST.search(code(call)))
        yield from (call.lineno for call in takes if call.lineno in test_lines)
    inputs = [call for call in takes if not any(OUTPUTS.search(code(each)) for each in call.args)]
    yield from (call.lineno for call in (inputs[::-1] if alone else inputs))
    spreads = [call for call in source.calls if callee(call).startswith(("std", "var", "nanstd"))]
    spreads = [call for call in spreads if not OUTPUTS.search(code(call))] or spreads
    yield from (call.lineno for call in (spreads[::-1] if alone else spreads))


def _scales(node: ast.AST) -> bool:
    """Whether a function takes a deviation, or a range, and divides."""
    parts = list(ast.walk(node))
    spreads = any(callee(part).startswith(("std", "var", "max", "ptp", "amax")) for part in parts)
    return spreads and any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) for part in parts)
