"""Training on rows that are held out, to validate or to test the model with."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.operation import ByTensor, Operation
from descend.doctor.rows import MOST
from descend.doctor.run import Backward, Run, Step
from descend.doctor.user_code import Place, spread

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

HELD_OUT = re.compile(
    r"^[xy]?(val|valid|validation|validate|dev|test|testing|eval|evaluation|holdout|heldout)"
    r"(loader|dl|set|data|dataset|ds|iter|x|y|batches|rows|\d)*$",
    re.I,
)
TRAINED = re.compile(r"train|fit|all|full|source|support|unlabel", re.I)
ENOUGH = 2
"""Turns from other rows to those held out and back."""


@dataclass(eq=False)
class Named:
    """Rows that batches are taken of. names: what the user calls them; held_out: whether these say so.

    turns: how often an optimizer came from other rows to these; paths: the lines that led to the backward passes.
    """

    names: list[str]
    held_out: bool
    turns: int = 0
    paths: list[tuple[Place, ...]] = field(default_factory=list)


class HeldOut(Check):
    """Follows batches from the rows they are taken of to the step of an optimizer."""

    def __init__(self, run: Run) -> None:
        from torch.utils.weak import WeakIdKeyDictionary

        super().__init__(run)
        self.tables: MutableMapping[object, Named] = WeakIdKeyDictionary()
        self.rows_by_names: dict[tuple[str, ...], Named] = {}
        self.results: ByTensor[Named] = ByTensor()
        self.rows_of_pass: Named | None = None
        self.forwards = 0
        self.rows_of_step: dict[int, Named] = {}
        self.other_paths: list[tuple[Place, ...]] = []
        self.found: tuple[Named, str] | None = None

    def _rows_of(self, batch: Tensor) -> Named | None:
        """Return the rows that a batch was taken of, if that is known and still there."""
        taken = self.run.rows.taken.of(batch)
        table = None if taken is None or taken.table is None else taken.table()
        if table is None:
            return None
        if table not in self.tables:
            self.tables[table] = self._rows_called(table)
        return self.tables[table]

    def _rows_called(self, thing: object) -> Named:
        """Return the rows that have the names of what holds them, a loader or the data themselves."""
        from torch.utils.data import DataLoader

        names = []
        for name, value in self.run.user_code.variables():
            for label, item in spread(name, value):
                if item is thing or (isinstance(item, DataLoader) and item.dataset is thing):
                    names.append(label)
        return self.rows_by_names.setdefault(tuple(names), Named(names, said_to_be_held_out(names)))

    def operation(self, operation: Operation) -> None:
        if self.forwards <= MOST and operation.outputs and operation.outputs[0].requires_grad:
            rows = self.results.of(*operation.tensors)
            if rows is not None:
                self.results[operation.outputs[0]] = rows

    def forwarded(self, model: Module, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.forwards += 1
        if self.forwards > MOST or not inputs or not outputs or not outputs[0].requires_grad:
            return
        rows = self._rows_of(inputs[0])
        if rows is None or not rows.held_out:
            own = self._rows_called(inputs[0])
            rows = own if own.held_out or rows is None else rows
        for output in outputs:
            self.results[output] = rows

    def backward_begins(self, backward: Backward) -> None:
        self.rows_of_pass = self.results.of(*backward.roots)
        if self.rows_of_pass is not None:
            frames = self.run.user_code.frames()
            path = tuple(Place(frame.f_code.co_filename, frame.f_lineno) for frame in frames)
            paths = self.rows_of_pass.paths if self.rows_of_pass.held_out else self.other_paths
            if path not in paths:
                paths.append(path)

    def step_begins(self, step: Step) -> None:
        rows, before = self.rows_of_pass, self.rows_of_step.get(id(step.optimizer))
        if rows is None:
            return
        self.rows_of_step[id(step.optimizer)] = rows
        if before is not None and rows.held_out and not before.held_out:
            rows.turns += 1
            if rows.turns >= ENOUGH and self.found is None:
                self.found = rows, step.optimizer.title

    def findings(self) -> Iterator[Finding]:
        if self.found is None:
            return
        rows, optimizer = self.found
        name = min((one for one in rows.names if said_to_be_held_out([one])), key=len)
        shared = {place for others in self.other_paths for place in others}
        lines = [place for place in rows.paths[0] if place not in shared]  # not those that train on other rows too
        yield Finding(
            "trained_on_held_out_rows",
            f"The model is trained on rows that are held out: `{optimizer}.step()` follows a backward pass over "
            f"`{name}`, in turn with those over the training rows.",
            "Loss and accuracy on these rows then say how well the model knows them by heart, not how it will do "
            "on new ones.",
            f"with torch.no_grad():   # around the loop over `{name}`, without backward() and step()",
            (lines or list(rows.paths[0]))[0],
            {"turns": rows.turns},
        )


def said_to_be_held_out(names: list[str]) -> bool:
    """Whether names say of rows that they are to validate or to test with, and none that they are to train with."""
    words = [word for name in names for word in re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", name)]
    return any(HELD_OUT.match(word) for word in words) and not any(TRAINED.search(word) for word in words)
