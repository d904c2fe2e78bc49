"""The prediction of a formula as nodes of ONNX."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Not, Or

from descend.errors import ConfigError
from descend.estimators.onnx_functions import called, equal, where
from descend.estimators.onnx_graph import Graph, Value
from descend.formula.functions import entry_of
from descend.formula.symbols import Column, Parameter, Predictor
from descend.models import Model, SymbolicModel
from descend.table.levels import Levels

if TYPE_CHECKING:
    from skl2onnx.common._topology import Variable

Array = NDArray[np.float64]
MOST_MULTIPLIED = 8
"""Powers up to this one are products, which are exact to the last digit and take no logarithm."""
COMPARED: Mapping[type, Callable[[Value, Value], Value]] = {
    sympy.Lt: operator.lt,
    sympy.Le: operator.le,
    sympy.Gt: operator.gt,
    sympy.Ge: operator.ge,
    sympy.Eq: equal,
    sympy.Ne: lambda left, right: equal(left, right).call("Not"),
}


class Columns:
    """The columns of X in a graph, by name.

    inputs: one matrix, or one for each column of a frame. names: of all columns, in order. known: columns that X lacks,
    which have these values.
    """

    def __init__(self, graph: Graph, inputs: Sequence[Variable], names: Sequence[str], columns: Mapping[str, float]):
        self.graph, self.known = graph, columns
        widths = [each.type.shape[1] or len(names) - len(inputs) + 1 for each in inputs]
        self.places = {
            name: (variable, number, width)
            for name, (variable, number, width) in zip(
                names,
                ((each, k, width) for each, width in zip(inputs, widths, strict=True) for k in range(width)),
                strict=True,
            )
        }
        self._found: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        """Return a column of numbers, (rows, 1)."""
        if name not in self._found:
            if name in self.known:
                self._found[name] = self.graph.value(self.known[name])
            else:
                variable = self.places[name][0]
                if "String" in type(variable.type).__name__:
                    raise ConfigError(f"`{name}` is a column of words in ONNX, and the formula needs its numbers.")
                self._found[name] = self.graph.cast(self.cells(name))
        return self._found[name]

    def cells(self, name: str) -> str:
        """Return the name of a column as it is, numbers or words, (rows, 1)."""
        variable, number, width = self.places[name]
        if width == 1:
            return str(variable.full_name)
        return self.graph.node("Gather", variable.full_name, self.graph.integers([number]), axis=1)

    def product(self, names: Sequence[str], coefficients: Array) -> Value | None:
        """Return the sum of columns times coefficients as one product of matrices; None if they are of several."""
        column = [self.places.get(name) for name in names]
        if len(names) < 2 or any(each is None or each[0] is not column[0][0] for each in column):  # type: ignore[index]
            return None
        variable, _, width = self.places[names[0]]
        numbers = [self.places[name][1] for name in names]
        matrix = str(variable.full_name)
        if numbers != list(range(width)):
            matrix = self.graph.node("Gather", matrix, self.graph.integers(numbers), axis=1)
        right = self.graph.array(coefficients[:, None])
        return Value(self.graph, self.graph.node("MatMul", self.graph.cast(matrix).name, right))

    def group(self, levels: Levels) -> Value:
        """Return the place of the group of each row, (rows, 1); NaN of a group that was not fitted."""
        group_value: Value | float = float("nan")
        for key_number, key in reversed(list(enumerate(levels.keys))):
            group_conditions = [self._is(name, cell) for name, cell in zip(levels.columns, key, strict=True)]
            group_value = where(
                reduce(lambda left, right: left.call("And", right), group_conditions), float(key_number), group_value
            )
        return self.graph.value(group_value)

    def _is(self, name: str, cell: object) -> Value:
        if isinstance(cell, str):
            words = self.graph.words([cell])
            return Value(self.graph, self.graph.node("Equal", self.cells(name), words))
        return equal(self[name], float(cell))  # type: ignore[arg-type]


class Writer:
    """Writes expressions of one model into a graph, each part once."""

    def __init__(self, columns: Columns, model: Model, theta: Array) -> None:
        assert model.symbolic is not None
        self.columns, self.graph = columns, columns.graph
        self.model: SymbolicModel = model.symbolic
        self.values = model.parameters.named(theta)
        self.levels = {each.name: each for each in self.model.formula.levels}
        self._written: dict[Expr, Value] = {}

    def prediction(self) -> Value:
        """Return the prediction, (rows, 1)."""
        found = self.write(self.model.prediction)
        if self.model.prediction.atoms(Column, Predictor):
            return found
        variable = next(iter(self.columns.places.values()))[0]  # a constant, in as many rows as there are
        size = self.graph.node("Shape", variable.full_name, start=0, end=1)
        shape = self.graph.node("Concat", size, self.graph.integers([1]), axis=0)
        return Value(self.graph, self.graph.node("Expand", found.name, shape))

    def write(self, node: Expr) -> Value:
        """Return the value of an expression."""
        if node not in self._written:
            self._written[node] = self._value(node)
        return self._written[node]

    def _value(self, node: Expr) -> Value:
        if isinstance(node, Column):
            levels = self.levels.get(node.name)
            return self.columns[node.name] if levels is None else self.columns.group(levels)
        if isinstance(node, Parameter):
            return self.graph.value(float(self.values[node.name]))
        if isinstance(node, Predictor):
            return self._term(node)
        if not node.free_symbols and node.is_number:
            return self.graph.value(float(node))
        if node.is_Add:
            return reduce(operator.add, map(self.write, node.args))
        if node.is_Mul:
            return self._product(node)
        if node.is_Pow:
            return self._power(node.base, node.exp)
        if (function := entry_of(node)) is not None:
            return called(function.name, [self.write(argument) for argument in node.args])
        if isinstance(node, Relational):
            return COMPARED[type(node)](self.write(node.lhs), self.write(node.rhs))
        if isinstance(node, Not):
            return self.write(node.args[0]).call("Not")
        if isinstance(node, And | Or):
            return reduce(lambda left, right: left.call(type(node).__name__, right), map(self.write, node.args))
        raise ConfigError(f"`{node}` cannot be written as ONNX.")

    def _product(self, node: Expr) -> Value:
        """Write what has a negative power below the line, so that a/b is one rounding."""
        below = [each for each in node.args if each.is_Pow and each.exp.is_Number and each.exp < 0]
        above = [self.write(each) for each in node.args if each not in below]
        upper = reduce(operator.mul, above) if above else self.graph.value(1.0)
        return upper if not below else upper / reduce(operator.mul, [self._power(p.base, -p.exp) for p in below])

    def _power(self, base: Expr, exponent: Expr) -> Value:
        if base == sympy.E:
            return called("exp", [self.write(exponent)])
        if exponent == sympy.Rational(1, 2):
            return called("sqrt", [self.write(base)])
        if exponent.is_Number and exponent < 0:
            return 1.0 / self._power(base, -exponent)
        if exponent.is_Integer and exponent <= MOST_MULTIPLIED:
            return reduce(operator.mul, [self.write(base)] * int(exponent))
        return self.write(base).call("Pow", self.write(exponent))

    def _term(self, predictor: Predictor) -> Value:
        """Write `w @ [x1, x2]`, or `a[site]`."""
        term = self.model.formula.terms[predictor]
        coefficients = self._coefficients(term.vector)
        names = [item.name for item in term.items if isinstance(item, Column)]
        if len(names) == len(coefficients) and (product := self.columns.product(names, coefficients)) is not None:
            return product
        products = [
            self.graph.value(float(value)) * self.write(item)
            for value, item in zip(coefficients, term.items, strict=True)
        ]
        term_value = reduce(operator.add, products)
        # The place of a group that was not fitted is not a number, and neither is then the prediction.
        return term_value if term.levels is None else term_value + 0.0 * self.write(Column(term.levels.name))

    def _coefficients(self, vector: str) -> Array:
        coefficients = self.values[vector]
        values = [*coefficients.values()] if isinstance(coefficients, Mapping) else [coefficients]
        return np.concatenate([np.ravel(value) for value in values]).astype(np.float64)
