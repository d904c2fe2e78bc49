"""Rows that the model is tested on, used already to scale the inputs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from descend.doctor.contract import Check
from descend.doctor.finding import WARNING, Finding
from descend.doctor.places import Place
from descend.doctor.source import Function, assigned, called, names, scopes, tree, within, written

STATISTICS = {
    "mean",
    "std",
    "var",
    "min",
    "max",
    "amin",
    "amax",
    "median",
    "quantile",
    "std_mean",
    "var_mean",
    "nanmean",
}
SPREADS = STATISTICS - {"mean", "nanmean", "median"}
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

Scaled = tuple[str, str, int]
"""What is scaled, with the statistics of what, and the line that takes these."""


class Statistics(Check):
    """Reads in the script whether inputs are scaled before the rows to test on are taken away, or by test rows."""

    def findings(self) -> list[Finding]:
        file = self.ledger.scene.script
        module = tree(file)
        if module is None or not self.ledger.steps:
            return []
        for body in scopes(module):
            split = dict(_splits(body))
            for scaled, source, line in _scalings(body):
                if OUTPUTS.search(source) or OUTPUTS.search(scaled) or not _all_rows(source):
                    continue
                later = [at for name, at in split.items() if at > line and name in (scaled, source)]
                if later and not TRAIN.search(source):
                    return [_finding(source, Place(file, line), later[0])]
                if TEST.search(source) and not TRAIN.search(source):
                    return [_finding(source, Place(file, line), None)]
        return [_finding(source, Place(file, line), None) for source, line in _by_function(module)][:1]


def _by_function(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the rows to test on that are given, alone, to a function which scales rows by their own statistics."""
    own = {
        node.name
        for node in ast.walk(module)
        if isinstance(node, Function) and node.args.args and node.args.args[0].arg in _scaled_by_itself(node.body)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and called(node) in own and len(node.args) == 1 and not node.keywords:
            source = written(node.args[0])
            if TEST.search(source) and not TRAIN.search(source) and not OUTPUTS.search(source):
                yield source, node.lineno


def _scaled_by_itself(body: list[ast.stmt]) -> set[str]:
    """Return what a body scales by a mean and a deviation over the rows, axis 0, of the same."""
    over = {
        written(node.func.value)
        for node in within(body)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) in SPREADS
        if {written(one) for one in (*node.args, *(k.value for k in node.keywords))} <= {"0", "True"}
    }
    return {source for _, source, _ in _scalings(body)} & over


def _all_rows(source: str) -> bool:
    """Whether an expression stands for all rows of something: ``x``, ``table["size"]``, ``x[:, :3]``, not a part."""
    node = ast.parse(source, mode="eval").body
    if not isinstance(node, ast.Subscript):
        return True
    columns = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
    return written(columns) == ":" or (isinstance(columns, ast.Constant | ast.List) and columns is node.slice)


def _root(node: ast.expr) -> ast.expr:
    """Return what a chain of calls such as ``x.float().to(device)`` begins with."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) not in STATISTICS:
        node = node.func.value
    return node


def _statistic(node: ast.AST) -> tuple[str, str] | None:
    """Return the name of a statistic over rows, and of what it is taken: ``x.mean(0)``, ``torch.mean(x, dim=0)``."""
    if not isinstance(node, ast.Call) or called(node) not in STATISTICS or not isinstance(node.func, ast.Attribute):
        return None
    owner = node.func.value
    if isinstance(owner, ast.Name) and owner.id in ("torch", "np", "numpy"):
        return (called(node), written(node.args[0])) if node.args else None
    return called(node), written(owner)


def _scalings(body: list[ast.stmt]) -> Iterator[Scaled]:
    """Yield each place where inputs are scaled: by a mean and a deviation, or by a scaler of scikit-learn."""
    known: dict[str, tuple[str, str, int]] = {}  # variable -> statistic, of what, line
    scalers: set[str] = set()
    for name, value, line in assigned(body):
        if value is None:
            continue
        spread: tuple[str, int] | None = None
        for node in ast.walk(value):
            found = _statistic(node)
            if not _divides(value, known):
                break
            if found is not None and found[0] in SPREADS:
                spread = found[1], line
            elif isinstance(node, ast.Name) and node.id in known and known[node.id][0] in SPREADS:
                spread = known[node.id][1:]
        if spread is not None:
            yield name, spread[0], spread[1]
            yield from ((one, spread[0], spread[1]) for one in names(value) & {spread[0]})
        direct = next((found for node in ast.walk(value) if (found := _statistic(node)) is not None), None)
        if direct is not None and not _divides(value, known):
            known[name] = (*direct, line)
        if called(_root(value)) in SCALERS or called(value) in SCALERS:
            scalers.add(name)
    for node in within(body):
        if isinstance(node, ast.Call) and called(node) in ("fit", "fit_transform") and node.args:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            if owner is not None and (written(owner) in scalers or called(owner) in SCALERS):
                source = written(node.args[0])
                into = next((name for name, value, line in assigned(body) if line == node.lineno and value), source)
                yield into, source, node.lineno
    for node in within(body):  # scaled where it is used, not assigned
        if isinstance(node, ast.BinOp) and _divides(node, known):
            for one in ast.walk(node.right):
                if isinstance(one, ast.Name) and one.id in known and known[one.id][0] in SPREADS:
                    yield known[one.id][1], known[one.id][1], known[one.id][2]


def _divides(value: ast.expr, known: Mapping[str, object]) -> bool:
    """Whether an expression takes a statistic away and divides, as scaling does, without reducing in between."""
    for node in ast.walk(value):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = node.left
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                left = left.right if isinstance(left.left, ast.Constant) else left.left
            taken = left.right if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Sub) else None
            if taken is not None and any(_statistic(one) or written(one) in known for one in ast.walk(taken)):
                return True
    return False


def _splits(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Yield what is taken apart into rows to train on and rows to test on, with the line."""
    begins: dict[tuple[str, str], int] = {}
    ends: dict[tuple[str, str], int] = {}
    picked: dict[str, dict[str, int]] = {}
    sets = {name: value for name, value, _ in assigned(body) if value is not None and called(value).endswith("Dataset")}
    for node in within(body):
        if isinstance(node, ast.Call) and called(node) in SPLITS and node.args:
            inner = sets.get(written(node.args[0]), node.args[0])
            for name in names(inner):
                yield name, node.lineno
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            low, high, owner = node.slice.lower, node.slice.upper, written(node.value)
            if high is not None and (low is None or written(low) == "0"):
                ends.setdefault((owner, written(high)), node.lineno)
            if low is not None:
                begins.setdefault((owner, written(low)), node.lineno)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
            picked.setdefault(written(node.value), {})[node.slice.id] = node.lineno
    for owner, rows in picked.items():
        tested = [line for name, line in rows.items() if TEST.search(name)]
        if tested and any(TRAIN.search(name) for name in rows):
            yield owner, min(tested)
    for key, line in ends.items():
        if key in begins:
            yield key[0], min(line, begins[key])


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
