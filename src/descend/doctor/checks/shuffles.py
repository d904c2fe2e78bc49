"""Arrays of inputs and targets that the script shuffles each by itself, outside PyTorch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from descend.doctor.checks.batches import shuffled_apart
from descend.doctor.contract import Check
from descend.doctor.finding import Finding
from descend.doctor.source import Scope, Source, callee, code, method_owner, names_in

PERMUTATIONS = {"permutation", "randperm"}
RESEEDING = {"seed", "set_state", "manual_seed", "default_rng", "RandomState", "Random"}
PAIRING = {"zip", "TensorDataset", "train_test_split", "from_tensor_slices"}
JOINING = {"cat", "concat", "concatenate", "stack", "vstack", "hstack", "print", "len"}
TARGETS = re.compile(r"^(y|t)($|_|train|test)|_y$|label|target|answer", re.I)


class Shuffles(Check):
    """Reads in the script which names are permuted, and with what."""

    def findings(self) -> Iterator[Finding]:
        source = self.run.source
        for scope in source.scopes if self.run.steps else ():
            for line in (*_permuted(scope), *_shuffled(scope, source)):
                yield shuffled_apart(source.place(line), 0)
                return


def _permuted(scope: Scope) -> Iterator[int]:
    """Yield the line of ``x = x[permutation(n)]`` where its targets get a permutation of their own."""
    permuted: dict[str, int] = {}
    origins: dict[str, str] = {}
    for name, value, line in scope.assignments:
        if isinstance(value, ast.Subscript) and code(value.value) == name and callee(value.slice) in PERMUTATIONS:
            permuted.setdefault(name, line)
        elif (origin := _permuted_whole(value)) is not None:
            permuted.setdefault(name, line)
            origins[name] = origin
    for inputs, line in permuted.items():
        for targets, at in permuted.items():
            first, last = min(line, at), max(line, at)
            of_inputs, of_targets = origins.get(inputs, inputs), origins.get(targets, targets)
            paired = of_inputs != of_targets and _are_targets(scope, targets, inputs, last, of_targets, of_inputs)
            if inputs != targets and paired and not _reseeded(scope, {first, last}):
                yield first
                return


def _shuffled(scope: Scope, source: Source) -> Iterator[int]:
    """Yield the line of ``shuffle(x)`` where its targets are not shuffled with it."""
    calls = [call for call in scope.calls if callee(call) == "shuffle" and len(call.args) == 1]
    alone = {code(call.args[0]): call.lineno for call in calls}
    for name, line in alone.items():
        for other in {assigned for assigned, _, at in scope.assignments if at < line} | set(alone):
            paired = _are_targets(scope, other, name, line) or _are_targets(scope, name, other, line)
            one_is_targets = bool(TARGETS.search(name)) != bool(TARGETS.search(other)) and "source" not in name + other
            both = other in alone
            paired = paired or (one_is_targets and _handed_out(scope, name, other, line))
            paired = paired or ((one_is_targets or both) and _picked_alike(source, name, other))
            paired = paired and other != name and (both or _of_the_same_rows(scope, name, other))
            if paired and not _reseeded(scope, {line, alone.get(other, line)}):
                yield line
                return


def _handed_out(scope: Scope, first: str, second: str, line: int) -> bool:
    """Whether two variables are returned, or yielded, side by side after a line."""
    returns = [node for node in scope.nodes if isinstance(node, ast.Return | ast.Yield) and node.lineno > line]
    tuples = [node.value.elts for node in returns if isinstance(node.value, ast.Tuple)]
    return any({first, second} <= {code(part) for part in parts} for parts in tuples)


def _of_the_same_rows(scope: Scope, first: str, second: str) -> bool:
    """Whether two variables are seen to have a row for each of the other's: made, picked or paired together."""
    if _indices(scope.nodes, first) & _indices(scope.nodes, second):
        return True
    pair = {first, second}
    for node in scope.nodes:
        if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Tuple):
            tuples = [target for target in node.targets if isinstance(target, ast.Tuple)]
            if any(pair <= {code(part) for part in target.elts} for target in tuples):
                return True
        elif isinstance(node, ast.Call) and callee(node) in PAIRING and pair <= {code(part) for part in node.args}:
            return True
    return any({name, *_rows_in(value)} == pair for name, value, _ in scope.assignments if value is not None)


