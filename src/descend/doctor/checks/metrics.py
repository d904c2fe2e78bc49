"""Metrics that go on over all epochs, because what they count in is never set back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.places import Place
from descend.doctor.source import Function, Loop, assigned, called, loops, names, scopes, tree, within, written

HITS = re.compile(r"==|\.eq\(|argmax|correct|hits|right")
LOSS = re.compile(r"loss|error|mse|mae|cost", re.I)
SO_FAR = re.compile(r"so far|cumulative|overall|since|altogether|in total|lifetime", re.I)
RESETS = {"reset", "reset_states", "zero_", "fill_", "clear"}
UPDATES = {"update", "add", "accumulate"}
READS = {"compute", "average", "avg", "mean", "value", "result"}


class Metrics(Check):
    """Reads in the script whether a count of the inner loop is set back in the outer one, in which it is shown."""

    def findings(self) -> list[Finding]:
        file = self.ledger.scene.script
        module = tree(file)
        if module is None or not self.ledger.steps or not self.ledger.backwards:
            return []
        meters = {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef) and _resets(node)}
        set_by_others, given_away = _set_by_others(module), _given_away(module)
        for body in scopes(module):
            for outer in loops(body):
                inner = [one for one in loops(outer.body) if one is not outer and _goes_over_rows(one, outer)]
                objects = [one for one in _meters(body, outer, inner, meters) if one[0] not in given_away]
                for name, line in (*_counts(body, outer, inner), *objects):
                    if name not in set_by_others and not _changed(outer, name):
                        return [_never_reset(name, Place(file, line))]
        return []


def _goes_over_rows(inner: Loop, outer: Loop) -> bool:
    """Whether a loop goes over the same rows in each turn of the outer one; a stream of new rows has no epochs."""
    if not isinstance(inner, ast.For):
        return False
    used = {one for node in inner.body for one in names(node)}
    turns = called(inner.iter) == "range" and not _counters(inner) & used
    return not turns and not _counters(outer) & names(inner.iter)


def _set_by_others(module: ast.Module) -> set[str]:
    """Return what a function sets that belongs to others: by `global`, as an attribute, or by a method's name."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, Function) and node.name != "__init__":
            shared = {
                name for one in within(node.body) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names
            }
            found |= {name for name, *_ in assigned(node.body) if name in shared or "." in name}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RESETS:
            found.add(written(node.func.value))
    return found


def _given_away(module: ast.Module) -> set[str]:
    """Return what is given to a function, or put into a list or dict, through which it may be set back."""
    found: set[str] = set()
    for node in ast.walk(module):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load):
            parts = [*node.elts]
        elif isinstance(node, ast.Dict):
            parts = [*node.values]
        found |= {written(part) for part in parts if isinstance(part, ast.Name | ast.Attribute)}
    return found


def _changed(outer: Loop, name: str) -> bool:
    """Whether a loop makes a count smaller, or says that what it shows is of all turns so far."""
    for node in within(outer.body):
        if isinstance(node, ast.AugAssign) and written(node.target) == name and not isinstance(node.op, ast.Add):
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SO_FAR.search(node.value):
            return True
    return False


def _counts(body: list[ast.stmt], outer: Loop, inner: list[Loop]) -> Iterator[tuple[str, int]]:
    """Yield sums of an inner loop that begin before the outer one and are divided by a number of rows in it."""
    begun = {name: line for name, _, line in assigned(body) if line < outer.lineno}
    set_back = {name for name, *_ in assigned(outer.body)}
    in_inner = {id(node) for loop in inner for node in within(loop.body)}
    added = [node for loop in inner for node in within(loop.body) if isinstance(node, ast.AugAssign)]
    sums = {written(node.target): node for node in added if isinstance(node.op, ast.Add)}
    shown = [
        node
        for node in within(outer.body)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and id(node) not in in_inner
    ]
    for name, node in sums.items():
        if name not in begun or name in set_back:
            continue
        for quotient in shown:
            count = quotient.right
            if name not in names(quotient.left) or names(count) & _counters(outer):
                continue
            divided = written(count) in sums or _constant(count, sums)
            if divided and (HITS.search(written(node.value) + name) or LOSS.search(written(node.value) + name)):
                yield name, node.lineno


def _counters(loop: Loop) -> set[str]:
    """Return the variables that a loop counts its turns with."""
    return names(loop.target) if isinstance(loop, ast.For) else set()


def _constant(count: ast.expr, sums: dict[str, ast.AugAssign]) -> bool:
    """Whether a number of rows or batches is the same in every epoch."""
    return not names(count) & set(sums) and (called(count) == "len" or isinstance(count, ast.Constant | ast.Name))


def _meters(body: list[ast.stmt], outer: Loop, inner: list[Loop], own: set[str]) -> Iterator[tuple[str, int]]:
    """Yield objects that gather a metric, made before the outer loop and read in it, whose `reset` is never called."""
    made = {name: called(value) for name, value, line in assigned(body) if value is not None and line < outer.lineno}
    set_back = {name for name, *_ in assigned(outer.body)}
    in_inner = [node for loop in inner for node in within(loop.body)]
    inside = {id(node) for node in in_inner}
    for name, kind in made.items():
        if name in set_back:
            continue
        updates = [
            node
            for node in in_inner
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute | ast.Name)
            and (written(node.func) in {f"{name}.{one}" for one in UPDATES} or written(node.func) == name)
        ]
        reads = [
            node
            for node in within(outer.body)
            if isinstance(node, ast.Attribute)
            and written(node.value) == name
            and node.attr in READS
            and id(node) not in inside
        ]
        computed = any(node.attr == "compute" for node in reads)
        if updates and reads and (kind in own or computed):
            yield name, (reads[0] if kind not in own else updates[0]).lineno


def _resets(node: ast.ClassDef) -> bool:
    return any(isinstance(one, ast.FunctionDef) and one.name == "reset" for one in node.body)


def _never_reset(name: str, place: Place) -> Finding:
    return Finding(
        "metric_never_reset",
        f"`{name}` is never set back (reset) between epochs: it goes on adding up, and what is shown each epoch is of "
        "all epochs so far.",
        "The metric of an epoch then hides how that epoch went, and a sum over a fixed number of rows only grows.",
        f"{name} = 0   # at the beginning of each epoch; an object: {name}.reset()",
        place,
        {},
        WARNING,
    )
