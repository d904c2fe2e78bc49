"""Metrics that go on over all epochs, because what they count in is never set back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.places import Place
from descend.doctor.source import Loop, assigned, called, loops, names, scopes, tree, within, written

HITS = re.compile(r"==|\.eq\(|argmax|correct|hits|right")
LOSS = re.compile(r"loss|error|mse|mae|cost", re.I)
SHOWN = {"print", "log", "append", "info", "write", "add_scalar", "set_postfix", "step", "format"}
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
        called_back = {
            written(node.func.value)
            for node in ast.walk(module)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reset"
        }
        for body in scopes(module):
            for outer in loops(body):
                inner = [one for one in loops(outer.body) if one is not outer]
                for name, line in (*_counts(body, outer, inner), *_meters(body, outer, inner, meters, called_back)):
                    return [_never_reset(name, Place(file, line))]
        return []


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
            counted = written(count) in sums
            hits = counted and (HITS.search(written(node.value)) or HITS.search(name))
            losses = LOSS.search(written(node.value) + name)
            if hits or (losses and (counted or _constant(count, sums))):
                yield name, node.lineno


def _counters(loop: Loop) -> set[str]:
    """Return the variables that a loop counts its turns with."""
    return names(loop.target) if isinstance(loop, ast.For) else set()


def _constant(count: ast.expr, sums: dict[str, ast.AugAssign]) -> bool:
    """Whether a number of rows or batches is the same in every epoch."""
    return not names(count) & set(sums) and (called(count) == "len" or isinstance(count, ast.Constant | ast.Name))


def _meters(
    body: list[ast.stmt], outer: Loop, inner: list[Loop], own: set[str], called_back: set[str]
) -> Iterator[tuple[str, int]]:
    """Yield objects that gather a metric, made before the outer loop and read in it, whose `reset` is never called."""
    made = {name: called(value) for name, value, line in assigned(body) if value is not None and line < outer.lineno}
    set_back = {name for name, *_ in assigned(outer.body)}
    in_inner = [node for loop in inner for node in within(loop.body)]
    inside = {id(node) for node in in_inner}
    for name, kind in made.items():
        if name in set_back or name in called_back:
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
