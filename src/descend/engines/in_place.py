"""Straight-line code over few rows, rewritten so that it makes no arrays.

On few rows NumPy spends more time on making the array of a result than on computing it. So here each operation
writes into an array that was made beforehand: a row of A = [J, r], or one that no later line reads.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence

import numpy as np

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "np.add",
    ast.Sub: "np.subtract",
    ast.Mult: "np.multiply",
    ast.Div: "np.divide",
    ast.Pow: "np.power",
    ast.USub: "np.negative",
}
SAFE = (
    *(ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.Mult, ast.USub, ast.Name, ast.Load, ast.Constant),
    *(ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)
"""Operations that Python does as NumPy does, and faster; not division, where Python raises an error for zero."""


class UnsuitableError(Exception):
    """An operation cannot write into a given array."""


def least_squares(
    lines: Sequence[str],
    columns: Sequence[str],
    weights: str,
    factor: float,
    numbers: Sequence[str],
    arrays: Sequence[str],
) -> str:
    """Write a function of few rows and of what to divide by: it returns the function that gives, at any theta, the sums
    of the loss ``factor`` r**2 / 2, of its gradient and of its curvature, divided.

    lines: such as ``t2 = p0*np.exp(t1*c0)``. columns: of A = [J, r], as names or expressions. weights: the name of the
    row weights, or "". numbers: the names of the parameters, in order; arrays: those of what is given of the rows.

    Raises UnsuitableError.
    """
    code = InPlace(lines, columns, arrays)
    product = "whole.dot(across)"
    if weights:
        code.lines.append(f"multiply(whole, {weights}, weighed)")
        product = "weighed.dot(across)"
    before = [
        f"{', '.join(arrays)}, = block",
        f"count, share = len({arrays[0]}), share/{factor}",
        f"whole = np.empty(({len(columns)}, count))",
        "across, weighed = whole.T, np.empty_like(whole)" if weights else "across = whole.T",
        *(f"r{number} = whole[{number}]" for number in range(len(columns))),
        *(f"{name} = np.empty(count)" for name in code.made),
        *(f"{name.partition('.')[2]} = {name}" for name in sorted({*code.operations, "np.multiply"})),
        *code.once,
        "def sums(theta):",
    ]
    within = [
        f"{', '.join(numbers)}, = theta.tolist()",
        *code.lines,
        f"gram = {product}",
        "gram /= share",
        "return 0.5*float(gram[-1, -1]), gram[-1, :-1], gram[:-1, :-1]",
    ]
    body = [*before, *(f"    {line}" for line in within), "return sums"]
    return "def bind(block, share):\n" + "".join(f"    {line}\n" for line in body)


class InPlace:
    """Rewrites lines of code one after the other.

    places: the array in which the value of each name lies. made: the names w0, w1, ... of the arrays needed beside the
    rows r0, r1, ... of A; free: those of them that no later line reads. reads: how often each name is still read.
    once: lines that run when the rows are given, rather than at every call.
    """

    def __init__(self, lines: Sequence[str], columns: Sequence[str], given: Sequence[str]) -> None:
        self.places = {name: name for name in given}
        self.lines: list[str] = []
        self.once: list[str] = []
        self.made: list[str] = []
        self.free: list[str] = []
        self.operations: set[str] = set()
        renamed = Renamed()
        trees: list[ast.Assign] = [
            tree for line in lines if not renamed.takes(tree := renamed.visit(ast.parse(line)).body[0])
        ]
        ends: list[ast.expr] = [renamed.visit(ast.parse(column, mode="eval")).body for column in columns]
        names = (node for tree in (*trees, *ends) for node in ast.walk(tree) if isinstance(node, ast.Name))
        self.reads = Counter(node.id for node in names if isinstance(node.ctx, ast.Load))
        rows = {end.id: f"r{number}" for number, end in reversed(list(enumerate(ends))) if isinstance(end, ast.Name)}
        for tree in trees:
            name = _name(tree)
            if self._is_array(tree.value):
                self.places[name] = self._array(tree.value, rows.get(name, ""))
            else:
                self.lines.append(f"{name} = {self._number(tree.value)}")
        for number, end in enumerate(ends):
            row = f"r{number}"
            place = self._array(end, row)
            if place != row:
                (self.once if place in given else self.lines).append(f"{row}[:] = {place}")

    def _is_array(self, node: ast.AST) -> bool:
        return any(isinstance(part, ast.Name) and part.id in self.places for part in ast.walk(node))

    def _number(self, node: ast.expr) -> str:
        if all(isinstance(part, SAFE) for part in ast.walk(node)):
            return ast.unparse(node)
        if any(isinstance(part, ast.Call) and not isinstance(part.func, ast.Attribute) for part in ast.walk(node)):
            raise UnsuitableError(ast.unparse(node))  # it may turn a number into an array
        return f"float({ast.unparse(Careful().visit(node))})"

    def _array(self, node: ast.expr, place: str = "") -> str:
        """Write the computation of an array, into ``place`` if one is given; returns where its value lies."""
        if isinstance(node, ast.Name):
            return self.places[node.id]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.where":
            condition, chosen, other = node.args
            return self._where(condition, chosen, other, place)
        operation, parts = _operation(node)
        self.operations.add(operation)
        texts, idle, within = [], [], place
        for part in parts:
            if not self._is_array(part):
                texts.append(self._number(part))
            elif isinstance(part, ast.Name):
                texts.append(self.places[part.id])
            else:
                texts.append(self._array(part, within))
                within = ""
        for part, text in zip(parts, texts, strict=True):
            if isinstance(part, ast.Name):
                self.reads[part.id] -= 1
            last = not isinstance(part, ast.Name) or not self.reads[part.id]
            if last and text in self.made and text not in idle:
                idle.append(text)
        if not place:
            place = idle[0] if idle else self.free.pop() if self.free else self._make()
        self.free += [text for text in idle if text != place]
        keyword = "out=" if operation in ("np.maximum", "np.minimum") else ""  # which might take it for an operand
        self.lines.append(f"{operation.partition('.')[2]}({', '.join(texts)}, {keyword}{place})")
        return place

    def _where(self, condition: ast.expr, chosen: ast.expr, other: ast.expr, place: str) -> str:
        """Write a choice between a number and the result of an operation, by a condition on given arrays."""
        names = {part.id for part in ast.walk(condition) if isinstance(part, ast.Name)}
        moved = any(self.places.get(name, name) != name for name in names)
        if self._is_array(chosen) or isinstance(other, ast.Name) or moved:
            raise UnsuitableError("np.where")
        place = self._array(other, place)
        self.operations.add("np.copyto")
        self.lines.append(f"copyto({place}, {self._number(chosen)}, where={ast.unparse(condition)})")
        return place

    def _make(self) -> str:
        self.made.append(f"w{len(self.made)}")
        return self.made[-1]


class Renamed(ast.NodeTransformer):
    """Removes lines that only give an array another name."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def takes(self, line: ast.Assign) -> bool:
        """Note such a line; returns whether it is one."""
        if isinstance(line.value, ast.Name):
            self.names[_name(line)] = line.value.id
        return isinstance(line.value, ast.Name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


class Careful(ast.NodeTransformer):
    """Makes computations with numbers behave as NumPy's do."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return node if node.id in ("np", "special") else ast.parse(f"np.float64({node.id})", mode="eval").body


def _name(line: ast.Assign) -> str:
    """Return the name that a line assigns to."""
    return ast.unparse(line.targets[0])


def _operation(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return NumPy's name of an operation, and its operands."""
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)], [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)], [node.operand]
    if isinstance(node, ast.Call):
        library, _, name = ast.unparse(node.func).partition(".")
        if library == "special" or (library == "np" and isinstance(getattr(np, name, None), np.ufunc)):
            return f"{library}.{name}", node.args
    raise UnsuitableError(ast.unparse(node))
