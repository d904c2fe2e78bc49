"""Rows that the model is tested on, used already to scale the inputs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.source import Scope, Source, callee, code, method_owner, names_in, scope_of
from descend.doctor.user_code import Place

SPREADS = {"std", "var", "min", "max", "amin", "amax", "quantile", "std_mean", "var_mean"}
STATISTICS = SPREADS | {"mean", "nanmean", "median"}
SCALERS = {"StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "Normalizer", "QuantileTransformer"}
SPLITS = {"train_test_split", "random_split", "Subset"}
TEST = re.compile(r"(^|[_.])(x_?)?(test|val|valid|validation|holdout)($|[_\d])|^(x|X)(te|va|v|t_?est)$", re.I)
TRAIN = re.compile(r"train|(^|_)(x|X)tr|^tr(_|$)|fit", re.I)
OUTPUTS = re.compile(
    r"^(y|t)($|_|train|test|val)|_y$|target|label|score|pred|logit|loss|err|resid|output|prob|acc", re.I
)
"""Names of what a model is to tell, or has told: a change of their unit leaks nothing."""

WHY = (
    "Rows to test on stand for those nobody has seen; what is taken from them leaks into the model, or hides how they "
    "differ."
)
FIX = (
    "mean, std = x_train.mean(0), x_train.std(0)   # of the training rows alone\n"
    "x_train, x_test = (x_train - mean) / std, (x_test - mean) / std"
)


class Scaling(NamedTuple):
    """What is scaled, with the statistics of which rows, and the line that takes these."""

    scaled: str
    rows: str
    line: int


class Statistics(Check):
    """Reads in the script whether inputs are scaled before the rows to test on are taken away, or by test rows."""

    def findings(self) -> Iterator[Finding]:
        source = self.run.source
        for scope in source.scopes if self.run.steps else ():
            splits = dict(_splits(scope))
            for scaled, rows, line in _scalings(scope):
                if OUTPUTS.search(rows) or OUTPUTS.search(scaled) or not _all_rows(rows):
                    continue
                later = [at for name, at in splits.items() if at > line and name in (scaled, rows)]
                if (later or TEST.search(rows)) and not TRAIN.search(rows):
                    yield _finding(rows, source.place(line), later[0] if later else None)
                    return
        for rows, line in _by_function(source) if self.run.steps else ():
            yield _finding(rows, source.place(line), None)
            return


def _by_function(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the rows to test on that are given, alone, to a function which scales rows by their own statistics."""
    own = {
        function.name
        for function in source.functions
        if function.args.args and function.args.args[0].arg in _scaled_by_itself(scope_of(function))
    }
    for call in source.calls:
        if callee(call) in own and len(call.args) == 1 and not call.keywords:
            rows = code(call.args[0])
            if TEST.search(rows) and not TRAIN.search(rows) and not OUTPUTS.search(rows):
                yield rows, call.lineno


def _scaled_by_itself(scope: Scope) -> set[str]:
    """Return what is scaled by a mean and a deviation over the rows, axis 0, of the same."""
    over_rows = {
        code(method_owner(call))
        for call in scope.calls
        if callee(call) in SPREADS and {code(each) for each in _arguments(call)} <= {"0", "True"}
    }
    return {rows for _, rows, _ in _scalings(scope)} & over_rows


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(option.value for option in call.keywords)]


