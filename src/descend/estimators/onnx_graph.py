"""A graph of ONNX that is built by arithmetic: each value is a column of numbers, a number for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Scope


class Graph:
    """What a converter of skl2onnx adds nodes to. double: whether numbers have double precision."""

    def __init__(self, scope: Scope, container: ModelComponentContainer, double: bool) -> None:
        self.scope, self.container, self.double = scope, container, double
        self._numbers: dict[float, Value] = {}

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: int) -> str:
        """Add a node; return the name of its output."""
        output = output or self.scope.get_unique_variable_name(operator.lower())
        name = self.scope.get_unique_operator_name(operator)
        self.container.add_node(operator, list(inputs), output, name=name, **attributes)
        return output

    def call(self, operator: str, *arguments: Value | float) -> Value:
        """Add a node of columns and numbers."""
        return Value(self, self.node(operator, *(self.value(each).name for each in arguments)))

    def value(self, value_given: Value | float) -> Value:
        """Return a number as a value, the same one for the same number."""
        if isinstance(value_given, Value):
            return value_given
        if value_given not in self._numbers:
            self._numbers[value_given] = Value(self, self.array(np.array([value_given])))
        return self._numbers[value_given]

    def array(self, numbers: NDArray[np.float64]) -> str:
        """Add an array of numbers; return its name."""
        return self._stored(self.number_type, numbers.shape, numbers.ravel().tolist())

    def integers(self, numbers: Sequence[int]) -> str:
        """Add a vector of whole numbers; return its name."""
        from onnx import TensorProto

        return self._stored(TensorProto.INT64, (len(numbers),), list(numbers))

    def words(self, words: Sequence[str]) -> str:
        """Add a vector of words; return its name."""
        from onnx import TensorProto

        return self._stored(TensorProto.STRING, (len(words),), [word.encode() for word in words])

    def _stored(self, kind: int, shape: tuple[int, ...], values: Sequence[object]) -> str:
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, kind, list(shape), values)
        return str(name)

    @property
    def number_type(self) -> int:
        """The type of numbers, as ONNX counts types."""
        from onnx import TensorProto

        return int(TensorProto.DOUBLE if self.double else TensorProto.FLOAT)

    def cast(self, name: str) -> Value:
        """Return a column of numbers or of truths as a value."""
        return Value(self, self.node("Cast", name, to=self.number_type))


def _operator(name: str, swapped: bool = False) -> Callable[[Value, Value | float], Value]:
    """Return what an operator of Python makes of two values: a node of the graph."""
    return lambda left, right: left.graph.call(name, *((right, left) if swapped else (left, right)))


class Value:
    """A column of a graph, or a number."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def call(self, operator: str, *others: Value | float) -> Value:
        """Return what an operator makes of it, and of others."""
        return self.graph.call(operator, self, *others)

    def __neg__(self) -> Value:
        return self.call("Neg")

    __add__, __radd__ = _operator("Add"), _operator("Add", swapped=True)
    __sub__, __rsub__ = _operator("Sub"), _operator("Sub", swapped=True)
    __mul__, __rmul__ = _operator("Mul"), _operator("Mul", swapped=True)
    __truediv__, __rtruediv__ = _operator("Div"), _operator("Div", swapped=True)
    __lt__, __le__ = _operator("Less"), _operator("LessOrEqual")
    __gt__, __ge__ = _operator("Greater"), _operator("GreaterOrEqual")
