"""Arrays of inputs and targets that the script shuffles each by itself, outside PyTorch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from descend.doctor.checks.batches import shuffled_apart
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.places import Place
from descend.doctor.source import Function, assigned, called, names, scopes, tree, within, written

PERMUTATIONS = {"permutation", "randperm"}
RESEEDING = {"seed", "set_state", "manual_seed", "default_rng", "RandomState", "Random"}
PAIRING = {"zip", "TensorDataset", "train_test_split", "from_tensor_slices"}
JOINING = {"cat", "concat", "concatenate", "stack", "vstack", "hstack", "print", "len"}
ANSWERS = re.compile(r"^(y|t)($|_|train|test)|_y$|label|target|answer", re.I)


class Shuffles(Check):
    """Reads in the script which names are permuted, and with what."""

    def findings(self) -> list[Finding]:
        file = self.ledger.scene.script
        module = tree(file)
        if module is None or not self.ledger.steps:
            return []
        for body in scopes(module):
            lines = [*_permuted(body), *_shuffled(body, module)]
            if lines:
                return [shuffled_apart(Place(file, lines[0]), 0)]
        return []


def _permuted(body: list[ast.stmt]) -> Iterator[int]:
    """Yield the line of ``x = x[permutation(n)]`` where its targets get a permutation of their own."""
    found: dict[str, int] = {}
    sources: dict[str, str] = {}
    for name, value, line in assigned(body):
        if isinstance(value, ast.Subscript) and written(value.value) == name and called(value.slice) in PERMUTATIONS:
            found.setdefault(name, line)
        elif (source := _drawn(value)) is not None:
            found.setdefault(name, line)
            sources[name] = source
    for name, line in found.items():
        for other, at in found.items():
            first, last = min(line, at), max(line, at)
            same = sources.get(name, name) == sources.get(other, other)
            answers = _answers(body, other, name, last, sources.get(other, other), sources.get(name, name))
            if name != other and not same and answers and not _reseeded(body, {first, last}):
                yield first
                return


def _shuffled(body: list[ast.stmt], module: ast.Module) -> Iterator[int]:
    """Yield the line of ``shuffle(x)`` where its targets are not shuffled with it."""
    calls = [node for node in within(body) if isinstance(node, ast.Call) and called(node) == "shuffle" and node.args]
    alone = {written(node.args[0]): node.lineno for node in calls if len(node.args) == 1}
    for name, line in alone.items():
        for other in {one for one, _, at in assigned(body) if at < line} | set(alone):
            paired = _answers(body, other, name, line) or _answers(body, name, other, line)
            targets = bool(ANSWERS.search(name)) != bool(ANSWERS.search(other)) and "source" not in name + other
            both = name in alone and other in alone
            paired = paired or (targets and _handed_out(body, name, other, line))
            paired = paired or ((targets or both) and _picked_alike(module, name, other))
            paired = paired and other != name and (both or _of_the_same_rows(body, name, other))
            if paired and not _reseeded(body, {line, alone.get(other, line)}):
                yield line
                return


def _handed_out(body: list[ast.stmt], first: str, second: str, line: int) -> bool:
    """Whether two variables are returned, or yielded, side by side after a line."""
    for node in within(body):
        value = node.value if isinstance(node, ast.Return | ast.Yield) else None
        handed = {written(one) for one in value.elts} if isinstance(value, ast.Tuple) else set()
        if {first, second} <= handed and isinstance(node, ast.Return | ast.Yield) and node.lineno > line:
            return True
    return False


def _of_the_same_rows(body: list[ast.stmt], first: str, second: str) -> bool:
    """Whether two variables are seen to have a row for each of the other's: made, picked or paired together."""
    wanted, picked = {first, second}, [one for one in within(body) if isinstance(one, ast.Subscript)]
    alike = [{written(one.slice) for one in picked if written(one.value) == name} for name in (first, second)]
    if alike[0] & alike[1]:
        return True
    for node in within(body):
        if isinstance(node, ast.Assign):
            targets = [
                one for one in node.targets if isinstance(one, ast.Tuple) and not isinstance(node.value, ast.Tuple)
            ]
            if any(wanted <= {written(one) for one in target.elts} for target in targets):
                return True
        elif called(node) in PAIRING and isinstance(node, ast.Call) and wanted <= {written(one) for one in node.args}:
            return True
    return any({name, *_rows_in(value)} == wanted for name, value, _ in assigned(body) if value is not None)


def _rows_in(value: ast.expr) -> Iterator[str]:
    """Yield the arrays of whose columns an expression is made, ``x[:, 0]`` or ``x.sum(axis=1)``."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            yield written(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            by_rows = any(one.arg in ("axis", "dim") for one in node.keywords) or called(node) in ("sum", "mean")
            if by_rows and (node.args or node.keywords):
                yield written(node.func.value)


def _picked_alike(module: ast.Module, first: str, second: str) -> bool:
    """Whether a function hands out entries of two attributes by one and the same index, as a dataset does."""
    if not (first.startswith("self.") and second.startswith("self.")):
        return False
    for node in ast.walk(module):
        if isinstance(node, Function):
            picked = [one for one in ast.walk(node) if isinstance(one, ast.Subscript)]
            indices = [{written(one.slice) for one in picked if written(one.value) == name} for name in (first, second)]
            if indices[0] & indices[1]:
                return True
    return False


def _drawn(value: ast.expr | None) -> str | None:
    """Return what is permuted as a whole: ``rng.permutation(x)``, ``x.sample(frac=1)`` without a fixed state."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    if called(value) == "permutation" and value.args and isinstance(value.args[0], ast.Name | ast.Attribute):
        return written(value.args[0])
    options = {one.arg: written(one.value) for one in value.keywords}
    all_rows = called(value) == "sample" and options.get("frac") in ("1", "1.0")
    return f"{written(value.func.value)} {options.get('random_state', '')}" if all_rows else None


def _answers(
    body: list[ast.stmt], name: str, inputs: str, line: int, target: str | None = None, source: str | None = None
) -> bool:
    """Whether a variable holds the targets of another, by its name, and is used with it as such after a line.

    target, source: the names of what they were made of, which may tell it where their own do not.
    """
    of_answers = [ANSWERS.search(one.partition(" ")[0]) for one in (name, target or name)]
    if not any(of_answers) or any(ANSWERS.search(one) for one in (inputs, source or inputs)) or "source" in inputs:
        return False
    states = [one.partition(" ")[2] for one in (target or "", source or "")]
    if states[0] and states[0] == states[1]:
        return False  # the same random state shuffles both alike
    first, second = _made_of(body, inputs, line), _made_of(body, name, line)
    for node in within(body):
        if not isinstance(node, ast.Call) or node.lineno <= line or called(node) in JOINING:
            continue
        given = [names(one) for one in node.args]
        if any(one & first and not one & second for one in given) and any(
            one & second and not one & first for one in given
        ):
            return True
    return False


def _made_of(body: list[ast.stmt], name: str, line: int) -> set[str]:
    """Return a variable and those made of it after a line."""
    made = {name}
    for other, value, at in assigned(body):
        if at > line and value is not None and names(value) & made:
            made.add(other)
    return made


def _reseeded(body: list[ast.stmt], lines: set[int]) -> bool:
    """Whether the same seed is set before each of these lines, so that they shuffle alike."""
    seeds = [
        node.lineno
        for node in within(body)
        if isinstance(node, ast.Call) and called(node) in RESEEDING and min(lines) < node.lineno < max(lines)
    ]
    return bool(seeds)