def _all_rows(text: str) -> bool:
    """Whether an expression stands for all rows of something: ``x``, ``table["size"]``, ``x[:, :3]``, not a part."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Subscript):
        return True
    columns = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
    return code(columns) == ":" or (isinstance(columns, ast.Constant | ast.List) and columns is node.slice)


def _root(node: ast.expr) -> ast.expr:
    """Return what a chain of calls such as ``x.float().to(device)`` begins with."""
    while (owner := method_owner(node)) is not None and callee(node) not in STATISTICS:
        node = owner
    return node


def _statistic(node: ast.AST) -> tuple[str, str] | None:
    """Return the name of a statistic over rows, and of what it is taken: ``x.mean(0)``, ``torch.mean(x, dim=0)``."""
    owner = method_owner(node)
    if not isinstance(node, ast.Call) or callee(node) not in STATISTICS or owner is None:
        return None
    if code(owner) in ("torch", "np", "numpy"):
        return (callee(node), code(node.args[0])) if node.args else None
    return callee(node), code(owner)


def _scalings(scope: Scope) -> Iterator[Scaling]:
    """Yield each place where inputs are scaled: by a mean and a deviation, or by a scaler of scikit-learn."""
    known: dict[str, tuple[str, str, int]] = {}  # variable -> statistic, of which rows, line
    scalers: set[str] = set()
    for name, value, line in scope.assignments:
        if value is None:
            continue
        spread: tuple[str, int] | None = None
        divides = _divides(value, known)
        for node in ast.walk(value) if divides else ():
            statistic = _statistic(node)
            if statistic is not None and statistic[0] in SPREADS:
                spread = statistic[1], line
            elif isinstance(node, ast.Name) and node.id in known and known[node.id][0] in SPREADS:
                spread = known[node.id][1:]
        if spread is not None:
            yield Scaling(name, *spread)
            yield from (Scaling(rows, *spread) for rows in names_in(value) & {spread[0]})
        direct = next((statistic for node in ast.walk(value) if (statistic := _statistic(node)) is not None), None)
        if direct is not None and not divides:
            known[name] = (*direct, line)
        if callee(_root(value)) in SCALERS or callee(value) in SCALERS:
            scalers.add(name)
    for call in scope.calls:
        owner = method_owner(call)
        scales = code(owner) in scalers or callee(owner) in SCALERS
        if scales and callee(call) in ("fit", "fit_transform") and call.args:
            rows = code(call.args[0])
            into = next((name for name, value, line in scope.assignments if line == call.lineno and value), rows)
            yield Scaling(into, rows, call.lineno)
    for node in scope.nodes:  # scaled where it is used, not assigned
        if isinstance(node, ast.BinOp) and _divides(node, known):
            for part in ast.walk(node.right):
                if isinstance(part, ast.Name) and part.id in known and known[part.id][0] in SPREADS:
                    _, rows, line = known[part.id]
                    yield Scaling(rows, rows, line)


def _divides(value: ast.expr, known: Mapping[str, object]) -> bool:
    """Whether an expression takes a statistic away and divides, as scaling does, without reducing in between."""
    for node in ast.walk(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = node.left
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                left = left.right if isinstance(left.left, ast.Constant) else left.left
            taken = left.right if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub) else None
            if taken is not None and any(_statistic(part) or code(part) in known for part in ast.walk(taken)):
                return True
    return False


def _splits(scope: Scope) -> Iterator[tuple[str, int]]:
    """Yield what is taken apart into rows to train on and rows to test on, with the line."""
    begins: dict[tuple[str, str], int] = {}
    ends: dict[tuple[str, str], int] = {}
    picked: dict[str, dict[str, int]] = {}
    sets = {name: value for name, value, _ in scope.assignments if value and callee(value).endswith("Dataset")}
    for call in scope.calls:
        if callee(call) in SPLITS and call.args:
            for name in names_in(sets.get(code(call.args[0]), call.args[0])):
                yield name, call.lineno
    for node in scope.nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            low, high, owner = node.slice.lower, node.slice.upper, code(node.value)
            if high is not None and (low is None or code(low) == "0"):
                ends.setdefault((owner, code(high)), node.lineno)
            if low is not None:
                begins.setdefault((owner, code(low)), node.lineno)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
            picked.setdefault(code(node.value), {})[node.slice.id] = node.lineno
    for owner, rows in picked.items():
        tested = [line for name, line in rows.items() if TEST.search(name)]
        if tested and any(TRAIN.search(name) for name in rows):
            yield owner, min(tested)
    for (owner, bound), line in ends.items():
        if (owner, bound) in begins:
            yield owner, min(line, begins[owner, bound])


def _finding(source: str, place: Place, split: int | None) -> Finding:
    rows = f"the rows of `{source}`, before line {split} takes the test rows away" if split else f"`{source}`"
    return Finding(
        "test_statistics",
        f"The inputs are scaled (normalised) with the mean, deviation or range of {rows}: test rows are among them.",
        WHY,
        FIX,
        place,
        {},
        WARNING,
    )


def of_test_rows(place: Place | None, alone: bool, rows: int) -> Finding:
    """Return the finding of rows to test on, seen to be scaled by their own statistics, or by those of all rows."""
    seen = "those rows alone" if alone else "all rows, test rows among them"
    return Finding(
        "test_statistics",
        f"The inputs are scaled (normalised) with the mean and deviation of {seen}: over the {rows} rows tested on"
        f"{'' if alone else ' and the rows trained on together'}, the mean is exactly 0 and the deviation exactly 1.",
        WHY,
        FIX,
        place,
        {"rows_tested_on": rows},
        WARNING,
    )
