"""The syntax tree of a formula: what its pieces are, and where each of them stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of the formula, from character ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A decimal number, as written. unit: of a constant that a named curve brings along, such as J/mol/K."""

    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column, parameter or constant; quoted if it stood in backticks, which only columns do."""

    name: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function and its arguments: in order, then by name."""

    function: str
    arguments: tuple[Node, ...]
    named: tuple[tuple[Name, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Operands with operators of one rank between them: ``a - b + c``, ``0 < x <= 1``, ``p and q``."""

    rank: int
    operands: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix(Node):
    """Minus something, or ``not`` a condition."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Power(Node):
    """base ^ exponent."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Pattern(Node):
    """Columns by pattern, inside ``[ ]``: ``x*``, ``*_size``, ``*``."""

    text: str


@dataclass(frozen=True, slots=True)
class Grouped(Node):
    """``a[plate, well]``: a parameter with a value for each group of rows."""

    parameter: Name
    columns: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Dot(Node):
    """``w @ [x1, x2]``: a vector parameter times a list of columns; ``w[site] @ [x1, x2]`` has a vector per group."""

    vector: Name | Grouped
    items: tuple[Node, ...]

    @property
    def name(self) -> Name:
        """The name of the vector."""
        return self.vector.parameter if isinstance(self.vector, Grouped) else self.vector


@dataclass(frozen=True, slots=True)
class Listed(Node):
    """``[1, 2]`` as an argument by name, such as the knots of a spline."""

    items: tuple[Node, ...]


def walk(*nodes: object) -> Iterator[Node]:
    """Yield nodes and everything inside them, in order; the names of arguments aside."""
    for node in nodes:
        if isinstance(node, Call):
            yield node
            yield from walk(node.arguments, tuple(value for _, value in node.named))
        elif isinstance(node, Node):
            yield node
            yield from walk(*(getattr(node, field) for field in node.__slots__))
        elif isinstance(node, tuple):
            yield from walk(*node)


def names_in(*nodes: object) -> Iterator[Name]:
    """Yield every name in trees, in order."""
    return (node for node in walk(*nodes) if isinstance(node, Name))