def _rows_in(value: ast.expr) -> Iterator[str]:
    """Yield the arrays of whose columns an expression is made, ``x[:, 0]`` or ``x.sum(axis=1)``."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            yield code(node.value)
        elif isinstance(node, ast.Call) and (owner := method_owner(node)) is not None:
            by_rows = any(option.arg in ("axis", "dim") for option in node.keywords) or callee(node) in ("sum", "mean")
            if by_rows and (node.args or node.keywords):
                yield code(owner)


def _picked_alike(source: Source, first: str, second: str) -> bool:
    """Whether a function hands out entries of two attributes by one and the same index, as a dataset does."""
    if not (first.startswith("self.") and second.startswith("self.")):
        return False
    bodies = ([*ast.walk(function)] for function in source.functions)
    return any(_indices(nodes, first) & _indices(nodes, second) for nodes in bodies)


def _indices(nodes: list[ast.AST], name: str) -> set[str]:
    """Return the indices by which entries of a variable are picked."""
    return {code(node.slice) for node in nodes if isinstance(node, ast.Subscript) and code(node.value) == name}


def _permuted_whole(value: ast.expr | None) -> str | None:
    """Return what is permuted as a whole: ``rng.permutation(x)``, ``x.sample(frac=1)`` without a fixed state."""
    owner = method_owner(value)
    if not isinstance(value, ast.Call) or owner is None:
        return None
    if callee(value) == "permutation" and value.args and isinstance(value.args[0], ast.Name | ast.Attribute):
        return code(value.args[0])
    options = {option.arg: code(option.value) for option in value.keywords}
    all_rows = callee(value) == "sample" and options.get("frac") in ("1", "1.0")
    return f"{code(owner)} {options.get('random_state', '')}" if all_rows else None


def _are_targets(
    scope: Scope, targets: str, inputs: str, line: int, of_targets: str | None = None, of_inputs: str | None = None
) -> bool:
    """Whether a variable holds the targets of another, by its name, and is used with it as such after a line.

    of_targets, of_inputs: the names of what they were made of, which may tell it where their own do not.
    """
    of_targets, of_inputs = of_targets or targets, of_inputs or inputs
    named = any(TARGETS.search(name.partition(" ")[0]) for name in (targets, of_targets))
    if not named or any(TARGETS.search(name) for name in (inputs, of_inputs)) or "source" in inputs:
        return False
    states = [name.partition(" ")[2] for name in (of_targets, of_inputs)]
    if states[0] and states[0] == states[1]:
        return False  # the same random state shuffles both alike
    first, second = _made_of(scope, inputs, line), _made_of(scope, targets, line)
    for call in scope.calls:
        if call.lineno <= line or callee(call) in JOINING:
            continue
        arguments = [names_in(argument) for argument in call.args]
        alone = any(names & first and not names & second for names in arguments)
        if alone and any(names & second and not names & first for names in arguments):
            return True
    return False


def _made_of(scope: Scope, name: str, line: int) -> set[str]:
    """Return a variable and those made of it after a line."""
    made = {name}
    for other, value, at in scope.assignments:
        if at > line and value is not None and names_in(value) & made:
            made.add(other)
    return made


def _reseeded(scope: Scope, lines: set[int]) -> bool:
    """Whether the same seed is set before each of these lines, so that they shuffle alike."""
    return any(callee(call) in RESEEDING and min(lines) < call.lineno < max(lines) for call in scope.calls)
