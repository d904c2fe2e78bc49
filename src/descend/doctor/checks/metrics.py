"""Metrics that go on over all epochs, because what they count in is never set back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.source import Loop, Scope, Source, callee, code, method_owner, names_in, scope_of
from descend.doctor.user_code import Place

HITS = re.compile(r"==|\.eq\(|argmax|correct|hits|right")
LOSS = re.compile(r"loss|error|mse|mae|cost", re.I)
SO_FAR = re.compile(r"so far|cumulative|overall|since|altogether|in total|lifetime", re.I)
RESETS = {"reset", "reset_states", "zero_", "fill_", "clear"}
UPDATES = {"update", "add", "accumulate"}
READS = {"compute", "average", "avg", "mean", "value", "result"}


class Metrics(Check):
    """Reads in the script whether a count of the inner loop is set back in the outer one, in which it is shown."""

    def findings(self) -> Iterator[Finding]:
        source = self.run.source
        if not self.run.steps or not self.run.backward_places:
            return
        meters = {node.name for node in source.nodes if isinstance(node, ast.ClassDef) and _has_reset(node)}
        set_elsewhere, passed_on = _set_elsewhere(source), _passed_on(source)
        for scope in source.scopes:
            for epochs in scope.loops:
                batches = [loop for loop in scope_of(epochs).loops if _goes_over_rows(loop, epochs)]
                objects = (meter for meter in _meters(scope, epochs, batches, meters) if meter[0] not in passed_on)
                for name, line in (*_sums(scope, epochs, batches), *objects):
                    if name not in set_elsewhere and not _made_smaller(epochs, name):
                        yield _never_reset(name, source.place(line))
                        return


def _goes_over_rows(batches: Loop, epochs: Loop) -> bool:
    """Whether a loop goes over the same rows in each turn of the outer one; a stream of new rows has no epochs."""
    if not isinstance(batches, ast.For):
        return False
    used = {name for node in batches.body for name in names_in(node)}
    turns = callee(batches.iter) == "range" and not _counters(batches) & used
    return not turns and not _counters(epochs) & names_in(batches.iter)


def _set_elsewhere(source: Source) -> set[str]:
    """Return what a function sets that belongs to others: by `global`, as an attribute, or by a method's name."""
    names = {code(method_owner(call)) for call in source.calls if callee(call) in RESETS}
    for function in source.functions:
        if function.name != "__init__":
            scope = scope_of(function)
            declarations = [node for node in scope.nodes if isinstance(node, ast.Global | ast.Nonlocal)]
            shared = {name for node in declarations for name in node.names}
            names |= {name for name, *_ in scope.assignments if name in shared or "." in name}
    return names


def _passed_on(source: Source) -> set[str]:
    """Return what is given to a function, or put into a list or dict, through which it may be set back."""
    names: set[str] = set()
    for node in source.nodes:
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load):
            parts = node.elts
        elif isinstance(node, ast.Dict):
            parts = node.values
        names |= {code(part) for part in parts if isinstance(part, ast.Name | ast.Attribute)}
    return names


def _made_smaller(loop: Loop, name: str) -> bool:
    """Whether a loop makes a count smaller, or says that what it shows is of all turns so far."""
    for node in scope_of(loop).nodes:
        if isinstance(node, ast.AugAssign) and code(node.target) == name and not isinstance(node.op, ast.Add):
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SO_FAR.search(node.value):
            return True
    return False


def _sums(scope: Scope, epochs: Loop, batches: list[Loop]) -> Iterator[tuple[str, int]]:
    """Yield sums of an inner loop that begin before the outer one and are divided by a number of rows in it."""
    begun = {name for name, _, line in scope.assignments if line < epochs.lineno}
    set_back = {name for name, *_ in scope_of(epochs).assignments}
    in_batches = [node for loop in batches for node in scope_of(loop).nodes]
    added = [node for node in in_batches if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)]
    sums = {code(node.target): node for node in added}
    quotients = [
        node
        for node in scope_of(epochs).nodes
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and node not in in_batches
    ]
    for name, node in sums.items():
        of_rows = HITS.search(code(node.value) + name) or LOSS.search(code(node.value) + name)
        if name not in begun or name in set_back or not of_rows:
            continue
        for quotient in quotients:
            count = quotient.right
            of_all_epochs = names_in(count) & _counters(epochs)
            if name in names_in(quotient.left) and not of_all_epochs and (code(count) in sums or _same(count, sums)):
                yield name, node.lineno


def _counters(loop: Loop) -> set[str]:
    """Return the variables that a loop counts its turns with."""
    return names_in(loop.target) if isinstance(loop, ast.For) else set()


def _same(count: ast.expr, sums: dict[str, ast.AugAssign]) -> bool:
    """Whether a number of rows or batches is the same in every epoch."""
    return not names_in(count) & set(sums) and (callee(count) == "len" or isinstance(count, ast.Constant | ast.Name))


def _meters(scope: Scope, epochs: Loop, batches: list[Loop], own: set[str]) -> Iterator[tuple[str, int]]:
    """Yield objects that gather a metric, made before the outer loop and read in it, whose `reset` is never called."""
    made = {name: callee(value) for name, value, line in scope.assignments if value and line < epochs.lineno}
    set_back = {name for name, *_ in scope_of(epochs).assignments}
    in_batches = [node for loop in batches for node in scope_of(loop).nodes]
    attributes = [node for node in scope_of(epochs).nodes if isinstance(node, ast.Attribute) and node.attr in READS]
    for name, kind in made.items():
        if name in set_back:
            continue
        calling = {name, *(f"{name}.{method}" for method in UPDATES)}
        updates = [node for node in in_batches if isinstance(node, ast.Call) and code(node.func) in calling]
        reads = [node for node in attributes if code(node.value) == name and node not in in_batches]
        computed = any(node.attr == "compute" for node in reads)
        if updates and reads and (kind in own or computed):
            yield name, (reads[0] if kind not in own else updates[0]).lineno


def _has_reset(node: ast.ClassDef) -> bool:
    return any(isinstance(method, ast.FunctionDef) and method.name == "reset" for method in node.body)


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
