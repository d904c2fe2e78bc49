"""Straight-line code over few rows, rewritten so that it makes no arrays.

On few rows NumPy spends more time on making the array of a result than on computing it. So here each operation
writes into an array that was made beforehand: a row of A = [J, r], or one that no later line reads.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
AT_ONCE = 400
"""Rows up to which one product of A with its transpose is faster than a product for each of its rows."""
ONE_THREAD = 9_216
"""Numbers in a matrix up to which OpenBLAS multiplies it with a vector in one thread."""


class UnsuitableError(Exception):
    """An operation cannot write into a given array."""


@dataclass(frozen=True)
class LeastSquares:
    """Code for the inner products of the rows of A = [J, r], of which loss, gradient and curvature are made.

    lines: such as ``t2 = p0*np.exp(t1*c0)``. columns: of A, as names or expressions. weights: the name of the row
    weights, or "". numbers: the names of the parameters, in order; arrays: those of what is given of the rows, ones:
    the one of them, if any, that is 1 in each row.
    """

    lines: Sequence[str]
    columns: Sequence[str]
    weights: str
    numbers: Sequence[str]
    arrays: Sequence[str]
    ones: str = ""

    def of_few(self, factor: float, at_once: bool) -> str:
        """Write a function of few rows and of what to divide by: it returns the function that gives, at any theta, the
        sums of the loss ``factor`` r**2 / 2, of its gradient and of its curvature, divided.

        at_once: whether A is multiplied with its transpose at once, which is faster for fewer rows than `AT_ONCE`.
        Raises UnsuitableError.
        """
        code = InPlace(self.lines, self.columns, self.arrays)
        product = [f"gram = {self.weighed}.dot(across)"] if at_once else [*self._by_rows(), "gram = flat.take(place)"]
        before = [
            f"{', '.join(self.arrays)}, = block",
            f"count, share = len({self.arrays[0]}), share/{factor}",
            *self.made_before(code),
            "across = whole.T" if at_once else f"place = np.array({square(len(self.columns)).tolist()})",
            *([] if at_once else [self._parts(f"max(1, {ONE_THREAD // len(self.columns)})")]),
            *(f"{row}[:] = {name}" for row, name in code.given.items()),
            "def sums(theta):",
        ]
        within = [
            f"{', '.join(self.numbers)}, = theta.tolist()",
            *self.written(code),
            *product,
            "gram /= share",
            "return 0.5*float(gram[-1, -1]), gram[-1, :-1], gram[:-1, :-1]",
        ]
        body = [*before, *(f"    {line}" for line in within), "return sums"]
        return "def bind(block, share):\n" + "".join(f"    {line}\n" for line in body)

    @property
    def weighed(self) -> str:
        """The name of A, its rows multiplied by the row weights if there are any."""
        return "weighed" if self.weights else "whole"

    def made_before(self, code: InPlace, height: int | None = None) -> list[str]:
        """Write what is made once, when the rows are counted. height: how many rows the matrix of A has, if more."""
        size = len(self.columns)
        return [
            f"whole = np.zeros(({height}, count))" if height else f"whole = np.empty(({size}, count))",
            *([f"weighed = np.{'zeros' if height else 'empty'}_like(whole)"] if self.weights else []),
            *(f"r{number} = whole[{number}]" for number in range(size)),
            *(f"{name} = np.empty(count)" for name in code.made),
            *(f"{name.partition('.')[2]} = {name}" for name in sorted({*code.operations, "np.multiply"})),
        ]

    def written(self, code: InPlace) -> list[str]:
        """Return the lines that write A."""
        size = len(self.columns)
        weighed = f"multiply(whole[:{size}], {self.weights}, weighed[:{size}])"
        return [*code.lines, weighed] if self.weights else code.lines

    def _parts(self, step: str) -> str:
        """Write the parts in which the products of the rows so far with each row are taken, and their operands."""
        operands = (
            f"whole[:{number + 1}, at : at + step], {self.weighed}[{number}, at : at + step]"
            for number in range(len(self.columns))
        )
        return f"step = {step}; parts = [({', '.join(operands)}) for at in range(0, count, step)]"

    def _by_rows(self) -> list[str]:
        """Write the lower triangle of A A', row by row, into ``flat``."""
        ends = [(number + 1) * (number + 2) // 2 for number in range(len(self.columns))]
        names = ", ".join(f"upto{number}, row{number}" for number in range(len(ends)))
        products = [f"upto{i}.dot(row{i}, more[{end - i - 1}:{end}])" for i, end in enumerate(ends)]
        lines = [f"more = np.empty({ends[-1]})", *products, "flat += more"]
        return [f"flat = np.zeros({ends[-1]})", f"for {names} in parts:", *(f"    {line}" for line in lines)]


def square(size: int) -> NDArray[np.intp]:
    """Return where each number of a symmetric matrix is in its lower triangle, row by row.

    >>> square(3).tolist()
    [[0, 1, 3], [1, 2, 4], [3, 4, 5]]
    """
    i, j = np.indices((size, size))
    low, high = np.minimum(i, j), np.maximum(i, j)
    return np.asarray(high * (high + 1) // 2 + low)


class InPlace:
    """Rewrites lines of code one after the other.

    places: the array in which the value of each name lies. made: the names w0, w1, ... of the arrays needed beside the
    rows r0, r1, ... of A; free: those of them that no later line reads. reads: how often each name is still read.
    names_of_arrays: the rows of A that are given, with their names.
    """

    def __init__(self, lines: Sequence[str], columns: Sequence[str], names_of_arrays: Sequence[str]) -> None:
        self.places = {name: name for name in names_of_arrays}
        self.lines: list[str] = []
        self.given: dict[str, str] = {}
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
            array_register = self._array(end, row)
            if array_register in names_of_arrays:
                self.given[row] = array_register
            elif array_register != row:
                self.lines.append(f"{row}[:] = {array_register}")

    def _is_array(self, node: ast.AST) -> bool:
        return any(isinstance(subnode, ast.Name) and subnode.id in self.places for subnode in ast.walk(node))

    def _number(self, node: ast.expr) -> str:
        if all(isinstance(part, SAFE) for part in ast.walk(node)):
            return ast.unparse(node)
        if any(isinstance(part, ast.Call) and not isinstance(part.func, ast.Attribute) for part in ast.walk(node)):
            raise UnsuitableError(ast.unparse(node))  # it may turn a number into an array
        return f"float({ast.unparse(Careful().visit(node))})"

    def _array(self, node: ast.expr, register: str = "") -> str:
        """Write the computation of an array, into ``register`` if one is given; returns where its value lies."""
        if isinstance(node, ast.Name):
            return self.places[node.id]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.where":
            condition, value_if, value_else = node.args
            return self._where(condition, value_if, value_else, register)
        operation, operands = _operation(node)
        self.operations.add(operation)
        texts, idle, within = [], [], register
        for operand in operands:
            if not self._is_array(operand):
                texts.append(self._number(operand))
            elif isinstance(operand, ast.Name):
                texts.append(self.places[operand.id])
            else:
                texts.append(self._array(operand, within))
                within = ""
        for operand, text in zip(operands, texts, strict=True):
            if isinstance(operand, ast.Name):
                self.reads[operand.id] -= 1
            last = not isinstance(operand, ast.Name) or not self.reads[operand.id]
            if last and text in self.made and text not in idle:
                idle.append(text)
        if not register:
            register = idle[0] if idle else self.free.pop() if self.free else self._make()
        self.free += [text for text in idle if text != register]
        keyword = "out=" if operation in ("np.maximum", "np.minimum") else ""  # which might take it for an operand
        self.lines.append(f"{operation.partition('.')[2]}({', '.join(texts)}, {keyword}{register})")
        return register

    def _where(self, condition: ast.expr, value_if: ast.expr, value_else: ast.expr, register: str) -> str:
        """Write a choice between a number and the result of an operation, by a condition on given arrays."""
        names = {subnode.id for subnode in ast.walk(condition) if isinstance(subnode, ast.Name)}
        register_moved = any(self.places.get(name, name) != name for name in names)
        if self._is_array(value_if) or isinstance(value_else, ast.Name) or register_moved:
            raise UnsuitableError("np.where")
        register = self._array(value_else, register)
        self.operations.add("np.copyto")
        numbers, arrays = list[str](), list[str]()
        for subnode in _conditions(condition):
            (arrays if self._is_array(subnode) else numbers).append(ast.unparse(subnode))
        before = f"if {' and '.join(numbers)}: " if numbers and arrays else ""
        where = " & ".join(arrays if arrays else numbers)
        self.lines.append(f"{before}copyto({register}, {self._number(value_if)}, where={where})")
        return register

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


def _conditions(node: ast.expr) -> list[ast.expr]:
    """Return the conditions that all have to hold where one does."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        return [*_conditions(node.left), *_conditions(node.right)]
    return [node]


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
