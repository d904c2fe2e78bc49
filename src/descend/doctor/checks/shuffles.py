"""Arrays of inputs and targets that the script shuffles each by itself, outside PyTorch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from descend.doctor.checks.batches import shuffled_apart
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.places import Place
from descend.doctor.source import assigned, called, names, scopes, tree, within, written

PERMUTATIONS = {"permutation", "randperm"}
PAIRING = {"zip", "TensorDataset", "train_test_split", "batches"}
RESEEDING = {"seed", "set_state", "manual_seed", "default_rng", "RandomState", "Random"}


class Shuffles(Check):
    """Reads in the script which names are permuted, and with what."""

    def findings(self) -> list[Finding]:
        file = self.ledger.scene.script
        module = tree(file)
        if module is None or not self.ledger.steps:
            return []
        for body in scopes(module):
            lines = [*_permuted(body), *_shuffled(body)]
            if lines:
                return [shuffled_apart(Place(file, lines[0]), 0)]
        return []


def _permuted(body: list[ast.stmt]) -> Iterator[int]:
    """Yield the line of ``x = x[permutation(n)]`` where another name gets a permutation of its own."""
    found: dict[str, int] = {}
    for name, value, line in assigned(body):
        if isinstance(value, ast.Subscript) and written(value.value) == name and called(value.slice) in PERMUTATIONS:
            found.setdefault(name, line)
    if len(found) > 1 and not _reseeded(body, set(found.values())):
        yield min(found.values())


def _shuffled(body: list[ast.stmt]) -> Iterator[int]:
    """Yield the line of ``shuffle(x)`` where what belongs to x, row by row, is not shuffled with it."""
    calls = [node for node in within(body) if isinstance(node, ast.Call) and called(node) == "shuffle" and node.args]
    alone = {written(node.args[0]): node.lineno for node in calls if len(node.args) == 1}
    paired = [
        {written(arg) for arg in node.args}
        for node in within(body)
        if isinstance(node, ast.Call) and called(node) in PAIRING
    ]
    for name, line in alone.items():
        for other, value, at in assigned(body):
            apart = other != name and value is not None and at < line and "index" not in name
            belongs = apart and value is not None and name in names(value) and isinstance(value, ast.BinOp | ast.Call)
            if value is not None and called(value) in ("len", "range", "copy", "deepcopy", "zip"):
                continue
            together = belongs or (apart and any({name, other} <= one for one in paired))
            if together and not _reseeded(body, {line, alone.get(other, line)}):
                yield line
                return


def _reseeded(body: list[ast.stmt], lines: set[int]) -> bool:
    """Whether the same seed is set before each of these lines, so that they shuffle alike."""
    seeds = [
        node.lineno
        for node in within(body)
        if isinstance(node, ast.Call) and called(node) in RESEEDING and min(lines) < node.lineno < max(lines)
    ]
    return bool(seeds)
